//! What a step says, without where it stands in its file: equal for two versions of a script that mean the same.
//!
//! The text is that of the tree in debug form, with places left out, names in the place of ids, and rows numbered as they
//! occur. It is compared within one process and never kept.

use std::collections::BTreeSet;
use std::fmt::Debug;

use super::super::{Plan, Step};
use crate::hir::{LocalId, Ty};

/// The shape of a step, without the blocks inside it.
pub fn step(plan: &Plan, step: &Step) -> String {
    of(plan, &step.kind)
}

/// The shape of a type.
pub fn ty(plan: &Plan, ty: &Ty) -> String {
    of(plan, ty)
}

/// Every name of the campaign that a step binds or uses.
pub fn locals(step: &Step) -> BTreeSet<LocalId> {
    let text = format!("{:?}", step.kind);
    let mut found = BTreeSet::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("LocalId(") {
        rest = &rest[at + "LocalId(".len()..];
        let digits = rest.find(')').unwrap_or(0);
        found.extend(rest[..digits].parse().ok().map(LocalId));
    }
    found
}

fn of(plan: &Plan, value: &dyn Debug) -> String {
    let text = format!("{value:?}");
    let mut out = String::with_capacity(text.len());
    let mut rows: Vec<&str> = Vec::new();
    let mut rest = text.as_str();
    // Ids are words with a number in parentheses; everything else is copied.
    while let Some(at) = rest.find(['S', 'B', 'L', 'R', 'E', 'M', 'P', 'T', 'C']) {
        let (before, word) = rest.split_at(at);
        out.push_str(before);
        if word.starts_with("Span {") {
            rest = word
                .find("end: ")
                .and_then(|end| word[end..].find('}').map(|close| &word[end + close + 1..]))
                .unwrap_or("");
            continue;
        }
        let end = word.find(|sign: char| !sign.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (name, behind) = word.split_at(end.max(1));
        rest = behind;
        let number = name.ends_with("Id").then(|| behind.strip_prefix('(')?.split_once(')')).flatten();
        let Some((digits, after)) = number else {
            out.push_str(name);
            continue;
        };
        rest = after;
        if name == "RowId" {
            let at = rows.iter().position(|row| *row == digits).unwrap_or_else(|| {
                rows.push(digits);
                rows.len() - 1
            });
            out.push_str(&format!("row {at}"));
        } else {
            out.push_str(&named(plan, name, digits));
        }
    }
    out + rest
}

/// The name behind an id.
fn named(plan: &Plan, kind: &str, digits: &str) -> String {
    let program = &plan.program;
    let at = digits.parse::<usize>().unwrap_or(usize::MAX);
    let found = match kind {
        "LocalId" => plan.campaign().locals.get(at).map(|local| &local.name),
        "EntityId" => program.entities.get(at).map(|entity| &entity.name),
        "MessageId" => program.messages.get(at).map(|message| &message.name),
        "SignalId" => program.signals.get(at).map(|signal| &signal.name),
        "TopicId" => program.topics.get(at).map(|topic| &topic.name),
        "ChannelId" => program.channels.get(at).map(|channel| &channel.name),
        "PolicyId" => program.policies.get(at).map(|policy| &policy.name),
        // Blocks are compared by themselves.
        "BlockId" => return "block".to_owned(),
        _ => None,
    };
    found.map_or_else(|| format!("{kind}({digits})"), |name| format!("`{name}`"))
}
