//! What is known of a column after a look at its cells.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::tz::TimeZone;

use super::candidates::{self, Candidate};
use super::names;
use crate::hir::{Ty, TyKind};
use crate::runtime::sources::cell::Reading;

/// More distinct texts than this are not the values of an enumeration.
const MOST_VALUES: usize = 24;

/// Texts that look like addresses, in percent, before a column that is named so is taken for one. Real data has slips,
/// and whether an address is well formed is looked at when something is sent.
const NAMED_SHARE: u64 = 60;
const UNNAMED_SHARE: u64 = 97;

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub name: String,
    /// The type, where the file tells it.
    typed: Option<TyKind>,
    candidates: Vec<Candidate>,
    /// Cells with a value.
    pub filled: u64,
    pub nulls: u64,
    /// Does the database forbid null?
    never_null: bool,
    /// Hashes of the distinct values, with their number.
    pub values: HashMap<u64, u64>,
    /// Distinct texts with their number, as long as they are few.
    few: Option<BTreeMap<String, u64>>,
    emails: u64,
    phones: u64,
    urls: u64,
    zones: u64,
}

impl Profile {
    /// A column of a text file.
    pub fn new(name: String, reading: &Reading) -> Self {
        Self { candidates: candidates::all(reading), ..Self::typed(name, None) }
    }

    /// A column whose file tells the type.
    pub fn typed(name: String, typed: Option<TyKind>) -> Self {
        Self {
            name,
            typed,
            candidates: Vec::new(),
            filled: 0,
            nulls: 0,
            never_null: false,
            values: HashMap::new(),
            few: Some(BTreeMap::new()),
            emails: 0,
            phones: 0,
            urls: 0,
            zones: 0,
        }
    }

    /// A cell without value.
    pub fn null(&mut self) {
        self.nulls += 1;
    }

    /// Notes whether the database allows null, whatever was seen.
    pub(in crate::runtime::sources) fn may_be_null(&mut self, allowed: bool) {
        self.never_null = !allowed;
        self.nulls = if allowed { self.nulls.max(1) } else { 0 };
    }

    /// A text that can be nothing else: a JSON string.
    pub fn text(&mut self, cell: &str, reading: &Reading) {
        self.candidates.retain(|candidate| matches!(candidate.ty(), TyKind::Date | TyKind::Timestamp | TyKind::Time));
        self.cell(cell, reading);
    }

    /// A cell with a value.
    pub fn cell(&mut self, cell: &str, reading: &Reading) {
        self.candidates.retain(|candidate| candidate.fits(cell, reading));
        let value = cell.trim();
        self.filled += 1;
        // Only whole numbers and texts are keys, so only their values are kept.
        if self.candidates.first().is_none_or(|first| *first == Candidate::Int) {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            *self.values.entry(hasher.finish()).or_default() += 1;
        }
        self.emails += u64::from(is_email(value));
        self.phones += u64::from(is_phone(value));
        self.urls += u64::from(value.starts_with("https://") || value.starts_with("http://"));
        self.zones += u64::from(is_zone(value));
        if let Some(few) = &mut self.few {
            if few.len() == MOST_VALUES && !few.contains_key(value) {
                self.few = None;
            } else {
                *few.entry(value.to_owned()).or_default() += 1;
            }
        }
    }

    /// Does no value occur twice?
    pub fn is_unique(&self) -> bool {
        self.filled > 0 && self.values.len() as u64 == self.filled
    }

    /// How the file writes its dates and numbers, if this column tells.
    pub(super) fn way(&self) -> Option<Candidate> {
        let first = self.candidates.first().copied().filter(|_| self.filled > 0)?;
        matches!(first, Candidate::DateAs(_) | Candidate::CommaDecimal).then_some(first)
    }

    /// Can the cells be read as this, and as nothing narrower?
    pub(super) fn is_written(&self, kind: Candidate) -> bool {
        self.filled > 0 && self.candidates.first() == Some(&kind)
    }

    /// Can all cells be read as this?
    pub(in crate::runtime::sources) fn may_be(&self, kind: &TyKind) -> bool {
        self.filled == 0 || self.candidates.iter().any(|candidate| candidate.ty() == *kind)
    }

    /// Takes back ways of writing that the file as a whole does not have.
    pub(super) fn only(&mut self, ways: &[Candidate]) {
        let usual = |candidate: &Candidate| !matches!(candidate, Candidate::DateAs(_) | Candidate::CommaDecimal);
        self.candidates.retain(|candidate| usual(candidate) || ways.contains(candidate));
    }

    /// The type without enumerations; null is allowed where a null was seen.
    pub fn ty(&self) -> Ty {
        let kind = self.kind();
        if self.nulls > 0 || (self.filled == 0 && !self.never_null) { Ty::of(kind).or_null() } else { Ty::of(kind) }
    }

    fn kind(&self) -> TyKind {
        match &self.typed {
            Some(TyKind::Text) | None => {}
            Some(kind) => return kind.clone(),
        }
        let share = |count: u64, named: bool| {
            let least = if named { NAMED_SHARE } else { UNNAMED_SHARE };
            self.filled > 0 && count * 100 >= self.filled * least
        };
        if share(self.emails, names::is_email(&self.name)) {
            return TyKind::Email;
        }
        if share(self.urls, false) {
            return TyKind::Url;
        }
        if share(self.zones, names::is_zone(&self.name)) {
            return TyKind::Timezone;
        }
        // Digits alone are a telephone number only where the name says so.
        if names::is_phone(&self.name) && share(self.phones, true) {
            return TyKind::Phone;
        }
        if self.filled == 0 {
            return super::by_name(&self.name, TyKind::Text);
        }
        if names::is_code(&self.name) && self.candidates.first() == Some(&Candidate::Int) {
            return TyKind::Text;
        }
        if names::is_flag(&self.name) && self.candidates.contains(&Candidate::Bool) {
            return TyKind::Bool;
        }
        self.candidates.first().map_or(TyKind::Text, |candidate| candidate.ty())
    }

    /// The values, if they seem to be all that there can be.
    pub fn enumeration(&self) -> Option<Vec<&str>> {
        if let Some(TyKind::Enumeration(values)) = &self.typed {
            return Some(values.iter().map(String::as_str).collect());
        }
        let few = self.few.as_ref().filter(|few| !few.is_empty())?;
        let chosen = names::is_choice(&self.name);
        let enough = if chosen { 2 } else { 5 };
        let code = |text: &str| {
            let sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
            let one_case = !text.contains(|sign: char| sign.is_ascii_uppercase())
                || !text.contains(|sign: char| sign.is_ascii_lowercase());
            text.len() <= 30 && text.chars().all(sign) && (one_case || chosen)
        };
        let words = few.keys().any(|text| text.contains(|sign: char| sign.is_alphabetic()));
        let likely = self.kind() == TyKind::Text
            && (2..=12).contains(&few.len())
            && few.len() as u64 * enough <= self.filled
            && words
            && few.keys().all(|text| code(text))
            && !names::is_open(&self.name);
        likely.then(|| few.keys().map(String::as_str).collect())
    }
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let last = domain.rsplit('.').next().unwrap_or_default();
    !name.is_empty() && domain.contains('.') && last.len() >= 2 && !text.contains([' ', ',']) && !domain.contains('@')
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let sign = |sign: char| sign.is_ascii_digit() || matches!(sign, ' ' | '-' | '.' | '/' | '(' | ')');
    (6..=15).contains(&digits) && text.strip_prefix('+').unwrap_or(text).chars().all(sign)
}

fn is_zone(text: &str) -> bool {
    (text.contains('/') || text == "UTC") && text.len() < 40 && TimeZone::get(text).is_ok()
}
