//! `NAME=VALUE` on the command line.

use crate::diag::{Problem, codes};

/// Names and values, in order. What the values mean depends on the declared types and is decided later.
///
/// # Errors
/// `run::wrong_argument`: something without `=`, something that is no name, a name given twice.
pub fn parse(written: &[String]) -> Result<Vec<(String, String)>, Problem> {
    let wrong = |message: String| Problem::outside(codes::run::WRONG_ARGUMENT, message);
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in written {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let (name, value) = pair.split_once('=').filter(|(name, _)| is_name(name)).ok_or_else(|| {
            wrong(format!("`{pair}` is not a name and a value"))
                .help("write `NAME=VALUE` without blanks around the `=`")
        })?;
        if found.iter().any(|(known, _)| known == name) {
            return Err(wrong(format!("`{name}` is given twice")).help("leave one of them out"));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}
