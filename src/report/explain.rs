//! How populations were computed: what they are in the language's words, what the engine made of them, what it cost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::text::{count, elapsed};
use crate::base::SourceMap;
use crate::diag::safe_text;
use crate::hir::{Query, QueryKind};
use crate::plan::query::Work;
use crate::runtime::{Observer, Progress};

/// Notes how each population of a rehearsal was computed.
pub struct Explainer<'s> {
    sources: &'s SourceMap,
    found: Mutex<Vec<Explained>>,
}

/// A population and what computing it took. Fields are only ever added.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// The statement in a few words.
    pub statement: String,
    /// Where rows come from, then each clause, as written.
    pub logical: Vec<String>,
    /// The engine's operators, the last first.
    pub engine: Vec<EngineStep>,
    /// Rows of the population.
    pub rows: u64,
    /// Bytes read from files, as they are stored; 0 for sources that are no Parquet files.
    pub bytes_read: u64,
    /// Bytes that did not fit into memory and went through the disk.
    pub spilled_bytes: u64,
    /// How long it took, writing included.
    pub milliseconds: u64,
    /// What was done otherwise than for a population alone, and why.
    pub notes: Vec<String>,
}

/// An operator of the engine. Fields are only ever added.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EngineStep {
    /// How far below the last operator.
    pub depth: usize,
    /// In the engine's words.
    pub operator: String,
    /// Rows that came out of it, where it counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Time of all threads together.
    pub milliseconds: u64,
}

/// Longest description of an operator that is shown, in characters.
const WIDEST: usize = 160;

impl<'s> Explainer<'s> {
    /// For a script with these texts.
    pub fn new(sources: &'s SourceMap) -> Self {
        Self { sources, found: Mutex::default() }
    }

    /// What was computed, in the order in which it was.
    pub fn found(&self) -> Vec<Explained> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn explained(&self, title: &str, query: &Query, rows: u64, work: &Work, took: Duration) -> Explained {
        let mut logical = Vec::new();
        clauses(self.sources, query, &mut logical);
        let step = |operator: &crate::plan::query::Operator| EngineStep {
            depth: operator.depth,
            operator: operator.text.clone(),
            rows: operator.rows,
            milliseconds: operator.nanos / 1_000_000,
        };
        let mut notes = Vec::new();
        if work.sorted_joins {
            notes.push("one side of a hash join did not fit into memory: joined by sorting instead".to_owned());
        }
        if let Some(first) = &work.together_with {
            notes.push(format!("computed in one pass with `{first}`, which reads the rows of both"));
        }
        Explained {
            statement: title.to_owned(),
            logical,
            engine: work.operators.iter().map(step).collect(),
            rows,
            bytes_read: work.bytes_read,
            spilled_bytes: work.spilled,
            milliseconds: took.as_millis().try_into().unwrap_or(u64::MAX),
            notes,
        }
    }
}

impl Observer for Explainer<'_> {
    fn on(&self, progress: Progress<'_>) {
        if let Progress::Computed { title, query, rows, work, took } = progress {
            let explained = self.explained(title, query, rows, work, took);
            self.found.lock().unwrap_or_else(PoisonError::into_inner).push(explained);
        }
    }
}

impl Explained {
    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.statement.clone()];
        for (at, clause) in self.logical.iter().enumerate() {
            lines.push(format!("  {}{clause}", if at == 0 { "" } else { "  " }));
        }
        let spill = match self.spilled_bytes {
            0 => "no spill".to_owned(),
            bytes => format!("{} spilled", size(bytes)),
        };
        let took = elapsed(Duration::from_millis(self.milliseconds));
        lines.push(format!("  {} rows · {} read · {took} · {spill}", count(self.rows), size(self.bytes_read)));
        lines.extend(self.notes.iter().map(|note| format!("  note: {note}")));
        for step in &self.engine {
            let rows = step.rows.map_or(String::new(), |rows| format!(" · {} rows", count(rows)));
            let time = match step.milliseconds {
                0 => String::new(),
                millis => format!(" · {}", elapsed(Duration::from_millis(millis))),
            };
            let text: String = match step.operator.char_indices().nth(WIDEST) {
                Some((end, _)) => format!("{}…", &step.operator[..end]),
                None => step.operator.clone(),
            };
            lines.push(format!("  │ {}{}{rows}{time}", "  ".repeat(step.depth), safe_text(&text)));
        }
        lines
    }
}

/// Where rows come from, then each clause with what it is made from, as written.
fn clauses(sources: &SourceMap, query: &Query, out: &mut Vec<String>) {
    let whole = |query: &Query| sources.text(query.span).split_whitespace().collect::<Vec<_>>().join(" ");
    match query.input() {
        // In parentheses the clauses are not a list of their own any more.
        Some(input) if inside(query, input) => {
            clauses(sources, input, out);
            let mut own = query.span;
            own.start = input.span.end;
            let text = sources.text(own).trim_start_matches([')', ' ', '\n', '\r', '\t']);
            out.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        _ => {
            let frozen = matches!(query.kind, QueryKind::Local(_));
            out.push(format!("{}{}", whole(query), if frozen { " (frozen before)" } else { "" }));
        }
    }
}

/// Whether one text begins with the other and goes on.
fn inside(query: &Query, input: &Query) -> bool {
    query.span.source == input.span.source && query.span.start <= input.span.start && input.span.end < query.span.end
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }
}
