//! Columns of data as a text, so that a run can be pinned to them as it is to its source.
//!
//! One line for each column, the type behind the last colon: `amount: decimal?`.

use crate::hir::{Ty, TyKind};

/// The name under which the columns of an entity without a block are kept beside the source files.
pub(super) fn file_name(entity: &str) -> String {
    format!("schema:{entity}")
}

/// The columns as a text.
pub(super) fn write(columns: &[(String, Ty)]) -> String {
    let line = |(name, ty): &(String, Ty)| {
        let kind = TyKind::names().find(|name| TyKind::named(name).as_ref() == Some(&ty.kind)).unwrap_or("text");
        format!("{name}: {kind}{}\n", if ty.nullable { "?" } else { "" })
    };
    columns.iter().map(line).collect()
}

/// The columns of a text that [`write`] made; `None` when it did not.
pub(super) fn read(text: &str) -> Option<Vec<(String, Ty)>> {
    let column = |line: &str| {
        let (name, ty) = line.rsplit_once(": ")?;
        let (kind, nullable) = ty.strip_suffix('?').map_or((ty, false), |kind| (kind, true));
        Some((name.to_owned(), Ty { kind: TyKind::named(kind)?, nullable }))
    };
    text.lines().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::hir::{Ty, TyKind};

    #[test]
    fn columns_survive_being_written() {
        let columns = vec![
            ("id".to_owned(), Ty::of(TyKind::Int)),
            ("first: name".to_owned(), Ty::of(TyKind::Text).or_null()),
            ("email".to_owned(), Ty::of(TyKind::Email).or_null()),
        ];
        assert_eq!(write(&columns), "id: int\nfirst: name: text?\nemail: email?\n");
        assert_eq!(read(&write(&columns)), Some(columns));
        assert_eq!(read("id int"), None);
    }
}
