//! The problems of several scripts as one list. Files that several scripts use are shown once.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::base::{SourceId, SourceMap, Span};
use crate::cli::environment::shown_path;
use crate::diag::{Problem, Problems};
use crate::project::Project;

/// What was found in some scripts.
#[derive(Default)]
pub(super) struct Findings {
    /// All files, named as seen from the current folder.
    pub sources: SourceMap,
    /// All problems; their spans are in `sources`.
    pub problems: Problems,
    /// Where each file is on disk; files of the embedded library are nowhere.
    pub paths: HashMap<SourceId, PathBuf>,
    known: HashMap<PathBuf, SourceId>,
}

impl Findings {
    /// How many files were read from disk.
    pub fn files(&self) -> usize {
        self.paths.len()
    }

    /// Adds what was found in one script.
    pub fn add(&mut self, project: &Project, analysis: &Analysis) {
        let mut ids: HashMap<SourceId, SourceId> = HashMap::new();
        // Only what was parsed is a file; columns of data are kept beside them.
        let parsed = |id: SourceId| analysis.files.iter().any(|parsed| parsed.source == id);
        for (id, file) in analysis.sources.files().filter(|(id, _)| parsed(*id)) {
            let library = analysis.files.iter().any(|parsed| parsed.source == id && parsed.library);
            let path = if library { PathBuf::from(&file.name) } else { project.base.join(&file.name) };
            let merged = *self.known.entry(path.clone()).or_insert_with(|| {
                let name = if library { file.name.clone() } else { shown_path(&path) };
                let merged = self.sources.add(name, file.text.as_str());
                if !library {
                    self.paths.insert(merged, path);
                }
                merged
            });
            ids.insert(id, merged);
        }
        self.problems.extend(analysis.problems.iter().map(|problem| moved(problem.clone(), &ids)));
    }
}

/// The problem with its spans in other files.
fn moved(mut problem: Problem, ids: &HashMap<SourceId, SourceId>) -> Problem {
    let moved = |span: &mut Span| {
        if let Some(id) = ids.get(&span.source) {
            span.source = *id;
        }
    };
    problem.labels.iter_mut().for_each(|label| moved(&mut label.span));
    if let Some(fix) = &mut problem.fix {
        moved(&mut fix.span);
    }
    problem
}
