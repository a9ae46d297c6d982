//! `exists(Q)`, `count(Q)`, `sum(X of Q)` and their kin.

use super::problem::{Advice, TypeProblem};
use super::{node, poisoned, relate, written};
use crate::base::Span;
use crate::hir::check::{Checker, RowScope, Scope};
use crate::hir::{Aggregate, AggregateFn, Column, Expr, ExprKind, Query, Ty, TyKind, Value};
use crate::syntax::ast;

/// The named values of an aggregate, and its further arguments.
type Checked = (Vec<(String, Expr)>, Vec<Expr>);

impl Checker<'_> {
    /// `exists(Q)`
    pub(crate) fn exists(&mut self, args: &ast::Args, span: Span, scope: &Scope) -> Expr {
        let ty = Ty::of(TyKind::Bool);
        let ast::ArgsKind::Positional(given) = &args.kind else {
            return self.bad_aggregate(
                "exists",
                "takes rows only",
                Advice::say("write `exists(orders where ...)`"),
                args.span,
            );
        };
        let [rows] = &given[..] else {
            return self.bad_aggregate(
                "exists",
                "takes one population",
                Advice::say("write `exists(orders where ...)`"),
                args.span,
            );
        };
        let Some(query) = self.rows(rows, "exists", scope) else { return node(ExprKind::Error, ty, span) };
        self.lint_ignored_row(&query, rows, scope);
        node(ExprKind::Exists(Box::new(query)), ty, span)
    }

    /// An aggregate over rows.
    pub(crate) fn aggregate(
        &mut self,
        function: AggregateFn,
        name: &ast::Name,
        args: &ast::Args,
        span: Span,
        scope: &Scope,
    ) -> Expr {
        let (values, rows): (&[ast::Expr], &ast::Expr) = match &args.kind {
            ast::ArgsKind::Of { values, query } => (values, query),
            ast::ArgsKind::Positional(given) => match &given[..] {
                [rows] if function == AggregateFn::Count => (&[], rows),
                [one] => return self.aggregate_without_of(name, one, span, scope),
                _ => return self.aggregate_of_values(name, given, args.span),
            },
            ast::ArgsKind::Named(_) => return self.aggregate_of_values(name, &[], args.span),
        };
        let Some(query) = self.rows(rows, &name.text, scope) else {
            return node(ExprKind::Error, poisoned_type(function), span);
        };
        self.lint_ignored_row(&query, rows, scope);
        let row = self.row_of(&query, rows);
        let row_id = row.row;
        let Some((values, args)) = self.aggregate_values(function, name, values, row, scope) else {
            return node(ExprKind::Error, poisoned_type(function), span);
        };
        let ty = result(function, &values);
        let aggregate = Aggregate { function, values, row: row_id, query, args };
        node(ExprKind::Aggregate(Box::new(aggregate)), ty, span)
    }

    /// The rows that are aggregated; reported if they are none.
    fn rows(&mut self, rows: &ast::Expr, function: &str, scope: &Scope) -> Option<Query> {
        if let Some(query) = self.rows_of(rows, scope) {
            return Some(query);
        }
        if !self.is_population(rows, scope) {
            let value = self.infer(rows, scope, None);
            if !value.ty.is_error() {
                let found = super::problem::a(&value.ty.kind.show(&self.program));
                let advice =
                    Advice::say(format!("name a relation, a segment or an entity: `{function}(orders where ...)`"));
                self.bad_aggregate(function, &format!("needs rows, not {found}"), advice, rows.span);
            }
            return None;
        }
        let query = self.query(rows, scope);
        (!query.ty.is_error()).then_some(query)
    }

    /// The values over a row of the query, and what is an argument of the function.
    fn aggregate_values(
        &mut self,
        function: AggregateFn,
        name: &ast::Name,
        values: &[ast::Expr],
        row: RowScope,
        scope: &Scope,
    ) -> Option<Checked> {
        let extra = match function {
            AggregateFn::StringAgg if values.len() == 2 => Some(Ty::of(TyKind::Text)),
            AggregateFn::Percentile if values.len() == 2 => Some(Ty::of(TyKind::Percent)),
            _ => None,
        };
        let (values, args) = values.split_at(values.len() - usize::from(extra.is_some()));
        let mut args: Vec<Expr> = args.iter().map(|arg| self.expr(arg, scope, extra.as_ref())).collect();
        if function == AggregateFn::StringAgg && args.is_empty() {
            args.push(super::literal(Value::Text(", ".to_owned()), TyKind::Text, name.span));
        }
        let wanted_one = function != AggregateFn::List && function != AggregateFn::Count;
        let complaint = match (function, values.len()) {
            (AggregateFn::Percentile, _) if args.is_empty() => {
                Some("needs a value and a share: `percentile(amount, 90% of orders)`")
            }
            (_, n) if n > 1 && function != AggregateFn::List => Some("takes one value"),
            (_, 0) if wanted_one => Some("needs a value"),
            _ => None,
        };
        if let Some(why) = complaint {
            let advice = Advice::say(format!("write `{}(FIELD of ...)`", name.text));
            self.bad_aggregate(&name.text, why, advice, name.span);
            return None;
        }
        let inner = scope.with_row(row);
        let mut checked: Vec<(String, Expr)> = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let column = column_name(value).unwrap_or_else(|| format!("column_{}", at + 1));
            let value = self.aggregated(function, name, value, &inner);
            checked.push((column, value));
        }
        checked.iter().all(|(_, value)| !value.ty.is_error()).then_some((checked, args))
    }

    /// One value, of a type that the function works on.
    fn aggregated(&mut self, function: AggregateFn, name: &ast::Name, value: &ast::Expr, inner: &Scope) -> Expr {
        let checked = self.infer(value, inner, None);
        let kind = &checked.ty.kind;
        let works = match function {
            AggregateFn::Sum
            | AggregateFn::Avg
            | AggregateFn::StdDev
            | AggregateFn::Median
            | AggregateFn::Percentile => kind.is_number() || relate::is_unknown(&checked.ty),
            AggregateFn::Min | AggregateFn::Max => relate::has_order(kind),
            AggregateFn::StringAgg => relate::is_printable(kind),
            _ => true,
        };
        if works {
            return checked;
        }
        let found = super::problem::a(&kind.show(&self.program));
        let advice = match function {
            AggregateFn::Sum if *kind == TyKind::Bool => Advice::say("count the rows instead: `count(... where ...)`"),
            AggregateFn::Min | AggregateFn::Max => {
                Advice::say("use `first(... of ... order by ...)`, or a value that has an order")
            }
            _ => Advice::None,
        };
        self.bad_aggregate(&name.text, &format!("does not work on {found}"), advice, checked.span)
    }

    /// `sum(spend)`, `first(orders)`, `sum(orders.amount)`: the word `of` is missing.
    fn aggregate_without_of(&mut self, name: &ast::Name, arg: &ast::Expr, span: Span, scope: &Scope) -> Expr {
        let function = &name.text;
        if let ast::ExprKind::Field { base, field } = &arg.kind
            && (self.is_population(base, scope) || self.rows_of(base, scope).is_some())
            && let Some(base) = written(base)
        {
            let field = super::quoted_name(&field.text);
            let advice = Advice::write(format!("{function}({field} of {base})"), span);
            return self.bad_aggregate(function, "needs `of` between the value and the rows", advice, arg.span);
        }
        if self.is_population(arg, scope) || self.rows_of(arg, scope).is_some() {
            let rows = written(arg).unwrap_or_else(|| "...".to_owned());
            let advice = Advice::say(format!("write `{function}(FIELD of {rows})`"));
            return self.bad_aggregate(function, "needs to know which value of the rows", advice, arg.span);
        }
        let value = self.infer(arg, scope, None);
        if value.ty.is_error() {
            return poisoned(span);
        }
        let text = written(arg).unwrap_or_else(|| "...".to_owned());
        let rows = scope.rows.last().map_or_else(|| "ROWS".to_owned(), |row| row.name.clone());
        let advice = Advice::say(format!("write `{function}({text} of {rows})`"));
        self.bad_aggregate(function, "works on many rows; of which?", advice, arg.span)
    }

    /// `min(a, b)`
    fn aggregate_of_values(&mut self, name: &ast::Name, given: &[ast::Expr], span: Span) -> Expr {
        let function = name.text.as_str();
        let texts: Option<Vec<String>> = given.iter().map(written).collect();
        let advice = match (function, texts) {
            ("min", Some(texts)) => {
                Advice::say(format!("the least of several values is `least({})`", texts.join(", ")))
            }
            ("max", Some(texts)) => {
                Advice::say(format!("the greatest of several values is `greatest({})`", texts.join(", ")))
            }
            ("count", _) => Advice::say("write `count(orders where ...)`"),
            _ => Advice::say(format!("write `{function}(FIELD of ROWS)`")),
        };
        self.bad_aggregate(function, "works on rows", advice, span)
    }

    fn bad_aggregate(&mut self, function: &str, why: &str, advice: Advice, span: Span) -> Expr {
        self.report(TypeProblem::BadAggregate { why: format!("`{function}` {why}"), advice, span });
        poisoned(span)
    }
}

/// What a value is called in the rows of a list.
fn column_name(value: &ast::Expr) -> Option<String> {
    match &value.kind {
        ast::ExprKind::Name(name) | ast::ExprKind::Field { field: name, .. } => Some(name.text.clone()),
        ast::ExprKind::Paren(inner) => column_name(inner),
        _ => None,
    }
}

/// What is known of the type when the arguments are wrong.
fn poisoned_type(function: AggregateFn) -> Ty {
    match function {
        AggregateFn::Count | AggregateFn::CountDistinct => Ty::of(TyKind::Int),
        _ => Ty::error(),
    }
}

/// `sum` of nothing is 0 and `count` is never null; of nothing, the others but `list` are null.
fn result(function: AggregateFn, values: &[(String, Expr)]) -> Ty {
    let first = || values.first().map_or_else(Ty::error, |(_, value)| value.ty.clone());
    let number = |ty: Ty| match ty.kind {
        TyKind::Int => TyKind::Decimal,
        kind => kind,
    };
    match function {
        AggregateFn::Count | AggregateFn::CountDistinct => Ty::of(TyKind::Int),
        AggregateFn::Sum => Ty::of(first().kind),
        AggregateFn::Min | AggregateFn::Max | AggregateFn::First => first().or_null(),
        AggregateFn::Avg | AggregateFn::Median | AggregateFn::Percentile => Ty::of(number(first())).or_null(),
        AggregateFn::StdDev => Ty::of(TyKind::Float).or_null(),
        AggregateFn::StringAgg => Ty::of(TyKind::Text).or_null(),
        AggregateFn::List => {
            let element = match values {
                [(_, value)] => value.ty.clone(),
                _ => {
                    let column = |(name, value): &(String, Expr)| Column { name: name.clone(), ty: value.ty.clone() };
                    Ty::of(TyKind::Record(values.iter().map(column).collect()))
                }
            };
            Ty::of(TyKind::List(Box::new(element)))
        }
    }
}
