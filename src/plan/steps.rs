//! Steps and their identity.

use std::sync::Arc;

use super::DataStep;
use crate::base::{SourceMap, Span};
use crate::hir::{
    Arm, Campaign, CampaignId, Expr, LocalId, Program, Query, RowId, Send, SignalId, Stmt, StmtKind, Until,
};

/// A campaign, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program the campaign belongs to.
    pub program: Arc<Program>,
    /// Which of its campaigns.
    pub campaign: CampaignId,
    /// Blocks of steps; the first is the campaign's body.
    pub blocks: Vec<Block>,
    /// Names the step structure and the source: equal for equal programs.
    pub fingerprint: String,
    /// All source files by name, in the order of their ids, so that a run can be pinned to them.
    pub files: Vec<(String, String)>,
}

/// Index into [`Plan::blocks`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct BlockId(pub u32);

/// Steps that run one after the other.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// In order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where the statement stands: `3`, `4.then.1`, `5.a.2`. Stable for the same source.
    pub path: String,
    /// The statement in a few words: `segment vip`, `wait 2d`, `send email to vip`.
    pub title: String,
    /// What to do.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Compute a population and keep it.
    Segment { local: LocalId, query: Query },
    /// Evaluate a value once.
    Let { local: LocalId, value: Expr },
    /// Divide a population into named subsets.
    Split { input: Query, row: RowId, overlapping: bool, arms: Vec<Arm>, seed: Option<String> },
    /// Wait for a length of time.
    Wait { duration: Expr },
    /// Wait for a moment or a condition.
    WaitUntil { until: Until, within: Option<Expr>, otherwise: Option<BlockId> },
    /// Wait for a signal from outside or from another run.
    WaitSignal {
        signal: SignalId,
        fields: Vec<LocalId>,
        filter: Option<Expr>,
        within: Option<Expr>,
        otherwise: Option<BlockId>,
    },
    /// Wait for a person: to decide (`approve`) or to do something (`task`).
    Human { kind: HumanKind, text: Expr, role: Option<Expr>, within: Option<Expr>, otherwise: Option<BlockId> },
    /// Run a block several times.
    Repeat { times: Expr, every: Option<Expr>, until: Option<Expr>, body: BlockId },
    /// Run a block for each item of a list.
    For { local: LocalId, list: Expr, body: BlockId },
    /// Tell other runs.
    Emit { signal: SignalId, args: Vec<Expr> },
    /// One message per row.
    Send(Box<Send>),
    /// Write a line to the run's log.
    Log { text: Expr },
    /// Take the first arm whose condition is true; the last block is `else`.
    If { arms: Vec<(Expr, BlockId)>, otherwise: Option<BlockId> },
    /// Run all branches; go on when all have ended.
    Parallel { branches: Vec<BlockId> },
    /// Pause the run unless a condition holds.
    Require { condition: Expr, reason: Option<Expr> },
    /// End the run.
    Stop { reason: Option<Expr> },
    /// End the run as failed.
    Fail { reason: Option<Expr> },
    /// Write data, or tell people.
    Data(Box<DataStep>),
}

/// What a person is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HumanKind {
    /// Yes or no.
    Approve,
    /// Something done.
    Task,
}

impl StepKind {
    /// The statement word, for reports.
    pub fn word(&self) -> &'static str {
        match self {
            StepKind::Segment { .. } => "segment",
            StepKind::Let { .. } => "let",
            StepKind::Split { .. } => "split",
            StepKind::Wait { .. } => "wait",
            StepKind::WaitUntil { .. } => "wait until",
            StepKind::WaitSignal { .. } => "wait for signal",
            StepKind::Human { kind: HumanKind::Approve, .. } => "approve",
            StepKind::Human { kind: HumanKind::Task, .. } => "task",
            StepKind::Repeat { .. } => "repeat",
            StepKind::For { .. } => "for",
            StepKind::Emit { .. } => "emit",
            StepKind::Send(_) => "send",
            StepKind::Log { .. } => "log",
            StepKind::If { .. } => "if",
            StepKind::Parallel { .. } => "parallel",
            StepKind::Require { .. } => "require",
            StepKind::Stop { .. } => "stop",
            StepKind::Fail { .. } => "fail",
            StepKind::Data(data) => data.word(),
        }
    }
}

/// Why a checked campaign cannot be run yet.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// The statement is part of the language, but running it is not built yet.
    #[error("{statement} is checked but cannot be run yet")]
    NotExecutable {
        /// The statement's word in backquotes.
        statement: String,
        /// Where it stands.
        span: Span,
    },
}

impl PlanError {
    /// What cannot be run stands here.
    pub(super) fn not_executable(statement: impl Into<String>, span: Span) -> Self {
        PlanError::NotExecutable { statement: statement.into(), span }
    }
}

impl Plan {
    /// Plans a campaign of a program without errors.
    ///
    /// # Errors
    /// The first statement, or part of one, that this version cannot execute.
    pub fn new(program: Arc<Program>, campaign: CampaignId, sources: &SourceMap) -> Result<Plan, PlanError> {
        let mut builder = Builder { sources, blocks: vec![Block::default()] };
        builder.block(BlockId(0), &program[campaign].body, "")?;
        let files: Vec<_> = sources.files().map(|(_, file)| (file.name.clone(), file.text.clone())).collect();
        let blocks = builder.blocks;
        let fingerprint = fingerprint(&program[campaign], &blocks, &files);
        Ok(Plan { program, campaign, blocks, fingerprint, files })
    }

    /// The campaign that is planned.
    pub fn campaign(&self) -> &Campaign {
        &self.program[self.campaign]
    }

    /// A block.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// All steps in source order.
    pub fn steps(&self) -> Vec<&Step> {
        let mut out = Vec::new();
        self.collect(BlockId(0), &mut out);
        out
    }

    fn collect<'p>(&'p self, block: BlockId, out: &mut Vec<&'p Step>) {
        for step in &self.block(block).steps {
            out.push(step);
            for child in step.kind.children() {
                self.collect(child, out);
            }
        }
    }
}

impl StepKind {
    /// Blocks inside this step, in source order.
    pub fn children(&self) -> Vec<BlockId> {
        match self {
            StepKind::If { arms, otherwise } => arms.iter().map(|(_, block)| *block).chain(*otherwise).collect(),
            StepKind::Parallel { branches } => branches.clone(),
            StepKind::Repeat { body, .. } | StepKind::For { body, .. } => vec![*body],
            StepKind::WaitUntil { otherwise, .. }
            | StepKind::WaitSignal { otherwise, .. }
            | StepKind::Human { otherwise, .. } => otherwise.iter().copied().collect(),
            _ => Vec::new(),
        }
    }
}

/// Builds blocks depth first.
struct Builder<'s> {
    sources: &'s SourceMap,
    blocks: Vec<Block>,
}

impl Builder<'_> {
    fn child(&mut self, stmts: &[Stmt], prefix: String) -> Result<BlockId, PlanError> {
        let id = BlockId(self.blocks.len() as u32);
        self.blocks.push(Block::default());
        self.block(id, stmts, &prefix)?;
        Ok(id)
    }

    fn block(&mut self, id: BlockId, stmts: &[Stmt], prefix: &str) -> Result<(), PlanError> {
        let mut steps = Vec::with_capacity(stmts.len());
        for (at, stmt) in stmts.iter().enumerate() {
            let path = format!("{prefix}{}", at + 1);
            let kind = self.kind(stmt, &path)?;
            steps.push(Step { path, title: self.title(stmt), kind });
        }
        self.blocks[id.0 as usize].steps = steps;
        Ok(())
    }

    fn kind(&mut self, stmt: &Stmt, path: &str) -> Result<StepKind, PlanError> {
        Ok(match &stmt.kind {
            StmtKind::Segment { local, query } => StepKind::Segment { local: *local, query: query.clone() },
            StmtKind::Let { local, value } => StepKind::Let { local: *local, value: value.clone() },
            StmtKind::Wait { duration } => StepKind::Wait { duration: duration.clone() },
            StmtKind::Send(send) => StepKind::Send(send.clone()),
            StmtKind::Log { text } => StepKind::Log { text: text.clone() },
            StmtKind::Require { condition, reason } => {
                StepKind::Require { condition: condition.clone(), reason: reason.clone() }
            }
            StmtKind::Stop { reason } => StepKind::Stop { reason: reason.clone() },
            StmtKind::Fail { reason } => StepKind::Fail { reason: reason.clone() },
            StmtKind::Split { input, row, overlapping, arms, seed } => StepKind::Split {
                input: input.clone(),
                row: *row,
                overlapping: *overlapping,
                arms: arms.clone(),
                seed: seed.clone(),
            },
            StmtKind::WaitUntil { until, within, otherwise } => StepKind::WaitUntil {
                until: until.clone(),
                within: within.clone(),
                otherwise: self.otherwise(otherwise, path)?,
            },
            StmtKind::WaitSignal { signal, fields, filter, within, otherwise } => StepKind::WaitSignal {
                signal: *signal,
                fields: fields.clone(),
                filter: filter.clone(),
                within: within.clone(),
                otherwise: self.otherwise(otherwise, path)?,
            },
            StmtKind::Approve { text, role, within, otherwise } | StmtKind::Task { text, role, within, otherwise } => {
                let is_task = matches!(stmt.kind, StmtKind::Task { .. });
                StepKind::Human {
                    kind: if is_task { HumanKind::Task } else { HumanKind::Approve },
                    text: text.clone(),
                    role: role.clone(),
                    within: within.clone(),
                    otherwise: self.otherwise(otherwise, path)?,
                }
            }
            StmtKind::Repeat { times, every, until, body } => StepKind::Repeat {
                times: times.clone(),
                every: every.clone(),
                until: until.clone(),
                body: self.child(body, format!("{path}.body."))?,
            },
            StmtKind::For { local, list, body } => {
                StepKind::For { local: *local, list: list.clone(), body: self.child(body, format!("{path}.body."))? }
            }
            StmtKind::Emit { signal, args } => StepKind::Emit { signal: *signal, args: args.clone() },
            StmtKind::If { arms, otherwise } => self.choice(arms, otherwise, path)?,
            StmtKind::Parallel { branches } => {
                let branch = |(name, body): &(String, Vec<Stmt>)| self.child(body, format!("{path}.{name}."));
                StepKind::Parallel { branches: branches.iter().map(branch).collect::<Result<_, _>>()? }
            }
            other => match DataStep::of(other) {
                Some(data) => StepKind::Data(Box::new(data)),
                None => return Err(PlanError::not_executable(format!("`{}`", other.word()), stmt.span)),
            },
        })
    }

    fn choice(
        &mut self,
        arms: &[(Expr, Vec<Stmt>)],
        otherwise: &Option<Vec<Stmt>>,
        path: &str,
    ) -> Result<StepKind, PlanError> {
        let mut planned = Vec::with_capacity(arms.len());
        for (at, (condition, body)) in arms.iter().enumerate() {
            planned.push((condition.clone(), self.child(body, format!("{path}.{}.", at + 1))?));
        }
        Ok(StepKind::If { arms: planned, otherwise: self.otherwise(otherwise, path)? })
    }

    fn otherwise(&mut self, body: &Option<Vec<Stmt>>, path: &str) -> Result<Option<BlockId>, PlanError> {
        body.as_ref().map(|body| self.child(body, format!("{path}.else."))).transpose()
    }

    /// The statement's own words up to what makes it long.
    fn title(&self, stmt: &Stmt) -> String {
        const LONGEST: usize = 44;
        if let StmtKind::Log { .. } = stmt.kind {
            // Its text is what it says when it is done.
            return "log".to_string();
        }
        let text = self.sources.text(stmt.span);
        let end = match &stmt.kind {
            StmtKind::Segment { .. } | StmtKind::Let { .. } => text.find('='),
            // Their texts may hold braces of their own.
            StmtKind::Stop { .. } | StmtKind::Fail { .. } => text.find('\n'),
            _ => end_of_head(text),
        };
        let end = end.unwrap_or(text.len());
        let words = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() <= LONGEST {
            return words;
        }
        words.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

impl StmtKind {
    /// The statement's word.
    pub fn word(&self) -> &'static str {
        match self {
            StmtKind::Segment { .. } => "segment",
            StmtKind::Let { .. } => "let",
            StmtKind::Split { .. } => "split",
            StmtKind::Wait { .. } => "wait",
            StmtKind::WaitUntil { .. } => "wait until",
            StmtKind::WaitSignal { .. } => "wait for signal",
            StmtKind::Send(_) => "send",
            StmtKind::If { .. } => "if",
            StmtKind::Parallel { .. } => "parallel",
            StmtKind::Repeat { .. } => "repeat",
            StmtKind::For { .. } => "for",
            StmtKind::Approve { .. } => "approve",
            StmtKind::Task { .. } => "task",
            StmtKind::Alert { .. } => "alert",
            StmtKind::Emit { .. } => "emit",
            StmtKind::Log { .. } => "log",
            StmtKind::Require { .. } => "require",
            StmtKind::Stop { .. } => "stop",
            StmtKind::Fail { .. } => "fail",
            StmtKind::Save { .. } => "save",
            StmtKind::Export { .. } => "export",
            StmtKind::Update { .. } => "update",
            StmtKind::Upsert { .. } => "upsert",
            StmtKind::Insert { .. } => "insert",
            StmtKind::Delete { .. } => "delete",
            StmtKind::Subscribe { subscribe: true, .. } => "subscribe",
            StmtKind::Subscribe { subscribe: false, .. } => "unsubscribe",
        }
    }
}

/// Where a statement's block or options begin, or its first line ends; braces in strings do not count.
fn end_of_head(text: &str) -> Option<usize> {
    let mut in_string = false;
    text.char_indices().find_map(|(at, letter)| {
        in_string ^= letter == '"';
        (letter == '\n' || (letter == '{' && !in_string)).then_some(at)
    })
}

/// A hash of the source files and the step structure.
fn fingerprint(campaign: &Campaign, blocks: &[Block], files: &[(String, String)]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&campaign.name);
    for step in blocks.iter().flat_map(|block| &block.steps) {
        add(&step.path);
        add(step.kind.word());
    }
    for (name, text) in files {
        add(name);
        add(text);
    }
    hasher.finalize().to_hex()[..32].to_string()
}
