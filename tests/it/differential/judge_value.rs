//! What expressions mean.

use std::cmp::Ordering;
use std::rc::Rc;

use super::functions::{function, shifted_date, shown};
use super::judge::{Env, Judge, Row};
use super::tree::{Kind, N, Op, Piece, X};
use super::value::{V, arithmetic, compare, same};

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    both(left.map(|left| !left), right.map(|right| !right)).map(|neither| !neither)
}

/// `%` for any characters, `_` for one.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|at| like(&text[at..], rest)),
        Some(('_', rest)) => !text.is_empty() && like(&text[1..], rest),
        Some((wanted, rest)) => text.first() == Some(wanted) && like(&text[1..], rest),
    }
}

impl<'q> Judge<'q> {
    fn fail(&self, env: &Env<'q>) -> V {
        let key: Vec<String> = env.key.iter().map(V::shown).collect();
        self.failed.borrow_mut().push(key.join(", "));
        V::Null
    }

    /// A value with the digits of the expression that it becomes the value of.
    fn widened(&self, x: &X, value: V, env: &Env<'q>) -> V {
        match value.exact() {
            Some(exact) if x.kind == Kind::Decimal => {
                self.checked(super::value::rescaled(exact, x.scale).ok_or(()), env)
            }
            _ => value,
        }
    }

    fn checked<E>(&self, value: Result<V, E>, env: &Env<'q>) -> V {
        value.unwrap_or_else(|_| self.fail(env))
    }

    fn row_at(&self, env: &Env<'q>, at: usize, path: &[usize]) -> Row<'q> {
        let mut row = env.rows[at].clone();
        for relation in path {
            let target = super::data::TABLES[row.table].relations[*relation].target;
            row = self.reached(&row, *relation).into_iter().next().unwrap_or_else(|| Row::none(target));
        }
        row
    }

    fn truth(&self, x: &'q X, env: &Env<'q>) -> Option<bool> {
        self.value(x, env).as_bool()
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each form of the language")]
    pub fn value(&self, x: &'q X, env: &Env<'q>) -> V {
        match &x.node {
            N::Lit(value) | N::Percent(_, value) => value.clone(),
            N::Col { at, path, name, .. } => {
                let row = self.row_at(env, *at, path);
                self.column(&row, name).unwrap_or_else(|| panic!("no column {name}"))
            }
            N::Let(at) => self.lets[*at].clone(),
            N::Param(at) => {
                let (x, outer) = &env.params[*at];
                self.value(x, outer)
            }
            N::Not(value) => V::truth(self.truth(value, env).map(|value| !value)),
            N::Neg(value) => match self.value(value, env) {
                V::Null => V::Null,
                V::Float(value) => V::Float(0.0 - value),
                V::Int(value) => self.checked(value.checked_neg().map(V::Int).ok_or(()), env),
                V::Num(value, scale) => V::Num(-value, scale),
                other => panic!("-{other:?}"),
            },
            N::Bin(op, left, right) => self.binary(x, *op, left, right, env),
            N::In { not, value, items } => {
                let value = self.value(value, env);
                let mut found = Some(false);
                for item in items {
                    found = either(found, compare(&value, &self.value(item, env)).map(Ordering::is_eq));
                }
                V::truth(found.map(|found| found != *not))
            }
            N::InQuery { not, value, query, column } => {
                let value = self.value(value, env);
                let rows = self.used(query, env, false);
                let found = rows.iter().any(|row| same(&self.column(row, column).unwrap(), &value));
                if value == V::Null { V::Null } else { V::Bool(found != *not) }
            }
            N::Between { not, value, low, high } => {
                let value = self.value(value, env);
                let above = compare(&value, &self.value(low, env)).map(Ordering::is_ge);
                let below = compare(&value, &self.value(high, env)).map(Ordering::is_le);
                V::truth(both(above, below).map(|inside| inside != *not))
            }
            N::IsNull { not, value } => V::Bool((self.value(value, env) == V::Null) != *not),
            N::IsEmpty { not, value } => {
                let value = self.value(value, env);
                let empty = matches!(&value, V::Null) || value == V::text("") || value == V::List(Vec::new());
                V::Bool(empty != *not)
            }
            N::If(condition, then, other) => match self.truth(condition, env) {
                Some(true) => self.widened(x, self.value(then, env), env),
                _ => self.widened(x, self.value(other, env), env),
            },
            N::Call(name, args) => {
                let mut args: Vec<V> = args.iter().map(|arg| self.value(arg, env)).collect();
                if matches!(*name, "coalesce" | "greatest") {
                    args = args.into_iter().map(|arg| self.widened(x, arg, env)).collect();
                }
                self.checked(function(name, x.kind).call(self.clock, &args, x.scale), env)
            }
            N::Exists(query) => V::Bool(!self.used(query, env, false).is_empty()),
            N::Aggregate { .. } => self.aggregate(x, env),
            N::Use { define, args, at, path, .. } => {
                let row = self.row_at(env, *at, path);
                let outer = Rc::new(env.clone());
                let params = args.iter().map(|arg| (arg, Rc::clone(&outer))).collect();
                self.value(&self.defines[*define].body, &Env { rows: vec![row], params, key: env.key.clone() })
            }
            N::Template(pieces) => {
                let piece = |piece: &'q Piece| match piece {
                    Piece::Text(text) => (*text).to_owned(),
                    Piece::Hole(value) => shown(self.clock, &self.value(value, env)),
                };
                V::Text(pieces.iter().map(piece).collect())
            }
            N::Shift(value, length, later) => {
                let sign = if *later { 1 } else { -1 };
                match self.value(value, env) {
                    V::Null => V::Null,
                    V::Date(date) => {
                        let shifted = shifted_date(date, *length, sign).map(V::Date).ok_or(());
                        self.checked(shifted, env)
                    }
                    V::Stamp(at) => V::Stamp(self.clock.shifted(at, *length, sign)),
                    other => panic!("{other:?} cannot be shifted"),
                }
            }
            N::Ago(length) => V::Stamp(self.clock.shifted(self.clock.now, *length, -1)),
            N::Today => V::Date(self.clock.today()),
            N::Now => V::Stamp(self.clock.now),
        }
    }

    fn binary(&self, x: &'q X, op: Op, left: &'q X, right: &'q X, env: &Env<'q>) -> V {
        match op {
            Op::And => {
                let before = self.failed.borrow().len();
                let left = self.truth(left, env);
                if left == Some(false) && !(self.lazy && self.failed.borrow().len() > before) {
                    return V::Bool(false);
                }
                let between = self.failed.borrow().len();
                let right = self.truth(right, env);
                if self.lazy && right == Some(false) && self.failed.borrow().len() == between {
                    // The order of conditions that hold together is free.
                    self.failed.borrow_mut().truncate(before);
                }
                return V::truth(both(left, right));
            }
            Op::Or => {
                let left = self.truth(left, env);
                if left == Some(true) {
                    return V::Bool(true);
                }
                return V::truth(either(left, self.truth(right, env)));
            }
            Op::Or0 => {
                let left = self.value(left, env);
                let value = if left == V::Null { self.value(right, env) } else { left };
                return self.widened(x, value, env);
            }
            _ => {}
        }
        let before = self.failed.borrow().len();
        let l = self.value(left, env);
        let between = self.failed.borrow().len();
        let r = self.value(right, env);
        if l == V::Null || r == V::Null {
            let after = self.failed.borrow().len();
            // Whatever is compared with null, or added to it, need not be looked at.
            if self.lazy && (l == V::Null && between == before || r == V::Null && after == between) {
                self.failed.borrow_mut().truncate(before);
            }
            return V::Null;
        }
        // A date stands for its day.
        let (l, r) = match (l, r) {
            (V::Stamp(at), r @ V::Date(_)) => (V::Date(self.clock.civil(at).date()), r),
            (l @ V::Date(_), V::Stamp(at)) => (l, V::Date(self.clock.civil(at).date())),
            other => other,
        };
        let test = |of: fn(Ordering) -> bool| V::truth(compare(&l, &r).map(of));
        match op {
            Op::Eq => test(Ordering::is_eq),
            Op::Ne => test(Ordering::is_ne),
            Op::Lt => test(Ordering::is_lt),
            Op::Le => test(Ordering::is_le),
            Op::Gt => test(Ordering::is_gt),
            Op::Ge => test(Ordering::is_ge),
            Op::Like | Op::NotLike => {
                let (V::Text(text), V::Text(pattern)) = (&l, &r) else { panic!("{l:?} like {r:?}") };
                let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
                V::Bool(like(&text, &pattern) == (op == Op::Like))
            }
            _ => {
                let whole = left.kind == Kind::Int && right.kind == Kind::Int && op != Op::Div;
                self.checked(arithmetic(op, &l, &r, x.scale, whole), env)
            }
        }
    }

    fn aggregate(&self, x: &'q X, env: &Env<'q>) -> V {
        let N::Aggregate { name, values, extra, query } = &x.node else { panic!("no aggregate") };
        let ordered = matches!(*name, "first" | "list" | "string_agg");
        let rows = self.used(query, env, ordered);
        if *name == "list" && values.len() != 1 {
            let record = |row: &Row<'q>| {
                let inner = env.with(row);
                V::List(values.iter().map(|value| self.value(value, &inner)).collect())
            };
            return V::List(rows.iter().map(record).collect());
        }
        let Some(value) = values.first() else { return V::Int(rows.len() as i64) };
        let found: Vec<V> = rows.iter().map(|row| self.value(value, &env.with(row))).collect();
        let known: Vec<V> = found.iter().filter(|value| **value != V::Null).cloned().collect();
        let least = |down: bool| {
            let mut sorted = known.clone();
            sorted.sort_by(|a, b| super::value::by_order(a, b, down));
            sorted.into_iter().next().unwrap_or(V::Null)
        };
        match *name {
            "count" => V::Int(known.len() as i64),
            "count_distinct" => {
                let mut distinct: Vec<&V> = Vec::new();
                for value in &known {
                    if !distinct.iter().any(|seen| same(seen, value)) {
                        distinct.push(value);
                    }
                }
                V::Int(distinct.len() as i64)
            }
            "min" => least(false),
            "max" => least(true),
            "first" => found.into_iter().next().unwrap_or(V::Null),
            "list" => V::List(found),
            "string_agg" if known.is_empty() => V::Null,
            "string_agg" => V::Text(known.iter().map(V::shown).collect::<Vec<_>>().join("+")),
            _ => self.statistic(name, x, (value.kind, value.scale), known, *extra, env),
        }
    }

    fn statistic(
        &self,
        name: &str,
        x: &'q X,
        of: (Kind, u8),
        mut known: Vec<V>,
        extra: Option<(&'static str, i128)>,
        env: &Env<'q>,
    ) -> V {
        known.sort_by(|a, b| super::value::by_order(a, b, false));
        let n = known.len();
        if of.0 == Kind::Float {
            return self.floats(name, &known.iter().map(V::float).collect::<Vec<_>>(), env);
        }
        let wide = |value: &V| super::value::rescaled(value.exact().unwrap(), of.1);
        let total = || {
            known
                .iter()
                .try_fold(V::Num(0, of.1), |sum, value| arithmetic(Op::Add, &sum, &wide(value).unwrap(), of.1, false))
        };
        match name {
            "sum" if x.kind == Kind::Int => {
                let total = total().ok().and_then(|total| i64::try_from(total.exact().unwrap().0).ok());
                self.checked(total.map(V::Int).ok_or(()), env)
            }
            "sum" => self.checked(total(), env),
            _ if n == 0 => V::Null,
            "avg" => {
                let mean = total().and_then(|total| arithmetic(Op::Div, &total, &V::Int(n as i64), x.scale, false));
                self.checked(mean, env)
            }
            "median" => {
                let middle = arithmetic(
                    Op::Add,
                    &wide(&known[(n - 1) / 2]).unwrap(),
                    &wide(&known[n / 2]).unwrap(),
                    of.1,
                    false,
                );
                let five = |sum: V| arithmetic(Op::Mul, &sum, &V::Num(5, 1), x.scale, false);
                self.checked(middle.and_then(five), env)
            }
            "percentile" => {
                let share = extra.unwrap().1;
                let rank = ((share * n as i128 + 99) / 100).max(1);
                known.swap_remove(rank as usize - 1)
            }
            other => panic!("no meaning for {other}"),
        }
    }

    fn floats(&self, name: &str, sorted: &[f64], env: &Env<'q>) -> V {
        let sum: f64 = sorted.iter().sum();
        let n = sorted.len() as f64;
        let value = match name {
            "sum" if sorted.is_empty() => 0.0,
            "sum" => sum,
            _ if sorted.is_empty() => return V::Null,
            "avg" => sum / n,
            "stddev" if sorted.len() < 2 => return V::Null,
            "stddev" => {
                let mean = sum / n;
                (sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
            }
            other => panic!("no meaning for {other}"),
        };
        if value.is_finite() { V::Float(value) } else { self.fail(env) }
    }
}
