//! Layer 3: from files to a checked program. The only place that chains the phases.
//!
//! A [`Workspace`] knows where files come from and what the project sets; it makes an [`Analysis`] of one script and
//! everything that the script uses. It does no input or output itself: a [`Loader`] does.
//!
//! ```
//! use orch::analysis::Workspace;
//!
//! let analysis = Workspace::from_files([
//!     ("schema.orch", "entity customers { id: int key; email: email?; spend: decimal }"),
//!     ("vip.orch", "segment vip = customers where spend > 500; send email to vip"),
//! ])
//! .schema(["schema.orch"])
//! .analyze("vip.orch");
//!
//! assert!(!analysis.problems.has_errors());
//! assert_eq!(analysis.program.campaigns[0].name, "vip");
//! ```

mod allow;
mod columns;
pub mod docs;
mod echo;
mod load;

use std::collections::HashMap;

use crate::base::{SourceId, SourceMap};
use crate::diag::{Problem, Problems, RenderStyle, Severity, render_all};
use crate::hir::{Environment, ParsedFile, Program, SourceLocation, Ty, Value, check_program};

/// Where files come from. Paths are relative to the project, with `/`.
pub trait Loader {
    /// The text of a file, or why it cannot be read (in a few words, such as `no such file`).
    fn read(&self, path: &str) -> Result<String, String>;

    /// The columns of an entity that has no block, from the header of its data, or why they cannot be known.
    fn schema(&self, request: &SchemaRequest<'_>) -> Result<Vec<(String, Ty)>, String> {
        let _ = request;
        Err("columns of data are not read here".to_owned())
    }
}

/// An entity whose columns are asked for.
#[derive(Clone, Debug)]
pub struct SchemaRequest<'r> {
    /// The entity's name.
    pub entity: &'r str,
    /// Where its rows come from, as written.
    pub location: SourceLocation,
    /// Its options, as far as they are constants.
    pub options: Vec<(String, Value)>,
    /// The file that declares it.
    pub file: &'r str,
}

/// Files in memory.
impl Loader for HashMap<String, String> {
    fn read(&self, path: &str) -> Result<String, String> {
        self.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    /// As an earlier analysis found them: see [`Analysis::sources`].
    fn schema(&self, request: &SchemaRequest<'_>) -> Result<Vec<(String, Ty)>, String> {
        let text = self.get(&columns::file_name(request.entity));
        let text = text.ok_or_else(|| "columns of data are not read here".to_owned())?;
        columns::read(text).ok_or_else(|| "what was kept of its columns cannot be understood".to_owned())
    }
}

/// A project: its files and what it sets.
pub struct Workspace {
    loader: Box<dyn Loader>,
    schema: Vec<String>,
    default_topic: Option<String>,
    timezone: Option<String>,
}

/// What is known about a script after checking it.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// All texts that were read. Columns that were read from data are among them, as `schema:ENTITY`, so that whoever
    /// keeps the texts can make the same analysis again.
    pub sources: SourceMap,
    /// The files in the order they were checked: the library's, the project's schema, used files, the script.
    pub files: Vec<ParsedFile>,
    /// The script itself, if it could be read.
    pub entry: Option<SourceId>,
    /// What it means. Complete only if there are no errors.
    pub program: Program,
    /// What is wrong with it, in the order of places.
    pub problems: Problems,
}

impl Workspace {
    /// A project whose files come from `loader`.
    pub fn new(loader: impl Loader + 'static) -> Self {
        Self { loader: Box::new(loader), schema: Vec::new(), default_topic: None, timezone: None }
    }

    /// A project whose files are given as pairs of path and text.
    pub fn from_files<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files: HashMap<String, String> = files.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        Self::new(files)
    }

    /// Files whose declarations every script sees.
    #[must_use]
    pub fn schema<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.schema = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The topic of messages that name none.
    #[must_use]
    pub fn default_topic(mut self, topic: impl Into<String>) -> Self {
        self.default_topic = Some(topic.into());
        self
    }

    /// The IANA name of the project's time zone.
    #[must_use]
    pub fn timezone(mut self, zone: impl Into<String>) -> Self {
        self.timezone = Some(zone.into());
        self
    }

    /// Checks the script at `path` with all that it uses.
    pub fn analyze(&self, path: &str) -> Analysis {
        self.finish(load::Load::new(&*self.loader).project(&self.schema).entry(path))
    }

    /// Checks a text that is in no file, such as what was typed, as if it were the file `name`.
    ///
    /// ```
    /// use orch::analysis::Workspace;
    ///
    /// let nothing = Workspace::from_files([("a.orch", "")]);
    /// let analysis = nothing.analyze_text("<input>", "log \"hello\"");
    /// assert!(analysis.problems.is_empty());
    /// ```
    pub fn analyze_text(&self, name: &str, text: &str) -> Analysis {
        self.finish(load::Load::new(&*self.loader).project(&self.schema).entry_text(name, text))
    }

    fn finish(&self, mut loaded: load::Load<'_>) -> Analysis {
        let environment = Environment {
            schemas: loaded.schemas(),
            templates: loaded.templates(),
            default_topic: self.default_topic.clone(),
            timezone: self.timezone.clone(),
        };
        let load::Loaded { sources, files, comments, entry, mut problems } = loaded.finish();
        let (program, found) = check_program(&files, &environment);
        let broken = problems.has_errors();
        problems.extend(echo::without_echoes(found, &files, &sources, broken));
        let mut problems = allow::suppress(problems, &comments, &sources);
        problems.finish();
        Analysis { sources, files, entry, program, problems }
    }
}

impl Analysis {
    /// Problems as people read them: at most 50 of them, the rest counted, with a line that says how many there are.
    /// Empty if there are none.
    pub fn render(&self, style: RenderStyle) -> String {
        if self.problems.is_empty() {
            return String::new();
        }
        let files = self.files.iter().filter(|file| !file.library).count();
        render_all(&self.problems, &self.sources, style, files)
    }

    /// Only the errors.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}
