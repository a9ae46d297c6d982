//! Clauses, each of which applies to all that stands before it.

use std::sync::Arc;

use super::super::expr::problem::{Advice, TypeProblem};
use super::super::expr::relate;
use super::poisoned;
use crate::base::Span;
use crate::diag::codes::names;
use crate::hir::check::expr::quoted_name;
use crate::hir::check::{Checker, RowScope, Scope};
use crate::hir::problem::NameProblem;
use crate::hir::{Amount, Column, Expr, ExprKind, OrderKey, Query, QueryKind, RowId, SegmentTy, Ty, TyKind, Value};
use crate::syntax::ast;

impl Checker<'_> {
    /// A clause after a population.
    pub(crate) fn clause(&mut self, expr: &ast::Expr, input: &ast::Expr, clause: &ast::Clause, scope: &Scope) -> Query {
        let source = self.query(input, scope);
        if source.ty.is_error() {
            return poisoned(expr.span);
        }
        let row = self.row_of(&source, input);
        let (kind, ty) = match &clause.kind {
            ast::ClauseKind::Match { entity, on } => self.match_clause(source, row, entity, on, scope),
            kind => self.narrowing(source, row, kind, clause.span, scope),
        };
        Query { kind, ty, span: expr.span }
    }

    /// Adds a `where`, an order, a limit or a sample to a population: also for the arms of a split.
    pub fn narrowing(
        &mut self,
        input: Query,
        row: RowScope,
        clause: &ast::ClauseKind,
        span: Span,
        scope: &Scope,
    ) -> (QueryKind, SegmentTy) {
        let (id, mut ty) = (row.row, input.ty.clone());
        let inner = scope.with_row(row);
        let input = Box::new(input);
        let kind = match clause {
            ast::ClauseKind::Where(predicate) => {
                let predicate = self.predicate(predicate, &inner);
                QueryKind::Where { input, row: id, predicate }
            }
            ast::ClauseKind::With(bindings) => {
                let columns = self.added_columns(bindings, &input, &inner);
                ty = ty.and(columns.iter().map(|(column, _)| column.clone()));
                QueryKind::With { input, row: id, columns }
            }
            ast::ClauseKind::Dedupe { by, keep, prefer } => {
                let by: Vec<Expr> = by.iter().map(|key| self.sort_key(key, &inner)).collect();
                self.lint_null_keys(&by, &input, id);
                let keep = keep.as_ref().map_or(1, |keep| self.keep(keep));
                QueryKind::Dedupe { input, row: id, by, keep, prefer: self.sort_keys(prefer, &inner) }
            }
            ast::ClauseKind::OrderBy(keys) => QueryKind::OrderBy { input, row: id, keys: self.sort_keys(keys, &inner) },
            ast::ClauseKind::Limit { amount, by } => {
                let amount = self.clause_amount(amount, "limit", scope);
                QueryKind::Limit { input, row: id, amount, by: self.sort_keys(by, &inner) }
            }
            ast::ClauseKind::Sample { amount, seed } => {
                let amount = self.clause_amount(amount, "sample", scope);
                QueryKind::Sample { input, amount, seed: seed.as_ref().map(|seed| seed.value.clone()) }
            }
            ast::ClauseKind::New { memory, by } => {
                let by = self.new_by(by.as_ref(), &input, span, &inner);
                let input = with_something_to_grow(input, id, by.as_ref());
                QueryKind::New { input, memory: memory.as_ref().map(|text| text.value.clone()), row: id, by }
            }
            // Handled by `match_clause`; an arm of a split has none.
            ast::ClauseKind::Match { .. } => QueryKind::Error,
        };
        (kind, ty)
    }

    /// Later columns of one `with` see the row without the earlier ones.
    fn added_columns(&mut self, bindings: &[ast::Binding], input: &Query, inner: &Scope) -> Vec<(Column, Expr)> {
        let mut columns: Vec<(Column, Expr)> = Vec::new();
        for binding in bindings {
            let name = &binding.name;
            let entity = self.known_entity(input.ty.entity);
            let field = entity.and_then(|entity| entity.field(&name.text).map(|field| entity[field].span));
            let relation = entity.and_then(|entity| entity.relation(&name.text).map(|id| entity[id].span));
            let earlier = columns.iter().any(|(column, _)| column.name == name.text);
            let declared = field.or(relation);
            if declared.is_some() || earlier || input.ty.column(&name.text).is_some() {
                let of = format!("`{}`", self.entity_name(input.ty.entity));
                self.report(TypeProblem::DuplicateColumn { name: name.clone(), of, declared });
            }
            let value = self.expr(&binding.value, inner, None);
            let ty = match value.ty.kind {
                TyKind::Null => Ty::of(TyKind::Text).or_null(),
                _ => value.ty.clone(),
            };
            columns.push((Column { name: name.text.clone(), ty }, value));
        }
        columns
    }

    /// Something that rows are told apart or ordered by.
    fn sort_key(&mut self, expr: &ast::Expr, inner: &Scope) -> Expr {
        let value = self.expr(expr, inner, None);
        if !relate::is_sortable(&value.ty.kind) {
            let ty = value.ty.kind.show(&self.program);
            let about = Default::default();
            self.report(TypeProblem::NoOrder { ty, about, advice: Advice::None, span: value.span });
        }
        value
    }

    /// The keys of an order.
    pub fn sort_keys(&mut self, keys: &[ast::OrderKey], inner: &Scope) -> Vec<OrderKey> {
        let check =
            |key: &ast::OrderKey| OrderKey { value: self.sort_key(&key.value, inner), descending: key.descending };
        keys.iter().map(check).collect()
    }

    fn keep(&mut self, keep: &ast::Expr) -> u64 {
        match self.constant(keep, &Ty::of(TyKind::Int)) {
            Some(Value::Int(count)) if count > 0 => count as u64,
            Some(_) => {
                let why = "`keep` needs a number of rows, at least 1".to_owned();
                self.report(TypeProblem::BadAmount { why, span: keep.span });
                1
            }
            None => 1,
        }
    }

    /// A number of rows or a share. It may depend on parameters, not on rows.
    pub fn clause_amount(&mut self, amount: &ast::Expr, clause: &str, scope: &Scope) -> Amount {
        let value = self.expr(amount, scope, None);
        let complaint = match (&value.ty.kind, &value.kind) {
            (TyKind::Int, crate::hir::ExprKind::Literal(Value::Int(count))) if *count < 0 => {
                Some("a number of rows is 0 or more")
            }
            (TyKind::Percent, crate::hir::ExprKind::Literal(Value::Decimal(share)))
                if share.is_sign_negative() || *share > rust_decimal::Decimal::ONE =>
            {
                Some("a share is between 0% and 100%")
            }
            (TyKind::Int | TyKind::Percent | TyKind::Error, _) => None,
            _ => Some("needs a number of rows or a share such as `10%`"),
        };
        if let (Some(share), Some(_)) = (share_of_fraction(&value), complaint) {
            let (wanted, found) = ("share".to_owned(), value.ty.kind.show(&self.program));
            let advice = Advice::write(share, value.span);
            self.report(TypeProblem::Mismatch { wanted, found, advice, span: value.span });
        } else if let Some(complaint) = complaint {
            let why =
                if complaint.starts_with("needs") { format!("`{clause}` {complaint}") } else { complaint.to_owned() };
            self.report(TypeProblem::BadAmount { why, span: value.span });
        }
        match value.ty.kind {
            TyKind::Percent => Amount::Share(value),
            _ => Amount::Rows(value),
        }
    }

    /// `by FIELD` of `new`: something that grows. Rows without a key need it.
    fn new_by(&mut self, by: Option<&ast::Expr>, input: &Query, span: Span, inner: &Scope) -> Option<Expr> {
        let Some(by) = by else {
            if self.known_entity(input.ty.entity).is_some_and(|entity| entity.key.is_empty()) {
                let entity = self.entity_name(input.ty.entity).to_owned();
                self.report(TypeProblem::NewNeedsBy { entity, span });
            }
            return None;
        };
        let value = self.expr(by, inner, None);
        if !relate::is_unknown(&value.ty) && !grows(&value.ty.kind) {
            let found = value.ty.kind.show(&self.program);
            let wanted = "date, timestamp or number".to_owned();
            self.report(TypeProblem::Mismatch { wanted, found, advice: Advice::None, span: value.span });
        }
        Some(value)
    }

    /// `match E on P`: rows of E; the source row's columns stay under its name.
    fn match_clause(
        &mut self,
        input: Query,
        source: RowScope,
        entity: &ast::Name,
        on: &ast::Expr,
        scope: &Scope,
    ) -> (QueryKind, SegmentTy) {
        let target = match self.entity_named(entity) {
            Some(target) => target,
            None => return (QueryKind::Error, SegmentTy::error()),
        };
        self.tell_apart(&source, entity);
        let row = RowScope::new(self.fresh_row(), target, entity.text.clone());
        let (source_id, row_id) = (source.row, row.row);
        let ty = SegmentTy { entity: target, with: self.source_columns(&source) };
        let on = self.predicate(on, &scope.with_row(source).with_row(row));
        (QueryKind::Match { input: Box::new(input), source: source_id, target, row: row_id, on }, ty)
    }

    /// Both rows of a `match` need a name of their own: by one name only the target would be reached.
    fn tell_apart(&mut self, source: &RowScope, target: &ast::Name) {
        let of_target = |name: &str| name.split_once('.').is_some_and(|(row, _)| row == target.text);
        if source.name != target.text && !source.with.iter().any(|column| of_target(&column.name)) {
            return;
        }
        let name = quoted_name(&target.text);
        self.report(NameProblem::Declaration {
            code: names::DUPLICATE_NAME,
            why: format!("the rows that are matched and those of {name} would have one name"),
            help: format!("bind the rows before under a name of their own: `segment found = ...`, then `found match {name} on ...`"),
            span: target.span,
        });
    }

    /// Columns of a matched source row, under its name.
    fn source_columns(&self, source: &RowScope) -> Arc<[Column]> {
        let fields = self.known_entity(source.entity).map_or(&[][..], |entity| &entity.fields[..]);
        let fields = fields.iter().filter(|_| source.has_fields).map(|field| (&field.name, &field.ty));
        let added = source.with.iter().map(|column| (&column.name, &column.ty));
        let dotted = |(name, ty): (&String, &Ty)| {
            // What was matched before keeps its own name.
            let name = if name.contains('.') { name.clone() } else { format!("{}.{name}", source.name) };
            Column { name, ty: ty.clone() }
        };
        fields.chain(added).map(dotted).collect()
    }
}

fn grows(kind: &TyKind) -> bool {
    matches!(kind, TyKind::Date | TyKind::Timestamp) || kind.is_number()
}

/// Nothing is later than null: such rows are left out, under the name of `where`, by every run.
fn with_something_to_grow(input: Box<Query>, row: RowId, by: Option<&Expr>) -> Box<Query> {
    match by {
        Some(by) if by.ty.nullable => {
            let kind = ExprKind::IsNull { negated: true, value: Box::new(by.clone()) };
            let predicate = Expr { kind, ty: Ty::of(TyKind::Bool), span: by.span };
            let (ty, span) = (input.ty.clone(), input.span);
            Box::new(Query { kind: QueryKind::Where { input, row, predicate }, ty, span })
        }
        _ => input,
    }
}

/// `10%` for `0.1`.
fn share_of_fraction(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Literal(Value::Decimal(share)) if share.is_sign_positive() && *share < rust_decimal::Decimal::ONE => {
            Some(format!("{}%", (*share * rust_decimal::Decimal::ONE_HUNDRED).normalize()))
        }
        _ => None,
    }
}
