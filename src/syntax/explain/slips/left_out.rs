//! Words of statements that were left out, or stand where others belong.

use super::{Slip, Wanted};
use crate::base::Span;
use crate::syntax::explain::Place;
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, Token};

/// Words before a field that say an order.
const FIRST: [&str; 7] = ["newest", "latest", "highest", "largest", "biggest", "most", "best"];
const LAST: [&str; 6] = ["oldest", "earliest", "lowest", "smallest", "least", "cheapest"];

/// Slips that a word more or less would mend.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    of_rows(place, wanted, found)
        .or_else(|| aggregate(place, wanted, found))
        .or_else(|| writing(place, wanted, found))
        .or_else(|| talking(place, wanted, found))
        .or_else(|| declaration(place, wanted, found))
}

/// Clauses and set operators.
fn of_rows(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1)?;
    let (word, span) = (place.word(found), place.span(found));
    let is_set = |kind| matches!(kind, Kind::Union | Kind::Intersect | Kind::Except);
    match found.kind {
        // `orders exists`, `no orders`
        kind if kind.is_name() && matches!(word, "exists" | "exist") && wanted.takes("dedupe") => {
            let (from, to) = place.operand_before(1)?;
            let call = format!("exists({})", place.written(from, to));
            Some(Slip::write(place.spread(from, found), call).because("what is looked at stands in parentheses").here())
        }
        kind if kind.is_name() && place.word(before) == "no" && wanted.takes("dedupe") => {
            let slip = Slip::write(place.spread(before, found), format!("not exists({word})"));
            Some(slip.repair(place.at - 1, place.at + 1, &[Kind::Bad]))
        }
        Kind::In if wanted.takes("dedupe") && place.after(2).is_some_and(|last| place.word(last) == "last") => {
            Some(Slip::say("say it of the rows that are counted: `count(ROWS where DATE > ago(30d))`"))
        }
        _ if wanted.share()
            && matches!(word, "random" | "randomly" | "any")
            && place.after(1)?.kind == Kind::Percent =>
        {
            let slip = Slip::write(place.span(found), "").help("leave it out: shares are taken by chance");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        Kind::With if is_set(before.kind) => {
            Some(Slip::write(span, "").help("leave the `with` out").repair(place.at, place.at + 1, &[]))
        }
        kind if is_set(kind) && wanted.operand() && place.after(1)?.kind == Kind::ParenOpen => {
            let slip = Slip::say(format!("write it between two populations: `a {word} b`"));
            Some(slip.because(format!("`{word}` is no function")))
        }
        Kind::Colon
            if wanted.takes("=")
                && !wanted.takes("+")
                && matches!(place.before(2)?.kind, Kind::With | Kind::Set | Kind::Comma) =>
        {
            Some(Slip::write(span, " =").help(format!("write `{} = ...`", place.word(before))).repair(
                place.at,
                place.at + 1,
                &[Kind::Equal],
            ))
        }
        Kind::Plus | Kind::Minus if wanted.takes("=") && place.after(1)?.kind == Kind::Equal => {
            let (name, sign) = (place.word(before), word);
            let slip = Slip::write(place.spread(found, place.after(1)?), format!("= {name} {sign}"));
            Some(slip.help(format!("write `{name} = {name} {sign} ...`")))
        }
        kind if kind.is_name() && before.kind == Kind::Audience => {
            let slip = Slip::write(span, format!("\"{word}\"")).help("the name of an audience is a text");
            Some(slip.repair(place.at, place.at + 1, &[Kind::Text]))
        }
        kind if kind.is_name() => of_order(place, wanted, found, before),
        _ => None,
    }
}

/// A word where an order is said, or a clause begins.
fn of_order(place: &Place<'_>, wanted: &Wanted, found: Token, before: Token) -> Option<Slip> {
    let (word, span) = (place.word(found), place.span(found));
    match () {
        _ if wanted.takes("desc") => {
            let said = place.word(before);
            let order = match () {
                () if FIRST.contains(&said) => format!("{word} desc"),
                () if LAST.contains(&said) => word.to_owned(),
                () => return None,
            };
            let slip = Slip::write(place.spread(before, found), order).because(format!("`{said}` is said by an order"));
            Some(slip.repair(place.at - 1, place.at, &[]))
        }
        _ if wanted.takes("dedupe") => match word {
            "sort" | "sorted" | "arrange" if place.after(1)?.kind == Kind::By => {
                let slip = Slip::write(span, "order").help("write `order by ...`");
                Some(slip.repair(place.at, place.at + 1, &[Kind::Order]))
            }
            "add" | "adding" | "enrich" | "compute" | "extend" if place.after(2)?.kind == Kind::Equal => {
                let slip = Slip::write(span, "with").help("columns are added by `with NAME = ...`");
                Some(slip.repair(place.at, place.at + 1, &[Kind::With]))
            }
            _ => None,
        },
        () => None,
    }
}

/// `sum revenue of customers`, `count of customers`, `max(revenue) of customers`
fn aggregate(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    const AGGREGATES: [&str; 8] = ["sum", "avg", "min", "max", "first", "list", "median", "count"];
    if wanted.operand() || place.first()?.kind == Kind::StmtCampaign {
        return None;
    }
    let before = place.before(1)?;
    let rows = |ahead: usize| place.operand_after(ahead).map(|(first, last)| (last, place.written(first, last)));
    let say =
        |call: String| Some(Slip::say(format!("write `{call}`")).because("what is looked at stands in parentheses"));
    match found.kind {
        Kind::Of if place.word(before) == "count" => say(format!("count({})", rows(1)?.1)),
        Kind::Of if before.kind == Kind::ParenClose => {
            let (first, _) = place.operand_before(1)?;
            let call = place.written(first, before);
            let is_one = AGGREGATES.iter().any(|name| call.starts_with(&format!("{name}(")));
            let inner = call.strip_suffix(')').filter(|_| is_one)?;
            say(format!("{inner} of {})", rows(1)?.1))
        }
        kind if kind.is_name() && AGGREGATES.contains(&place.word(before)) && place.after(1)?.kind == Kind::Of => {
            say(format!("{}({} of {})", place.word(before), place.word(found), rows(2)?.1))
        }
        _ => None,
    }
}

/// `update`, `insert`, `upsert`.
fn writing(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    let word = place.word(found);
    match first.kind {
        Kind::StmtUpdate | Kind::StmtUpsert if wanted.takes("set") && found.kind.is_name() => {
            let here = Span::new(place.source, found.start, found.start);
            let is_equal = place.after(1)?.kind == Kind::Equal;
            let slip = Slip::write(here, "set ").help(format!("write `set {word} = ...`"));
            is_equal.then(|| slip.repair(place.at, place.at, &[Kind::Set]))
        }
        Kind::StmtInsert | Kind::StmtUpdate | Kind::StmtUpsert if wanted.takes("set") && found.kind == Kind::End => {
            Some(Slip::say("say what each field gets: `set FIELD = ...`"))
        }
        Kind::StmtUpsert if wanted.takes("on") && matches!(found.kind, Kind::Set | Kind::End) => {
            let entity = place.before(1).map_or("customers", |before| place.word(before));
            Some(Slip::say(format!("say which rows are the same: `on {entity}.FIELD = ...`, before `set`")))
        }
        _ => None,
    }
}

/// Statements that tell somebody something, and blocks.
fn talking(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let (first, before) = (place.first()?, place.before(1)?);
    let (word, span) = (place.word(found), place.span(found));
    match first.kind {
        Kind::StmtAlert if wanted.takes("to") && found.kind == Kind::Text && before.kind.is_name() => {
            Some(Slip::write(place.spread(before, found), format!("{word} to {}", place.word(before))))
        }
        Kind::StmtEmit if found.kind == Kind::BraceOpen => {
            let signal = place.word(before);
            Some(Slip::say(format!("its values stand in parentheses: `emit {signal}(NAME: ...)`")))
        }
        Kind::StmtEmit if place.word(before) == "signal" && found.kind.is_name() => {
            let slip = Slip::write(place.span(before), "").help(format!("write `emit {word}(...)`"));
            Some(slip.repair(place.at - 1, place.at, &[]))
        }
        Kind::StmtStop | Kind::StmtFail if found.kind == Kind::If => {
            let stop = place.written(first, before);
            Some(Slip::say(format!("write `if ... {{ {stop} }}`")))
        }
        Kind::StmtWait | Kind::StmtApprove | Kind::StmtTask if before.kind == Kind::Else && wanted.takes("{") => {
            Some(Slip::say(format!("what is to be done stands in braces: `else {{ {word} }}`")))
        }
        Kind::StmtIf if before.kind == Kind::If && found.kind == Kind::BraceOpen => {
            Some(Slip::say("say the condition behind `if`, or leave the `if` out: `else { ... }`"))
        }
        Kind::StmtRepeat if found.kind == Kind::Until || before.kind == Kind::Until => {
            wanted.takes("times").then(|| Slip::say("say how often at most: `repeat 5 times every 7d until ... { }`"))
        }
        Kind::StmtParallel if wanted.takes("{") => {
            Some(Slip::say("branches stand in braces: `parallel { branch \"a\" { ... } branch \"b\" { ... } }`"))
        }
        Kind::ItemBranch if found.kind == Kind::Comma => {
            let slip = Slip::write(span, "").help("leave the comma out: branches stand below each other");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        Kind::StmtLog if found.kind == Kind::Text && before.kind.is_literal() => {
            Some(Slip::say("one text is logged: put them into one"))
        }
        Kind::StmtRepeat if word == "each" && wanted.takes("every") => {
            Some(Slip::write(span, "every").repair(place.at, place.at + 1, &[Kind::Every]))
        }
        Kind::StmtFor if found.kind == Kind::Dot || (found.kind == Kind::Literal && word.starts_with('.')) => {
            Some(Slip::say("name the values, `in [1, 2, 3]`, or write `repeat 3 times { ... }`"))
        }
        Kind::StmtSend if matches!(word, "using" | "with" | "via") && is_policy(place) => {
            let policy = place.after(2).map_or("NAME", |name| place.word(name));
            Some(Slip::say(format!("options stand in braces: `{{ policy: {policy} }}`")))
        }
        _ => None,
    }
}

fn is_policy(place: &Place<'_>) -> bool {
    place.after(1).is_some_and(|next| place.word(next) == "policy")
}

/// Headers, definitions, fields and options.
fn declaration(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let (first, before) = (place.first()?, place.before(1)?);
    let (word, span) = (place.word(found), place.span(found));
    match first.kind {
        Kind::StmtCampaign if matches!(word, "zone" | "timezone" | "tz") && wanted.takes("in") => {
            Some(Slip::write(span, "in").repair(place.at, place.at + 1, &[Kind::In]))
        }
        Kind::StmtCampaign
            if super::super::is_day(word)
                && matches!(place.word(before), "first" | "second" | "third" | "fourth" | "last") =>
        {
            let which = format!("month on {} {word}", place.word(before));
            Some(Slip::say(format!("write `every {which}`")))
        }
        Kind::StmtDefine if found.kind == Kind::ParenOpen && place.before(2)?.kind == Kind::Of => {
            let name = place.nth(1).map_or("NAME", |name| place.word(name));
            let help =
                format!("parameters stand behind the name: `define {name}(...) of {} = ...`", place.word(before));
            Some(Slip::say(help))
        }
        Kind::StmtMessage if wanted.takes(":") && found.kind == Kind::ParenClose => {
            Some(Slip::say(format!("a parameter has a type: `{}: text`", place.word(before))))
        }
        Kind::StmtTest if wanted.takes("TEXT") => Some(Slip::say("say what is tested: `test \"...\" { ... }`")),
        Kind::StmtEntity | Kind::StmtTopic
            if wanted.takes(":") && found.kind == Kind::Text && before.kind.is_name() =>
        {
            let here = Span::new(place.source, before.end, before.end);
            let slip = Slip::write(here, ":").help(format!("write `{}: {word}`", place.word(before)));
            Some(slip.here().repair(place.at, place.at, &[Kind::Colon]))
        }
        _ if place.unit.inside == Inside::Entity && found.kind == Kind::By && before.kind.is_name() => {
            let (name, entity) = (place.word(first), place.word(before));
            Some(Slip::say(format!("say how many: `{name}: one {entity} by ...`, or `many {entity} by ...`")))
        }
        _ if place.unit.inside == Inside::Items
            && found.kind == Kind::Comma
            && place.before(2)?.kind == Kind::Colon =>
        {
            let name = place.word(first);
            Some(Slip::say(format!("several values stand in brackets: `{name}: [{}, ...]`", place.word(before))))
        }
        _ => None,
    }
}
