//! Statement by statement to a tree, and on behind mistakes.
//!
//! Each top-level statement is parsed on its own. When the grammar rejects a token, the innermost statement or item
//! around it is *cut*: replaced by a shorter one that still says what is known (`segment vip = <bad>`), or by a
//! placeholder; then the top-level statement is parsed again. So one mistake costs one statement and one message, and
//! the names that others use stay known. Where it is plain what was meant (`WHERE` for `where`) the tokens are put
//! right instead, and the rest of the statement is checked as well.

use std::collections::HashMap;

use super::ast::{Broken, Expr, ExprKind, Gaps, Stmt, StmtKind};
use super::build::{Build, Entry};
use super::error::SyntaxError;
use super::explain;
use super::layout::{Inside, Layout, Unit};
use super::parser;
use super::token::{Kind, Token};
use crate::base::{SourceId, Span};
use crate::diag::Problems;

mod cut;
mod gaps;

use cut::{Cut, shorten};

/// Parse errors beyond this many are not reported: each costs another parse of its statement.
const MAX_ERRORS: usize = 100;

/// Parses the units of a text.
pub struct Driver<'t> {
    pub source: SourceId,
    pub text: &'t str,
    pub layout: &'t Layout,
    pub build: Build<'t>,
    pub problems: Problems,
    /// Units that already have a problem of lexing or layout: what the grammar says about them is an echo.
    pub faulty: Vec<bool>,
    pub errors: usize,
    /// What was given up, and where.
    gaps: Gaps,
    /// The first rejected token is the one that the end of the text added.
    pub rejected_end: Option<bool>,
}

impl<'t> Driver<'t> {
    /// For a text whose tokens had the problems `known`.
    pub fn new(source: SourceId, text: &'t str, layout: &'t Layout, build: Build<'t>, known: &Problems) -> Self {
        let mut faulty = vec![false; layout.units.len()];
        for span in known.iter().filter_map(|problem| problem.span()) {
            if let Some(unit) = innermost(&layout.units, token_at(text, &layout.tokens, span.start)) {
                faulty[unit] = true;
            }
        }
        Self {
            source,
            text,
            layout,
            build,
            problems: Problems::new(),
            faulty,
            errors: 0,
            gaps: Gaps::default(),
            rejected_end: None,
        }
    }

    /// All top-level statements.
    pub fn statements(&mut self) -> Vec<Stmt> {
        let tops: Vec<usize> = (0..self.layout.units.len()).filter(|unit| self.layout.units[*unit].top).collect();
        tops.into_iter().map(|unit| self.statement(unit)).collect()
    }

    /// The whole text as one expression.
    pub fn expression(&mut self) -> Option<Expr> {
        let units = &self.layout.units;
        let first = units.first()?;
        if units.iter().any(|unit| unit.too_deep) {
            return Some(Expr { kind: ExprKind::Error, span: self.unit_span(first) });
        }
        let last = units.iter().filter(|unit| unit.top).map(|unit| unit.end).max()?;
        let tokens: Vec<(usize, Token)> = (first.start..=last).map(|at| (at, self.layout.tokens[at])).collect();
        match self.attempt(Kind::WantExpr, &tokens) {
            Ok(Entry::Expr(expr)) => Some(expr),
            Ok(Entry::Stmt(_)) => None,
            Err((at, expected)) => {
                let _ = self.report(0, at, &expected);
                Some(Expr { kind: ExprKind::Error, span: self.unit_span(first) })
            }
        }
    }

    fn statement(&mut self, top: usize) -> Stmt {
        let unit = self.layout.units[top];
        let mut cuts: Vec<Cut> = Vec::new();
        let mut tries: HashMap<usize, u32> = HashMap::new();
        loop {
            if unit.too_deep {
                break;
            }
            let tokens = cut::apply(&self.layout.tokens, unit.start..unit.end + 1, &cuts);
            let (at, expected) = match self.attempt(Kind::WantStmt, &tokens) {
                Ok(Entry::Stmt(stmt)) => {
                    self.check_dropped(top, &cuts);
                    return stmt;
                }
                Ok(Entry::Expr(_)) => break,
                Err(rejected) => rejected,
            };
            if self.errors >= MAX_ERRORS {
                break;
            }
            let culprit = innermost(&self.layout.units, at).unwrap_or(top).max(top);
            let tried = tries.entry(culprit).or_default();
            if *tried == 0 {
                *tried = 1;
                if let Some(repair) = self.report(culprit, at, &expected) {
                    cut::add(&mut cuts, Cut::repair(&self.layout.tokens, &repair));
                    continue;
                }
            }
            *tried += 1;
            let shorter =
                (*tried == 2).then(|| shorten(&self.layout.tokens, &self.layout.units[culprit], at)).flatten();
            if shorter.is_none() {
                let unit = self.layout.units[culprit];
                self.lose(unit.start, unit.end);
            }
            match shorter {
                Some(shorter) => {
                    for cut in shorter {
                        self.lose(cut.from, cut.to);
                        cut::add(&mut cuts, cut);
                    }
                }
                None if *tried <= 3 && (culprit != top || cuts.len() < 3) => {
                    cut::add(&mut cuts, Cut::whole(&self.layout.tokens, &self.layout.units[culprit]));
                }
                None => break,
            }
        }
        if !unit.too_deep {
            self.check_dropped(top, &[Cut { from: unit.start, to: unit.end, put: Vec::new() }]);
        }
        Stmt { doc: None, kind: StmtKind::Error, span: self.unit_span(&unit) }
    }

    /// One run of the parser; fails with the index of the rejected token and what was expected.
    fn attempt(&mut self, want: Kind, tokens: &[(usize, Token)]) -> Result<Entry, (usize, Vec<String>)> {
        let start = tokens.first().map_or(0, |(_, token)| token.start);
        let marker = Token::invented(want, start);
        let stream = std::iter::once(marker).chain(tokens.iter().map(|(_, token)| *token));
        let result = parser::parse(&self.build, stream);
        let found = self.build.take_problems();
        match result {
            Ok(entry) => {
                for problem in found {
                    let unit = problem.span().and_then(|span| {
                        innermost(&self.layout.units, token_at(self.text, &self.layout.tokens, span.start))
                    });
                    if !unit.is_some_and(|unit| self.faulty[unit]) {
                        self.problems.push(problem);
                    }
                }
                Ok(entry)
            }
            Err(rejected) => {
                let at = rejected.read.saturating_sub(2).min(tokens.len().saturating_sub(1));
                Err((tokens.get(at).map_or(0, |(index, _)| *index), rejected.expected))
            }
        }
    }

    /// Reports a rejected token, and says how to read on if it is plain what was meant.
    fn report(&mut self, unit: usize, at: usize, expected: &[String]) -> Option<explain::Repair> {
        let is_last = at + 1 == self.layout.tokens.len();
        let invented = self.layout.tokens.get(at).is_some_and(|token| token.start == token.end);
        self.rejected_end.get_or_insert(is_last && invented);
        let place = explain::Place {
            source: self.source,
            text: self.text,
            tokens: &self.layout.tokens,
            unit: self.layout.units[unit],
            at,
        };
        let (error, repair) = explain::explain(&place, expected);
        self.broken(unit, if repair.is_some() { usize::MAX } else { at });
        if self.faulty.get(unit).copied().unwrap_or(false) {
            return repair;
        }
        self.errors += 1;
        if self.errors == MAX_ERRORS {
            let span = self.layout.tokens.get(at).map_or(Span::new(self.source, 0, 0), |token| token.span(self.source));
            self.problems.push(SyntaxError::TooMany { span, limit: MAX_ERRORS });
            return None;
        }
        self.problems.push(error);
        repair
    }

    /// The names at the beginning of what is given up are known as lost.
    fn lose(&mut self, from: usize, to: usize) {
        const MOST_TOKENS: usize = 40;
        let tokens = &self.layout.tokens[from..to.min(from + MOST_TOKENS)];
        let names = tokens.iter().filter(|token| token.kind == Kind::Name);
        self.gaps.names.extend(names.map(|token| token.text(self.text).trim_matches('`').to_owned()));
    }

    /// A statement around `unit` has a mistake at the token `at`.
    fn broken(&mut self, unit: usize, at: usize) {
        let is_statement = |unit: &Unit| matches!(unit.inside, Inside::Block | Inside::Test | Inside::Expression);
        let around = |unit: usize| {
            let inner = self.layout.units[unit];
            (0..=unit).rev().find(|outer| {
                let outer = &self.layout.units[*outer];
                is_statement(outer) && outer.start <= inner.start && outer.end >= inner.end
            })
        };
        let Some(outer) = around(unit).map(|unit| self.layout.units[unit]) else { return };
        let mut broken = gaps::broken(&self.layout.tokens, &outer, at, self.text, self.source);
        let item = self.layout.units[unit];
        if item.start > outer.start && gaps::has_items_of_its_own(self.layout.tokens.get(outer.start)) {
            broken = Broken { span: self.unit_span(&item), nameless: false, ..broken };
        }
        self.gaps.broken.push(broken);
    }

    /// What could not be understood.
    pub fn gaps(&mut self) -> Gaps {
        let faulty: Vec<usize> = (0..self.faulty.len()).filter(|unit| self.faulty[*unit]).collect();
        for unit in faulty {
            self.broken(unit, self.layout.units[unit].end);
        }
        std::mem::take(&mut self.gaps)
    }

    /// Statements inside what was cut away are checked on their own, for the sake of their mistakes.
    fn check_dropped(&mut self, parent: usize, cuts: &[Cut]) {
        for cut in cuts {
            let mut next = cut.from;
            for index in parent + 1..self.layout.units.len() {
                let unit = self.layout.units[index];
                if unit.start >= cut.to {
                    break;
                }
                let is_statement = matches!(unit.inside, Inside::Block | Inside::Test);
                if unit.start >= next && unit.start > cut.from && unit.end < cut.to && is_statement {
                    self.statement(index);
                    next = unit.end;
                }
            }
        }
    }

    fn unit_span(&self, unit: &Unit) -> Span {
        let start = self.layout.tokens.get(unit.start).map_or(0, |token| token.start);
        let end = self.layout.tokens[..unit.end].last().map_or(start, |token| token.end);
        Span::new(self.source, start, end.max(start))
    }
}

/// The innermost unit around a token.
fn innermost(units: &[Unit], at: usize) -> Option<usize> {
    let end = units.partition_point(|unit| unit.start <= at);
    units[..end].iter().rposition(|unit| unit.end >= at)
}

/// Index of the token at a place, or of its neighbour on the same line when nothing became a token there.
fn token_at(text: &str, tokens: &[Token], place: u32) -> usize {
    let next = tokens.partition_point(|token| token.start <= place);
    let Some(before) = next.checked_sub(1) else { return 0 };
    let gap = text.get(tokens[before].end as usize..place as usize).unwrap_or("");
    if tokens[before].kind == Kind::End && gap.contains('\n') { next.min(tokens.len() - 1) } else { before }
}
