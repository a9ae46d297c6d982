//! `alert "text" to ops`
//!
//! A plain message to each address of `[alert.ops]`, once: that it is about to leave is remembered before it does. After
//! a crash in between it is sent again only by a driver that recognises its key; otherwise the step says so.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::super::Executor;
use super::super::steps::instance;
use super::Done;
use crate::hir::Expr;
use crate::plan::Step;
use crate::runtime::bindings::AlertTarget;
use crate::runtime::channels::{
    Content, Dispatch, Email, Idempotency, NoMarker, Outcome, OutgoingMessage, SendContext, SendKey,
};
use crate::runtime::error::RunError;
use crate::runtime::executor::BoundChannel;
use crate::runtime::observe::Progress;

/// Attempts before an address counts as failed, and the pause between them in seconds.
const ATTEMPTS: u32 = 3;
const PAUSE: i64 = 2;
/// Longest subject, in characters.
const SUBJECT: usize = 60;

impl Executor<'_> {
    /// Tells people. A failure is accounted for and shown; the run goes on.
    pub(super) async fn alert(&self, token: &str, step: &Step, text: &Expr, to: &str) -> Result<Done, RunError> {
        let earlier = self.decided(token, step)?;
        let text = self.text(text).await?;
        let Some(target) = self.around.alerts.get(to) else {
            self.around.observer.on(Progress::Warning { text: &text });
            return Ok(Done::default().noted(format!("{text} · shown here only: orch.toml has no [alert.{to}]")));
        };
        let people = target.to.len() as u64;
        let done = Done { rows_in: people, rows_out: people, ..Done::default() };
        if !self.around.effects {
            let whom = target.to.join(", ");
            return Ok(done.noted(format!("{text} · would be sent by {} to {whom}", target.channel)));
        }
        let bound = self.alert_channel(target)?;
        let again = bound.driver.capabilities().idempotency == Idempotency::Always;
        if let Some(earlier) = earlier.filter(|earlier| !(again && is_in_doubt(earlier))) {
            return Ok(earlier);
        }
        self.around.observer.on(Progress::Warning { text: &text });
        let mut doubt = done.clone().noted(format!("{text} · perhaps sent before a crash, not sent again"));
        doubt.drop_rows("unknown", people);
        self.publish_nothing(token, step, &self.around.folders.project, doubt)?;
        let done = self.tell(token, step, (target, bound), &text, done).await;
        self.publish_nothing(token, step, &self.around.folders.project, done)
    }

    fn alert_channel(&self, target: &AlertTarget) -> Result<&BoundChannel, RunError> {
        let channel = target.channel.clone();
        let Some(bound) = self.around.channels.get(&channel) else { return Err(RunError::UnboundChannel { channel }) };
        if self.around.clock.is_virtual() && !bound.driver.capabilities().harmless {
            return Err(RunError::NotHarmless { channel });
        }
        Ok(bound)
    }

    /// Sends to every address and accounts for them.
    async fn tell(
        &self,
        token: &str,
        step: &Step,
        (target, bound): (&AlertTarget, &BoundChannel),
        text: &str,
        done: Done,
    ) -> Done {
        let mut done = done.noted(text);
        let mut due: Vec<OutgoingMessage> =
            target.to.iter().map(|address| self.alert_message(token, step, &target.channel, address, text)).collect();
        let mut reasons = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let mut outcomes = send_all(bound, due.clone()).await;
            reasons.clear();
            due.retain(|message| match outcomes.remove(&message.key) {
                Some(Outcome::Sent { .. }) => false,
                Some(Outcome::Failed { reason, .. }) => {
                    done.drop_rows("failed", 1);
                    reasons.push(reason);
                    false
                }
                Some(Outcome::NotStarted { reason } | Outcome::Deferred { reason, .. }) => {
                    reasons.push(reason);
                    true
                }
                Some(Outcome::Unknown { .. }) | None => {
                    done.drop_rows("unknown", 1);
                    false
                }
            });
            if due.is_empty() || attempt == ATTEMPTS {
                break;
            }
            self.around.clock.pause(jiff::SignedDuration::from_secs(PAUSE)).await;
        }
        done.drop_rows("failed", due.len() as u64);
        if done.rows_out < done.rows_in {
            let why = reasons.first().map_or(String::new(), |reason| format!(": {reason}"));
            let warning = format!("the alert reached {} of {}{why}", done.rows_out, done.rows_in);
            self.around.observer.on(Progress::Warning { text: &warning });
            done.note = Some(format!("{text} · {warning}"));
        }
        done
    }

    fn alert_message(&self, token: &str, step: &Step, channel: &str, address: &str, text: &str) -> OutgoingMessage {
        let campaign = self.plan.campaign().name.clone();
        let content = if channel == "email" {
            let line = text.lines().next().unwrap_or_default();
            let short: String = line.chars().take(SUBJECT).collect();
            Content::Email(Email {
                subject: format!("[{campaign}] {short}"),
                text: Some(format!("{text}\n\nRun {}, step {}\n", self.run, step.path)),
                ..Email::default()
            })
        } else {
            let declared = self.program.channels.iter().find(|known| known.name == channel);
            let fields = declared.into_iter().flat_map(|channel| &channel.fields);
            let field = fields.map(|field| field.name.as_str()).find(|name| *name != "address");
            Content::Fields(vec![(field.unwrap_or("body").to_string(), format!("{campaign}: {text}"))])
        };
        let context =
            SendContext { run: self.run.clone(), campaign, step: step.path.clone(), ..SendContext::default() };
        OutgoingMessage {
            key: SendKey::derive(&self.run, &instance(token, step), 0, address),
            address: address.to_string(),
            content,
            date: self.around.clock.now(),
            entity: address.to_string(),
            context: Arc::new(context),
        }
    }
}

/// Whether a crash came between the decision to send and the end of sending.
fn is_in_doubt(done: &Done) -> bool {
    done.rows_out == 0 && done.dropped.get("unknown") == Some(&done.rows_in)
}

/// Hands the messages over and gathers what became of them.
async fn send_all(bound: &BoundChannel, messages: Vec<OutgoingMessage>) -> HashMap<SendKey, Outcome> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    bound.driver.send_batch(messages, Dispatch::new(Arc::new(NoMarker), sender)).await;
    let mut outcomes = HashMap::new();
    while let Some((key, outcome)) = receiver.recv().await {
        outcomes.insert(key, outcome);
    }
    outcomes
}
