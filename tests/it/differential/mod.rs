//! Random questions over random small tables, answered by the product, by a plain evaluator written for this test, and,
//! where it can be said in SQL, by SQLite.
//!
//! `ORCH_DIFF_CASES` and `ORCH_DIFF_SEED` make the run longer and begin it elsewhere.

mod data;
mod engine;
mod functions;
mod judge;
mod judge_value;
mod make;
mod make_value;
mod splits;
mod sql;
mod tree;
mod value;

use std::cell::{Cell, RefCell};

use data::{Chance, TABLES, World};
use engine::{Answer, Engine};
use functions::Clock;
use judge::{Env, Frozen, Judge};
use make::{InScope, Maker};
use orch::plan::query::{Joins, QueryError, Session, SessionOptions};
use tree::{Define, Kind, Q, X};
use value::V;

/// Questions about one world.
const PER_WORLD: u64 = 25;
/// Questions in a usual run.
const CASES: u64 = 2_500;

/// A script: what it declares and what it asks.
struct Script {
    defines: Vec<Define>,
    lets: Vec<X>,
    frozen: Vec<Q>,
    asked: Vec<Q>,
}

impl Script {
    fn random(world: &World, chance: Chance) -> Self {
        let mut maker = Maker {
            world,
            chance,
            frozen: Vec::new(),
            lets: Vec::new(),
            defines: Vec::new(),
            params: Vec::new(),
            in_define: false,
        };
        let defines = Self::defines(&mut maker);
        let mut lets = Vec::new();
        for kind in [Kind::Int, Kind::Decimal, Kind::Text, Kind::Date] {
            let value = maker.value(kind, &[], 1);
            maker.lets.push((kind, value.scale));
            lets.push(value);
        }
        let mut frozen = Vec::new();
        for table in [data::PEOPLE, data::ORDERS] {
            let query = maker.query(table, &[], 2);
            // Lists are kept, but asked for nowhere.
            if !query.matched {
                maker.frozen.push(query.clone());
                frozen.push(query);
            }
        }
        let asked = (0..PER_WORLD).map(|at| {
            let table = maker.table();
            maker.query(table, &[], 1 + (at % 3) as u32)
        });
        let asked = asked.collect();
        Self { defines, lets, frozen, asked }
    }

    fn defines(maker: &mut Maker<'_>) -> Vec<Define> {
        maker.in_define = true;
        for (at, (table, kind)) in
            [(data::PEOPLE, Kind::Int), (data::ORDERS, Kind::Decimal), (data::PEOPLE, Kind::Bool)]
                .into_iter()
                .enumerate()
        {
            maker.params = if at == 2 { Vec::new() } else { vec![Kind::Int, kind] };
            maker.params.truncate(at + 1);
            let body = maker.value(kind, &[InScope::plain(table)], 2);
            let params = std::mem::take(&mut maker.params);
            maker.defines.push(Define { name: format!("def_{at}"), table, params, body });
        }
        maker.in_define = false;
        maker.defines.clone()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for define in &self.defines {
            let params: Vec<String> =
                define.params.iter().enumerate().map(|(at, kind)| format!("p{at}: {}", word(*kind))).collect();
            let params = if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) };
            text +=
                &format!("define {}{params} of {} = {}\n", define.name, TABLES[define.table].name, define.body.text());
        }
        for (at, value) in self.lets.iter().enumerate() {
            text += &format!("let let_{at} = {}\n", value.text());
        }
        for (at, query) in self.frozen.iter().enumerate() {
            text += &format!("segment frozen_{at} = {}\n", query.text());
        }
        for (at, query) in self.asked.iter().enumerate() {
            text += &format!("segment s_{at} = {}\n", query.text());
        }
        text
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "int",
        Kind::Decimal => "decimal",
        Kind::Bool => "bool",
        other => panic!("no parameter is {other:?}"),
    }
}

/// What was compared and what differs.
#[derive(Default)]
struct Tally {
    asked: u64,
    failed: u64,
    rows: u64,
    /// Questions that SQLite answered, too.
    in_sql: u64,
    refused: Vec<String>,
    wrong: Vec<String>,
}

/// What is known of the script so far.
struct Known<'w> {
    world: &'w World,
    script: &'w Script,
    clock: Clock,
    lets: Vec<V>,
    frozen: Vec<Frozen>,
}

impl Known<'_> {
    fn judge(&self, lazy: bool) -> Judge<'_> {
        Judge {
            rows: &self.world.rows,
            frozen: &self.frozen,
            lets: &self.lets,
            defines: &self.script.defines,
            clock: &self.clock,
            seed: "seed",
            lazy,
            failed: RefCell::new(Vec::new()),
            skipped: Cell::new(false),
        }
    }

    /// Rows as the plain evaluator finds them, and the keys of those that fail.
    fn expected(&self, query: &Q, lazy: bool) -> (Vec<Vec<V>>, Vec<String>) {
        let judge = self.judge(lazy);
        let rows = judge.used(query, &Env::default(), true);
        let rows = rows.iter().map(|row| {
            let added = query.with.iter().map(|column| judge.column(row, &column.name).unwrap());
            row.fields.iter().cloned().chain(added).map(V::normal).collect()
        });
        let rows = rows.collect();
        (rows, judge.failed.into_inner())
    }

    /// Whether nothing is left but what may have been left out before.
    fn nothing_is_left(&self, query: &Q, found: &[Vec<V>]) -> bool {
        let judge = self.judge(true);
        let rows = judge.query(query, &Env::default(), true);
        found.is_empty() && rows.iter().all(|row| !row.tainted.is_empty())
    }

    /// The rows that were found, by key.
    fn by_key(&self, query: &Q) -> Vec<Vec<V>> {
        let (mut rows, _) = self.expected(query, true);
        let key = TABLES[query.table].key;
        rows.sort_by(|left, right| {
            let pairs = left[..key].iter().zip(&right[..key]);
            pairs.map(|(l, r)| value::by_order(l, r, false)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        rows
    }

    /// What depends on no row may fail even where there are no rows.
    fn is_constant(&self, span: Option<orch::base::Span>) -> bool {
        let text = self.script.text();
        let place = span.and_then(|span| text.get(span.start as usize..span.end as usize));
        let words = place.into_iter().flat_map(|place| place.split(|c: char| !(c.is_alphanumeric() || c == '_')));
        let known =
            |word: &str| word.is_empty() || word.starts_with("let_") || word.starts_with(|c: char| c.is_ascii_digit());
        place.is_some() && words.into_iter().all(known)
    }

    /// Compares the value of a `let`, and keeps it.
    fn bind(&mut self, at: usize, answer: &Answer, broken: &mut bool) -> Result<(), String> {
        let x = &self.script.lets[at];
        let (value, failed) = {
            let judge = self.judge(false);
            let value = judge.value(x, &Env::default()).normal();
            (value, !judge.failed.into_inner().is_empty())
        };
        let result = match answer {
            Answer::Value(found) if !failed && found.clone().normal() == value => Ok(()),
            Answer::Failed(QueryError::Value(_)) if failed => {
                *broken = true;
                Ok(())
            }
            Answer::Value(found) => Err(format!("{}: {found:?}, not {value:?}", x.text())),
            Answer::Failed(error) => Err(format!("{}: {error}, not {value:?}", x.text())),
            Answer::Rows(_) => Err("no value".to_owned()),
        };
        self.lets.push(value);
        result
    }

    /// Compares an answer with both judges.
    fn question(
        &self,
        query: &Q,
        answer: &Answer,
        database: Option<&rusqlite::Connection>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        tally.asked += 1;
        tally.failed += u64::from(matches!(answer, Answer::Failed(_)));
        self.compare(query, answer).map_err(|why| format!("{}\n{why}", query.text()))?;
        let (Some(db), Answer::Rows(rows)) = (database, answer) else { return Ok(()) };
        tally.rows += rows.len() as u64;
        let Some(found) = sql::answer(db, query, &self.lets) else { return Ok(()) };
        tally.in_sql += 1;
        let expected = sql::expected(query, &self.by_key(query));
        match found == expected {
            true => Ok(()),
            false => Err(format!("{}\nSQLite finds\n  {found:?}\nnot\n  {expected:?}", query.text())),
        }
    }

    /// Keeps a population for later questions. True when it could not be computed.
    fn freeze(&mut self, query: &Q) -> bool {
        let (rows, failed) = self.expected(query, true);
        let width = TABLES[query.table].fields.len();
        let split = |row: Vec<V>| {
            let added = query.with.iter().map(|column| column.name.clone()).zip(row[width..].iter().cloned());
            (row[..width].to_vec(), added.collect())
        };
        self.frozen.push(Frozen { rows: rows.into_iter().map(split).collect() });
        !failed.is_empty()
    }

    fn compare(&self, query: &Q, answer: &Answer) -> Result<(), String> {
        let (rows, failed) = self.expected(query, true);
        match answer {
            Answer::Failed(QueryError::Value(error)) => {
                let (_, all) = self.expected(query, false);
                match &error.row {
                    None if self.is_constant(error.span) => Ok(()),
                    // Related rows are computed for all at once, so one that nothing leads to may be too large.
                    _ if self.world.extreme && all.is_empty() && error.what.contains("does not fit") => Ok(()),
                    _ if all.is_empty() => Err(format!("fails: {error}")),
                    Some(key) if !all.contains(key) => {
                        Err(format!("names the row `{key}`, not one of {all:?}: {error}"))
                    }
                    _ => Ok(()),
                }
            }
            Answer::Failed(error) => Err(format!("fails: {error}")),
            // A row may be left out before anybody sees that a condition on it fails.
            Answer::Rows(found) if self.nothing_is_left(query, found) => Ok(()),
            Answer::Rows(_) if !failed.is_empty() => Err(format!("does not fail in a row of {failed:?}")),
            Answer::Rows(found) => {
                let found: Vec<Vec<V>> = found.iter().map(|row| row.iter().cloned().map(V::normal).collect()).collect();
                match found == rows {
                    true => Ok(()),
                    false => Err(format!("gives\n  {found:?}\nnot\n  {rows:?}")),
                }
            }
            Answer::Value(_) => Err("is a value".to_owned()),
        }
    }
}

fn compare_world(seed: u64, session: &Session, runtime: &tokio::runtime::Runtime, tally: &mut Tally) {
    let mut chance = Chance::new(seed);
    let world = World::random(&mut chance);
    let script = Script::random(&world, chance);
    let text = script.text();
    let mut engine = match Engine::new(session, runtime, &world, &text) {
        Ok(engine) => engine,
        Err(problems) => {
            tally.refused.push(format!("seed {seed}:\n{problems}"));
            return;
        }
    };
    engine.joins = if seed.is_multiple_of(4) { Joins::Spilling } else { Joins::Fast };
    let clock = Clock { now: world.now, zone: jiff::tz::TimeZone::get(world.zone).unwrap() };
    let mut known = Known { world: &world, script: &script, clock, lets: Vec::new(), frozen: Vec::new() };
    let mut broken = false;
    // Whole numbers of SQLite are too short for extreme ones.
    let database = (!world.extreme).then(|| sql::database(&world));
    engine.run(|name, answer| {
        // What follows a `let` or a frozen population that failed cannot be computed.
        if broken {
            return;
        }
        let (kind, at) = name.split_once('_').unwrap();
        let at: usize = at.parse().unwrap();
        let found = match kind {
            "let" => known.bind(at, &answer, &mut broken),
            "frozen" => known.question(&script.frozen[at], &answer, database.as_ref(), tally),
            _ => known.question(&script.asked[at], &answer, database.as_ref(), tally),
        };
        if let Err(why) = found {
            let scene = format!("zone {}, now {}, rows {:?}", world.zone, world.now, world.rows);
            tally.wrong.push(format!("seed {seed} {name} = {why}\n{scene}"));
        }
        if kind == "frozen" {
            broken |= known.freeze(&script.frozen[at]) || matches!(answer, Answer::Failed(_));
        }
    });
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn the_product_agrees_with_a_plain_evaluator() {
    let first = number("ORCH_DIFF_SEED", 1);
    let worlds = number("ORCH_DIFF_CASES", CASES).div_ceil(PER_WORLD);
    let started = std::time::Instant::now();
    let halves = [0, 1].map(|half| {
        std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let session = Session::new(&SessionOptions { threads: Some(2), ..SessionOptions::default() }).unwrap();
            let mut tally = Tally::default();
            for seed in (first..first + worlds).filter(|seed| seed % 2 == half) {
                compare_world(seed, &session, &runtime, &mut tally);
            }
            tally
        })
    });
    let mut all = Tally::default();
    for half in halves {
        let tally = half.unwrap().join().unwrap();
        all.asked += tally.asked;
        all.failed += tally.failed;
        all.rows += tally.rows;
        all.in_sql += tally.in_sql;
        all.refused.extend(tally.refused);
        all.wrong.extend(tally.wrong);
    }
    eprintln!(
        "seeds {first} to {}: {} questions, {} of them in SQL, {} rows, {} errors, {} scripts refused, {} differences, {:.1} s",
        first + worlds - 1,
        all.asked,
        all.in_sql,
        all.rows,
        all.failed,
        all.refused.len(),
        all.wrong.len(),
        started.elapsed().as_secs_f64()
    );
    if worlds >= 50 {
        assert!(all.in_sql * 5 > all.asked && all.failed > 5, "too little is compared");
    }
    all.wrong.sort_by_key(String::len);
    all.refused.sort_by_key(String::len);
    let shown =
        |texts: &[String]| texts.iter().take(4).map(|text| format!("{text:.4000}")).collect::<Vec<_>>().join("\n\n");
    let (refused, wrong) = (&all.refused, &all.wrong);
    assert!(
        refused.is_empty() && wrong.is_empty(),
        "{} scripts are refused:\n{}\n\n{} answers differ, the shortest are\n{}",
        refused.len(),
        shown(refused),
        wrong.len(),
        shown(wrong)
    );
}
