//! Tests of the language.

use super::super::problem::NameProblem;
use super::super::{EntityId, FeedbackKind, FieldId, LocalKind, Test, TestStep, TestStepKind, Ty, TyKind, Value};
use super::collect::Found;
use super::{Checker, Global, Scope};
use crate::base::did_you_mean;
use crate::diag::codes::{flow as codes, types};
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// All tests.
    pub(super) fn check_tests(&mut self, found: &Found<'a>) {
        for test in &found.tests {
            self.locals.clear();
            let mut steps = Vec::new();
            for stmt in &test.body {
                let kind = self.test_step(stmt);
                steps.extend(kind.map(|kind| TestStep { kind, span: stmt.span }));
            }
            let (title, span) = (test.title.value.clone(), test.title.span);
            self.program.tests.push(Test { title, span, steps });
        }
    }

    fn test_step(&mut self, stmt: &'a ast::Stmt) -> Option<TestStepKind> {
        let scope = Scope::default();
        match &stmt.kind {
            ast::StmtKind::Given { entity, rows, .. } => {
                let entity = self.entity_named(entity)?;
                let rows = rows.iter().map(|row| self.fixture(entity, row)).collect();
                Some(TestStepKind::Given { entity, rows })
            }
            ast::StmtKind::At { moment } => Some(TestStepKind::At(self.of_kind(moment, &scope, TyKind::Timestamp))),
            ast::StmtKind::Advance { duration } => {
                Some(TestStepKind::Advance(self.of_kind(duration, &scope, TyKind::Duration)))
            }
            ast::StmtKind::Run { campaign, args } => self.run_step(campaign, args),
            ast::StmtKind::Signal(signal) => self.signal_step(signal),
            ast::StmtKind::Feedback { kind, delivery, rows } => self.feedback_step(kind, delivery.as_ref(), rows),
            ast::StmtKind::Decide { answer, step } => self.decide_step(answer, step.as_ref()),
            ast::StmtKind::Expect { condition } => Some(TestStepKind::Expect(self.expectation(condition))),
            _ => {
                self.misplaced(stmt, "inside a test");
                None
            }
        }
    }

    fn fixture(&mut self, entity: EntityId, row: &ast::Record) -> Vec<(FieldId, Value)> {
        let mut values: Vec<(FieldId, Value)> = Vec::new();
        for item in &row.items {
            let Some(field) = self.program[entity].field(&item.name.text) else {
                self.no_fixture_field(entity, &item.name);
                continue;
            };
            if values.iter().any(|(known, _)| *known == field) {
                let (name, span) = (item.name.text.clone(), item.name.span);
                self.report(NameProblem::RepeatedOption { name, span, first: row.span });
                continue;
            }
            let Some(value) = self.plain_value(item) else { continue };
            let ty = self.program[entity][field].ty.clone();
            let null = matches!(value.kind, ast::ExprKind::Literal(ast::Literal::Null));
            if null && !ty.nullable {
                self.wrong_option(&item.name.text, "a value, since the field cannot be null", value.span);
            } else if let Some(value) = self.constant(value, &ty) {
                values.push((field, value));
            }
        }
        values
    }

    fn no_fixture_field(&mut self, entity: EntityId, name: &ast::Name) {
        let entity = &self.program[entity];
        let help = match did_you_mean(&name.text, entity.fields.iter().map(|field| field.name.as_str())) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "fields that are left out get a valid value".to_owned(),
        };
        let why = format!("`{}` has no field `{}`", entity.name, name.text);
        self.report(NameProblem::Declaration { code: types::UNKNOWN_FIELD, why, help, span: name.span });
    }

    fn run_step(&mut self, campaign: &ast::Name, args: &ast::Args) -> Option<TestStepKind> {
        let Some(Global::Campaign(id)) = self.lookup_global(campaign, "campaign") else { return None };
        let params = self.program[id].params.clone();
        let given = self.constant_arguments(&params, args, &format!("campaign `{}`", campaign.text));
        let args = given.into_iter().map(|(at, value)| (params[at].name.clone(), value)).collect();
        Some(TestStepKind::Run { campaign: id, args })
    }

    fn signal_step(&mut self, signal: &ast::Signal) -> Option<TestStepKind> {
        let Some(Global::Signal(id)) = self.lookup_global(&signal.name, "signal") else { return None };
        let params = self.program[id].params.clone();
        let empty = ast::Args { kind: ast::ArgsKind::Positional(Vec::new()), span: signal.name.span };
        let args = match &signal.params {
            ast::SignalParams::Given(args) => args,
            ast::SignalParams::Declared(declared) if declared.is_empty() => &empty,
            ast::SignalParams::Declared(declared) => {
                let span = declared[0].ty.span;
                self.wrong(
                    codes::BAD_TEST,
                    "in a test a signal arrives with values",
                    "write `signal NAME(sku: \"a\")`",
                    span,
                );
                return None;
            }
        };
        let given = self.constant_arguments(&params, args, &format!("signal `{}`", signal.name.text));
        let value = |at: usize| {
            let found = given.iter().find(|(param, _)| *param == at).map(|(_, value)| value.clone());
            found.or_else(|| params[at].default.clone()).unwrap_or(Value::Null)
        };
        Some(TestStepKind::Signal { signal: id, args: (0..params.len()).map(value).collect() })
    }

    fn feedback_step(
        &mut self,
        kind: &ast::Name,
        delivery: Option<&ast::Name>,
        rows: &ast::Expr,
    ) -> Option<TestStepKind> {
        let found = FeedbackKind::of_word(&kind.text);
        let Some(known) = found.filter(|kind| kind.comes_from_people()) else {
            let words = FeedbackKind::ALL.iter().filter(|kind| kind.comes_from_people()).map(|kind| kind.word());
            let near = super::expr::feedback_near(&kind.text).filter(|near| words.clone().any(|word| word == *near));
            let help = match near.or_else(|| did_you_mean(&kind.text, words.clone())) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("feedback is {}", super::super::problem::listed(words)),
            };
            self.wrong(codes::BAD_TEST, format!("there is no feedback `{}`", kind.text), help, kind.span);
            return None;
        };
        if let Some(delivery) = delivery {
            self.known_delivery(delivery);
        }
        let keys = self.keys(rows)?;
        Some(TestStepKind::Feedback { kind: known, delivery: delivery.map(|name| name.text.clone()), keys })
    }

    /// Some campaign must have a send of this name.
    fn known_delivery(&mut self, name: &ast::Name) {
        let known = self.names_bound(&[LocalKind::Delivery]);
        if !known.contains(&name.text) {
            self.report(NameProblem::Unknown { name: name.clone(), kinds: "send", known });
        }
    }

    /// One key or a list of keys.
    fn keys(&mut self, written: &ast::Expr) -> Option<Vec<Value>> {
        let items = match &written.kind {
            ast::ExprKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(written),
        };
        items.iter().map(|item| self.key_value(item)).collect()
    }

    fn key_value(&mut self, written: &ast::Expr) -> Option<Value> {
        let ty = match &written.kind {
            ast::ExprKind::Literal(ast::Literal::Int(_)) => TyKind::Int,
            ast::ExprKind::Literal(ast::Literal::Text(_)) => TyKind::Text,
            _ => {
                let help = "write `feedback opened for 1`, or `for [1, 2]`";
                self.wrong(codes::BAD_TEST, "rows are named by their key", help, written.span);
                return None;
            }
        };
        self.constant(written, &Ty::of(ty))
    }

    fn decide_step(&mut self, answer: &ast::Name, step: Option<&ast::Expr>) -> Option<TestStepKind> {
        if !["yes", "no", "done"].contains(&answer.text.as_str()) {
            let why = format!("`{}` is no decision", answer.text);
            self.wrong(codes::BAD_TEST, why, "write `decide yes`, `decide no` or `decide done`", answer.span);
            return None;
        }
        let step = match step {
            Some(step) => Some(self.constant(step, &Ty::of(TyKind::Text))?),
            None => None,
        };
        Some(TestStepKind::Decide { answer: answer.text.clone(), step })
    }
}
