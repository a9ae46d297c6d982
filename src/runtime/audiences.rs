//! Saved audiences as tables.
//!
//! Who belongs to an audience is what was saved; what is known of them is read when the audience is: its rows are those
//! rows of the entity whose keys were saved. Rows of an entity without a key are kept whole.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::sources;
use super::store::{AudienceRecord, Realm, Store};
use super::tables::{Sources, parquet_schema, without_numbers};
use crate::base::did_you_mean;
use crate::diag::{Problem, codes};
use crate::hir::EntityId;
use crate::plan::query::QueryError;

/// A state directory: what its store remembers, and where its files are.
#[derive(Clone)]
pub struct Remembered<'r> {
    /// Knows the audiences and subscriptions.
    pub store: &'r dyn Store,
    /// The directory.
    pub state: PathBuf,
    /// Whether what runs on a virtual clock saved is seen, before what is real.
    pub realm: Realm,
}

impl Remembered<'_> {
    /// The realms that are seen, the first one first.
    pub fn realms(&self) -> &'static [Realm] {
        match self.realm {
            Realm::Real => &[Realm::Real],
            Realm::Simulated => &[Realm::Simulated, Realm::Real],
        }
    }
}

/// The audience with this name and where it is kept.
///
/// # Errors
/// `run::unknown_audience`, `run::other_audience`.
pub fn find(remembered: &[Remembered<'_>], name: &str, entity: &str) -> Result<(AudienceRecord, PathBuf), QueryError> {
    let broken = |error: super::store::StoreError| QueryError::Source(error.to_string());
    let problem = |problem: Problem| QueryError::Problem(Box::new(problem));
    let mut known = Vec::new();
    let seen = remembered.iter().flat_map(|one| one.realms().iter().map(move |realm| (one, *realm)));
    for (one, realm) in seen {
        match one.store.audience(realm, name).map_err(broken)? {
            Some(found) if found.entity == entity => {
                let path = one.state.join(&found.file);
                return Ok((found, path));
            }
            Some(found) => {
                let message = format!("the audience `{name}` holds rows of `{}`, not of `{entity}`", found.entity);
                let help = format!("write `audience \"{name}\" of {}`", found.entity);
                return Err(problem(Problem::outside(codes::run::OTHER_AUDIENCE, message).help(help)));
            }
            None => known.extend(one.store.audiences(realm).map_err(broken)?.into_iter().map(|found| found.name)),
        }
    }
    let help = match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("none was saved yet: `save S as audience \"{name}\"` makes it"),
        None => format!("there are {}", known.join(", ")),
    };
    let message = format!("there is no audience `{name}`");
    Err(problem(Problem::outside(codes::run::UNKNOWN_AUDIENCE, message).help(help)))
}

/// The rows of an audience.
///
/// # Errors
/// As [`find`]; a source or a file that cannot be read.
pub fn table(
    remembered: &[Remembered<'_>],
    sources: &Sources,
    name: &str,
    entity: EntityId,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let declared = &sources.program()[entity];
    let (_, path) = find(remembered, name, &declared.name)?;
    let unreadable = |reason: String| {
        QueryError::Source(format!("the audience `{name}` in `{}` cannot be read: {reason}", path.display()))
    };
    let schema = without_numbers(&parquet_schema(&path).map_err(unreadable)?);
    let saved = sources::parquet_file(&path, schema)?;
    if declared.key.is_empty() {
        return Ok(saved);
    }
    let live = sources.open(entity).map_err(|error| QueryError::Problem(Box::new(error.problem())))?.table;
    let names: Vec<&str> = declared.key.iter().map(|key| declared[*key].name.as_str()).collect();
    let member = |name: &str| format!("member {name}");
    let keys = names.iter().map(|name| Expr::Column(Column::from_name(*name)).alias(member(name)));
    let saved =
        LogicalPlanBuilder::scan("saved", provider_as_source(saved), None)?.project(keys.collect::<Vec<_>>())?;
    let on = (
        names.iter().map(|name| Column::from_name(*name)).collect::<Vec<_>>(),
        names.iter().map(|name| Column::from_name(member(name))).collect::<Vec<_>>(),
    );
    let members = LogicalPlanBuilder::scan("live", provider_as_source(live), None)?.join(
        saved.build()?,
        JoinType::LeftSemi,
        on,
        None,
    )?;
    Ok(Arc::new(ViewTable::new(members.build()?, None)))
}
