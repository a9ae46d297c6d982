//! The scripts of a project, looked at again whenever one of their files has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::super::{Context, Failure, host, workspace};
use crate::analysis::Analysis;
use crate::diag::Problems;
use crate::hir::{Content, Signal};
use crate::plan::Plan;
use crate::project::Project;
use crate::runtime::Scripts;
use crate::runtime::clock::Stopwatch;

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// Scripts as they were when they were read last.
pub struct ProjectScripts<'p> {
    project: &'p Project,
    context: &'p Context,
    state: Mutex<State>,
    signals: Arc<Mutex<BTreeMap<String, Signal>>>,
}

struct State {
    looked: Stopwatch,
    /// Every file that was read, with what the file system said of it.
    seen: BTreeMap<PathBuf, Option<(SystemTime, u64)>>,
    scripts: Scripts,
    /// Whether somebody has asked for what is known.
    told: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'p> ProjectScripts<'p> {
    /// Reads every script of a project and shows what is wrong with them.
    pub fn new(project: &'p Project, context: &'p Context) -> Self {
        let state =
            State { looked: Stopwatch::start(), seen: BTreeMap::new(), scripts: Scripts::default(), told: false };
        let scripts = Self { project, context, state: Mutex::new(state), signals: Arc::default() };
        scripts.read(&mut locked(&scripts.state));
        scripts
    }

    /// The scripts, if they have changed since they were asked for last.
    pub fn changed(&self) -> Option<Scripts> {
        let mut state = locked(&self.state);
        if state.told {
            if state.looked.elapsed() < PAUSE {
                return None;
            }
            state.looked = Stopwatch::start();
            if self.files(&state) == state.seen {
                return None;
            }
            self.read(&mut state);
        }
        state.told = true;
        Some(state.scripts.clone())
    }

    /// Campaigns that start by themselves, by file.
    pub fn declared(&self) -> Vec<(String, Arc<Plan>)> {
        locked(&self.state).scripts.declared.clone()
    }

    /// How many there are.
    pub fn known(&self) -> usize {
        locked(&self.state).scripts.declared.len()
    }

    /// Is a script wrong?
    pub fn is_broken(&self) -> bool {
        !locked(&self.state).scripts.broken.is_empty()
    }

    /// The signals that scripts declare, as they are at any time.
    pub fn signals(&self) -> Arc<Mutex<BTreeMap<String, Signal>>> {
        Arc::clone(&self.signals)
    }

    fn scripts(&self) -> Vec<PathBuf> {
        workspace::own_scripts(self.project, &self.context.globals)
    }

    /// What the file system says of every file that matters.
    fn files(&self, state: &State) -> BTreeMap<PathBuf, Option<(SystemTime, u64)>> {
        let all = self.scripts().into_iter().chain(state.seen.keys().cloned());
        all.map(|path| {
            let data = std::fs::metadata(&path).ok();
            let said = data.and_then(|data| Some((data.modified().ok()?, data.len())));
            (path, said)
        })
        .collect()
    }

    /// Reads every script anew.
    fn read(&self, state: &mut State) {
        let (mut scripts, mut signals) = (Scripts::default(), BTreeMap::new());
        state.seen.clear();
        for path in self.scripts() {
            let file = workspace::inner_path(self.project, &path);
            let analysis = workspace::analyze(self.project, &path);
            for used in used_files(&analysis) {
                state.seen.insert(self.project.base.join(used), None);
            }
            if analysis.problems.has_errors() {
                self.show(&analysis.problems, &analysis);
                scripts.broken.push(file);
                continue;
            }
            signals.extend(analysis.program.signals.iter().map(|signal| (signal.name.clone(), signal.clone())));
            match host::starting_plans(&analysis) {
                Ok(plans) => scripts.declared.extend(plans.into_iter().map(|plan| (file.clone(), Arc::new(plan)))),
                Err(failure) => {
                    self.show(&failure.problems, &analysis);
                    scripts.broken.push(file);
                }
            }
        }
        let schema = workspace::workspace(self.project).analyze_text("<signal>", "").program.signals;
        signals.extend(schema.into_iter().map(|signal| (signal.name.clone(), signal)));
        *locked(&self.signals) = signals;
        state.seen = self.files(state);
        state.scripts = scripts;
    }

    fn show(&self, problems: &Problems, analysis: &Analysis) {
        let failure = Failure {
            problems: problems.clone(),
            sources: analysis.sources.clone(),
            exit: super::super::Exit::Problems,
        };
        failure.remark(&self.context.output);
    }
}

/// The files of a project that an analysis has read: texts and templates.
fn used_files(analysis: &Analysis) -> Vec<String> {
    let texts = analysis.sources.files().map(|(_, file)| file.name.clone());
    let contents = analysis.program.messages.iter().flat_map(|message| &message.fields);
    let templates = contents.filter_map(|(_, content)| match content {
        Content::File { path, .. } => Some(path.clone()),
        Content::Inline(_) => None,
    });
    texts.chain(templates).filter(|name| !name.contains([':', '<'])).collect()
}
