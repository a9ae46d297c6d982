use super::lex;
use crate::base::SourceId;

/// Kinds and texts of tokens.
fn tokens(text: &str) -> String {
    let lexed = lex(SourceId(0), text);
    let words = lexed.tokens.iter().map(|token| format!("{:?}`{}`", token.kind, token.text(text)));
    words.collect::<Vec<_>>().join(" ")
}

fn codes(text: &str) -> Vec<&'static str> {
    lex(SourceId(0), text).problems.iter().map(|problem| problem.code.name).collect()
}

#[test]
fn text_becomes_tokens() {
    for (text, wanted) in [
        ("", ""),
        ("\u{FEFF}stop", "Name`stop`"),
        ("a\r\nb # c\n", "Name`a` Name`b`"),
        ("été `first name` _x1", "Name`été` Name``first name`` Name`_x1`"),
        ("a.b ?? c?", "Name`a` Dot`.` Name`b` Coalesce`??` Name`c` Question`?`"),
        ("1-2 a-b", "Literal`1` Minus`-` Literal`2` Name`a` Minus`-` Name`b`"),
        ("2026-11-30-1", "Literal`2026-11-30` Minus`-` Literal`1`"),
        ("a:10% b:9", "Name`a` Colon`:` Percent`10%` Name`b` Colon`:` Literal`9`"),
        ("5.name", "Literal`5` Dot`.` Name`name`"),
        ("<=<!=", "LessEqual`<=` Less`<` NotEqual`!=`"),
        ("'a {b}'", "Text`'a {b}'`"),
        ("\"a\"", "Text`\"a\"`"),
        ("\"a {b} c\"", "TemplateOpen`\"` Chunk`a ` HoleOpen`{` Name`b` HoleClose`}` Chunk` c` TemplateClose`\"`"),
        (
            "\"{\"{a}\"}\"",
            "TemplateOpen`\"` HoleOpen`{` TemplateOpen`\"` HoleOpen`{` Name`a` HoleClose`}` TemplateClose`\"` HoleClose`}` TemplateClose`\"`",
        ),
        (
            "\"{ {a} }\"",
            "TemplateOpen`\"` HoleOpen`{` BraceOpen`{` Name`a` BraceClose`}` HoleClose`}` TemplateClose`\"`",
        ),
        ("\"a {b\nc", "TemplateOpen`\"` Chunk`a ` HoleOpen`{` Name`b` HoleClose`` TemplateClose`` Name`c`"),
        ("\"a\nb", "Text`\"a` Name`b`"),
        ("a && b", "Name`a` And`&&` Name`b`"),
        ("“a” b", "Text`“a”` Name`b`"),
        ("a $$ b", "Name`a` Name`b`"),
    ] {
        assert_eq!(tokens(text), wanted, "{text}");
    }
}

#[test]
fn wrong_text_is_reported_once() {
    for (text, wanted) in [
        ("a $$$ b", &["unknown_character"][..]),
        ("a\0b", &["unknown_character"]),
        ("\u{FEFF}a\u{FEFF}", &["unknown_character"]),
        ("a\u{A0}b", &["unknown_character"]),
        ("a\u{200F}", &["unknown_character"]),
        ("# a\u{202E}b", &["hidden_character"]),
        ("\"a\u{202E}b\"", &["hidden_character"]),
        ("'a\u{7}b'", &["hidden_character"]),
        ("\"a\tb\"", &[]),
        ("\"a {b", &["unterminated_string"]),
        ("\"a {\"b {c", &["unterminated_string"]),
        ("'it's'", &["unterminated_string"]),
        ("\"\"\"a {b", &["unterminated_string"]),
        ("\"\"\"a\nb\n", &["unterminated_string"]),
        ("\"a } b } c\"", &["lone_brace", "lone_brace"]),
        ("\"\\q\\x\"", &["bad_escape", "bad_escape"]),
        ("\"\\u{110000} \\u{D800} \\u41\"", &["bad_escape", "bad_escape", "bad_escape"]),
        ("\"\\{a}\"", &["bad_escape"]),
        ("“a”", &["curly_quotes"]),
        ("`a", &["bad_name"]),
        ("a == b || !c <> d", &["wrong_operator"; 4]),
        ("3m 9:00", &["bad_literal", "bad_literal"]),
    ] {
        let mut codes = codes(text);
        codes.sort_unstable();
        assert_eq!(codes, wanted, "{text}");
    }
}

#[test]
fn only_so_many_problems_are_kept() {
    assert_eq!(codes(&"3m ".repeat(10_000)).len(), super::MAX_PROBLEMS);
}
