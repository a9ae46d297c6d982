//! Parquet and Arrow files, read where they are.
//!
//! The columns of each file are held against the declaration; those that fit after a safe conversion are converted while
//! they are read. What only the values can tell (nulls, values of an enumeration) is looked at once per file, and
//! remembered in the cache folder.

mod check;
mod copy;
mod fit;
mod folder;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::FileReader;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::provider_as_source;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, ident, lit};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use jiff::tz::TimeZone;

use super::cache::{Entry, Stamp};
use super::cell::Cell;
use super::columns::{Column, MIN_SCALE};
use super::error::{Mismatch, MissingColumn, SourceError};
use super::files::{Format, SourceFile, io_reason};
use super::import::{Builder, Context, LINE, Place, Rejects};
use super::objects::{Handle, registered};
use super::options::OnBad;
use super::table::{listing, listing_at, union, view};
use crate::base::did_you_mean;
use crate::plan::query::SAFE_DIGITS;
pub(crate) use fit::ty;
use fit::{Fit, fit};

/// What is known of a file before its rows are read.
pub(crate) struct Header {
    pub schema: SchemaRef,
    pub rows: u64,
    /// For each column its number of nulls, where the file says so.
    pub nulls: Vec<Option<u64>>,
}

/// Opens `files` as one table; also gives the number of rows. What is bad in them goes to `rejects` where the source sets
/// bad rows aside.
pub(crate) fn open(
    files: &[SourceFile],
    format: Format,
    context: &Context,
    rejects: &mut Rejects,
) -> Result<(Arc<dyn TableProvider>, u64), SourceError> {
    let mut parts = Vec::new();
    // Those of the files, and those that are kept of them.
    let (mut before, mut rows) = (0, 0);
    for file in files {
        let header = header(file, format)?;
        let fits = fit_columns(file, context, &header.schema).map_err(|error| error.unlike(file, files))?;
        let stamp = Stamp::found(file)?;
        let entry = Entry::new(context, &file.path, &stamp);
        let questions = check::questions(context.columns, &header);
        let sets_aside = context.options.on_error != OnBad::Fail && !questions.is_empty();
        if !sets_aside {
            checked(file, format, &questions, &entry)?;
        }
        let (read, schema, format, kept) = if sets_aside || context.lines {
            let judged: &[&Column] = if sets_aside { &questions } else { &[] };
            let made = copy::copy(file, format, &header.schema, judged, context, &entry)?;
            rejects.take(&made, &file.shown, context)?;
            (SourceFile::new(made.path, file.shown.clone()), made.schema, Format::Parquet, made.rows)
        } else {
            (file.clone(), header.schema, format, header.rows)
        };
        let folders = file.folders.clone();
        let read = SourceFile { folders, ..read };
        parts.push(Part { file: read, format, schema, fits, before });
        before += header.rows;
        rows += kept;
    }
    let scales = scales(context.columns, &parts);
    let targets = targets(context.columns, &parts, &scales);
    let plans = parts.iter().map(|part| plan(part, (&targets, &scales), context));
    let table = plans.collect::<Result<Vec<_>, _>>().and_then(union).map(view);
    let failed = |error: DataFusionError| SourceError::Unreadable {
        shown: files.first().map_or_else(String::new, |file| file.shown.clone()),
        reason: error.strip_backtrace(),
    };
    Ok((table.map_err(failed)?, rows))
}

/// One file of the table.
struct Part {
    file: SourceFile,
    format: Format,
    schema: SchemaRef,
    fits: Vec<Fit>,
    /// Rows of the files before it.
    before: u64,
}

/// Reads the columns and the number of rows.
pub(crate) fn header(file: &SourceFile, format: Format) -> Result<Header, SourceError> {
    let opened = file
        .open()
        .map_err(|error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) })?;
    if format == Format::Arrow {
        let count = |reader: FileReader<Handle>| -> Result<Header, ArrowError> {
            let schema = reader.schema();
            let rows = reader.map(|batch| batch.map(|batch| batch.num_rows() as u64)).sum::<Result<u64, _>>()?;
            Ok(Header { nulls: vec![None; schema.fields().len()], schema, rows })
        };
        return FileReader::try_new(opened, None).and_then(count).map_err(|error| unreadable(file, format, error));
    }
    let loaded = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::default());
    let loaded = loaded.map_err(|error| unreadable(file, format, error))?;
    let schema = Arc::new(Schema::new(loaded.schema().fields().clone()));
    let nulls = (0..schema.fields().len()).map(|at| check::nulls_of(&loaded, at)).collect();
    Ok(Header { schema, rows: loaded.metadata().file_metadata().num_rows().unsigned_abs(), nulls })
}

/// Reads the columns, and not how many rows there are where that takes reading them.
pub(crate) fn quick_header(file: &SourceFile, format: Format) -> Result<Header, SourceError> {
    if format != Format::Arrow {
        return header(file, format);
    }
    let opened = file
        .open()
        .map_err(|error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) })?;
    let reader = FileReader::try_new(opened, None).map_err(|error| unreadable(file, format, error))?;
    let schema = reader.schema();
    Ok(Header { nulls: vec![None; schema.fields().len()], schema, rows: 0 })
}

fn unreadable(file: &SourceFile, format: Format, error: impl std::fmt::Display) -> SourceError {
    let kind = if format == Format::Arrow { "an arrow" } else { "a parquet" };
    SourceError::Unreadable { shown: file.shown.clone(), reason: format!("it is not {kind} file ({error})") }
}

/// For each declared column how the file's column becomes it. Everything wrong is reported at once.
fn fit_columns(file: &SourceFile, context: &Context, schema: &SchemaRef) -> Result<Vec<Fit>, SourceError> {
    let columns = context.columns;
    let found: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let (mut missing, mut unfit, mut fits) = (Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        if let Some(Place::Folder(value)) = file.folder_place(&column.name) {
            let (_, scale) = folder::value(file, column, value.as_deref(), MIN_SCALE, context)?;
            fits.push(Fit { from: DataType::Null, scale });
            continue;
        }
        let Ok(field) = schema.field_with_name(&column.name) else {
            let spare = found.iter().filter(|name| !columns.iter().any(|column| column.name == **name));
            let nearest = did_you_mean(&column.name, spare.map(String::as_str)).map(str::to_owned);
            missing.push(MissingColumn { name: column.name.clone(), nearest, span: column.span });
            continue;
        };
        match fit(column, field.data_type()) {
            Ok(fit) => fits.push(fit),
            Err(error) => unfit.push(error),
        }
    }
    if missing.is_empty() && unfit.is_empty() {
        return Ok(fits);
    }
    let shown = file.shown.clone();
    Err(SourceError::Columns(Box::new(Mismatch { shown, found, missing, unfit, ..Mismatch::default() })))
}

/// Looks at the values once per file, if there is anything to look at.
fn checked(file: &SourceFile, format: Format, questions: &[&Column], entry: &Entry) -> Result<(), SourceError> {
    if questions.is_empty() || entry.is_marked() {
        return Ok(());
    }
    let mut before = 0;
    for batch in batches(file, format, questions)? {
        let batch = batch.map_err(|error| unreadable(file, format, error))?;
        if let Some(first) = check::bad_cells(&batch, questions).into_iter().next() {
            return Err(check::error(file, first, questions, before));
        }
        before += batch.num_rows() as u64;
    }
    entry.mark()
}

pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The rows of some columns, which come in the file's order.
pub(super) fn batches(file: &SourceFile, format: Format, columns: &[&Column]) -> Result<Batches, SourceError> {
    let opened = file
        .open()
        .map_err(|error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) })?;
    let failed = |error: &dyn std::fmt::Display| unreadable(file, format, error);
    let places = |schema: &Schema| -> Vec<usize> {
        let wanted = |at: &usize| columns.iter().any(|column| column.name == *schema.field(*at).name());
        (0..schema.fields().len()).filter(wanted).collect()
    };
    if format == Format::Arrow {
        let reader = FileReader::try_new(opened, None).map_err(|error| failed(&error))?;
        let places = places(&reader.schema());
        return Ok(Box::new(reader.map(move |batch| batch?.project(&places))));
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| failed(&error))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places(builder.schema()));
    let reader = builder.with_projection(mask).with_batch_size(8192).build();
    Ok(Box::new(reader.map_err(|error| failed(&error))?))
}

/// The largest scale of each column over all files.
fn scales(columns: &[Column], parts: &[Part]) -> Vec<u8> {
    let least = vec![MIN_SCALE; columns.len()];
    parts
        .iter()
        .fold(least, |scales, part| scales.iter().zip(&part.fits).map(|(scale, fit)| *scale.max(&fit.scale)).collect())
}

/// The type of each column. Decimals of few digits stay as they are if all files have them so: sums of wider ones have to
/// be made with more digits than the engine has at hand.
fn targets(columns: &[Column], parts: &[Part], scales: &[u8]) -> Vec<DataType> {
    let target = |at: usize| {
        let (column, scale) = (&columns[at], scales[at]);
        let mut found = parts.iter().map(|part| &part.fits[at].from);
        match found.next() {
            Some(first @ DataType::Decimal128(..=SAFE_DIGITS, own))
                if *own == scale as i8 && column.default.is_none() && found.all(|other| other == first) =>
            {
                first.clone()
            }
            _ => column.kind.arrow(scale),
        }
    };
    (0..columns.len()).map(target).collect()
}

/// The rows of one file as declared.
fn plan(
    part: &Part,
    (targets, scales): (&[DataType], &[u8]),
    context: &Context,
) -> Result<LogicalPlan, DataFusionError> {
    let reader: Arc<dyn FileFormat> = match part.format {
        Format::Arrow => Arc::new(ArrowFormat),
        Format::Parquet | Format::Text => Arc::new(ParquetFormat::default()),
    };
    let table = match &part.file.object {
        None => listing(&[&part.file.path], reader, part.schema.clone())?,
        Some(object) => {
            let table = listing_at(vec![ListingTableUrl::parse(object.url())?], reader, part.schema.clone())?;
            registered(table, &object.bucket)
        }
    };
    let columns = context.columns.iter().zip(&part.fits).zip(scales).zip(targets);
    let columns = columns.map(|(((column, fit), scale), target)| match part.file.folder_place(&column.name) {
        Some(Place::Folder(value)) => {
            let value = folder::value(&part.file, column, value.as_deref(), *scale, context);
            let (value, _) = value.map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(value.alias(&column.name))
        }
        _ => expression((column, target), fit, *scale, context.zone),
    });
    let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
    if context.lines {
        columns.push((ident(LINE) + lit(part.before as i64)).alias(LINE));
    }
    let scan = LogicalPlanBuilder::scan("file", provider_as_source(table), None)?;
    scan.project(columns)?.build()
}

fn expression(
    (column, target): (&Column, &DataType),
    fit: &Fit,
    scale: u8,
    zone: &TimeZone,
) -> Result<Expr, DataFusionError> {
    let raw = ident(&column.name);
    let value = match &fit.from {
        same if same == target => raw,
        DataType::Timestamp(unit, None) => fit::in_zone(cast(raw, DataType::Timestamp(*unit, None)), zone),
        _ => cast(raw, target.clone()),
    };
    let value = match &column.default {
        None => value,
        Some(_) => {
            let mut builder = Builder::new(column, scale)?;
            builder.append(Cell::Default, "");
            coalesce(vec![value, lit(ScalarValue::try_from_array(&builder.finish(), 0)?)])
        }
    };
    Ok(value.alias(&column.name))
}
