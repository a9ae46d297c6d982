//! `save S as audience "name"`, and what is lost between saving an audience and reading it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::Executor;
use super::super::accounting::Accounting;
use super::super::freeze::{Freezing, freeze};
use super::super::keys::KeyNames;
use super::Done;
use super::error::DataError;
use super::publish::{file_error, sync_folder};
use crate::hir::{Entity, Expr, LocalId, Query, QueryKind, SetOp};
use crate::plan::{Step, unmatched};
use crate::runtime::audiences::find;
use crate::runtime::durable::{make_folder, parent};
use crate::runtime::error::RunError;
use crate::runtime::executor::steps::file_instance;
use crate::runtime::machine::Snapshot;
use crate::runtime::seal;
use crate::runtime::store::{AudienceRecord, Change, Realm};
use crate::runtime::tables::unmatched_path;

/// The folder of audiences in the state directory.
const FOLDER: &str = "audiences";

impl Executor<'_> {
    /// Keeps a population under a name, in the place of an earlier one. Until the store says so, the earlier one is read.
    pub(super) async fn save(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        audience: &Expr,
    ) -> Result<Done, RunError> {
        let name = self.text(audience).await?;
        if name.trim().is_empty() {
            return Err(DataError::NamelessAudience.into());
        }
        let realm = Realm::of(self.simulated);
        let entity = &self.program[query.ty.entity];
        // Of an entity without a key the rows themselves are kept, of others who they are.
        let columns = self.own_columns(query, Vec::new());
        let (rows, accounting) = self.frozen_rows(token, step, query, &columns).await?;
        let members = members(entity, &rows, accounting.rows_out)?;
        let mut done = Done::of(accounting).noted(name.clone());
        done.drop_rows("merged", done.rows_out - members);

        let earlier = self.around.store.audience(realm, &name)?;
        let file = format!("{FOLDER}/{}", file_name(&name, &self.run, &file_instance(token, step)));
        link(&rows, &self.around.folders.state.join(&file))?;
        let record = AudienceRecord {
            name,
            entity: entity.name.clone(),
            file: file.clone(),
            rows: members,
            run: self.run.clone(),
            at: self.around.clock.now(),
            realm,
        };
        self.around.store.commit(vec![Change::Audience(record)]).await?;
        if let Some(earlier) = earlier.filter(|earlier| earlier.file != file) {
            // Nobody names it any more; if it stays, it only takes space.
            let _ = fs::remove_file(self.around.folders.state.join(earlier.file));
        }
        Ok(done)
    }

    /// Accounts for members of an audience that are no rows of the entity any more.
    pub(in crate::runtime::executor) fn with_vanished(
        &self,
        query: &Query,
        mut accounting: Accounting,
    ) -> Result<Accounting, RunError> {
        let mut source = query;
        while let Some(input) = source.input() {
            if matches!(source.kind, QueryKind::SetOp { op: SetOp::Union, .. }) {
                return Ok(accounting);
            }
            source = input;
        }
        if let QueryKind::Audience(name) = &source.kind {
            let (saved, _) = find(&self.remembered(), name, &self.program[source.ty.entity].name)?;
            let vanished = saved.rows.saturating_sub(accounting.rows_in);
            if vanished > 0 {
                accounting.rows_in += vanished;
                accounting.dropped.insert("vanished".to_string(), vanished);
            }
        }
        Ok(accounting)
    }

    /// Freezes what a population lost, at the same instant, if a later step reads it.
    pub(in crate::runtime::executor) async fn freeze_unmatched(
        &self,
        step: &Step,
        local: LocalId,
        query: &Query,
        snapshot: &Snapshot,
    ) -> Result<(), RunError> {
        let Some(lost) = unmatched(query).filter(|_| self.plan.reads_unmatched(local)) else { return Ok(()) };
        let path = unmatched_path(&self.around.folders.run(&self.run).join(&snapshot.file));
        let (locals, frozen) = (self.locals(), self.frozen());
        let tables = self.tables_for(step, &frozen);
        let scope = self.scope(&tables, &locals);
        let columns = self.kept.segment(&self.program, local, &lost, &[]);
        let what = Freezing { columns: &columns, ..Freezing::all(&lost, &step.title) };
        freeze(self.around.session, &scope, &what, &path).await?;
        Ok(())
    }
}

/// How many different rows of the entity there are: after a `match` one may occur several times.
fn members(entity: &Entity, rows: &Path, count: u64) -> Result<u64, RunError> {
    let opened = seal::open(rows).map_err(|error| file_error(rows, &error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| file_error(rows, &error))?;
    let pairs = reader.schema().fields().iter().any(|field| field.name().starts_with(crate::plan::query::IDENTITY));
    if !pairs || entity.key.is_empty() {
        return Ok(count);
    }
    let names = KeyNames::declared(entity);
    let mut seen = HashSet::new();
    for batch in reader.build().map_err(|error| file_error(rows, &error))? {
        let batch = batch.map_err(|error| file_error(rows, &error))?;
        let columns = names.locate(&batch.schema());
        for at in 0..batch.num_rows() {
            let key = columns.text(&batch, at)?.unwrap_or_default();
            seen.insert(*blake3::hash(key.as_bytes()).as_bytes());
        }
    }
    Ok(seen.len() as u64)
}

/// A name of a file that no other audience, run or step has.
fn file_name(audience: &str, run: &str, instance: &str) -> String {
    let stem: String = audience.chars().filter(|sign| sign.is_ascii_alphanumeric()).take(24).collect();
    let hash = blake3::hash(format!("{audience}\0{run}\0{instance}").as_bytes());
    format!("{stem}-{}.parquet", &hash.to_hex()[..16])
}

/// The same content under another name, at no cost where the file system can.
fn link(from: &Path, to: &Path) -> Result<(), DataError> {
    let temporary = to.with_extension("tmp");
    let linked = make_folder(parent(to)).and_then(|()| {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if fs::hard_link(from, &temporary).is_err() {
            fs::copy(from, &temporary)?;
            File::open(&temporary)?.sync_all()?;
        }
        fs::rename(&temporary, to)
    });
    linked.map_err(|error| file_error(to, &error))?;
    sync_folder(to)
}
