//! Where a statement may write: inside the project, not into its own works.

use std::path::{Component, Path, PathBuf};

use super::super::Executor;
use super::error::DataError;
use crate::base::Span;

/// The folder of what runs on a virtual clock write, in the state directory.
const SIMULATED: &str = "simulated";

impl Executor<'_> {
    /// The file that a path written at `span` means. Paths are relative to the file they are written in, as those of
    /// sources are.
    pub(super) fn target(&self, written: &str, span: Span) -> Result<PathBuf, DataError> {
        let refuse = |why: &str, help: &str| DataError::Place {
            path: written.to_string(),
            why: why.to_string(),
            help: help.to_string(),
        };
        let script = self.plan.files.get(span.source.0 as usize).map_or("", |(name, _)| name);
        let folder = Path::new(script).parent().unwrap_or(Path::new(""));
        let outside =
            || refuse("it is outside the project", "write a path inside the project, such as `\"out/vip.csv\"`");
        if written.contains("://") {
            return Err(refuse("only files can be written", "write a path, such as `\"out/vip.csv\"`"));
        }
        let mut inner = PathBuf::new();
        for part in folder.join(written).components() {
            match part {
                Component::Normal(name) => inner.push(name),
                Component::CurDir => {}
                Component::ParentDir if inner.pop() => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        if Path::new(written).is_absolute() || !within(&self.around.folders.project, &inner) {
            return Err(outside());
        }
        let name = inner.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if name.is_empty() || written.ends_with('/') {
            return Err(refuse("it names no file", "write the name of a file, such as `\"out/vip.csv\"`"));
        }
        let own = inner.starts_with(".orch") || name == "orch.toml" || name.ends_with(".orch");
        if own || name.starts_with('.') {
            return Err(refuse("it belongs to the project itself", "write to a folder of its own, such as `out/`"));
        }
        let target = self.around.folders.project.join(inner);
        match target.is_dir() {
            true => Err(refuse("it is a folder", "write the name of a file, such as `\"out/vip.csv\"`")),
            false => Ok(target),
        }
    }
}

impl Executor<'_> {
    /// Where a run on a virtual clock writes instead: below the state directory, so that nobody takes a rehearsed file for
    /// a real one. The second is how the place is shown.
    pub(super) fn placed(&self, target: PathBuf, written: String) -> (PathBuf, String) {
        // A rehearsal writes nothing anywhere.
        if !self.simulated || !self.around.effects {
            return (target, written);
        }
        let folders = self.around.folders;
        let inner = target.strip_prefix(&folders.project).unwrap_or(&target);
        let place = folders.state.join(SIMULATED).join(inner);
        let shown = place.strip_prefix(&folders.project).unwrap_or(&place).display().to_string();
        (place, shown)
    }
}

/// Whether no link on the way leads out of the project.
fn within(project: &Path, inner: &Path) -> bool {
    let Ok(root) = project.canonicalize() else { return true };
    let whole = project.join(inner);
    let existing = whole.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    existing.is_none_or(|existing| existing.starts_with(&root))
}
