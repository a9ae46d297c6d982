use super::{Inside, layout};
use crate::base::SourceId;
use crate::syntax::lexer;
use crate::syntax::token::Kind;

/// The tokens of a text: keywords with a `!`, ends as `;`, what was added in angle brackets.
fn laid_out(text: &str) -> String {
    let source = SourceId(0);
    let lexed = lexer::lex(source, text);
    let out = layout(source, text, &lexed.tokens, &lexed.problems, Inside::Block);
    let words = out.tokens.iter().map(|token| match token.kind {
        Kind::End => ";".to_owned(),
        kind if token.start == token.end => format!("<{kind:?}>"),
        kind if kind.begins_unit() || matches!(kind, Kind::WaitUntil | Kind::WaitFor) => {
            format!("{}!", token.text(text))
        }
        _ => token.text(text).to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn statements_begin_at_lines_and_behind_semicolons_and_braces() {
    for (text, tokens) in [
        ("stop", "stop! ;"),
        ("stop; stop\nstop", "stop! ; stop! ; stop! ;"),
        (";;\n;stop;;", "stop! ;"),
        ("if a { stop } stop", "if! a { stop! ; } ; stop! ;"),
        ("if a { } else if b { } else { }", "if! a { } else if b { } else { } ;"),
        ("segment stop = send", "segment! stop = send ;"),
        ("a = b\n  stop", "a = b ; stop! ;"),
        ("a = b +\n  stop", "a = b + stop ;"),
        ("a = b +\n  stop \"x\"", "a = b + ; stop! \"x\" ;"),
        ("a = b +\n  if c", "a = b + if c ;"),
        ("a\n if b { }", "a ; if! b { } ;"),
        ("a = (b\n  stop\n  c)", "a = ( b stop c ) ;"),
        ("a = [\nb,\n]\nstop", "a = [ b , ] ; stop! ;"),
        ("task \"x\"\n for \"y\"", "task! \"x\" for \"y\" ;"),
        ("for a in b { }\nfor \"y\"", "for! a in b { } for \"y\" ;"),
        ("a where b\n  limit 3", "a where b limit 3 ;"),
        ("x y\nordr z", "x y ; ordr z ;"),
        ("wait until a\nwait\nfor signal b", "wait! until! a ; wait! for! signal b ;"),
        ("stop: x", "stop : x ;"),
    ] {
        assert_eq!(laid_out(text), tokens, "{text}");
    }
}

#[test]
fn items_end_at_lines_and_commas() {
    for (text, tokens) in [
        ("message m { a: 1, b: 2\n c: 3; d: 4, }", "message! m { a : 1 ; b : 2 ; c : 3 ; d : 4 ; } ;"),
        ("message m {\n a:\n  b\n  + c\n topic: d }", "message! m { a : b + c ; topic : d ; } ;"),
        ("split s into {\n a: order by x, y\n b: limit 3 }", "split! s into { a : order by x , y ; b : limit 3 ; } ;"),
        (
            "entity e { a: int\n consent x = y\n consent: int\n person = z }",
            "entity! e { a : int ; consent! x = y ; consent : int ; person! = z ; } ;",
        ),
        ("policy p { cap a 3 per 1d\n holdout 5% }", "policy! p { cap! a 3 per 1d ; holdout! 5% ; } ;"),
        (
            "test \"a\" { at 09:00\n run x\n signal y }\nat = 3",
            "test! \"a\" { at! 09:00 ; run! x ; signal! y ; } at = 3 ;",
        ),
        (
            "parallel { branch \"a\" { stop }\n branch \"b\" { } }",
            "parallel! { branch! \"a\" { stop! ; } ; branch! \"b\" { } ; } ;",
        ),
        ("send e to s { a: 1 } as d", "send! e to s { a : 1 ; } as d ;"),
        ("message m with { a: int } { b: 1 }", "message! m with { a : int ; } { b : 1 ; } ;"),
    ] {
        assert_eq!(laid_out(text), tokens, "{text}");
    }
}

#[test]
fn missing_brackets_are_added_before_an_unmistakable_statement() {
    for (text, tokens) in [
        ("a = f(b\nsegment c = d", "a = f ( b <ParenClose> ; segment! c = d ;"),
        ("a = [b, (c\nsend email to x", "a = [ b , ( c <ParenClose> <SquareClose> ; send! email to x ;"),
        ("a = (b\n stop\n c)", "a = ( b stop c ) ;"),
        ("message m {\n a: 1\nlog \"x\"", "message! m { a : 1 ; <BraceClose> ; log! \"x\" ;"),
        ("message m {\n topic news\n}", "message! m { topic news ; } ;"),
        ("campaign a {\n stop\ncampaign b { }", "campaign! a { stop! ; <BraceClose> ; campaign! b { } ;"),
        ("a = f(b; stop", "a = f ( b <ParenClose> ; stop! ;"),
        ("a = (b]", "a = ( b ] ;"),
        ("a = ([b)]", "a = ( [ b ) ] ;"),
        ("a = ([b))", "a = ( [ b ) ) ;"),
        ("a = ([b)", "a = ( [ b <SquareClose> ) ;"),
        ("a = b)", "a = b ;"),
        ("entity e\n  a: int\n}", "entity! e <BraceOpen> a : int ; } ;"),
        ("campaign c { { stop }", "campaign! c { { stop! ; } ; <BraceClose> ;"),
    ] {
        assert_eq!(laid_out(text), tokens, "{text}");
    }
}

#[test]
fn depth_counts_brackets_and_operators_together() {
    let source = SourceId(0);
    let deep = |text: &str| {
        let lexed = lexer::lex(source, text);
        let out = layout(source, text, &lexed.tokens, &lexed.problems, Inside::Block);
        out.units.iter().any(|unit| unit.too_deep)
    };
    for half in ["(a + ", "f(not ", "[a.b, -", "if a { log "] {
        assert!(!deep(&format!("log {}", half.repeat(160))), "{half}");
        assert!(deep(&format!("log {}", half.repeat(600))), "{half}");
    }
    assert!(!deep(&"log a or b or c\n".repeat(1_000)));
}
