//! Tables of a manifest: laying a profile over the rest, taking out a wrong entry.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Sections that hold named tables: `[channel.email]`.
const NAMED: &[&str] = &["source", "channel", "alert"];

/// `base` with what `over` says instead. Keys of a section are laid over one by one, their values are replaced.
pub(super) fn overlay<'i>(base: &DeTable<'i>, over: &DeTable<'i>) -> DeTable<'i> {
    let mut result = base.clone();
    for (section, value) in over {
        let depth = if NAMED.contains(&section.get_ref().as_ref()) { 2 } else { 1 };
        lay(&mut result, section, value, depth);
    }
    result
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

fn lay<'i>(into: &mut DeTable<'i>, key: &Key<'i>, value: &Spanned<DeValue<'i>>, depth: usize) {
    let below = into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
    match (below, value.get_ref()) {
        (Some(DeValue::Table(below)), DeValue::Table(above)) if depth > 0 => {
            for (key, value) in above {
                lay(below, key, value, depth - 1);
            }
        }
        _ => {
            // The key is replaced with its value, so that problems point at the profile.
            into.remove(key.get_ref().as_ref());
            into.insert(key.clone(), value.clone());
        }
    }
}

/// Removes the innermost entry whose key or value covers `range`; false if there is none.
pub(super) fn take_out(table: &mut DeTable<'_>, range: &Range<usize>) -> bool {
    let covers = |span: Range<usize>| span.start <= range.start && range.end <= span.end;
    for (_, value) in table.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut()
            && take_out(inner, range)
        {
            return true;
        }
    }
    let wrong = table.iter().find(|(key, value)| covers(key.span()) || covers(value.span()));
    let wrong = wrong.map(|(key, _)| key.get_ref().clone().into_owned());
    wrong.is_some_and(|key| table.remove(key.as_str()).is_some())
}
