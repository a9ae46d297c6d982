//! What a program is checked against, besides its own text.

use std::collections::HashMap;

use super::Ty;
use crate::base::SourceId;
use crate::syntax::ast;

/// A file after parsing.
#[derive(Clone, Debug)]
pub struct ParsedFile {
    /// Its text.
    pub source: SourceId,
    /// Its path relative to the project; the name of a campaign that the file is comes from it.
    pub name: String,
    /// What was written in it.
    pub ast: ast::File,
    /// `use std.rfm as rfm`: its declarations are called `rfm.NAME` elsewhere.
    pub module: Option<String>,
    /// Part of the standard library: may declare natives, is never a campaign.
    pub library: bool,
}

/// Facts from outside the program's text, as plain values.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Columns of entities that have no block, by the entity's name; or why they could not be read.
    pub schemas: HashMap<String, Result<Vec<(String, Ty)>, String>>,
    /// Texts of template files by path relative to the project; or why they could not be read.
    pub templates: HashMap<String, Result<String, String>>,
    /// The topic of messages that name none.
    pub default_topic: Option<String>,
    /// The IANA name of the project's time zone.
    pub timezone: Option<String>,
}

/// `path` as written in the file called `from`, relative to the project. Leading `/` means the project's folder.
pub(crate) fn resolve_path(from: &str, path: &str) -> String {
    let folder = match path.strip_prefix('/') {
        Some(_) => "",
        None => from.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::resolve_path;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let table = [
            ("vip.orch", "schema.orch", "schema.orch"),
            ("spring/vip.orch", "../schema.orch", "schema.orch"),
            ("spring/vip.orch", "mail/a.html", "spring/mail/a.html"),
            ("spring/vip.orch", "/mail/a.html", "mail/a.html"),
            ("vip.orch", "../other/x.orch", "../other/x.orch"),
        ];
        for (from, path, expected) in table {
            assert_eq!(resolve_path(from, path), expected, "{path} in {from}");
        }
    }
}
