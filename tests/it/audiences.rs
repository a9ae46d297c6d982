//! Audiences as a marketer asks for them, over the data of `examples/shop` and a club with referrals, households and
//! interests, against the same questions in SQL. See `audiences/questions.txt`.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use rusqlite::Connection;
use rusqlite::types::Value;
use rust_decimal::Decimal;

use crate::project::Project;

const QUESTIONS: &str = include_str!("audiences/questions.txt");

const CLUB: &str = r#"
entity members from "data/members.csv" {
  id:          int key
  name:        text
  referred_by: int?
  street:      text
  zip:         text
  joined:      date
  by:          one members by referred_by
  referred:    many members by referred_by
  likes:       many likes by member_id
}
entity topics from "data/topics.csv" { id: int key, title: text, likes: many likes by topic_id }
entity likes from "data/likes.csv" {
  member_id: int key
  topic_id:  int key
  member:    one members by member_id
  topic:     one topics by topic_id
}
"#;

const TABLES: [&str; 8] = ["customers", "orders", "products", "stores", "wishlist_items", "members", "topics", "likes"];
const AMOUNTS: [&str; 3] = ["spend", "amount", "price"];
const NUMBERS: [&str; 8] =
    ["id", "customer_id", "quantity", "stock", "store_id", "referred_by", "member_id", "topic_id"];

/// One question in both languages.
struct Question {
    name: &'static str,
    orch: &'static str,
    columns: &'static str,
    sql: &'static str,
}

fn questions() -> Vec<Question> {
    let blocks = QUESTIONS.split("\n## ").skip(1);
    blocks
        .map(|block| {
            let mut lines = block.lines();
            let (name, orch, sql) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
            let with_columns = orch.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
            let key = if sql.contains("SELECT sku") || sql.contains("DISTINCT sku") { "sku" } else { "id" };
            let (orch, columns) = with_columns.unwrap_or((orch, key));
            Question { name, orch, columns, sql }
        })
        .collect()
}

/// The shop and the club.
fn project() -> Project {
    let project = Project::shop();
    project.write("schema.orch", project.read("schema.orch") + CLUB);
    let mut members = String::from("id,name,referred_by,street,zip,joined\n");
    let mut likes = String::from("member_id,topic_id\n");
    for i in 1..=240u32 {
        let by = if i % 4 == 1 || i < 5 { String::new() } else { (i * 37 % (i - 1) + 1).to_string() };
        let joined = format!("{}-0{}-{}", 2023 + i % 4, 1 + i % 9, 10 + i % 18);
        writeln!(members, "{i},N{},{by},S{},{},{joined}", i * 7 % 60, i % 23, 75001 + i * 5 % 20).unwrap();
        for topic in (1..=6).filter(|topic| (i * topic) % 7 < 2 || i % 40 == 0) {
            writeln!(likes, "{i},{topic}").unwrap();
        }
    }
    project.write("data/members.csv", members);
    project.write("data/likes.csv", likes);
    project.write("data/topics.csv", "id,title\n1,a\n2,b\n3,c\n4,d\n5,e\n6,f\n");
    project
}

/// The same rows in SQLite.
fn database(project: &Project) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA case_sensitive_like = ON").unwrap();
    let paris = TimeZone::get("Europe/Paris").unwrap();
    for table in TABLES {
        let (header, rows) = project.cells(&format!("data/{table}.csv"));
        let more: &[&str] = match table {
            "orders" => &["day", "hour", "secs"],
            "customers" => &["lower_email"],
            _ => &[],
        };
        let columns: Vec<&str> = header.iter().map(String::as_str).chain(more.iter().copied()).collect();
        db.execute_batch(&format!("CREATE TABLE {table} ({})", columns.join(", "))).unwrap();
        let transaction = db.transaction().unwrap();
        let holes = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({holes})")).unwrap();
        for row in rows {
            let mut values: Vec<Value> = header.iter().zip(&row).map(|(name, text)| cell(name, text)).collect();
            let of = |name: &str| &row[header.iter().position(|known| known == name).unwrap()];
            if table == "orders" {
                let at: jiff::Timestamp = of("placed_at").parse().unwrap();
                let local = paris.to_datetime(at);
                values.push(Value::Text(local.date().to_string()));
                values.extend([Value::Integer(local.hour().into()), Value::Integer(at.as_second())]);
            }
            if table == "customers" {
                values.push(cell("lower_email", &of("email").to_lowercase()));
            }
            insert.execute(rusqlite::params_from_iter(values)).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
    }
    db.execute_batch(
        "CREATE INDEX oc ON orders (customer_id); CREATE INDEX op ON orders (product_sku);
         CREATE INDEX cn ON customers (first_name, last_name); CREATE INDEX cc ON customers (country);",
    )
    .unwrap();
    db
}

fn cell(name: &str, text: &str) -> Value {
    match text {
        "" => Value::Null,
        _ if AMOUNTS.contains(&name) => {
            let cents: Decimal = text.parse().unwrap();
            Value::Integer((cents * Decimal::ONE_HUNDRED).normalize().to_string().parse().unwrap())
        }
        _ if NUMBERS.contains(&name) => Value::Integer(text.parse().unwrap()),
        _ => Value::Text(text.to_owned()),
    }
}

/// A cell so that both sides write it alike.
fn normal(text: &str) -> String {
    text.parse::<Decimal>().map_or_else(|_| text.to_owned(), |number| number.round_dp(6).normalize().to_string())
}

fn answer(db: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let shown = |at: usize| match row.get::<_, Value>(at).unwrap() {
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => normal(&format!("{number:.6}")),
            Value::Text(text) => normal(&text),
            _ => String::new(),
        };
        found.push((0..width).map(shown).collect());
    }
    found.sort();
    found
}

#[test]
fn audiences_of_marketers_are_those_that_sql_finds() {
    let (project, questions) = (project(), questions());
    assert!(questions.len() >= 45);
    let mut script = String::new();
    for question in &questions {
        writeln!(script, "segment {} = {}", question.name, question.orch).unwrap();
    }
    for Question { name, columns, .. } in &questions {
        writeln!(script, "export {name} to \"out/{name}.csv\" {{ columns: [{columns}] }}").unwrap();
    }
    project.write("questions.orch", script);
    project.done(&["run", "questions.orch"]);
    let db = database(&project);
    let mut wrong = Vec::new();
    for Question { name, sql, .. } in &questions {
        let expected = answer(&db, sql);
        assert!(!expected.is_empty(), "{name} asks for nobody");
        let (_, mut found) = project.cells(&format!("out/{name}.csv"));
        found.iter_mut().flatten().for_each(|cell| *cell = normal(cell));
        found.sort();
        if found != expected {
            wrong.push(format!(
                "{name}: {} rows, not {}\n  {found:.300?}\n  {expected:.300?}",
                found.len(),
                expected.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
