//! What texts mean: every construct once in a snapshot, and the readings that could go wrong in tables.

use super::compact::compact;
use super::{parse, problems_of};
use crate::base::SourceId;
use crate::syntax::{is_incomplete, parse_expression};

fn statements(text: &str) -> String {
    assert_eq!(problems_of(text), "", "{text}");
    let stmts = parse(SourceId(0), text).file.stmts;
    stmts.iter().map(compact).collect::<Vec<_>>().join("\n")
}

/// An expression with a parenthesis around every operation.
fn expression(text: &str) -> String {
    let (expr, problems) = parse_expression(SourceId(0), text);
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages.is_empty(), "{text}: {messages:?}");
    compact(&expr.unwrap())
}

#[test]
fn every_construct() {
    insta::assert_snapshot!(statements(include_str!("everything.orch")));
}

#[test]
fn operators_bind_as_people_read_them() {
    let pairs = [
        ("a or b and not c = d", "a or (b and (not (c = d)))"),
        ("not a and b", "(not a) and b"),
        ("not not a", "not (not a)"),
        ("a + b * c - d", "(a + (b * c)) - d"),
        ("-a * b", "(-a) * b"),
        ("- a.b", "-(a.b)"),
        ("a ?? b + c", "(a ?? b) + c"),
        ("a + 1 in (b, c)", "(a + 1) in (b, c)"),
        ("a between 1 and 2 and b", "(a between 1 and 2) and b"),
        ("not a in b", "not (a in b)"),
        ("a not in b or c", "(a not in b) or c"),
        ("a is not null and b", "(a is not null) and b"),
        ("a like b or c", "(a like b) or c"),
        ("a or b per c + d", "(a or b) per (c + d)"),
        ("if a or b then c else d or e", "if (a or b) then c else (d or e)"),
        ("if a then b else if c then d else e", "if a then b else (if c then d else e)"),
        ("a.b(c).d", "((a.b)(c)).d"),
        ("a where b or c limit 1 + 2 by d desc", "(a where (b or c)) limit (1 + 2) by d desc"),
        ("a where b with c = d, e = f where g", "((a where b) with c = d, e = f) where g"),
        ("(a union b) where c", "((a union b)) where c"),
        ("a where b union c", "(a where b) union c"),
        ("first(x of a order by y, z desc limit 2)", "first(x of ((a order by y, z desc) limit 2))"),
        ("f(a where b with c = 1, d = 2)", "f((a where b) with c = 1, d = 2)"),
        ("x in (a)", "x in (a)"),
    ];
    for (text, full) in pairs {
        let strip = |tree: String| tree.replace("Paren(", "").replace(')', "");
        assert_eq!(strip(expression(text)), strip(expression(full)), "{text}");
    }
}

#[test]
fn words_are_names_where_nothing_else_could_be_meant() {
    for (text, tree) in [
        ("let order = limit + by", "Let { name: order, value: Binary { op: Add, left: limit, right: by } }"),
        ("let segment = stop.message", "Let { name: segment, value: Field { base: stop, field: message } }"),
        (
            "send channel segment to from as to",
            "Send(Send { channel: channel, message: segment, to: from, alias: to })",
        ),
        ("segment segment = segment where if.x", ""),
        ("let `where` = `first name`", "Let { name: where, value: first name }"),
        (
            "segment a = b where x = 1 and\n  stop and y",
            "Segment { name: a, query: Clause { input: b, clause: Where(Binary { op: And, left: Binary { op: And, left: Binary { op: Equal, left: x, right: 1 }, right: stop }, right: y }) } }",
        ),
        (
            "segment a = b\n  order by segment\n  limit 3",
            "Segment { name: a, query: Clause { input: Clause { input: b, clause: OrderBy([OrderKey { value: segment }]) }, clause: Limit { amount: 3 } } }",
        ),
        ("wait until(x)", "Wait(Until(Paren(x)))"),
        ("wait pause", "Wait(Duration(pause))"),
        ("let a = file", "Let { name: a, value: file }"),
        ("let a = audience.file", "Let { name: a, value: Field { base: audience, field: file } }"),
    ] {
        if tree.is_empty() {
            assert_ne!(problems_of(text), "", "{text}");
        } else {
            assert_eq!(statements(text), tree, "{text}");
        }
    }
}

#[test]
fn statements_end_where_the_next_begins() {
    let same = [
        "segment a = b where x; wait 2d; stop",
        "segment a = b\n  where x\nwait 2d\nstop",
        "segment a = b where\n  x\n\n;;wait\n2d\n;stop;",
        "segment a =\n  b where x wait 2d stop",
        "segment\r\na = b where x\r\nwait 2d\r\nstop\r\n",
    ];
    let first = statements(same[0]);
    for (at, text) in same.iter().enumerate() {
        if at == 3 {
            assert_ne!(problems_of(text), "");
        } else {
            assert_eq!(statements(text), first, "{text}");
        }
    }
    assert_eq!(statements("if a { stop } log \"b\""), statements("if a {\nstop\n}\nlog \"b\""));
    assert_eq!(statements("message email m { a: 1, b: 2, }"), statements("message email m {\n  a: 1\n  b: 2\n}"));
    assert_eq!(statements("entity e { a: int, b: int? key; }"), statements("entity e {\n  a: int\n  b: int? key\n}"));
}

#[test]
fn strings_stand_for_their_characters() {
    for (text, value) in [
        (r#""a\n\t\\\"\u{1F600}""#, "a\n\t\\\"😀"),
        (r#""a {{b}}""#, "a {b}"),
        (r#"'a {b} {{c}} \' "x"'"#, "a {b} {{c}} ' \"x\""),
        ("\"\"", ""),
        ("\"\"\"a\"\"\"", "a"),
        ("\"\"\"\n    a\n      b\n\n    c\n    \"\"\"", "a\n  b\n\nc"),
        ("\"\"\"\r\n  a\r\n  b\r\n\"\"\"", "a\nb"),
        ("\"\"\"first\n  a\n    b\"\"\"", "first\na\n  b"),
        ("\"\"\"\n\ta\n\t  b\n\"\"\"", "a\n  b"),
        ("\"\"\"\n  a \"quoted\" word\n\"\"\"", "a \"quoted\" word"),
        ("\"\"\"\n  a\\n  b\n  c\"\"\"", "a\n  b\nc"),
    ] {
        let tree = expression(text);
        assert_eq!(tree, format!("{value:?}"), "{text}");
    }
    assert_eq!(
        expression("\"\"\"\n    Hi {name ?? \"you {x}\"},\n      {a}\n    {b}\n    \"\"\""),
        "Template(Template { parts: [\"Hi \", Hole(Binary { op: Coalesce, left: name, right: Template(Template { parts: \
         [\"you \", Hole(x)] }) }), \",\\n  \", Hole(a), \"\\n\", Hole(b)] })"
    );
}

#[test]
fn doc_comments_belong_to_what_stands_below() {
    let text = "## one\n##   two\n#other\nentity a {\n  ## three\n  x: int ## not this\n  y: int\n}\n## four\nmessage email m {\n  ## five\n  a: 1\n}\n### six\nstop\n";
    let tree = statements(text);
    assert_eq!(
        tree,
        "Stmt { doc: Doc { text: \"one\\n  two\" }, kind: Entity(Entity { name: a, items: [EntityItem { doc: Doc { text: \
         \"three\" }, kind: Field { name: x, ty: int } }, Field { name: y, ty: int }] }) }\nStmt { doc: Doc { text: \
         \"four\" }, kind: Message(Message { channel: email, name: m, body: Record { items: [RecordItem { doc: Doc { \
         text: \"five\" }, name: a, value: Expr(1) }] } }) }\nStop {  }"
    );
    assert_eq!(parse(SourceId(0), text).trivia.comments.len(), 8);
}

#[test]
fn the_repl_knows_when_to_wait_for_more() {
    for (text, incomplete) in [
        ("", false),
        ("stop", false),
        ("segment a = ", true),
        ("segment a = b where", true),
        ("segment a = b where x", false),
        ("segment a = f(", true),
        ("campaign a {", true),
        ("campaign a { stop }", false),
        ("let a = \"\"\"x", true),
        ("let a = \"x", false),
        ("customers where", true),
        ("customers where x", false),
        ("count(customers", true),
        ("1 +", true),
        ("let a = 1 )", false),
        ("let a = ]\nlet b =", false),
        ("wait until x within", true),
        ("sned x", false),
    ] {
        assert_eq!(is_incomplete(text), incomplete, "{text}");
    }
}

#[test]
fn broken_statements_keep_what_is_known() {
    for (text, tree) in [
        ("segment a = b whre c", "Segment { name: a, query: Error }"),
        ("segment a b", "Segment { name: a, query: b }"),
        ("let a: int = 3m", "Let { name: a, ty: int, value: Error }"),
        ("let a = = 1", "Let { name: a, value: 1 }"),
        ("let a = + 1", "Let { name: a, value: Error }"),
        ("send email a b as c", "Send(Send { channel: email, message: a, to: b, alias: c })"),
        ("send email a + b as c", "Send(Send { channel: email, to: Error, alias: c })"),
        ("entity a form \"x\" { b: int }", "Entity(Entity { name: a, items: [Field { name: b, ty: int }] })"),
        (
            "entity a { b int\n c: int of\n d: int }",
            "Entity(Entity { name: a, items: [Field { name: b, ty: int }, Field { name: c, ty: Error }, Field { name: d, ty: int }] })",
        ),
        ("campaign a evry day { stop }", "Campaign(Campaign { name: a, body: Block { stmts: [Stop {  }] } })"),
        ("if a b { stop }", "If(If { arms: [(Error, Block { stmts: [Stop {  }] })] })"),
        (
            "message email m { a: +\n b: 2 }",
            "Message(Message { channel: email, name: m, body: Record { items: [RecordItem { name: a, value: Expr(Error) }, RecordItem { name: b, value: Expr(2) }] } })",
        ),
        (
            "policy p { cpa x\n holdout 5% }",
            "Policy(Policy { name: p, rules: [Error, Holdout { share: Percent(0.05) }] })",
        ),
        ("sned x", "Send(Send { channel: x, to: Error })"),
        ("xyz x", "Error"),
    ] {
        assert_ne!(problems_of(text), "", "{text}");
        let stmts = parse(SourceId(0), text).file.stmts;
        assert_eq!(stmts.iter().map(compact).collect::<Vec<_>>().join("\n"), tree, "{text}");
    }
}
