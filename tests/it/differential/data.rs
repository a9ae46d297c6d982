//! Tables of the test: keys of one and two columns, a relation of a table to itself, and one of many to many.

use jiff::Timestamp;
use jiff::civil::{Date, Time, date, time};

use super::tree::Kind;
use super::value::V;

pub struct Table {
    pub name: &'static str,
    /// The first ones are the key, which is never null.
    pub key: usize,
    pub fields: &'static [(&'static str, Kind)],
    pub relations: &'static [Relation],
}

pub struct Relation {
    pub name: &'static str,
    pub many: bool,
    pub target: usize,
    /// Fields here and there.
    pub on: &'static [(usize, usize)],
    /// The fields that its declaration names.
    pub by: &'static str,
}

const fn one(name: &'static str, target: usize, on: &'static [(usize, usize)], by: &'static str) -> Relation {
    Relation { name, many: false, target, on, by }
}

const fn many(name: &'static str, target: usize, on: &'static [(usize, usize)], by: &'static str) -> Relation {
    Relation { name, many: true, target, on, by }
}

pub const PEOPLE: usize = 0;
pub const ORDERS: usize = 1;
pub const LINES: usize = 2;
pub const GOODS: usize = 3;
pub const LIKES: usize = 4;
pub const STORES: usize = 5;

pub static TABLES: [Table; 6] = [
    Table {
        name: "people",
        key: 1,
        fields: &[
            ("id", Kind::Int),
            ("email", Kind::Text),
            ("city", Kind::Text),
            ("tier", Kind::Tier),
            ("spend", Kind::Decimal),
            ("visits", Kind::Int),
            ("score", Kind::Float),
            ("vip", Kind::Bool),
            ("joined", Kind::Date),
            ("seen", Kind::Stamp),
            ("wake", Kind::Time),
            ("notes", Kind::Json),
            ("boss_id", Kind::Int),
            ("country", Kind::Text),
            ("store_no", Kind::Int),
        ],
        relations: &[
            one("boss", PEOPLE, &[(12, 0)], "boss_id"),
            many("team", PEOPLE, &[(0, 12)], "boss_id"),
            one("store", STORES, &[(13, 0), (14, 1)], "(country, store_no)"),
            many("orders", ORDERS, &[(0, 1)], "person_id"),
            many("likes", LIKES, &[(0, 0)], "person_id"),
        ],
    },
    Table {
        name: "orders",
        key: 1,
        fields: &[
            ("id", Kind::Int),
            ("person_id", Kind::Int),
            ("amount", Kind::Decimal),
            ("pieces", Kind::Int),
            ("placed", Kind::Stamp),
            ("due", Kind::Date),
            ("note", Kind::Text),
        ],
        relations: &[one("person", PEOPLE, &[(1, 0)], "person_id"), many("lines", LINES, &[(0, 0)], "order_id")],
    },
    Table {
        name: "lines",
        key: 2,
        fields: &[
            ("order_id", Kind::Int),
            ("no", Kind::Int),
            ("sku", Kind::Text),
            ("pieces", Kind::Int),
            ("price", Kind::Decimal),
        ],
        relations: &[one("order", ORDERS, &[(0, 0)], "order_id"), one("good", GOODS, &[(2, 0)], "sku")],
    },
    Table {
        name: "goods",
        key: 1,
        fields: &[("sku", Kind::Text), ("title", Kind::Text), ("price", Kind::Decimal), ("since", Kind::Date)],
        relations: &[many("lines", LINES, &[(0, 2)], "sku"), many("likes", LIKES, &[(0, 1)], "sku")],
    },
    Table {
        name: "likes",
        key: 2,
        fields: &[("person_id", Kind::Int), ("sku", Kind::Text), ("stars", Kind::Int)],
        relations: &[one("person", PEOPLE, &[(0, 0)], "person_id"), one("good", GOODS, &[(1, 0)], "sku")],
    },
    Table {
        name: "stores",
        key: 2,
        fields: &[("country", Kind::Text), ("no", Kind::Int), ("city", Kind::Text), ("opened", Kind::Date)],
        relations: &[many("people", PEOPLE, &[(0, 13), (1, 14)], "(country, store_no)")],
    },
];

pub const TIERS: [&str; 3] = ["bronze", "silver", "gold"];

impl Table {
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(known, _)| *known == name)
    }

    pub fn relation(&self, name: &str) -> Option<usize> {
        self.relations.iter().position(|relation| relation.name == name)
    }
}

fn written(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Decimal => "decimal",
        Kind::Float => "float",
        Kind::Tier => "\"bronze\" | \"silver\" | \"gold\"",
        Kind::Date => "date",
        Kind::Time => "time",
        Kind::Stamp => "timestamp",
        Kind::Json => "json",
        Kind::Text | Kind::List => "text",
    }
}

/// The tables as declarations.
pub fn schema() -> String {
    let mut text = String::new();
    for table in &TABLES {
        text += &format!("entity {} {{\n", table.name);
        for (at, (name, kind)) in table.fields.iter().enumerate() {
            let end = if at < table.key { " key" } else { "?" };
            text += &format!("  {name}: {}{end}\n", written(*kind));
        }
        for relation in table.relations {
            let many = if relation.many { "many" } else { "one" };
            text += &format!("  {}: {many} {} by {}\n", relation.name, TABLES[relation.target].name, relation.by);
        }
        text += "}\n";
    }
    text
}

/// A small linear generator: the same cases everywhere, from a printed seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (0..4).for_each(|_| {
            chance.below(2);
        });
        chance
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub fn at(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.at(of.len())].clone()
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Rows of every table, where and when the questions are asked.
pub struct World {
    pub rows: Vec<Vec<Vec<V>>>,
    pub extreme: bool,
    pub zone: &'static str,
    pub now: Timestamp,
}

const TEXTS: [&str; 16] =
    ["a", "b", "B", "", "ab", "a b", " a ", "é", "É", "ß", "漢字", "😀x", "a%b", "A-12", "x1y22", "e\u{301}"];
const NOTES: [&str; 8] = [
    "{\"a\": 1, \"b\": {\"c\": \"x\"}}",
    "{\"a\": 12.50, \"b\": [1, 2]}",
    "{\"a\": \"1\"}",
    "{\"a\": null}",
    "[3, {\"c\": true}]",
    "{}",
    "no json",
    "{\"b\": {\"c\": 1e3}}",
];
const ZONES: [&str; 6] =
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kolkata"];
const MOMENTS: [&str; 14] = [
    "2026-03-29T00:30:00Z",
    "2026-03-29T01:30:00Z",
    "2026-03-28T01:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "2026-03-08T06:59:59Z",
    "2026-11-01T05:30:00Z",
    "2026-11-01T06:30:00Z",
    "2026-10-03T15:15:00Z",
    "2026-04-04T14:45:00Z",
    "2026-02-15T02:30:00Z",
    "2024-02-29T12:00:00Z",
    "2026-11-24T09:59:59.123456Z",
    "2025-12-31T23:30:00Z",
];

pub fn random_text(chance: &mut Chance) -> String {
    chance.pick(&TEXTS).to_owned()
}

pub fn random_date(chance: &mut Chance, extreme: bool) -> Date {
    let usual = [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 10, 25),
        date(2026, 11, 1),
        date(2026, 1, 31),
        date(2026, 11, 24),
        date(2025, 12, 31),
        date(1970, 1, 1),
        date(1969, 12, 31),
    ];
    if extreme && chance.one_in(6) { chance.pick(&[date(9998, 12, 31), date(1, 1, 1)]) } else { chance.pick(&usual) }
}

pub fn random_moment(chance: &mut Chance) -> Timestamp {
    chance.pick(&MOMENTS).parse().unwrap()
}

pub fn random_time(chance: &mut Chance) -> Time {
    chance.pick(&[time(0, 0, 0, 0), time(9, 0, 0, 0), time(2, 30, 0, 0), time(23, 59, 59, 0)])
}

/// A value of a kind, never null.
pub fn random_value(chance: &mut Chance, kind: Kind, extreme: bool) -> V {
    let rare = extreme && chance.one_in(4);
    match kind {
        Kind::Int if rare => V::Int(chance.pick(&[i64::MAX, -i64::MAX, 4_000_000_000_000_000_000])),
        Kind::Int => V::Int(chance.below(7) as i64 - 1),
        Kind::Decimal if rare => {
            V::Num(chance.pick(&[10i128.pow(38) - 1, 1 - 10i128.pow(38), 10i128.pow(27), 9 * 10i128.pow(37)]), 2)
        }
        Kind::Decimal => V::Num((chance.below(9) as i128 - 1) * 125, 2),
        Kind::Float if rare => V::Float(chance.pick(&[1.7e308, -1.7e308, 1e-300])),
        Kind::Float => V::Float(chance.pick(&[0.0, 0.1, 0.2, 1.5, -2.25, 1e10])),
        Kind::Bool => V::Bool(chance.one_in(2)),
        Kind::Tier => V::text(chance.pick(&TIERS)),
        Kind::Date => V::Date(random_date(chance, extreme)),
        Kind::Time => V::Time(random_time(chance)),
        Kind::Stamp => V::Stamp(random_moment(chance)),
        Kind::Json => V::text(chance.pick(&NOTES)),
        Kind::Text | Kind::List => V::Text(random_text(chance)),
    }
}

impl World {
    pub fn random(chance: &mut Chance) -> Self {
        let extreme = chance.one_in(4);
        let most = [7, 9, 10, 4, 7, 4];
        let mut rows = Vec::new();
        for (table, most) in TABLES.iter().zip(most) {
            let wanted = if chance.one_in(8) { 0 } else { chance.below(most + 1) };
            let mut found: Vec<Vec<V>> = Vec::new();
            for at in 0..wanted {
                let row: Vec<V> = table
                    .fields
                    .iter()
                    .enumerate()
                    .map(|(field, (name, kind))| Self::cell(chance, (table, field), (name, *kind), at, extreme))
                    .collect();
                if !found.iter().any(|known| known[..table.key] == row[..table.key]) {
                    found.push(row);
                }
            }
            rows.push(found);
        }
        let zone = chance.pick(&ZONES);
        Self { rows, extreme, zone, now: random_moment(chance) }
    }

    fn cell(
        chance: &mut Chance,
        (table, field): (&Table, usize),
        (name, kind): (&str, Kind),
        at: u64,
        extreme: bool,
    ) -> V {
        let is_key = field < table.key;
        if !is_key && chance.one_in(5) {
            return V::Null;
        }
        match name {
            "id" => V::Int(at as i64),
            "order_id" | "person_id" | "boss_id" => V::Int(chance.below(6) as i64),
            "no" | "store_no" => V::Int(chance.below(3) as i64),
            "sku" => V::text(chance.pick(&["tea", "cup", "pot"])),
            "country" => V::text(chance.pick(&["FR", "DE"])),
            _ => random_value(chance, kind, extreme),
        }
    }
}
