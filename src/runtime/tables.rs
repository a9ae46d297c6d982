//! The rows that populations are made of: sources, frozen populations, feedback.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Column, DataFusionError, JoinType};
use datafusion::datasource::{MemTable, TableProvider, ViewTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use jiff::tz::TimeZone;

use super::archive;
use super::audiences::{self, Remembered};
use super::bindings::SourceBinding;
use super::error::RunError;
use super::executor::ROW;
use super::machine::Delivery;
use super::memories::{self, Question};
use super::seal::{self, DAMAGED};
use super::sources::{self, BoundTable, Objects, OpenOptions, Opened, Servers};
use super::store::{OutcomeKind, RowState, Store};
use crate::base::plain_reason;
use crate::hir::{EntityId, FeedbackKind, LocalId, Program, SourceLocation};
use crate::plan::query::{QueryError, Rows, Tables, Taken};

/// Rows that are read from a file of ours at once.
const BATCH: usize = 8192;

/// The added column of `D.excluded`.
const REASON: &str = "reason";

/// Where the files of a project are.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The project's folder: the base of paths in source files.
    pub project: PathBuf,
    /// The state directory.
    pub state: PathBuf,
}

impl Folders {
    /// Imported files.
    pub fn imports(&self) -> PathBuf {
        self.state.join("imports")
    }

    /// The folders of runs.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// Files of a run: frozen populations, marks.
    pub fn run(&self, run: &str) -> PathBuf {
        self.runs().join(run)
    }
}

/// Opened sources. A source is looked at again whenever [`Sources::refresh`] was called since: rows are read when the
/// flow reaches a statement, so a file that changed during a wait is read anew.
pub struct Sources {
    program: Arc<Program>,
    /// The folder of the file that declares each entity.
    bases: Vec<PathBuf>,
    folders: Folders,
    zone: TimeZone,
    threads: usize,
    bindings: BTreeMap<String, SourceBinding>,
    servers: Servers,
    objects: Objects,
    /// The folder of the run that reads, if what it reads is to be noted.
    reader: Option<PathBuf>,
    opened: Mutex<BTreeMap<EntityId, Opened>>,
}

impl Sources {
    /// The sources of a program whose files have these names, by their ids, relative to the project.
    pub fn new(
        program: Arc<Program>,
        files: &[(String, String)],
        folders: Folders,
        zone: TimeZone,
        threads: usize,
    ) -> Self {
        let base = |span: crate::base::Span| {
            let name = files.get(span.source.0 as usize).map_or("", |(name, _)| name);
            let folder = Path::new(name).parent().unwrap_or(Path::new(""));
            folders.project.join(folder)
        };
        let bases = program
            .entities
            .iter()
            .map(|entity| base(entity.source.as_ref().map_or(entity.span, |source| source.span)))
            .collect();
        Self {
            program,
            bases,
            folders,
            zone,
            threads,
            bindings: BTreeMap::new(),
            servers: Servers::default(),
            objects: Objects::default(),
            reader: None,
            opened: Mutex::default(),
        }
    }

    /// How many threads may work at once.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The same, with bound sources by name.
    #[must_use]
    pub fn with_bindings(self, bindings: BTreeMap<String, SourceBinding>) -> Self {
        Self { objects: Objects::new(&bindings), bindings, ..self }
    }

    /// The same, for a run with this folder: files with `archive` move away once it has finished.
    #[must_use]
    pub(super) fn read_by(self, folder: PathBuf) -> Self {
        Self { reader: Some(folder), ..self }
    }

    /// Opens an entity's source, importing it if it is new or has changed.
    ///
    /// # Errors
    /// What is wrong with the file, by line and column.
    pub fn open(&self, entity: EntityId) -> Result<Opened, RunError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = opened.get(&entity) {
            return Ok(found.clone());
        }
        let declared = &self.program[entity];
        let cache = self.folders.imports();
        let rejects = self.folders.state.join("rejects").join(safe_file_name(&declared.name, "csv"));
        let options = OpenOptions {
            base: &self.bases[entity.0 as usize],
            cache: &cache,
            zone: &self.zone,
            threads: self.threads,
            objects: &self.objects,
            rejects: Some(&rejects),
        };
        let found = match self.bound(entity) {
            Some(bound) => sources::open_bound(declared, &self.program, &bound, &options)?,
            None => sources::open(declared, &self.program, &options)?,
        };
        if let Some(folder) = &self.reader {
            archive::note(folder, &found.archived)?;
        }
        opened.insert(entity, found.clone());
        Ok(found)
    }

    /// The program whose entities these are.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The table of an entity of a bound source.
    pub(crate) fn bound(&self, entity: EntityId) -> Option<BoundTable<'_>> {
        let location = &self.program[entity].source.as_ref()?.location;
        sources::bound_table(location, |name| self.bindings.get(name), &self.folders.project, &self.servers)
    }

    /// Looks whether an entity's rows can be changed, before anything has happened.
    ///
    /// # Errors
    /// `run::read_only`.
    pub fn check_writable(&self, entity: EntityId) -> Result<(), RunError> {
        let declared = &self.program[entity];
        let place = declared.source.as_ref().map_or(declared.span, |source| source.span);
        let checked = match self.bound(entity) {
            Some(bound) => bound.check_writable(&declared.name),
            None => sources::WritableFile::open(declared, &self.program, self.base(entity), &self.zone).map(drop),
        };
        Ok(checked.map_err(|error| error.problem(place))?)
    }

    /// The folder to which an entity's location is relative.
    pub fn base(&self, entity: EntityId) -> &Path {
        &self.bases[entity.0 as usize]
    }

    /// The files that hold an entity's rows; none for other sources, or while there are none.
    pub fn files(&self, entity: EntityId) -> Vec<PathBuf> {
        match self.program[entity].source.as_ref().map(|source| &source.location) {
            Some(SourceLocation::Path(path)) => sources::files_of(&self.bases[entity.0 as usize], path),
            _ => Vec::new(),
        }
    }

    /// Makes the next [`Sources::open`] look at the files again.
    pub fn refresh(&self) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The tables that a run's populations start from.
pub struct RunTables<'r> {
    /// Entities.
    pub sources: &'r Sources,
    /// Frozen populations by local.
    pub frozen: &'r BTreeMap<u32, PathBuf>,
    /// The frozen population whose row numbers are a column.
    pub numbered: Option<LocalId>,
    /// What became of sends; none outside a run.
    pub ledger: Option<Ledger<'r>>,
    /// States whose audiences can be read; the first that has one counts.
    pub remembered: Vec<Remembered<'r>>,
    /// The memory of a `new` that names none.
    pub memory: Option<String>,
    /// Whether what was taken on a virtual clock counts.
    pub simulated: bool,
}

/// The sends of a run, as far as its names are bound to them.
pub struct Ledger<'r> {
    /// Knows what became of rows.
    pub store: &'r dyn Store,
    /// The run's folder.
    pub folder: PathBuf,
    /// By the local that names the send.
    pub deliveries: BTreeMap<u32, Delivery>,
}

impl Tables for RunTables<'_> {
    fn rows(&self, rows: &Rows) -> Result<Arc<dyn TableProvider>, QueryError> {
        match rows {
            Rows::Entity(entity) => {
                self.sources.open(*entity).map(|opened| opened.table).map_err(|error| source_error(&error))
            }
            Rows::Rejected(entity) => {
                self.sources.open(*entity).map(|opened| opened.rejected_table).map_err(|error| source_error(&error))
            }
            Rows::Frozen(local) => self.frozen_table(*local),
            Rows::Feedback(delivery, kind) => self.feedback(*delivery, *kind),
            Rows::Audience(name, entity) => audiences::table(&self.remembered, self.sources, name, *entity),
            Rows::Unmatched(local) => self.unmatched_table(*local),
        }
    }

    fn taken(&self, memory: Option<&str>, entity: EntityId, by: Option<&str>) -> Result<Taken, QueryError> {
        // A question outside a run has no segment whose memory could be meant.
        let Some(memory) = memory.or(self.memory.as_deref()) else { return Ok(Taken::Nothing) };
        let question = Question { memory, entity: &self.sources.program()[entity], by, simulated: self.simulated };
        memories::taken(&self.remembered, question)
    }
}

impl RunTables<'_> {
    fn frozen_table(&self, local: LocalId) -> Result<Arc<dyn TableProvider>, QueryError> {
        let path = self.frozen.get(&local.0).ok_or_else(|| QueryError::Source("it was not frozen yet".into()))?;
        let schema = parquet_schema(path).map_err(|reason| {
            let reason = plain_reason(&reason);
            QueryError::Source(format!("the frozen population in `{}` cannot be read: {reason}", path.display()))
        })?;
        let schema = if self.numbered == Some(local) { schema } else { without_numbers(&schema) };
        sources::parquet_file(path, schema).map_err(QueryError::from)
    }

    /// Frozen together with the population that lost them.
    fn unmatched_table(&self, local: LocalId) -> Result<Arc<dyn TableProvider>, QueryError> {
        let unbound = || QueryError::Source("its unmatched rows were not kept".into());
        let path = unmatched_path(self.frozen.get(&local.0).ok_or_else(unbound)?);
        let schema = parquet_schema(&path).map_err(QueryError::Source)?;
        sources::parquet_file(&path, without_numbers(&schema)).map_err(QueryError::from)
    }

    /// The rows of a send with a certain fate: its frozen rows joined by their number with what the ledger says now.
    fn feedback(&self, local: LocalId, kind: FeedbackKind) -> Result<Arc<dyn TableProvider>, QueryError> {
        use FeedbackKind::{Bounced, Clicked, Opened, Unsubscribed};
        let unbound = || QueryError::Source("the send has not been performed yet".into());
        let ledger = self.ledger.as_ref().ok_or_else(unbound)?;
        let delivery = ledger.deliveries.get(&local.0).ok_or_else(unbound)?;
        let path = ledger.folder.join(&delivery.snapshot.file);
        let schema = parquet_schema(&path).map_err(QueryError::Source)?;
        let kept = without_numbers(&schema);
        let rows = sources::parquet_file(&path, schema)?;
        let fates = if matches!(kind, Opened | Clicked | Bounced | Unsubscribed) {
            Fates::of(reported(ledger.store, delivery.send, kind)?)
        } else {
            fates(ledger.store, delivery.send, kind)?
        };
        feedback_table(rows, &kept, fates, kind == FeedbackKind::Excluded)
    }
}

/// Where the unmatched rows of a frozen population are.
pub(super) fn unmatched_path(frozen: &Path) -> PathBuf {
    frozen.with_extension("unmatched.parquet")
}

/// The columns that programs know.
pub(super) fn without_numbers(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().filter(|field| field.name() != ROW).cloned();
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Row numbers, and for excluded rows the reason.
struct Fates {
    rows: Vec<i64>,
    reasons: Vec<&'static str>,
}

impl Fates {
    fn of(rows: Vec<u64>) -> Self {
        Self { reasons: vec![""; rows.len()], rows: rows.into_iter().map(|row| row as i64).collect() }
    }
}

/// The rows of a send about which this was reported.
fn reported(store: &dyn Store, send: i64, kind: FeedbackKind) -> Result<Vec<u64>, QueryError> {
    store.feedback(send, kind).map_err(|error| QueryError::Source(error.to_string()))
}

/// What the ledger itself knows; `delivered` is what was sent and did not come back.
fn fates(store: &dyn Store, send: i64, kind: FeedbackKind) -> Result<Fates, QueryError> {
    let mut fates = Fates { rows: Vec::new(), reasons: Vec::new() };
    let wanted = match kind {
        FeedbackKind::Sent | FeedbackKind::Delivered => Some(OutcomeKind::Sent),
        FeedbackKind::Failed => Some(OutcomeKind::Failed),
        FeedbackKind::Unknown => Some(OutcomeKind::Unknown),
        FeedbackKind::Excluded
        | FeedbackKind::Opened
        | FeedbackKind::Clicked
        | FeedbackKind::Bounced
        | FeedbackKind::Unsubscribed => None,
    };
    let returned: HashSet<u64> = match kind {
        FeedbackKind::Delivered => reported(store, send, FeedbackKind::Bounced)?.into_iter().collect(),
        _ => HashSet::new(),
    };
    store
        .rows(send, &mut |record| match record.state {
            RowState::Ended(_, outcome) if Some(outcome.kind) == wanted && !returned.contains(&record.row) => {
                fates.rows.push(record.row as i64);
                fates.reasons.push("");
            }
            RowState::Excluded(exclusion) if kind == FeedbackKind::Excluded => {
                fates.rows.push(record.row as i64);
                fates.reasons.push(exclusion.reason.word());
            }
            _ => {}
        })
        .map_err(|error| QueryError::Source(error.to_string()))?;
    Ok(fates)
}

/// The frozen rows whose numbers are among the fates, with the reason if it is asked for.
fn feedback_table(
    rows: Arc<dyn TableProvider>,
    kept: &SchemaRef,
    fates: Fates,
    with_reason: bool,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    // No names of programs: the rows of a send to excluded rows have a `reason` of their own.
    const FATE: &str = "__fate";
    const WHY: &str = "__why";
    let number = Field::new(FATE, DataType::Int64, false);
    let schema = Arc::new(Schema::new(vec![number, Field::new(WHY, DataType::Utf8, false)]));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(fates.rows)), Arc::new(StringArray::from(fates.reasons))];
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(DataFusionError::from)?;
    let fates = MemTable::try_new(schema, vec![vec![batch]])?;
    let right = LogicalPlanBuilder::scan("fates", provider_as_source(Arc::new(fates)), None)?.build()?;
    let on = (vec![Column::from_name(ROW)], vec![Column::from_name(FATE)]);
    let joined =
        LogicalPlanBuilder::scan("rows", provider_as_source(rows), None)?.join(right, JoinType::Inner, on, None)?;
    let column = |name: &str| Expr::Column(Column::from_name(name));
    let is_kept = |name: &str| !(with_reason && name == REASON);
    let kept = kept.fields().iter().filter(|field| is_kept(field.name()));
    let mut output: Vec<Expr> = kept.map(|field| column(field.name())).collect();
    if with_reason {
        output.push(column(WHY).alias(REASON));
    }
    Ok(Arc::new(ViewTable::new(joined.project(output)?.build()?, None)))
}

fn source_error(error: &RunError) -> QueryError {
    QueryError::Problem(Box::new(error.problem()))
}

/// The columns of a Parquet file, from its footer.
pub(crate) fn parquet_schema(path: &Path) -> Result<SchemaRef, String> {
    let file = seal::open(path)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| DAMAGED.to_string())?;
    Ok(reader.schema().clone())
}

/// The number of rows of a Parquet file, from its footer.
pub(crate) fn parquet_rows(path: &Path) -> Result<u64, String> {
    let file = seal::open(path)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| DAMAGED.to_string())?;
    Ok(reader.metadata().file_metadata().num_rows().unsigned_abs())
}

/// Some columns of the rows of a Parquet file in their order, `rows` at a time.
pub(crate) fn parquet_columns(
    path: &Path,
    rows: usize,
    wanted: impl Fn(&str) -> bool,
) -> Result<ParquetRecordBatchReader, RunError> {
    let failed = |reason: String| RunError::File { path: path.display().to_string(), reason };
    let file = seal::open(path).map_err(failed)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed(error.to_string()))?;
    let fields = builder.schema().fields().iter().enumerate();
    let places = fields.filter(|(_, field)| wanted(field.name())).map(|(at, _)| at);
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    builder.with_projection(mask).with_batch_size(rows).build().map_err(|error| failed(error.to_string()))
}

/// The rows of a Parquet file in their order, batch by batch.
pub(crate) fn parquet_batches(path: &Path) -> Result<ParquetRecordBatchReader, RunError> {
    parquet_columns(path, BATCH, |_| true)
}

/// A file name made of a name that may hold anything: letters and digits stay, and a hash tells alike ones apart.
fn safe_file_name(name: &str, extension: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == '-';
    if !name.is_empty() && name.chars().all(is_plain) {
        return format!("{name}.{extension}");
    }
    let stem: String = name.chars().filter(|sign| is_plain(*sign)).take(24).collect();
    format!("{stem}-{}.{extension}", &blake3::hash(name.as_bytes()).to_hex()[..16])
}
