//! Names and paths where a value is needed.

use super::problem::{Advice, TypeProblem};
use super::{Hint, Meaning, Place, literal, poisoned, quoted_name, relate, related, written};
use crate::base::Span;
use crate::hir::check::lints_expr::ExprLint;
use crate::hir::check::{Checker, Global, Scope};
use crate::hir::{ColumnRef, EntityId, Expr, ExprKind, FieldId, Query, RelationId, TyKind, Value};
use crate::syntax::ast;

/// What to write where a message was to be chosen by a condition.
const CHOOSE_MESSAGE: &str = "to choose between messages write `if ... { send ... } else { send ... }`";

impl Checker<'_> {
    /// A name or a path as a value.
    pub(crate) fn path(&mut self, expr: &ast::Expr, scope: &Scope, hint: Option<Hint>) -> Expr {
        let span = expr.span;
        match self.resolve(expr, scope) {
            Ok(Meaning::Value(value)) => {
                if let ExprKind::Column { .. } = value.kind {
                    self.lint_shadowed(expr, scope);
                }
                Expr { span, ..value }
            }
            Ok(Meaning::Define { index, on }) => self.expand(index, None, on, expr.span, scope, hint),
            Ok(Meaning::Unexpanded) => self.member_of_expression(expr, scope),
            Ok(Meaning::Poisoned) => poisoned(span),
            // What is known to be wrong was reported where it was bound.
            Ok(Meaning::Population(query)) if query.ty.is_error() => poisoned(span),
            Ok(Meaning::Global(Global::Topic(id))) if hint.is_none_or(|hint| hint.ty.kind == TyKind::Topic) => {
                literal(Value::Text(self.program[id].name.clone()), TyKind::Topic, span)
            }
            Ok(other) => {
                let problem = self.not_a_value(expr, other, scope, hint);
                self.report(problem);
                poisoned(span)
            }
            Err(problem) => {
                if let ast::ExprKind::Name(name) = &expr.kind
                    && let Some(day) = super::literal::weekday(&name.text)
                {
                    return literal(Value::Int(day), TyKind::Weekday, span);
                }
                let problem = match (*problem, hint) {
                    (TypeProblem::UnknownName { name, outer: None, .. }, Some(hint))
                        if hint.ty.kind == TyKind::Weekday =>
                    {
                        TypeProblem::UnknownValue {
                            written: name.text,
                            noun: "day of the week".to_owned(),
                            values: super::literal::DAYS.map(str::to_owned).to_vec(),
                            about: Default::default(),
                            span,
                        }
                    }
                    (problem, hint) => self.unknown_value_name(problem, expr, scope, hint),
                };
                self.report(problem);
                poisoned(span)
            }
        }
    }

    /// A field of something that is no path: of a definition, of a population in parentheses.
    fn member_of_expression(&mut self, expr: &ast::Expr, scope: &Scope) -> Expr {
        let ast::ExprKind::Field { base, field } = &expr.kind else { return poisoned(expr.span) };
        if self.is_population(base, scope) {
            let query = self.query(base, scope);
            match self.member_of_query(query, field) {
                Ok(Meaning::Poisoned) => {}
                Ok(meaning) => {
                    let problem = self.not_a_value(expr, meaning, scope, None);
                    self.report(problem);
                }
                Err(problem) => self.report(*problem),
            }
            return poisoned(expr.span);
        }
        let value = self.infer(base, scope, None);
        if !value.ty.is_error() {
            let of = super::problem::a(&value.ty.kind.show(&self.program));
            self.report(TypeProblem::UnknownField {
                field: field.clone(),
                of,
                known: Vec::new(),
                advice: Advice::None,
            });
        }
        poisoned(expr.span)
    }

    fn not_a_value(&self, expr: &ast::Expr, meaning: Meaning, scope: &Scope, hint: Option<Hint>) -> TypeProblem {
        let span = expr.span;
        let name = written(expr).unwrap_or_else(|| "this".to_owned());
        let function = |noun: &str, usage: &str| TypeProblem::NotAValue {
            name: name.clone(),
            noun: noun.to_owned(),
            advice: Advice::say(format!("it is used as `{usage}`")),
            span,
        };
        match meaning {
            Meaning::Many(place) => self.many_as_value(&place, &name, hint, span),
            Meaning::Row(place) => TypeProblem::RowAsValue {
                entity: self.entity_name(place.entity).to_owned(),
                advice: self.example_field(&place, &name),
                row: name,
                span,
            },
            Meaning::Population(query) => {
                let row = scope.rows.last().filter(|row| row.entity == query.ty.entity && !row.name.is_empty());
                match hint.map(|hint| &hint.ty.kind) {
                    Some(TyKind::Bool) if row.is_some() => {
                        let row = row.map_or("", |row| row.name.as_str());
                        let advice = Advice::say(format!(
                            "to keep the rows that are in it write `{row} intersect {name}`, without `where`"
                        ));
                        let population = format!("`{name}`");
                        TypeProblem::PopulationAsValue { population, advice, span }
                    }
                    _ => self.population_as_value(&query, &name, hint, span),
                }
            }
            Meaning::ColumnOf { query, column } => self.column_as_value(&query, expr, &column, span),
            Meaning::Delivery { .. } => TypeProblem::NotAValue {
                name: name.clone(),
                noun: "a send".to_owned(),
                advice: Advice::say(format!("count one of its populations, for example `count({name}.opened)`")),
                span,
            },
            Meaning::Native(native) => function("a function", &native.usage),
            Meaning::Global(Global::Define(_)) => function("a function", &format!("{name}(...)")),
            Meaning::Global(global) => {
                let outer = scope.rows.iter().rev().skip(1);
                let outer = outer.filter(|row| self.members(row.entity, &row.with).contains(&name));
                let outer: Vec<_> = outer.filter(|row| !row.name.is_empty()).take(1).collect();
                if let ([outer], ast::ExprKind::Name(_)) = (&outer[..], &expr.kind) {
                    let qualified = format!("{}.{}", quoted_name(&outer.name), quoted_name(&name));
                    let advice = Advice::write_to(qualified, span, "for the field of the other row");
                    return TypeProblem::NotAValue { name, noun: super::problem::a(global.noun()), advice, span };
                }
                let advice = match scope.rows.last() {
                    Some(row) => Advice::say(format!("`{}` has no field `{name}`", self.entity_name(row.entity))),
                    None if matches!(global, Global::Message(_)) => Advice::say(CHOOSE_MESSAGE),
                    None if hint.is_some_and(|hint| hint.ty.kind.is_text()) => {
                        Advice::write_to(format!("\"{name}\""), span, "with quotes if it is a text")
                    }
                    None => Advice::None,
                };
                TypeProblem::NotAValue { name, noun: super::problem::a(global.noun()), advice, span }
            }
            _ => {
                TypeProblem::NotAValue { name, noun: "a message".to_owned(), advice: Advice::say(CHOOSE_MESSAGE), span }
            }
        }
    }

    /// Which aggregate is offered depends on what is needed: a condition, a number, or something else.
    fn many_as_value(&self, place: &Place, name: &str, hint: Option<Hint>, span: Span) -> TypeProblem {
        let entity = self.entity_name(place.entity).to_owned();
        let advice = match hint.map(|hint| &hint.ty.kind) {
            Some(TyKind::Bool) => Advice::write_to(format!("exists({name})"), span, "to ask whether there are any"),
            Some(kind) if kind.is_number() => Advice::write_to(format!("count({name})"), span, "to count them"),
            _ => {
                let (amount, field) = self.telling_fields(place.entity);
                let sum = amount.map(|amount| format!("`sum({amount} of {name})` or ")).unwrap_or_default();
                Advice::say(format!("use `count({name})`, `exists({name})`, {sum}`first({field} of {name})`"))
            }
        };
        let declared = self.relation_span(place).unwrap_or(span);
        TypeProblem::ManyAsValue { relation: name.to_owned(), entity, declared, advice, span }
    }

    fn population_as_value(&self, query: &Query, name: &str, hint: Option<Hint>, span: Span) -> TypeProblem {
        let advice = match hint.map(|hint| &hint.ty.kind) {
            Some(TyKind::Bool) => Advice::write_to(format!("exists({name})"), span, "to ask whether it has any rows"),
            Some(kind) if kind.is_number() => Advice::write_to(format!("count({name})"), span, "to count its rows"),
            _ => {
                Advice::say(format!("use `count({name})`, `exists({name})` or `first(FIELD of {name})` to get a value"))
            }
        };
        let entity = self.entity_name(query.ty.entity);
        let population = if name == entity { format!("`{name}`") } else { format!("`{name}` (rows of {entity})") };
        TypeProblem::PopulationAsValue { population, advice, span }
    }

    /// `orders.amount` where one value is needed.
    fn column_as_value(&self, query: &Query, expr: &ast::Expr, column: &ast::Name, span: Span) -> TypeProblem {
        let base = match &expr.kind {
            ast::ExprKind::Field { base, .. } => written(base),
            _ => None,
        };
        let base = base.unwrap_or_else(|| self.entity_name(query.ty.entity).to_owned());
        let column_name = quoted_name(&column.text);
        let number = self.column_kind(query, &column.text).is_some_and(|kind| kind.is_number());
        let other =
            if number { format!("sum({column_name} of {base})") } else { format!("list({column_name} of {base})") };
        let population = format!("`{base}`");
        let advice = Advice::say(format!(
            "use `{other}`, `max({column_name} of {base})` or, for a condition on a row of it, `exists({base} where {column_name} ...)`"
        ));
        TypeProblem::PopulationAsValue { population, advice, span }
    }

    /// A field that could be added up, and one that tells something: for examples.
    fn telling_fields(&self, entity: EntityId) -> (Option<String>, String) {
        let Some(entity) = self.known_entity(entity) else { return (None, "FIELD".to_owned()) };
        let is_key = |at: usize| entity.key.contains(&FieldId(at as u32));
        let is_link =
            |at: usize| entity.relations.iter().any(|link| link.on.iter().any(|(here, _)| here.0 == at as u32));
        let fields = entity.fields.iter().enumerate().filter(|(at, _)| !is_key(*at) && !is_link(*at));
        let fields: Vec<_> = fields.map(|(_, field)| field).collect();
        let amount = fields.iter().find(|field| field.ty.kind.is_number());
        let amount = amount.map(|field| quoted_name(&field.name));
        let other = fields.first().map_or_else(|| "FIELD".to_owned(), |field| quoted_name(&field.name));
        (amount, other)
    }

    /// The type of a column of a population.
    pub(crate) fn column_kind<'c>(&'c self, query: &'c Query, name: &str) -> Option<&'c TyKind> {
        if let Some(ty) = query.ty.column(name) {
            return Some(&ty.kind);
        }
        let entity = self.known_entity(query.ty.entity)?;
        Some(&entity[entity.field(name)?].ty.kind)
    }

    fn example_field(&self, place: &Place, name: &str) -> Advice {
        let field = self.known_entity(place.entity).and_then(|entity| {
            let key = entity.key.first().map(|key| &entity[*key]);
            key.or(entity.fields.first())
        });
        match field {
            Some(field) => {
                Advice::say(format!("name one of its fields, for example `{name}.{}`", quoted_name(&field.name)))
            }
            None => Advice::say("name one of its fields"),
        }
    }

    /// Where the last relation of a way was declared.
    pub(crate) fn relation_span(&self, place: &Place) -> Option<Span> {
        let mut entity = self.known_entity(place.row.entity)?;
        let mut span = None;
        for relation in &place.path {
            span = Some(entity[*relation].span);
            entity = self.known_entity(entity[*relation].target)?;
        }
        span
    }

    /// Where the column or local was declared that a value is.
    pub(crate) fn declared_at(&self, value: &Expr, scope: &Scope) -> Option<Span> {
        match &value.kind {
            ExprKind::Column { row, path, column: ColumnRef::Field(field) } => {
                let row = scope.rows.iter().rev().find(|scope| scope.row == *row)?;
                // A row that is reached by a way of its own knows only where that ends.
                let path = path.get(row.path.len()..)?;
                let start = row.entity;
                let entity = path.iter().try_fold(start, |entity, relation: &RelationId| {
                    Some(self.known_entity(entity)?[*relation].target)
                })?;
                Some(self.known_entity(entity)?[*field].span)
            }
            ExprKind::Local(local) => self.locals.get(local.0 as usize).map(|local| local.span),
            _ => None,
        }
    }

    /// A field that hides a local of the same name.
    fn lint_shadowed(&mut self, expr: &ast::Expr, scope: &Scope) {
        let ast::ExprKind::Name(name) = &expr.kind else { return };
        let Some(row) = scope.rows.last() else { return };
        let Some(hidden) = scope.local(&name.text) else { return };
        if self.unshadowed.contains(&name.span) {
            return;
        }
        let is_hidden = |bound: &&(String, super::super::Bound)| {
            bound.0.contains('.') && matches!(bound.1, super::super::Bound::Local(local) if local == hidden)
        };
        let qualified = scope.locals.iter().rev().find(is_hidden).map(|(name, _)| name.clone());
        let lint = ExprLint::Shadowed {
            name: name.clone(),
            row: row.name.clone(),
            qualified,
            declared: self.locals[hidden.0 as usize].span,
        };
        self.report(lint);
    }

    /// What is tested by `is null` on a `one` relation: whether there is such a row.
    pub(crate) fn presence(&self, place: &Place, span: Span) -> Option<Expr> {
        let entity = self.known_entity(place.entity)?;
        let key = *entity.key.first()?;
        let ty = entity[key].ty.clone().or_null();
        let kind = ExprKind::Column { row: place.row.row, path: place.full_path(), column: ColumnRef::Field(key) };
        Some(Expr { kind, ty, span })
    }

    /// Rows that a path leads to, for `exists(store)` and the like: also those of a `one` relation.
    pub(crate) fn rows_of(&self, expr: &ast::Expr, scope: &Scope) -> Option<Query> {
        match self.resolve(expr, scope) {
            Ok(Meaning::Row(place)) if !place.path.is_empty() => Some(related(&place, expr.span)),
            _ => None,
        }
    }
}

/// Names of fields in a comparison that need no warning that they hide something: whoever writes `x = welcome.x` knows
/// that `x` is the field, and `x = x` is reported as such.
pub(crate) fn deliberate(sides: [&ast::Expr; 2]) -> Vec<Span> {
    let name = |side: &ast::Expr| match &side.kind {
        ast::ExprKind::Name(name) | ast::ExprKind::Field { field: name, .. } => Some(name.text.clone()),
        _ => None,
    };
    match (name(sides[0]), name(sides[1])) {
        (Some(left), Some(right)) if left == right => sides.map(|side| side.span).to_vec(),
        _ => Vec::new(),
    }
}

/// True for what a null of which means that a row is missing from both sides of a comparison.
pub(crate) fn is_nullable_column(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Column { .. }) && value.ty.nullable && !relate::is_unknown(&value.ty)
}
