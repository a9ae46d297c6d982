//! Questions outside a run: what the prompt and `orch run -e` ask.
//!
//! A notebook keeps what was bound before, by name: frozen populations as files in a folder of its own, values in
//! memory. Nothing is sent and nothing is recorded.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::audiences::Remembered;
use super::engine::Engine;
use super::error::RunError;
use super::executor::{Freezing, freeze_population};
use super::store::Realm;
use super::store::sqlite::SqliteStore;
use super::tables::{RunTables, Sources};
use crate::hir::{Amount, Expr, ExprKind, LocalId, LocalKind, Query, QueryKind, RowId, Ty, TyKind, Value};
use crate::plan::query::{Columns, Ordering, Scope, collect, count, population, scalar, values};
use crate::plan::{Plan, StepKind};

/// The answer to a question.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// A population was bound.
    Bound {
        /// Its name.
        name: String,
        /// Its entity.
        entity: String,
        /// Its rows.
        rows: u64,
        /// All rows of the entity.
        of: u64,
    },
    /// A value was bound, or asked for.
    Value {
        /// The name it is bound to, if any.
        name: Option<String>,
        /// The value.
        value: Value,
    },
    /// Rows of a population.
    Rows(Rows),
    /// The statement is checked but does nothing here: nothing is sent from a notebook.
    Skipped {
        /// The statement in a few words.
        title: String,
    },
}

/// Rows of a population.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// Name, and whether it holds numbers.
    pub columns: Vec<(String, bool)>,
    /// At most as many as were asked for.
    pub rows: Vec<Vec<Value>>,
    /// All rows.
    pub total: u64,
}

/// What was bound so far.
pub struct Notebook<'e> {
    engine: &'e Engine,
    folder: tempfile::TempDir,
    frozen: BTreeMap<String, PathBuf>,
    /// Counts populations ever bound, so that no file is used twice.
    bound: u64,
    values: BTreeMap<String, Value>,
}

impl<'e> Notebook<'e> {
    /// An empty notebook.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new(engine: &'e Engine) -> Result<Self, RunError> {
        let folder = tempfile::tempdir()
            .map_err(|error| RunError::File { path: "temporary folder".into(), reason: error.to_string() })?;
        Ok(Self { engine, folder, frozen: BTreeMap::new(), bound: 0, values: BTreeMap::new() })
    }

    /// Performs those steps of a plan whose names are not bound yet. A population bound to `show` is not frozen: its
    /// first `most` rows are the answer.
    ///
    /// # Errors
    /// As for a run.
    pub fn ask(&mut self, plan: &Plan, show: &str, most: u64) -> Result<Vec<Answer>, RunError> {
        let sources = self.engine.open_sources(plan);
        let mut answers = Vec::new();
        for step in &plan.block(crate::plan::BlockId(0)).steps {
            let name = |local: LocalId| plan.campaign()[local].name.clone();
            match &step.kind {
                StepKind::Segment { local, query } if name(*local) == show => {
                    answers.push(Answer::Rows(self.rows(plan, &sources, query, most)?));
                }
                StepKind::Segment { local, query } => {
                    if !self.frozen.contains_key(&name(*local)) {
                        answers.push(self.bind(plan, &sources, &name(*local), query)?);
                    }
                }
                StepKind::Let { local, value } => {
                    let name = name(*local);
                    if !self.values.contains_key(&name) {
                        let value = self.value(plan, &sources, value)?;
                        let asked = name == show;
                        if !asked {
                            self.values.insert(name.clone(), value.clone());
                        }
                        answers.push(Answer::Value { name: (!asked).then_some(name), value });
                    }
                }
                StepKind::Log { text } => {
                    let value = self.value(plan, &sources, text)?;
                    answers.push(Answer::Value { name: None, value });
                }
                _ => answers.push(Answer::Skipped { title: step.title.clone() }),
            }
        }
        Ok(answers)
    }

    /// Forgets a name, so that it can be bound again.
    pub fn forget(&mut self, name: &str) {
        self.frozen.remove(name);
        self.values.remove(name);
    }

    fn bind(&mut self, plan: &Plan, sources: &Sources, name: &str, query: &Query) -> Result<Answer, RunError> {
        self.bound += 1;
        let path = self.folder.path().join(format!("{}.parquet", self.bound));
        let rows = self.with_scope(plan, sources, |engine, scope| {
            let what = Freezing::all(query, name);
            Ok(engine.interruptible(freeze_population(engine.session(), scope, &what, &path))?.rows)
        })?;
        let everyone = Query { kind: QueryKind::Entity(query.ty.entity), ty: query.ty.clone(), span: query.span };
        let everyone = Query { ty: crate::hir::SegmentTy::of(everyone.ty.entity), ..everyone };
        let of = self.count(plan, sources, &everyone)?;
        self.frozen.insert(name.to_string(), path);
        let entity = plan.program[query.ty.entity].name.clone();
        Ok(Answer::Bound { name: name.to_string(), entity, rows, of })
    }

    fn rows(&self, plan: &Plan, sources: &Sources, query: &Query, most: u64) -> Result<Rows, RunError> {
        let total = self.count(plan, sources, query)?;
        let limited = first_rows(query, most);
        let batches = self.with_scope(plan, sources, |engine, scope| {
            let plan = population(scope, &limited, &Columns::All, Ordering::Defined)?;
            engine.interruptible(async { Ok(collect(engine.session(), plan).await?) })
        })?;
        let mut rows = Rows { columns: Vec::new(), rows: Vec::new(), total };
        let shown = |name: &str| !name.starts_with(crate::plan::query::IDENTITY);
        for batch in &batches {
            let schema = batch.schema();
            let fields: Vec<usize> = (0..batch.num_columns()).filter(|at| shown(schema.field(*at).name())).collect();
            rows.columns = fields
                .iter()
                .map(|at| (schema.field(*at).name().clone(), schema.field(*at).data_type().is_numeric()))
                .collect();
            for at in 0..batch.num_rows() {
                let row = fields.iter().map(|column| values::from_array(batch.column(*column), at));
                rows.rows.push(row.collect::<Result<_, _>>()?);
            }
        }
        Ok(rows)
    }

    fn count(&self, plan: &Plan, sources: &Sources, query: &Query) -> Result<u64, RunError> {
        self.with_scope(plan, sources, |engine, scope| {
            let plan = population(scope, query, &Columns::Named(Vec::new()), Ordering::Any)?;
            engine.interruptible(async { Ok(count(engine.session(), plan).await?) })
        })
    }

    fn value(&self, plan: &Plan, sources: &Sources, expr: &Expr) -> Result<Value, RunError> {
        self.with_scope(plan, sources, |engine, scope| {
            engine.interruptible(async { Ok(scalar(scope, engine.session(), expr).await?) })
        })
    }

    /// Runs `work` with the bound names under the numbers that this plan gives them.
    fn with_scope<T>(
        &self,
        plan: &Plan,
        sources: &Sources,
        work: impl FnOnce(&Engine, &Scope<'_>) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let mut frozen = BTreeMap::new();
        let mut locals = HashMap::new();
        for (at, local) in plan.campaign().locals.iter().enumerate() {
            let id = at as u32;
            match local.kind {
                LocalKind::Segment => {
                    if let Some(path) = self.frozen.get(&local.name) {
                        frozen.insert(id, path.clone());
                    }
                }
                _ => {
                    if let Some(value) = self.values.get(&local.name) {
                        locals.insert(LocalId(id), value.clone());
                    }
                }
            }
        }
        let state = self.engine.options().folders.state.clone();
        let store = SqliteStore::open_read_only(&state)?;
        let remembered =
            store.iter().map(|store| Remembered { store, state: state.clone(), realm: Realm::Real }).collect();
        let tables = RunTables {
            sources,
            frozen: &frozen,
            numbered: None,
            ledger: None,
            remembered,
            memory: None,
            simulated: false,
        };
        let scope = Scope {
            program: &plan.program,
            tables: &tables,
            locals: &locals,
            now: self.engine.options().clock.now(),
            zone: self.engine.options().zone.clone(),
            seed: "",
        };
        work(self.engine, &scope)
    }
}

/// The population cut to its first rows in its own order.
fn first_rows(query: &Query, most: u64) -> Query {
    let number = Value::Int(i64::try_from(most).unwrap_or(i64::MAX));
    let amount = Expr { kind: ExprKind::Literal(number), ty: Ty::of(TyKind::Int), span: query.span };
    let kind = QueryKind::Limit {
        input: Box::new(query.clone()),
        row: RowId(u32::MAX),
        amount: Amount::Rows(amount),
        by: Vec::new(),
    };
    Query { kind, ty: query.ty.clone(), span: query.span }
}
