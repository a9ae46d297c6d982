//! Everything that can be wrong with the form of a script, and how it is said.

use super::literal::Fault;
use super::strings::{EscapeFault, Quoting};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::syntax as code;

/// A problem of lexing, layout or parsing.
#[derive(Clone, PartialEq, Debug)]
pub enum SyntaxError {
    UnknownCharacter {
        span: Span,
        character: char,
    },
    HiddenCharacter {
        span: Span,
        character: char,
    },
    /// `in_hole`: the line ends inside `{ ... }` of the string.
    UnterminatedString {
        span: Span,
        quoting: Quoting,
        in_hole: bool,
    },
    /// A string in simple quotes over several lines, and how it would be right.
    SeveralLines {
        span: Span,
        fix: Option<(Span, String)>,
    },
    CurlyQuotes {
        span: Span,
        content: String,
    },
    /// A keyword with capitals at the beginning of a statement.
    WrongCase {
        span: Span,
        word: String,
    },
    /// Two items in one line with nothing between them.
    MissingSeparator {
        span: Span,
        item: Span,
    },
    /// Steps that are only indented, or stand between `then` and `end`.
    IndentedBlock {
        span: Span,
    },
    /// `mark` is what begins it, when a `#` in its place makes it right.
    ForeignComment {
        span: Span,
        mark: Option<Span>,
    },
    UnterminatedName {
        span: Span,
    },
    EmptyName {
        span: Span,
    },
    BadEscape {
        span: Span,
        fault: EscapeFault,
    },
    LoneBrace {
        span: Span,
    },
    BadLiteral {
        span: Span,
        written: String,
        fault: Fault,
    },
    WrongOperator {
        span: Span,
        written: String,
        right: &'static str,
    },
    /// `first_name || " " || last_name`
    JoinedTexts {
        span: Span,
        written: String,
    },
    /// `r => r.spend > 5`
    Arrow {
        span: Span,
    },
    /// `before` is what stands where the bracket should have been closed at the latest.
    UnclosedBracket {
        open: Span,
        bracket: char,
        before: Option<Span>,
    },
    /// A bracket that was opened as another: `(a]`, or both ends of `([a)]`.
    WrongBracket {
        open: Span,
        span: Span,
        written: String,
        right: String,
    },
    SemicolonInBrackets {
        span: Span,
    },
    MissingBrace {
        span: Span,
        before: Span,
    },
    ExtraBrace {
        span: Span,
    },
    UnopenedBracket {
        span: Span,
        bracket: char,
    },
    TooDeep {
        span: Span,
        limit: u32,
    },
    TooLong {
        span: Span,
    },
    /// Reported in place of the last problem that is reported at all.
    TooMany {
        span: Span,
        limit: usize,
    },
    /// `message` says what was expected and what was found, or more if the slip is a usual one.
    Unexpected {
        span: Span,
        message: String,
        help: Option<String>,
        fix: Option<(Span, String)>,
    },
    UnknownStatement {
        span: Span,
        word: String,
        suggestion: Option<&'static str>,
        help: Option<String>,
    },
    AmbiguousSetOperator {
        span: Span,
        operator: Span,
        right: Span,
    },
    MisplacedHeaderPart {
        span: Span,
        message: String,
        help: String,
    },
}

impl From<SyntaxError> for Problem {
    fn from(error: SyntaxError) -> Problem {
        use SyntaxError::*;
        match error {
            UnknownCharacter { span, character } => unknown_character(span, character),
            HiddenCharacter { span, character } => hidden_character(span, character),
            UnterminatedString { span, quoting, in_hole } => unterminated_string(span, quoting, in_hole),
            SeveralLines { span, fix } => several_lines(span, fix),
            WrongCase { span, word } => wrong_case(span, &word),
            MissingSeparator { span, item } => {
                Problem::error(code::UNEXPECTED, "nothing separates this from what stands before", item)
                    .help("write `;` between them, or begin a new line")
                    .fix(span, ";")
            }
            IndentedBlock { span } => indented_block(span),
            CurlyQuotes { span, content } => curly_quotes(span, &content),
            ForeignComment { span, mark } => foreign_comment(span, mark),
            UnterminatedName { span } => Problem::error(code::BAD_NAME, "this name has no closing backquote", span)
                .help("close it with a backquote"),
            EmptyName { span } => Problem::error(code::BAD_NAME, "a name cannot be empty", span)
                .help("write the name between the backquotes"),
            BadEscape { span, fault } => bad_escape(span, fault),
            LoneBrace { span } => Problem::error(code::LONE_BRACE, "this `}` closes no hole", span)
                .help("write `}}` for a brace in the text, or `{` before what is put in")
                .fix(span, "}}"),
            BadLiteral { span, written, fault } => bad_literal(span, &written, fault),
            WrongOperator { span, written, right } => wrong_operator(span, &written, right),
            JoinedTexts { span, written } => {
                Problem::error(code::WRONG_OPERATOR, format!("`{written}` does not join texts"), span)
                    .help("put the values into one text: `\"{first_name} {last_name}\"`")
            }
            Arrow { span } => Problem::error(code::WRONG_OPERATOR, "`=>` is not an operator", span)
                .help("rows are chosen with `where`, and their fields stand alone: `customers where spend > 500`"),
            UnclosedBracket { open, bracket, before } => unclosed(open, bracket, before),
            WrongBracket { open, span, written, right } => wrong_bracket(open, span, &written, &right),
            SemicolonInBrackets { span } => Problem::error(code::UNEXPECTED, "in brackets `;` separates nothing", span)
                .help("write commas between the values")
                .fix(span, ","),
            MissingBrace { span, before } => missing_brace(span, before),
            ExtraBrace { span } => Problem::error(code::UNEXPECTED, "these braces belong to nothing", span)
                .help("remove this `{` and its `}`"),
            UnopenedBracket { span, bracket } => unopened_bracket(span, &bracket),
            TooDeep { span, limit } => Problem::error(code::TOO_DEEP, format!("nested more than {limit} deep"), span)
                .help("give parts of it a name with `let`, `segment` or `define`"),
            TooLong { span } => Problem::error(code::TOO_LONG, "the script is longer than four gigabytes", span)
                .help("read data with an entity instead of writing it into a script"),
            TooMany { span, limit } => {
                Problem::error(code::TOO_MANY, format!("more than {limit} problems: the rest is not shown"), span)
                    .help("mend some of them, and check again")
            }
            Unexpected { span, message, help, fix } => {
                let mut problem = Problem::error(code::UNEXPECTED, message, span);
                problem.help = help;
                match fix {
                    Some((span, replacement)) => problem.fix(span, replacement),
                    None => problem,
                }
            }
            UnknownStatement { span, word, suggestion, help } => unknown_statement(span, &word, suggestion, help),
            AmbiguousSetOperator { span, operator, right } => ambiguous(span, operator.to(right)),
            MisplacedHeaderPart { span, message, help } => {
                Problem::error(code::MISPLACED_HEADER_PART, message, span).help(help)
            }
        }
    }
}

fn wrong_bracket(open: Span, span: Span, written: &impl std::fmt::Display, right: &impl std::fmt::Display) -> Problem {
    Problem::error(code::UNCLOSED_BRACKET, format!("`{written}` does not close what is open here"), span)
        .also(open, "this is open")
        .help(format!("write `{right}`"))
        .fix(span, right.to_string())
}

fn missing_brace(span: Span, before: Span) -> Problem {
    Problem::error(code::UNEXPECTED, "expected `{`, found the end of the line", span)
        .also(before, "this belongs into braces")
        .help("write `{` at the end of the line before")
        .fix(span, " {")
}

fn unopened_bracket(span: Span, bracket: &impl std::fmt::Display) -> Problem {
    Problem::error(code::UNOPENED_BRACKET, format!("`{bracket}` closes nothing"), span)
        .help("remove it, or open its bracket before")
        .fix(span, "")
}

fn ambiguous(span: Span, operator: Span) -> Problem {
    Problem::error(code::AMBIGUOUS_SET_OPERATOR, "people read this in two ways", span)
        .label("does this belong to the right side only, or to the whole?")
        .also(operator, "the set operator and its right side")
        .help("put parentheses around the right side with what belongs to it, or around the whole before it")
}

fn several_lines(span: Span, fix: Option<(Span, String)>) -> Problem {
    let problem = Problem::error(code::UNTERMINATED_STRING, "this string goes over several lines", span)
        .help("text of several lines stands between `\"\"\"` and `\"\"\"`");
    match fix {
        Some((span, fix)) => problem.fix(span, fix),
        None => problem,
    }
}

fn indented_block(span: Span) -> Problem {
    Problem::error(code::UNEXPECTED, "steps stand in braces, however they are indented", span)
        .help("write `{` here, and `}` in a line of its own behind the last step")
}

fn wrong_case(span: Span, word: &str) -> Problem {
    let lower = word.to_lowercase();
    let message = format!("keywords are written in small letters, not `{word}`");
    Problem::error(code::UNEXPECTED, message, span).help(format!("write `{lower}`")).fix(span, lower)
}

fn foreign_comment(span: Span, mark: Option<Span>) -> Problem {
    let problem = Problem::error(code::FOREIGN_COMMENT, "comments begin with `#`", span);
    match mark {
        Some(mark) => problem.help("write `#` in place of this").fix(mark, "#"),
        None => problem.help("write `#` at the beginning of each line of it"),
    }
}

fn hidden_character(span: Span, character: char) -> Problem {
    Problem::error(code::HIDDEN_CHARACTER, format!("{} hides here", describe(character)), span)
        .help(format!("remove it; in a string it can be written `\\u{{{:X}}}`", character as u32))
        .fix(span, "")
}

fn curly_quotes(span: Span, content: &str) -> Problem {
    let fix = format!("\"{content}\"");
    Problem::error(code::CURLY_QUOTES, "these are the quotes of a word processor", span)
        .help(format!("write `{fix}`"))
        .fix(span, fix)
}

fn bad_literal(span: Span, written: &str, fault: Fault) -> Problem {
    let problem = Problem::error(code::BAD_LITERAL, format!("`{written}` {}", fault.what), span).help(fault.help);
    match fault.fix {
        Some(fix) => problem.fix(span, fix),
        None => problem,
    }
}

fn wrong_operator(span: Span, written: &str, right: &'static str) -> Problem {
    let help = match written {
        "==" => "write `=`: there is no assignment to confuse it with".to_owned(),
        "||" => "write `or`; strings are joined as in `\"{first_name} {last_name}\"`".to_owned(),
        _ => format!("write `{right}`"),
    };
    // `!x` needs a space behind the word.
    let fix = if written == "!" { "not " } else { right };
    Problem::error(code::WRONG_OPERATOR, format!("`{written}` is not an operator"), span).help(help).fix(span, fix)
}

fn unknown_character(span: Span, character: char) -> Problem {
    let problem = Problem::error(code::UNKNOWN_CHARACTER, format!("{} means nothing here", describe(character)), span);
    match character {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => {
            problem.help("replace it by an ordinary space").fix(span, " ")
        }
        '&' => problem.help("write `and`").fix(span, "and"),
        '\u{2212}' | '\u{2013}' | '\u{2014}' => problem.help("write `-`").fix(span, "-"),
        '%' => problem.help("percentages are literals, as in `10%`; there is no remainder operator"),
        '\u{20AC}' | '$' | '\u{A3}' | '\u{A5}' => {
            if span.len() > 3 {
                return problem.help("names stand as they are: declare what is given with `param country: text`");
            }
            problem.help("amounts stand without their currency, names as they are").fix(span, "")
        }
        '~' => problem.help("write `like \"%shop%\"`, or `matches(FIELD, \"...\")` for a pattern"),
        '@' => problem.help("names stand as they are, and other text goes in quotes").fix(span, ""),
        '\\' => problem.help("a statement may go on in the next line: remove it").fix(span, ""),
        _ => problem.help("remove it, or put text in quotes"),
    }
}

/// A character as people can see it.
fn describe(character: char) -> String {
    let number = character as u32;
    match character {
        '\u{A0}' => "a no-break space".to_owned(),
        '\u{FEFF}' => "a byte order mark".to_owned(),
        '\0' => "a NUL character".to_owned(),
        '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            format!("a mark that turns the writing direction (U+{number:04X})")
        }
        '\u{200B}'..='\u{200D}' | '\u{2060}' => format!("a character without width (U+{number:04X})"),
        _ if character.is_control() => format!("a control character (U+{number:04X})"),
        _ if character.is_whitespace() => format!("an unusual space (U+{number:04X})"),
        _ => format!("`{character}`"),
    }
}

fn unterminated_string(span: Span, quoting: Quoting, in_hole: bool) -> Problem {
    let (message, help) = match quoting {
        Quoting::Template if in_hole => (
            "this string does not end on its line",
            "close it with `\"`; `{` begins a value in it, so write `{{` for a brace in the text",
        ),
        Quoting::Block => ("this `\"\"\"` block is never closed", "close it with `\"\"\"`"),
        Quoting::Template => {
            ("this string does not end on its line", "close it with `\"`, or use `\"\"\"` for text of several lines")
        }
        Quoting::Plain => {
            ("this string does not end on its line", "close it with `'`; an apostrophe in it is written `\\'`")
        }
    };
    Problem::error(code::UNTERMINATED_STRING, message, span).help(help)
}

fn bad_escape(span: Span, fault: EscapeFault) -> Problem {
    const KNOWN: &str = "escapes are `\\n`, `\\t`, `\\\\`, `\\\"` and `\\u{1F600}`; a backslash itself is `\\\\`";
    match fault {
        EscapeFault::Unknown(brace @ ('{' | '}')) => {
            Problem::error(code::BAD_ESCAPE, format!("`\\{brace}` is not an escape"), span)
                .help(format!("write `{brace}{brace}` for a brace in the text"))
                .fix(span, format!("{brace}{brace}"))
        }
        EscapeFault::Unknown(character) => {
            Problem::error(code::BAD_ESCAPE, format!("`\\{character}` is not an escape"), span).help(KNOWN)
        }
        EscapeFault::Nothing => {
            Problem::error(code::BAD_ESCAPE, "this backslash escapes nothing", span).help(KNOWN).fix(span, "\\\\")
        }
        EscapeFault::NoCharacter => Problem::error(code::BAD_ESCAPE, "this is not the number of a character", span)
            .help("write the number in hexadecimal, as in `\\u{1F600}`"),
    }
}

fn unclosed(open: Span, bracket: char, before: Option<Span>) -> Problem {
    let close = match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    };
    let problem = Problem::error(code::UNCLOSED_BRACKET, format!("this `{bracket}` is never closed"), open)
        .help(format!("close it with `{close}`"));
    match before {
        Some(before) => problem.also(before, format!("`{close}` is missing before this")),
        None => problem,
    }
}

fn unknown_statement(span: Span, word: &str, suggestion: Option<&'static str>, help: Option<String>) -> Problem {
    let problem = Problem::error(code::UNKNOWN_STATEMENT, format!("no statement begins with `{word}`"), span);
    match (suggestion, help) {
        (Some(suggestion), _) => problem.help(format!("did you mean `{suggestion}`?")).fix(span, suggestion),
        (None, Some(help)) => problem.help(help),
        (None, None) => problem.help("statements begin with a word such as `segment`, `send`, `wait` or `let`"),
    }
}
