//! Keys, and what points to them.

use super::names::{is_named_after, key_rank, singular, words};
use super::profile::Profile;
use super::{Found, Keys};
use crate::hir::TyKind;

/// Of a hundred cells of a foreign key, so many are keys at least: data has orphans.
const LEAST_CONTAINED: u64 = 90;

/// So many distinct texts are no accident when all of them are keys elsewhere.
const TELLING: usize = 20;

/// An entity with what its values and those of others tell.
pub(super) struct Related<'f> {
    pub found: &'f Found,
    /// Index of the key column.
    pub key: Option<usize>,
    pub relations: Vec<Relation>,
}

/// `name: one entity by column`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Relation {
    pub name: String,
    pub many: bool,
    pub entity: String,
    pub column: String,
}

/// Finds keys, and relations in both directions.
pub(super) fn relate(all: &[Found]) -> Vec<Related<'_>> {
    let mut related: Vec<Related> =
        all.iter().map(|found| Related { found, key: key(found, all), relations: Vec::new() }).collect();
    for (from, found) in all.iter().enumerate() {
        for column in &found.columns {
            if let Some(to) = declared(all, found, column).unwrap_or_else(|| target(&related, from, column)) {
                connect(&mut related, from, to, column);
            }
        }
    }
    related
}

/// The entity that a column points to by a foreign key, if it has one: that of the table, when it is declared too and
/// what the column points to is its key.
fn declared(all: &[Found], found: &Found, column: &Profile) -> Option<Option<usize>> {
    let (_, table, key) = found.keys.as_ref()?.foreign.iter().find(|(name, ..)| *name == column.name)?;
    let is_key = |other: &Found| other.keys.as_ref().is_some_and(|keys| keys.primary == [key.clone()]);
    Some(all.iter().position(|other| other.written == *table && is_key(other)))
}

/// The column that is the key: the one that the database names, or one whose name and values are those of a key.
fn key(found: &Found, all: &[Found]) -> Option<usize> {
    if let Some(Keys { primary, .. }) = &found.keys
        && let [first, more @ ..] = primary.as_slice()
    {
        // What has several columns is a key, but nothing points to it by one.
        return found.columns.iter().position(|column| more.is_empty() && column.name == *first);
    }
    let candidates = found.columns.iter().enumerate().filter_map(|(at, column)| {
        let rank = key_rank(&column.name, &found.name)?;
        // `customer_id` may be unique among orders, too, and is the customers' nevertheless.
        if all.iter().any(|other| other.name != found.name && is_named_after(&column.name, &other.name)) {
            return None;
        }
        let identifies = column.nulls == 0 && column.is_unique();
        let kind = matches!(column.ty().kind, TyKind::Int | TyKind::Text);
        // What is unique in the first rows only must be called a key as well.
        (identifies && kind && (found.whole || rank <= 1)).then_some((rank, at))
    });
    candidates.min().map(|(_, at)| at)
}

/// The entity that a column points to.
fn target(related: &[Related], from: usize, column: &Profile) -> Option<usize> {
    let own_key = related[from].key.map(|at| &related[from].found.columns[at].name);
    let is_own_key = own_key == Some(&column.name);
    let candidates = related.iter().enumerate().filter_map(|(to, other)| {
        let key = &other.found.columns[other.key?];
        if (to == from && is_own_key) || key.ty().kind != column.ty().kind || column.filled == 0 {
            return None;
        }
        // Of two entities with the same keys, the smaller one points to the greater.
        let smaller = (related[from].found.rows, to) < (other.found.rows, from);
        if is_own_key && !smaller {
            return None;
        }
        let found = column.values.iter().filter(|(value, _)| key.values.contains_key(value));
        let contained: u64 = found.map(|(_, times)| times).sum();
        let total: u64 = column.values.values().sum();
        let enough = contained * 100 >= total * LEAST_CONTAINED;
        let all = contained == total;
        let named = refers(&column.name, &other.found.name, &key.name, to == from);
        let telling = all && to != from && column.ty().kind == TyKind::Text && column.values.len() >= TELLING;
        let rank = named.or((telling && !is_own_key).then_some(UNNAMED))?;
        ((enough || !other.found.whole) && contained > 0).then_some((rank, total - contained, to))
    });
    candidates.min().map(|(_, _, to)| to)
}

/// Rank of a column that points somewhere by its values only.
const UNNAMED: u8 = 4;

/// How much a column's name says that it points to `key` of `entity`; 0 is most.
fn refers(column: &str, entity: &str, key: &str, itself: bool) -> Option<u8> {
    let (column, own, key) = (words(column), words(&singular(entity)), words(key));
    let last = key.last()?;
    let expected: Vec<String> = own.iter().chain([last]).cloned().collect();
    if column == expected {
        return Some(0);
    }
    if column.ends_with(&expected) || (itself && column.len() == 2 && column[0] == "parent" && column[1] == *last) {
        return Some(1);
    }
    if column == key && !itself && (column.len() > 1 || last != "id") {
        return Some(1);
    }
    if column == own && !itself {
        return Some(2);
    }
    (column.len() > 1 && column.last() == Some(last) && last != "id" && last != "no" && !itself).then_some(3)
}

/// Adds the relation in both directions, under names that are free.
fn connect(related: &mut [Related], from: usize, to: usize, column: &Profile) {
    let target = related[to].found;
    let source = related[from].found;
    let key_words = related[to].key.map(|at| words(&target.columns[at].name)).unwrap_or_default();
    let mut role = words(&column.name);
    if role.len() > 1 && role.last() == key_words.last() {
        role.pop();
    }
    let role = role.join("_");
    let one = singular(&target.name);
    let (column, entity) = (column.name.clone(), target.name.clone());
    if let Some(name) = related[from].free([role.clone(), one.clone(), format!("{role}_{one}")]) {
        related[from].relations.push(Relation { name, many: false, entity, column: column.clone() });
    }
    let itself = from == to;
    let usual = if itself { "children".to_owned() } else { source.name.clone() };
    if let Some(name) = related[to].free([usual, format!("{role}_{}", source.name)]) {
        related[to].relations.push(Relation { name, many: true, entity: source.name.clone(), column });
    }
}

impl Related<'_> {
    /// Is this column the key, or a part of it?
    pub fn is_key(&self, at: usize) -> bool {
        let primary = self.found.keys.as_ref().map_or(&[][..], |keys| &keys.primary);
        self.key == Some(at) || primary.contains(&self.found.columns[at].name)
    }

    /// The first name that nothing of the entity has.
    fn free<const N: usize>(&self, names: [String; N]) -> Option<String> {
        let taken = |name: &String| {
            self.found.columns.iter().any(|column| column.name == *name)
                || self.relations.iter().any(|relation| relation.name == *name)
        };
        names.into_iter().find(|name| !taken(name))
    }
}
