//! One row: a message now or later, or the one reason why not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::contacts::{Contacts, PersonHash};
use super::policy::{Rules, Turn, Zones};
use super::rows::{ADDRESS, CONSENT, Contents, FieldContent, MOMENT, PROFILE, Piece, ROW, ZONES};
use crate::hir::{TyKind, Value};
use crate::plan::query::{QueryError, values};
use crate::runtime::audiences::Remembered;
use crate::runtime::channels::{Content, Email, OutgoingMessage, SendContext, SendKey};
use crate::runtime::content::{address, escape_html};
use crate::runtime::executor::keys::KeyNames;
use crate::runtime::executor::person::{Person, comparable};
use crate::runtime::store::{Reason, StoreError};

/// What all rows of a send have in common.
pub(super) struct Decider {
    pub contents: Arc<Contents>,
    pub context: Arc<SendContext>,
    /// The kind of address that the channel needs.
    pub address_kind: TyKind,
    pub is_email: bool,
    /// Patterns of addresses that may be written to in this profile; empty means all.
    pub allow: Vec<String>,
    pub zone: TimeZone,
    /// When, and how often, people may be written to.
    pub rules: Rules,
    /// When the send began: from here the next time of day counts.
    pub begun: Timestamp,
    /// How a row says who it is; none for messages about which nobody has a say.
    pub person: Option<Person>,
    /// Who does not want messages of the send's topic; none for messages that nobody can unsubscribe from.
    pub unsubscribed: Option<Unsubscribed>,
    pub keys: KeyNames,
    /// Run, and step with branch: what the send key is derived from.
    pub run: String,
    pub instance: String,
}

/// People and addresses that want nothing of a topic, as hashes.
pub(super) struct Unsubscribed {
    known: HashSet<[u8; 16]>,
}

impl Unsubscribed {
    /// What is known now. What our own state says of a person counts more than what the one beneath it says.
    pub fn load(remembered: &[Remembered<'_>], topic: &str) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        let seen = remembered.iter().flat_map(|one| one.realms().iter().map(move |realm| (one, *realm)));
        for (one, realm) in seen.collect::<Vec<_>>().into_iter().rev() {
            one.store.subscriptions(realm, topic, &mut |person, address, subscribed| {
                let entry = digest(&[person, address]);
                if subscribed {
                    known.remove(&entry);
                } else {
                    known.insert(entry, if address.is_empty() { digest(&["", person]) } else { digest(&[address]) });
                }
            })?;
        }
        Ok(Self { known: known.into_values().collect() })
    }

    /// The strictest answer wins: the person has unsubscribed, or somebody with this address has.
    fn holds(&self, person: Option<&str>, address: Option<&str>) -> bool {
        person.is_some_and(|person| self.known.contains(&digest(&["", person])))
            || address.is_some_and(|address| self.known.contains(&digest(&[address])))
    }
}

/// Half of a hash, which is enough to tell people apart.
fn digest(parts: &[&str]) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(parts.join("\0").as_bytes()).as_bytes()[..16]);
    digest
}

/// What became of a row.
pub(super) enum Decision {
    Message(Box<ToSend>),
    /// Nothing is decided before this instant.
    Held(Timestamp),
    Excluded {
        reason: Reason,
        detail: String,
    },
}

/// A message that goes out now.
pub(super) struct ToSend {
    pub message: OutgoingMessage,
    /// Whom it counts for.
    pub person: Option<PersonHash>,
    /// After the moment that was meant for it.
    pub late: bool,
}

/// What was decided about a row before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Before {
    /// Nothing.
    New,
    /// It was to be sent and has certainly not left: caps and duplicates were looked at then.
    Retried,
    /// It may have left: its time has come already.
    InDoubt,
}

/// What else a chunk of rows is decided by.
pub(super) struct Present<'p> {
    pub now: Timestamp,
    /// Time never passes: what would be held goes out at once.
    pub stands: bool,
    /// What was decided about a row.
    pub before: &'p dyn Fn(u64) -> Before,
    pub contacts: Contacts<'p>,
    /// Addresses that a message of this send was meant for.
    pub addresses: &'p mut HashSet<[u8; 16]>,
}

/// A decided row.
pub(super) struct Decided {
    pub row: u64,
    pub entity: String,
    pub decision: Decision,
}

impl Decider {
    /// Decides the rows that stand `at` these places of a batch.
    pub fn batch(
        &self,
        batch: &RecordBatch,
        at: &[usize],
        present: &mut Present<'_>,
    ) -> Result<Vec<Decided>, QueryError> {
        let rows = Columns::new(batch);
        let numbers = rows.required(ROW)?.as_primitive::<datafusion::arrow::datatypes::Int64Type>().clone();
        let keys = self.keys.locate(&batch.schema());
        let mut out = Vec::with_capacity(at.len());
        for at in at.iter().copied() {
            let row = numbers.value(at) as u64;
            let nameless = || QueryError::Engine("a row of the send has no key".to_string());
            let entity = keys.text(batch, at)?.ok_or_else(nameless)?;
            let decision = self.row(&rows, at, &entity, (present.before)(row), present)?;
            out.push(Decided { row, entity, decision });
        }
        Ok(out)
    }

    /// Looks for reasons in their order, renders last.
    fn row(
        &self,
        rows: &Columns<'_>,
        at: usize,
        entity: &str,
        before: Before,
        present: &mut Present<'_>,
    ) -> Result<Decision, QueryError> {
        let excluded = |reason, detail: &str| Ok(Decision::Excluded { reason, detail: detail.to_string() });
        if rows.value(PROFILE, at)? == Some(Value::Null) {
            return excluded(Reason::NoProfile, "");
        }
        let written = match rows.value(ADDRESS, at)? {
            Some(Value::Text(text)) if !text.trim().is_empty() => text,
            _ => return excluded(Reason::NoAddress, ""),
        };
        let address = match self.valid(&written) {
            Ok(address) => address,
            Err(reason) => return excluded(Reason::InvalidAddress, &format!("{written}: {reason}")),
        };
        match rows.value(CONSENT, at)? {
            None | Some(Value::Bool(true)) => {}
            Some(_) => return excluded(Reason::NoConsent, ""),
        }
        let person = self.person.as_ref().map(|person| person.name(|name| rows.value(name, at))).transpose()?.flatten();
        let needs_address = self.unsubscribed.is_some() || (self.person.is_some() && person.is_none());
        let compared = if needs_address { comparable(&self.address_kind, &address) } else { None };
        if let Some(unsubscribed) = &self.unsubscribed
            && unsubscribed.holds(person.as_deref(), compared.as_deref())
        {
            return excluded(Reason::Unsubscribed, "");
        }
        // Somebody without a name of their own is whom the address reaches.
        let known_as = person.or_else(|| compared.as_ref().map(|address| format!("@{address}")));
        let late = match self.by_rules(rows, at, known_as.as_deref(), before, present)? {
            Turn::Now { late } => late,
            Turn::Later(at) => return Ok(Decision::Held(at)),
            Turn::Never(reason, detail) => return excluded(reason, detail),
        };
        let only_once = self.rules.unique_address && before == Before::New;
        let only_once = only_once.then(|| self.address_hash(&address));
        if only_once.is_some_and(|hash| present.addresses.contains(&hash)) {
            return excluded(Reason::DuplicateAddress, &address);
        }
        if !self.allow.is_empty() && !self.allow.iter().any(|pattern| matches(pattern, &address)) {
            return excluded(Reason::NotAllowed, &address);
        }
        let fields = match self.render(rows, at)? {
            Ok(fields) => fields,
            Err(message) => return excluded(Reason::RenderFailed, &message),
        };
        let person = self.person.as_ref().and(known_as).map(|person| digest(&[&person]));
        if before == Before::New {
            person.into_iter().for_each(|person| present.contacts.add(person));
            present.addresses.extend(only_once);
        }
        let message = OutgoingMessage {
            key: SendKey::derive(&self.run, &self.instance, 0, entity),
            address,
            content: self.content(fields),
            date: present.now,
            entity: entity.to_string(),
            context: self.context.clone(),
        };
        Ok(Decision::Message(Box::new(ToSend { message, person, late })))
    }

    /// Names the address, however it is written.
    pub fn address_hash(&self, address: &str) -> [u8; 16] {
        digest(&[comparable(&self.address_kind, address).as_deref().unwrap_or(address)])
    }

    /// Holdout, caps, and the time of day.
    fn by_rules(
        &self,
        rows: &Columns<'_>,
        at: usize,
        known_as: Option<&str>,
        before: Before,
        present: &Present<'_>,
    ) -> Result<Turn, QueryError> {
        let rules = &self.rules;
        if before == Before::InDoubt {
            return Ok(Turn::Now { late: false });
        }
        if known_as.is_some_and(|person| rules.holds_out(person)) {
            return Ok(Turn::Never(Reason::Holdout, ""));
        }
        let own = if rules.need_zone() { self.zone_of(rows, at)? } else { None };
        let zones = Zones { campaign: &self.zone, person: own.as_ref().unwrap_or(&self.zone) };
        let turn = match before {
            Before::New => rules.turn(rows.value(MOMENT, at)?.as_ref(), self.begun, present.now, &zones),
            Before::Retried | Before::InDoubt => rules.again(present.now, &zones),
        };
        let turn = match turn {
            Turn::Later(_) if present.stands => Turn::Now { late: false },
            turn => turn,
        };
        if before == Before::New
            && matches!(turn, Turn::Now { .. })
            && let Some(person) = known_as
            && present.contacts.reached(&rules.caps, &digest(&[person]), present.now).map_err(unreadable)?.is_some()
        {
            return Ok(Turn::Never(Reason::Capped, ""));
        }
        Ok(turn)
    }

    /// The zone of the profile, else of the row; none when neither says one that exists.
    fn zone_of(&self, rows: &Columns<'_>, at: usize) -> Result<Option<TimeZone>, QueryError> {
        for column in ZONES {
            if let Some(Value::Text(name)) = rows.value(column, at)?
                && let Ok(zone) = TimeZone::get(&name)
            {
                return Ok(Some(zone));
            }
        }
        Ok(None)
    }

    /// The address as it is written to.
    fn valid(&self, written: &str) -> Result<String, &'static str> {
        match self.address_kind {
            TyKind::Email => {
                address::email(written).map(|address| address.to_string()).map_err(|invalid| invalid.reason)
            }
            TyKind::Phone => address::phone(written).map_err(|invalid| invalid.reason),
            _ => Ok(written.trim().to_string()),
        }
    }

    /// The fields' texts, or why a template could not be rendered.
    fn render(&self, rows: &Columns<'_>, at: usize) -> Result<Result<Vec<(String, String)>, String>, QueryError> {
        let mut out = Vec::with_capacity(self.contents.fields.len());
        for (name, content) in &self.contents.fields {
            let text = match content {
                FieldContent::Inline { parts, html } => self.inline(rows, at, parts, *html)?,
                FieldContent::File { template, variables } => {
                    let mut values = serde_json::Map::new();
                    for (variable, column) in variables {
                        values.insert(variable.clone(), rows.json(column, at, &self.zone)?);
                    }
                    match template.render(&values) {
                        Ok(text) => text,
                        Err(error) => return Ok(Err(error.to_string())),
                    }
                }
            };
            out.push((name.clone(), text));
        }
        Ok(Ok(out))
    }

    fn inline(&self, rows: &Columns<'_>, at: usize, parts: &[Piece], html: bool) -> Result<String, QueryError> {
        let mut out = String::new();
        for part in parts {
            match part {
                Piece::Text(text) => out.push_str(text),
                Piece::Column { name, safe } => {
                    let text = rows.value(name, at)?.unwrap_or(Value::Null).to_text(&self.zone);
                    if html && !safe {
                        out.push_str(&escape_html(&text));
                    } else {
                        out.push_str(&text);
                    }
                }
            }
        }
        Ok(out)
    }

    fn content(&self, fields: Vec<(String, String)>) -> Content {
        if !self.is_email {
            return Content::Fields(fields);
        }
        let mut email = Email::default();
        for (name, value) in fields {
            match name.as_str() {
                "subject" => email.subject = value,
                "preheader" => email.preheader = Some(value),
                "text" => email.text = Some(value),
                "html" => email.html = Some(value),
                "from" => email.from = Some(value),
                "reply_to" => email.reply_to = Some(value),
                _ => {}
            }
        }
        Content::Email(email)
    }
}

fn unreadable(error: StoreError) -> QueryError {
    QueryError::Source(error.to_string())
}

/// `*@shop.test`, `ann@shop.test`, `*`: one star stands for anything.
fn matches(pattern: &str, address: &str) -> bool {
    let (pattern, address) = (pattern.to_lowercase(), address.to_lowercase());
    match pattern.split_once('*') {
        None => pattern == address,
        Some((before, after)) => {
            address.len() >= before.len() + after.len() && address.starts_with(before) && address.ends_with(after)
        }
    }
}

/// A value with the names of its parts: the rows of a `list` are objects.
fn json(array: &dyn Array, at: usize, zone: &TimeZone) -> Result<Json, QueryError> {
    if array.is_null(at) {
        return Ok(Json::Null);
    }
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(at);
            (0..items.len()).map(|at| json(&items, at, zone)).collect()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns.map(|(field, column)| Ok((field.name().clone(), json(column, at, zone)?))).collect()
        }
        _ => Ok(values::from_array(array, at)?.to_json(zone)),
    }
}

/// Columns of a batch by name.
struct Columns<'b> {
    batch: &'b RecordBatch,
    index: std::collections::HashMap<String, usize>,
}

impl<'b> Columns<'b> {
    fn new(batch: &'b RecordBatch) -> Self {
        let schema = batch.schema();
        let index = schema.fields().iter().enumerate().map(|(at, field)| (field.name().clone(), at)).collect();
        Self { batch, index }
    }

    fn required(&self, name: &str) -> Result<&ArrayRef, QueryError> {
        let at = self.index.get(name).ok_or_else(|| QueryError::Engine(format!("the column {name} is missing")))?;
        Ok(self.batch.column(*at))
    }

    /// The value in a row; `None` when the send has no such column.
    fn value(&self, name: &str, at: usize) -> Result<Option<Value>, QueryError> {
        let Some(column) = self.index.get(name) else { return Ok(None) };
        values::from_array(self.batch.column(*column).as_ref(), at).map(Some)
    }

    /// The value in a row as file templates see it.
    fn json(&self, name: &str, at: usize, zone: &TimeZone) -> Result<Json, QueryError> {
        json(self.required(name)?.as_ref(), at, zone)
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_of_allowed_recipients() {
        let table = [
            ("*@shop.test", "Ann@Shop.test", true),
            ("*@shop.test", "ann@shop.test.evil", false),
            ("ann@shop.test", "ann@shop.test", true),
            ("ann@shop.test", "bob@shop.test", false),
            ("*", "x@y.test", true),
            ("a*a", "a", false),
        ];
        for (pattern, address, expected) in table {
            assert_eq!(matches(pattern, address), expected, "{pattern} {address}");
        }
    }
}
