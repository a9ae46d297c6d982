//! Conditions that the database tests exactly as we would, so that rows which do not meet them never travel.
//!
//! What may differ stays with us: the order of texts in another language than C, floats (`-0.0`, `NaN`), timestamps
//! without zone, texts with a zero byte, columns whose null stands for a default. Null means the same on both sides.

use std::fmt::Write as _;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::fit::{Asked, Wire};
use crate::runtime::sources::bound::quoted;
use crate::runtime::sources::columns::{Column, Kind};

/// The longest list that is sent.
const LONGEST: usize = 1000;

/// A value that the database gets beside the statement, never in it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Parameter {
    Int(i64),
    Text(String),
}

/// What is known of the columns.
pub(super) struct Known<'k> {
    pub columns: &'k [Column],
    pub asked: &'k [Asked],
}

/// A condition as SQL, whose parameters are added to `parameters`; `None` when its meaning may differ there.
pub(super) fn condition(filter: &Expr, known: &Known<'_>, parameters: &mut Vec<Parameter>) -> Option<String> {
    let before = parameters.len();
    let sql = known.condition(filter, parameters);
    if sql.is_none() {
        parameters.truncate(before);
    }
    sql
}

impl Known<'_> {
    fn condition(&self, filter: &Expr, parameters: &mut Vec<Parameter>) -> Option<String> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let word = if *op == Operator::And { "AND" } else { "OR" };
                let left = self.condition(left, parameters)?;
                Some(format!("({left} {word} {})", self.condition(right, parameters)?))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => self.compare(&column.name, *op, value, parameters),
                (Expr::Literal(value, _), Expr::Column(column)) => {
                    self.compare(&column.name, op.swap()?, value, parameters)
                }
                _ => None,
            },
            Expr::Not(inner) => Some(format!("(NOT {})", self.condition(inner, parameters)?)),
            Expr::Column(column) => self.flag(&column.name),
            Expr::IsTrue(inner) => Some(format!("({} IS TRUE)", self.condition(inner, parameters)?)),
            Expr::IsNotTrue(inner) => Some(format!("({} IS NOT TRUE)", self.condition(inner, parameters)?)),
            Expr::IsFalse(inner) => Some(format!("({} IS FALSE)", self.condition(inner, parameters)?)),
            Expr::IsNotFalse(inner) => Some(format!("({} IS NOT FALSE)", self.condition(inner, parameters)?)),
            Expr::IsNull(inner) => self.null(inner, "IS NULL"),
            Expr::IsNotNull(inner) => self.null(inner, "IS NOT NULL"),
            Expr::InList(list) => self.list(list, parameters),
            Expr::Between(Between { expr, negated, low, high }) => {
                let (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) =
                    (expr.as_ref(), low.as_ref(), high.as_ref())
                else {
                    return None;
                };
                let low = self.compare(&column.name, Operator::GtEq, low, parameters)?;
                let high = self.compare(&column.name, Operator::LtEq, high, parameters)?;
                Some(format!("({}({low} AND {high}))", if *negated { "NOT " } else { "" }))
            }
            _ => None,
        }
    }

    /// The column of this name, unless its null stands for something else.
    fn column(&self, name: &str) -> Option<(&Column, &Asked)> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        let column = self.columns.get(at).filter(|column| column.default.is_none())?;
        Some((column, self.asked.get(at)?))
    }

    fn flag(&self, name: &str) -> Option<String> {
        let (column, asked) = self.column(name)?;
        (column.kind == Kind::Bool).then(|| asked.sql.clone())
    }

    fn null(&self, inner: &Expr, words: &str) -> Option<String> {
        let Expr::Column(column) = inner else { return None };
        self.column(&column.name)?;
        Some(format!("({} {words})", quoted(&column.name)))
    }

    fn list(&self, list: &InList, parameters: &mut Vec<Parameter>) -> Option<String> {
        let Expr::Column(column) = list.expr.as_ref() else { return None };
        if list.list.is_empty() || list.list.len() > LONGEST {
            return None;
        }
        let mut tests = Vec::with_capacity(list.list.len());
        for item in &list.list {
            let Expr::Literal(value, _) = item else { return None };
            tests.push(self.compare(&column.name, Operator::Eq, value, parameters)?);
        }
        let tests = tests.join(" OR ");
        Some(if list.negated { format!("(NOT ({tests}))") } else { format!("({tests})") })
    }

    fn compare(
        &self,
        name: &str,
        op: Operator,
        value: &ScalarValue,
        parameters: &mut Vec<Parameter>,
    ) -> Option<String> {
        let (column, asked) = self.column(name)?;
        let sign = match op {
            Operator::Eq => "=",
            Operator::NotEq => "<>",
            Operator::Lt => "<",
            Operator::LtEq => "<=",
            Operator::Gt => ">",
            Operator::GtEq => ">=",
            _ => return None,
        };
        let equality = matches!(op, Operator::Eq | Operator::NotEq);
        let plain = quoted(name);
        let (left, parameter, cast) = match (&column.kind, value) {
            (Kind::Bool, ScalarValue::Boolean(Some(value))) if equality => {
                return Some(format!("({plain} {sign} {value})"));
            }
            (Kind::Int, ScalarValue::Int64(Some(number))) => (plain, Parameter::Int(*number), "::int8"),
            (Kind::Decimal | Kind::Percent, ScalarValue::Decimal128(Some(units), _, scale))
                if asked.from.ty != "money" =>
            {
                (plain, Parameter::Text(decimal(*units, *scale)?), "::text::numeric")
            }
            (Kind::Date, ScalarValue::Date32(Some(days))) => {
                let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(*days).ok()?).ok()?;
                (plain, Parameter::Text(date.to_string()), "::text::date")
            }
            (Kind::Timestamp, ScalarValue::TimestampMicrosecond(Some(micros), _)) if asked.wire == Wire::Instant => {
                let at = jiff::Timestamp::from_microsecond(*micros).ok()?;
                (plain, Parameter::Text(at.to_string()), "::text::timestamptz")
            }
            (Kind::Text | Kind::OneOf { .. }, ScalarValue::Utf8(Some(text))) if equality || asked.from.bytewise => {
                (text_side(asked, equality, &plain), Parameter::Text(text.clone()), "::text")
            }
            _ => return None,
        };
        if matches!(&parameter, Parameter::Text(text) if text.contains('\0')) {
            return None;
        }
        parameters.push(parameter);
        Some(format!("({left} {sign} ${}{cast})", parameters.len()))
    }
}

/// A column of texts so that it is compared byte by byte. An index can be used where equality means that anyway.
fn text_side(asked: &Asked, equality: bool, plain: &str) -> String {
    let same = asked.from.exact && matches!(asked.from.ty.as_str(), "text" | "varchar");
    if equality && same { plain.to_owned() } else { format!("{} COLLATE \"C\"", asked.sql) }
}

/// A decimal as digits.
fn decimal(units: i128, scale: i8) -> Option<String> {
    let decimals = usize::try_from(scale).ok()?;
    let digits = format!("{:0>1$}", units.unsigned_abs(), decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let mut text = String::new();
    let sign = if units < 0 { "-" } else { "" };
    let point = if decimals > 0 { "." } else { "" };
    write!(text, "{sign}{whole}{point}{fraction}").ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{ident, lit};

    use super::*;
    use crate::base::{SourceId, Span};
    use crate::runtime::sources::postgres::catalog::TableColumn;

    fn column(name: &str, kind: Kind, ty: &str, exact: bool) -> (Column, Asked) {
        let span = Span::new(SourceId(0), 0, 0);
        let from = TableColumn { name: name.into(), ty: ty.into(), exact, bytewise: true, ..TableColumn::default() };
        let wire = match ty {
            "timestamptz" => Wire::Instant,
            "timestamp" => Wire::Civil,
            "bool" => Wire::Bool,
            _ => Wire::Text,
        };
        let cast = if wire == Wire::Text { "text" } else { ty };
        let asked = Asked { sql: format!("{}::{cast}", quoted(name)), wire, from };
        (Column { name: name.into(), kind, nullable: true, default: None, span }, asked)
    }

    fn sql(filter: &Expr) -> Option<(String, Vec<Parameter>)> {
        let mut all = vec![
            column("id", Kind::Int, "int4", true),
            column("name", Kind::Text, "text", true),
            column("title", Kind::Text, "varchar", false),
            column("code", Kind::Text, "bpchar", true),
            column("paid", Kind::Bool, "bool", true),
            column("amount", Kind::Decimal, "numeric", true),
            column("score", Kind::Float, "float8", true),
            column("day", Kind::Date, "date", true),
            column("at", Kind::Timestamp, "timestamptz", true),
            column("local", Kind::Timestamp, "timestamp", true),
            column("tries", Kind::Int, "int4", true),
        ];
        all[10].0.default = Some(crate::hir::Value::Int(0));
        let (columns, asked): (Vec<Column>, Vec<Asked>) = all.into_iter().unzip();
        let mut parameters = Vec::new();
        let sql = condition(filter, &Known { columns: &columns, asked: &asked }, &mut parameters)?;
        Some((sql, parameters))
    }

    fn same(filter: &Expr, expected: &str, parameters: &[&str]) {
        let (sql, found) = sql(filter).unwrap();
        assert_eq!(sql, expected);
        let found = found.iter().map(|parameter| match parameter {
            Parameter::Int(number) => number.to_string(),
            Parameter::Text(text) => text.clone(),
        });
        assert_eq!(found.collect::<Vec<_>>(), parameters);
    }

    #[test]
    fn what_means_the_same_is_asked_with_parameters() {
        same(&ident("id").gt_eq(lit(2i64)), r#"("id" >= $1::int8)"#, &["2"]);
        same(&ident("name").eq(lit("x' OR 'a'='a")), r#"("name" = $1::text)"#, &["x' OR 'a'='a"]);
        same(&ident("name").lt(lit("m")), r#"("name"::text COLLATE "C" < $1::text)"#, &["m"]);
        same(&ident("title").eq(lit("m")), r#"("title"::text COLLATE "C" = $1::text)"#, &["m"]);
        same(&ident("code").eq(lit("FR")), r#"("code"::text COLLATE "C" = $1::text)"#, &["FR"]);
        same(&ident("paid").is_true(), r#"("paid"::bool IS TRUE)"#, &[]);
        let amount = ScalarValue::Decimal128(Some(-5), 38, 2);
        same(&ident("amount").not_eq(lit(amount)), r#"("amount" <> $1::text::numeric)"#, &["-0.05"]);
        same(&ident("day").lt(lit(ScalarValue::Date32(Some(20_000)))), r#"("day" < $1::text::date)"#, &["2024-10-04"]);
        let at = ScalarValue::TimestampMicrosecond(Some(1_500_000), Some("UTC".into()));
        same(&lit(at).lt(ident("at")), r#"("at" > $1::text::timestamptz)"#, &["1970-01-01T00:00:01.5Z"]);
        let either = ident("id").eq(lit(1i64)).or(ident("name").is_null().and(ident("paid")));
        same(&either, r#"(("id" = $1::int8) OR (("name" IS NULL) AND "paid"::bool))"#, &["1"]);
        let listed = ident("name").in_list(vec![lit("a"), lit("b")], true);
        same(&listed, r#"(NOT (("name" = $1::text) OR ("name" = $2::text)))"#, &["a", "b"]);
    }

    #[test]
    fn what_may_differ_stays_here() {
        let civil = ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into()));
        for filter in [
            ident("score").gt(lit(1.5f64)),
            ident("local").lt(lit(civil)),
            ident("tries").eq(lit(0i64)),
            ident("tries").is_null(),
            ident("name").eq(lit("a\0b")),
            ident("name").like(lit("a%")),
            ident("id").eq(lit(1i64)).or(ident("score").gt(lit(1.5f64))),
            ident("id").eq(ident("tries")),
        ] {
            assert_eq!(sql(&filter), None, "{filter}");
        }
    }
}
