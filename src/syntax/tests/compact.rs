//! Trees in a form that can be compared at a glance: no spans, no wrappers.

use std::iter::Peekable;
use std::str::Chars;

/// The debug form of a tree without spans; names and texts as they are, `kind` instead of what wraps it.
pub fn compact(tree: &impl std::fmt::Debug) -> String {
    let debug = format!("{tree:?}");
    value(&mut debug.chars().peekable())
}

/// One value of the debug form.
fn value(input: &mut Peekable<Chars<'_>>) -> String {
    skip_space(input);
    match input.peek() {
        Some('"') => string(input),
        Some('[') => format!("[{}]", sequence(input, ']')),
        Some('(') => format!("({})", sequence(input, ')')),
        _ => {
            let head = take_while(input, |c| !matches!(c, ',' | '{' | '(' | ')' | ']' | '}'));
            let head = head.trim().to_owned();
            match input.peek() {
                Some('{') => node(&head, input),
                Some('(') => {
                    let inner = sequence(input, ')');
                    match head.as_str() {
                        "Some" | "Name" | "Literal" | "Text" | "Int" | "Bool" => inner,
                        _ => format!("{head}({inner})"),
                    }
                }
                _ => head,
            }
        }
    }
}

/// `Head { field: value, ... }`
fn node(head: &str, input: &mut Peekable<Chars<'_>>) -> String {
    input.next();
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        skip_space(input);
        if input.next_if_eq(&'}').is_some() {
            break;
        }
        let name = take_while(input, |c| c != ':');
        input.next();
        let value = value(input);
        if !name.contains("span") && !matches!(value.as_str(), "None" | "[]" | "false" | "0") {
            fields.push((name, value));
        }
        skip_space(input);
        input.next_if_eq(&',');
    }
    match (head, &fields[..]) {
        ("Name", [(_, only)]) => only.trim_matches('"').to_owned(),
        ("Text", [(_, only)]) => only.clone(),
        (_, [(kind, only)]) if kind == "kind" => only.clone(),
        _ => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{head} {{ {} }}", fields.join(", "))
        }
    }
}

fn sequence(input: &mut Peekable<Chars<'_>>, close: char) -> String {
    input.next();
    let mut items = Vec::new();
    loop {
        skip_space(input);
        if input.next_if_eq(&close).is_some() {
            return items.join(", ");
        }
        items.push(value(input));
        skip_space(input);
        input.next_if_eq(&',');
    }
}

fn string(input: &mut Peekable<Chars<'_>>) -> String {
    let mut out = String::from("\"");
    input.next();
    while let Some(character) = input.next() {
        out.push(character);
        match character {
            '\\' => out.extend(input.next()),
            '"' => break,
            _ => {}
        }
    }
    out
}

fn take_while(input: &mut Peekable<Chars<'_>>, accept: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    while let Some(character) = input.next_if(|character| accept(*character)) {
        out.push(character);
    }
    out
}

fn skip_space(input: &mut Peekable<Chars<'_>>) {
    while input.next_if(|character| character.is_whitespace()).is_some() {}
}
