//! Random programs: well-typed flows over one small table, as a tree that is written as text for Orch and walked by
//! [`super::model`] to say what must come of it.

use std::fmt::Write as _;

/// What a program consists of. Names are numbers: `s3` is a population, `d3` a send.
#[derive(Clone, Debug)]
pub enum Stmt {
    Segment {
        name: u32,
        of: Pop,
    },
    Split {
        of: Pop,
        arms: Vec<(u32, Arm)>,
    },
    Count {
        name: u32,
        of: Pop,
    },
    Log {
        text: u32,
    },
    /// Minutes.
    Wait {
        minutes: i64,
    },
    WaitMorning,
    WaitMonday,
    WaitUntil {
        condition: Condition,
        hours: i64,
        otherwise: Vec<Stmt>,
    },
    WaitSignal {
        signal: u32,
        hours: i64,
        otherwise: Vec<Stmt>,
    },
    Ask {
        task: bool,
        answer: Answer,
        hours: i64,
        otherwise: Vec<Stmt>,
    },
    Emit {
        signal: u32,
    },
    If {
        condition: Condition,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    Parallel {
        branches: Vec<Vec<Stmt>>,
    },
    Repeat {
        times: u32,
        every_hours: Option<i64>,
        until: Option<Condition>,
        body: Vec<Stmt>,
    },
    For {
        name: u32,
        over: Vec<i64>,
        body: Vec<Stmt>,
    },
    Send {
        name: u32,
        to: Pop,
    },
    Save {
        of: Pop,
        audience: u32,
    },
    Export {
        of: Pop,
        file: u32,
        append: bool,
    },
    Update {
        of: Pop,
        add: i64,
    },
    Delete {
        of: Pop,
    },
    Subscribe {
        of: Pop,
        subscribe: bool,
    },
    Require {
        condition: Condition,
    },
    Stop,
    Fail,
}

/// An arm of a split.
#[derive(Clone, Debug)]
pub enum Arm {
    Where(Filter, Option<u32>),
    Share(u32),
    Otherwise,
}

/// What a person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Yes,
    No,
    Never,
}

/// A population.
#[derive(Clone, Debug)]
pub struct Pop {
    pub base: Base,
    pub filter: Option<Filter>,
    pub limit: Option<Limit>,
}

/// Where its rows come from.
#[derive(Clone, Debug)]
pub enum Base {
    People,
    Segment(u32),
    Sent(u32),
    Failed(u32),
    Excluded(u32),
    Audience(u32),
    Set(SetOp, Box<Pop>, Box<Pop>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetOp {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Copy, Debug)]
pub enum Limit {
    Rows(u32),
    Percent(u32),
}

/// Which rows.
#[derive(Clone, Debug)]
pub enum Filter {
    SpendAtLeast(i64),
    SpendBelow(i64),
    /// At least what the loop's name is bound to.
    SpendAtLeastOf(u32),
    Country(&'static str),
    OptIn,
}

/// A condition of a flow.
#[derive(Clone, Debug)]
pub struct Condition {
    pub of: Pop,
    pub more_than: i64,
}

impl Pop {
    /// All of a base.
    pub fn of(base: Base) -> Self {
        Self { base, filter: None, limit: None }
    }

    fn is_bare(&self) -> bool {
        self.filter.is_none() && self.limit.is_none() && !matches!(self.base, Base::Set(..))
    }

    /// As part of a statement.
    pub fn text(&self) -> String {
        let mut text = match &self.base {
            Base::People => "people".to_owned(),
            Base::Segment(name) => format!("s{name}"),
            Base::Sent(name) => format!("d{name}.sent"),
            Base::Failed(name) => format!("d{name}.failed"),
            Base::Excluded(name) => format!("d{name}.excluded"),
            Base::Audience(name) => format!("audience \"a{name}\" of people"),
            Base::Set(op, left, right) => {
                let word = match op {
                    SetOp::Union => "union",
                    SetOp::Intersect => "intersect",
                    SetOp::Except => "except",
                };
                let both = format!("({}) {word} ({})", left.text(), right.text());
                if self.filter.is_some() || self.limit.is_some() { format!("({both})") } else { both }
            }
        };
        if let Some(filter) = &self.filter {
            write!(text, " where {}", filter.text()).unwrap();
        }
        match self.limit {
            Some(Limit::Rows(rows)) => write!(text, " limit {rows}").unwrap(),
            Some(Limit::Percent(percent)) => write!(text, " limit {percent}%").unwrap(),
            None => {}
        }
        text
    }

    /// In parentheses unless it is one word.
    fn operand(&self) -> String {
        if self.is_bare() && !matches!(self.base, Base::Audience(_)) {
            self.text()
        } else {
            format!("({})", self.text())
        }
    }
}

impl Filter {
    fn text(&self) -> String {
        match self {
            Filter::SpendAtLeast(least) => format!("spend >= {least}"),
            Filter::SpendBelow(most) => format!("spend < {most}"),
            Filter::SpendAtLeastOf(name) => format!("spend >= n{name}"),
            Filter::Country(country) => format!("country = \"{country}\""),
            Filter::OptIn => "opt_in".to_owned(),
        }
    }
}

impl Condition {
    fn text(&self) -> String {
        format!("count({}) > {}", self.of.operand(), self.more_than)
    }
}

/// A campaign as text.
pub fn render(name: &str, body: &[Stmt]) -> String {
    let mut text = format!("campaign {name} {{\n");
    block(&mut text, body, 1);
    text.push_str("}\n");
    text
}

fn block(out: &mut String, body: &[Stmt], depth: usize) {
    for stmt in body {
        out.push_str(&"  ".repeat(depth));
        statement(out, stmt, depth);
        out.push('\n');
    }
}

/// ` WORD { ... }`, or nothing without statements.
fn braced(out: &mut String, word: &str, body: &[Stmt], depth: usize) {
    writeln!(out, "{word} {{").unwrap();
    block(out, body, depth + 1);
    write!(out, "{}}}", "  ".repeat(depth)).unwrap();
}

fn statement(out: &mut String, stmt: &Stmt, depth: usize) {
    match stmt {
        Stmt::Segment { name, of } => write!(out, "segment s{name} = {}", of.text()).unwrap(),
        Stmt::Split { of, arms } => {
            let arm = |(name, arm): &(u32, Arm)| format!("s{name}: {}", arm_text(arm));
            let arms: Vec<String> = arms.iter().map(arm).collect();
            write!(out, "split {} into {{ {} }}", of.operand(), arms.join("; ")).unwrap();
        }
        Stmt::Count { name, of } => write!(out, "let c{name} = count({})", of.operand()).unwrap(),
        Stmt::Log { text } => write!(out, "log \"line {text}\"").unwrap(),
        Stmt::Wait { minutes } if minutes % (24 * 60) == 0 => write!(out, "wait {}d", minutes / (24 * 60)).unwrap(),
        Stmt::Wait { minutes } => write!(out, "wait {minutes}min").unwrap(),
        Stmt::WaitMorning => out.push_str("wait until 09:30"),
        Stmt::WaitMonday => out.push_str("wait until monday at 08:00"),
        Stmt::Emit { signal } => write!(out, "emit g{signal}(n: 1)").unwrap(),
        Stmt::Send { name, to } => write!(out, "send email hello to {} as d{name}", to.operand()).unwrap(),
        Stmt::Save { of, audience } => write!(out, "save {} as audience \"a{audience}\"", of.operand()).unwrap(),
        Stmt::Export { of, file, append } => {
            write!(out, "export {} to \"out/f{file}.csv\" {{ columns: [id], append: {append} }}", of.operand())
                .unwrap();
        }
        Stmt::Update { of, add } => write!(out, "update {} set spend = spend + {add}", of.operand()).unwrap(),
        Stmt::Delete { of } => write!(out, "delete {}", of.operand()).unwrap(),
        Stmt::Subscribe { of, subscribe: true } => write!(out, "subscribe {} to news", of.operand()).unwrap(),
        Stmt::Subscribe { of, subscribe: false } => write!(out, "unsubscribe {} from news", of.operand()).unwrap(),
        Stmt::Require { condition } => write!(out, "require {} else \"no\"", condition.text()).unwrap(),
        Stmt::Stop => out.push_str("stop \"enough\""),
        Stmt::Fail => out.push_str("fail \"wrong\""),
        _ => nested(out, stmt, depth),
    }
}

fn arm_text(arm: &Arm) -> String {
    match arm {
        Arm::Where(filter, None) => format!("where {}", filter.text()),
        Arm::Where(filter, Some(limit)) => format!("where {} limit {limit}", filter.text()),
        Arm::Share(percent) => format!("{percent}%"),
        Arm::Otherwise => "otherwise".to_owned(),
    }
}

/// Statements with others inside.
fn nested(out: &mut String, stmt: &Stmt, depth: usize) {
    match stmt {
        Stmt::WaitUntil { condition, hours, otherwise } => {
            write!(out, "wait until {} within {hours}h", condition.text()).unwrap();
            braced(out, " else", otherwise, depth);
        }
        Stmt::WaitSignal { signal, hours, otherwise } => {
            write!(out, "wait for signal g{signal} as got{signal} within {hours}h").unwrap();
            braced(out, " else", otherwise, depth);
        }
        Stmt::Ask { task, answer, hours, otherwise } => {
            let (word, whom) = if *task { ("task", "for") } else { ("approve", "by") };
            let said = match answer {
                Answer::Yes => "yes",
                Answer::No => "no",
                Answer::Never => "never",
            };
            write!(out, "{word} \"{said}\" {whom} \"boss\" within {hours}h").unwrap();
            braced(out, " else", otherwise, depth);
        }
        Stmt::If { condition, then, otherwise } => {
            braced(out, &format!("if {}", condition.text()), then, depth);
            if !otherwise.is_empty() {
                braced(out, " else", otherwise, depth);
            }
        }
        Stmt::Parallel { branches } => {
            out.push_str("parallel {\n");
            for (at, branch) in branches.iter().enumerate() {
                out.push_str(&"  ".repeat(depth + 1));
                braced(out, &format!("branch \"b{at}\""), branch, depth + 1);
                out.push('\n');
            }
            write!(out, "{}}}", "  ".repeat(depth)).unwrap();
        }
        Stmt::Repeat { times, every_hours, until, body } => {
            let mut head = format!("repeat {times} times");
            if let Some(hours) = every_hours {
                write!(head, " every {hours}h").unwrap();
            }
            if let Some(until) = until {
                write!(head, " until {}", until.text()).unwrap();
            }
            braced(out, &head, body, depth);
        }
        Stmt::For { name, over, body } => {
            let over: Vec<String> = over.iter().map(i64::to_string).collect();
            braced(out, &format!("for n{name} in [{}]", over.join(", ")), body, depth);
        }
        _ => unreachable!("it has no block"),
    }
}
