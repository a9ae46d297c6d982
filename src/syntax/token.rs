//! Tokens: small, copyable, without text of their own.
//!
//! A token knows where it stands; a name's text is read from the source there, and what a literal stands for lies in
//! a table beside the tokens. Words come in three strengths. *Reserved* words are never names. *Soft* words (`by`,
//! `limit`, ...) are names wherever the grammar has no use for them. *Statement* words become keywords only where a
//! statement can begin, which [`layout`](super::layout) decides.

use crate::base::{SourceId, Span};

/// One token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Index into the table of values, for [`Kind::Literal`], [`Kind::Percent`], [`Kind::Text`] and [`Kind::Chunk`].
    pub value: u32,
    /// True for the first token of a line.
    pub first: bool,
}

impl Token {
    /// A token that stands for nothing written, at one place.
    pub fn invented(kind: Kind, at: u32) -> Self {
        Self { kind, start: at, end: at, value: 0, first: false }
    }

    /// Its place.
    pub fn span(self, source: SourceId) -> Span {
        Span::new(source, self.start, self.end)
    }

    /// Its text.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// Declares the kinds: plain ones, and one table of words per strength.
macro_rules! kinds {
    (
        plain { $($(#[$doc:meta])* $plain:ident,)* }
        $($(#[$table_doc:meta])* $table:ident $find:ident { $($word:literal $kind:ident,)* })*
    ) => {
        /// What a token is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "the words speak for themselves")]
        #[allow(dead_code, reason = "two kinds are only for the grammar's lists of what is expected")]
        pub enum Kind {
            $($(#[$doc])* $plain,)*
            $($($kind,)*)*
        }

        $(
            $(#[$table_doc])*
            pub const $table: &[(&str, Kind)] = &[$(($word, Kind::$kind)),*];

            $(#[$table_doc])*
            pub fn $find(word: &str) -> Option<Kind> {
                match word {
                    $($word => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        )*
    };
}

kinds! {
    plain {
        /// A name, backquoted or not.
        Name,
        /// A number, duration, date, time or timestamp; also one that was written wrongly.
        Literal,
        /// `10%`
        Percent,
        /// A whole string without holes.
        Text,
        /// The opening quote of a string with holes.
        TemplateOpen,
        /// Characters of a string with holes.
        Chunk,
        /// `{` in a string.
        HoleOpen,
        /// `}` in a string.
        HoleClose,
        /// The closing quote of a string with holes.
        TemplateClose,
        ParenOpen,
        ParenClose,
        SquareOpen,
        SquareClose,
        BraceOpen,
        BraceClose,
        Comma,
        Colon,
        Dot,
        Equal,
        NotEqual,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Plus,
        Minus,
        Star,
        Slash,
        /// `??`
        Coalesce,
        /// `?`
        Question,
        /// `|`
        Pipe,
        /// `;`; the layout pass makes it an [`Kind::End`].
        Semicolon,
        /// The end of a statement or item.
        End,
        /// `signal` at the beginning of a statement in a test.
        StmtArrival,
        /// In place of something that could not be parsed: an expression, type or value.
        Bad,
        /// In place of a whole statement or item.
        BadItem,
        /// `until` behind `wait`.
        WaitUntil,
        /// `for` behind `wait`.
        WaitFor,
        /// Before the tokens of a statement, to say that one is wanted.
        WantStmt,
        /// Before the tokens of an expression.
        WantExpr,
        /// Never occurs; expected wherever any name would do.
        AnyName,
        /// Never occurs; expected where a message's name would do.
        AnyMessage,
    }
    /// Words that are never names.
    RESERVED reserved {
        "and" And,
        "or" Or,
        "not" Not,
        "in" In,
        "is" Is,
        "between" Between,
        "like" Like,
        "null" Null,
        "true" True,
        "false" False,
        "if" If,
        "then" Then,
        "else" Else,
        "where" Where,
        "with" With,
        "union" Union,
        "intersect" Intersect,
        "except" Except,
    }
    /// Words that mean something to the grammar in some places and are names elsewhere.
    SOFT soft {
        "as" As,
        "at" At,
        "audience" Audience,
        "builtin" Builtin,
        "by" By,
        "cron" Cron,
        "dedupe" Dedupe,
        "delivery" Delivery,
        "desc" Desc,
        "drop" Drop,
        "empty" Empty,
        "error" Error,
        "every" Every,
        "extends" Extends,
        "file" File,
        "for" For,
        "from" From,
        "into" Into,
        "keep" Keep,
        "key" Key,
        "limit" Limit,
        "list" List,
        "local" Local,
        "many" Many,
        "match" Match,
        "message" Message,
        "new" New,
        "of" Of,
        "on" On,
        "one" One,
        "order" Order,
        "otherwise" Otherwise,
        "overlap" Overlap,
        "overlapping" Overlapping,
        "per" Per,
        "prefer" Prefer,
        "sample" Sample,
        "seed" Seed,
        "segment" Segment,
        "set" Set,
        "signal" Signal,
        "times" Times,
        "to" To,
        "until" Until,
        "within" Within,
    }
    /// Words that begin a statement.
    STATEMENTS statement {
        "use" StmtUse,
        "entity" StmtEntity,
        "topic" StmtTopic,
        "channel" StmtChannel,
        "message" StmtMessage,
        "policy" StmtPolicy,
        "signal" StmtSignal,
        "define" StmtDefine,
        "campaign" StmtCampaign,
        "param" StmtParam,
        "test" StmtTest,
        "segment" StmtSegment,
        "let" StmtLet,
        "split" StmtSplit,
        "wait" StmtWait,
        "send" StmtSend,
        "if" StmtIf,
        "parallel" StmtParallel,
        "repeat" StmtRepeat,
        "for" StmtFor,
        "approve" StmtApprove,
        "task" StmtTask,
        "alert" StmtAlert,
        "emit" StmtEmit,
        "log" StmtLog,
        "require" StmtRequire,
        "stop" StmtStop,
        "fail" StmtFail,
        "save" StmtSave,
        "export" StmtExport,
        "update" StmtUpdate,
        "upsert" StmtUpsert,
        "insert" StmtInsert,
        "delete" StmtDelete,
        "subscribe" StmtSubscribe,
        "unsubscribe" StmtUnsubscribe,
        "do" StmtDo,
    }
    /// Words that begin a statement inside `test`.
    TEST_WORDS test_word {
        "given" StmtGiven,
        "at" StmtAt,
        "run" StmtRun,
        "advance" StmtAdvance,
        "feedback" StmtFeedback,
        "decide" StmtDecide,
        "expect" StmtExpect,
    }
    /// Words that begin a rule inside `policy`.
    POLICY_WORDS policy_word {
        "cap" ItemCap,
        "quiet" ItemQuiet,
        "window" ItemWindow,
        "holdout" ItemHoldout,
    }
    /// Words that begin an item inside `entity`.
    ENTITY_WORDS entity_word {
        "consent" ItemConsent,
        "person" ItemPerson,
    }
    /// The word that begins an item inside `parallel`.
    PARALLEL_WORDS parallel_word {
        "branch" ItemBranch,
    }
}

/// How strong a word is, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordClass {
    /// Never a name.
    Reserved,
    /// A keyword where the grammar expects it, a name elsewhere.
    Soft,
    /// Begins a statement.
    Statement,
    /// Begins a statement in a `test`.
    Test,
    /// Begins a rule in a `policy`.
    Policy,
    /// Begins an item in an `entity`.
    Entity,
    /// Begins a branch in `parallel`.
    Parallel,
}

/// The words of a class, for completion and highlighting.
pub fn words(class: WordClass) -> impl Iterator<Item = &'static str> {
    let table = match class {
        WordClass::Reserved => RESERVED,
        WordClass::Soft => SOFT,
        WordClass::Statement => STATEMENTS,
        WordClass::Test => TEST_WORDS,
        WordClass::Policy => POLICY_WORDS,
        WordClass::Entity => ENTITY_WORDS,
        WordClass::Parallel => PARALLEL_WORDS,
    };
    table.iter().map(|(word, _)| *word)
}

impl Kind {
    /// True for a name or a soft word.
    pub fn is_name(self) -> bool {
        self == Kind::Name || (Kind::As..=Kind::Within).contains(&self)
    }

    /// True for a word that begins a statement or an item.
    pub fn begins_unit(self) -> bool {
        (Kind::StmtUse..=Kind::ItemBranch).contains(&self) || self == Kind::StmtArrival
    }

    /// True for a literal or the beginning of a template.
    pub fn is_literal(self) -> bool {
        matches!(
            self,
            Kind::Literal | Kind::Percent | Kind::Text | Kind::TemplateOpen | Kind::Null | Kind::True | Kind::False
        )
    }

    /// True for the word of a statement, or of an item, whose braces hold a list of statements.
    pub fn holds_statements(self) -> bool {
        use Kind::{
            ItemBranch, StmtApprove, StmtCampaign, StmtDefine, StmtFor, StmtIf, StmtRepeat, StmtTask, StmtWait,
        };
        matches!(
            self,
            StmtCampaign | StmtDefine | StmtIf | StmtRepeat | StmtFor | StmtWait | StmtApprove | StmtTask | ItemBranch
        )
    }

    /// True when nothing can follow but an operand: after an operator, a comma or a reserved word.
    pub fn wants_operand(self) -> bool {
        matches!(
            self,
            Kind::Comma
                | Kind::Colon
                | Kind::Dot
                | Kind::Equal
                | Kind::NotEqual
                | Kind::Less
                | Kind::LessEqual
                | Kind::Greater
                | Kind::GreaterEqual
                | Kind::Plus
                | Kind::Minus
                | Kind::Star
                | Kind::Slash
                | Kind::Coalesce
                | Kind::Pipe
        ) || ((Kind::And..=Kind::Except).contains(&self) && !self.is_literal())
    }

    /// True when an operand is complete after it, as far as one token can tell.
    pub fn ends_operand(self) -> bool {
        self.is_literal() && self != Kind::TemplateOpen
            || matches!(
                self,
                Kind::Name
                    | Kind::TemplateClose
                    | Kind::ParenClose
                    | Kind::SquareClose
                    | Kind::BraceClose
                    | Kind::Question
                    | Kind::Desc
                    | Kind::Empty
                    | Kind::Local
                    | Kind::Key
                    | Kind::Otherwise
                    | Kind::Bad
            )
    }
}

/// What the value of a token may be.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Of a literal.
    Literal(super::ast::Literal),
    /// Of a string or a chunk of one, escapes resolved.
    Text(String),
    /// A literal that was written wrongly; a problem was reported.
    Bad,
}
