//! Populations as other languages write them.

use super::{Slip, Wanted};
use crate::base::Span;
use crate::syntax::explain::Place;
use crate::syntax::token::{Kind, Token};

/// Functions that are written without their parentheses.
const FUNCTIONS: &[(&str, &str)] = &[
    ("exists", "exists"),
    ("has", "exists"),
    ("have", "exists"),
    ("any", "exists"),
    ("count", "count"),
    ("lower", "lower"),
    ("upper", "upper"),
    ("length", "length"),
];

/// Slips in a population.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1);
    match found.kind {
        Kind::Where if before.is_some_and(|before| before.kind == Kind::Dot) => method(place, found),
        Kind::Where
            if before.is_some_and(|before| matches!(before.kind, Kind::Except | Kind::Union | Kind::Intersect)) =>
        {
            let operator = before.map_or("except", |before| place.word(before));
            Some(Slip::say(format!("name the population again: `{operator} (customers where ...)`")))
        }
        Kind::Where if place.has_before("set") => {
            let rows = place.nth(1).map_or("customers", |token| place.word(token));
            let word = place.nth(0).map_or("update", |token| place.word(token));
            let help = format!("say first which rows: `{word} ({rows} where ...) set ...`");
            Some(Slip::say(help).because("the rows are chosen before `set`"))
        }
        Kind::SquareOpen if wanted.takes("where") => {
            let rows = place.operand_before(1).map_or("customers", |(first, last)| place.written(first, last));
            Some(Slip::say(format!("write `{rows} where ...`")))
        }
        Kind::On if wanted.takes("by") && before.is_some_and(|before| before.kind == Kind::Dedupe) => {
            let slip = Slip::write(place.span(found), "by").help("write `dedupe by ...`");
            Some(slip.repair(place.at, place.at + 1, &[Kind::By]))
        }
        _ if wanted.takes("by") && before.is_some_and(|before| before.kind == Kind::Order) => {
            let here = Span::new(place.source, found.start, found.start);
            Some(Slip::write(here, "by ").help("write `order by ...`").repair(place.at, place.at, &[Kind::By]))
        }
        Kind::ParenOpen if place.before(2).is_some_and(|before| before.kind == Kind::With) && wanted.takes("=") => {
            let function = before.map_or("sum", |before| place.word(before));
            let slip = Slip::say(format!("give it a name: `with NAME = {function}(...)`"));
            Some(slip.because("an added column needs a name"))
        }
        _ if wanted.takes("of") && place.before(2).is_some_and(|before| before.kind == Kind::Audience) => {
            let name = before.map_or("\"name\"", |before| place.word(before));
            Some(Slip::say(format!("say of whom: `audience {name} of customers`")))
        }
        // `with spend > 5`
        kind if (Kind::NotEqual..=Kind::GreaterEqual).contains(&kind)
            && wanted.takes("=")
            && place.before(2).is_some_and(|before| before.kind == Kind::With) =>
        {
            let with = place.before(2)?;
            let slip = Slip::write(place.span(with), "where").because("`with` adds columns, and chooses no rows");
            Some(slip.repair(place.at - 2, place.at - 1, &[Kind::Where]))
        }
        Kind::Then | Kind::Minus | Kind::Greater if wanted.operand() || found.kind == Kind::Then => step(place, found),
        Kind::Colon if wanted.operand() && place.after(1).is_some_and(|next| next.kind.is_name()) => {
            let name = place.after(1)?;
            let slip = Slip::write(place.spread(found, name), place.word(name));
            Some(slip.because("names stand as they are"))
        }
        Kind::Question if wanted.operand() => {
            Some(Slip::say("declare what is given, `param country: text`, and write its name"))
        }
        kind if kind.is_name() || kind.is_literal() || kind == Kind::ParenOpen || kind == Kind::Of => select(place)
            .or_else(|| amount_first(place, found))
            .or_else(|| function(place, wanted, found))
            .or_else(|| clause(place, wanted, found)),
        Kind::Star => select(place),
        Kind::End if before.is_some_and(|before| before.kind == Kind::Where) => {
            Some(Slip::say("say which rows behind `where`, as in `where spend > 500`"))
        }
        _ => None,
    }
}

/// `customers.where(spend > 500)`
fn method(place: &Place<'_>, found: Token) -> Option<Slip> {
    let dot = place.before(1)?;
    let rows = place.operand_before(2).map_or("customers", |(first, last)| place.written(first, last));
    let slip =
        Slip::write(place.spread(dot, found), " where").help(format!("write `{rows} where ...`, without the dot"));
    Some(slip.here().because("clauses follow a population without a dot").repair(place.at - 1, place.at, &[]))
}

/// `segment vip = SELECT * FROM customers WHERE ...`
fn select(place: &Place<'_>) -> Option<Slip> {
    let first = place.first().filter(|first| matches!(first.kind, Kind::StmtSegment | Kind::StmtLet))?;
    let select = place.nth(3).filter(|token| place.word(*token).eq_ignore_ascii_case("select"))?;
    let from = (place.unit.start..place.unit.end).map(|at| place.tokens[at]);
    let mut from = from.skip_while(|token| !place.word(*token).eq_ignore_ascii_case("from")).skip(1);
    let rows = from.next().map_or("customers", |token| place.word(token));
    let name = place.nth(1).map_or("NAME", |token| place.word(token));
    let word = place.word(first);
    let slip = Slip::say(format!("begin with the rows: `{word} {name} = {rows} where ...`"));
    Some(Slip { span: Some(place.span(select)), ..slip.because("there is no `select` here") })
}

/// `... then send email`, `... -> send email`
fn step(place: &Place<'_>, found: Token) -> Option<Slip> {
    let arrow = place.before(1).filter(|before| before.kind == Kind::Minus && before.end == found.start);
    if found.kind != Kind::Then && arrow.is_none() {
        return None;
    }
    let slip = Slip::write(place.spread(arrow.unwrap_or(found), found), ";");
    Some(slip.help("steps stand below each other: begin a new line, or write `;`"))
}

/// `first 100 of customers`, `10% of customers`, `all customers`
fn amount_first(place: &Place<'_>, found: Token) -> Option<Slip> {
    place.first().filter(|first| matches!(first.kind, Kind::StmtSegment | Kind::StmtSend))?;
    let start =
        (1..4).find(|back| place.before(*back).is_some_and(|token| matches!(token.kind, Kind::Equal | Kind::To)))?;
    let word = (start > 1).then(|| place.before(start - 1)).flatten()?;
    let spoken = ["first", "top", "random", "all", "every", "the", "any"].contains(&place.word(word));
    let amount = [place.before(1), Some(found)]
        .into_iter()
        .flatten()
        .find(|token| matches!(token.kind, Kind::Literal | Kind::Percent));
    if !spoken && !matches!(word.kind, Kind::Literal | Kind::Percent) {
        return None;
    }
    let rows = (0..4).filter_map(|ahead| place.after(ahead)).find(|token| token.kind == Kind::Name)?;
    let rows = place.word(rows);
    Some(match amount {
        Some(share) if share.kind == Kind::Percent => Slip::say(format!("write `{rows} sample {}`", place.word(share))),
        Some(number) => Slip::say(format!("write `{rows} limit {} by FIELD desc`", place.word(number))),
        None => Slip::say(format!("all rows of an entity have its name: write `{rows}`")),
    })
}

/// `exists orders`
fn function(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1).filter(|before| before.kind.is_name() && !wanted.operand())?;
    let word = place.word(before);
    let is_behind_operand = place.before(2).is_some_and(|token| token.kind.ends_operand() && !token.kind.begins_unit());
    if is_behind_operand || found.kind == Kind::ParenOpen || !wanted.takes("(") {
        return None;
    }
    if word.eq_ignore_ascii_case("distinct") || word.eq_ignore_ascii_case("unique") {
        return Some(Slip::say(format!("write `{} dedupe by FIELD`", place.word(found))));
    }
    if word.eq_ignore_ascii_case("case") && place.word(found).eq_ignore_ascii_case("when") {
        return Some(Slip::say("choose with `if C then A else B`").because("there is no `case` here"));
    }
    let lower = word.to_ascii_lowercase();
    let (_, ours) = FUNCTIONS.iter().find(|(theirs, _)| *theirs == lower)?;
    let (first, last) = place.operand_after(0)?;
    let call = format!("{ours}({})", place.written(first, last));
    let slip = match place.tokens.get(place.at + 1).filter(|next| next.kind == Kind::Where) {
        Some(_) => Slip::say(format!("write `{ours}({} where ...)`", place.written(first, last))),
        None => Slip::write(place.spread(before, last), call),
    };
    Some(slip.because(format!("what `{word}` looks at stands in parentheses")))
}

/// Clauses under other names.
fn clause(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let word = place.word(found).to_ascii_lowercase();
    let span = place.span(found);
    let next = place.after(1);
    if wanted.takes("by") && place.before(1).is_some_and(|before| before.kind == Kind::Dedupe) {
        let slip = Slip::write(span, format!("by {}", place.word(found)));
        let slip = slip.help(format!("write `dedupe by {}`", place.word(found)));
        return Some(slip.repair(place.at, place.at, &[Kind::By]));
    }
    if !wanted.takes("dedupe") {
        return match word.as_str() {
            "group" if !wanted.operand() => Some(group()),
            _ => None,
        };
    }
    Some(match word.as_str() {
        "asc" | "ascending" => {
            let slip = Slip::write(span, "").help("ascending is the default: leave it out");
            slip.repair(place.at, place.at + 1, &[])
        }
        "descending" | "decreasing" => Slip::write(span, "desc").repair(place.at, place.at + 1, &[Kind::Desc]),
        "group" => group(),
        "join" | "inner" | "outer" | "left" => {
            Slip::say("follow a relation instead, as in `store.city`, or use `match E on P`")
        }
        "having" | "filter" | "whose" | "who" | "when" | "that" => {
            let help = if word == "having" { "a `where` behind `with` does that" } else { "write `where`" };
            Slip::write(span, "where").help(help).repair(place.at, place.at + 1, &[Kind::Where])
        }
        "top" | "take" | "fetch" if next.is_some_and(|next| next.kind.is_literal()) => {
            let slip = Slip::write(span, "limit").help("write `limit 10 by FIELD desc`");
            slip.repair(place.at, place.at + 1, &[Kind::Limit])
        }
        "offset" | "skip" => {
            Slip::say("no rows are skipped here: split the population, or leave some out with `except`")
        }
        "dedup" | "deduplicate" | "distinct" | "unique" => {
            let slip = Slip::write(span, "dedupe").help("write `dedupe by FIELD`");
            slip.repair(place.at, place.at + 1, &[Kind::Dedupe])
        }
        "without" => Slip::say("write `except (SEGMENT)` for a population, `where not exists(...)` for a relation"),
        "minus" | "exclude" | "excluding" | "difference" => set_operator(place, "except", Kind::Except),
        "plus" | "including" | "merge" => set_operator(place, "union", Kind::Union),
        "as" | "alias" => alias(place),
        _ if next.is_some_and(|next| next.kind == Kind::Where) && place.before(1).is_some_and(|b| b.kind.is_name()) => {
            alias(place)
        }
        _ => return None,
    })
}

fn group() -> Slip {
    Slip::say("one row of each group: `dedupe by KEY`, with `count(group)` for its size")
}

fn set_operator(place: &Place<'_>, right: &str, kind: Kind) -> Slip {
    Slip::write(place.span(place.found()), right).repair(place.at, place.at + 1, &[kind])
}

fn alias(place: &Place<'_>) -> Slip {
    let rows = place.operand_before(1).map_or("customers", |(first, last)| place.written(first, last));
    let help = format!("remove it: fields stand alone, or as `{rows}.FIELD`");
    Slip::say(help).because("populations get no second name here")
}
