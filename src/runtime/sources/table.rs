//! Tables over Parquet files.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident, lit};

use super::error::SourceError;
use super::import::{Imported, LINE};

/// One table of several imports of the same columns.
pub(crate) fn of_imports(imports: &[Imported]) -> Result<Arc<dyn TableProvider>, SourceError> {
    let failed = |error: DataFusionError| SourceError::Unreadable {
        shown: imports.first().map_or_else(String::new, |one| one.path.display().to_string()),
        reason: error.to_string(),
    };
    let schema = widest(imports);
    let has_line = schema.fields().last().is_some_and(|field| field.name() == LINE);
    if has_line && imports.len() > 1 {
        return counted(imports, &schema).map_err(failed);
    }
    let paths: Vec<&Path> = imports.iter().map(|one| one.path.as_path()).collect();
    listing(&paths, Arc::new(ParquetFormat::default()), schema).map_err(failed)
}

/// A table over files of one format and one schema.
pub(crate) fn listing(
    paths: &[&Path],
    format: Arc<dyn FileFormat>,
    schema: SchemaRef,
) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let urls = paths.iter().map(|path| file_url(path)).collect::<Result<Vec<_>, _>>()?;
    listing_at(urls, format, schema)
}

/// The same, wherever the files are.
pub(crate) fn listing_at(
    urls: Vec<ListingTableUrl>,
    format: Arc<dyn FileFormat>,
    schema: SchemaRef,
) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let options = ListingOptions::new(format).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// The file's address, written as a URL so that signs of a pattern in it mean themselves.
fn file_url(path: &Path) -> Result<ListingTableUrl, DataFusionError> {
    let absolute = std::path::absolute(path)?.to_string_lossy().replace('\\', "/");
    let mut url = String::from(if absolute.starts_with('/') { "file://" } else { "file:///" });
    for byte in absolute.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b':' => url.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    ListingTableUrl::parse(url)
}

/// The imports one after the other, with lines that count on.
fn counted(imports: &[Imported], schema: &SchemaRef) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let mut before = 0;
    let mut plans = Vec::new();
    for one in imports {
        let table = listing(&[&one.path], Arc::new(ParquetFormat::default()), schema.clone())?;
        let columns = schema.fields().iter().map(|field| {
            if field.name() == LINE { (ident(LINE) + lit(before)).alias(LINE) } else { ident(field.name()) }
        });
        let scan = LogicalPlanBuilder::scan("file", provider_as_source(table), None)?;
        plans.push(scan.project(columns.collect::<Vec<_>>())?.build()?);
        before += one.lines as i64;
    }
    Ok(view(union(plans)?))
}

fn widest(imports: &[Imported]) -> SchemaRef {
    let Some((first, rest)) = imports.split_first() else { return Arc::new(Schema::empty()) };
    let fields = first.schema.fields().iter().enumerate().map(|(at, field)| {
        let scale = |one: &Imported| match one.schema.field(at).data_type() {
            DataType::Decimal128(_, scale) => *scale,
            _ => 0,
        };
        match field.data_type() {
            DataType::Decimal128(precision, first) => {
                let scale = rest.iter().map(scale).fold(*first, i8::max);
                Field::new(field.name(), DataType::Decimal128(*precision, scale), field.is_nullable())
            }
            _ => field.as_ref().clone(),
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A plan as a table, which the optimizer looks through.
pub(crate) fn view(plan: LogicalPlan) -> Arc<dyn TableProvider> {
    Arc::new(ViewTable::new(plan, None))
}

/// The plans one after the other.
pub(crate) fn union(plans: Vec<LogicalPlan>) -> Result<LogicalPlan, DataFusionError> {
    let mut plans = plans.into_iter();
    let Some(first) = plans.next() else { return LogicalPlanBuilder::empty(false).build() };
    plans.try_fold(LogicalPlanBuilder::from(first), |plan, next| plan.union(next))?.build()
}
