//! Changing a table of PostgreSQL, in one transaction.
//!
//! As with SQLite, what the step has done is kept in a small table `_orch_writes` beside the changed one, in the same
//! transaction. Rows go in batches; when the database refuses a batch because of what a row says, its rows are tried one
//! by one, so that only those that cannot be written are rejected.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio_postgres::types::ToSql;

use super::super::super::Executor;
use super::super::super::steps::instance;
use super::super::Done;
use super::Changes;
use crate::hir::{Entity, EntityId, Value};
use crate::plan::{DataStep, Step};
use crate::runtime::error::RunError;
use crate::runtime::sources::postgres::{Failed, Link, Server, TableColumn, catalog, sql_type, table_columns, text_of};
use crate::runtime::sources::{BoundTable, SourceError, quoted};

/// Rows that are written at once.
const BATCH: usize = 1000;

impl Executor<'_> {
    pub(super) async fn write_server(
        &self,
        token: &str,
        step: &Step,
        data: &DataStep,
        (id, bound, server): (EntityId, BoundTable<'_>, Arc<Server>),
    ) -> Result<Done, RunError> {
        let entity = &self.program[id];
        let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
        let problem = |error: SourceError| RunError::from(error.problem(place));
        let shown = bound.shown();
        let unwritable = |reason: String| problem(SourceError::Unwritable { shown: shown.clone(), reason });
        let failed = |error: Failed| unwritable(error.words());
        let (mut link, columns) = table_columns(&bound, &server).map_err(problem)?;
        let memory = catalog::memory(&link.client, &bound.sql()).await.map_err(failed)?;
        let key = (self.run.as_str(), instance(token, step));
        if let Some(text) = memory.done(&link.client, key.0, &key.1).await.map_err(failed)?
            && let Ok(done) = serde_json::from_str(&text)
        {
            return Ok(done);
        }
        let (mut changes, done) = self.changes(token, step, data, id).await?;
        let mut done = done.noted(shown.clone());
        if !self.around.effects {
            self.reject(token, step, &changes.rejects, &mut done)?;
            return Ok(done);
        }
        let table = Table::new(entity, &columns, bound.sql(), memory.primary.clone(), self.around.zone);
        // Whoever gives up from here on has the server take everything back.
        link.busy(true);
        begin(&link).await.map_err(failed)?;
        table.apply(&link, &mut changes).await.map_err(|error| match error {
            Failure::Server(error) => failed(error),
            Failure::SeveralRows(key) => {
                RunError::BadKey { step: step.title.clone(), entity: entity.name.clone(), key }
            }
        })?;
        self.reject(token, step, &changes.rejects, &mut done)?;
        let text = serde_json::to_string(&done).map_err(|error| unwritable(error.to_string()))?;
        let at = self.around.clock.now().to_string();
        memory.remember(&link.client, [key.0, &key.1, &text, &at]).await.map_err(failed)?;
        link.client.batch_execute("COMMIT").await.map_err(|error| failed(error.into()))?;
        link.busy(false);
        self.around.sources.refresh();
        Ok(done)
    }
}

/// Begins the transaction. Rules that are looked at in its end otherwise are looked at with each row.
async fn begin(link: &Link) -> Result<(), Failed> {
    Ok(link.client.batch_execute("BEGIN; SET CONSTRAINTS ALL IMMEDIATE").await?)
}

/// Why nothing of the transaction is kept.
enum Failure {
    Server(Failed),
    /// The table has several rows with this key.
    SeveralRows(String),
}

impl From<Failed> for Failure {
    fn from(error: Failed) -> Self {
        Failure::Server(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Server(error.into())
    }
}

/// What one statement does with rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Update,
    Delete,
    Insert,
}

/// A row to be written: values by field as the database reads them.
struct Line {
    /// As people know it.
    name: String,
    set: Vec<Option<String>>,
    key: Vec<Option<String>>,
}

/// The table of an entity.
struct Table<'t> {
    entity: &'t Entity,
    /// The columns of the fields; a default one where the table has none.
    columns: Vec<TableColumn>,
    sql: String,
    /// The name of the rule that keys are unique.
    primary: Option<String>,
    zone: &'t TimeZone,
}

impl<'t> Table<'t> {
    fn new(
        entity: &'t Entity,
        columns: &[TableColumn],
        sql: String,
        primary: Option<String>,
        zone: &'t TimeZone,
    ) -> Self {
        let column = |name: &str| columns.iter().find(|column| column.name == name).cloned().unwrap_or_default();
        let columns = entity.fields.iter().map(|field| column(&field.name)).collect();
        Self { entity, columns, sql, primary, zone }
    }

    async fn apply(&self, link: &Link, changes: &mut Changes<'_>) -> Result<(), Failure> {
        let (mut updates, mut deletes) = (Vec::new(), Vec::new());
        let key: Vec<usize> = self.entity.key.iter().map(|field| field.0 as usize).collect();
        let fields = changes.edits.fields.clone();
        for (row, values) in std::mem::take(&mut changes.keys) {
            let name = changes.name(&row);
            let keys = self.texts(&key, &values);
            match changes.edits.updates.get(&row) {
                None => deletes.push(Line { name, set: Vec::new(), key: keys }),
                Some(values) => match self.too_fine(&fields, values) {
                    None => updates.push(Line { name, set: self.texts(&fields, values), key: keys }),
                    Some(detail) => changes.reject(name, "constraint", &detail),
                },
            }
        }
        self.write(link, Act::Update, (&fields, &key), updates, changes).await?;
        self.write(link, Act::Delete, (&[], &key), deletes, changes).await?;
        for (fields, lines) in self.inserts(changes) {
            self.write(link, Act::Insert, (&fields, &[]), lines, changes).await?;
        }
        Ok(())
    }

    /// New rows, by the fields that they say something of: a key without a value is the database's to give.
    fn inserts(&self, changes: &mut Changes<'_>) -> BTreeMap<Vec<usize>, Vec<Line>> {
        let fields = changes.edits.new_fields.clone();
        let mut groups: BTreeMap<Vec<usize>, Vec<Line>> = BTreeMap::new();
        for (at, values) in std::mem::take(&mut changes.edits.inserts).iter().enumerate() {
            let name = changes.sources.get(at).cloned().unwrap_or_default();
            if let Some(detail) = self.too_fine(&fields, values) {
                changes.reject(name, "constraint", &detail);
                continue;
            }
            let is_key = |field: usize| self.entity.key.iter().any(|key| key.0 as usize == field);
            let given = fields.iter().zip(values).filter(|(field, value)| **value != Value::Null || !is_key(**field));
            let (given, values): (Vec<usize>, Vec<Value>) = given.map(|(field, value)| (*field, value.clone())).unzip();
            let set = self.texts(&given, &values);
            groups.entry(given).or_default().push(Line { name, set, key: Vec::new() });
        }
        groups
    }

    fn texts(&self, fields: &[usize], values: &[Value]) -> Vec<Option<String>> {
        let text = |(field, value): (&usize, &Value)| text_of(value, &self.columns[*field], self.zone);
        fields.iter().zip(values).map(text).collect()
    }

    /// What to say of a number that the database would round without a word.
    fn too_fine(&self, fields: &[usize], values: &[Value]) -> Option<String> {
        fields.iter().zip(values).find_map(|(field, value)| {
            let (number, scale) = match value {
                Value::Decimal(number) => (number.to_string(), number.normalize().scale()),
                Value::LongDecimal(number) => (number.to_string(), number.scale.into()),
                _ => return None,
            };
            let (_, decimals) = self.columns[*field].digits?;
            let fine = i64::from(scale) > i64::from(decimals);
            fine.then(|| format!("`{number}` has more decimals than `{}` can hold", self.columns[*field].name))
        })
    }

    /// Writes rows batch by batch.
    async fn write(
        &self,
        link: &Link,
        act: Act,
        (fields, key): (&[usize], &[usize]),
        lines: Vec<Line>,
        changes: &mut Changes<'_>,
    ) -> Result<(), Failure> {
        if lines.is_empty() {
            return Ok(());
        }
        let statement = link.client.prepare(&self.statement(act, fields, key)).await?;
        for batch in lines.chunks(BATCH) {
            let Err(error) = self.try_batch(link, &statement, act, batch, changes).await? else { continue };
            if batch.len() == 1 {
                self.refuse(&batch[0], &error, changes);
                continue;
            }
            for line in batch.chunks(1) {
                if let Err(error) = self.try_batch(link, &statement, act, line, changes).await? {
                    self.refuse(&line[0], &error, changes);
                }
            }
        }
        Ok(())
    }

    /// Writes a batch, or nothing of it when the database refuses what a row says.
    async fn try_batch(
        &self,
        link: &Link,
        statement: &tokio_postgres::Statement,
        act: Act,
        batch: &[Line],
        changes: &mut Changes<'_>,
    ) -> Result<Result<(), Failed>, Failure> {
        let width = batch.first().map_or(0, |line| line.set.len() + line.key.len());
        let value = |line: &Line, at: usize| line.set.iter().chain(&line.key).nth(at).cloned().flatten();
        let columns: Vec<Vec<Option<String>>> =
            (0..width).map(|at| batch.iter().map(|line| value(line, at)).collect()).collect();
        let places: Vec<i32> = (0..batch.len() as i32).collect();
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        parameters.push(&places);
        link.client.batch_execute("SAVEPOINT batch").await?;
        match link.client.query(statement, &parameters).await.map_err(Failed::from) {
            Ok(rows) => {
                let mut hits = vec![0; batch.len()];
                for row in &rows {
                    let place: i32 = row.try_get(0)?;
                    hits[place as usize] += 1;
                }
                for (line, hits) in batch.iter().zip(hits).filter(|_| act != Act::Insert) {
                    match hits {
                        0 => changes.reject(line.name.clone(), "vanished", "the row is not there any more"),
                        1 => {}
                        _ => return Err(Failure::SeveralRows(line.name.clone())),
                    }
                }
                link.client.batch_execute("RELEASE SAVEPOINT batch").await?;
                Ok(Ok(()))
            }
            Err(error) if is_about_a_row(&error) => {
                link.client.batch_execute("ROLLBACK TO SAVEPOINT batch").await?;
                Ok(Err(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn refuse(&self, line: &Line, error: &Failed, changes: &mut Changes<'_>) {
        let exists = error.code() == "23505" && self.primary.is_some() && error.constraint() == self.primary;
        let reason = if exists { "key_exists" } else { "constraint" };
        changes.reject(line.name.clone(), reason, &error.words());
    }

    /// The statement for rows whose values come as one list for each column, and the places of the rows in them.
    fn statement(&self, act: Act, fields: &[usize], key: &[usize]) -> String {
        let name = |field: &usize| quoted(&self.entity.fields[*field].name);
        let typed = |(at, field): (usize, &usize)| format!("v.c{at}::{}", sql_type(&self.columns[*field]));
        let width = fields.len() + key.len();
        let lists = (1..=width).map(|at| format!("${at}::text[]")).collect::<Vec<_>>();
        let rows = format!(
            "unnest({}${}::int4[])",
            lists.iter().map(|list| format!("{list}, ")).collect::<String>(),
            width + 1
        );
        let names = (0..width).map(|at| format!("c{at}, ")).collect::<String>();
        let rows = format!("{rows} AS v({names}place)");
        let values: Vec<String> = fields.iter().enumerate().map(typed).collect();
        let same = key
            .iter()
            .enumerate()
            .map(|(at, field)| format!("t.{} = {}", name(field), typed((fields.len() + at, field))));
        let same = same.collect::<Vec<_>>().join(" AND ");
        match act {
            Act::Update => {
                let set = fields.iter().zip(&values).map(|(field, value)| format!("{} = {value}", name(field)));
                let set = set.collect::<Vec<_>>().join(", ");
                format!("UPDATE {} AS t SET {set} FROM {rows} WHERE {same} RETURNING v.place", self.sql)
            }
            Act::Delete => format!("DELETE FROM {} AS t USING {rows} WHERE {same} RETURNING v.place", self.sql),
            Act::Insert => {
                let names = fields.iter().map(name).collect::<Vec<_>>().join(", ");
                format!(
                    "INSERT INTO {} ({names}) SELECT {} FROM {rows} ORDER BY v.place RETURNING 0",
                    self.sql,
                    values.join(", ")
                )
            }
        }
    }
}

/// A value that does not fit or a rule of the table that forbids the row; everything else is an error of the statement.
fn is_about_a_row(error: &Failed) -> bool {
    ["22", "23", "44", "P0"].iter().any(|class| error.code().starts_with(class))
}
