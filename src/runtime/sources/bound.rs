//! Tables of bound sources: `[source.crm] url = "..."` in the manifest, `entity contacts from crm.contacts` in a script.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::columns::Column;
use super::error::{Mismatch, MissingColumn, SourceError};
use super::postgres::{Address, Server, Servers};
use super::{Opened, postgres, sqlite};
use crate::base::did_you_mean;
use crate::diag::Problem;
use crate::hir::{Entity, Program, Source, SourceLocation, Ty};
use crate::runtime::bindings::SourceBinding;

/// A table of a bound source, as the manifest and the declaration name it.
pub(crate) struct BoundTable<'b> {
    /// The source's name.
    pub source: &'b str,
    /// The table's name.
    pub table: &'b [String],
    /// What the manifest says; nothing when it does not know the source.
    pub binding: Option<&'b SourceBinding>,
    /// The folder to which the manifest's paths are relative.
    pub project: &'b Path,
    /// The servers that are known already.
    pub servers: &'b Servers,
}

/// What holds a bound table.
pub(crate) enum Database {
    /// A file of SQLite.
    Sqlite(PathBuf),
    Postgres(Arc<Server>),
}

/// The beginnings of addresses of PostgreSQL.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

impl BoundTable<'_> {
    /// `crm.contacts`
    pub fn shown(&self) -> String {
        format!("{}.{}", self.source, self.table.join("."))
    }

    /// The database that holds the table. Connects to nothing.
    ///
    /// # Errors
    /// A source that is not bound, or to something that holds no tables.
    pub fn database(&self) -> Result<Database, SourceError> {
        let Some(binding) = self.binding else {
            return Err(SourceError::Option {
                message: format!("`{}` is not bound to anything", self.source),
                help: format!(
                    "add `[source.{}]` with `url = \"sqlite:FILE\"` or `url = {{ env = \"NAME\" }}` to orch.toml",
                    self.source
                ),
            });
        };
        let url = binding.url.as_ref().map_err(|problem| SourceError::Problem(problem.clone()))?.expose();
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Database::Sqlite(self.project.join(path.strip_prefix("//").unwrap_or(path))));
        }
        if POSTGRES.iter().any(|scheme| url.starts_with(scheme)) {
            let address = || Address::parse(url, self.project, self.source);
            return self.servers.get(self.source, address).map(Database::Postgres);
        }
        let kind = url.split_once(':').map_or("another kind", |(scheme, _)| scheme);
        Err(SourceError::Unsupported {
            what: format!("a table of `{}`, a source of the kind `{kind}`,", self.source),
            help: "tables are those of `postgres://...` and `sqlite:FILE`".to_owned(),
        })
    }

    /// Looks whether the manifest allows to change the table, whose entity has this name.
    pub fn check_writable(&self, entity: &str) -> Result<(), SourceError> {
        if self.binding.is_some_and(|binding| binding.writable) {
            return Ok(());
        }
        let what = format!("belongs to the source `{}`", self.source);
        Err(SourceError::ReadOnly { entity: entity.to_owned(), what })
    }

    /// The table as SQL names it.
    pub fn sql(&self) -> String {
        self.table.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".")
    }

    /// The error for a table that is not there.
    pub fn missing(&self, known: &[String]) -> SourceError {
        let name = self.table.join(".");
        let nearest = did_you_mean(&name, known.iter().map(String::as_str));
        let nearest = nearest.map(|near| format!("{}.{near}", self.source));
        SourceError::Missing { shown: self.shown(), nearest, folder: format!("the source `{}`", self.source) }
    }

    /// How the table differs from a declaration whose columns it lacks; `None` when it lacks none.
    pub fn lacking(&self, missing: &[&Column], found: Vec<String>) -> Option<Mismatch> {
        let nearest = |name: &str| did_you_mean(name, found.iter().map(String::as_str)).map(str::to_owned);
        let missing: Vec<MissingColumn> = missing
            .iter()
            .map(|column| MissingColumn {
                name: column.name.clone(),
                nearest: nearest(&column.name),
                span: column.span,
            })
            .collect();
        (!missing.is_empty()).then(|| Mismatch {
            shown: self.shown(),
            found,
            missing,
            holder: "table",
            ..Mismatch::default()
        })
    }
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Opens the table of an entity.
///
/// # Errors
/// A database that cannot be reached, a table or a column that is not there or of another type.
pub(crate) fn open(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    cache: &Path,
    zone: &TimeZone,
) -> Result<Opened, Problem> {
    let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
    let opened = no_options(entity.source.as_ref(), bound).and_then(|()| match bound.database()? {
        Database::Sqlite(file) => sqlite::open(entity, program, bound, &file, cache, zone),
        Database::Postgres(server) => postgres::open(entity, program, bound, &server, cache, zone),
    });
    opened.map_err(|error| error.problem(place))
}

/// Options say how text is read.
fn no_options(source: Option<&Source>, bound: &BoundTable<'_>) -> Result<(), SourceError> {
    match source.and_then(|source| source.options.first()) {
        Some((name, _)) => Err(SourceError::Option {
            message: format!("`{name}` is an option of text files"),
            help: format!("leave it out: `{}` is a table", bound.shown()),
        }),
        None => Ok(()),
    }
}

/// The columns of a table whose entity is declared without a block, with the types that the database tells.
pub(super) fn columns(bound: &BoundTable<'_>) -> Result<Vec<(String, Ty)>, SourceError> {
    match bound.database()? {
        Database::Sqlite(file) => sqlite::columns(bound, &file),
        Database::Postgres(server) => postgres::columns(bound, &server),
    }
}

/// The bound table that a location means, if it means one.
pub(crate) fn table<'b>(
    location: &'b SourceLocation,
    binding: impl FnOnce(&str) -> Option<&'b SourceBinding>,
    project: &'b Path,
    servers: &'b Servers,
) -> Option<BoundTable<'b>> {
    match location {
        SourceLocation::Bound { source, table } => {
            Some(BoundTable { source, table, binding: binding(source), project, servers })
        }
        SourceLocation::Path(_) => None,
    }
}
