//! Values as a database reads them, and its memory of what was written.

use jiff::tz::TimeZone;
use tokio_postgres::Client;

use super::catalog::TableColumn;
use super::link::Failed;
use crate::hir::Value;

/// The type of a column, in a form that neither cuts nor pads: the column's own length is looked at when the value is
/// put into it.
pub(crate) fn sql_type(column: &TableColumn) -> &str {
    match column.ty.as_str() {
        "bpchar" => "bpchar",
        "bit" => "varbit",
        "money" => "numeric::money",
        "" => "text",
        _ => &column.sql,
    }
}

/// A value as text that the column's type reads; `None` for null.
pub(crate) fn text_of(value: &Value, column: &TableColumn, zone: &TimeZone) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Timestamp(at) if column.ty == "timestamp" => Some(zone.to_datetime(*at).to_string()),
        Value::Timestamp(at) => Some(at.to_string()),
        Value::Date(date) => Some(date.to_string()),
        Value::Time(time) => Some(time.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Decimal(value) => Some(value.to_string()),
        value => Some(value.to_text(zone)),
    }
}

/// What steps of runs have done in a schema: the table `_orch_writes`.
pub(crate) struct Memory {
    /// Its name in SQL.
    table: String,
    exists: bool,
    /// The name of the rule that the changed table's keys are unique.
    pub primary: Option<String>,
}

impl Memory {
    /// What a step did when it was performed before.
    pub async fn done(&self, client: &Client, run: &str, step: &str) -> Result<Option<String>, Failed> {
        if !self.exists {
            return Ok(None);
        }
        let sql = format!("SELECT done FROM {} WHERE run = $1 AND step = $2", self.table);
        let row = client.query_opt(&sql, &[&run, &step]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Notes within the transaction what a step has done: run, step, what, when.
    pub async fn remember(&self, client: &Client, [run, step, done, at]: [&str; 4]) -> Result<(), Failed> {
        if !self.exists {
            let columns = "run text NOT NULL, step text NOT NULL, done text NOT NULL, at text NOT NULL";
            let sql = format!("CREATE TABLE IF NOT EXISTS {} ({columns}, PRIMARY KEY (run, step))", self.table);
            client.batch_execute(&sql).await?;
        }
        let sql = format!("INSERT INTO {} (run, step, done, at) VALUES ($1, $2, $3, $4)", self.table);
        client.execute(&sql, &[&run, &step, &done, &at]).await?;
        Ok(())
    }

    /// The memory in this schema, given as SQL writes it.
    pub fn new(schema: &str, exists: bool, primary: Option<String>) -> Self {
        Self { table: format!("{schema}._orch_writes"), exists, primary }
    }
}
