//! Slips in the holes of a string.

use super::Slip;
use crate::syntax::explain::Place;
use crate::syntax::token::{Kind, Token};

/// Slips between `{` and `}` in a string.
pub fn find(place: &Place<'_>, found: Token) -> Option<Slip> {
    let open = innermost(place)?;
    let before = place.before(1)?;
    let word = place.word(found);
    if before.kind == Kind::For && before.start >= open.end {
        let help = "a list is put in by `{join(list(FIELD of ROWS), \", \")}`; template files have `{% for %}`";
        return Some(Slip::say(help).because("there are no loops in a text"));
    }
    let (first, last) = place.operand_before(1).unwrap_or((before, before));
    let operand = place.written(first, last);
    match found.kind {
        Kind::HoleClose if before.start == open.start => {
            Some(Slip::say("name what stands here, as in `{first_name}`; `{{` is a brace in the text"))
        }
        Kind::HoleClose if place.has_before("if") => {
            Some(Slip::say("a choice stands in one pair of braces: `{if C then \"...\" else \"\"}`"))
        }
        Kind::Pipe => {
            let filter = place.after(1).filter(|next| next.kind.is_name())?;
            let name = place.word(filter);
            if name == "default" {
                return Some(Slip::say(format!("write `{{{operand} ?? \"...\"}}`")));
            }
            let ours = if name == "capitalize" || name == "title" { "title_case" } else { name };
            let slip = Slip::write(place.spread(first, filter), format!("{ours}({operand})"));
            Some(slip.because("there are no filters here, but functions"))
        }
        Kind::Comma => {
            let slip =
                Slip::write(place.span(found), " ??").help("for what stands there instead of nothing write `??`");
            Some(slip.repair(place.at, place.at + 1, &[Kind::Coalesce]))
        }
        Kind::Name if before.kind == Kind::Name && before.start >= open.end && operand == place.word(before) => {
            let together = format!("{operand}_{word}");
            let is_function = matches!(operand, "upper" | "lower" | "length" | "count" | "exists");
            let is_alone = !is_function && place.before(2).is_some_and(|token| token.kind == Kind::HoleOpen);
            is_alone.then(|| {
                let help = format!("names are one word: write `{{{together}}}` if that is what it is called");
                Slip::write(place.spread(before, found), together).help(help)
            })
        }
        _ => None,
    }
}

/// The `{` of the string around the rejected token.
fn innermost(place: &Place<'_>) -> Option<Token> {
    let mut depth = 0_u32;
    for back in 1.. {
        let token = place.before(back)?;
        match token.kind {
            Kind::HoleClose => depth += 1,
            Kind::HoleOpen if depth == 0 => return Some(token),
            Kind::HoleOpen => depth -= 1,
            Kind::ParenOpen if depth == 0 => return None,
            _ => {}
        }
    }
    None
}
