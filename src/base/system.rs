//! What the operating system says, in our words.

/// Sentences of the system and what we say instead.
const WORDS: &[(&str, &str)] = &[
    ("no such file or directory", "there is no such file"),
    ("not a directory", "a part of the path is a file, not a folder"),
    ("is a directory", "it is a folder"),
    ("stream did not contain valid utf-8", "it is not UTF-8 text"),
];

/// A reason that the system gave, without the number that Rust appends, in lower case as our messages are.
pub fn plain_reason(reason: &str) -> String {
    let text = reason.split(" (os error").next().unwrap_or_default();
    let folded = text.to_lowercase();
    match WORDS.iter().find(|(theirs, _)| folded == *theirs) {
        Some((_, ours)) => (*ours).to_owned(),
        None => {
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_reason;

    #[test]
    fn systems_speak_of_numbers_and_people_do_not() {
        assert_eq!(plain_reason("No such file or directory (os error 2)"), "there is no such file");
        assert_eq!(plain_reason("Permission denied (os error 13)"), "permission denied");
        assert_eq!(plain_reason("file is not a database"), "file is not a database");
        assert_eq!(plain_reason(""), "");
    }
}
