//! Records of the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AgendaChange, Contact, Exclusion, FeedbackEvent, Intent, OutcomeKind, OutcomeRow, Tally};
use crate::hir::Value;
use crate::plan::HumanKind;
use crate::runtime::machine::{Event, State, Status, Version};

/// One change of a transaction.
#[derive(Clone, Debug)]
pub enum Change {
    /// Keeps the source files a run is pinned to.
    Bundle {
        /// Their name.
        fingerprint: String,
        /// Name and text, the main file first.
        files: Vec<(String, String)>,
    },
    /// A new run.
    Run(RunRecord),
    /// One event and the state it leads to. Refused unless `seq` follows the run's last one.
    Transition {
        /// Whose.
        run: String,
        /// From 1.
        seq: u64,
        /// When it happened, by the run's clock.
        at: Timestamp,
        /// What happened.
        event: Event,
        /// Where the run stands now.
        state: State,
    },
    /// A step is finished.
    Step(StepRecord),
    /// A send begins; nothing happens if the run's step has one already. Its `id` is given by the store.
    Send(SendRecord),
    /// Messages that may leave from now on.
    Intents(i64, Vec<Intent>),
    /// Whom messages of a send are meant for, in the transaction of their intents.
    Contacts(i64, Vec<Contact>),
    /// Rows of a send that got their message after the moment that was meant for it.
    Late(i64, Vec<u64>),
    /// What recipients did, and what came back: for each message and kind the first word counts. Words about messages
    /// that nobody knows are dropped.
    Feedback(Vec<FeedbackEvent>),
    /// What became of them.
    Outcomes(i64, Vec<OutcomeRow>),
    /// Rows that get no message.
    Exclusions(i64, Vec<Exclusion>),
    /// A signal arrived; nothing happens if it is known.
    Signal(SignalRecord),
    /// A run took a signal.
    SignalTaken {
        /// Which run.
        run: String,
        /// Which signal.
        signal: String,
    },
    /// A person is asked; nothing happens if the run's step has asked already.
    Task(TaskRecord),
    /// A person answered; the first answer counts.
    Answer {
        /// The run that asks.
        run: String,
        /// Path of the statement.
        step: String,
        /// The branch it stands in.
        token: String,
        /// What was answered.
        answer: TaskAnswer,
    },
    /// An audience, in the place of an earlier one of its name.
    Audience(AudienceRecord),
    /// What people want to get, for real or in runs on a virtual clock.
    Subscriptions(Realm, Vec<Subscription>),
    /// A segment takes rows. Refused when the memory is not as it was when they were looked for.
    Take {
        /// What is taken; its `id` is given by the store.
        take: TakeRecord,
        /// How the memory was.
        seen: Seen,
    },
    /// A run begins to use what it took: it keeps it, however it ends.
    Used {
        /// Which run.
        run: String,
    },
    /// Takes that never were.
    Forget {
        /// Their ids.
        takes: Vec<i64>,
    },
    /// What is to happen, and when.
    Agenda(AgendaChange),
    /// The run's clock is virtual from now on: what it sends and takes later never counts for real runs.
    Simulated {
        /// Whose.
        run: String,
    },
    /// Messages of a send that ended so are due again.
    Reopen {
        /// The send.
        send: i64,
        /// How they ended.
        kind: OutcomeKind,
        /// When they were asked for.
        at: Timestamp,
    },
    /// A step that was performed once more: its numbers take the place of the earlier ones.
    Recount(StepRecord),
    /// Every row of a send below this number has been decided and has an outcome.
    Progress(i64, u64),
    /// The details of a run that is over are removed; its numbers stay.
    Collect {
        /// Which run.
        run: String,
        /// What is known of its sends, if their rows are removed as well.
        tallies: Option<Vec<(i64, Tally)>>,
        /// When.
        at: Timestamp,
    },
    /// Removes what no run needs any more: versions of scripts, and what is older than an instant.
    Tidy {
        /// For signals.
        before: Timestamp,
        /// For contacts, which caps count.
        contacts: Timestamp,
    },
    /// A run goes on with another version of its script.
    Repin {
        /// Which run.
        run: String,
        /// The version.
        to: Version,
    },
}

impl Change {
    /// What adds a baseline to a memory, in one transaction. Whoever gives it one knows what it is to hold.
    pub fn baseline(take: TakeRecord, seen: Seen) -> Vec<Change> {
        let memory = take.memory.clone();
        vec![Change::Take { take, seen }, Change::Agenda(AgendaChange::Trusted { memory })]
    }
}

/// Whether something happened for real or in a run on a virtual clock. Such runs see what is real, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Realm {
    /// For real.
    #[default]
    Real,
    /// On a virtual clock.
    Simulated,
}

impl Realm {
    /// The realm of a run.
    pub fn of(simulated: bool) -> Self {
        if simulated { Realm::Simulated } else { Realm::Real }
    }
}

/// Rows that a `new` took, or that are left out from the beginning.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TakeRecord {
    /// Given by the store, growing.
    pub id: i64,
    /// The name of the memory.
    pub memory: String,
    /// The entity of the rows.
    pub entity: String,
    /// What grows; without it keys are remembered.
    pub by: Option<String>,
    /// The run that took them; none for a baseline.
    pub run: Option<String>,
    /// The keys: a file of the state directory.
    pub file: Option<String>,
    /// Values of `by`: above the first, if there is one, up to and with the second.
    pub ranges: Vec<(Option<Value>, Value)>,
    /// How many rows.
    pub rows: u64,
    /// When.
    pub at: Timestamp,
    /// False while the run that took them may still give them back.
    pub kept: bool,
    /// Taken on a virtual clock: real runs do not count it.
    pub simulated: bool,
}

/// What a memory held at a certain moment: enough to notice any change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Number of takes.
    pub takes: u64,
    /// The latest one.
    pub last: i64,
}

/// A signal that arrived.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalRecord {
    /// Names the arrival.
    pub id: String,
    /// The declared signal.
    pub name: String,
    /// Its parameters.
    pub values: BTreeMap<String, Value>,
    /// When it arrived.
    pub at: Timestamp,
    /// Sent by a run on a virtual clock: it starts no campaign. Not read back.
    pub simulated: bool,
}

/// Something a person is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskRecord {
    /// The run that asks.
    pub run: String,
    /// Path of the statement.
    pub step: String,
    /// The branch it stands in.
    pub token: String,
    /// A decision, or something to do.
    pub kind: HumanKind,
    /// What is asked.
    pub text: String,
    /// Who may answer; anybody without it.
    pub role: Option<String>,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub deadline: Option<Timestamp>,
    /// What was answered.
    pub answer: Option<TaskAnswer>,
}

/// A person's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// Approved, or done.
    pub yes: bool,
    /// Who.
    pub by: String,
    /// What they said about it.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A population kept under a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudienceRecord {
    /// Its name.
    pub name: String,
    /// The entity whose rows it holds.
    pub entity: String,
    /// Its file, relative to the state directory.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// The run that saved it.
    pub run: String,
    /// When, by the run's clock.
    pub at: Timestamp,
    /// For whom it is there.
    pub realm: Realm,
}

/// What a person wants of a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// The topic's name.
    pub topic: String,
    /// Who; empty for somebody of whom only addresses are known.
    pub person: String,
    /// The person's addresses, in the form in which they are compared.
    pub addresses: Vec<String>,
    /// False: wants nothing of the topic.
    pub subscribed: bool,
    /// When it was said, by the run's clock.
    pub at: Timestamp,
}

/// A run as a whole.
#[derive(Clone, PartialEq, Debug)]
pub struct RunRecord {
    /// Its name, such as `vip-7K2M`.
    pub run: String,
    /// The campaign's name.
    pub campaign: String,
    /// Names the source it is pinned to.
    pub fingerprint: String,
    /// The file that was run, relative to the project.
    pub file: String,
    /// True when it runs on a virtual clock.
    pub simulated: bool,
    /// By the run's clock.
    pub started: Timestamp,
    /// When the last event happened, by the run's clock.
    pub updated: Timestamp,
    /// Number of the last event.
    pub seq: u64,
    /// Where it stands.
    pub state: State,
}

impl RunRecord {
    /// The version of the script that it runs.
    pub fn version(&self) -> Version {
        let (campaign, file, fingerprint) = (self.campaign.clone(), self.file.clone(), self.fingerprint.clone());
        Version { campaign, file, fingerprint }
    }

    /// True when nothing more will happen, not even sends that were asked for again.
    pub fn is_done(&self) -> bool {
        self.state.status.is_over() && !self.state.tokens.values().any(|token| token.again.is_some())
    }

    /// The status word of JSON: a run that only waits for a time is `waiting`.
    pub fn status(&self) -> &'static str {
        use crate::runtime::machine::Phase;
        let waits =
            |token: &crate::runtime::machine::Token| matches!(token.phase, Phase::Waiting { .. } | Phase::Blocked);
        let busy = |token: &crate::runtime::machine::Token| token.phase == Phase::Ready;
        let tokens = || self.state.tokens.values();
        if self.state.status == Status::Running && tokens().any(waits) && !tokens().any(busy) {
            return "waiting";
        }
        self.state.status.word()
    }
}

/// One event of a run's journal.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalRecord {
    /// From 1.
    pub seq: u64,
    /// By the run's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// A finished step with its row accounting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepRecord {
    /// Whose.
    pub run: String,
    /// Path of the statement.
    pub step: String,
    /// The branch it ran in; tells the turns of a loop apart.
    pub token: String,
    /// Statement word.
    pub kind: String,
    /// The name it binds, or its title.
    pub name: String,
    /// Rows it looked at, if it is about rows.
    pub rows_in: Option<u64>,
    /// Rows it passed on.
    pub rows_out: Option<u64>,
    /// Rows it dropped, by reason. `rows_in = rows_out + dropped`.
    pub dropped: BTreeMap<String, u64>,
    /// When it finished, by the run's clock.
    pub at: Timestamp,
    /// The value of a `let`, the text of a `log`, the instant at which a wait ends, the entity of a population.
    pub note: Option<String>,
}

/// A send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendRecord {
    /// Given by the store; 0 before.
    pub id: i64,
    /// Whose.
    pub run: String,
    /// Path of the statement.
    pub step: String,
    /// The branch it ran in.
    pub token: String,
    /// Channel.
    pub channel: String,
    /// Message; none for the placeholder.
    pub message: Option<String>,
    /// Rows of the population.
    pub targeted: u64,
    /// When it began, by the run's clock.
    pub at: Timestamp,
}
