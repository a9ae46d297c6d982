//! Names nobody has yet: the one place with randomness.

use super::clock::{Clock, WallClock};

/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A name for a run: the campaign and four letters or digits, such as `vip-7K2M`.
pub(super) fn run_name(campaign: &str) -> String {
    let plain = campaign.replace(|letter: char| !letter.is_alphanumeric() && letter != '_', "-");
    format!("{plain}-{}", letters::<4>())
}

/// A name for a note; later notes sort behind earlier ones.
pub(super) fn note_name() -> String {
    format!("{:020}-{}", WallClock.now().as_nanosecond(), letters::<6>())
}

/// A name for a signal that was given none.
pub fn signal_name() -> String {
    letters::<16>()
}

/// A word nobody can guess.
pub fn secret_word() -> String {
    letters::<40>()
}

fn letters<const N: usize>() -> String {
    let mut bytes = [0; N];
    // Without randomness names are all zeros; whoever keeps them refuses one that exists.
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns randomness")]
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_folders() {
        let name = run_name("a/../b c");
        assert!(name.starts_with("a----b-c-"), "{name}");
        assert_eq!(name.len(), "a----b-c-".len() + 4);
    }

    #[test]
    fn later_notes_sort_behind() {
        let first = note_name();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(first < note_name());
    }
}
