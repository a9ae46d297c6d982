//! What requests ask of the daemon.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::super::{host, runs, signal};
use super::ProjectScripts;
use crate::diag::{Problem, codes};
use crate::hir::{Signal, Ty, TyKind, Value};
use crate::project::Project;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, Change, SignalRecord, Store, StoreError};
use crate::runtime::{RunError, signal_name};
use crate::serve::{Daemon, Delivered, Refusal};

/// A project that is served.
pub struct ProjectDaemon {
    project: Project,
    store: Arc<SqliteStore>,
    signals: Arc<Mutex<BTreeMap<String, Signal>>>,
    /// Wakes the conductor.
    bell: Arc<Notify>,
    runtime: Handle,
}

impl ProjectDaemon {
    /// Answers for a project whose state is `store`.
    pub fn new(
        project: &Project,
        store: Arc<SqliteStore>,
        scripts: &ProjectScripts<'_>,
        bell: Arc<Notify>,
        runtime: Handle,
    ) -> Self {
        Self { project: project.clone(), store, signals: scripts.signals(), bell, runtime }
    }

    fn declared(&self, name: &str) -> Result<Signal, Problem> {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signal) = signals.get(name) {
            return Ok(signal.clone());
        }
        let names: Vec<&str> = signals.keys().map(String::as_str).collect();
        Err(signal::unknown(name, &names))
    }
}

impl Daemon for ProjectDaemon {
    fn signal(&self, name: &str, id: Option<&str>, fields: &Map<String, Json>) -> Result<Delivered, Refusal> {
        let broken = |error: StoreError| Refusal::Broken(RunError::from(error).problem());
        let declared = self.declared(name).map_err(Refusal::Unknown)?;
        let mut given = BTreeMap::new();
        for (field, json) in fields {
            let param = signal::field(&declared, field).map_err(Refusal::Wrong)?;
            let value =
                value(json, &param.ty).ok_or_else(|| Refusal::Wrong(signal::wrong_value(&json.to_string(), param)))?;
            given.insert(field.clone(), value);
        }
        let values = signal::complete(&declared, given).map_err(Refusal::Wrong)?;
        let id = id.map_or_else(signal_name, str::to_owned);
        if let Some(known) = self.store.signal(&id).map_err(broken)? {
            if known.name == declared.name && known.values == values {
                return Ok(Delivered { id, new: false });
            }
            let problem = Problem::outside(codes::run::BAD_REQUEST, format!("another signal has the id `{id}`"))
                .help("give each signal an id of its own");
            return Err(Refusal::Conflict(problem));
        }
        let record =
            SignalRecord { id: id.clone(), name: declared.name, values, at: WallClock.now(), simulated: false };
        self.runtime.block_on(self.store.commit(vec![Change::Signal(record)])).map_err(broken)?;
        self.bell.notify_one();
        Ok(Delivered { id, new: true })
    }

    fn runs(&self, open: bool, limit: usize) -> Result<Json, Problem> {
        let listed = runs::document(&self.project, self.store.as_ref(), open, limit);
        listed.map_err(|error| RunError::from(error).problem())
    }

    fn health(&self) -> &'static str {
        match self.store.held() {
            Ok(None) => "ok",
            Ok(Some(_)) => "paused",
            Err(_) => "failing",
        }
    }
}

/// A value of a type as JSON writes it; texts as people write it on a command line.
fn value(json: &Json, ty: &Ty) -> Option<Value> {
    match (json, &ty.kind) {
        (Json::Null, _) => ty.nullable.then_some(Value::Null),
        (Json::Array(items), TyKind::List(element)) => {
            items.iter().map(|item| value(item, element)).collect::<Option<_>>().map(Value::List)
        }
        (Json::Bool(value), TyKind::Bool) => Some(Value::Bool(*value)),
        (Json::Number(number), TyKind::Percent) => number.to_string().parse().ok().map(Value::Decimal),
        (Json::Number(number), TyKind::Int | TyKind::Float | TyKind::Decimal) => {
            host::parse_value(&number.to_string(), &ty.kind)
        }
        (Json::String(text), kind) => host::parse_value(text, kind),
        _ => None,
    }
}
