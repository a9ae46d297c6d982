//! What `new` remembers: keys as files of the state directory, or ranges of a value that grows.
//!
//! A memory is a list of takes. Each says exactly what it took, so that giving one back leaves the others as they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::audiences::Remembered;
use super::error::RunError;
use super::executor::SnapshotFile;
use super::sources;
use super::store::{Seen, Store, StoreError, TakeRecord};
use super::tables::{parquet_batches, parquet_schema, without_numbers};
use crate::diag::{Problem, codes};
use crate::hir::{Entity, Value};
use crate::plan::query::{QueryError, Taken};

/// The folder of remembered keys in the state directory.
const FOLDER: &str = "memories";

/// Values above the first, if there is one, up to and with the second.
type Range = (Option<Value>, Value);

/// What a memory is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    /// Its name.
    pub memory: &'q str,
    /// Whose rows.
    pub entity: &'q Entity,
    /// What grows.
    pub by: Option<&'q str>,
    /// Whether the takes of runs on a virtual clock count, in the first state.
    pub simulated: bool,
}

/// What runs took before, in all states that can be seen.
///
/// # Errors
/// `run::other_memory`; a file that cannot be read.
pub(crate) fn taken(remembered: &[Remembered<'_>], question: Question<'_>) -> Result<Taken, QueryError> {
    let broken = |error: StoreError| QueryError::Source(error.to_string());
    let takes = takes(remembered, question.memory, question.simulated).map_err(broken)?;
    let Some((first, _)) = takes.first() else { return Ok(Taken::Nothing) };
    fits(first, question)?;
    if question.by.is_some() {
        let ranges = takes.into_iter().flat_map(|(take, _)| take.ranges).collect();
        return Ok(Taken::Ranges(merged(ranges)));
    }
    let paths: Vec<PathBuf> =
        takes.iter().filter_map(|(take, state)| take.file.as_ref().map(|file| state.join(file))).collect();
    keys_table(&paths, question.memory)
}

/// The takes of a memory that count, and the state directory each is in. What was taken on a virtual clock counts only
/// in the first state, and only if `simulated`.
pub(crate) fn takes<'r>(
    remembered: &'r [Remembered<'_>],
    memory: &str,
    simulated: bool,
) -> Result<Vec<(TakeRecord, &'r Path)>, StoreError> {
    let mut takes = Vec::new();
    for (at, one) in remembered.iter().enumerate() {
        let counts = |take: &TakeRecord| !take.simulated || (simulated && at == 0);
        let found = one.store.takes(Some(memory))?.into_iter().filter(counts);
        takes.extend(found.map(|take| (take, one.state.as_path())));
    }
    Ok(takes)
}

fn keys_table(paths: &[PathBuf], memory: &str) -> Result<Taken, QueryError> {
    let Some(first) = paths.first() else { return Ok(Taken::Nothing) };
    let schema = parquet_schema(first).map_err(|reason| {
        QueryError::Source(format!("what the memory `{memory}` holds cannot be read: {}: {reason}", first.display()))
    })?;
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let keys: Arc<dyn TableProvider> = sources::parquet_files(&paths, without_numbers(&schema))?;
    Ok(Taken::Keys(keys))
}

/// A memory holds rows of one entity, by key or by one field.
fn fits(take: &TakeRecord, question: Question<'_>) -> Result<(), QueryError> {
    let what = |entity: &str, by: Option<&str>| match by {
        Some(by) => format!("`{entity}` by `{by}`"),
        None => format!("`{entity}` by key"),
    };
    let (held, wanted) = (what(&take.entity, take.by.as_deref()), what(&question.entity.name, question.by));
    if held == wanted {
        return Ok(());
    }
    let message = format!("the memory `{}` holds rows of {held}, not of {wanted}", question.memory);
    let help = "give this `new` a memory of its own, as in `new \"other name\"`";
    Err(QueryError::Problem(Box::new(Problem::outside(codes::run::OTHER_MEMORY, message).help(help))))
}

/// How a memory is now, to notice when it changes.
pub(crate) fn seen(store: &dyn Store, memory: &str) -> Result<Seen, StoreError> {
    let takes = store.takes(Some(memory))?;
    Ok(Seen { takes: takes.len() as u64, last: takes.last().map_or(0, |take| take.id) })
}

/// The file for the keys of a take, relative to the state directory. `unique` tells takes of a memory apart.
pub(crate) fn keys_file(memory: &str, unique: &str) -> String {
    let stem: String = memory.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '.').take(32).collect();
    let hash = blake3::hash(format!("{memory}\0{unique}").as_bytes());
    format!("{FOLDER}/{stem}-{}.parquet", &hash.to_hex()[..16])
}

/// Copies the key columns of a frozen population. Returns the number of rows.
pub(crate) fn write_keys(rows: &Path, entity: &Entity, to: &Path) -> Result<u64, RunError> {
    let mut writer = SnapshotFile::create(to)?;
    let mut schema = None;
    for batch in parquet_batches(rows)? {
        let batch = batch.map_err(|error| super::executor::file_error(rows, &error))?;
        let places = entity.key.iter().map(|key| batch.schema().index_of(&entity[*key].name));
        let places: Vec<usize> = places.collect::<Result<_, _>>().map_err(QueryError::from_arrow)?;
        let keys = batch.project(&places).map_err(QueryError::from_arrow)?;
        schema.get_or_insert_with(|| keys.schema());
        writer.write(&keys)?;
    }
    writer.finish(schema.as_ref())
}

/// What a take up to `highest` takes, beside what is taken already.
pub(crate) fn untaken(covered: Vec<Range>, highest: &Value) -> Vec<Range> {
    let mut free = Vec::new();
    // Below this everything is decided; before the first range nothing is.
    let mut from: Option<Value> = None;
    for (low, high) in merged(covered) {
        if let Some(low) = low
            && from.as_ref().is_none_or(|from| from.compare(&low).is_lt())
        {
            let low = if low.compare(highest).is_lt() { low } else { highest.clone() };
            if from.as_ref().is_none_or(|from| from.compare(&low).is_lt()) {
                free.push((from, low));
            }
        }
        from = Some(high);
    }
    if from.as_ref().is_none_or(|from| from.compare(highest).is_lt()) {
        free.push((from, highest.clone()));
    }
    free
}

/// The same values in as few ranges as possible, in order.
pub(crate) fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let low = |a: &Range, b: &Range| match (&a.0, &b.0) {
        (None, None) => Equal,
        (None, _) => Less,
        (_, None) => Greater,
        (Some(a), Some(b)) => a.compare(b),
    };
    ranges.sort_by(low);
    let mut out: Vec<Range> = Vec::new();
    for (low, high) in ranges {
        match out.last_mut() {
            Some((_, end)) if low.as_ref().is_none_or(|low| low.compare(end).is_le()) => {
                if high.compare(end).is_gt() {
                    *end = high;
                }
            }
            _ => out.push((low, high)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: Option<i64>, to: i64) -> Range {
        (from.map(Value::Int), Value::Int(to))
    }

    #[test]
    fn ranges_are_merged() {
        let ranges = vec![range(Some(5), 7), range(None, 3), range(Some(2), 4), range(Some(7), 9)];
        assert_eq!(merged(ranges), [range(None, 4), range(Some(5), 9)]);
    }

    #[test]
    fn a_take_takes_what_is_free_and_what_was_given_back() {
        assert_eq!(untaken(vec![], &Value::Int(5)), [range(None, 5)]);
        assert_eq!(untaken(vec![range(None, 5)], &Value::Int(9)), [range(Some(5), 9)]);
        assert_eq!(untaken(vec![range(None, 5)], &Value::Int(5)), []);
        let holed = vec![range(None, 3), range(Some(6), 9)];
        assert_eq!(untaken(holed.clone(), &Value::Int(12)), [range(Some(3), 6), range(Some(9), 12)]);
        assert_eq!(untaken(holed.clone(), &Value::Int(4)), [range(Some(3), 4)]);
        assert_eq!(untaken(vec![range(Some(6), 9)], &Value::Int(9)), [range(None, 6)]);
        // Together they are whole again.
        let again = untaken(holed.clone(), &Value::Int(12));
        assert_eq!(merged(holed.into_iter().chain(again).collect()), [range(None, 12)]);
    }
}
