//! What must come of a program: the same tree walked over rows in memory, without waits, faults or a query engine.
//!
//! Only what a channel did is taken from the ledger, because later populations depend on it; everything else is
//! computed here, independently of the product.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::program::{Answer, Arm, Base, Condition, Filter, Limit, Pop, SetOp, Stmt};

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: i64,
    pub email: Option<String>,
    pub spend: i64,
    pub country: &'static str,
    pub opt_in: bool,
}

/// What became of a row of a send.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    Sent,
    Failed,
    /// Refused for 72 hours.
    Exhausted,
    /// The same, after it may have arrived in an earlier process.
    GivenUp,
    Unknown,
    Excluded(&'static str),
    Due,
}

/// What the ledger says, by path and branch of the send.
pub type Sends = BTreeMap<(String, String), BTreeMap<i64, Fate>>;

/// Rows by key.
type Rows = BTreeMap<i64, Person>;

/// How a run must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Finished,
    Stopped,
    Failed,
}

/// What must be there in the end.
#[derive(Debug)]
pub struct Expected {
    pub end: End,
    /// Rows of each send with what must have become of them.
    pub sends: Sends,
    /// Not before so many minutes after the start.
    pub earliest: BTreeMap<(String, String), i64>,
    pub people: Rows,
    /// Ids in exported files.
    pub files: BTreeMap<u32, Vec<i64>>,
    pub audiences: BTreeMap<u32, BTreeSet<i64>>,
    /// Rows that each population step passed on.
    pub rows_out: BTreeMap<(String, String), u64>,
}

/// Walks a program.
pub struct Model<'m> {
    /// What the ledger says: a send whose rows are unknown, or that was not reached, is followed by what it did.
    pub ledger: &'m Sends,
    /// The campaign's name, which seeds its splits.
    pub campaign: &'m str,
    /// Addresses that the channel refuses for good.
    pub refused: &'m dyn Fn(&str) -> bool,
    /// Signals that come from outside, by number.
    pub signals: Vec<u32>,
}

#[derive(Clone, Default)]
struct Names {
    segments: HashMap<u32, Rows>,
    sends: HashMap<u32, (Rows, (String, String))>,
    loops: HashMap<u32, i64>,
}

struct Walk<'m> {
    model: &'m Model<'m>,
    out: Expected,
    unsubscribed: BTreeSet<i64>,
    signals: Vec<u32>,
}

/// A place: path of the block, branch, and the earliest time in minutes.
#[derive(Clone)]
struct Place {
    prefix: String,
    token: String,
}

/// Going on at this minute, or the end of the run.
type Flow = Result<i64, End>;

impl Model<'_> {
    /// What must come of `body` on these rows.
    pub fn expect(&self, body: &[Stmt], people: &[Person]) -> Expected {
        let out = Expected {
            end: End::Finished,
            sends: Sends::new(),
            earliest: BTreeMap::new(),
            people: people.iter().map(|person| (person.id, person.clone())).collect(),
            files: BTreeMap::new(),
            audiences: BTreeMap::new(),
            rows_out: BTreeMap::new(),
        };
        let mut walk = Walk { model: self, out, unsubscribed: BTreeSet::new(), signals: self.signals.clone() };
        let place = Place { prefix: String::new(), token: String::new() };
        if let Err(end) = walk.block(body, &place, &mut Names::default(), 0) {
            walk.out.end = end;
        }
        walk.out
    }
}

impl Walk<'_> {
    fn block(&mut self, body: &[Stmt], place: &Place, names: &mut Names, mut minute: i64) -> Flow {
        for (at, stmt) in body.iter().enumerate() {
            let path = format!("{}{}", place.prefix, at + 1);
            minute = self.statement(stmt, &path, &place.token, names, minute)?;
        }
        Ok(minute)
    }

    /// A block inside the step; its names are not seen outside.
    fn inside(&mut self, body: &[Stmt], path: &str, token: String, names: &Names, minute: i64) -> Flow {
        let place = Place { prefix: format!("{path}."), token };
        self.block(body, &place, &mut names.clone(), minute)
    }

    fn otherwise(&mut self, body: &[Stmt], path: &str, token: &str, names: &Names, minute: i64) -> Flow {
        self.inside(body, &format!("{path}.else"), format!("{token}/0"), names, minute)
    }

    fn statement(&mut self, stmt: &Stmt, path: &str, token: &str, names: &mut Names, minute: i64) -> Flow {
        let key = (path.to_owned(), token.to_owned());
        match stmt {
            Stmt::Segment { name, of } => {
                let rows = self.rows(of, names);
                self.out.rows_out.insert(key, rows.len() as u64);
                names.segments.insert(*name, rows);
            }
            Stmt::Split { of, arms } => self.split(of, arms, key, names),
            Stmt::Send { name, to } => self.send(*name, to, key, names, minute),
            Stmt::Wait { minutes } => return Ok(minute + minutes),
            Stmt::Save { of, audience } => {
                let ids = self.rows(of, names).into_keys().collect();
                self.out.audiences.insert(*audience, ids);
            }
            Stmt::Export { of, file, append } => {
                let ids = self.rows(of, names).into_keys();
                let lines = self.out.files.entry(*file).or_default();
                if !append {
                    lines.clear();
                }
                lines.extend(ids);
            }
            Stmt::Update { of, add } => {
                for (id, row) in self.rows(of, names) {
                    if let Some(live) = self.out.people.get_mut(&id) {
                        live.spend = row.spend + add;
                    }
                }
            }
            Stmt::Delete { of } => {
                for id in self.rows(of, names).keys() {
                    self.out.people.remove(id);
                }
            }
            Stmt::Subscribe { of, subscribe } => {
                for id in self.rows(of, names).into_keys() {
                    if *subscribe {
                        self.unsubscribed.remove(&id)
                    } else {
                        self.unsubscribed.insert(id)
                    };
                }
            }
            Stmt::Emit { signal } => self.signals[*signal as usize] += 1,
            Stmt::Stop => return Err(End::Stopped),
            Stmt::Fail => return Err(End::Failed),
            Stmt::Count { .. } | Stmt::Log { .. } | Stmt::WaitMorning | Stmt::WaitMonday | Stmt::Require { .. } => {}
            _ => return self.structure(stmt, path, token, names, minute),
        }
        Ok(minute)
    }

    fn structure(&mut self, stmt: &Stmt, path: &str, token: &str, names: &mut Names, minute: i64) -> Flow {
        match stmt {
            Stmt::WaitUntil { condition, hours, otherwise } => {
                if self.holds(condition, names) {
                    Ok(minute)
                } else {
                    self.otherwise(otherwise, path, token, names, minute + hours * 60)
                }
            }
            Stmt::WaitSignal { signal, hours, otherwise } => {
                let left = &mut self.signals[*signal as usize];
                if *left > 0 {
                    *left -= 1;
                    return Ok(minute);
                }
                self.otherwise(otherwise, path, token, names, minute + hours * 60)
            }
            Stmt::Ask { answer, hours, otherwise, .. } => match answer {
                Answer::Yes => Ok(minute),
                Answer::No => self.otherwise(otherwise, path, token, names, minute),
                Answer::Never => self.otherwise(otherwise, path, token, names, minute + hours * 60),
            },
            Stmt::If { condition, then, otherwise } => {
                if self.holds(condition, names) {
                    return self.inside(then, &format!("{path}.1"), format!("{token}/0"), names, minute);
                }
                self.otherwise(otherwise, path, token, names, minute)
            }
            Stmt::Parallel { branches } => {
                let mut latest = minute;
                for (at, branch) in branches.iter().enumerate() {
                    let place = Place { prefix: format!("{path}.b{at}."), token: format!("{token}/{at}") };
                    latest = latest.max(self.block(branch, &place, names, minute)?);
                }
                Ok(latest)
            }
            Stmt::Repeat { times, every_hours, until, body } => {
                let mut now = minute;
                for turn in 0..*times {
                    if until.as_ref().is_some_and(|until| self.holds(until, names)) {
                        break;
                    }
                    let next = every_hours.filter(|_| turn + 1 < *times).map(|hours| now + hours * 60);
                    now = self.inside(body, &format!("{path}.body"), format!("{token}/{turn}"), names, now)?;
                    now = now.max(next.unwrap_or(now));
                }
                Ok(now)
            }
            Stmt::For { name, over, body } => {
                let mut now = minute;
                for (turn, value) in over.iter().enumerate() {
                    let mut names = names.clone();
                    names.loops.insert(*name, *value);
                    now = self.inside(body, &format!("{path}.body"), format!("{token}/{turn}"), &names, now)?;
                }
                Ok(now)
            }
            _ => unreachable!("it is no structure"),
        }
    }

    fn split(&mut self, of: &Pop, arms: &[(u32, Arm)], key: (String, String), names: &mut Names) {
        let rows = self.rows(of, names);
        let mut free: BTreeSet<i64> = rows.keys().copied().collect();
        let mut taken: Vec<Vec<i64>> = vec![Vec::new(); arms.len()];
        for (at, (_, arm)) in arms.iter().enumerate() {
            let Arm::Where(filter, limit) = arm else { continue };
            let fits = rows.values().filter(|row| free.contains(&row.id) && fits(filter, row, names));
            taken[at] = fits.map(|row| row.id).take(limit.map_or(usize::MAX, |limit| limit as usize)).collect();
            free.retain(|id| !taken[at].contains(id));
        }
        let instance = if key.1.is_empty() { key.0.clone() } else { format!("{}@{}", key.0, key.1) };
        let seed = format!("{}/{instance}", self.model.campaign);
        let mut rest: Vec<i64> = free.iter().copied().collect();
        rest.sort_by_key(|id| blake3::hash(format!("{seed}\0{id}").as_bytes()).as_bytes()[..16].to_vec());
        let (mut percent, mut from) = (0, 0);
        for (at, (_, arm)) in arms.iter().enumerate() {
            let Arm::Share(share) = arm else { continue };
            percent += share;
            let to = portion(percent, rest.len()).max(from);
            taken[at] = rest[from..to].to_vec();
            from = to;
        }
        for (at, (_, arm)) in arms.iter().enumerate() {
            if matches!(arm, Arm::Otherwise) {
                taken[at] = rest[from..].to_vec();
                from = rest.len();
            }
        }
        self.out.rows_out.insert(key, taken.iter().map(|arm| arm.len() as u64).sum());
        for ((name, _), ids) in arms.iter().zip(taken) {
            let arm = ids.into_iter().map(|id| (id, rows[&id].clone())).collect();
            names.segments.insert(*name, arm);
        }
    }

    fn send(&mut self, name: u32, to: &Pop, key: (String, String), names: &mut Names, minute: i64) {
        let rows = self.rows(to, names);
        let fates = rows.keys().map(|id| (*id, self.fate(*id))).collect();
        self.out.sends.insert(key.clone(), fates);
        self.out.earliest.insert(key.clone(), minute);
        names.sends.insert(name, (rows, key));
    }

    fn fate(&self, id: i64) -> Fate {
        let Some(live) = self.out.people.get(&id) else { return Fate::Excluded("no_profile") };
        match &live.email {
            None => Fate::Excluded("no_address"),
            Some(email) if !email.contains('@') => Fate::Excluded("invalid_address"),
            Some(_) if !live.opt_in => Fate::Excluded("no_consent"),
            Some(_) if self.unsubscribed.contains(&id) => Fate::Excluded("unsubscribed"),
            Some(email) if (self.model.refused)(email) => Fate::Failed,
            Some(_) => Fate::Sent,
        }
    }

    fn holds(&self, condition: &Condition, names: &Names) -> bool {
        self.rows(&condition.of, names).len() as i64 > condition.more_than
    }

    fn rows(&self, of: &Pop, names: &Names) -> Rows {
        let mut rows = self.base(&of.base, names);
        if let Some(filter) = &of.filter {
            rows.retain(|_, row| fits(filter, row, names));
        }
        let most = match of.limit {
            None => rows.len(),
            Some(Limit::Rows(most)) => most as usize,
            Some(Limit::Percent(percent)) => portion(percent, rows.len()),
        };
        rows.into_iter().take(most).collect()
    }

    fn base(&self, base: &Base, names: &Names) -> Rows {
        match base {
            Base::People => self.out.people.clone(),
            Base::Segment(name) => names.segments[name].clone(),
            Base::Sent(name) => self.feedback(*name, names, |fate| *fate == Fate::Sent),
            Base::Failed(name) => self.feedback(*name, names, |fate| *fate == Fate::Failed),
            Base::Excluded(name) => self.feedback(*name, names, |fate| matches!(fate, Fate::Excluded(_))),
            Base::Audience(name) => {
                let members = &self.out.audiences[name];
                self.out
                    .people
                    .iter()
                    .filter(|(id, _)| members.contains(id))
                    .map(|(id, row)| (*id, row.clone()))
                    .collect()
            }
            Base::Set(op, left, right) => {
                let (mut left, right) = (self.rows(left, names), self.rows(right, names));
                match op {
                    SetOp::Union => right.into_iter().for_each(|(id, row)| {
                        left.entry(id).or_insert(row);
                    }),
                    SetOp::Intersect => left.retain(|id, _| right.contains_key(id)),
                    SetOp::Except => left.retain(|id, _| !right.contains_key(id)),
                }
                left
            }
        }
    }

    /// Rows of a send by what the ledger says of them.
    fn feedback(&self, name: u32, names: &Names, wanted: impl Fn(&Fate) -> bool) -> Rows {
        let (rows, key) = &names.sends[&name];
        let Some(fates) = self.model.ledger.get(key) else { return Rows::new() };
        rows.iter().filter(|(id, _)| fates.get(id).is_some_and(&wanted)).map(|(id, row)| (*id, row.clone())).collect()
    }
}

fn fits(filter: &Filter, row: &Person, names: &Names) -> bool {
    match filter {
        Filter::SpendAtLeast(least) => row.spend >= *least,
        Filter::SpendBelow(most) => row.spend < *most,
        Filter::SpendAtLeastOf(name) => row.spend >= names.loops[name],
        Filter::Country(country) => row.country == *country,
        Filter::OptIn => row.opt_in,
    }
}

/// So many percent of `of`, rounded half up.
fn portion(percent: u32, of: usize) -> usize {
    ((percent as usize * of * 2 + 100) / 200).min(of)
}
