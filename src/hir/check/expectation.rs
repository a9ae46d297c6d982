//! What a test expects: conditions over what a run has done.
//!
//! `sent(email)`, `excluded(offer)` and their kin are the rows of a send, by its channel or its name; they can be counted
//! (`count(sent(email))`) and looked at by column (`sent(email).to`). `count(NAME)` counts a segment of the run, and
//! `finished`, `waiting` and other words say where the run stands. See [`TestStepKind::Expect`].
//!
//! [`TestStepKind::Expect`]: super::super::TestStepKind::Expect

use super::super::problem::listed;
use super::super::{Expr, ExprKind, FeedbackKind, LocalKind, Ty, TyKind, Value};
use super::{Bound, Checker, Global, Scope};
use crate::base::{Span, did_you_mean};
use crate::diag::codes::flow as codes;
use crate::syntax::ast;

/// Where a run may stand.
const STATES: [&str; 6] = ["running", "waiting", "paused", "finished", "stopped", "failed"];

/// Columns of what was sent, besides the fields of messages.
const COLUMNS: [&str; 4] = ["to", "key", "reason", "at"];

/// `sent(email)`
struct Observed {
    kind: FeedbackKind,
    /// A channel or the name of a send.
    of: String,
}

impl Checker<'_> {
    /// `expect CONDITION`
    pub(super) fn expectation(&mut self, condition: &ast::Expr) -> Expr {
        let mut scope = Scope::default();
        for state in STATES {
            let value = call("test.is", vec![text(state, condition.span)], TyKind::Bool, condition.span);
            scope.bind_to(state, Bound::Value(Box::new(value)));
        }
        let rewritten = self.observe(condition, &mut scope);
        self.predicate(&rewritten, &scope)
    }

    /// The expression with what it observes put in as values.
    fn observe(&mut self, expr: &ast::Expr, scope: &mut Scope) -> ast::Expr {
        use ast::ExprKind::*;
        if let Some(value) = self.observation(expr) {
            let name = format!("observed {}", scope.locals.len());
            scope.bind_to(name.clone(), Bound::Value(Box::new(value)));
            return ast::Expr { kind: Name(ast::Name { text: name, span: expr.span }), span: expr.span };
        }
        let mut again = |inner: &ast::Expr| Box::new(self.observe(inner, scope));
        let kind = match &expr.kind {
            Paren(inner) => Paren(again(inner)),
            List(items) => List(items.iter().map(|item| *again(item)).collect()),
            Unary { op, operand } => Unary { op: *op, operand: again(operand) },
            Binary { op, op_span, left, right } => {
                Binary { op: *op, op_span: *op_span, left: again(left), right: again(right) }
            }
            In { negated, value, within } => In { negated: *negated, value: again(value), within: again(within) },
            Between { negated, value, low, high } => {
                Between { negated: *negated, value: again(value), low: again(low), high: again(high) }
            }
            Is { negated, value, test } => Is { negated: *negated, value: again(value), test: *test },
            Call { callee, args: ast::Args { kind: ast::ArgsKind::Positional(values), span } } => {
                let values = values.iter().map(|value| *again(value)).collect();
                let args = ast::Args { kind: ast::ArgsKind::Positional(values), span: *span };
                Call { callee: callee.clone(), args }
            }
            other => other.clone(),
        };
        ast::Expr { kind, span: expr.span }
    }

    /// What an expression observes, if it observes something.
    fn observation(&mut self, expr: &ast::Expr) -> Option<Expr> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Binary { op, left, right, .. } => {
                let negated = match op {
                    ast::BinaryOp::Equal => false,
                    ast::BinaryOp::NotEqual => true,
                    _ => return None,
                };
                let same = self.same_list(left, right, span)?;
                let kind = if negated { ExprKind::Not(Box::new(same)) } else { return Some(same) };
                Some(Expr { kind, ty: Ty::of(TyKind::Bool), span })
            }
            ast::ExprKind::Field { base, field } => {
                let observed = self.observed(base)?;
                self.known_column(field);
                let args = vec![text(observed.kind.word(), span), text(&observed.of, span), text(&field.text, span)];
                Some(call("test.values", args, TyKind::List(Box::new(Ty::of(TyKind::Text))), span))
            }
            // `failed` alone is how a run ended.
            ast::ExprKind::Name(name)
                if FeedbackKind::of_word(&name.text).is_some_and(|kind| kind != FeedbackKind::Failed) =>
            {
                self.counted(expr, span)
            }
            ast::ExprKind::Call { .. } => {
                if let Some(counted) = argument_of(expr, "count") {
                    return self.counted(counted, span);
                }
                let observed = self.observed(expr)?;
                let written = format!("{}({})", observed.kind.word(), observed.of);
                let help = format!("count it, `count({written}) = 1`, or look at a column, `{written}.to = [...]`");
                self.wrong(codes::BAD_TEST, format!("`{written}` is no value"), help, span);
                Some(Expr { kind: ExprKind::Error, ty: Ty::error(), span })
            }
            _ => None,
        }
    }

    /// `sent(email).to = ["a@shop.test"]`
    fn same_list(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let ast::ExprKind::Field { base, .. } = &left.kind else { return None };
        FeedbackKind::ALL.iter().find(|kind| argument_of(base, kind.word()).is_some())?;
        let column = self.observation(left)?;
        let empty = matches!(&right.kind, ast::ExprKind::List(items) if items.is_empty());
        let wanted = match empty {
            true => Expr { kind: ExprKind::List(Vec::new()), ty: column.ty.clone(), span: right.span },
            false => self.expr(right, &Scope::default(), None),
        };
        if !matches!(wanted.ty.kind, TyKind::List(_) | TyKind::Error) {
            let help = "write the values in brackets: `= [\"a@shop.test\"]`";
            self.wrong(codes::BAD_TEST, "a column of what was sent is a list", help, right.span);
        }
        Some(call("test.same", vec![column, wanted], TyKind::Bool, span))
    }

    /// `count(sent(email))`, or `count(NAME)` for a segment of a campaign.
    fn counted(&mut self, counted: &ast::Expr, span: Span) -> Option<Expr> {
        if let Some(observed) = self.observed(counted) {
            let args = vec![text(observed.kind.word(), span), text(&observed.of, span)];
            return Some(call("test.count", args, TyKind::Int, span));
        }
        let ast::ExprKind::Name(name) = &counted.kind else { return None };
        if FeedbackKind::of_word(&name.text).is_some() {
            let help = format!("write `count({0}(email))`, or `count({0}(NAME))` for one send", name.text);
            self.wrong(codes::BAD_TEST, format!("nothing says of what `{}` is", name.text), help, name.span);
            return Some(Expr { kind: ExprKind::Error, ty: Ty::error(), span });
        }
        let known = self.names_bound(&[LocalKind::Segment, LocalKind::Arm]);
        let entity = matches!(self.find_global(name), Some((Global::Entity(_), _)));
        (known.contains(&name.text) && !entity)
            .then(|| call("test.rows", vec![text(&name.text, span)], TyKind::Int, span))
    }

    /// `KIND(CHANNEL)` or `KIND(SEND)`; one that is not known is reported.
    fn observed(&mut self, expr: &ast::Expr) -> Option<Observed> {
        let kind = *FeedbackKind::ALL.iter().find(|kind| argument_of(expr, kind.word()).is_some())?;
        let ast::ExprKind::Name(of) = &argument_of(expr, kind.word())?.kind else { return None };
        let channels = self.program.channels.iter().map(|channel| channel.name.clone());
        let known: Vec<String> = channels.chain(self.names_bound(&[LocalKind::Delivery])).collect();
        if !known.contains(&of.text) {
            let help = match did_you_mean(&of.text, known.iter().map(String::as_str)) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "write a channel, or the name that a send has: `send ... as NAME`".to_owned(),
            };
            let why = format!("neither a channel nor a send is called `{}`", of.text);
            self.wrong(codes::BAD_TEST, why, help, of.span);
        }
        Some(Observed { kind, of: of.text.clone() })
    }

    fn known_column(&mut self, field: &ast::Name) {
        let fields = self.program.channels.iter().flat_map(|channel| &channel.fields).map(|field| field.name.as_str());
        let known: Vec<&str> = COLUMNS.into_iter().chain(fields).collect();
        if !known.contains(&field.text.as_str()) {
            let help = match did_you_mean(&field.text, known) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("columns are {} and the fields of the message", listed(COLUMNS)),
            };
            let why = format!("what was sent has no column `{}`", field.text);
            self.wrong(codes::BAD_TEST, why, help, field.span);
        }
    }

    /// Names that campaigns bind, of these kinds.
    pub(super) fn names_bound(&self, kinds: &[LocalKind]) -> Vec<String> {
        let locals = self.program.campaigns.iter().flat_map(|campaign| &campaign.locals);
        locals.filter(|local| kinds.contains(&local.kind)).map(|local| local.name.clone()).collect()
    }
}

/// The one argument of a call of `function`.
fn argument_of<'e>(expr: &'e ast::Expr, function: &str) -> Option<&'e ast::Expr> {
    let ast::ExprKind::Call { callee, args } = &expr.kind else { return None };
    match (&callee.kind, &args.kind) {
        (ast::ExprKind::Name(name), ast::ArgsKind::Positional(values)) if name.text == function => match &values[..] {
            [one] => Some(one),
            _ => None,
        },
        _ => None,
    }
}

fn call(native: &str, args: Vec<Expr>, kind: TyKind, span: Span) -> Expr {
    Expr { kind: ExprKind::Call { native: native.to_owned(), args }, ty: Ty::of(kind), span }
}

fn text(value: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(Value::Text(value.to_owned())), ty: Ty::of(TyKind::Text), span }
}
