//! Waits.

use super::super::super::problem::{FlowProblem, Lint, ValueLint};
use super::super::super::{Expr, ExprKind, Local, LocalKind, StmtKind, TyKind, Until, Value};
use super::super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, WaitKind};

impl<'a> Checker<'a> {
    pub(super) fn wait(&mut self, written: &'a ast::Wait, span: Span, scope: &mut Scope) -> Option<StmtKind> {
        match &written.kind {
            WaitKind::Duration(duration) => {
                self.no_limit(written, "a fixed time");
                if let ast::ExprKind::Unary { op: ast::UnaryOp::Neg, .. } = &duration.kind {
                    let why = "nobody can wait for less than no time";
                    self.wrong(codes::BAD_WAIT, why, "write the length without the minus sign", duration.span);
                }
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
        let in_quotes = super::super::expr::moment_in_quotes(&checked);
        if let Some(moment) = in_quotes {
            let why = "a moment stands without quotes";
            let problem = Problem::error(codes::BAD_WAIT, why, checked.span).help(format!("write `{moment}`"));
            self.report(problem.fix(checked.span, moment));
            return None;
        }
        let until = match &checked.ty.kind {
            TyKind::Timestamp | TyKind::Date | TyKind::Time => {
                self.no_limit(written, "a moment");
                self.lint_until_now(&checked);
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
                let help = match &checked.kind {
                    ExprKind::Literal(Value::Duration(ast::Duration { months: 0, days: 0, seconds }))
                        if *seconds % 3_600 == 0 && (0..86_400).contains(seconds) =>
                    {
                        format!("write `{:02}:00` for a time of day, `wait 2d` for a length of time", seconds / 3_600)
                    }
                    _ => "write `wait 2d` for a length of time".to_owned(),
                };
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

    /// `wait until now()`, `wait until now() + 2d`
    fn lint_until_now(&mut self, moment: &Expr) {
        let (why, help) = match &moment.kind {
            ExprKind::Now => (
                "this moment is past when it is reached, so nothing is waited for",
                "remove this wait, or write `wait 2d`",
            ),
            ExprKind::Binary { op: ast::BinaryOp::Subtract, left, .. } if left.kind == ExprKind::Now => (
                "this moment is past when it is reached, so nothing is waited for",
                "remove this wait, or write `wait 2d`",
            ),
            ExprKind::Binary { op: ast::BinaryOp::Add, left, .. } if is_instant_now(left) => {
                ("this is a length of time from now on", "write `wait 2d` for a length of time")
            }
            ExprKind::Ago(_) => {
                ("this moment is always past, so nothing is waited for", "remove this wait, or write `wait 2d`")
            }
            _ => return,
        };
        self.report(ValueLint::NowMisused { why, help: help.to_owned(), span: moment.span, fix: None });
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
        if found.is_none() && !self.is_lost(&name.text) {
            let nearest = crate::base::did_you_mean(&name.text, DAYS.iter().map(|(name, _)| *name));
            let lower = name.text.to_lowercase();
            let short = DAYS.iter().find(|(day, _)| lower.len() > 1 && day.starts_with(lower.trim_end_matches('.')));
            let help = match (short, nearest) {
                (Some((day, _)), _) => format!("write `{day}`"),
                (None, Some(nearest)) => format!("did you mean `{nearest}`?"),
                (None, None) => match lower.as_str() {
                    "week" | "weeks" => "name the day: `every monday at 09:00`, or `every 2w on monday`".to_owned(),
                    "month" | "months" => "write `every month on day 1 at 09:00`, or `on last friday`".to_owned(),
                    "hour" | "hours" => "write `every 1h`".to_owned(),
                    "minute" | "minutes" => "write `every 15min`".to_owned(),
                    "year" | "years" => "write `every 1y`".to_owned(),
                    "tomorrow" => "write `wait until today() + 1d`, or `wait 1d`".to_owned(),
                    "workday" | "business" => "write `weekday`".to_owned(),
                    _ => "days are `monday` to `sunday`".to_owned(),
                },
            };
            self.wrong(codes::BAD_SCHEDULE, format!("there is no day `{}`", name.text), help, name.span);
        }
        found
    }
}

fn is_instant_now(value: &Expr) -> bool {
    value.kind == ExprKind::Now && value.ty.kind == TyKind::Timestamp
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
