//! Behaviour of sources, through declarations made by hand and files in a temporary folder.

mod compressed;
mod failures;
mod folders;
mod formats;
mod json;
mod layouts;
mod rejecting;
mod shop;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::TableProvider;
use datafusion::prelude::{SessionConfig, SessionContext, ident};
use jiff::tz::TimeZone;

use super::{Objects, OpenOptions, Opened, Places, columns, open};
use crate::base::{SourceId, SourceMap, Span};
use crate::diag::{Problem, RenderStyle, render};
use crate::hir::{Entity, Field, FieldId, Program, Source, SourceLocation, Ty, TyKind, Value};

/// A folder with data, and the text of a declaration about them.
struct Project {
    folder: tempfile::TempDir,
    zone: TimeZone,
    threads: usize,
}

/// A declaration whose spans point into `text`.
struct Declared {
    entity: Entity,
    text: String,
}

impl Project {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), zone: TimeZone::get("Europe/Paris").unwrap(), threads: 2 }
    }

    fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let project = Self::new();
        project.write(name, bytes);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn open(&self, declared: &Declared) -> Result<Opened, Problem> {
        let (base, cache, rejects) = (self.folder.path(), self.path(".cache"), self.path("rejected.csv"));
        let options = OpenOptions {
            base,
            cache: &cache,
            zone: &self.zone,
            threads: self.threads,
            objects: &Objects::default(),
            rejects: Some(&rejects),
        };
        open(&declared.entity, &Program::default(), &options)
    }

    /// The columns of a source without a block.
    fn columns(&self, source: &Source) -> Result<Vec<(String, Ty)>, Problem> {
        let folder = self.folder.path();
        columns(source, Places { base: folder, project: folder, bindings: &BTreeMap::new() })
    }

    /// The rows as a drawn table.
    fn rows(&self, declared: &Declared) -> String {
        match self.open(declared) {
            Ok(opened) => drawn(&opened.table),
            Err(problem) => panic!("{}", declared.rendered(&problem)),
        }
    }

    /// The problem as people see it.
    fn failure(&self, declared: &Declared) -> String {
        let problem = self.open(declared).err().unwrap();
        let folder = self.folder.path().display().to_string();
        let rendered = declared.rendered(&problem).replace(&folder, "PROJECT");
        // The hint at the right end moves with the length of the folder's name.
        rendered
            .lines()
            .map(|line| line.split("orch explain").next().unwrap_or("").trim_end().to_owned() + "\n")
            .collect()
    }
}

impl Declared {
    fn rendered(&self, problem: &Problem) -> String {
        let mut sources = SourceMap::new();
        sources.add("shop.orch", &self.text);
        render(problem, &sources, RenderStyle { color: false, width: 100 })
    }
}

fn drawn(table: &Arc<dyn TableProvider>) -> String {
    pretty_format_batches(&collected(table)).unwrap().to_string().replace('\r', "\\r")
}

/// All rows, in the order of their lines if they have any.
fn collected(table: &Arc<dyn TableProvider>) -> Vec<RecordBatch> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rows = context.read_table(table.clone()).unwrap();
    if table.schema().field_with_name("line").is_ok() {
        rows = rows.sort(vec![ident("line").sort(true, false)]).unwrap();
    }
    runtime.block_on(rows.collect()).unwrap()
}

/// A declaration with one field per line: `name: type`, with `?`, ` key` or ` = default` behind.
fn declare(location: &str, options: &[(&str, Value)], fields: &str) -> Declared {
    let mut text = format!("entity rows from \"{location}\" {{\n");
    let start = text.find('"').unwrap() as u32;
    let span = Span::new(SourceId(0), start, start + location.len() as u32 + 2);
    let mut entity = Entity {
        name: "rows".to_owned(),
        span: Span::new(SourceId(0), 7, 11),
        doc: None,
        source: Some(Source {
            location: SourceLocation::Path(location.to_owned()),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            fresh: None,
            span,
        }),
        fields: Vec::new(),
        relations: Vec::new(),
        key: Vec::new(),
        consent: Vec::new(),
        person: None,
    };
    for line in fields.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let start = text.len() as u32 + 2;
        text += &format!("  {line}\n");
        let (name, rest) = line.split_once(':').unwrap();
        let (rest, default) = match rest.split_once('=') {
            Some((rest, default)) => (rest, Some(default.trim())),
            None => (rest, None),
        };
        let span = Span::new(SourceId(0), start, start + name.len() as u32);
        if rest.contains(" key") {
            entity.key.push(FieldId(entity.fields.len() as u32));
        }
        let ty = ty(rest.replace(" key", "").trim());
        let default = default.map(|default| value(default, &ty.kind));
        entity.fields.push(Field { name: name.to_owned(), span, doc: None, ty, default });
    }
    Declared { entity, text: text + "}\n" }
}

fn ty(text: &str) -> Ty {
    let (text, nullable) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
    let kind = match TyKind::named(text) {
        Some(kind) => kind,
        None => TyKind::Enumeration(text.split('|').map(|value| value.trim().trim_matches('"').to_owned()).collect()),
    };
    Ty { kind, nullable }
}

fn value(text: &str, kind: &TyKind) -> Value {
    match kind {
        TyKind::Int => Value::Int(text.parse().unwrap()),
        TyKind::Decimal => Value::Decimal(text.parse().unwrap()),
        TyKind::Bool => Value::Bool(text == "true"),
        TyKind::Date => Value::Date(text.parse().unwrap()),
        _ => Value::Text(text.trim_matches('"').to_owned()),
    }
}

fn texts(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| text(value)).collect())
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A text as gzip packs it.
pub(super) fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, text.as_ref()).unwrap();
    writer.finish().unwrap()
}

/// A text as zstd packs it.
pub(super) fn zstd(text: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(text.as_ref(), 1).unwrap()
}

/// Writes a Parquet file of whole numbers.
pub(super) fn parquet(path: &std::path::Path, columns: &[(&str, &[i64])]) {
    use datafusion::arrow::array::{ArrayRef, Int64Array};
    let arrays = columns.iter().map(|(name, values)| (*name, Arc::new(Int64Array::from(values.to_vec())) as ArrayRef));
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = datafusion::parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
