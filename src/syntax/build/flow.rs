//! Flow statements and the steps of tests.

use super::Build;
use crate::syntax::ast::{
    Args, Arm, ArmKind, Block, Branch, Expr, ExprKind, If, Name, Record, Signal, SignalParams, Split, StmtKind, Text,
    Wait, WaitKind,
};
use crate::syntax::token::Token;

impl Build<'_> {
    pub fn split(
        &self,
        segment: Expr,
        overlapping: Option<Token>,
        arms: Vec<Option<Arm>>,
        seed: Option<Text>,
    ) -> StmtKind {
        StmtKind::Split(Split { segment, overlapping: overlapping.is_some(), arms: self.present(arms), seed })
    }

    pub fn arm(&self, start: u32, name: Name, kind: ArmKind, end: u32) -> Option<Arm> {
        Some(Arm { name, kind, span: self.span(start, end) })
    }

    pub fn wait(&self, kind: WaitKind, within: Option<Expr>, otherwise: Option<Block>) -> StmtKind {
        StmtKind::Wait(Box::new(Wait { kind, within, otherwise }))
    }

    /// `wait until X`, where a bare weekday is the next day of that name.
    pub fn wait_until(&self, moment: Expr) -> WaitKind {
        match moment.kind {
            ExprKind::Name(day) if is_weekday(&day.text) => WaitKind::UntilWeekday { day, at: None },
            kind => WaitKind::Until(Expr { kind, span: moment.span }),
        }
    }

    pub fn branches(
        &self,
        condition: Expr,
        then: Block,
        more: Vec<(Expr, Block)>,
        otherwise: Option<Block>,
    ) -> StmtKind {
        StmtKind::If(If { arms: self.list((condition, then), more), otherwise })
    }

    pub fn parallel_branch(&self, start: u32, name: Text, body: Block, end: u32) -> Option<Branch> {
        Some(Branch { name, body, span: self.span(start, end) })
    }

    pub fn emit(&self, signal: Name, args: Option<Args>) -> StmtKind {
        let args = self.args_or_none(args, signal.span.end);
        StmtKind::Emit { signal, args }
    }

    pub fn procedure_call(&self, procedure: Expr, args: Option<Args>) -> StmtKind {
        let args = self.args_or_none(args, procedure.span.end);
        StmtKind::Do { procedure, args }
    }

    pub fn given(&self, word: Token, entity: Name, rows: Vec<Record>, close: Token) -> StmtKind {
        StmtKind::Given { entity, rows, span: self.span(word.start, close.end) }
    }

    pub fn run(&self, campaign: Name, args: Option<Args>) -> StmtKind {
        let args = self.args_or_none(args, campaign.span.end);
        StmtKind::Run { campaign, args }
    }

    pub fn arrival(&self, name: Name, args: Option<Args>) -> StmtKind {
        let args = self.args_or_none(args, name.span.end);
        StmtKind::Signal(Signal { name, params: SignalParams::Given(args) })
    }
}

fn is_weekday(word: &str) -> bool {
    matches!(word, "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday")
}
