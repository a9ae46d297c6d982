//! A random program from a seed: small, well-typed, nested.

use super::chance::Chance;
use super::program::{Answer, Arm, Base, Condition, Filter, Limit, Pop, SetOp, Stmt};

/// Signals that the schema declares.
pub const SIGNALS: u32 = 6;
const COUNTRIES: [&str; 3] = ["FR", "DE", "IT"];

/// What can be named at a place.
#[derive(Clone, Default)]
struct Scope {
    segments: Vec<u32>,
    sends: Vec<u32>,
    audiences: Vec<u32>,
    loops: Vec<u32>,
}

struct Generator {
    chance: Chance,
    /// Names given so far.
    names: u32,
    signals: u32,
    /// Statements that may still come.
    budget: i64,
    /// Inside a branch the order of statements is not known, so nothing there may change what others see.
    parallel: bool,
    depth: u32,
}

/// The body of the campaign of a seed.
pub fn program(seed: u64) -> Vec<Stmt> {
    let mut chance = Chance::new(seed, "program");
    let budget = chance.between(3, 8);
    let mut generator = Generator { chance, names: 0, signals: 0, budget, parallel: false, depth: 0 };
    let mut scope = Scope::default();
    let mut body = generator.block(&mut scope, 8);
    // Something is sent in every program, or little could go wrong.
    if !body.iter().any(|stmt| matches!(stmt, Stmt::Send { .. })) {
        let to = generator.population(&scope);
        body.push(Stmt::Send { name: generator.name(), to });
    }
    match generator.chance.below(20) {
        0 => body.push(Stmt::Stop),
        1 => body.push(Stmt::Fail),
        _ => {}
    }
    body
}

impl Generator {
    fn name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn block(&mut self, scope: &mut Scope, most: i64) -> Vec<Stmt> {
        let count = self.chance.between(1, most);
        let mut body = Vec::new();
        for _ in 0..count {
            if self.budget <= 0 {
                break;
            }
            self.budget -= 1;
            body.push(self.statement(scope));
        }
        if body.is_empty() {
            body.push(Stmt::Log { text: self.name() });
        }
        body
    }

    /// A block whose names are not seen after it.
    fn inner(&mut self, scope: &Scope, most: i64) -> Vec<Stmt> {
        self.depth += 1;
        let mut scope = scope.clone();
        let body = self.block(&mut scope, most);
        self.depth -= 1;
        body
    }

    /// What happens when something does not come: often the end, else something short.
    fn otherwise(&mut self, scope: &Scope) -> Vec<Stmt> {
        match self.chance.below(8) {
            0 if !self.parallel => vec![Stmt::Stop],
            1 if !self.parallel => vec![Stmt::Fail],
            2 | 3 => self.inner(scope, 2),
            _ => vec![Stmt::Log { text: self.name() }],
        }
    }

    fn statement(&mut self, scope: &mut Scope) -> Stmt {
        match self.chance.below(100) {
            0..18 => {
                let of = self.population(scope);
                let name = self.name();
                scope.segments.push(name);
                Stmt::Segment { name, of }
            }
            18..26 => self.split(scope),
            26..48 => {
                let to = self.population(scope);
                let name = self.name();
                scope.sends.push(name);
                Stmt::Send { name, to }
            }
            48..62 => self.wait(scope),
            62..80 if self.depth < 3 => self.structure(scope),
            80..94 if !self.parallel => self.change(scope),
            94..96 => Stmt::Count { name: self.name(), of: self.population(scope) },
            96 => Stmt::Require { condition: Condition { of: Pop::of(Base::People), more_than: -1 } },
            _ => Stmt::Log { text: self.name() },
        }
    }

    fn split(&mut self, scope: &mut Scope) -> Stmt {
        let of = self.population(scope);
        let mut arms = Vec::new();
        if self.chance.once_in(2) {
            let limit = if self.chance.once_in(2) { Some(self.chance.below(4) as u32) } else { None };
            arms.push(Arm::Where(self.filter(&Scope::default()), limit));
        }
        for _ in 0..self.chance.below(3) {
            arms.push(Arm::Share(*self.chance.one(&[20, 33, 50])));
        }
        if arms.is_empty() || self.chance.once_in(2) {
            arms.push(Arm::Otherwise);
        }
        let arms: Vec<(u32, Arm)> = arms.into_iter().map(|arm| (self.name(), arm)).collect();
        scope.segments.extend(arms.iter().map(|(name, _)| *name));
        Stmt::Split { of, arms }
    }

    fn wait(&mut self, scope: &Scope) -> Stmt {
        let hours = self.chance.between(1, 60);
        match self.chance.below(12) {
            0..3 => Stmt::Wait { minutes: self.chance.between(1, 4) * 24 * 60 },
            3..5 => Stmt::Wait { minutes: self.chance.between(1, 900) },
            5 => Stmt::WaitMorning,
            6 => Stmt::WaitMonday,
            7 => {
                let condition = self.condition(scope);
                Stmt::WaitUntil { condition, hours: hours / 8 + 1, otherwise: self.otherwise(scope) }
            }
            8 | 9 if self.signals < SIGNALS => {
                let signal = self.signals;
                self.signals += 1;
                Stmt::WaitSignal { signal, hours, otherwise: self.otherwise(scope) }
            }
            _ => {
                let answer = *self.chance.one(&[Answer::Yes, Answer::Yes, Answer::No, Answer::Never]);
                let task = self.chance.once_in(3);
                Stmt::Ask { task, answer, hours, otherwise: self.otherwise(scope) }
            }
        }
    }

    fn structure(&mut self, scope: &mut Scope) -> Stmt {
        match self.chance.below(5) {
            0 | 1 => {
                let condition = self.condition(scope);
                let then = self.inner(scope, 3);
                let otherwise = if self.chance.once_in(2) { self.inner(scope, 2) } else { Vec::new() };
                Stmt::If { condition, then, otherwise }
            }
            2 => {
                let outer = std::mem::replace(&mut self.parallel, true);
                self.depth += 1;
                let mut seen = scope.clone();
                let branches = (0..self.chance.between(2, 3))
                    .map(|_| {
                        let mut inside = scope.clone();
                        let branch = self.block(&mut inside, 3);
                        seen.segments.extend(inside.segments.drain(scope.segments.len()..));
                        seen.sends.extend(inside.sends.drain(scope.sends.len()..));
                        branch
                    })
                    .collect();
                *scope = seen;
                self.depth -= 1;
                self.parallel = outer;
                Stmt::Parallel { branches }
            }
            3 => {
                let every_hours = if self.chance.once_in(2) { Some(self.chance.between(1, 80)) } else { None };
                let until = if self.chance.once_in(3) { Some(self.condition(scope)) } else { None };
                let times = self.chance.below(4) as u32;
                Stmt::Repeat { times: times.max(1), every_hours, until, body: self.inner(scope, 2) }
            }
            _ => {
                let name = self.name();
                let over = (0..self.chance.between(1, 3)).map(|at| at * self.chance.between(1, 40)).collect();
                let mut inside = scope.clone();
                inside.loops.push(name);
                Stmt::For { name, over, body: self.inner(&inside, 2) }
            }
        }
    }

    /// Something that others see.
    fn change(&mut self, scope: &mut Scope) -> Stmt {
        match self.chance.below(12) {
            0..3 => Stmt::Update { of: self.population(scope), add: self.chance.between(1, 30) },
            3 => {
                let mut of = self.population(scope);
                of.limit = Some(Limit::Rows(2));
                Stmt::Delete { of }
            }
            4 | 5 => Stmt::Subscribe { of: self.population(scope), subscribe: self.chance.once_in(3) },
            6 => {
                // In a block that may not be gone through the audience may not be there.
                let audience = self.name();
                let of = self.population(scope);
                if self.depth == 0 {
                    scope.audiences.push(audience);
                }
                Stmt::Save { of, audience }
            }
            7..10 => Stmt::Export {
                of: self.population(scope),
                file: self.chance.below(2) as u32,
                append: self.chance.once_in(2),
            },
            _ => Stmt::Emit { signal: self.chance.below(u64::from(SIGNALS)) as u32 },
        }
    }

    fn condition(&mut self, scope: &Scope) -> Condition {
        Condition { of: self.population(scope), more_than: self.chance.between(-1, 6) }
    }

    fn population(&mut self, scope: &Scope) -> Pop {
        if self.chance.once_in(8) {
            let op = *self.chance.one(&[SetOp::Union, SetOp::Intersect, SetOp::Except]);
            let (left, right) = (self.simple(scope), self.simple(scope));
            return Pop::of(Base::Set(op, Box::new(left), Box::new(right)));
        }
        self.simple(scope)
    }

    fn simple(&mut self, scope: &Scope) -> Pop {
        let base = self.base(scope);
        let filter = if self.chance.once_in(2) { Some(self.filter(scope)) } else { None };
        let limit = match self.chance.below(8) {
            0 => Some(Limit::Rows(self.chance.below(7) as u32)),
            1 => Some(Limit::Percent(*self.chance.one(&[30, 50, 70]))),
            _ => None,
        };
        Pop { base, filter, limit }
    }

    fn base(&mut self, scope: &Scope) -> Base {
        match self.chance.below(10) {
            0..4 if !scope.segments.is_empty() => Base::Segment(*self.chance.one(&scope.segments)),
            4..6 if !scope.sends.is_empty() => {
                let send = *self.chance.one(&scope.sends);
                match self.chance.below(3) {
                    0 => Base::Failed(send),
                    1 => Base::Excluded(send),
                    _ => Base::Sent(send),
                }
            }
            6..8 if !scope.audiences.is_empty() => Base::Audience(*self.chance.one(&scope.audiences)),
            _ => Base::People,
        }
    }

    fn filter(&mut self, scope: &Scope) -> Filter {
        match self.chance.below(5) {
            0 => Filter::SpendAtLeast(self.chance.between(0, 60)),
            1 => Filter::SpendBelow(self.chance.between(20, 99)),
            2 => Filter::Country(self.chance.one::<&str>(&COUNTRIES)),
            3 if !scope.loops.is_empty() => Filter::SpendAtLeastOf(*self.chance.one(&scope.loops)),
            _ => Filter::OptIn,
        }
    }
}
