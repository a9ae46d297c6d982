//! Tables of bound sources: `[source.crm] url = "..."` in the manifest, `entity contacts from crm.contacts` in a script.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::columns::Column;
use super::error::{Mismatch, MissingColumn, SourceError};
use super::objects::{self, Objects};
use super::postgres::{Address, Server, Servers};
use super::{Opened, files, postgres, sqlite};
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
            help: "tables are those of `postgres://...` and `sqlite:FILE`, or files in a folder or in `s3://BUCKET`"
                .to_owned(),
        })
    }

    /// Where the files are that hold the table, if the source is a folder or an object store: `lake.sales` is the folder
    /// `sales` of it, or a file called `sales` and something else behind a point.
    ///
    /// # Errors
    /// A folder that holds nothing of the name.
    pub fn files(&self, objects: &Objects) -> Result<Option<String>, SourceError> {
        let Some(url) = self.folder() else { return Ok(None) };
        let (inner, name) = match self.table {
            [inner @ .., name] => (inner, name.as_str()),
            [] => return Err(self.missing(&[])),
        };
        let folder = std::iter::once(url.trim_end_matches('/')).chain(inner.iter().map(String::as_str));
        let folder = folder.collect::<Vec<_>>().join("/");
        let names = match folder.starts_with(objects::SCHEME) {
            true => objects.names(&folder)?,
            false => files::names(&self.project.join(&folder)),
        };
        let is_it = |found: &&String| {
            **found == name || found.split('.').next() == Some(name) && files::kind(Path::new(found)).is_some()
        };
        match names.iter().find(|found| **found == name).or_else(|| names.iter().find(is_it)) {
            Some(found) => Ok(Some(format!("{folder}/{found}"))),
            None => {
                let stems = names.iter().filter_map(|name| name.split('.').next().map(str::to_owned));
                Err(self.missing(&stems.collect::<Vec<_>>()))
            }
        }
    }

    /// The address of the source, if it is a folder or an object store.
    fn folder(&self) -> Option<&str> {
        let url = self.binding?.url.as_ref().ok()?.expose();
        is_folder(url).then_some(url)
    }

    /// Looks whether the manifest allows to change the table, whose entity has this name.
    pub fn check_writable(&self, entity: &str) -> Result<(), SourceError> {
        if self.folder().is_some() {
            let what = format!("is read from files of the source `{}`", self.source);
            return Err(SourceError::ReadOnly { entity: entity.to_owned(), what });
        }
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

/// Is this the address of a folder or of an object store?
pub(crate) fn is_folder(url: &str) -> bool {
    url.starts_with(objects::SCHEME) || !(url.contains("://") || url.starts_with("sqlite:"))
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
