//! How a table stores values, learnt from what it declares and from a value that is there.

use jiff::tz::TimeZone;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};

use super::{declared_types, text, unreadable};
use crate::hir::{Entity, Program, Value};
use crate::runtime::sources::bound::{BoundTable, quoted};
use crate::runtime::sources::columns::{self, Kind};
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::options::FileOptions;
use crate::runtime::sources::rewrite::Habit;

/// The storage of one column.
pub(crate) struct ColumnHabit {
    kind: Kind,
    /// Whole numbers for truth values and instants.
    numbers: bool,
    /// Has the column no type of its own, so that values stay as they are given?
    untyped: bool,
    habit: Habit,
}

/// The habits of an entity's columns, in the order of its fields.
pub(crate) fn column_habits(
    db: &Connection,
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
) -> Result<Vec<ColumnHabit>, SourceError> {
    let types = declared_types(db, bound)?;
    let mut habits = Vec::new();
    for column in columns::of_entity(entity, program)? {
        let name = quoted(&column.name);
        let sql = format!("SELECT {name} FROM {} WHERE {name} IS NOT NULL LIMIT 1", bound.sql());
        let example = db
            .query_row(&sql, [], |row| row.get_ref(0).map(|value| (value.data_type(), text(value))))
            .optional()
            .map_err(|error| unreadable(&bound.shown(), &error))?;
        let found = types.iter().find(|(known, _)| *known == column.name);
        let declared = found.map_or(String::new(), |(_, ty)| ty.to_ascii_uppercase());
        let is_text = ["CHAR", "TEXT", "CLOB"].iter().any(|word| declared.contains(word));
        let mut habit = Habit::default();
        let numbers = match &example {
            Some((kind, text)) => {
                habit.learn(text.as_deref().unwrap_or_default());
                *kind == rusqlite::types::Type::Integer
            }
            None if column.kind == Kind::Bool => !is_text,
            None => declared.contains("INT"),
        };
        habits.push(ColumnHabit { kind: column.kind, numbers, untyped: declared.is_empty(), habit });
    }
    Ok(habits)
}

impl ColumnHabit {
    /// The value as the table stores it.
    pub fn stored(&self, value: &Value, zone: &TimeZone) -> Sql {
        match value {
            Value::Null => Sql::Null,
            Value::Bool(value) if self.numbers => Sql::Integer((*value).into()),
            Value::Timestamp(at) if self.numbers => Sql::Integer(at.as_second()),
            Value::Int(value) if self.kind == Kind::Int => Sql::Integer(*value),
            Value::Float(value) => Sql::Real(*value),
            Value::Decimal(number) if self.untyped && self.kind.is_decimal() => {
                number.to_string().parse().map_or_else(|_| Sql::Text(number.to_string()), Sql::Real)
            }
            // The column's own type makes a number of it where it holds numbers.
            value => Sql::Text(self.habit.cell(value, &self.kind, &FileOptions::of_extension("csv"), zone)),
        }
    }
}
