//! Options of a send.

use super::super::super::problem::NameProblem;
use super::super::super::{ExprKind, PolicyId, SendAt, SendOptions, Ty, TyKind, Value, Window, WindowZone};
use super::super::expr::written;
use super::super::options::word;
use super::super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::names as codes;
use crate::syntax::ast::{self, RecordValue};

const NAMES: &[&str] =
    &["address", "profile", "at", "late", "window", "rate", "policy", "topic", "confirm", "require", "unique_address"];

/// What options look at.
pub(super) struct Parts<'r> {
    /// The campaign's names, the send's own among them.
    pub scope: &'r Scope,
    /// The same with the fields of the row.
    pub inner: &'r Scope,
}

impl Checker<'_> {
    /// All options but `address` and `profile`.
    pub(super) fn send_options(&mut self, record: Option<&ast::Record>, parts: &Parts<'_>) -> SendOptions {
        let mut options = SendOptions::default();
        let Some(record) = record else { return options };
        for item in self.known_items(record, "a send", NAMES) {
            self.send_option(item, parts, &mut options);
            options.written.push((item.name.text.clone(), item.name.span));
        }
        if options.late_skip && options.at.is_none() {
            let span = record.span;
            let why = "`late` says what to do when the moment of `at` is past, and there is no `at`".to_owned();
            let help = "add `at: ...`, or remove `late`".to_owned();
            self.report(NameProblem::Declaration { code: codes::WRONG_OPTION, why, help, span });
        }
        options
    }

    fn send_option(&mut self, item: &ast::RecordItem, parts: &Parts<'_>, options: &mut SendOptions) {
        let name = item.name.text.as_str();
        match (name, &item.value) {
            ("at", value) => options.at = self.send_at(value, parts),
            ("window", RecordValue::Window(window)) => options.window = self.window("window", window),
            ("window", _) => self.wrong_option(name, "a span of time such as `09:00 to 12:00 local`", item.name.span),
            (_, RecordValue::Expr(value)) => self.plain_option(name, value, parts, options),
            _ => {
                self.plain_value(item);
            }
        }
    }

    fn plain_option(&mut self, name: &str, value: &ast::Expr, parts: &Parts<'_>, options: &mut SendOptions) {
        match name {
            "late" => match word(value) {
                Some("skip") => options.late_skip = true,
                Some("send") => {}
                _ => self.wrong_option(name, "`skip` or `send`", value.span),
            },
            "rate" => options.rate = self.rate_constant(value),
            "policy" => self.policy_option(value, options),
            "topic" => options.topic = self.topic_option(value),
            "confirm" => options.confirm = self.bool_option(value),
            "unique_address" => options.unique_address = self.bool_option(value),
            "require" => options.require = Some(self.predicate(value, parts.scope)),
            _ => {}
        }
    }

    fn bool_option(&mut self, value: &ast::Expr) -> bool {
        self.constant(value, &Ty::of(TyKind::Bool)) == Some(Value::Bool(true))
    }

    fn send_at(&mut self, value: &RecordValue, parts: &Parts<'_>) -> Option<SendAt> {
        match value {
            RecordValue::LocalTime(time) => Some(SendAt::LocalTime(self.of_kind(time, parts.inner, TyKind::Time))),
            RecordValue::Expr(moment) => {
                let checked = self.expr(moment, parts.inner, None);
                match checked.ty.kind {
                    TyKind::Timestamp | TyKind::Time | TyKind::Error => Some(SendAt::Moment(checked)),
                    TyKind::Date => {
                        self.wrong_option(
                            "at",
                            "a moment such as `09:00 local`; a date has no time of day",
                            moment.span,
                        );
                        None
                    }
                    _ => {
                        self.wrong_option("at", "a moment: `09:00 local`, or a `timestamp` of the row", moment.span);
                        None
                    }
                }
            }
            RecordValue::Window(window) => {
                self.wrong_option("at", "one moment; a span of time is a `window`", window.span);
                None
            }
        }
    }

    fn policy_option(&mut self, value: &ast::Expr, options: &mut SendOptions) {
        let ast::ExprKind::Name(name) = &value.kind else {
            return self.wrong_option("policy", "the name of a policy", value.span);
        };
        if name.text == "transactional" {
            options.transactional = true;
            return;
        }
        options.policy = self.policy_named(name);
    }

    /// The policy with this name; others are reported.
    pub(in super::super) fn policy_named(&mut self, name: &ast::Name) -> Option<PolicyId> {
        match self.lookup_global(name, "policy") {
            Some(Global::Policy(id)) => Some(id),
            _ => None,
        }
    }

    /// `200 per second`, `5_000 per 3h`, as constants.
    pub(in super::super) fn rate_constant(&mut self, value: &ast::Expr) -> Option<(u64, ast::Duration)> {
        // `1000/h`
        if let ast::ExprKind::Binary { op: ast::BinaryOp::Divide, left, right, .. } = &value.kind
            && let (Some(amount), ast::ExprKind::Name(unit)) = (written(left), &right.kind)
        {
            let unit = match unit.text.to_lowercase().as_str() {
                "s" | "sec" | "second" | "seconds" => "second",
                "min" | "minute" | "minutes" => "minute",
                "d" | "day" | "days" => "day",
                _ => "hour",
            };
            let right = format!("{amount} per {unit}");
            let problem = Problem::error(codes::WRONG_OPTION, "a rate is written with `per`", value.span);
            self.report(problem.help(format!("write `{right}`")).fix(value.span, right));
            return None;
        }
        let checked = self.expr(value, &Scope::default(), Some(&Ty::of(TyKind::Rate)));
        let ExprKind::Rate { amount, per } = &checked.kind else { return None };
        match (&amount.kind, &per.kind) {
            (ExprKind::Literal(Value::Int(count)), ExprKind::Literal(Value::Duration(per))) if *count > 0 => {
                Some((*count as u64, *per))
            }
            (ExprKind::Error, _) | (_, ExprKind::Error) => None,
            _ => {
                self.wrong_option("rate", "a number above 0 per time, such as `5_000 per 3h`", value.span);
                None
            }
        }
    }

    /// A daily span of time.
    pub(in super::super) fn window(&mut self, name: &str, window: &ast::Window) -> Option<Window> {
        let (from, to) = (self.time_constant(&window.from), self.time_constant(&window.to));
        let zone = match &window.zone {
            ast::WindowZone::Campaign => WindowZone::Campaign,
            ast::WindowZone::Local => WindowZone::Local,
            ast::WindowZone::Named(zone) => WindowZone::Named(self.zone_constant(zone)?),
        };
        let (from, to) = (from?, to?);
        if from == to {
            self.wrong_option(name, "a span of time, and this one is empty", window.span);
            return None;
        }
        Some(Window { from, to, zone })
    }

    pub(in super::super) fn time_constant(&mut self, value: &ast::Expr) -> Option<jiff::civil::Time> {
        match self.constant(value, &Ty::of(TyKind::Time)) {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        }
    }

    /// The name of a time zone that exists.
    pub(in super::super) fn zone_constant(&mut self, value: &ast::Expr) -> Option<String> {
        // `in Europe/Paris`
        if let ast::ExprKind::Binary { op: ast::BinaryOp::Divide, left, right, .. } = &value.kind
            && let (ast::ExprKind::Name(area), ast::ExprKind::Name(place)) = (&left.kind, &right.kind)
        {
            let zone = format!("\"{}/{}\"", area.text, place.text);
            let problem = Problem::error(codes::UNKNOWN_ZONE, "the name of a time zone stands in quotes", value.span);
            self.report(problem.help(format!("write `{zone}`")).fix(value.span, zone));
            return None;
        }
        // `in Berlin`
        if let ast::ExprKind::Name(name) = &value.kind
            && let Some(zone) = zone_of_place(&name.text)
        {
            let problem = Problem::error(codes::UNKNOWN_ZONE, "the name of a time zone stands in quotes", value.span);
            self.report(problem.help(format!("write `\"{zone}\"`")).fix(value.span, format!("\"{zone}\"")));
            return None;
        }
        match self.constant(value, &Ty::of(TyKind::Text)) {
            Some(Value::Text(zone)) => self.zone(zone, value.span),
            _ => None,
        }
    }

    fn zone(&mut self, zone: String, span: Span) -> Option<String> {
        let database = jiff::tz::TimeZoneDatabase::bundled();
        if database.get(&zone).is_ok() {
            return Some(zone);
        }
        let known: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
        let nearest = crate::base::did_you_mean(&zone, known.iter().map(String::as_str));
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => {
                let lower = zone.to_lowercase().replace(' ', "_");
                let city =
                    known.iter().find(|name| name.rsplit('/').next().is_some_and(|city| city.to_lowercase() == lower));
                match city {
                    Some(name) => format!("write `\"{name}\"`"),
                    None => "zones are called after places: \"Europe/Paris\"".to_owned(),
                }
            }
        };
        let why = format!("there is no time zone `{zone}`");
        self.report(NameProblem::Declaration { code: codes::UNKNOWN_ZONE, why, help, span });
        None
    }
}

/// `Europe/Berlin` for `Berlin`.
fn zone_of_place(place: &str) -> Option<String> {
    let wanted = place.to_lowercase();
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    let mut zones = zones.available().map(|zone| zone.to_string());
    zones.find(|zone| zone.rsplit('/').next().is_some_and(|last| last.to_lowercase() == wanted))
}
