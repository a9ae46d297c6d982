//! Names that mean nothing, and what whoever wrote them meant.

use super::problem::{Advice, TypeProblem};
use super::{Hint, Meaning, quoted_name, relate, written};
use crate::base::{Span, did_you_mean};
use crate::hir::check::{Checker, Global, Scope, functions};
use crate::hir::{Expr, ExprKind, Ty, TyKind, Value};
use crate::syntax::ast::{self, BinaryOp};

/// Words for an unknown value in other languages.
const NULLS: [&str; 6] = ["null", "none", "nil", "undefined", "nan", "na"];

impl Checker<'_> {
    /// The problem for a name that means nothing where a value is needed; `hint` is what it stands beside.
    pub(super) fn unknown_value_name(
        &self,
        problem: TypeProblem,
        expr: &ast::Expr,
        scope: &Scope,
        hint: Option<Hint>,
    ) -> TypeProblem {
        match problem {
            TypeProblem::UnknownName { name, known, outer: None, advice: Advice::None } => {
                let advice = match &expr.kind {
                    ast::ExprKind::Name(_) => self.advice_for_name(&name, &known, hint, scope),
                    _ => self.advice_for_path(expr, scope),
                };
                TypeProblem::UnknownName { name, known, outer: None, advice }
            }
            other => other,
        }
    }

    /// What a single word means that is no name.
    fn advice_for_name(&self, name: &ast::Name, known: &[String], hint: Option<Hint>, scope: &Scope) -> Advice {
        let lower = name.text.to_lowercase();
        let kind = hint.map(|hint| &hint.ty.kind);
        if let Some(advice) = said_otherwise(&lower, kind, name.span) {
            return advice;
        }
        if name.text.contains('{') {
            return Advice::say("text stands in double quotes; names stand in backquotes");
        }
        if let Some(advice) = self.bound_elsewhere(name, scope) {
            return advice;
        }
        if let Some(entity) = self.entity_with(&name.text).filter(|_| scope.rows.is_empty()) {
            return Advice::say(format!(
                "it is a field of `{entity}`, and there is no row of it here; what depends on a row is written \
                 `define NAME of {entity} = ...`"
            ));
        }
        if kind == Some(&TyKind::Topic) {
            let topics: Vec<&str> = self.program.topics.iter().map(|topic| topic.name.as_str()).collect();
            return match did_you_mean(&name.text, topics.iter().copied()) {
                Some(near) => Advice::write(near, name.span),
                None => Advice::say(format!("topics are {}", super::super::super::problem::listed(topics))),
            };
        }
        match kind.and_then(relate::values) {
            Some(values) => {
                let exact = values.iter().find(|value| value.to_lowercase() == lower);
                let near = || did_you_mean(&name.text, values.iter().map(String::as_str));
                if let Some(value) = exact.map(String::as_str).or_else(near) {
                    return Advice::write_to(format!("\"{value}\""), name.span, "with quotes, as it is a value");
                }
                Advice::None
            }
            None if lower == "age" && scope.rows.last().is_some() => {
                Advice::say("write `years_between(BIRTHDAY, today())`, with the field that holds the day of birth")
            }
            None if kind.is_some_and(TyKind::is_text)
                && did_you_mean(&name.text, known.iter().map(String::as_str)).is_none() =>
            {
                Advice::write_to(format!("\"{}\"", name.text), name.span, "with quotes if it is a text")
            }
            None => Advice::None,
        }
    }

    /// The first entity that has a field of this name.
    fn entity_with(&self, field: &str) -> Option<&str> {
        let entity = self.program.entities.iter().find(|entity| entity.field(field).is_some())?;
        Some(&entity.name)
    }

    /// `recipient.spend`: the row's fields stand alone.
    fn advice_for_path(&self, expr: &ast::Expr, scope: &Scope) -> Advice {
        let ast::ExprKind::Field { base, field } = &expr.kind else { return Advice::None };
        let Some(row) = scope.rows.last().filter(|_| matches!(base.kind, ast::ExprKind::Name(_))) else {
            return Advice::None;
        };
        let members = self.members(row.entity, &row.with);
        let near = || did_you_mean(&field.text, members.iter().map(String::as_str));
        let Some(member) = members.iter().find(|member| **member == field.text).map(String::as_str).or_else(near)
        else {
            return Advice::None;
        };
        Advice::write_to(quoted_name(member), expr.span, "alone: fields of the row need nothing before them")
    }

    /// The problem for a name that means nothing where a population is needed.
    pub(in super::super) fn unknown_population(
        &self,
        name: ast::Name,
        outer: Option<String>,
        scope: &Scope,
    ) -> TypeProblem {
        let known = self.populations_in(scope);
        let lower = name.text.to_lowercase();
        if let Some(advice) = self.bound_elsewhere(&name, scope).filter(|_| outer.is_none()) {
            return TypeProblem::UnknownName { name, known, outer, advice };
        }
        let everybody = ["all", "everyone", "everybody", "anyone", "recipients", "users", "contacts", "profiles"];
        let entities = self.program.entities.iter().map(|entity| entity.name.as_str());
        let advice = match everybody.contains(&lower.as_str()) {
            true => {
                let names: Vec<String> = entities.take(4).map(|name| format!("`{name}`")).collect();
                match names.split_last() {
                    Some((last, [])) => Advice::say(format!("all rows of an entity have its name: {last}")),
                    Some((last, rest)) => {
                        Advice::say(format!("all rows of an entity have its name: {} or {last}", rest.join(", ")))
                    }
                    None => Advice::None,
                }
            }
            false => Advice::None,
        };
        TypeProblem::UnknownName { name, known, outer, advice }
    }

    /// `= NULL`, `= None`: a word for null that is no name here.
    pub(super) fn is_null_word(&self, expr: &ast::Expr, scope: &Scope) -> bool {
        match &expr.kind {
            ast::ExprKind::Name(name) => {
                NULLS.contains(&name.text.to_lowercase().as_str()) && self.resolve(expr, scope).is_err()
            }
            _ => false,
        }
    }

    /// `country = "FR" or "DE"`: a value in a chain of conditions. Reported once for the chain.
    pub(super) fn value_in_chain(&mut self, expr: &ast::Expr, op: BinaryOp, scope: &Scope) -> bool {
        let mut operands = Vec::new();
        operands_of(expr, op, &mut operands);
        let is_value = |operand: &ast::Expr| match &operand.kind {
            ast::ExprKind::Literal(literal) => !matches!(literal, ast::Literal::Bool(_) | ast::Literal::Null),
            ast::ExprKind::Template(_) => true,
            _ => false,
        };
        let Some(at) = operands.iter().position(|operand| is_value(operand)) else { return false };
        // `{first_name or "there"}`
        if let (1, BinaryOp::Or, ast::ExprKind::Name(_) | ast::ExprKind::Field { .. }) = (at, op, &operands[0].kind)
            && let (Some(name), Some(value)) = (written(operands[0]), written(operands[1]))
        {
            let advice = Advice::write(format!("{name} ?? {value}"), operands[0].span.to(operands[1].span));
            self.report(TypeProblem::ValueInChain { word: "or", advice, span: operands[1].span });
            return true;
        }
        // `a and b != "x" or "y"`: the last comparison.
        let mut compared = operands[at.saturating_sub(1)];
        while let ast::ExprKind::Binary { op: BinaryOp::And, right, .. } = &compared.kind {
            compared = right;
        }
        let ast::ExprKind::Binary { op: sign, left, right, .. } = &compared.kind else {
            return false;
        };
        if at == 0 || !is_sign(*sign) {
            return false;
        }
        // The whole chain of values behind the comparison.
        let run = operands[at..].iter().take_while(|operand| is_value(operand)).count();
        let values: Option<Vec<String>> =
            std::iter::once(&**right).chain(operands[at..at + run].iter().copied()).map(written).collect();
        let whole = compared.span.to(operands[at + run - 1].span);
        let word = if op == BinaryOp::Or { "or" } else { "and" };
        let advice = match (written(left), values, sign) {
            (Some(name), Some(values), BinaryOp::Equal) => {
                Advice::write(format!("{name} in ({})", values.join(", ")), whole)
            }
            (Some(name), Some(values), BinaryOp::NotEqual) => {
                Advice::write(format!("{name} not in ({})", values.join(", ")), whole)
            }
            (Some(name), ..) => {
                Advice::say(format!("say again what is compared: `{name} {} ...`", super::text::sign(*sign)))
            }
            _ => Advice::None,
        };
        let span = operands[at].span;
        self.report(TypeProblem::ValueInChain { word, advice, span });
        for operand in operands.iter().filter(|operand| !is_value(operand)) {
            self.predicate(operand, scope);
        }
        true
    }

    /// `a and b`, `a + b` of populations: reported as what it is.
    pub(in super::super) fn combined_populations(&mut self, expr: &ast::Expr, scope: &Scope) -> bool {
        let ast::ExprKind::Binary { op, left, right, .. } = &expr.kind else { return false };
        if !self.is_population(left, scope) {
            return false;
        }
        let (word, right_word) = match op {
            BinaryOp::And => ("and", "intersect"),
            BinaryOp::Or => ("or", "union"),
            BinaryOp::Add => ("+", "union"),
            BinaryOp::Subtract => ("-", "except"),
            _ => return false,
        };
        // `big-spenders` was meant as one name.
        if *op == BinaryOp::Subtract && left.span.end + 1 == right.span.start {
            let (Some(first), Some(second)) = (written(left), written(right)) else { return false };
            let name = format!("{first}_{second}");
            let advice = Advice::write_to(name, expr.span, "if it is one name: names have no `-`");
            self.report(TypeProblem::CombinedPopulations { word: "-", advice, span: expr.span });
            return true;
        }
        let advice = match (written(left), written(right)) {
            (Some(left), Some(right)) => Advice::write(format!("{left} {right_word} {right}"), expr.span),
            _ => Advice::say(format!("write `{right_word}` between them")),
        };
        self.report(TypeProblem::CombinedPopulations { word, advice, span: expr.span });
        true
    }

    /// What a field means that a population, a value or a send does not have.
    pub(super) fn advice_for_field(&self, base: &ast::Expr, field: &ast::Name, scope: &Scope) -> Advice {
        let Some(of) = written(base) else { return Advice::None };
        let lower: String = field.text.to_lowercase().chars().filter(|letter| *letter != '_').collect();
        let span = base.span.to(field.span);
        // The arm of a split, behind what was divided.
        let name = ast::Expr { kind: ast::ExprKind::Name(field.clone()), span: field.span };
        if scope.local(&field.text).is_some() && self.is_population(&name, scope) {
            return Advice::write_to(quoted_name(&field.text), span, "alone");
        }
        if self.is_population(base, scope) {
            return match lower.as_str() {
                "count" | "size" | "length" | "len" => Advice::write(format!("count({of})"), span),
                "filter" | "query" | "select" | "find" => Advice::say(format!("write `{of} where ...`")),
                "first" | "head" | "top" | "take" | "limit" => Advice::say(format!("write `{of} limit 10`")),
                "sort" | "sortby" | "orderby" | "sortvalues" => Advice::say(format!("write `{of} order by FIELD`")),
                "dropduplicates" | "unique" | "distinct" => Advice::say(format!("write `{of} dedupe by FIELD`")),
                "sample" => Advice::say(format!("write `{of} sample 10%`")),
                "exists" | "any" => Advice::write(format!("exists({of})"), span),
                "union" | "merge" | "append" | "concat" => Advice::say(format!("write `{of} union OTHER`")),
                _ if feedback_near(&lower).is_some() => {
                    let kind = feedback_near(&lower).unwrap_or("opened");
                    Advice::say(format!(
                        "that belongs to a send: write `send ... to {of} as NAME`, and then `NAME.{kind}`"
                    ))
                }
                _ => Advice::None,
            };
        }
        let meaning = self.resolve(base, scope);
        if let (Some(kind), Ok(meaning)) = (feedback_near(&lower), &meaning) {
            match meaning {
                Meaning::Delivery { .. } => return Advice::write(format!("{of}.{kind}"), span),
                Meaning::Message | Meaning::Global(Global::Message(_)) => {
                    let send = format!("`send ... {of} to ... as NAME`, and write `NAME.{kind}`");
                    return Advice::say(format!("feedback belongs to a send: give that a name, {send}"));
                }
                _ => {}
            }
        }
        if let Some((_, kind)) = NOT_FEEDBACK.iter().find(|(word, _)| *word == lower) {
            return Advice::say(format!("write `{of}.sent except {of}.{kind}`"));
        }
        match functions::native(&snake(&field.text)) {
            Some(native) if native.params.len() > 1 => Advice::say(format!("write `{}({of}, ...)`", native.name)),
            Some(native) => Advice::write(format!("{}({of})", native.name), span),
            None => Advice::None,
        }
    }
}

impl Checker<'_> {
    /// What a call of a function means that there is not: it depends on what it is called with.
    pub(super) fn advice_for_call(&self, name: &ast::Name, args: &ast::Args, scope: &Scope) -> Advice {
        let lower = name.text.to_lowercase();
        let ast::ArgsKind::Positional(given) = &args.kind else { return self.nearest_function(&name.text, name.span) };
        let first = given.first();
        let of = first.and_then(written);
        let whole = name.span.to(args.span);
        if let Some(advice) = condition_as_call(&lower, given, whole) {
            return advice;
        }
        if let (Some(first), Some(of)) = (first, &of) {
            let is_delivery = matches!(self.resolve(first, scope), Ok(Meaning::Delivery { .. }));
            if let (true, Some(kind)) = (is_delivery, feedback_near(&lower)) {
                return Advice::write(format!("{of}.{kind}"), whole);
            }
            if self.is_population(first, scope) {
                match lower.as_str() {
                    "len" | "size" | "length" | "countall" | "nrow" => {
                        return Advice::write(format!("count({of})"), whole);
                    }
                    "filter" | "query" | "select" => return Advice::say(format!("write `{of} where ...`")),
                    "distinct" | "unique" => return Advice::say(format!("write `{of} dedupe by FIELD`")),
                    "union" | "intersect" | "except" => return Advice::say(format!("write `{of} {lower} OTHER`")),
                    _ => {}
                }
            }
            if matches!(lower.as_str(), "isnull" | "is_null" | "isblank" | "is_blank" | "isempty") && given.len() == 1 {
                return Advice::write(format!("{of} is null"), whole);
            }
            if matches!(lower.as_str(), "notnull" | "isnotnull" | "is_not_null") {
                return Advice::write(format!("{of} is not null"), whole);
            }
        }
        if let ("file" | "include" | "read", Some(path)) = (lower.as_str(), &of) {
            return Advice::write(format!("file {path}"), whole);
        }
        if matches!(lower.as_str(), "range" | "seq") {
            return Advice::say("to do something several times write `repeat 5 times { ... }`");
        }
        self.nearest_function(&name.text, name.span)
    }
}

/// `AND(a, b)`, `COUNTIF(rows, condition)`
fn condition_as_call(lower: &str, given: &[ast::Expr], whole: Span) -> Option<Advice> {
    let operands: Option<Vec<String>> = given.iter().map(written).collect();
    match (lower, operands.as_deref()) {
        ("and" | "or", Some(operands)) if operands.len() > 1 => {
            Some(Advice::write(format!("({})", operands.join(&format!(" {lower} "))), whole))
        }
        ("and" | "or", _) => Some(Advice::say(format!("write `a {lower} b`"))),
        ("not", Some([operand])) => Some(Advice::write(format!("not ({operand})"), whole)),
        ("countif" | "countifs", Some([rows, condition])) => {
            Some(Advice::write(format!("count({rows} where {condition})"), whole))
        }
        ("countif" | "countifs", _) => Some(Advice::say("write `count(SEGMENT where ...)`")),
        ("sumif" | "sumifs", _) => Some(Advice::say("write `sum(FIELD of SEGMENT where ...)`")),
        _ => None,
    }
}

/// Those of whom nothing was heard.
const NOT_FEEDBACK: [(&str, &str); 6] = [
    ("notopened", "opened"),
    ("unopened", "opened"),
    ("notclicked", "clicked"),
    ("unclicked", "clicked"),
    ("notdelivered", "delivered"),
    ("undelivered", "delivered"),
];

/// The feedback that a word nearly is.
pub(crate) fn feedback_near(word: &str) -> Option<&'static str> {
    const KINDS: [&str; 9] =
        ["sent", "delivered", "opened", "clicked", "bounced", "failed", "excluded", "unsubscribed", "unknown"];
    const OTHERS: [(&str, &str); 10] = [
        ("opens", "opened"),
        ("open", "opened"),
        ("openers", "opened"),
        ("clicks", "clicked"),
        ("click", "clicked"),
        ("clickers", "clicked"),
        ("bounces", "bounced"),
        ("received", "delivered"),
        ("errors", "failed"),
        ("optout", "unsubscribed"),
    ];
    let known = KINDS.iter().find(|kind| **kind == word).copied();
    known.or_else(|| OTHERS.iter().find(|(other, _)| *other == word).map(|(_, kind)| *kind))
}

/// `startsWith` as `starts_with`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    match out.as_str() {
        "startswith" => "starts_with".to_owned(),
        "endswith" => "ends_with".to_owned(),
        "includes" => "contains".to_owned(),
        "to_lower_case" | "tolower" => "lower".to_owned(),
        "to_upper_case" | "toupper" => "upper".to_owned(),
        _ => out,
    }
}

fn is_sign(op: BinaryOp) -> bool {
    use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    matches!(op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
}

fn operands_of<'e>(expr: &'e ast::Expr, op: BinaryOp, out: &mut Vec<&'e ast::Expr>) {
    match &expr.kind {
        ast::ExprKind::Binary { op: found, left, right, .. } if *found == op => {
            operands_of(left, op, out);
            operands_of(right, op, out);
        }
        _ => out.push(expr),
    }
}

/// Words that say a value in another way.
fn said_otherwise(lower: &str, kind: Option<&TyKind>, span: Span) -> Option<Advice> {
    let is_bool = kind == Some(&TyKind::Bool);
    Some(match lower {
        "true" => Advice::write("true", span),
        "false" => Advice::write("false", span),
        "yes" | "y" | "on" if is_bool => Advice::write("true", span),
        "no" | "n" | "off" if is_bool => Advice::write("false", span),
        "today" | "now" => Advice::write(format!("{lower}()"), span),
        "tomorrow" => Advice::write("today() + 1d", span),
        "yesterday" => Advice::write("today() - 1d", span),
        "current_date" | "curdate" | "sysdate" => Advice::write("today()", span),
        "current_timestamp" => Advice::write("now()", span),
        _ if NULLS.contains(&lower) && lower != "na" => Advice::write("null", span),
        _ => return None,
    })
}

/// A moment that a text literal holds, as it has to be written.
pub(crate) fn moment_in_quotes(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Literal(Value::Text(text)) => crate::syntax::respelled_moment(text.trim()),
        _ => None,
    }
}

/// A date or time in quotes, in whatever order its numbers stand, if it is of the wanted type.
pub(super) fn moment_as(value: &Value, wanted: &Ty) -> Option<String> {
    let Value::Text(text) = value else { return None };
    let respelled = crate::syntax::respelled_moment(text.trim())?;
    let is_date = respelled.contains('-');
    let fits = match wanted.kind {
        TyKind::Date => is_date && !respelled.contains('T'),
        TyKind::Timestamp => is_date,
        TyKind::Time => !is_date,
        _ => false,
    };
    fits.then_some(respelled)
}
