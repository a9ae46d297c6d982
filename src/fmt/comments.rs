//! Which comment belongs to which token.

use std::collections::HashMap;

use crate::syntax::Comment;
use crate::syntax::token::{Kind, Token};

/// Comments by the index of the token they belong to.
#[derive(Debug, Default)]
pub struct Comments {
    /// On lines of their own above a token; those at the end of the text belong to the index after the last token.
    pub above: HashMap<usize, Vec<Comment>>,
    /// Behind a token on its line.
    pub behind: HashMap<usize, Comment>,
}

impl Comments {
    /// Distributes the comments; those inside strings are left to the strings.
    pub fn new(tokens: &[Token], comments: &[Comment]) -> Self {
        let mut all = Comments::default();
        let written: Vec<usize> = (0..tokens.len()).filter(|at| is_kept(tokens[*at])).collect();
        let strings = strings(tokens);
        for comment in comments {
            let before = strings.partition_point(|(start, _)| *start < comment.start);
            if before.checked_sub(1).is_some_and(|at| comment.start < strings[at].1) {
                continue;
            }
            let next = written.partition_point(|at| tokens[*at].start < comment.start);
            match next.checked_sub(1).map(|before| written[before]) {
                Some(before) if !comment.own_line => {
                    all.behind.insert(before, *comment);
                }
                _ => {
                    let below = written.get(next).copied().unwrap_or(tokens.len());
                    all.above.entry(below).or_default().push(*comment);
                }
            }
        }
        all
    }
}

/// True for tokens that are printed as they are.
fn is_kept(token: Token) -> bool {
    token.kind != Kind::End && token.end > token.start
}

/// The places of strings with holes; those inside others are not listed.
fn strings(tokens: &[Token]) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    for token in tokens {
        match token.kind {
            Kind::TemplateOpen => {
                if depth == 0 {
                    start = token.start;
                }
                depth += 1;
            }
            Kind::TemplateClose => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    places.push((start, token.end));
                }
            }
            _ => {}
        }
    }
    places
}
