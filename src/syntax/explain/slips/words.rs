//! Words that stand twice, and keywords in capitals.

use super::{Slip, Wanted};
use crate::base::Span;
use crate::syntax::explain::Place;
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, Token, reserved, soft};

/// The keyword that a name is in other letters.
fn keyword(word: &str) -> Option<Kind> {
    let lower = word.to_ascii_lowercase();
    // In a name such as `Order` nobody can see a keyword, in `ORDER` everybody does.
    let in_capitals = word.len() > 1 && !word.contains(|letter: char| letter.is_lowercase());
    reserved(&lower).or_else(|| soft(&lower).filter(|_| in_capitals)).filter(|_| lower != word)
}

/// A word or sign that was written twice; without one of them the rest may be right.
pub fn doubled(place: &Place<'_>, found: Token) -> Option<Slip> {
    let word = place.word(found);
    let before = place.before(1)?;
    // `1..3`
    if found.kind == Kind::Dot && place.first()?.kind == Kind::StmtFor {
        return None;
    }
    // `email email`: a field without the colon before its type.
    let lacks_colon = place.unit.inside == Inside::Entity && place.at == place.unit.start + 1;
    if lacks_colon && place.after(1).is_none_or(|next| next.kind != Kind::Colon) {
        return None;
    }
    let is_bracket = |token: Token| matches!(place.word(token), "(" | ")" | "[" | "]" | "{" | "}");
    let is_word = |token: Token| !token.kind.is_literal() && token.kind != Kind::End && !is_bracket(token);
    let again = if is_word(found) && !word.is_empty() && place.word(before) == word {
        Some((place.at, found))
    } else {
        let earlier = place.before(2)?;
        let first = place.before(3);
        if is_word(before) && place.word(earlier) == place.word(before) {
            Some((place.at - 1, before))
        } else {
            let again = first.is_some_and(|first| is_word(earlier) && place.word(first) == place.word(earlier));
            again.then_some((place.at - 2, earlier))
        }
    };
    let (at, again) = again?;
    let word = place.word(again);
    let slip =
        Slip::write(place.span(again), "").help("remove one of them").because(format!("`{word}` stands here twice"));
    // A statement word behind another one was read as a name.
    Some(slip.repair(at, at + 1, &[]))
}

/// A keyword with capitals; all of them in the statement are one slip.
pub fn wrong_case(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let lower = place.word(found).to_ascii_lowercase();
    if found.kind != Kind::Name || lower == place.word(found) || !wanted.takes(&lower) {
        return None;
    }
    let kind = reserved(&lower).or_else(|| soft(&lower))?;
    let (mut kinds, mut last) = (vec![kind], place.at);
    let mut replacement = lower.clone();
    let end = place.unit.end.min(place.tokens.len());
    let others = (place.at + 1..end).filter_map(|at| {
        let token = place.tokens[at];
        let kind = (token.kind == Kind::Name).then(|| keyword(place.word(token))).flatten()?;
        Some((at, kind))
    });
    for (at, kind) in others {
        kinds.extend((last + 1..at).map(|between| place.tokens[between].kind));
        kinds.push(kind);
        let (before, word) = (place.tokens[last], place.tokens[at]);
        replacement += place.text.get(before.end as usize..word.start as usize)?;
        replacement += &place.word(word).to_ascii_lowercase();
        last = at;
    }
    let span = Span::new(place.source, found.start, place.tokens[last].end);
    let slip = Slip::write(span, replacement).here().help(format!("write `{lower}`"));
    let slip = slip.because(format!("keywords are written in small letters, not `{}`", place.word(found)));
    Some(slip.repair(place.at, last + 1, &kinds))
}
