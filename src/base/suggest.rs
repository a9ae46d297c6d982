//! "did you mean": the nearest known name, if it is near enough to be meant.

/// Bytes of a name that somebody may have meant to write; the distance of longer ones takes too long to compute.
const LONGEST: usize = 200;

/// The candidate nearest to `written`, if it differs in at most a third of its letters (and always when only
/// upper and lower case differ). Ties go to the candidate named first.
pub fn did_you_mean<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if written.len() > LONGEST {
        return None;
    }
    let folded = written.to_lowercase();
    let limit = (written.chars().count().max(3)) / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written && may_be_near(&folded, candidate, limit))
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// False where more letters of one are missing in the other than may differ; much cheaper than the distance itself.
fn may_be_near(folded: &str, candidate: &str, limit: usize) -> bool {
    if !folded.is_ascii() || !candidate.is_ascii() {
        return true;
    }
    let mut surplus = [0i32; 128];
    folded.bytes().for_each(|byte| surplus[usize::from(byte)] += 1);
    candidate.bytes().for_each(|byte| surplus[usize::from(byte.to_ascii_lowercase())] -= 1);
    let (more, fewer) = surplus.iter().fold((0, 0), |(more, fewer), n| (more + n.max(&0), fewer - n.min(&0)));
    more.max(fewer) as usize <= limit
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["customers", "orders", "spend", "tier", "gold", "silver", "id"];
        let table = [
            ("custmers", Some("customers")),
            ("Customers", Some("customers")),
            ("glod", Some("gold")),
            ("spent", Some("spend")),
            ("teir", Some("tier")),
            ("platinum", None),
            ("x", None),
            ("idd", Some("id")),
        ];
        for (written, expected) in table {
            assert_eq!(did_you_mean(written, known), expected, "{written}");
        }
    }
}
