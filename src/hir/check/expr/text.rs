//! Short expressions as text, to be repeated in a help.

use crate::syntax::ast::{BinaryOp, Duration, Expr, ExprKind, IsTest, Literal, UnaryOp};

/// How `expr` is written, if it is short and simple enough to be repeated in one line.
pub(crate) fn written(expr: &Expr) -> Option<String> {
    let text = match &expr.kind {
        ExprKind::Literal(literal) => written_literal(literal)?,
        ExprKind::Name(name) => quoted_name(&name.text),
        ExprKind::Paren(inner) => format!("({})", written(inner)?),
        ExprKind::List(items) => format!("[{}]", all(items)?),
        ExprKind::Field { base, field } => format!("{}.{}", written(base)?, quoted_name(&field.text)),
        ExprKind::Call { callee, args } => match &args.kind {
            crate::syntax::ast::ArgsKind::Positional(args) => format!("{}({})", written(callee)?, all(args)?),
            _ => return None,
        },
        ExprKind::Unary { op: UnaryOp::Not, operand } => format!("not {}", written(operand)?),
        ExprKind::Unary { op: UnaryOp::Neg, operand } => format!("-{}", written(operand)?),
        ExprKind::Binary { op, left, right, .. } => format!("{} {} {}", written(left)?, sign(*op), written(right)?),
        ExprKind::In { negated, value, within } => {
            let within = match &within.kind {
                ExprKind::List(items) => format!("({})", all(items)?),
                _ => written(within)?,
            };
            format!("{} {}in {within}", written(value)?, not(*negated))
        }
        ExprKind::Between { negated, value, low, high } => {
            format!("{} {}between {} and {}", written(value)?, not(*negated), written(low)?, written(high)?)
        }
        ExprKind::Is { negated, value, test } => {
            let test = if *test == IsTest::Null { "null" } else { "empty" };
            format!("{} is {}{test}", written(value)?, not(*negated))
        }
        _ => return None,
    };
    (text.len() <= 80).then_some(text)
}

fn all(exprs: &[Expr]) -> Option<String> {
    Some(exprs.iter().map(written).collect::<Option<Vec<_>>>()?.join(", "))
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

/// A name as it has to be written: in backquotes unless it is a plain word that means nothing else.
pub(crate) fn quoted_name(name: &str) -> String {
    let plain = name.starts_with(|first: char| first == '_' || first.is_alphabetic())
        && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("`{name}`") }
}

const RESERVED: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "between",
    "like",
    "null",
    "true",
    "false",
    "if",
    "then",
    "else",
    "where",
    "with",
    "union",
    "intersect",
    "except",
];

/// The operator as written.
pub(crate) fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::Like => "like",
        BinaryOp::NotLike => "not like",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Coalesce => "??",
    }
}

fn written_literal(literal: &Literal) -> Option<String> {
    Some(match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Decimal(value) => value.to_string(),
        Literal::Float(value) => format!("{value:e}"),
        Literal::Percent(share) => format!("{}%", (share * rust_decimal::Decimal::ONE_HUNDRED).normalize()),
        Literal::Text(text) if text.contains(['"', '\\', '\n', '{', '}']) => return None,
        Literal::Text(text) => format!("\"{text}\""),
        Literal::Duration(duration) => written_duration(*duration),
        Literal::Date(date) => date.to_string(),
        Literal::Time(time) if time.second() == 0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        Literal::Time(time) => format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
        Literal::LocalTimestamp(_) | Literal::Timestamp(_) => return None,
    })
}

/// `1y2mo`, `90d`, `1h30min`
pub(crate) fn written_duration(duration: Duration) -> String {
    let Duration { months, days, seconds } = duration;
    let parts = [
        (months / 12, "y"),
        (months % 12, "mo"),
        (days, "d"),
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let text: String = parts.iter().filter(|(n, _)| *n != 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
