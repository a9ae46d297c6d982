//! Who a row is: the name under which a person's wishes are kept.
//!
//! A person is what the entity declares (`person = lower(email)`), else the entity and its key.

use datafusion::arrow::array::RecordBatch;
use jiff::tz::TimeZone;

use crate::base::Span;
use crate::hir::{ColumnRef, EntityId, Expr, ExprKind, Program, RelationId, RowId, TyKind, Value, map_columns};
use crate::plan::query::{QueryError, values};
use crate::runtime::content::address;

/// The column of a declared person.
const DECLARED: &str = "__person";

/// What has to be read of a row to know who it is.
pub(super) struct Person {
    /// The entity's name.
    entity: String,
    /// Names and expressions of the columns.
    pub columns: Vec<(String, Expr)>,
}

impl Person {
    /// The person at the end of `path` from `row`; `entity` is the entity there.
    pub fn new(program: &Program, entity: EntityId, row: RowId, path: &[RelationId], span: Span) -> Self {
        let declared = &program[entity];
        let mut columns = Vec::new();
        if let Some(person) = &declared.person {
            let rule = map_columns(person, &mut |found, below, column| {
                let path = path.iter().chain(below).copied().collect();
                (found == RowId::DECLARED).then(|| ExprKind::Column { row, path, column: column.clone() })
            });
            columns.push((DECLARED.to_string(), rule));
        }
        for (at, key) in declared.key.iter().enumerate() {
            let kind = ExprKind::Column { row, path: path.to_vec(), column: ColumnRef::Field(*key) };
            columns.push((format!("{DECLARED}{at}"), Expr { kind, ty: declared[*key].ty.clone().or_null(), span }));
        }
        Self { entity: declared.name.clone(), columns }
    }

    /// The person's name; `None` when nothing identifies them. `value` gives a column's value.
    pub fn name(
        &self,
        mut value: impl FnMut(&str) -> Result<Option<Value>, QueryError>,
    ) -> Result<Option<String>, QueryError> {
        let text = |value: Value| value.to_text(&TimeZone::UTC);
        let mut key = Vec::new();
        for (name, _) in &self.columns {
            match (value(name)?, name == DECLARED) {
                (Some(Value::Null) | None, true) => {}
                (Some(Value::Null) | None, false) => return Ok(None),
                (Some(found), true) => return Ok(Some(format!("={}", text(found)))),
                (Some(found), false) => key.push(text(found)),
            }
        }
        Ok((!key.is_empty()).then(|| format!("{}/{}", self.entity, key.join("/"))))
    }
}

/// An address in the form in which addresses are compared: in lower case, telephone numbers with their country.
pub(super) fn comparable(kind: &TyKind, written: &str) -> Option<String> {
    match kind {
        TyKind::Email => address::email(written).ok().map(|address| address.to_string().to_lowercase()),
        TyKind::Phone => address::phone(written).ok(),
        _ => Some(written.trim().to_string()).filter(|text| !text.is_empty()),
    }
}

/// The value of a column in a row; `None` when there is no such column.
pub(super) fn value_of(batch: &RecordBatch, name: &str, at: usize) -> Result<Option<Value>, QueryError> {
    match batch.column_by_name(name) {
        Some(column) => values::from_array(column.as_ref(), at).map(Some),
        None => Ok(None),
    }
}
