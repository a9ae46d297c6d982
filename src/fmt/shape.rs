//! Tokens to documents.

use super::comments::Comments;
use super::doc::{Doc, INDENT, WIDTH};
use super::spacing::{Cut, Open, Place, cut, space};
use crate::syntax::layout::{Inside, Unit};
use crate::syntax::token::{Kind, Token};

/// A piece of a line, and how willingly the line breaks before it.
struct Part {
    cut: Cut,
    /// The line was broken before it, and such a break stays.
    kept_break: bool,
    /// Its first token.
    kind: Kind,
    /// Comments on the lines above it, which say nothing about how it is broken itself.
    above: Vec<Doc>,
    doc: Vec<Doc>,
}

impl Part {
    fn hugs(&self) -> bool {
        self.cut == Cut::Body && self.above.is_empty() && !matches!(self.kind, Kind::By | Kind::Within)
    }
}

/// Shapes the tokens of a text.
pub struct Shaper<'t> {
    pub text: &'t str,
    pub tokens: &'t [Token],
    pub units: &'t [Unit],
    pub comments: Comments,
    /// The next token.
    at: usize,
    /// How many braces are open.
    depth: usize,
}

/// A statement or item.
struct Shaped {
    start: usize,
    /// Comments on the lines above it.
    above: Vec<Doc>,
    /// An empty line stands above it.
    blank: bool,
    /// `name:`
    head: Option<Doc>,
    rest: Doc,
    /// The comment behind it.
    behind: Option<Doc>,
}

impl<'t> Shaper<'t> {
    pub fn new(text: &'t str, tokens: &'t [Token], units: &'t [Unit], comments: Comments) -> Self {
        Self { text, tokens, units, comments, at: 0, depth: 0 }
    }

    /// The whole file.
    pub fn file(&mut self) -> Doc {
        let mut docs = self.units_until_close();
        let last = self.comments_above(self.tokens.len(), docs.is_empty());
        docs.push(Doc::Hard);
        docs.extend(last);
        Doc::All(docs)
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    fn token_text(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    /// Statements or items up to a closing brace or the end, each on a line or, in a group that is not broken, behind the other.
    fn units_until_close(&mut self) -> Vec<Doc> {
        let first = self.at;
        let mut units = Vec::new();
        while self.at < self.tokens.len() && self.kind(self.at) != Kind::BraceClose {
            units.push(self.unit(first));
        }
        let pads = self.pads(&units);
        let separator = self.separator(first);
        let mut docs = Vec::new();
        for (unit, pad) in units.into_iter().zip(pads) {
            if unit.start > first {
                let before = self.tokens[..unit.start].iter().rev().find(|token| token.kind != Kind::End);
                let ends_in_brace = before.is_some_and(|token| token.kind == Kind::BraceClose);
                docs.push(match () {
                    () if unit.blank => Doc::Blank,
                    () if self.depth == 0 => Doc::Hard,
                    () if ends_in_brace => Doc::Break(" "),
                    () => Doc::Break(separator),
                });
            }
            docs.extend(unit.above);
            docs.extend(unit.head);
            docs.extend([Doc::Pad(pad), unit.rest]);
            docs.extend(unit.behind);
        }
        docs
    }

    /// What separates items on one line.
    fn separator(&self, first: usize) -> &'static str {
        let unit = self.units.binary_search_by_key(&first, |unit| unit.start);
        let inside = unit.map(|unit| self.units[unit].inside);
        // Fields of channels and arms of splits read better with semicolons, values with commas.
        let opener = first.checked_sub(1).map_or(Kind::End, |open| self.statement_word(open));
        match inside {
            Ok(Inside::Items) if !matches!(opener, Kind::StmtChannel | Kind::StmtSplit) => ", ",
            _ => "; ",
        }
    }

    /// The statement word of the unit around a token.
    fn statement_word(&self, at: usize) -> Kind {
        let end = self.units.partition_point(|unit| unit.start <= at);
        let unit = self.units[..end].iter().rev().find(|unit| unit.end >= at);
        unit.map_or(Kind::End, |unit| self.kind(unit.start))
    }

    /// Spaces behind the names of items, so that values on neighbouring lines stand below each other.
    fn pads(&self, units: &[Shaped]) -> Vec<usize> {
        let mut pads = vec![0; units.len()];
        let width = |at: usize| -> Option<usize> {
            let head = units[at].head.as_ref()?.flat_width()?;
            let rest = units[at].rest.flat_width()?;
            (self.depth * INDENT + head + rest <= WIDTH).then_some(head)
        };
        let mut at = 0;
        while at < units.len() {
            let mut end = at;
            while end < units.len() && width(end).is_some() && (end == at || !units[end].blank) {
                end += 1;
            }
            let widest = (at..end).filter_map(width).max().unwrap_or(0);
            (at..end).for_each(|index| pads[index] = widest - width(index).unwrap_or(widest));
            at = end.max(at + 1);
        }
        pads
    }

    /// One statement or item and its end; `first` is the first token of its block.
    fn unit(&mut self, first: usize) -> Shaped {
        let start = self.at;
        let above = self.comments_above(start, start == first);
        let blank = above.is_empty() && start > first && self.blank_before(self.tokens[start].start);
        let behind = self.comment_behind_unit(start);
        let word = self.kind(start);
        let is_item = word.is_name() && self.kind(start + 1) == Kind::Colon;
        let commented = |at| self.comments.behind.contains_key(&at) || self.comments.above.contains_key(&at);
        let plain = is_item && !commented(start) && !commented(start + 1);
        let head = plain.then(|| Doc::text(format!("{}:", self.token_text(start))));
        self.at += if plain { 2 } else { 0 };
        let mut rest = if head.is_some() { vec![Doc::text(" ")] } else { Vec::new() };
        rest.extend(self.sequence(word, true));
        // The end.
        self.at += usize::from(self.kind(self.at) == Kind::End);
        Shaped { start, above, blank, head, rest: Doc::All(rest), behind }
    }

    /// The comment behind the last token of a unit, which breaks no line of it.
    fn comment_behind_unit(&mut self, start: usize) -> Option<Doc> {
        let unit = self.units.binary_search_by_key(&start, |unit| unit.start).ok()?;
        let last = self.units[unit].end.checked_sub(1)?;
        let comment = self.comments.behind.remove(&last)?;
        Some(self.behind(comment))
    }

    /// Tokens up to the end of the unit, a closing bracket or, in brackets, a comma.
    fn sequence(&mut self, word: Kind, top: bool) -> Vec<Doc> {
        let mut docs = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut open = Open::default();
        let mut bodies: Vec<usize> = Vec::new();
        let start = self.at;
        while self.at < self.tokens.len() && !self.ends_sequence(top) {
            let at = self.at;
            let place = self.place(at, word);
            let gap = if at > start && space(place) { " " } else { "" };
            if self.kind(at) == Kind::BraceOpen && top {
                let own_line = word == Kind::StmtCampaign && parts.iter().skip(1).any(|part| part.cut == Cut::Clause);
                docs.push(self.break_up(std::mem::take(&mut parts), own_line));
                let gap = if own_line || at == start { "" } else { gap };
                let above = self.comments_above(at, false);
                if !above.is_empty() {
                    docs.push(Doc::Hard);
                    docs.extend(above);
                }
                docs.push(Doc::text(gap));
                bodies.push(docs.len());
                docs.push(self.braces());
                continue;
            }
            let mut part =
                Part { cut: Cut::Never, kept_break: false, kind: self.kind(at), above: Vec::new(), doc: Vec::new() };
            let cut = open.cut(cut(place, self.kind(at + 1)), self.kind(at));
            if at > start && !(parts.is_empty() && docs.is_empty()) {
                part.cut = cut;
                // What is defined stands behind the first `=` only; later ones compare.
                let again = !top || parts.iter().any(|part| part.cut == Cut::Body);
                if place.before == Kind::Equal && part.cut == Cut::Body && again {
                    part.cut = Cut::Never;
                }
                part.kept_break = top && part.cut == Cut::Clause && self.tokens[at].first;
            }
            let above = self.comments_above(at, false);
            if part.cut == Cut::Never && !above.is_empty() {
                part.doc.push(Doc::Deeper);
                part.doc.extend(above.into_iter().map(|doc| if matches!(doc, Doc::Hard) { Doc::Deeper } else { doc }));
            } else {
                part.above = above;
            }
            let element = self.element(word);
            match parts.last_mut() {
                Some(last) if part.cut == Cut::Never => {
                    last.doc.push(Doc::text(gap));
                    last.doc.append(&mut part.doc);
                    last.doc.extend(element);
                }
                _ => {
                    if part.cut == Cut::Never {
                        part.doc.push(Doc::text(gap));
                    }
                    part.doc.extend(element);
                    parts.push(part);
                }
            }
        }
        docs.push(self.break_up(parts, false));
        if word == Kind::StmtIf {
            self.break_alike(&mut docs, &bodies);
        }
        docs
    }

    /// The arms of an `if` stand on one line together, or none does.
    fn break_alike(&self, docs: &mut [Doc], bodies: &[usize]) {
        let width: Option<usize> = docs.iter().map(Doc::flat_width).sum();
        if bodies.len() < 2 || width.is_some_and(|width| self.depth * INDENT + width <= WIDTH) {
            return;
        }
        for body in bodies {
            if let Some(Doc::Group { broken, .. }) = docs.get_mut(*body) {
                *broken = true;
            }
        }
    }

    fn ends_sequence(&self, top: bool) -> bool {
        match self.kind(self.at) {
            Kind::End | Kind::ParenClose | Kind::SquareClose | Kind::BraceClose => true,
            Kind::Comma => !top,
            _ => false,
        }
    }

    fn place(&self, at: usize, word: Kind) -> Place {
        let before = at.checked_sub(1).map_or(Kind::End, |before| self.kind(before));
        let two_before = at.checked_sub(2).map_or(Kind::End, |before| self.kind(before));
        let operand_before = two_before.ends_operand() || two_before.is_name();
        Place { word, before, sign: before == Kind::Minus && !operand_before, token: self.kind(at) }
    }

    /// Parts as nested groups: the most willing breaks outermost.
    fn break_up(&self, parts: Vec<Part>, brace_follows: bool) -> Doc {
        let Some(best) = parts.iter().skip(1).map(|part| part.cut).min() else {
            return Doc::All(parts.into_iter().flat_map(|part| part.doc).collect());
        };
        let broken = parts.iter().skip(1).any(|part| part.kept_break);
        let word_of_parts = parts.get(1).map(|part| part.kind);
        let below = best == Cut::Branch && parts.first().is_some_and(|part| part.cut == Cut::Body);
        let mut lines: Vec<Vec<Part>> = Vec::new();
        for part in parts {
            match lines.last_mut() {
                Some(line) if part.cut > best => line.push(part),
                Some(_) => lines.push(vec![part]),
                None => lines.push(vec![part]),
            }
        }
        // The values of an enumeration fill lines, other parts have one each.
        let fills = word_of_parts == Some(Kind::Pipe);
        // A value that is one pair of brackets, or one text, begins behind its `=`.
        let hugs = matches!(&lines[..], [_, value] if value.len() == 1 && value[0].hugs());
        let mut lines = lines.into_iter();
        let first = lines.next().map(|line| self.break_up(line, false));
        let rest = lines.map(|mut line| {
            let above = line.first_mut().map(|part| std::mem::take(&mut part.above)).unwrap_or_default();
            let edge = if hugs { Doc::text(" ") } else { Doc::Break(" ") };
            let docs = vec![edge, Doc::All(above), self.break_up(line, false)];
            if fills { Doc::group(docs) } else { Doc::All(docs) }
        });
        let rest: Vec<Doc> = rest.collect();
        let mut docs: Vec<Doc> = first.into_iter().collect();
        // The branches of a conditional that begins its line stand below one another.
        docs.push(if below || hugs { Doc::All(rest) } else { Doc::Indent(rest) });
        if brace_follows {
            docs.push(Doc::Break(" "));
        }
        Doc::group_broken(docs, broken)
    }

    /// One token, string or pair of brackets.
    fn element(&mut self, word: Kind) -> Vec<Doc> {
        match self.kind(self.at) {
            Kind::TemplateOpen => self.template(),
            Kind::ParenOpen | Kind::SquareOpen => vec![self.brackets(word)],
            Kind::BraceOpen => vec![self.braces()],
            _ => {
                let at = self.at;
                self.at += 1;
                self.written(at, self.token_text(at))
            }
        }
    }

    /// A token's text and the comment behind it.
    fn written(&mut self, at: usize, text: &str) -> Vec<Doc> {
        let mut docs = vec![Doc::text(text)];
        if let Some(comment) = self.comments.behind.remove(&at) {
            docs.extend([self.behind(comment), Doc::Deeper]);
        }
        docs
    }

    fn behind(&self, comment: crate::syntax::Comment) -> Doc {
        Doc::Comment(comment.text(self.text).to_owned())
    }

    /// A string with holes stays as it is: its lines belong to its text.
    fn template(&mut self) -> Vec<Doc> {
        let start = self.tokens[self.at].start;
        let mut depth = 0_u32;
        loop {
            match self.kind(self.at) {
                Kind::TemplateOpen => depth += 1,
                Kind::TemplateClose => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 || self.at >= self.tokens.len() {
                break;
            }
        }
        let end = self.tokens[self.at - 1].end;
        self.written(self.at - 1, &self.text[start as usize..end as usize])
    }

    /// `( ... )` or `[ ... ]`
    fn brackets(&mut self, word: Kind) -> Doc {
        let open = self.at;
        self.at += 1;
        let rows = self.kind(self.at) == Kind::BraceOpen;
        let edge = if rows { " " } else { "" };
        // Before the comments are handed out: a line with a comment has one value.
        let plain = self.is_plain_list(open);
        let mut inner = self.written(open, "");
        let mut items = Vec::new();
        while self.at < self.tokens.len() && !matches!(self.kind(self.at), Kind::ParenClose | Kind::SquareClose) {
            let above = self.comments_above(self.at, true);
            let mut item = if above.is_empty() { Vec::new() } else { vec![Doc::Hard, Doc::All(above)] };
            let before = self.at;
            if self.kind(self.at) == Kind::BraceOpen {
                item.push(self.braces());
            } else {
                item.extend(self.sequence(word, false));
            }
            if self.kind(self.at) == Kind::Comma {
                let above = self.comments_above(self.at, true);
                if !above.is_empty() {
                    item.push(Doc::Hard);
                    item.extend(above);
                }
                if let Some(comment) = self.comments.behind.remove(&self.at) {
                    item.push(self.behind(comment));
                }
                self.at += 1;
            } else if self.at == before {
                break;
            }
            items.push(Doc::All(item));
        }
        let close = self.at;
        let dangling = self.comments_above(close, true);
        self.at += 1;
        let fills = items.len() >= FILLED && plain;
        inner.push(Doc::Break(edge));
        inner.extend(separated(items, fills));
        if !dangling.is_empty() {
            inner.push(Doc::Hard);
            inner.extend(dangling);
        }
        let mut docs = vec![Doc::text(self.token_text(open)), Doc::Indent(inner), Doc::Break(edge)];
        docs.extend(self.written(close, self.token_text(close)));
        Doc::group(docs)
    }

    /// True for brackets that hold nothing but single words and literals, and no comment.
    fn is_plain_list(&self, open: usize) -> bool {
        let commented = |at: &usize| self.comments.behind.contains_key(at) || self.comments.above.contains_key(at);
        let plain = |at: &usize| match (at - open) % 2 {
            1 => self.kind(*at).is_literal() || self.kind(*at).is_name(),
            _ => self.kind(*at) == Kind::Comma,
        };
        let is_close = |at: &usize| matches!(self.kind(*at), Kind::ParenClose | Kind::SquareClose);
        let inner = (open + 1..self.tokens.len()).take_while(|at| !is_close(at));
        inner.into_iter().all(|at| plain(&at) && !commented(&at))
    }

    /// `{ ... }`
    fn braces(&mut self) -> Doc {
        let open = self.at;
        self.at += 1;
        let kept_break = self.tokens.get(self.at).is_some_and(|token| token.first && token.kind != Kind::BraceClose);
        let mut inner = self.written(open, "");
        inner.push(Doc::Break(" "));
        self.depth += 1;
        inner.extend(self.units_until_close());
        self.depth -= 1;
        let close = self.at;
        let dangling = self.comments_above(close, close == open + 1);
        if !dangling.is_empty() {
            inner.push(Doc::Hard);
            inner.extend(dangling);
        }
        self.at += 1;
        let lines = self.tokens[open + 1..close].iter().any(|token| token.text(self.text).contains('\n'));
        let empty = close == open + 1 && !inner.iter().any(Doc::forces);
        let mut docs = vec![Doc::text("{")];
        if empty {
            docs.push(Doc::text(" "));
        } else {
            docs.extend([Doc::Indent(inner), Doc::Break(" ")]);
        }
        docs.extend(self.written(close, "}"));
        Doc::group_broken(docs, (kept_break || lines) && !empty)
    }

    /// The comments on the lines above a token; `first` when nothing stands before them in the block.
    fn comments_above(&mut self, at: usize, first: bool) -> Vec<Doc> {
        let Some(comments) = self.comments.above.remove(&at) else { return Vec::new() };
        let mut docs = Vec::new();
        for (index, comment) in comments.iter().enumerate() {
            if !(first && index == 0) && self.blank_before(comment.start) {
                docs.push(Doc::Blank);
            }
            docs.extend([Doc::text(comment.text(self.text)), Doc::Hard]);
        }
        let next = self.tokens.get(at).filter(|token| token.kind != Kind::BraceClose);
        if next.is_some_and(|token| self.blank_before(token.start)) {
            docs.push(Doc::Blank);
        }
        docs
    }

    /// True when an empty line stands above a place.
    fn blank_before(&self, place: u32) -> bool {
        let before = self.text.get(..place as usize).unwrap_or("");
        let gap = &before[before.trim_end().len()..];
        gap.matches('\n').count() > 1
    }
}

/// From so many items on, a list of plain values fills lines.
const FILLED: usize = 6;

/// Items with commas between them, each on a line or filling lines.
fn separated(items: Vec<Doc>, fills: bool) -> Vec<Doc> {
    let last = items.len().saturating_sub(1);
    let mut docs = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let comma = Doc::text(if index < last { "," } else { "" });
        match (index, fills) {
            (0, _) => docs.extend([item, comma]),
            (_, true) => docs.push(Doc::group(vec![Doc::Break(" "), item, comma])),
            (_, false) => docs.extend([Doc::Break(" "), item, comma]),
        }
    }
    docs
}
