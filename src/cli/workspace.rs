//! Scripts on disk: which ones a command means, and their analysis.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::failure::reason;
use super::{Failure, Globals, project};
#[cfg(feature = "engine")]
use crate::analysis::SchemaRequest;
use crate::analysis::{Analysis, Loader, Workspace};
#[cfg(feature = "engine")]
use crate::base::{SourceId, Span};
use crate::diag::{Problem, codes};
#[cfg(feature = "engine")]
use crate::hir::{Source, Ty};
use crate::project::Project;
#[cfg(feature = "engine")]
use crate::runtime::sources::Places;

/// Folders that hold no scripts of ours.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// Files of a project. Paths are relative to its base folder.
struct Disk {
    base: PathBuf,
    /// Bound sources, for entities without a block. Nothing is connected to for any other.
    #[cfg(feature = "engine")]
    sources: std::collections::BTreeMap<String, crate::runtime::SourceBinding>,
}

impl Loader for Disk {
    fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.base.join(path)).map_err(|error| reason(&error))
    }

    #[cfg(feature = "engine")]
    fn schema(&self, request: &SchemaRequest<'_>) -> Result<Vec<(String, Ty)>, String> {
        let folder = Path::new(request.file).parent().unwrap_or(Path::new(""));
        let nowhere = Span::new(SourceId(0), 0, 0);
        let source =
            Source { location: request.location.clone(), options: request.options.clone(), fresh: None, span: nowhere };
        let base = self.base.join(folder);
        let places = Places { base: &base, project: &self.base, bindings: &self.sources };
        let columns = crate::runtime::sources::columns(&source, places);
        columns.map_err(|problem| {
            let help = problem.help.map(|help| format!("; {}", help.replace('\n', "; ")));
            problem.message + &help.unwrap_or_default()
        })
    }
}

/// What the checker needs to know of a project.
pub fn workspace(project: &Project) -> Workspace {
    let settings = &project.settings.project;
    let workspace = Workspace::new(Disk {
        base: project.base.clone(),
        #[cfg(feature = "engine")]
        sources: super::channels::sources(project),
    })
    .schema(settings.schema.clone())
    .timezone(settings.timezone.name());
    match &settings.default_topic {
        Some(topic) => workspace.default_topic(topic.clone()),
        None => workspace,
    }
}

/// Checks the script at `path`, relative to the current folder, in its project.
pub fn analyze(project: &Project, path: &Path) -> Analysis {
    workspace(project).analyze(&inner_path(project, path))
}

/// A path as the project knows it: relative to its base, with `/`. Files outside keep their whole path.
pub fn inner_path(project: &Project, path: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, base) = (absolute(path), absolute(&project.base));
    let inner = path.strip_prefix(&base).unwrap_or(&path);
    let parts = inner.components().filter(|part| !matches!(part, Component::CurDir));
    let joined = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    joined.replacen("//", "/", 1)
}

/// The scripts that the arguments of a command mean, by project: files as they are, all scripts below a folder; without
/// arguments all scripts of the current project.
///
/// # Errors
/// A path that does not exist, a folder without scripts, a project that cannot be opened.
pub fn scripts(paths: &[PathBuf], globals: &Globals) -> Result<Vec<(Project, Vec<PathBuf>)>, Failure> {
    let mut projects: BTreeMap<PathBuf, (Project, Vec<PathBuf>)> = BTreeMap::new();
    let mut add = |file: PathBuf| -> Result<(), Failure> {
        let project = project::open(globals, &file)?;
        let (_, files) = projects.entry(project.base.clone()).or_insert_with(|| (project, Vec::new()));
        if !files.contains(&file) {
            files.push(file);
        }
        Ok(())
    };
    let whole = [project::open(globals, Path::new("."))?.base];
    for path in if paths.is_empty() { &whole } else { paths } {
        let data = std::fs::metadata(path).map_err(|error| Failure::unreadable(path, &error))?;
        if !data.is_dir() {
            add(path.clone())?;
            continue;
        }
        let found = below(path);
        if found.is_empty() {
            return Err(no_scripts(path).into());
        }
        for file in found {
            add(file)?;
        }
    }
    Ok(projects.into_values().collect())
}

/// All scripts of one project.
#[cfg(feature = "engine")]
pub fn own_scripts(project: &Project, globals: &Globals) -> Vec<PathBuf> {
    // A folder without any script has none.
    let found = scripts(std::slice::from_ref(&project.base), globals).unwrap_or_default();
    found.into_iter().filter(|(owner, _)| owner.base == project.base).flat_map(|(_, files)| files).collect()
}

fn no_scripts(folder: &Path) -> Problem {
    Problem::outside(codes::run::UNREADABLE_FILE, format!("there is no script in `{}`", folder.display()))
        .help("scripts are files whose names end in `.orch`")
}

/// All scripts below a folder, sorted. Hidden folders are left out: `.orch` holds state, not scripts.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            // Links are not followed: they may lead in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "orch") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Writes beside the file and renames, so that an interruption leaves the old or the new text.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("orch.new");
    std::fs::write(&beside, text)?;
    std::fs::set_permissions(&beside, std::fs::metadata(path)?.permissions())?;
    std::fs::rename(&beside, path)
}

/// Folders of projects below `start` that have a state under a profile, sorted; looked for a few levels deep.
#[cfg(feature = "engine")]
pub fn folders_with_state(start: &Path, profile: &str) -> Vec<PathBuf> {
    const DEPTH: usize = 4;
    let mut found = Vec::new();
    let mut open = vec![(start.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        if folder.join(".orch").join(profile).is_dir() {
            found.push(folder.clone());
        }
        if depth == DEPTH {
            continue;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    found.sort();
    found
}
