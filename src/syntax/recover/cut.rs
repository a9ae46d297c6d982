//! Shorter statements in place of broken ones.

use std::ops::Range;

use crate::syntax::explain::Repair;
use crate::syntax::layout::{Inside, Unit};
use crate::syntax::token::{Kind, Token};

/// Tokens `from..to` are replaced by others.
#[derive(Clone, PartialEq, Debug)]
pub struct Cut {
    pub from: usize,
    pub to: usize,
    pub put: Vec<Token>,
}

impl Cut {
    /// The whole unit becomes a placeholder.
    pub fn whole(tokens: &[Token], unit: &Unit) -> Cut {
        Cut { from: unit.start, to: unit.end, put: placeholder(tokens, unit.start, unit.end, Kind::BadItem) }
    }
}

impl Cut {
    /// Tokens put right: each keeps the place of the one that it stands for, as far as there is one.
    pub fn repair(tokens: &[Token], repair: &Repair) -> Cut {
        let put = repair.put.iter().enumerate().map(|(index, kind)| {
            let at = repair.from + index;
            match tokens.get(at).filter(|_| at < repair.to) {
                Some(token) => Token { kind: *kind, ..*token },
                None => Token::invented(*kind, tokens.get(repair.from).map_or(0, |token| token.start)),
            }
        });
        Cut { from: repair.from, to: repair.to, put: put.collect() }
    }
}

/// Adds a cut; those inside it are forgotten.
pub fn add(cuts: &mut Vec<Cut>, cut: Cut) {
    cuts.retain(|old| old.from < cut.from || old.to > cut.to);
    let at = cuts.partition_point(|old| old.from < cut.from);
    cuts.insert(at, cut);
}

/// The tokens of `range` with the cuts made, each with the index of the token it stands at.
pub fn apply(tokens: &[Token], range: Range<usize>, cuts: &[Cut]) -> Vec<(usize, Token)> {
    let mut out = Vec::with_capacity(range.len());
    let mut at = range.start;
    for cut in cuts {
        if cut.from < at {
            continue;
        }
        out.extend((at..cut.from).map(|index| (index, tokens[index])));
        out.extend(cut.put.iter().map(|token| (cut.from, *token)));
        at = cut.to;
    }
    out.extend((at..range.end).map(|index| (index, tokens[index])));
    out
}

/// One token of `kind` in place of `from..to`.
fn placeholder(tokens: &[Token], from: usize, to: usize, kind: Kind) -> Vec<Token> {
    let start = tokens.get(from).map_or(0, |token| token.start);
    let end = if to > from { tokens[to - 1].end } else { start };
    vec![Token { kind, start, end: end.max(start), value: 0, first: false }]
}

/// A unit that is being shortened.
struct Shortener<'t> {
    tokens: &'t [Token],
    start: usize,
    end: usize,
    /// The rejected token.
    at: usize,
    /// Pairs of braces that are not inside others.
    blocks: Vec<Range<usize>>,
}

/// The cuts that leave of a unit what is certain: its word, its name, its blocks. `None` when nothing is.
pub fn shorten(tokens: &[Token], unit: &Unit, at: usize) -> Option<Vec<Cut>> {
    let blocks = blocks(tokens, unit.start..unit.end);
    let it = Shortener { tokens, start: unit.start, end: unit.end, at, blocks };
    let name = it.is_name(1);
    match it.kind(0)? {
        Kind::StmtSegment | Kind::StmtLet if name => it.binding(),
        Kind::StmtSend if name => it.send(),
        Kind::StmtEntity if name => Some(it.header(2, &[])),
        Kind::StmtTopic | Kind::StmtSignal if name => Some(vec![it.cut(2, it.end, &[])]),
        Kind::StmtParam if name => Some(vec![it.cut(2, it.end, &[Kind::Colon, Kind::Bad])]),
        Kind::StmtCampaign | Kind::StmtPolicy | Kind::StmtChannel if name => it.with_block(2, &[]),
        Kind::StmtDefine if name && it.blocks.is_empty() => Some(vec![it.cut(2, it.end, &[Kind::Equal, Kind::Bad])]),
        Kind::StmtDefine if name => it.with_block(2, &[]),
        Kind::StmtMessage if name && it.is_name(2) => it.with_last_block(3),
        Kind::StmtTest | Kind::ItemBranch if it.kind(1) == Some(Kind::Text) => it.with_block(2, &[]),
        Kind::StmtIf => it.with_block(1, &[Kind::Bad]),
        Kind::StmtRepeat => it.with_block(1, &[Kind::Bad, Kind::Times]),
        Kind::StmtFor if name => it.with_block(2, &[Kind::In, Kind::Bad]),
        Kind::StmtSplit => it.with_block(1, &[Kind::Bad, Kind::Into]),
        Kind::StmtWait => it.with_else(&[Kind::WaitUntil, Kind::Bad]),
        Kind::StmtApprove | Kind::StmtTask => it.with_else(&[Kind::Bad]),
        kind if kind.is_name() && matches!(unit.inside, Inside::Entity | Inside::Items) => it.item(),
        _ => None,
    }
}

impl Shortener<'_> {
    fn kind(&self, offset: usize) -> Option<Kind> {
        self.tokens.get(self.start + offset).filter(|_| self.start + offset < self.end).map(|token| token.kind)
    }

    fn is_name(&self, offset: usize) -> bool {
        self.kind(offset).is_some_and(Kind::is_name)
    }

    /// Replaces from the unit's token number `offset` to the token with index `to`.
    fn cut(&self, offset: usize, to: usize, put: &[Kind]) -> Cut {
        let from = (self.start + offset).min(to);
        let put = put.iter().flat_map(|kind| placeholder(self.tokens, from, to, *kind)).collect();
        Cut { from, to, put }
    }

    /// What stands behind `block`.
    fn tail(&self, block: &Range<usize>) -> Cut {
        Cut { from: block.end, to: self.end, put: Vec::new() }
    }

    /// Keeps the head up to `offset` and the first block, if there is one.
    fn header(&self, offset: usize, put: &[Kind]) -> Vec<Cut> {
        self.with_block(offset, put).unwrap_or_else(|| vec![self.cut(offset, self.end, put)])
    }

    /// Keeps the first block, and what stands before it unless the mistake is there.
    fn with_block(&self, offset: usize, put: &[Kind]) -> Option<Vec<Cut>> {
        let block = self.blocks.first()?;
        if self.at >= block.end {
            return Some(vec![self.tail(block)]);
        }
        let mut cuts = vec![self.cut(offset, block.start, put)];
        // The mistake is before the first block: `else` and what else follows may be right.
        if self.kind(0) != Some(Kind::StmtIf) {
            cuts.push(self.tail(block));
        }
        Some(cuts)
    }

    /// Keeps the last block: that of a message may stand behind `with { ... }`.
    fn with_last_block(&self, offset: usize) -> Option<Vec<Cut>> {
        let block = self.blocks.last()?;
        Some(vec![self.cut(offset, block.start, &[]), self.tail(block)])
    }

    /// Keeps `else { ... }`.
    fn with_else(&self, put: &[Kind]) -> Option<Vec<Cut>> {
        let block = self.blocks.first().filter(|block| self.tokens[block.start - 1].kind == Kind::Else)?;
        if self.at >= block.end { Some(vec![self.tail(block)]) } else { Some(vec![self.cut(1, block.start - 1, put)]) }
    }

    /// `segment NAME = <bad>`
    fn binding(&self) -> Option<Vec<Cut>> {
        let equal = (self.start..self.end.min(self.at)).find(|index| self.tokens[*index].kind == Kind::Equal);
        Some(match equal {
            Some(equal) => vec![self.cut(equal + 1 - self.start, self.end, &[Kind::Bad])],
            None => vec![self.cut(2, self.end, &[Kind::Equal, Kind::Bad])],
        })
    }

    /// `send CHANNEL to <bad> as NAME`
    fn send(&self) -> Option<Vec<Cut>> {
        let length = self.end - self.start;
        let named = length > 4 && self.kind(length - 2) == Some(Kind::As) && self.is_name(length - 1);
        let to = if named { self.end - 2 } else { self.end };
        Some(vec![self.cut(2, to, &[Kind::To, Kind::Bad])])
    }

    /// `name: <bad>`
    fn item(&self) -> Option<Vec<Cut>> {
        match self.kind(1) {
            Some(Kind::Colon) if self.at > self.start + 1 => Some(vec![self.cut(2, self.end, &[Kind::Bad])]),
            Some(Kind::Colon) => None,
            _ => Some(vec![self.cut(1, self.end, &[Kind::Colon, Kind::Bad])]),
        }
    }
}

/// The outermost pairs of braces in `range`.
fn blocks(tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut depth = 0_usize;
    let mut open = None;
    for index in range {
        match tokens[index].kind {
            Kind::ParenOpen | Kind::SquareOpen | Kind::HoleOpen | Kind::BraceOpen => {
                if depth == 0 && tokens[index].kind == Kind::BraceOpen {
                    open = Some(index);
                }
                depth += 1;
            }
            Kind::ParenClose | Kind::SquareClose | Kind::HoleClose | Kind::BraceClose => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(open) = open.take()
                {
                    blocks.push(open..index + 1);
                }
            }
            _ => {}
        }
    }
    blocks
}
