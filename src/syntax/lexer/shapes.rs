//! The two modes of the lexer: what code is made of, and what strings are made of.

use logos::Logos;

use crate::syntax::token::Kind;

/// Shapes outside strings. Numbers are taken in one piece with whatever clings to them, so that a wrong one is seen whole.
/// Of shapes that go on with any letter only the beginning is here: generated code calls itself for each letter beyond
/// ASCII, which is a stack overflow where calls at the end are not made jumps.
#[derive(Logos, Clone, Copy, PartialEq, Debug)]
pub(super) enum Code {
    #[regex(r"[ \t\r]+")]
    Space,
    #[token("\n")]
    Newline,
    #[token("#")]
    Comment,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[token("`")]
    Quoted,
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?[A-Za-z0-9_]*%?")]
    Number,
    #[regex(r"[0-9]+:[0-9]+(:[0-9]+(\.[0-9]+)?)?([aApP][mM])?")]
    Time,
    #[regex(r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}([T][0-9:.]*(Z|[+-][0-9]{1,2}(:?[0-9]{2})?)?)?")]
    #[regex(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}")]
    Date,
    #[regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}")]
    ShortDate,
    #[token("\u{AB}")]
    #[token("\u{BB}")]
    #[token("\u{201C}")]
    #[token("\u{201D}")]
    #[token("\u{201E}")]
    #[token("\u{2018}")]
    #[token("\u{2019}")]
    CurlyQuote,
    #[token("\"\"\"")]
    BlockQuote,
    #[token("\"")]
    Quote,
    #[token("'")]
    Apostrophe,
    #[token("(")]
    ParenOpen,
    #[token(")")]
    ParenClose,
    #[token("[")]
    SquareOpen,
    #[token("]")]
    SquareClose,
    #[token("{")]
    BraceOpen,
    #[token("}")]
    BraceClose,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token(".")]
    Dot,
    #[token(";")]
    Semicolon,
    #[token("=")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("??")]
    Coalesce,
    #[token("?")]
    Question,
    #[token("|")]
    Pipe,
    #[token("==")]
    EqualEqual,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    PipePipe,
    #[token("!")]
    Bang,
    #[token("<>")]
    LessGreater,
    #[token("===")]
    EqualEqualEqual,
    #[token("!==")]
    BangEqualEqual,
    #[token("=>")]
    EqualGreater,
    #[token("=<")]
    EqualLess,
    #[token("\u{2265}")]
    GreaterOrEqual,
    #[token("\u{2264}")]
    LessOrEqual,
    #[token("\u{2260}")]
    NotEqualSign,
    /// A comment of another language.
    #[token("//")]
    #[token("/*")]
    #[token("--")]
    ForeignComment,
}

/// Shapes inside strings, apart from runs of plain characters.
#[derive(Logos, Clone, Copy, PartialEq, Debug)]
pub(super) enum Part {
    #[regex(r"\\u\{[0-9A-Za-z]*\}?")]
    #[regex(r"\\[^\n]?")]
    Escape,
    #[token("\"\"\"")]
    BlockQuote,
    #[token("\"")]
    Quote,
    #[token("'")]
    Apostrophe,
    #[token("{{")]
    DoubleOpen,
    #[token("}}")]
    DoubleClose,
    #[token("{")]
    Open,
    #[token("}")]
    Close,
    #[token("\n")]
    Newline,
}

/// Shapes that are tokens as they are.
pub(super) fn punctuation(shape: Code) -> Kind {
    match shape {
        Code::ParenOpen => Kind::ParenOpen,
        Code::ParenClose => Kind::ParenClose,
        Code::SquareOpen => Kind::SquareOpen,
        Code::SquareClose => Kind::SquareClose,
        Code::Comma => Kind::Comma,
        Code::Colon => Kind::Colon,
        Code::Dot => Kind::Dot,
        Code::Equal => Kind::Equal,
        Code::NotEqual => Kind::NotEqual,
        Code::Less => Kind::Less,
        Code::LessEqual => Kind::LessEqual,
        Code::Greater => Kind::Greater,
        Code::GreaterEqual => Kind::GreaterEqual,
        Code::Plus => Kind::Plus,
        Code::Minus => Kind::Minus,
        Code::Star => Kind::Star,
        Code::Slash => Kind::Slash,
        Code::Coalesce => Kind::Coalesce,
        Code::Question => Kind::Question,
        Code::Pipe => Kind::Pipe,
        _ => Kind::Semicolon,
    }
}
