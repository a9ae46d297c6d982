//! Tokens to statements: where each begins and ends, which words are keywords, which brackets are missing.
//!
//! The grammar cannot know that a line begins a statement: `stop` may be a column. This pass knows, because it looks
//! at lines and brackets and nothing else. It turns the first words of statements into keywords, ends every statement
//! and item with one [`Kind::End`] token, and keeps a list of these *units* with their places, which is what the parser
//! needs to go on behind a mistake. Inside `( )` and `[ ]` a newline means nothing; when a line in them can only be
//! a statement, their closing bracket was forgotten, is reported, and added.

use super::error::SyntaxError;
use super::token::{Kind, Token, entity_word, parallel_word, policy_word, statement, test_word};
use crate::base::{SourceId, Span};
use crate::diag::{Problem, Problems};

mod begins;
mod brackets;
mod indented;

#[cfg(test)]
mod tests;

use brackets::{character, closing, nests, opening};

/// How deep brackets and operators may nest. The trees are walked recursively, so this bounds the stack.
pub const MAX_DEPTH: u32 = 500;

/// Brackets beyond this many are not tracked: their statement is not parsed anyway.
const MAX_FRAMES: usize = 2 * MAX_DEPTH as usize;

/// Problems beyond this many are dropped: the text is not a script.
const MAX_PROBLEMS: usize = 100;

/// A statement, or an item of an entity, record, policy or split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Index of its first token.
    pub start: usize,
    /// Index of its [`Kind::End`].
    pub end: usize,
    /// What the braces around it hold.
    pub inside: Inside,
    /// It stands in no braces.
    pub top: bool,
    /// It nests too deeply to be parsed.
    pub too_deep: bool,
}

/// What a pair of braces holds, which decides the words that are keywords in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inside {
    /// No braces at all: the whole text is one expression, and no word begins a statement.
    Expression,
    /// Statements: a file, a campaign, an arm of an `if`.
    Block,
    Test,
    Entity,
    Policy,
    Parallel,
    /// `name: value` items.
    Items,
}

/// What the layout pass hands on.
#[derive(Debug, Default)]
pub struct Layout {
    /// With keywords and ends.
    pub tokens: Vec<Token>,
    /// In order of their first tokens; those inside others follow them.
    pub units: Vec<Unit>,
    /// What was wrong.
    pub problems: Problems,
    /// A bracket was open at the end of the text.
    pub open_at_end: bool,
}

/// An open bracket, or the file itself.
struct Frame {
    open: Token,
    inside: Inside,
    /// The unit being read, if one has begun.
    unit: Option<usize>,
    /// The statement word of that unit.
    word: Option<Kind>,
    /// Operators since the last comma: how deep a tree they may make.
    chain: u32,
    /// Its closing bracket is not missed: something else was wrong with it.
    forgiven: bool,
    /// It ends with the first line that is no further right than this.
    indent: Option<usize>,
}

struct Pass<'t> {
    text: &'t str,
    source: SourceId,
    input: &'t [Token],
    /// Problems of the lexer: a bracket missing beside one is not reported again.
    known: &'t Problems,
    frames: Vec<Frame>,
    depth: u32,
    /// The place of the last brace that belonged to nothing.
    extra: Option<u32>,
    /// The bracket that the one before it closed in its place.
    crossed: Option<usize>,
    /// The last bracket in which a semicolon stood for a comma.
    separated: Option<u32>,
    /// The last word that ended an indented block.
    ended: Option<usize>,
    /// The last unit with an indented block.
    indented: Option<usize>,
    out: Layout,
}

/// Lays out the tokens of a whole text, which holds what `inside` says.
pub fn layout(source: SourceId, text: &str, tokens: &[Token], known: &Problems, inside: Inside) -> Layout {
    let mut pass = Pass {
        text,
        source,
        input: tokens,
        known,
        frames: Vec::new(),
        depth: 0,
        extra: None,
        crossed: None,
        separated: None,
        indented: None,
        ended: None,
        out: Layout::default(),
    };
    pass.push_frame(Token::invented(Kind::BraceOpen, 0), inside);
    for at in 0..tokens.len() {
        pass.token(at);
    }
    pass.finish()
}

impl Pass<'_> {
    fn token(&mut self, at: usize) {
        let token = self.input[at];
        if token.first && self.close_indented(at) {
            return;
        }
        match token.kind {
            Kind::Colon | Kind::Then | Kind::Else if self.opens_indented(at) => return self.open_indented(token),
            // `end if` was reported with what it ends.
            Kind::If if at > 0 && self.ended == Some(at - 1) => return,
            Kind::Semicolon if self.separates_arguments(at) => return,
            Kind::Semicolon => return self.semicolon(token),
            Kind::Comma if self.separates_items(at) => return self.end_unit_with(token),
            Kind::ParenClose | Kind::SquareClose | Kind::BraceClose => return self.close(at),
            Kind::HoleClose => {
                self.close_until(|frame| frame.open.kind == Kind::HoleOpen, Some(token));
                self.pop_frame();
                return self.push(token);
            }
            _ => {}
        }
        let fresh = self.frames.last().is_some_and(|frame| frame.open.kind == Kind::BraceOpen && frame.unit.is_none());
        if fresh && token.kind == Kind::BraceOpen {
            return self.extra_brace(token);
        }
        let token = self.keyword(at);
        self.push(token);
        if matches!(token.kind, Kind::ParenOpen | Kind::SquareOpen | Kind::BraceOpen | Kind::HoleOpen) {
            let inside = self.inside_of(token.kind);
            self.push_frame(token, inside);
        }
    }

    /// Decides whether a unit begins at this token and which keyword it is.
    fn keyword(&mut self, at: usize) -> Token {
        let mut token = self.input[at];
        if self.unmistakable(at) && self.frames.iter().all(|frame| frame.open.kind != Kind::HoleOpen) {
            let top_level = self.is_top_level_line(at);
            self.close_until(
                |frame| {
                    frame.open.kind == Kind::BraceOpen
                        && matches!(frame.inside, Inside::Block | Inside::Test)
                        && !(top_level && frame.open.end > 0)
                },
                Some(token),
            );
        }
        let Some(frame) = self.frames.last() else { return token };
        if frame.open.kind != Kind::BraceOpen {
            return token;
        }
        let previous = self.previous();
        let fresh = frame.unit.is_none();
        self.fuse(&mut token);
        let may_begin =
            (fresh || token.first || previous == Some(Kind::BraceClose)) && token.kind == self.input[at].kind;
        if !may_begin {
            if self.lacks_separator(at) {
                let place = self.out.tokens.last().map_or(0, |token| token.end);
                let span = Span::new(self.source, place, place);
                self.problem(SyntaxError::MissingSeparator { span, item: token.span(self.source) });
                self.end_unit();
                self.begin_unit(token.kind);
            }
            return token;
        }
        if self.frames.len() < MAX_FRAMES && self.lacks_brace(at) {
            self.invent_brace(token);
            return self.keyword(at);
        }
        let keyword = self.keyword_kind(at, frame.inside, previous.filter(|_| !fresh));
        let is_item = token.kind.is_name() && self.next_is(at, Kind::Colon) && frame.open.end > 0;
        let is_unknown = frame.inside != Inside::Expression && (self.is_unknown(token) || self.is_assignment(at));
        if let Some(kind) = keyword {
            self.end_unit();
            let word = token.text(self.text);
            if word.contains(char::is_uppercase) {
                self.problem(SyntaxError::WrongCase { span: token.span(self.source), word: word.to_owned() });
            }
            token.kind = kind;
        } else if is_item || is_unknown || fresh {
            self.end_unit();
            if let Some(kind) = self.nearly_a_statement(at) {
                token.kind = kind;
            }
        }
        self.begin_unit(token.kind);
        token
    }

    /// Opens the braces that were forgotten before `token`.
    fn invent_brace(&mut self, token: Token) {
        let place = self.out.tokens.last().map_or(0, |token| token.end);
        let inside = self.inside_of(Kind::BraceOpen);
        let open = Token::invented(Kind::BraceOpen, place);
        self.problem(SyntaxError::MissingBrace { span: open.span(self.source), before: token.span(self.source) });
        self.push(open);
        self.push_frame(open, inside);
        if let Some(frame) = self.frames.last_mut() {
            frame.forgiven = true;
        }
    }

    /// Braces where only a statement or an item can begin: reported, and what they hold is what the braces around hold.
    fn extra_brace(&mut self, token: Token) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.forgiven = true;
        let (inside, open) = (frame.inside, frame.open);
        // A row of them is one mistake.
        if self.extra != Some(open.start) {
            self.problem(SyntaxError::ExtraBrace { span: token.span(self.source) });
        }
        self.extra = Some(token.start);
        self.push(token);
        self.push_frame(token, inside);
    }

    /// The keyword at a place where a unit may begin; `previous` is the token before it in the same unit.
    fn keyword_kind(&self, at: usize, inside: Inside, previous: Option<Kind>) -> Option<Kind> {
        let token = self.input[at];
        if !token.kind.is_name() && token.kind != Kind::If || self.next_is(at, Kind::Colon) {
            return None;
        }
        let next = self.input.get(at + 1).filter(|next| !next.first);
        let written = token.text(self.text);
        // Two words in a row are no expression: the first was meant as a keyword, whatever its letters.
        let stands_before = next.is_some_and(|next| next.kind.is_name() || next.kind == Kind::Text);
        let lower = (stands_before && written.contains(char::is_uppercase)).then(|| written.to_ascii_lowercase());
        let word = lower.as_deref().unwrap_or(written);
        let kind = match inside {
            Inside::Block => statement(word)?,
            Inside::Test if word == "signal" => Kind::StmtArrival,
            Inside::Test => test_word(word).or_else(|| statement(word))?,
            Inside::Policy => policy_word(word)?,
            Inside::Parallel => parallel_word(word)?,
            Inside::Entity => entity_word(word)?,
            Inside::Items | Inside::Expression => return None,
        };
        if kind == Kind::StmtFor && !next.is_some_and(|next| next.kind.is_name()) {
            return None;
        }
        if previous.is_some_and(Kind::wants_operand) {
            let followed = next.is_some_and(|next| next.kind.is_name() || next.kind.is_literal());
            if kind == Kind::StmtIf || !followed {
                return None;
            }
        }
        Some(kind)
    }

    /// `wait until` and `wait for` have their second word as a keyword, so that it is no name there.
    fn fuse(&self, token: &mut Token) {
        if self.previous() == Some(Kind::StmtWait) {
            match token.kind {
                Kind::Until => token.kind = Kind::WaitUntil,
                Kind::For => token.kind = Kind::WaitFor,
                _ => {}
            }
        }
    }

    /// Width of the white space at the beginning of a token's line.
    fn indentation(&self, token: Token) -> usize {
        let before = self.text.get(..token.start as usize).unwrap_or("");
        let line = &self.text[before.rfind('\n').map_or(0, |newline| newline + 1)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    /// True for a comma between the items of braces, as opposed to one in a list.
    fn separates_items(&self, at: usize) -> bool {
        let in_items = self.frames.last().is_some_and(|frame| {
            frame.open.kind == Kind::BraceOpen && matches!(frame.inside, Inside::Items | Inside::Entity)
        });
        let next = self.input.get(at + 1).map(|next| next.kind);
        in_items
            && (next == Some(Kind::BraceClose) || next.is_some_and(Kind::is_name) && self.next_is(at + 1, Kind::Colon))
    }

    fn semicolon(&mut self, token: Token) {
        if self.frames.iter().all(|frame| frame.open.kind != Kind::HoleOpen) {
            self.close_until(|frame| frame.open.kind == Kind::BraceOpen, Some(token));
            self.end_unit_with(token);
        } else {
            self.push(token);
        }
    }

    /// A closing bracket: closes what was forgotten inside its pair; one without a pair is reported and dropped.
    fn close(&mut self, at: usize) {
        let token = self.input[at];
        let wanted = opening(token.kind);
        let pair = self
            .frames
            .iter()
            .skip(1)
            .rposition(|frame| frame.open.kind == wanted || frame.open.kind == Kind::HoleOpen);
        if self.closes_wrongly(at, pair.is_some()) {
            return;
        }
        if pair.is_none_or(|at| self.frames[at + 1].open.kind != wanted) {
            self.problem(SyntaxError::UnopenedBracket {
                span: token.span(self.source),
                bracket: character(token.kind),
            });
            return;
        }
        self.close_until(|frame| frame.open.kind == wanted, Some(token));
        if token.kind == Kind::BraceClose {
            self.end_unit();
        }
        self.pop_frame();
        self.push(token);
    }

    /// Adds the closing brackets of all frames inside the innermost one that `stop` accepts, and reports them.
    fn close_until(&mut self, stop: impl Fn(&Frame) -> bool, before: Option<Token>) {
        while self.frames.len() > 1 {
            let Some(frame) = self.frames.last().filter(|frame| !stop(frame)) else { return };
            let (open, forgiven) = (frame.open, frame.forgiven);
            let at = self.out.tokens.last().map_or(0, |token| token.end);
            if open.kind == Kind::BraceOpen {
                self.end_unit();
            }
            self.pop_frame();
            self.push(Token::invented(closing(open.kind), at));
            if open.kind != Kind::HoleOpen && !forgiven && !self.is_too_deep() && !self.is_known_between(open.start, at)
            {
                let before = before.map(|token| token.span(self.source));
                let bracket = character(open.kind);
                self.problem(SyntaxError::UnclosedBracket { open: open.span(self.source), bracket, before });
            }
        }
    }

    /// True when the lexer or this pass complained between these places.
    fn is_known_between(&self, start: u32, end: u32) -> bool {
        let inside = |problem: &Problem| problem.span().is_some_and(|span| start <= span.start && span.start <= end);
        self.known.iter().any(inside)
    }

    fn push_frame(&mut self, open: Token, inside: Inside) {
        if self.frames.len() >= MAX_FRAMES {
            return;
        }
        self.frames.push(Frame { open, inside, unit: None, word: None, chain: 0, forgiven: false, indent: None });
        self.deepen();
    }

    fn pop_frame(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.depth = self.depth.saturating_sub(frame.chain + 1);
        }
    }

    /// One level more of the tree; marks the statement when there are too many.
    fn deepen(&mut self) {
        self.depth += 1;
        let top = self.frames.first().and_then(|frame| frame.unit);
        if self.depth <= MAX_DEPTH + 1 {
            return;
        }
        if let Some(unit) = top.and_then(|unit| self.out.units.get_mut(unit)).filter(|unit| !unit.too_deep) {
            unit.too_deep = true;
            let at = self.out.tokens.last().map_or(0, |token| token.start);
            let span = self.out.tokens.last().map_or(Span::new(self.source, at, at), |token| token.span(self.source));
            self.problem(SyntaxError::TooDeep { span, limit: MAX_DEPTH });
        }
    }

    /// What the braces that open now hold.
    fn inside_of(&self, open: Kind) -> Inside {
        let Some(frame) =
            self.frames.last().filter(|frame| open == Kind::BraceOpen && frame.open.kind == Kind::BraceOpen)
        else {
            return Inside::Items;
        };
        match frame.word {
            Some(Kind::StmtEntity) => Inside::Entity,
            Some(Kind::StmtPolicy) => Inside::Policy,
            Some(Kind::StmtParallel) => Inside::Parallel,
            Some(Kind::StmtTest) => Inside::Test,
            Some(word) if word.holds_statements() && self.previous() != Some(Kind::With) => Inside::Block,
            _ => Inside::Items,
        }
    }

    fn begin_unit(&mut self, word: Kind) {
        let start = self.out.tokens.len();
        let top = self.frames.len() == 1;
        let unit = self.out.units.len();
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.unit.is_none() {
            frame.unit = Some(unit);
            frame.word = word.begins_unit().then_some(word);
            let inside = frame.inside;
            self.out.units.push(Unit { start, end: start, inside, top, too_deep: false });
        }
    }

    fn end_unit(&mut self) {
        let at = self.out.tokens.last().map_or(0, |token| token.end);
        self.end_unit_with(Token::invented(Kind::End, at));
    }

    /// Ends the unit of the innermost braces, if one has begun.
    fn end_unit_with(&mut self, end: Token) {
        let index = self.out.tokens.len();
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(unit) = frame.unit.take() else { return };
        frame.word = None;
        self.depth = self.depth.saturating_sub(frame.chain);
        frame.chain = 0;
        self.out.units[unit].end = index;
        self.out.tokens.push(Token { kind: Kind::End, ..end });
    }

    fn push(&mut self, token: Token) {
        // Whatever stands first in braces begins a unit, keyword or not.
        if self.frames.last().is_some_and(|frame| frame.open.kind == Kind::BraceOpen) {
            self.begin_unit(token.kind);
        }
        let before = self.previous();
        self.out.tokens.push(token);
        if token.kind == Kind::Comma {
            if let Some(frame) = self.frames.last_mut() {
                self.depth = self.depth.saturating_sub(frame.chain);
                frame.chain = 0;
            }
        } else if nests(token.kind) || (token.kind == Kind::ParenOpen && before == Some(Kind::ParenClose)) {
            if let Some(frame) = self.frames.last_mut() {
                frame.chain += 1;
            }
            self.deepen();
        }
    }

    /// The token before, when it is in the same unit or is the bracket around it.
    fn previous(&self) -> Option<Kind> {
        self.out.tokens.last().map(|token| token.kind)
    }

    fn next_is(&self, at: usize, kind: Kind) -> bool {
        self.input.get(at + 1).is_some_and(|next| next.kind == kind)
    }

    fn problem(&mut self, error: SyntaxError) {
        if self.out.problems.iter().len() < MAX_PROBLEMS {
            self.out.problems.push(error);
        }
    }

    /// True in a statement that was given up.
    fn is_too_deep(&self) -> bool {
        let top = self.frames.first().and_then(|frame| frame.unit);
        top.is_some_and(|unit| self.out.units[unit].too_deep)
    }

    fn finish(mut self) -> Layout {
        self.out.open_at_end = self.frames.len() > 1;
        self.close_until(|_| false, None);
        self.end_unit();
        self.out
    }
}
