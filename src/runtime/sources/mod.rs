//! Opening the data of entities.
//!
//! A text file is imported once: its cells are typed by the declaration and kept as Parquet in a cache folder, from
//! which queries read. Parquet and Arrow files are read as they are, after a look at their columns. Both give a table
//! whose columns have the declared names and types.

mod bound;
mod cache;
mod cell;
mod columns;
mod direct;
mod error;
mod files;
mod import;
mod infer;
mod objects;
mod options;
mod packing;
pub(crate) mod postgres;
mod rewrite;
mod sqlite;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod thread;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use jiff::tz::TimeZone;

use crate::diag::Problem;
use crate::hir::{Entity, Program, Source, SourceLocation, Ty};
use crate::runtime::archive::Read;
use crate::runtime::bindings::SourceBinding;
pub(crate) use bound::{BoundTable, Database, quoted, table as bound_table};
pub(crate) use cache::Stamp;
pub(crate) use error::SourceError;
pub use files::KINDS;
pub(crate) use files::io_reason;
use files::{Format, SourceFile};
use import::{Context, Rejects};
pub use infer::{Inferred, People, entity_name};
pub use objects::Objects;
pub(crate) use options::Encoding;
use options::FileOptions;
pub(crate) use postgres::Servers;
pub(crate) use rewrite::{Edited, Edits, WritableFile, identity};
pub(crate) use sqlite::{ColumnHabit, column_habits, connect};

/// A table over a Parquet file of our own, whose columns are known.
pub(crate) fn parquet_file(path: &Path, schema: SchemaRef) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    table::listing(&[path], Arc::new(ParquetFormat::default()), schema)
}

/// A table over several Parquet files of our own, all with these columns.
pub(crate) fn parquet_files(paths: &[&Path], schema: SchemaRef) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    table::listing(paths, Arc::new(ParquetFormat::default()), schema)
}

/// Where and how to open sources.
#[derive(Clone, Debug)]
pub struct OpenOptions<'a> {
    /// The folder of the declaring file, to which locations are relative.
    pub base: &'a Path,
    /// The folder for imported files; created if it is missing.
    pub cache: &'a Path,
    /// The time zone of timestamps that have none.
    pub zone: &'a TimeZone,
    /// How many threads may type cells; at least 1.
    pub threads: usize,
    /// The object stores that paths may lead to.
    pub objects: &'a Objects,
    /// Where to write the bad lines of this source, for people: a CSV file, written only if there are any.
    pub rejects: Option<&'a Path>,
}

/// The data of an entity.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The rows. Columns have the declared names and order; an entity without a key has a last column `line`: the
    /// line of a text file or the row of another, counting on through the files in the order of their names.
    pub table: Arc<dyn TableProvider>,
    /// Number of rows.
    pub rows: u64,
    /// Bad lines and cells that were set aside, one row each: `file`, `line`, `column`, `value`, `reason`.
    pub rejected_table: Arc<dyn TableProvider>,
    /// Number of rows of `rejected_table`.
    pub rejected: u64,
    /// The files read, in order.
    pub files: Vec<PathBuf>,
    /// Those that are to move away once a run that has read them has finished.
    pub(crate) archived: Vec<Read>,
}

/// Opens the data of `entity`, which imports text files that are not imported yet. Reads and writes files; call it
/// outside the async runtime's threads.
pub fn open(entity: &Entity, program: &Program, options: &OpenOptions) -> Result<Opened, Problem> {
    let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
    opened(entity, program, options).map_err(|error| error.problem(place))
}

/// Opens the data of an entity of a bound source: a table of a database, or files of a folder or an object store.
pub(crate) fn open_bound(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    options: &OpenOptions,
) -> Result<Opened, Problem> {
    let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
    let Some(location) = bound.files(options.objects).map_err(|error| error.problem(place))? else {
        return bound::open(entity, program, bound, options.cache, options.zone);
    };
    let source = entity.source.clone().map(|source| Source { location: SourceLocation::Path(location), ..source });
    open(&Entity { source, ..entity.clone() }, program, &OpenOptions { base: bound.project, ..options.clone() })
}

/// Is this the address of a folder or of an object store, not of a database?
pub fn is_folder(url: &str) -> bool {
    bound::is_folder(url)
}

/// Where the data of declarations is looked for.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// The folder to which paths are relative.
    pub base: &'a Path,
    /// The folder to which the manifest's paths are relative.
    pub project: &'a Path,
    /// Bound sources.
    pub bindings: &'a BTreeMap<String, SourceBinding>,
}

/// The columns of a source that is declared without a block, with the types its files or its table suggest. Names are
/// those in the data and need not be names of the language. Of files only the first is looked at.
///
/// # Errors
/// Data that is missing or cannot be read, a database that cannot be reached.
pub fn columns(source: &Source, places: Places<'_>) -> Result<Vec<(String, Ty)>, Problem> {
    let (servers, objects) = (Servers::default(), Objects::new(places.bindings));
    let bound = bound::table(&source.location, |name| places.bindings.get(name), places.project, &servers);
    let columns = match (&source.location, bound) {
        (SourceLocation::Path(location), _) => {
            files::find(places.base, location, &objects).and_then(|files| infer::columns(&files, &source.options))
        }
        (_, Some(bound)) => bound.files(&objects).and_then(|files| match files {
            Some(location) => files::find(places.project, &location, &objects)
                .and_then(|files| infer::columns(&files, &source.options)),
            None => bound::columns(&bound),
        }),
        (SourceLocation::Bound { .. }, None) => Ok(Vec::new()),
    };
    columns.map_err(|error| error.problem(source.span))
}

/// Tables of which declarations are wanted.
pub struct Wanted {
    /// The source's name in declarations.
    pub source: String,
    /// The table; `None` for all that there are.
    pub table: Option<Vec<String>>,
    /// Where the source is.
    pub binding: SourceBinding,
}

/// Declarations of files and tables, from a look at their rows. Locations are relative to the base, the folder of the
/// file that will hold the declarations.
///
/// # Errors
/// A file that is missing or cannot be read, a database that cannot be reached.
pub fn infer(places: Places<'_>, locations: &[String], wanted: &[Wanted]) -> Result<Inferred, Problem> {
    let objects = Objects::new(places.bindings);
    let survey = |one: &Wanted| survey::survey(&one.source, one.table.as_deref(), &one.binding, places.project);
    let tables = wanted.iter().map(survey).collect::<Result<Vec<_>, _>>();
    let inferred = tables
        .and_then(|tables| infer::infer(places.base, locations, &objects, tables.into_iter().flatten().collect()));
    inferred.map_err(|error| error.problem_outside())
}

/// Is this the location of files in an object store?
pub fn is_remote(location: &str) -> bool {
    location.starts_with(objects::SCHEME)
}

/// The sources that a location in an object store means.
///
/// # Errors
/// A store that cannot be reached.
pub fn remote_sources_at(location: &str, bindings: &BTreeMap<String, SourceBinding>) -> Result<Vec<String>, Problem> {
    Objects::new(bindings).sources_at(location).map_err(|error| error.problem_outside())
}

/// The sources that a path means: a file, a pattern or a partitioned folder itself, of any other folder all files and
/// partitioned folders in it that can hold rows.
pub fn sources_at(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() || files::is_partitioned(path) {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let holds_rows = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_file = || files::format(&SourceFile::new(path.clone(), String::new())).is_ok();
        !hidden && if path.is_dir() { files::is_partitioned(path) } else { is_file() }
    };
    let mut found: Vec<PathBuf> = entries.filter(holds_rows).collect();
    found.sort();
    found
}

/// The local files that a location means now; none when there are none.
pub(crate) fn files_of(base: &Path, location: &str) -> Vec<PathBuf> {
    if is_remote(location) {
        return Vec::new();
    }
    files::find(base, location, &Objects::default())
        .map(|files| files.into_iter().map(|file| file.path).collect())
        .unwrap_or_default()
}

fn path(location: &SourceLocation) -> Result<&str, SourceError> {
    match location {
        SourceLocation::Path(path) => Ok(path),
        SourceLocation::Bound { source, table } => Err(SourceError::Unsupported {
            what: format!("`{source}.{}`, a table of a bound source,", table.join(".")),
            help: "export it to a file, and write the path of the file".to_owned(),
        }),
    }
}

fn opened(entity: &Entity, program: &Program, open: &OpenOptions) -> Result<Opened, SourceError> {
    let Some(source) = &entity.source else {
        return Err(SourceError::Option {
            message: format!("`{}` has no source", entity.name),
            help: format!("write `entity {} from \"data/{}.csv\" {{ ... }}`", entity.name, entity.name),
        });
    };
    let columns = columns::of_entity(entity, program)?;
    let location = path(&source.location)?;
    let archives = source.options.iter().any(|(name, _)| name == "archive");
    let files = match files::find(open.base, location, open.objects) {
        // Where files move away, there may be none for a while.
        Err(SourceError::NoMatch { .. }) if archives => Vec::new(),
        found => found?,
    };
    let format = same_format(&files)?;
    let extension = files.first().and_then(|file| files::extension(&file.path)).unwrap_or_default();
    let options = match format {
        Format::Text => FileOptions::new(&extension, &source.options)?,
        Format::Parquet | Format::Arrow => FileOptions::of_typed(&source.options, &files[0].shown)?,
    };
    let archived = archived(&files, location, &options, open)?;
    let context = Context {
        columns: &columns,
        options: &options,
        cache: open.cache,
        zone: open.zone,
        threads: open.threads.max(1),
        lines: entity.key.is_empty() && entity.field(import::LINE).is_none(),
        rejects: open.rejects,
    };
    let opened = match format {
        _ if files.is_empty() => nothing(&context),
        Format::Text => text(&files, &context),
        Format::Parquet | Format::Arrow => direct(&files, format, &context),
    };
    Ok(Opened { archived, ..opened? })
}

/// The files as they are before they are read, and where they are to move.
fn archived(
    files: &[SourceFile],
    location: &str,
    options: &FileOptions,
    open: &OpenOptions,
) -> Result<Vec<Read>, SourceError> {
    let Some(archive) = &options.archive else { return Ok(Vec::new()) };
    let refuse = |why: &str, help: &str| SourceError::Option {
        message: format!("option `archive`: {why}"),
        help: help.to_owned(),
    };
    if is_remote(location) {
        return Err(refuse("files of an object store are not moved", "leave it out"));
    }
    let (source, target) = (open.base.join(location), open.base.join(archive));
    let folder = if source.is_dir() { source.as_path() } else { source.parent().unwrap_or(open.base) };
    let same = |a: &Path, b: &Path| a.components().eq(b.components());
    if same(folder, &target) || (source.is_dir() && target.starts_with(folder)) {
        return Err(refuse(
            "files in it would be read again",
            "name a folder beside that of the files, such as `\"done/\"`",
        ));
    }
    let read = |file: &SourceFile| {
        let inner = file.path.strip_prefix(folder).unwrap_or(&file.path);
        Ok(Read { path: file.path.clone(), to: target.join(inner), stamp: Stamp::found(file)? })
    };
    files.iter().map(read).collect()
}

/// No rows of these columns.
fn nothing(context: &Context) -> Result<Opened, SourceError> {
    let schema = import::schema(context, &vec![columns::MIN_SCALE; context.columns.len()]);
    let none = datafusion::datasource::MemTable::try_new(schema, vec![Vec::new()]);
    let failed =
        |error: DataFusionError| SourceError::Cache { path: context.cache.to_owned(), reason: error.to_string() };
    Ok(Opened {
        table: Arc::new(none.map_err(failed)?),
        rows: 0,
        rejected_table: import::rejects_table(&Rejects::default(), context.cache)?,
        rejected: 0,
        files: Vec::new(),
        archived: Vec::new(),
    })
}

/// Reads Parquet or Arrow files as they are.
fn direct(files: &[SourceFile], format: Format, context: &Context) -> Result<Opened, SourceError> {
    let mut rejects = Rejects::default();
    let (table, rows) = direct::open(files, format, context, &mut rejects)?;
    publish(&mut rejects, context)?;
    Ok(Opened {
        table,
        rows,
        rejected_table: import::rejects_table(&rejects, context.cache)?,
        rejected: rejects.count,
        files: files.iter().map(|file| file.path.clone()).collect(),
        archived: Vec::new(),
    })
}

/// Imports text files and makes one table of them.
fn text(files: &[SourceFile], context: &Context) -> Result<Opened, SourceError> {
    let mut rejects = Rejects::default();
    let mut imported = Vec::new();
    for file in files {
        let one = import::import(file, context, &mut rejects).map_err(|error| error.unlike(file, files))?;
        rejects.take(&one, &file.shown, context)?;
        imported.push(one);
    }
    publish(&mut rejects, context)?;
    Ok(Opened {
        table: table::of_imports(&imported)?,
        rows: imported.iter().map(|one| one.rows).sum(),
        rejected_table: import::rejects_table(&rejects, context.cache)?,
        rejected: rejects.count,
        files: files.iter().map(|file| file.path.clone()).collect(),
        archived: Vec::new(),
    })
}

/// Writes the rejects file for people, if anything is bad.
fn publish(rejects: &mut Rejects, context: &Context) -> Result<(), SourceError> {
    match context.rejects {
        Some(target) if rejects.count > 0 => import::publish(target, &mut [rejects]),
        _ => Ok(()),
    }
}

/// The error for more bad lines than allowed; publishes those found so far.
fn too_many(shown: &str, limit: u64, target: Option<&Path>, lists: &mut [&mut Rejects]) -> SourceError {
    let first = lists.iter().find_map(|list| list.first.clone()).unwrap_or_default();
    let rejects = match target.map(|target| (target, import::publish(target, lists))) {
        Some((target, Ok(()))) => Some(target.to_owned()),
        Some((_, Err(error))) => return error,
        None => None,
    };
    SourceError::TooMany { shown: shown.to_owned(), limit, first, rejects }
}

/// All files of a source hold the same.
fn same_format(files: &[SourceFile]) -> Result<Format, SourceError> {
    // Two text files are alike only if their extensions mean the same layout.
    let kind = |file: &SourceFile| -> Result<(Format, FileOptions), SourceError> {
        let format = files::format(file)?;
        let extension = if format == Format::Text { files::extension(&file.path) } else { None };
        Ok((format, FileOptions::of_extension(&extension.unwrap_or_default())))
    };
    let mut kinds = files.iter().map(kind);
    let Some(first) = kinds.next().transpose()? else { return Ok(Format::Text) };
    for (kind, file) in kinds.zip(&files[1..]) {
        if kind? != first {
            return Err(SourceError::Unsupported {
                what: format!("`{}` together with `{}`", files[0].shown, file.shown),
                help: "let the pattern name files of one kind, such as `in/*.csv`".to_owned(),
            });
        }
    }
    Ok(first.0)
}
