//! "did you mean": the nearest known name, if it is near enough to be meant.

/// The candidate nearest to `written`, if it differs in at most a third of its letters (and always when only
/// upper and lower case differ). Ties go to the candidate named first.
pub fn did_you_mean<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = written.to_lowercase();
    let limit = (written.chars().count().max(3)) / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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
