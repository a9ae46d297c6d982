//! The step of a send: freezes its population, opens its place in the ledger, performs it, checks the accounting.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;

use super::decide::{Decider, Unsubscribed};
use super::policy::Rules;
use super::{SendEnd, Sender, rows};
use crate::hir::{LocalId, Query, QueryKind, RowId, Send, TyKind, Value};
use crate::plan::query::{Binding, Columns, Ordering, scalar, stream, values};
use crate::plan::{HumanKind, Step};
use crate::runtime::channels::{ListTopic, SendContext};
use crate::runtime::error::RunError;
use crate::runtime::executor::freeze::file_error;
use crate::runtime::executor::keys::KeyNames;
use crate::runtime::executor::notes::WordForRun;
use crate::runtime::executor::pace::Pace;
use crate::runtime::executor::steps::{file_instance, instance};
use crate::runtime::executor::{BoundChannel, Executor, Performed, StepEnd};
use crate::runtime::machine::{Bound, Delivery, Outcome, Snapshot};
use crate::runtime::observe::Progress;
use crate::runtime::store::{Change, SendRecord, StepRecord, Tally, TaskRecord};
use crate::runtime::tables::{RunTables, parquet_rows};

impl Executor<'_> {
    /// Sends one message per row. Performed again after a crash, it goes on from the ledger.
    pub(in crate::runtime::executor) async fn send(
        &mut self,
        token: &str,
        step: &Step,
        send: &Send,
    ) -> Result<StepEnd, RunError> {
        let bound = self.channel_for(send)?;
        bound.driver.check().await.map_err(|error| {
            let channel = self.program[send.channel].name.clone();
            RunError::Channel { channel, error }
        })?;
        let record = self.ledger_entry(token, step, send).await?;
        let snapshot = self.send_snapshot(token, step, send).await?;
        let again = self.again;
        if !again && let Some(outcome) = self.confirmation(token, step, send, record.targeted).await? {
            return Ok(StepEnd::Done(Box::new(Performed { outcome, record: None, tally: None })));
        }
        let end = self.dispatch(step, token, send, bound, &record, &snapshot).await?;
        let tally = self.around.store.tally(record.id)?;
        match end {
            SendEnd::Cancelled => Ok(StepEnd::Cancelled),
            SendEnd::Unfit => Err(RunError::Required { step: step.title.clone(), reason: Some(so_far(&tally)) }),
            SendEnd::Deferred(at) => {
                let outcome = Outcome::Until(at);
                Ok(StepEnd::Done(Box::new(Performed { outcome, record: None, tally: Some(tally) })))
            }
            SendEnd::Settled => {
                check_balance(step, &tally)?;
                let outcome = Outcome::Sent(Delivery { send: record.id, snapshot });
                let record = Some(accounted(self.record(token, step, None), &tally));
                Ok(StepEnd::Done(Box::new(Performed { outcome, record, tally: Some(tally) })))
            }
        }
    }

    /// Asks before many people are written to, or when the send says `confirm: true`. `None` to go on.
    async fn confirmation(
        &self,
        token: &str,
        step: &Step,
        send: &Send,
        targeted: u64,
    ) -> Result<Option<Outcome>, RunError> {
        let many = self.around.confirm_above.is_some_and(|limit| targeted > limit);
        let nobody_hears = self.around.clock.is_virtual() || !self.around.effects;
        if nobody_hears || !(many || send.options.confirm) {
            return Ok(None);
        }
        let asked = self.around.store.task(&self.run, &step.path, token)?;
        match asked.map(|task| task.answer) {
            Some(Some(answer)) if answer.yes => Ok(None),
            Some(Some(_)) => Ok(Some(Outcome::GivenUp)),
            Some(None) => Ok(Some(Outcome::Again { at: None, deadline: None })),
            None => {
                let task = TaskRecord {
                    run: self.run.clone(),
                    step: step.path.clone(),
                    token: token.to_string(),
                    kind: HumanKind::Approve,
                    text: format!("{}: {targeted} people", step.title),
                    role: None,
                    at: self.around.clock.now(),
                    deadline: None,
                    answer: None,
                };
                self.around.store.commit(vec![Change::Task(task)]).await?;
                Ok(Some(Outcome::Again { at: None, deadline: None }))
            }
        }
    }

    /// The driver, if it may be used by this run and for this message.
    fn channel_for(&self, send: &Send) -> Result<&BoundChannel, RunError> {
        let channel = self.program[send.channel].name.clone();
        let Some(bound) = self.around.channels.get(&channel) else {
            return Err(RunError::UnboundChannel { channel });
        };
        if bound.driver.capabilities().harmless {
            return Ok(bound);
        }
        if self.around.clock.is_virtual() {
            return Err(RunError::NotHarmless { channel });
        }
        if send.message.is_none() {
            return Err(RunError::NoMessage { channel, segment: send.to_name.clone() });
        }
        Ok(bound)
    }

    /// The frozen rows: the segment's own file, or a file of this step for any other population.
    pub(super) async fn send_snapshot(&self, token: &str, step: &Step, send: &Send) -> Result<Snapshot, RunError> {
        if let QueryKind::Local(local) = &send.to.kind
            && let Some(Bound::Snapshot(snapshot)) = self.state.locals.get(&local.0)
        {
            return Ok(snapshot.clone());
        }
        let file = format!("{}.parquet", file_instance(token, step));
        let path = self.around.folders.run(&self.run).join(&file);
        if self.find_send(token, step)?.is_some() {
            // Rows computed anew would have other numbers than those that the ledger speaks of.
            let rows = parquet_rows(&path).map_err(|reason| file_error(&path, &reason))?;
            return Ok(Snapshot { file, rows });
        }
        let columns = self.kept.send(&self.program, send);
        let (snapshot, _) = self.freeze(token, step, &send.to, &columns).await?;
        Ok(snapshot)
    }

    /// The send's entry in the ledger, made on the first attempt after its rows are frozen.
    async fn ledger_entry(&self, token: &str, step: &Step, send: &Send) -> Result<SendRecord, RunError> {
        if let Some(found) = self.find_send(token, step)? {
            return Ok(found);
        }
        let snapshot = self.send_snapshot(token, step, send).await?;
        let record = SendRecord {
            id: 0,
            run: self.run.clone(),
            step: step.path.clone(),
            token: token.to_string(),
            channel: self.program[send.channel].name.clone(),
            message: send.message.as_ref().map(|message| self.program[message.message].name.clone()),
            targeted: snapshot.rows,
            at: self.around.clock.now(),
        };
        self.around.store.commit(vec![Change::Send(record)]).await?;
        let missing = || RunError::Machine(crate::runtime::machine::MachineError("its send is not recorded".into()));
        self.find_send(token, step)?.ok_or_else(missing)
    }

    fn find_send(&self, token: &str, step: &Step) -> Result<Option<SendRecord>, RunError> {
        let sends = self.around.store.sends(&self.run)?;
        Ok(sends.into_iter().find(|found| found.step == step.path && found.token == token))
    }

    /// Decides and dispatches every row that is due.
    async fn dispatch(
        &self,
        step: &Step,
        token: &str,
        send: &Send,
        bound: &BoundChannel,
        record: &SendRecord,
        snapshot: &Snapshot,
    ) -> Result<SendEnd, RunError> {
        let rules = Rules::of(&self.program, send);
        let mut columns = rows::addressing(&self.program, send, rules.need_zone());
        let contents = match &send.message {
            Some(message) => rows::contents(&self.program, send, message, &mut columns)
                .map_err(|error| RunError::Template(error.to_string()))?,
            None => rows::placeholder(send),
        };
        let decider = self.decider(token, step, send, record, contents, rules)?;
        let local = rows::snapshot_local(&self.plan.campaign().locals);
        let folder = self.around.folders.run(&self.run);
        let mut frozen = self.frozen();
        frozen.insert(local.0, folder.join(&snapshot.file));
        let open = |from| {
            let query = rows::numbered_from(&send.to, send.row, local, from);
            self.rows_of(query, send.row, &columns, &frozen, local)
        };
        let progress = |settled| {
            let title = &step.title;
            self.around.observer.on(Progress::Sending { title, settled, targeted: record.targeted });
        };
        let required = || self.required(send, record, snapshot).boxed();
        let require: Option<&super::Requirement<'_>> =
            if send.options.require.is_some() { Some(&required) } else { None };
        let own_rate = send.options.rate.map(|(count, per)| (count, per.exact()));
        let word = WordForRun::new(self.around.word, &self.run);
        let sender = Sender {
            store: self.around.store,
            clock: self.around.clock,
            channel: bound.driver.clone(),
            channel_name: record.channel.clone(),
            resend_unknown: bound.resend_unknown,
            decider: Arc::new(decider),
            send: record.id,
            marks: folder.join(format!("{}.marks", file_instance(token, step))),
            pace: &bound.pace,
            // Whoever asked for them again has judged them.
            doubt: self.state.doubt.filter(|_| !self.again),
            own_pace: Pace::new(own_rate),
            gate: self.around.cap_gate,
            remembered: self.remembered(),
            require,
            cancelled: &|| self.around.cancel.is_cancelled() || word.has_come(),
            progress: &progress,
        };
        sender.run(&open).await
    }

    /// Whether what the send requires holds now, with what is known of its own messages.
    async fn required(&self, send: &Send, record: &SendRecord, snapshot: &Snapshot) -> Result<bool, RunError> {
        let Some(condition) = &send.options.require else { return Ok(true) };
        let (locals, frozen) = (self.locals(), self.frozen());
        let mut tables = self.tables(&frozen);
        if let (Some(delivery), Some(ledger)) = (send.delivery, &mut tables.ledger) {
            ledger.deliveries.insert(delivery.0, Delivery { send: record.id, snapshot: snapshot.clone() });
        }
        let scope = self.scope(&tables, &locals);
        Ok(scalar(&scope, self.around.session, condition).await? == Value::Bool(true))
    }

    /// The rows of the send in order, everything about them evaluated at this instant.
    fn rows_of<'s>(
        &'s self,
        query: Query,
        row: RowId,
        columns: &'s [(String, crate::hir::Expr)],
        frozen: &'s BTreeMap<u32, std::path::PathBuf>,
        numbered: LocalId,
    ) -> super::OpenRows<'s> {
        async move {
            let locals = self.locals();
            let tables = RunTables { numbered: Some(numbered), ..self.tables(frozen) };
            let scope = self.scope(&tables, &locals);
            let bindings = [Binding { row, path: Vec::new() }];
            let kept = Columns::Named(kept_columns(&scope, &query));
            let plan = values(&scope, &query, &bindings, columns, &kept, Ordering::Defined)?;
            stream(self.around.session, plan).await
        }
        .boxed()
    }

    fn decider(
        &self,
        token: &str,
        step: &Step,
        send: &Send,
        record: &SendRecord,
        contents: rows::Contents,
        rules: Rules,
    ) -> Result<Decider, RunError> {
        let program = &self.program;
        let channel = &program[send.channel];
        let topic = send.options.topic.map(|topic| {
            let topic = &program[topic];
            ListTopic { name: topic.name.clone(), title: topic.title.clone() }
        });
        let context = SendContext {
            run: self.run.clone(),
            campaign: self.plan.campaign().name.clone(),
            step: step.path.clone(),
            message: send.message.as_ref().map(|message| program[message.message].name.clone()),
            topic,
        };
        let address = channel.fields.iter().find(|field| field.name == "address");
        let person = rows::person(program, send);
        let unsubscribed = match (&person, send.options.topic) {
            (Some(_), Some(topic)) => Some(Unsubscribed::load(&self.remembered(), &program[topic].name)?),
            _ => None,
        };
        Ok(Decider {
            contents: Arc::new(contents),
            context: Arc::new(context),
            address_kind: address.map_or(TyKind::Text, |field| field.ty.kind.clone()),
            is_email: channel.name == "email",
            allow: self.around.allow.to_vec(),
            zone: self.around.zone.clone(),
            rules,
            begun: record.at,
            person,
            unsubscribed,
            keys: KeyNames::new(&program[send.to.ty.entity]),
            run: self.run.clone(),
            instance: instance(token, step),
        })
    }
}

/// The key, which names rows, and the row's number.
fn kept_columns(scope: &crate::plan::query::Scope<'_>, query: &Query) -> Vec<String> {
    let entity = &scope.program[query.ty.entity];
    entity.key.iter().map(|key| entity[*key].name.clone()).chain([rows::ROW.to_string()]).collect()
}

/// `targeted = sent + failed + excluded + unknown + due`, and nothing may be due any more.
fn check_balance(step: &Step, tally: &Tally) -> Result<(), RunError> {
    if tally.balances() && tally.due == 0 {
        return Ok(());
    }
    let equation = format!(
        "{} targeted, but {} sent + {} failed + {} excluded + {} unknown and {} due",
        tally.targeted,
        tally.sent,
        tally.failed,
        tally.excluded_total(),
        tally.unknown,
        tally.due
    );
    Err(RunError::Unbalanced { step: step.title.clone(), equation })
}

/// What a send had done when it was held.
fn so_far(tally: &Tally) -> String {
    let not_sent = tally.failed + tally.unknown + tally.excluded_total();
    format!("{} sent, {not_sent} not, {} still due", tally.sent, tally.due)
}

fn accounted(mut record: StepRecord, tally: &Tally) -> StepRecord {
    record.rows_in = Some(tally.targeted);
    record.rows_out = Some(tally.sent);
    record.dropped = tally.excluded.iter().map(|(reason, count)| (reason.word().to_string(), *count)).collect();
    for (reason, count) in [("failed", tally.failed), ("unknown", tally.unknown)] {
        if count > 0 {
            record.dropped.insert(reason.to_string(), count);
        }
    }
    record
}
