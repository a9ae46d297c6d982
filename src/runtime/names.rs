//! Names of runs: the one place with randomness.

/// A name that nobody has: the campaign and four letters or digits, such as `vip-7K2M`. Letters that look alike are
/// left out.
pub(super) fn run_name(campaign: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0; 4];
    // Without randomness names begin with zeros; the store refuses one that exists.
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns randomness")]
    let _ = getrandom::fill(&mut bytes);
    let letters: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    format!("{}-{letters}", campaign.replace(|letter: char| !letter.is_alphanumeric() && letter != '_', "-"))
}

#[cfg(test)]
mod tests {
    use super::run_name;

    #[test]
    fn names_are_safe_as_folders() {
        let name = run_name("a/../b c");
        assert!(name.starts_with("a----b-c-"), "{name}");
        assert_eq!(name.len(), "a----b-c-".len() + 4);
    }
}
