//! What people bring along from SQL, spreadsheets, programs and plain English.

use super::{Slip, Wanted};
use crate::base::Span;
use crate::syntax::explain::Place;
use crate::syntax::literal;
use crate::syntax::token::{Kind, Token};

/// Functions that look at one column of rows.
const AGGREGATES: [&str; 9] = ["sum", "avg", "min", "max", "first", "list", "median", "count_distinct", "string_agg"];

/// Slips whose words say where somebody comes from.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    sql(place, wanted, found)
        .or_else(|| program(place, wanted, found))
        .or_else(|| missing(place, wanted, found))
        .or_else(|| statement(place, wanted, found))
        .or_else(|| rows_first(place, found))
}

fn is_word(place: &Place<'_>, token: Option<Token>, word: &str) -> bool {
    token.is_some_and(|token| place.word(token).eq_ignore_ascii_case(word))
}

fn sql(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1)?;
    match found.kind {
        Kind::And | Kind::Or if before.kind == Kind::Where => {
            let word = place.word(found);
            let slip = Slip::write(place.span(found), "").help(format!("remove this `{word}`"));
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        Kind::Text if is_word(place, Some(before), "interval") => {
            let length = length(place.word(found).trim_matches(['\'', '"']))?;
            let slip = Slip::write(place.spread(before, found), length).because("a length of time is written in short");
            Some(slip.repair(place.at - 1, place.at + 1, &[Kind::Bad]))
        }
        _ if is_word(place, Some(before), "select") && place.before(2)?.kind == Kind::ParenOpen => select(place, found),
        kind if kind.is_name() && is_word(place, Some(found), "nulls") && wanted.takes("dedupe") => {
            let last = place.after(1)?;
            let slip = Slip::write(place.spread(found, last), "").help("leave it out: rows with null come last");
            Some(slip.repair(place.at, place.at + 2, &[]))
        }
        Kind::As if place.before(2)?.kind == Kind::ParenOpen && is_word(place, place.before(3), "cast") => {
            let call = conversion(place.word(place.after(1)?), place.word(before))?;
            Some(Slip::say(format!("write `{call}`")).because("types change by functions"))
        }
        Kind::Colon if place.after(1).is_some_and(|next| next.kind == Kind::Colon) => {
            let (first, last) = place.operand_before(1)?;
            let ty = place.after(2)?;
            let call = conversion(place.word(ty), place.written(first, last))?;
            let slip = Slip::write(place.spread(first, ty), call).because("types change by functions").here();
            Some(slip)
        }
        _ => None,
    }
}

/// `exists (select 1 from orders ...)`, `id in (select customer_id from orders)`
fn select(place: &Place<'_>, found: Token) -> Option<Slip> {
    let word = place.before(1)?;
    let behind = || (1..).map_while(|ahead| place.after(ahead));
    let from = behind().position(|token| place.word(token).eq_ignore_ascii_case("from"))?;
    let rows = place.word(behind().nth(from + 1)?);
    let help = match place.before(3) {
        Some(open) if open.kind == Kind::In => {
            format!("begin with the rows: `in (SEGMENT where ...).FIELD`, here `in {rows}.{}`", place.word(found))
        }
        Some(callee) if callee.kind.is_name() => {
            format!("begin with the rows: `{}({rows} where ...)`", place.word(callee).to_ascii_lowercase())
        }
        _ => format!("begin with the rows: `({rows} where ...)`"),
    };
    Some(Slip { span: Some(place.span(word)), ..Slip::say(help).because("there is no `select` here") })
}

/// A function call in place of a cast.
fn conversion(ty: &str, value: &str) -> Option<String> {
    let function = match ty.to_ascii_lowercase().as_str() {
        "text" | "varchar" | "string" | "char" | "nvarchar" => "to_text",
        "int" | "integer" | "bigint" | "int64" => "to_int",
        "decimal" | "numeric" | "number" => "to_decimal",
        "float" | "double" | "real" => "to_float",
        "date" => "date",
        "bool" | "boolean" => "to_bool",
        _ => return None,
    };
    Some(format!("{function}({value})"))
}

/// `30d` for `30 days`.
fn length(written: &str) -> Option<String> {
    let compact: String = written.chars().filter(|letter| !letter.is_whitespace()).collect();
    match literal::read(&compact) {
        Ok(_) => Some(compact),
        Err(fault) => fault.fix,
    }
}

fn program(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1)?;
    match found.kind {
        // `[r for r in rows if ...]`
        Kind::For if wanted.takes("]") && place.after(2).is_some_and(|token| token.kind == Kind::In) => {
            let rows = place.word(place.after(3)?);
            Some(Slip::say(format!("write `{rows} where ...`")).because("rows are chosen with `where`"))
        }
        Kind::Question if place.after(1).is_some_and(|next| next.kind == Kind::Dot) => {
            let slip = Slip::write(place.span(found), "").help("remove the `?`: what a missing row would have is null");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        // `log "he said "hello" to me"`
        kind if kind.is_name()
            && matches!(before.kind, Kind::Text | Kind::TemplateClose)
            && before.end == found.start =>
        {
            let slip = Slip::say("in a text a quote is written `\\\"`, and a text in `\"\"\"` may hold quotes");
            Some(slip.because("the text ends at the quote before this"))
        }
        Kind::To if place.before(2)?.kind == Kind::Between => {
            let slip = Slip::write(place.span(found), "and");
            let slip = slip.help(format!("write `between {} and ...`", place.word(before)));
            Some(slip.repair(place.at, place.at + 1, &[Kind::And]))
        }
        kind if kind.is_name() && is_word(place, Some(found), "ago") && before.kind == Kind::Literal => {
            let slip = Slip::write(place.spread(before, found), format!("ago({})", place.word(before))).here();
            Some(slip.repair(place.at - 1, place.at + 1, &[Kind::Bad]))
        }
        Kind::Where | Kind::By | Kind::With | Kind::Equal if place.before(2)?.kind == Kind::Match => {
            let entity = place.word(before);
            let slip = Slip::write(place.span(found), "on");
            let slip = slip.help(format!("say what is the same in both: `match {entity} on {entity}.FIELD = ...`"));
            Some(slip.repair(place.at, place.at + 1, &[Kind::On]))
        }
        _ => None,
    }
}

/// A word or mark was left out.
fn missing(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1)?;
    let here = Span::new(place.source, found.start, found.start);
    let word = place.word(found);
    let compares = |token: Token| {
        (Kind::Equal..=Kind::GreaterEqual).contains(&token.kind)
            || matches!(token.kind, Kind::In | Kind::Like | Kind::Between | Kind::Is)
    };
    if found.kind.is_name() && wanted.takes("dedupe") && !wanted.takes("set") && place.after(1).is_some_and(compares) {
        let rows = place.operand_before(1).map_or("customers", |(first, last)| place.written(first, last));
        let slip = Slip::write(here, "where ").help(format!("write `{rows} where {word} ...`"));
        return before.kind.ends_operand().then(|| slip.repair(place.at, place.at, &[Kind::Where]));
    }
    let callee = place.before(3).map_or("", |token| place.word(token));
    if found.kind.is_name()
        && before.kind.is_name()
        && place.before(2)?.kind == Kind::ParenOpen
        && AGGREGATES.contains(&callee)
    {
        let slip = Slip::write(here, "of ").help(format!("write `{callee}({} of {word})`", place.word(before)));
        return Some(slip.repair(place.at, place.at, &[Kind::Of]));
    }
    if found.kind.is_literal() && before.kind.is_literal() && (wanted.takes(",") || wanted.takes("]")) {
        let slip = Slip::write(here, ", ").help("write a comma between the values");
        return Some(slip.repair(place.at, place.at, &[Kind::Comma]));
    }
    None
}

/// Slips of one statement.
fn statement(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    let (word, span) = (place.word(found), place.span(found));
    let swap = |right: &str, kind: Kind| Slip::write(span, right).repair(place.at, place.at + 1, &[kind]);
    match (first.kind, found.kind) {
        (Kind::StmtSegment | Kind::StmtLet, Kind::Equal) if place.at == place.unit.start + 1 => {
            let word = place.word(first);
            Some(Slip::say(format!("give it a name: `{word} NAME = ...`")))
        }
        (Kind::StmtIf | Kind::StmtApprove | Kind::StmtTask | Kind::StmtWait, kind)
            if kind.is_name() && word == "otherwise" && wanted.takes("else") =>
        {
            Some(swap("else", Kind::Else))
        }
        (Kind::StmtIf, kind) if kind.is_name() && wanted.takes("{") && place.before(1)?.kind.is_name() => {
            Some(Slip::say("a condition compares values: `if count(SEGMENT) > 500 { ... }`"))
        }
        (Kind::StmtSplit, _) if place.nth(1)?.kind == Kind::Into => {
            Some(Slip::say("say what is divided: `split SEGMENT into { a: 50%; rest: otherwise }`"))
        }
        (Kind::StmtTask, Kind::By) => Some(swap("for", Kind::For)),
        (Kind::StmtApprove, Kind::For) => Some(swap("by", Kind::By)),
        (Kind::StmtRequire, Kind::Comma) => Some(swap(" else", Kind::Else).help("the reason stands behind `else`")),
        (Kind::StmtCampaign, Kind::Between) => Some(Slip::say("write `from 2026-12-01 until 2026-12-31`")),
        (Kind::StmtCampaign, kind) if kind.is_name() && super::super::is_day(word) && wanted.takes("every") => {
            let slip = Slip::write(Span::new(place.source, found.start, found.start), "every ");
            Some(slip.help(format!("write `every {word}`")).repair(place.at, place.at, &[Kind::Every]))
        }
        (Kind::StmtSend, kind) if kind.is_name() && word == "transactional" && wanted.takes("{") => {
            Some(Slip::write(span, "{ policy: transactional }").because("options stand in braces"))
        }
        (Kind::StmtSend, kind) if wanted.takes("to") && (kind.is_name() || kind == Kind::As) => send(place, found),
        (Kind::Else, _) if place.at == place.unit.start && wanted.takes("}") => {
            Some(Slip::say("the arm for the rest has a name as well: `rest: otherwise`"))
        }
        _ => None,
    }
}

/// `send the hello email to all customers`, `send hello by email to customers`, `send email hello as m to customers`
fn send(place: &Place<'_>, found: Token) -> Option<Slip> {
    const FILLERS: [&str; 14] =
        ["the", "a", "an", "our", "my", "by", "via", "per", "through", "as", "all", "every", "message", "out"];
    let words = |from: usize| (from..).map_while(|offset| place.nth(offset));
    let to = words(1).position(|token| token.kind == Kind::To)? + 1;
    if place.at >= place.unit.start + to {
        return None;
    }
    let said = |token: &Token| !FILLERS.contains(&place.word(*token));
    let rows = words(to + 1).find(said).filter(|rows| rows.kind.is_name()).map_or("SEGMENT", |rows| place.word(rows));
    if found.kind == Kind::As {
        let name = place.after(1).map_or("NAME", |name| place.word(name));
        let message = place.written(place.nth(1)?, place.before(1)?);
        let slip = Slip::say(format!("write `send {message} to {rows} as {name}`"));
        return Some(slip.because("the name of a send stands at its end"));
    }
    let is_channel = |token: &Token| matches!(place.word(*token), "email" | "sms" | "push" | "letter" | "whatsapp");
    let between: Vec<Token> = words(1).take(to - 1).filter(said).filter(|token| token.kind.is_name()).collect();
    let channel = between.iter().find(|token| is_channel(token)).map_or("CHANNEL", |token| place.word(*token));
    let message = between.iter().find(|token| !is_channel(token)).map_or("MESSAGE", |token| place.word(*token));
    let slip = Slip::say(format!("write `send {channel} {message} to {rows}`"));
    Some(slip.because("a send names the channel, then the message"))
}

/// `limit 10 customers where ...`, `dedupe customers by email`, `where spend > 5 ...`
fn rows_first(place: &Place<'_>, found: Token) -> Option<Slip> {
    let first = place.first()?;
    if found.kind == Kind::Where && place.at == place.unit.start {
        return Some(Slip::say("begin with the rows: `segment NAME = customers where ...`"));
    }
    let clause = place.nth(3).filter(|_| first.kind == Kind::StmtSegment)?;
    if !matches!(clause.kind, Kind::Limit | Kind::Dedupe | Kind::Sample | Kind::Order | Kind::New)
        || place.at != place.unit.start + 4
    {
        return None;
    }
    let rows = (0..3).filter_map(|ahead| place.after(ahead)).find(|token| token.kind == Kind::Name)?;
    let (rows, clause) = (place.word(rows), place.word(clause));
    let slip = Slip::say(format!("the rows come first: `{rows} {clause} ...`"));
    Some(slip.because(format!("`{clause}` stands behind the rows")))
}
