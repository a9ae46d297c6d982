//! Commas.

use super::{Slip, Wanted};
use crate::syntax::explain::Place;
use crate::syntax::token::{Kind, Token};

/// Slips around a comma, and brackets of lists.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let before = place.before(1)?;
    match found.kind {
        Kind::Comma => comma(place, wanted, found, before),
        Kind::ParenClose if before.kind == Kind::Comma => {
            let slip = Slip::write(place.span(before), "").help("remove the comma before it");
            Some(slip.here().repair(place.at - 1, place.at, &[]))
        }
        Kind::And if wanted.takes(",") && wanted.takes("every") => {
            let slip = Slip::write(place.span(found), ",").help("days are separated by commas: `monday, friday`");
            Some(slip.repair(place.at, place.at + 1, &[Kind::Comma]))
        }
        _ => None,
    }
}

fn comma(place: &Place<'_>, wanted: &Wanted, found: Token, before: Token) -> Option<Slip> {
    let span = place.span(found);
    let first = place.first()?;
    let kind_before = |back| place.before(back).map(|token| token.kind);
    // `between 1, 5`
    if kind_before(2) == Some(Kind::Between) {
        let slip = Slip::write(span, " and").help(format!("write `between {} and ...`", place.word(before)));
        return Some(slip.repair(place.at, place.at + 1, &[Kind::And]));
    }
    // `between (1, 5)`
    if kind_before(2) == Some(Kind::ParenOpen) && kind_before(3) == Some(Kind::Between) {
        let (low, high) = (place.word(before), place.after(1).map_or("...", |token| place.word(token)));
        return Some(Slip::say(format!("write `between {low} and {high}`")));
    }
    // `in gold, silver`
    if kind_before(2) == Some(Kind::In)
        && before.kind == Kind::Name
        && place.after(1).is_some_and(|next| next.kind == Kind::Name)
    {
        let (one, two) = (place.word(before), place.after(1).map_or("...", |token| place.word(token)));
        return Some(Slip::say(format!("values stand in quotes and parentheses: `in (\"{one}\", \"{two}\")`")));
    }
    // `in "FR", "DE"`
    if kind_before(2) == Some(Kind::In) && before.kind.is_literal() {
        let brackets = if first.kind == Kind::StmtFor { ["[", "]"] } else { ["(", ")"] };
        let mut last = before;
        let mut at = 0;
        while place.after(at).is_some_and(|token| token.kind == Kind::Comma)
            && place.after(at + 1).is_some_and(|token| token.kind.is_literal())
        {
            last = place.after(at + 1)?;
            at += 2;
        }
        let list = format!("{}{}{}", brackets[0], place.written(before, last), brackets[1]);
        let slip = Slip::write(place.spread(before, last), list.clone()).here();
        let slip = slip.help(format!("write `in {list}`"));
        return Some(slip.repair(place.at - 1, place.at + at, &[Kind::Bad]));
    }
    if first.kind == Kind::StmtLog {
        return Some(Slip::say("one text is logged: put the values into it, as in `log \"{count(vip)} people\"`"));
    }
    // Conditions one after the other.
    let clause = (1..)
        .map_while(|back| place.before(back))
        .find(|token| matches!(token.kind, Kind::Where | Kind::With | Kind::By | Kind::On | Kind::Set | Kind::StmtIf));
    let in_condition = clause.is_some_and(|clause| matches!(clause.kind, Kind::Where | Kind::StmtIf));
    if in_condition && first.kind == Kind::StmtDo && wanted.takes(")") {
        return Some(Slip::say("a population with clauses stands in parentheses here: `(customers where ...)`"));
    }
    if in_condition && (wanted.takes("dedupe") || wanted.takes("{")) {
        let slip = Slip::write(span, " and").help("write `and` between conditions, or `or`");
        return Some(slip.repair(place.at, place.at + 1, &[Kind::And]));
    }
    None
}
