//! Blocks without braces: `if count(vip) > 5:` with indented lines below, `then` ... `end`. They are reported once and
//! read as what was meant, so that their steps are checked and their names are known.

use super::{Pass, SyntaxError};
use crate::syntax::token::{Kind, Token, statement};

/// Words that end blocks in other languages.
const ENDS: [&str; 5] = ["end", "endif", "fi", "done", "endfor"];

impl Pass<'_> {
    /// True for a `:` or `then` at the end of the line, where a statement needs braces.
    pub(super) fn opens_indented(&self, at: usize) -> bool {
        let token = self.input[at];
        let Some(frame) = self.frames.last().filter(|frame| frame.open.kind == Kind::BraceOpen) else { return false };
        let (Some(unit), Some(word)) = (frame.unit, frame.word) else { return false };
        let Some(next) = self.input.get(at + 1).filter(|next| next.first) else { return false };
        let deeper = self.indentation(*next) > self.indentation(self.out.tokens[self.out.units[unit].start]);
        let has_block = matches!(
            word,
            Kind::StmtCampaign | Kind::StmtIf | Kind::StmtFor | Kind::StmtRepeat | Kind::StmtTest | Kind::ItemBranch
        );
        let is_behind_else = self.previous() == Some(Kind::Else);
        let holds_items = matches!(word, Kind::StmtMessage | Kind::StmtEntity | Kind::StmtSplit | Kind::StmtParallel);
        let holds_steps = word == Kind::StmtDefine && statement(next.text(self.text)).is_some();
        match token.kind {
            Kind::Then => word == Kind::StmtIf && deeper,
            Kind::Else => self.indented == Some(unit) && deeper,
            _ => deeper && (has_block || holds_items || holds_steps || is_behind_else),
        }
    }

    /// Opens the block, and reports it unless another one of the statement was reported.
    pub(super) fn open_indented(&mut self, token: Token) {
        let Some(unit) = self.frames.last().and_then(|frame| frame.unit) else { return };
        let indent = self.indentation(self.out.tokens[self.out.units[unit].start]);
        if self.indented != Some(unit) {
            self.problem(SyntaxError::IndentedBlock { span: token.span(self.source) });
        }
        self.indented = Some(unit);
        if token.kind == Kind::Else {
            self.push(token);
        }
        let inside = self.inside_of(Kind::BraceOpen);
        let open = Token { kind: Kind::BraceOpen, ..token };
        self.push(open);
        self.push_frame(open, inside);
        if let Some(frame) = self.frames.last_mut() {
            frame.forgiven = true;
            frame.indent = Some(indent);
        }
    }

    /// Closes the blocks that end before the line of this token; true when the token is only their end.
    pub(super) fn close_indented(&mut self, at: usize) -> bool {
        let token = self.input[at];
        let mut closed = false;
        while let Some(indent) = self.frames.last().and_then(|frame| frame.indent) {
            if self.indentation(token) > indent {
                break;
            }
            self.end_unit();
            self.pop_frame();
            let place = self.out.tokens.last().map_or(0, |token| token.end);
            self.push(Token::invented(Kind::BraceClose, place));
            closed = true;
        }
        // `end`, `end if`
        let is_end = |at: usize| self.input.get(at).is_none_or(|next| next.first);
        let alone = is_end(at + 1) || (is_end(at + 2) && self.input[at + 1].kind == Kind::If);
        let ends = closed && alone && ENDS.contains(&token.text(self.text));
        if ends {
            self.ended = Some(at);
        }
        ends
    }
}
