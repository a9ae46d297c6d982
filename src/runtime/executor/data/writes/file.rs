//! Changing an entity's file: a changed copy takes its place.

use std::fs;

use super::super::super::Executor;
use super::super::Done;
use super::super::error::DataError;
use super::super::publish::file_error;
use crate::hir::EntityId;
use crate::plan::{DataStep, Step};
use crate::runtime::error::RunError;
use crate::runtime::sources::WritableFile;

impl Executor<'_> {
    pub(super) async fn write_file(
        &self,
        token: &str,
        step: &Step,
        data: &DataStep,
        id: EntityId,
    ) -> Result<Done, RunError> {
        let entity = &self.program[id];
        let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
        let problem = |error: crate::runtime::sources::SourceError| RunError::from(error.problem(place));
        // Whoever writes to the file from now on would be overwritten; so that is looked for at the end.
        let file = WritableFile::open(entity, &self.program, self.around.sources.base(id), self.around.zone)
            .map_err(problem)?;
        let (mut changes, done) = self.changes(token, step, data, id).await?;
        let mut done = done.noted(file.shown());
        let target = file.path();
        if changes.is_empty() {
            self.reject(token, step, &changes.rejects, &mut done)?;
            return self.publish_nothing(token, step, &target, done);
        }
        let draft = self.draft(token, step, &target)?;
        let edited = file.rewrite(&changes.edits, &draft.path).map_err(problem)?;
        changes.settle(&edited);
        self.reject(token, step, &changes.rejects, &mut done)?;
        let permissions = fs::metadata(&target).map(|found| found.permissions());
        let kept = permissions.and_then(|permissions| fs::set_permissions(&draft.path, permissions));
        kept.map_err(|error| file_error(&draft.path, &error))?;
        if file.has_changed() {
            return Err(DataError::Changed { path: file.shown().to_string() }.into());
        }
        self.publish(token, step, draft, done)
    }
}
