//! What an error does to a run: `on error pause | stop | continue`.

use super::Executor;
use crate::hir::OnError;
use crate::plan::{Step, StepKind};
use crate::runtime::error::RunError;
use crate::runtime::machine::{self, Event, Outcome};
use crate::runtime::observe::Progress;

impl Executor<'_> {
    /// Does to the run what its campaign says about errors. `Ok` when it goes on with the next statement.
    ///
    /// # Errors
    /// The error itself, when the run is held or has ended because of it.
    pub(super) async fn failed(&mut self, token: &str, error: RunError) -> Result<(), RunError> {
        let position = self.token(token)?.clone();
        let plan = self.plan;
        let step = machine::step_of(plan, &position)?;
        match plan.campaign().on_error {
            // A send that is performed once more is about what a person asked for, not about the flow.
            _ if position.again.is_some() || always_holds(step, &error) => Err(self.hold(error).await),
            OnError::Pause => Err(self.hold(error).await),
            OnError::Stop => Err(self.end(error).await),
            OnError::Continue => self.abandon(token, step, error).await,
        }
    }

    /// Pauses the run because of an error, if the store still takes it; gives the error back.
    async fn hold(&mut self, error: RunError) -> RunError {
        if !matches!(error, RunError::Store(_) | RunError::Machine(_)) {
            let event = Event::Paused { reason: error.to_string() };
            if let Err(worse) = self.commit(event, None).await {
                return worse;
            }
        }
        error
    }

    /// Ends the run as failed; what it had still to send is cancelled. Held instead, if that cannot be accounted for.
    async fn end(&mut self, error: RunError) -> RunError {
        if let Err(worse) = self.cancel_rest().await {
            return self.hold(worse).await;
        }
        let event = Event::Failed { reason: error.to_string() };
        match self.commit(event, None).await {
            Ok(()) => error,
            Err(worse) => worse,
        }
    }

    /// Gives a statement up and goes on behind it; what a send had still to do is cancelled.
    async fn abandon(&mut self, token: &str, step: &Step, error: RunError) -> Result<(), RunError> {
        if let Err(worse) = self.cancel_step(token, step).await {
            return Err(self.hold(worse).await);
        }
        let reason = error.to_string();
        let text = format!("`{}` failed and the run goes on without it: {reason}", step.title);
        self.around.observer.on(Progress::Warning { text: &text });
        let record = self.record(token, step, Some(format!("failed: {reason}")));
        let outcome = Outcome::Abandoned { reason };
        self.commit(Event::Done { token: token.to_owned(), outcome }, Some(record)).await
    }
}

/// Errors after which nothing may go on whatever the campaign says: the store or the journal is not to be trusted, the
/// numbers do not add up, or the statement is there to hold the run.
fn always_holds(step: &Step, error: &RunError) -> bool {
    use StepKind::{Fail, Human, Require, Stop};
    matches!(error, RunError::Store(_) | RunError::Machine(_) | RunError::Unbalanced { .. } | RunError::Interrupted)
        || matches!(error, RunError::Required { .. })
        || matches!(step.kind, Require { .. } | Stop { .. } | Fail { .. } | Human { .. })
}
