//! One mistake, one message: measured on every single-token mutation of correct scripts.

use super::{SHOP, problems_of};
use crate::base::{LineIndex, SourceId};
use crate::syntax::parse;
use crate::syntax::token::Token;
use crate::syntax::{layout, lexer};

const EVERYTHING: &str = include_str!("everything.orch");

/// The top-level statements of the corpus, each followed by one that is right.
fn statements() -> Vec<String> {
    let source = SourceId(0);
    let mut all = Vec::new();
    for text in SHOP.iter().map(|(_, text)| *text).chain([EVERYTHING]) {
        let lexed = lexer::lex(source, text);
        let laid_out = layout::layout(source, text, &lexed.tokens, &lexed.problems, layout::Inside::Block);
        for unit in laid_out.units.iter().filter(|unit| unit.top) {
            let start = laid_out.tokens[unit.start].start as usize;
            let end = laid_out.tokens[unit.end].start as usize;
            all.push(format!("log \"before\"\n{}\nlog \"after\"\n", &text[start..end]));
        }
    }
    all
}

/// What a mutation writes instead of a token; `None` leaves the token as it is.
type Mutation = fn(&str, Token) -> Option<String>;

/// With the least share, in percent, of mutations that give one error on their line. A mutated bracket changes where
/// other things end, and is measured on its own.
const MUTATIONS: &[(&str, u32, Mutation)] = &[
    ("delete", 98, |text, token| (!is_bracket(text, token)).then(String::new)),
    ("delete a bracket", 55, |text, token| is_bracket(text, token).then(String::new)),
    ("double", 98, |text, token| (!is_bracket(text, token)).then(|| format!("{0} {0}", token.text(text)))),
    ("typo", 98, |text, token| {
        let word = token.text(text);
        let is_word = word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word
            .then(|| format!("{}{}{}{}", &word[..1], &word[2..3], &word[1..2], &word[3..]))
            .filter(|typo| typo != word)
    }),
    ("parenthesis", 80, |_, _| Some("(".to_owned())),
];

fn is_bracket(text: &str, token: Token) -> bool {
    matches!(token.text(text), "(" | ")" | "[" | "]" | "{" | "}")
}

#[test]
fn a_mutated_token_gives_one_error_on_its_line() {
    let source = SourceId(0);
    for (name, wanted, mutate) in MUTATIONS {
        let (mut wrong, mut good) = (0_u32, 0_u32);
        for text in statements() {
            let lexed = lexer::lex(source, &text);
            let inner = lexed.tokens.iter().skip(2).take(lexed.tokens.len() - 4);
            for token in inner {
                let Some(put) = mutate(&text, *token) else { continue };
                let (start, end) = (token.start as usize, token.end as usize);
                let mutated = format!("{}{put}{}", &text[..start], &text[end..]);
                let problems = parse(source, &mutated).problems;
                if problems.is_empty() {
                    continue;
                }
                wrong += 1;
                let lines = LineIndex::new(&mutated);
                let line = lines.line_of(token.start);
                let places: Vec<usize> = problems
                    .iter()
                    .filter_map(|problem| problem.span())
                    .map(|span| lines.line_of(span.start))
                    .collect();
                if places.len() == 1 && (places[0] == line || places[0] == lines.line_of(token.end + 2)) {
                    good += 1;
                } else if std::env::var_os("ORCH_SHOW_MUTATIONS").is_some() {
                    println!(
                        "--- {name} `{}` at line {}\n{mutated}{}",
                        token.text(&text),
                        line + 1,
                        problems_of(&mutated)
                    );
                }
            }
        }
        println!("{name}: {good} of {wrong}, {:.1}%", f64::from(good) * 100.0 / f64::from(wrong));
        assert!(good * 100 >= wrong * wanted, "{name}: {good} of {wrong} mutations gave one error at the right line");
    }
}
