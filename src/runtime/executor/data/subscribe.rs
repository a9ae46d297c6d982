//! `subscribe S to topic`, `unsubscribe S from topic`
//!
//! What people want is kept by person and topic, together with their addresses: a wish counts for whoever has the
//! address. The last word of a person counts.

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::Executor;
use super::super::person::{Person, comparable, value_of};
use super::Done;
use super::publish::file_error;
use crate::hir::{Column, ColumnRef, Expr, ExprKind, FieldId, Query, QueryKind, RowId, TyKind, Value};
use crate::plan::Step;
use crate::plan::query::Columns;
use crate::runtime::error::RunError;
use crate::runtime::seal;
use crate::runtime::store::{Change, Realm, Subscription};

const TOPIC: &str = "__topic";
/// People of one commit.
const CHUNK: usize = 10_000;

impl Executor<'_> {
    /// Notes what people want. Noting it again changes nothing.
    pub(super) async fn subscribe(
        &self,
        token: &str,
        step: &Step,
        (query, row): (&Query, RowId),
        topic: &Expr,
        subscribe: bool,
    ) -> Result<Done, RunError> {
        let entity = query.ty.entity;
        let person = Person::new(&self.program, entity, row, &[], query.span);
        let addresses = self.addresses(query, row);
        let mut columns = person.columns.clone();
        columns.extend(addresses.iter().map(|(name, expr)| (name.clone(), expr.clone())));
        columns.push((TOPIC.to_string(), topic.clone()));
        let read = Columns::Named(columns.iter().map(|(name, _)| name.clone()).collect());
        let (snapshot, accounting) = self.freeze(token, step, &with_columns(query, row, columns), &read).await?;
        let path = self.around.folders.run(&self.run).join(&snapshot.file);
        let mut done = Done::of(accounting);

        let opened = seal::open(&path).map_err(|error| file_error(&path, &error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| file_error(&path, &error))?;
        let realm = Realm::of(self.simulated);
        let mut people = Vec::new();
        for batch in reader.build().map_err(|error| file_error(&path, &error))? {
            let batch = batch.map_err(|error| file_error(&path, &error))?;
            for at in 0..batch.num_rows() {
                match self.wish(&batch, at, &person, &addresses, subscribe)? {
                    Ok(wish) => people.push(wish),
                    Err(reason) => done.drop_rows(reason, 1),
                }
            }
            if people.len() >= CHUNK {
                self.around.store.commit(vec![Change::Subscriptions(realm, std::mem::take(&mut people))]).await?;
            }
        }
        self.around.store.commit(vec![Change::Subscriptions(realm, people)]).await?;
        Ok(done)
    }

    /// What one row wants, or why it cannot be noted.
    fn wish(
        &self,
        batch: &RecordBatch,
        at: usize,
        person: &Person,
        addresses: &[(String, Expr)],
        subscribed: bool,
    ) -> Result<Result<Subscription, &'static str>, RunError> {
        let Some(Value::Text(topic)) = value_of(batch, TOPIC, at)? else { return Ok(Err("no_topic")) };
        let person = person.name(|name| value_of(batch, name, at))?;
        let mut known = Vec::new();
        for (name, expr) in addresses {
            if let Some(Value::Text(written)) = value_of(batch, name, at)? {
                known.extend(comparable(&expr.ty.kind, &written));
            }
        }
        if person.is_none() && known.is_empty() {
            return Ok(Err("no_person"));
        }
        let (person, at) = (person.unwrap_or_default(), self.around.clock.now());
        Ok(Ok(Subscription { topic, person, addresses: known, subscribed, at }))
    }

    /// The fields of the row that hold addresses.
    fn addresses(&self, query: &Query, row: RowId) -> Vec<(String, Expr)> {
        let fields = self.program[query.ty.entity].fields.iter().enumerate();
        let address =
            fields.filter(|(_, field)| matches!(field.ty.kind, TyKind::Email | TyKind::Phone | TyKind::PushToken));
        address
            .map(|(at, field)| {
                let column = ColumnRef::Field(FieldId(at as u32));
                let kind = ExprKind::Column { row, path: Vec::new(), column };
                (format!("__address{at}"), Expr { kind, ty: field.ty.clone(), span: query.span })
            })
            .collect()
    }
}

/// The population with further columns.
pub(super) fn with_columns(query: &Query, row: RowId, columns: Vec<(String, Expr)>) -> Query {
    let columns: Vec<(Column, Expr)> =
        columns.into_iter().map(|(name, value)| (Column { name, ty: value.ty.clone() }, value)).collect();
    let ty = query.ty.and(columns.iter().map(|(column, _)| column.clone()));
    Query { kind: QueryKind::With { input: Box::new(query.clone()), row, columns }, ty, span: query.span }
}
