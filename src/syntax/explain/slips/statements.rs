//! Slips that depend on the statement.

use super::{Slip, Wanted};
use crate::base::did_you_mean;
use crate::syntax::explain::Place;
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, TEST_WORDS, Token};

/// Slips in one kind of statement.
pub fn of_statement(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    match first.kind {
        Kind::StmtSegment | Kind::StmtLet => binding(place, wanted, found, first),
        Kind::StmtCampaign => campaign(place, wanted, found),
        Kind::StmtMessage | Kind::StmtEntity | Kind::StmtTest | Kind::StmtPolicy => declaration(place, wanted, found),
        Kind::StmtIf | Kind::StmtFor | Kind::StmtRepeat | Kind::StmtParallel | Kind::ItemBranch => {
            block(place, wanted, found, first)
        }
        Kind::StmtWait | Kind::StmtApprove | Kind::StmtTask => wait(place, wanted, found, first),
        Kind::StmtSplit => split(place, wanted, found),
        Kind::StmtGiven if wanted.has("[") => {
            Some(Slip::say("rows stand in brackets: `given customers [ { id: 1 } ]`"))
        }
        kind if kind.begins_unit() => other(place, wanted, found, first),
        _ => arm(place, wanted, found),
    }
    .or_else(|| branch(place, wanted, found))
}

fn binding(place: &Place<'_>, wanted: &Wanted, found: Token, first: Token) -> Option<Slip> {
    let (word, name) = (place.word(first), place.word(place.nth(1)?));
    if found.kind == Kind::BraceOpen || place.at != place.unit.start + 2 || !wanted.has("=") {
        let lacks_else = found.kind == Kind::End && wanted.has("else") && place.has_before("if");
        return lacks_else
            .then(|| Slip::say("a choice of values has both sides: `if C then A else B`, or `else null`"));
    }
    let help = format!("write `{word} {name} = ...`");
    let span = place.span(found);
    Some(match found.kind {
        Kind::End => Slip::say(help),
        // `:=`
        Kind::Colon if place.after(1).is_some_and(|next| next.kind == Kind::Equal) => {
            let both = place.after(1).map_or(span, |next| place.spread(found, next));
            Slip::write(both, "=").help(help).repair(place.at, place.at + 2, &[Kind::Equal])
        }
        Kind::Colon | Kind::From | Kind::As | Kind::Is | Kind::In => Slip::write(
            span,
            if found.kind == Kind::Colon { " =" } else { "=" },
        )
        .help(help)
        .repair(place.at, place.at + 1, &[Kind::Equal]),
        kind if kind.is_name() && place.after(1).is_some_and(|next| next.kind == Kind::Equal) => return None,
        kind if kind == Kind::Minus || kind.is_literal() => return None,
        _ => {
            let slip = Slip::write(span, format!("= {}", place.word(found))).help(help);
            slip.repair(place.at, place.at, &[Kind::Equal])
        }
    })
}

fn campaign(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let (word, span) = (place.word(found), place.span(found));
    let header = wanted.takes("cron") || wanted.takes("every");
    Some(match (found.kind, word.to_ascii_lowercase().as_str()) {
        (Kind::Literal, _) if place.before(1)?.kind == Kind::Cron => {
            Slip::say("a cron line stands in quotes: `cron \"0 9 * * *\"`")
        }
        (_, "daily") if header => Slip::write(span, "every day"),
        (_, "hourly") if header => Slip::write(span, "every 1h"),
        (_, "weekly") if header => Slip::say("name the day: `every monday at 09:00`"),
        (_, "monthly") if header => Slip::say("name the day: `every month on day 1 at 09:00`"),
        (_, "starting" | "start" | "starts" | "begin" | "beginning") if header => {
            Slip::write(span, "from").repair(place.at, place.at + 1, &[Kind::From])
        }
        (_, "ending" | "end" | "ends" | "till" | "to") if header => {
            Slip::write(span, "until").repair(place.at, place.at + 1, &[Kind::Until])
        }
        (_, "when") if header => {
            Slip::say("a campaign that a signal starts is written `campaign NAME on signal SIGNAL`")
        }
        (kind, _) if kind.is_name() && header && place.after(1).is_some_and(|next| next.kind == Kind::Slash) => {
            let zone = place.after(2).map_or(span, |last| place.spread(found, last));
            let written = place.after(2).map_or(word, |last| place.written(found, last));
            Slip::write(zone, format!("in \"{written}\""))
        }
        _ => return None,
    })
}

fn declaration(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    let word = place.word(first);
    let name = place.before(1).map_or("NAME", |token| place.word(token));
    match found.kind {
        Kind::Equal if wanted.takes("{") => {
            let slip = Slip::write(place.span(found), "").help("remove the `=`: what it holds follows in braces");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        Kind::BraceOpen if first.kind == Kind::StmtMessage && place.at == place.unit.start + 2 => {
            Some(Slip::say(format!("say for which channel it is: `message email {name} {{ ... }}`")))
        }
        Kind::Colon if wanted.takes("{") => {
            Some(Slip::say(format!("what belongs to it stands in braces: `{word} ... {{ }}`")))
        }
        _ => None,
    }
}

/// `if`, `for`, `repeat`, `parallel`.
fn block(place: &Place<'_>, wanted: &Wanted, found: Token, first: Token) -> Option<Slip> {
    let span = place.span(found);
    let word = place.word(found);
    let before = place.before(1)?;
    match (first.kind, found.kind) {
        (Kind::StmtIf, Kind::Then) => {
            let slip = Slip::write(span, "").help("a statement has its steps in braces: `if ... { } else { }`");
            let opens = place.after(1).is_some_and(|next| next.kind == Kind::BraceOpen);
            Some(if opens { slip.repair(place.at, place.at + 1, &[]) } else { Slip { fix: None, ..slip } })
        }
        (Kind::StmtIf, kind) if kind.is_name() && matches!(word, "elif" | "elseif" | "elsif") => {
            Some(Slip::write(span, "else if").repair(place.at, place.at + 1, &[Kind::Else, Kind::If]))
        }
        (Kind::StmtIf, _) if before.kind == Kind::Else && wanted.takes("{") => {
            Some(Slip::say(format!("what is to be done stands in braces: `else {{ {word} ... }}`")))
        }
        (Kind::StmtFor, kind) if kind.is_name() && place.word(before) == "each" => {
            let slip = Slip::write(place.spread(before, found), word).help(format!("write `for {word} in [...]`"));
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        (Kind::StmtRepeat, _) if before.kind == Kind::StmtRepeat || before.kind == Kind::Every => {
            Some(Slip::say("say how often: `repeat 5 times every 7d { ... }`"))
        }
        (Kind::StmtRepeat, Kind::BraceOpen | Kind::Every | Kind::Until) if wanted.takes("times") => {
            let slip =
                Slip::write(span, format!("times {word}")).help(format!("write `repeat {} times`", place.word(before)));
            Some(slip.repair(place.at, place.at, &[Kind::Times]))
        }
        (Kind::ItemBranch, kind) if kind.is_name() && wanted.takes("TEXT") => {
            let slip = Slip::write(span, format!("\"{word}\""));
            Some(slip.help(format!("the name of a branch is a text: write `branch \"{word}\" {{ ... }}`")))
        }
        (Kind::ItemBranch, Kind::BraceOpen) if wanted.takes("TEXT") => {
            Some(Slip::say("each branch has a name: `branch \"email\" { ... }`"))
        }
        _ if found.kind != Kind::End && wanted.takes("{") && before.kind != Kind::Else && !wanted.takes("dedupe") => {
            let begins = place.word(first);
            let is_step = crate::syntax::token::statement(word).is_some();
            is_step.then(|| Slip::say(format!("what is to be done stands in braces: `{begins} ... {{ {word} ... }}`")))
        }
        _ => None,
    }
}

/// What stands in `parallel` is a branch.
fn branch(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let is_typo = did_you_mean(place.word(found), ["branch"]).is_some();
    (place.unit.inside == Inside::Parallel && wanted.takes("branch!") && found.kind != Kind::End && !is_typo)
        .then(|| Slip::say("each branch has a name and braces: `branch \"email\" { ... }`"))
}

fn wait(place: &Place<'_>, wanted: &Wanted, found: Token, first: Token) -> Option<Slip> {
    let before = place.before(1)?;
    let (word, span) = (place.word(found), place.span(found));
    match found.kind {
        Kind::BraceOpen if wanted.has("else") => {
            Some(Slip::say("what is to be done when the time runs out stands behind `else`"))
        }
        Kind::Then | Kind::And | Kind::Comma if first.kind == Kind::StmtWait && wanted.takes("END") => {
            Some(Slip::say("steps stand below each other: begin a new line, or write `;`"))
        }
        kind if kind.is_name()
            && first.kind == Kind::StmtWait
            && place.before(2).is_some_and(|before| before.kind == Kind::And) =>
        {
            Some(Slip::say("steps stand below each other: begin a new line, or write `;`"))
        }
        kind if kind.is_name() && place.nth(1).is_some_and(|token| token.kind == Kind::WaitUntil) => {
            const MOMENTS: &str = "write a date, a day such as `monday at 09:00`, or a condition such as `count(offer.opened) > 100 within 3d`";
            if !matches!(place.word(before), "next" | "on" | "the") {
                return Some(Slip::say(MOMENTS));
            }
            Some(Slip::write(place.spread(before, found), word).help(format!("write `wait until {word} at 09:00`")))
        }
        Kind::Where if wanted.has("else") && place.has_before("signal") => {
            let help = "the condition stands before `within`: `wait for signal NAME where ... within 2d else { ... }`";
            Some(Slip::say(help))
        }
        kind if before.kind == Kind::WaitFor && wanted.takes("signal") => {
            if kind != Kind::Literal {
                let slip = Slip::write(span, format!("signal {word}")).help(format!("write `wait for signal {word}`"));
                return kind.is_name().then_some(slip);
            }
            let unit = place.after(1).filter(|next| next.kind.is_name());
            let length = unit.map(|unit| crate::syntax::literal::read(&format!("{word}{}", place.word(unit))));
            let length = match length {
                Some(Err(fault)) => fault.fix.unwrap_or_else(|| "2d".to_owned()),
                Some(Ok(_)) => unit.map_or(word.to_owned(), |unit| format!("{word}{}", place.word(unit))),
                None => word.to_owned(),
            };
            let last = unit.unwrap_or(found);
            Some(Slip::write(place.spread(before, last), length.clone()).help(format!("write `wait {length}`")))
        }
        kind if kind.is_name() && first.kind == Kind::StmtWait && place.word(before) == "signal" => {
            let slip = Slip::write(place.span(before), "for signal");
            Some(slip.help(format!("write `wait for signal {word}`")))
        }
        kind if kind.is_name() && matches!(place.word(before), "next" | "on" | "the") => {
            Some(Slip::write(place.spread(before, found), word).help(format!("write `wait until {word} at 09:00`")))
        }
        Kind::Text if first.kind == Kind::StmtApprove && before.kind == Kind::By => {
            Some(Slip::say(format!("say first what is asked: `approve \"Send it?\" by {word}`")))
        }
        _ => None,
    }
}

fn split(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let rows = place.nth(1).map_or("vip", |token| place.word(token));
    let shape = format!("`split {rows} into {{ a: where ...; b: 50%; rest: otherwise }}`");
    match found.kind {
        Kind::By if wanted.takes("into") => Some(Slip::say(format!("name the parts: {shape}"))),
        _ if wanted.takes("{") && place.before(1)?.kind == Kind::Into => {
            Some(Slip::say(format!("the parts stand in braces: {shape}")))
        }
        _ if wanted.takes("into") && found.kind != Kind::Name => Some(Slip::say(format!("write {shape}"))),
        _ => None,
    }
}

/// `a: tier = "gold"`, `b: else`
fn arm(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if !wanted.share() {
        return None;
    }
    let (word, span) = (place.word(found), place.span(found));
    match found.kind {
        Kind::Else => Some(Slip::write(span, "otherwise").repair(place.at, place.at + 1, &[Kind::Otherwise])),
        Kind::If => {
            let slip = Slip::write(span, "where").help("write `where`: an arm says which rows it takes");
            Some(slip.repair(place.at, place.at + 1, &[Kind::Where]))
        }
        kind if kind.is_name() && matches!(word, "rest" | "default" | "remainder" | "others" | "everything") => {
            Some(Slip::write(span, "otherwise").repair(place.at, place.at + 1, &[Kind::Otherwise]))
        }
        kind if kind.is_name() || matches!(kind, Kind::Not | Kind::ParenOpen) => {
            let slip =
                Slip::write(span, format!("where {word}")).help("an arm says which rows it takes: write `where ...`");
            Some(slip.repair(place.at, place.at, &[Kind::Where]))
        }
        _ => None,
    }
}

/// Statements of one line.
fn other(place: &Place<'_>, wanted: &Wanted, found: Token, first: Token) -> Option<Slip> {
    let (word, span) = (place.word(found), place.span(found));
    let name = place.nth(1).map_or("vip", |token| place.word(token));
    let insert =
        |text: &str, kind: Kind| Slip::write(span, format!("{text} {word}")).here().repair(place.at, place.at, &[kind]);
    match first.kind {
        Kind::StmtExport if wanted.takes("to") && matches!(found.kind, Kind::Text | Kind::TemplateOpen) => {
            Some(insert("to", Kind::To).help("write `export SEGMENT to \"out/file.csv\"`"))
        }
        Kind::StmtExport if wanted.takes("to") => {
            Some(Slip::say(format!("say where to: `export {name} to \"out/{name}.csv\"`")))
        }
        Kind::StmtExport if wanted.takes("{") => Some(Slip::say("options stand in braces: `{ columns: [id, email] }`")),
        Kind::StmtSave if wanted.takes("audience") && found.kind == Kind::Text => {
            Some(insert("audience", Kind::Audience).help(format!("write `save {name} as audience {word}`")))
        }
        Kind::StmtSave => Some(Slip::say("write `save SEGMENT as audience \"name\"`")),
        Kind::StmtAlert if wanted.takes("to") && found.kind == Kind::End => {
            Some(Slip::say("say who is told: `alert \"...\" to ops`, a group of `orch.toml`"))
        }
        Kind::StmtSubscribe if wanted.takes("to") && found.kind == Kind::End => {
            Some(Slip::say(format!("say to what: `subscribe {name} to TOPIC`")))
        }
        Kind::StmtUnsubscribe if wanted.takes("from") => {
            Some(Slip::say(format!("say from what: `unsubscribe {name} from TOPIC`")))
        }
        Kind::StmtRequire if wanted.takes("else") && matches!(found.kind, Kind::Text | Kind::TemplateOpen) => {
            Some(insert("else", Kind::Else).help("the reason stands behind `else`"))
        }
        Kind::StmtStop | Kind::StmtFail if place.nth(1)?.kind == Kind::If && found.kind == Kind::End => {
            let stop = place.word(first);
            Some(Slip::say(format!("write `if ... {{ {stop} }}`")))
        }
        Kind::StmtDelete if place.nth(1)?.kind == Kind::From => {
            Some(Slip::say(format!("write `delete ({word} where ...)`, without `from`")))
        }
        Kind::StmtInsert | Kind::StmtUpsert if place.nth(1).is_some_and(|token| token.kind == Kind::Into) => {
            let stmt = place.word(first);
            Some(Slip::say(format!("name the rows that are written: `{stmt} SEGMENT into {word} set FIELD = ...`")))
        }
        _ => None,
    }
}

/// Help for a statement that begins with no statement word.
pub fn help(place: &Place<'_>, word: &str) -> Option<String> {
    let next = place.next().map(|token| token.kind);
    if next == Some(Kind::Equal) {
        return Some(format!("write `segment {word} = ...` for a population, `let {word} = ...` for a value"));
    }
    if let (Some(Kind::Plus | Kind::Minus), Some(Kind::Equal)) =
        (next, place.tokens.get(place.at + 2).map(|token| token.kind))
    {
        return Some(format!("values do not change: bind another name, `let NAME = {word} + 1`"));
    }
    let is_procedure = |tokens: &[Token]| {
        tokens[0].kind == Kind::StmtDefine && place.word(tokens[1]) == word && tokens[1].start != place.found().start
    };
    if place.tokens.windows(2).any(is_procedure) {
        return Some(format!("write `do {word}(...)`"));
    }
    let lower = word.to_ascii_lowercase();
    if let "email" | "mail" | "sms" | "push" = lower.as_str() {
        if place.next().is_some_and(|next| place.word(next) == "message") {
            return Some(format!("write `message {lower} NAME {{ ... }}`"));
        }
        return Some(format!("write `send {lower} MESSAGE to SEGMENT`"));
    }
    if TEST_WORDS.iter().any(|(test, _)| *test == word) {
        return Some(format!("`{word}` is a step of a `test \"...\" {{ }}`"));
    }
    other_word(&lower).map(str::to_owned)
}

/// True for a word that begins a statement elsewhere, so that it is no misspelled one of ours.
pub fn is_other_word(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    other_word(&lower).is_some() || matches!(lower.as_str(), "email" | "mail" | "sms" | "push")
}

/// What is written here for a statement of another language.
fn other_word(lower: &str) -> Option<&'static str> {
    Some(match lower {
        "select" => "write `segment NAME = customers where ...`",
        "elif" | "elseif" | "elsif" => "write `else if`, behind the closing brace",
        "end" | "endif" | "fi" | "done" | "begin" => "blocks stand in braces: remove this, and write `{` and `}`",
        "while" | "loop" => "loops are bounded: `repeat 5 times every 7d until ... { }`",
        "foreach" => "write `for c in [\"FR\", \"DE\"] { ... }`",
        "switch" | "case" => "write `split SEGMENT into { ... }` for rows, `if ... { } else if ... { }` for steps",
        "var" | "const" | "set" | "declare" => "write `let NAME = ...`",
        "function" | "def" | "fn" | "procedure" | "sub" => "write `define NAME(...) = ...`, or with a block",
        "import" | "include" | "require_once" => "write `use`",
        "sleep" | "pause" | "delay" => "write `wait`",
        "print" | "echo" | "console" | "printf" | "puts" => "write `log`",
        "call" | "execute" | "perform" => "write `do`",
        "return" => "write `stop` to end a run, `define NAME of customers = ...` for a value",
        "exit" | "quit" | "abort" => "write `stop`",
        "audience" | "list" | "target" | "query" | "population" => "write `segment NAME = customers where ...`",
        "create" | "table" => {
            "write `entity NAME from \"file.csv\" { id: int key }` for rows, `segment NAME = ...` for a population"
        }
        "template" => "write `message email NAME { ... }`",
        "schedule" | "every" | "daily" | "cron" => {
            "the schedule stands behind a campaign's name: `campaign NAME every day at 09:00 { ... }`"
        }
        "on" | "when" => "what a signal starts is a campaign: `campaign NAME on signal SIGNAL { ... }`",
        "fork" => "write `parallel { branch \"a\" { ... } branch \"b\" { ... } }`",
        "join" => "`parallel` goes on by itself when all its branches are done",
        "enrich" => "write `segment NAME = ... with COLUMN = ...`",
        "dedupe" | "deduplicate" => "write `segment NAME = ... dedupe by FIELD`",
        "assert" => "write `require`",
        "start" | "trigger" => "write `emit SIGNAL(...)`",
        _ => return None,
    })
}
