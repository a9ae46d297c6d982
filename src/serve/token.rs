//! What requests must know.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::runtime::secret_word;

/// A token, of which only a hash is kept.
#[derive(Clone)]
pub struct Token(blake3::Hash);

impl Token {
    /// The token with this text.
    pub fn new(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()))
    }

    /// Whether a text is the token. Takes the same time for every text of a length.
    pub fn is(&self, text: &str) -> bool {
        // The comparison of two hashes takes the same time whatever they are.
        self.0 == blake3::hash(text.as_bytes())
    }
}

/// The token in a file that only its owner can read; made when there is none.
///
/// # Errors
/// The file cannot be read or written.
pub fn read_or_make(path: &Path) -> std::io::Result<Token> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => {
            only_ours(path)?;
            return Ok(Token::new(text.trim()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = secret_word();
    let beside = path.with_extension("token.new");
    // A rest of an earlier attempt may belong to somebody else.
    let _ = fs::remove_file(&beside);
    let mut file = private(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(Token::new(&text))
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn only_ours(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn only_ours(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
