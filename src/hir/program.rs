//! Programs: declarations and campaigns.

use super::{Channel, Column, Entity, EntityId, Expr, OrderKey, Query, RowId, TemplatePart, Topic, Ty, Value};
use crate::base::Span;

/// A whole program, after resolution and checking.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    pub entities: Vec<Entity>,
    pub topics: Vec<Topic>,
    pub channels: Vec<Channel>,
    pub messages: Vec<Message>,
    pub policies: Vec<Policy>,
    pub signals: Vec<Signal>,
    pub campaigns: Vec<Campaign>,
    pub tests: Vec<Test>,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $target:ty,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);
        impl std::ops::Index<$name> for Program {
            type Output = $target;
            fn index(&self, id: $name) -> &$target {
                &self.$field[id.0 as usize]
            }
        }
    )*};
}

ids! {
    /// Index into [`Program::messages`].
    MessageId => messages: Message,
    /// Index into [`Program::policies`].
    PolicyId => policies: Policy,
    /// Index into [`Program::signals`].
    SignalId => signals: Signal,
    /// Index into [`Program::topics`].
    TopicId => topics: Topic,
    /// Index into [`Program::channels`].
    ChannelId => channels: Channel,
    /// Index into [`Program::campaigns`].
    CampaignId => campaigns: Campaign,
}

impl std::ops::Index<EntityId> for Program {
    type Output = Entity;
    fn index(&self, id: EntityId) -> &Entity {
        &self.entities[id.0 as usize]
    }
}

/// Index into [`Campaign::locals`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocalId(pub u32);

/// A name bound inside a campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Local {
    pub name: String,
    pub span: Span,
    pub kind: LocalKind,
    pub ty: Ty,
}

/// What bound the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalKind {
    Parameter,
    Segment,
    /// An arm of a split.
    Arm,
    Let,
    Delivery,
    Loop,
    /// A field of the signal that a `wait for signal` or a trigger took.
    SignalField,
}

/// A message: content for a channel.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    pub channel: ChannelId,
    pub name: String,
    pub span: Span,
    pub params: Vec<Param>,
    /// Whose rows fill the placeholders; `None` when it is checked at each send.
    pub entity: Option<EntityId>,
    pub with: Vec<Column>,
    /// Field name and content. Placeholders look at row [`RowId::DECLARED`].
    pub fields: Vec<(String, Content)>,
    pub topic: Option<TopicId>,
    /// Where the names of its fields stand.
    pub places: Vec<(String, Span)>,
}

/// The content of a message's field.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// Inline text.
    Inline(Vec<TemplatePart>),
    /// A MiniJinja file, relative to the declaring file, with the variables it uses.
    File { path: String, text: String, variables: Vec<(String, Expr)> },
}

/// A parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub name: String,
    pub span: Span,
    pub ty: Ty,
    pub default: Option<Value>,
    /// The local it is bound to, in a campaign.
    pub local: Option<LocalId>,
}

/// Rules of a send.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    pub name: String,
    pub span: Span,
    pub extends: Option<PolicyId>,
    pub rules: Vec<PolicyRule>,
    /// Where each rule stands, in the same order.
    pub places: Vec<Span>,
}

/// One rule; channel `None` is `any`.
#[derive(Clone, PartialEq, Debug)]
pub enum PolicyRule {
    Cap { channel: Option<ChannelId>, count: u64, per: crate::syntax::ast::Duration },
    Quiet { channel: Option<ChannelId>, window: Window, drop: bool },
    Window { channel: Option<ChannelId>, window: Window },
    Holdout { share: Expr, seed: Option<String> },
}

/// A daily window; it may pass midnight.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    pub from: jiff::civil::Time,
    pub to: jiff::civil::Time,
    pub zone: WindowZone,
}

/// Whose clock.
#[derive(Clone, PartialEq, Debug)]
pub enum WindowZone {
    Campaign,
    Local,
    Named(String),
}

/// What may arrive from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Signal {
    pub name: String,
    pub span: Span,
    pub params: Vec<Param>,
}

/// A campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    pub name: String,
    pub span: Span,
    pub doc: Option<String>,
    pub params: Vec<Param>,
    pub locals: Vec<Local>,
    pub schedule: Option<Schedule>,
    pub trigger: Option<SignalId>,
    /// The fields of the signal that starts it, each with the local it is bound to.
    pub trigger_params: Vec<Param>,
    pub overlap: Overlap,
    pub on_error: OnError,
    /// Where the parts of the header stand, by the word they begin with: `every` (also for `cron`), `on signal`, `overlap`.
    pub header: Vec<(&'static str, Span)>,
    pub body: Vec<Stmt>,
}

impl std::ops::Index<LocalId> for Campaign {
    type Output = Local;
    fn index(&self, id: LocalId) -> &Local {
        &self.locals[id.0 as usize]
    }
}

/// When a campaign starts by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pub rule: ScheduleRule,
    pub at: Vec<jiff::civil::Time>,
    pub zone: Option<String>,
    pub from: Option<jiff::civil::Date>,
    pub until: Option<jiff::civil::Date>,
}

/// The rule of a schedule.
#[derive(Clone, PartialEq, Debug)]
pub enum ScheduleRule {
    Interval { length: crate::syntax::ast::Duration, on: Vec<jiff::civil::Weekday> },
    Days(Vec<jiff::civil::Weekday>),
    MonthDay(i8),
    MonthWeekday { nth: i8, day: jiff::civil::Weekday },
    Cron(String),
}

/// What happens while an earlier run is still going.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Overlap {
    #[default]
    Skip,
    Queue {
        by: Option<String>,
    },
    Allow {
        by: Option<String>,
    },
}

/// What an error does to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnError {
    #[default]
    Pause,
    Stop,
    Continue,
}

/// A flow statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
    /// Where a procedure was called whose body this came from, innermost last.
    pub calls: Vec<Span>,
}

/// Every kind of flow statement. Statements of issue-bound features carry all that running them needs.
#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    Segment {
        local: LocalId,
        query: Query,
    },
    Let {
        local: LocalId,
        value: Expr,
    },
    /// `let` that binds a message: resolved away at its uses, kept for the report.
    Split {
        input: Query,
        row: RowId,
        overlapping: bool,
        arms: Vec<Arm>,
        seed: Option<String>,
    },
    Wait {
        duration: Expr,
    },
    WaitUntil {
        until: Until,
        within: Option<Expr>,
        otherwise: Option<Vec<Stmt>>,
    },
    WaitSignal {
        signal: SignalId,
        fields: Vec<LocalId>,
        filter: Option<Expr>,
        within: Option<Expr>,
        otherwise: Option<Vec<Stmt>>,
    },
    Send(Box<Send>),
    If {
        arms: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Option<Vec<Stmt>>,
    },
    Parallel {
        branches: Vec<(String, Vec<Stmt>)>,
    },
    Repeat {
        times: Expr,
        every: Option<Expr>,
        until: Option<Expr>,
        body: Vec<Stmt>,
    },
    For {
        local: LocalId,
        list: Expr,
        body: Vec<Stmt>,
    },
    Approve {
        text: Expr,
        role: Option<Expr>,
        within: Option<Expr>,
        otherwise: Option<Vec<Stmt>>,
    },
    Task {
        text: Expr,
        role: Option<Expr>,
        within: Option<Expr>,
        otherwise: Option<Vec<Stmt>>,
    },
    Alert {
        text: Expr,
        to: String,
    },
    Emit {
        signal: SignalId,
        args: Vec<Expr>,
    },
    Log {
        text: Expr,
    },
    Require {
        condition: Expr,
        reason: Option<Expr>,
    },
    Stop {
        reason: Option<Expr>,
    },
    Fail {
        reason: Option<Expr>,
    },
    Save {
        query: Query,
        audience: Expr,
    },
    Export {
        query: Query,
        to: Expr,
        options: Vec<(String, Value)>,
    },
    Update {
        query: Query,
        row: RowId,
        set: Vec<(String, Expr)>,
    },
    Upsert {
        query: Query,
        source: RowId,
        entity: EntityId,
        row: RowId,
        on: Expr,
        set: Vec<(String, Expr)>,
    },
    Insert {
        query: Query,
        row: RowId,
        entity: EntityId,
        set: Vec<(String, Expr)>,
    },
    Delete {
        query: Query,
    },
    Subscribe {
        query: Query,
        row: RowId,
        topic: Expr,
        subscribe: bool,
    },
}

/// What is waited for.
#[derive(Clone, PartialEq, Debug)]
pub enum Until {
    /// An expression of type `timestamp` or `date`, or a time of day.
    Moment(Expr),
    Weekday {
        day: jiff::civil::Weekday,
        at: Option<Expr>,
    },
    Condition(Expr),
}

/// An arm of a split.
#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    pub local: LocalId,
    pub kind: ArmKind,
}

/// Which rows an arm takes.
#[derive(Clone, PartialEq, Debug)]
pub enum ArmKind {
    Rows { predicate: Option<Expr>, amount: Option<super::Amount>, by: Vec<OrderKey> },
    Share(Expr),
    Sample(super::Amount),
    Otherwise,
}

/// A send.
#[derive(Clone, PartialEq, Debug)]
pub struct Send {
    pub channel: ChannelId,
    /// `None`: the placeholder message, for harmless drivers only.
    pub message: Option<MessageUse>,
    pub to: Query,
    /// How the statement names its population, for reports.
    pub to_name: String,
    /// The row that address, options and placeholders look at.
    pub row: RowId,
    /// What to write to: a column of the row, or an expression from `address:`.
    pub address: Expr,
    /// The profile whose consent, caps and zone count: a path of `one` relations, empty for the row itself.
    pub profile: Vec<super::RelationId>,
    /// Further options, checked.
    pub options: SendOptions,
    pub delivery: Option<LocalId>,
}

/// A message with its arguments and with placeholders that look at the send's row.
#[derive(Clone, PartialEq, Debug)]
pub struct MessageUse {
    pub message: MessageId,
    pub args: Vec<Expr>,
    /// The message's fields with arguments put in and rows renamed to the send's row.
    pub fields: Vec<(String, Content)>,
}

/// Options of a send.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SendOptions {
    pub at: Option<SendAt>,
    pub late_skip: bool,
    pub window: Option<Window>,
    pub rate: Option<(u64, crate::syntax::ast::Duration)>,
    /// `None`: the default policy.
    pub policy: Option<PolicyId>,
    pub transactional: bool,
    pub topic: Option<TopicId>,
    pub confirm: bool,
    pub require: Option<Expr>,
    pub unique_address: bool,
    /// The options that are written, with the places of their names, in that order.
    pub written: Vec<(String, Span)>,
}

/// When each row's message goes out.
#[derive(Clone, PartialEq, Debug)]
pub enum SendAt {
    /// `09:00 local`: each person's next nine o'clock.
    LocalTime(Expr),
    /// A time of day in the campaign's zone, or an instant per row.
    Moment(Expr),
}

/// A test of the language.
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    pub title: String,
    pub span: Span,
    pub steps: Vec<TestStep>,
}

/// A line of a test.
#[derive(Clone, PartialEq, Debug)]
pub struct TestStep {
    pub kind: TestStepKind,
    pub span: Span,
}

/// What a line of a test does.
#[derive(Clone, PartialEq, Debug)]
pub enum TestStepKind {
    Given {
        entity: EntityId,
        rows: Vec<Vec<(super::FieldId, Value)>>,
    },
    At(Expr),
    Run {
        campaign: CampaignId,
        args: Vec<(String, Value)>,
    },
    Advance(Expr),
    Signal {
        signal: SignalId,
        args: Vec<Value>,
    },
    Feedback {
        kind: super::FeedbackKind,
        delivery: Option<String>,
        keys: Vec<Value>,
    },
    Decide {
        answer: String,
        step: Option<Value>,
    },
    /// A condition over what was done. It may call these natives, which exist only here (`KIND` is a word of
    /// [`FeedbackKind`](super::FeedbackKind), `OF` the name of a channel or of a send):
    /// `test.count(KIND, OF)` how many messages, `test.values(KIND, OF, COLUMN)` a column of them as a list of texts
    /// ordered by key (`to`, `key`, `reason`, `at` or a field of the message), `test.same(LIST, LIST)` whether two lists
    /// have the same elements as texts in the same order, `test.rows(NAME)` how many rows a segment
    /// of the last run has, `test.is(STATE)` whether that run is `running`, `waiting`, `paused`, `finished`, `stopped`
    /// or `failed`.
    Expect(Expr),
}
