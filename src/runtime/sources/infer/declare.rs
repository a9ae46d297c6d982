//! Writing declarations.

use std::collections::HashSet;

use super::relations::{Related, relate};
use super::{Found, names};
use crate::base::SourceId;
use crate::hir::{Ty, TyKind, quoted_name};

/// Declarations made from data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inferred {
    /// The declarations, formatted.
    pub text: String,
    /// The entities, in order.
    pub entities: Vec<String>,
    /// The entity of people who can be written to, if there is one.
    pub people: Option<People>,
}

/// What a first script needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct People {
    /// The entity's name.
    pub entity: String,
    /// A field with a first name or a name, and whether it may be null.
    pub name: Option<(String, bool)>,
    /// The field that says who agreed to email.
    pub consent: Option<String>,
}

/// Declares everything that was found.
pub(super) fn declare(mut all: Vec<Found>) -> Inferred {
    distinct_names(&mut all);
    for found in &mut all {
        // A name that stands in the header twice cannot be told apart, one that is empty not be written.
        let rows = found.rows;
        found.columns.retain(|column| column.filled <= rows && is_writable(&column.name));
    }
    let related = relate(&all);
    let text: Vec<String> = related.iter().map(entity).collect();
    let text = format!("{HEAD}\n{}", text.join("\n"));
    let text = crate::fmt::format(SourceId(0), &text).unwrap_or(text);
    let entities = all.iter().map(|found| found.name.clone()).collect();
    Inferred { text, entities, people: people(&related) }
}

const HEAD: &str =
    "# Made from data by `orch schema infer`. Keys, relations and lists of values are what the data suggests.
";

fn is_writable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['`', '\n'])
}

/// Two files of the same name are two entities.
fn distinct_names(all: &mut [Found]) {
    let mut taken = HashSet::new();
    for found in all {
        let name = found.name.clone();
        let mut number = 2;
        while !taken.insert(found.name.clone()) {
            found.name = format!("{name}_{number}");
            number += 1;
        }
    }
}

fn entity(related: &Related) -> String {
    let found = related.found;
    let mut text = String::new();
    if !found.whole {
        text += &format!("# The first {} rows were looked at.\n", found.rows);
    }
    text += &format!("entity {} from {} {{\n", quoted_name(&found.name), found.written);
    let width = related.found.columns.iter().map(|column| quoted_name(&column.name).chars().count());
    let width = width.chain(related.relations.iter().map(|relation| relation.name.chars().count())).max().unwrap_or(0);
    for (at, column) in found.columns.iter().enumerate() {
        let name = format!("{}:", quoted_name(&column.name));
        let key = if related.is_key(at) { " key" } else { "" };
        let ty = if key.is_empty() { ty(related, at) } else { word(&column.ty().kind).to_owned() };
        text += &format!("  {name:<0$} {ty}{key}\n", width + 1);
    }
    for relation in &related.relations {
        let name = format!("{}:", quoted_name(&relation.name));
        let (count, entity) = (if relation.many { "many" } else { "one" }, quoted_name(&relation.entity));
        text += &format!("  {name:<0$} {count} {entity} by {1}\n", width + 1, quoted_name(&relation.column));
    }
    for (channel, field) in consents(found) {
        text += &format!("  consent {channel} = {}\n", quoted_name(field));
    }
    text + "}\n"
}

/// The type as it is written.
fn ty(related: &Related, at: usize) -> String {
    let column = &related.found.columns[at];
    let Ty { kind, nullable } = column.ty();
    let points = related.relations.iter().any(|relation| !relation.many && relation.column == column.name);
    // What a database declares holds for all rows, whichever were looked at.
    let declared = related.found.keys.is_some();
    let certain = related.found.whole || declared && matches!(kind, TyKind::Enumeration(_));
    let values = column.enumeration().filter(|_| certain && !points);
    let mut text = match values {
        Some(values) => alternatives(&values),
        None => word(&kind).to_owned(),
    };
    if nullable || !(related.found.whole || declared) {
        text.push('?');
    }
    text
}

fn alternatives(values: &[&str]) -> String {
    let written = |value: &&str| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "{{").replace('}', "}}");
        format!("\"{value}\"")
    };
    values.iter().map(written).collect::<Vec<_>>().join(" | ")
}

fn word(kind: &TyKind) -> &'static str {
    TyKind::names().find(|name| TyKind::named(name).as_ref() == Some(kind)).unwrap_or("text")
}

/// Channels, and the field that says whether a person agreed.
fn consents(found: &Found) -> Vec<(&'static str, &str)> {
    let has = |kind: TyKind| found.columns.iter().any(|column| column.ty().kind == kind);
    let flag = |fits: &dyn Fn(&[String]) -> bool| {
        let bools = found.columns.iter().filter(|column| column.ty().kind == TyKind::Bool);
        bools.map(|column| column.name.as_str()).find(|name| fits(&names::words(name)))
    };
    let agrees = |words: &[String]| {
        words.ends_with(&["opt".into(), "in".into()])
            || words
                .last()
                .is_some_and(|last| matches!(last.as_str(), "optin" | "consent" | "newsletter" | "subscribed"))
    };
    let is = |words: &[String], channel: &str| words.first().is_some_and(|first| first == channel);
    let email = flag(&|words| agrees(words) && (is(words, "email") || is(words, "newsletter") || words.len() <= 2));
    let sms = flag(&|words| agrees(words) && (is(words, "sms") || is(words, "phone") || is(words, "mobile")));
    let email = email.filter(|name| Some(*name) != sms && has(TyKind::Email)).map(|name| ("email", name));
    let sms = sms.filter(|_| has(TyKind::Phone)).map(|name| ("sms", name));
    email.into_iter().chain(sms).collect()
}

/// The largest entity with an address and a key.
fn people(related: &[Related]) -> Option<People> {
    let addressed = |entity: &&Related| {
        entity.key.is_some() && entity.found.columns.iter().any(|column| column.ty().kind == TyKind::Email)
    };
    let own = |entity: &Related| {
        entity
            .found
            .columns
            .iter()
            .any(|column| column.ty().kind == TyKind::Email && names::words(&column.name).len() == 1)
    };
    let entity = related.iter().filter(addressed).max_by_key(|entity| (own(entity), entity.found.rows))?;
    let wanted = ["first_name", "firstname", "given_name", "name", "full_name"];
    let name = wanted.iter().find_map(|wanted| {
        let mut columns = entity.found.columns.iter();
        let column = columns.find(|column| names::words(&column.name).join("_") == *wanted)?;
        Some((quoted_name(&column.name), column.ty().nullable))
    });
    let consent = consents(entity.found).into_iter().find(|(channel, _)| *channel == "email");
    let consent = consent.map(|(_, field)| quoted_name(field));
    Some(People { entity: quoted_name(&entity.found.name), name, consent })
}
