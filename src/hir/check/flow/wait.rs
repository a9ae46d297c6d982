//! Waits.

use super::super::super::problem::{FlowProblem, Lint};
use super::super::super::{Local, LocalKind, StmtKind, TyKind, Until};
use super::super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, WaitKind};

impl<'a> Checker<'a> {
    pub(super) fn wait(&mut self, written: &'a ast::Wait, span: Span, scope: &mut Scope) -> Option<StmtKind> {
        match &written.kind {
            WaitKind::Duration(duration) => {
                self.no_limit(written, "a fixed time");
                Some(StmtKind::Wait { duration: self.of_kind(duration, scope, TyKind::Duration) })
            }
            WaitKind::Until(until) => self.wait_until(until, written, scope),
            WaitKind::UntilWeekday { day, at } => {
                self.no_limit(written, "a day");
                let at = at.as_ref().map(|at| self.of_kind(at, scope, TyKind::Time));
                let day = self.weekday(day)?;
                Some(StmtKind::WaitUntil { until: Until::Weekday { day, at }, within: None, otherwise: None })
            }
            WaitKind::Signal { signal, alias, filter } => {
                let signal = (signal, alias.as_ref(), filter.as_ref());
                self.wait_signal(signal, written, span, scope)
            }
        }
    }

    fn wait_until(&mut self, until: &ast::Expr, written: &'a ast::Wait, scope: &Scope) -> Option<StmtKind> {
        let checked = self.expr(until, scope, None);
        let until = match &checked.ty.kind {
            TyKind::Timestamp | TyKind::Date | TyKind::Time => {
                self.no_limit(written, "a moment");
                Until::Moment(checked)
            }
            TyKind::Bool | TyKind::Null => {
                if written.within.is_none() {
                    self.report(FlowProblem::UnlimitedWait { span: until.span });
                }
                Until::Condition(checked)
            }
            TyKind::Error => Until::Condition(checked),
            TyKind::Duration => {
                let help = "write `wait 2d` for a length of time";
                self.wrong(
                    codes::BAD_WAIT,
                    "`wait until` takes a moment, and this is a length of time",
                    help,
                    until.span,
                );
                return None;
            }
            _ => {
                let help = "write a date, a timestamp, a day such as `monday at 09:00`, or a condition with `within`";
                self.wrong(codes::BAD_WAIT, "`wait until` takes a moment or a condition", help, until.span);
                return None;
            }
        };
        let within = self.limit(written.within.as_ref(), scope);
        Some(StmtKind::WaitUntil { until, within, otherwise: self.otherwise(written.otherwise.as_ref(), scope) })
    }

    fn wait_signal(
        &mut self,
        (signal, alias, filter): (&ast::Name, Option<&ast::Name>, Option<&ast::Expr>),
        written: &'a ast::Wait,
        span: Span,
        scope: &mut Scope,
    ) -> Option<StmtKind> {
        let within = self.limit(written.within.as_ref(), scope);
        let otherwise = self.otherwise(written.otherwise.as_ref(), scope);
        match (&within, &otherwise) {
            (Some(limit), None) => self.report(FlowProblem::MissingElse { span: limit.span }),
            (None, None) => self.report(Lint::UnlimitedWait { span }),
            _ => {}
        }
        let Some(Global::Signal(id)) = self.lookup_global(signal, "signal") else { return None };
        let fields = self.signal_fields(id, &alias.unwrap_or(signal).clone(), scope);
        let filter = filter.map(|filter| self.predicate(filter, scope));
        Some(StmtKind::WaitSignal { signal: id, fields, filter, within, otherwise })
    }

    /// Binds `ALIAS.FIELD` for each parameter of a signal.
    pub(in super::super) fn signal_fields(
        &mut self,
        signal: super::super::super::SignalId,
        alias: &ast::Name,
        scope: &mut Scope,
    ) -> Vec<super::super::super::LocalId> {
        let params = self.program[signal].params.clone();
        let mut fields = Vec::new();
        for param in params {
            let name = format!("{}.{}", alias.text, param.name);
            let local = Local { name: name.clone(), span: alias.span, kind: LocalKind::SignalField, ty: param.ty };
            let local = self.add_local(local);
            scope.bind(name, local);
            fields.push(local);
        }
        fields
    }

    /// `within` and `else` make no sense for something that surely comes.
    fn no_limit(&mut self, written: &'a ast::Wait, what: &str) {
        let span = match (&written.within, &written.otherwise) {
            (Some(within), _) => within.span,
            (None, Some(otherwise)) => otherwise.span,
            (None, None) => return,
        };
        let why = format!("a wait for {what} always ends, so it has no limit and no `else`");
        self.wrong(codes::BAD_WAIT, why, "remove `within` and `else`", span);
    }

    /// The day with this name.
    pub(in super::super) fn weekday(&mut self, name: &ast::Name) -> Option<jiff::civil::Weekday> {
        let found = weekday(&name.text);
        if found.is_none() {
            let nearest = crate::base::did_you_mean(&name.text, DAYS.iter().map(|(name, _)| *name));
            let help = match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "days are `monday` to `sunday`".to_owned(),
            };
            self.wrong(codes::BAD_SCHEDULE, format!("there is no day `{}`", name.text), help, name.span);
        }
        found
    }
}

const DAYS: &[(&str, jiff::civil::Weekday)] = &[
    ("monday", jiff::civil::Weekday::Monday),
    ("tuesday", jiff::civil::Weekday::Tuesday),
    ("wednesday", jiff::civil::Weekday::Wednesday),
    ("thursday", jiff::civil::Weekday::Thursday),
    ("friday", jiff::civil::Weekday::Friday),
    ("saturday", jiff::civil::Weekday::Saturday),
    ("sunday", jiff::civil::Weekday::Sunday),
];

fn weekday(name: &str) -> Option<jiff::civil::Weekday> {
    DAYS.iter().find(|(known, _)| *known == name).map(|(_, day)| *day)
}
