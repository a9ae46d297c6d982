//! JSON objects, line by line or as a list.

use insta::assert_snapshot;

use super::{Project, declare, drawn, text};

const FIELDS: &str = "id: int\nname: text?\nspend: decimal = 1.5\nok: bool?\nat: timestamp?\nmore: json?\nzip: text?";

const LINES: &str = r#"{"id": 1, "name": "Zoë \"Z\" \u00e9", "spend": 12.125, "ok": true, "zip": "01067"}
{"id": "2", "name": null, "spend": "3", "ok": "no", "at": "2026-07-05T09:00:00Z", "more": {"a": [1, 2]}, "zip": 75001}

{"extra": [{}], "id": 9223372036854775807, "more": "x", "name": ""}
"#;

#[test]
fn objects_are_typed_as_cells_are() {
    let project = Project::with("a.ndjson", LINES);
    assert_snapshot!(project.rows(&declare("a.ndjson", &[], FIELDS)), @r#"
    +---------------------+-----------+--------+-------+----------------------+---------------+-------+------+
    | id                  | name      | spend  | ok    | at                   | more          | zip   | line |
    +---------------------+-----------+--------+-------+----------------------+---------------+-------+------+
    | 1                   | Zoë "Z" é | 12.125 | true  |                      |               | 01067 | 1    |
    | 2                   |           | 3.000  | false | 2026-07-05T09:00:00Z | {"a": [1, 2]} | 75001 | 2    |
    | 9223372036854775807 |           | 1.500  |       |                      | "x"           |       | 4    |
    +---------------------+-----------+--------+-------+----------------------+---------------+-------+------+
    "#);
}

#[test]
fn a_list_of_objects_holds_the_same_with_the_lines_where_they_begin() {
    let list = r#"[
  {
    "id": 1, "name": "a } \" {"
  }, {"id": 2},

  {"id": 3, "more": {"b": "]"}}
]
"#;
    let project = Project::with("a.json", list);
    let fields = "id: int\nname: text?\nmore: json?";
    assert_snapshot!(project.rows(&declare("a.json", &[], fields)), @r#"
    +----+---------+------------+------+
    | id | name    | more       | line |
    +----+---------+------------+------+
    | 1  | a } " { |            | 2    |
    | 2  |         |            | 4    |
    | 3  |         | {"b": "]"} | 6    |
    +----+---------+------------+------+
    "#);
    project.write("b.json", "{\"id\": 1}\n{\"id\": 2}");
    assert_eq!(project.open(&declare("b.json", &[], fields)).unwrap().rows, 2);
    project.write("c.json", "[]");
    assert_eq!(project.open(&declare("c.json", &[], fields)).unwrap().rows, 0);
}

#[test]
fn a_long_list_is_cut_between_objects() {
    let objects: Vec<_> = (0..60_000).map(|id| format!("{{\"id\": {id}, \"t\": \"{{}}[\\\\\" }}")).collect();
    let project = Project::with("a.json", format!("[{}]", objects.join(",\n")));
    let opened = project.open(&declare("a.json", &[], "id: int key\nt: text")).unwrap();
    assert_eq!(opened.rows, 60_000);
    let lines = Project::with("a.jsonl", objects.join("\n"));
    assert_eq!(lines.open(&declare("a.jsonl", &[], "id: int key\nt: text")).unwrap().rows, 60_000);
}

#[test]
fn bad_lines_are_set_aside() {
    let project = Project::with(
        "a.jsonl",
        "{\"id\": 1}\n{\"id\": 1.5}\n{\"id\": }\n[1]\n{\"name\": \"x\"}\n{\"id\": [1]}\n{\"id\": 2} {}\n{\"id\": 3,\n{\"id\": 4}\n",
    );
    let declared = declare("a.jsonl", &[("on_error", text("reject"))], "id: int\nname: text?");
    let opened = project.open(&declared).unwrap();
    assert_snapshot!(drawn(&opened.table), @r"
    +----+------+------+
    | id | name | line |
    +----+------+------+
    | 1  |      | 1    |
    | 4  |      | 9    |
    +----+------+------+
    ");
    assert_snapshot!(drawn(&opened.rejected_table), @r#"
    +---------+------+--------+--------------+-------------------------------------------+
    | file    | line | column | value        | reason                                    |
    +---------+------+--------+--------------+-------------------------------------------+
    | a.jsonl | 2    | id     | 1.5          | is not an int                             |
    | a.jsonl | 3    |        | {"id": }     | is not valid json: expected value         |
    | a.jsonl | 4    |        | [1]          | is not an object, such as `{"id": 1}`     |
    | a.jsonl | 5    | id     |              | there is no value, but `id` is never null |
    | a.jsonl | 6    | id     | [1]          | is a list or an object                    |
    | a.jsonl | 7    |        | {"id": 2} {} | has more than one value in the line       |
    | a.jsonl | 8    |        | {"id": 3,    | is not valid json: it is cut off          |
    +---------+------+--------+--------------+-------------------------------------------+
    "#);
    assert_snapshot!(project.failure(&declare("a.jsonl", &[], "id: int\nname: text?")), @r"
    error[run::bad_cell]: a.jsonl:2: column id: `1.5` is not an int
       ╭─[shop.orch:2:3]
     2 │   id: int
       ·   ─┬
       ·    ╰── declared here
       ╰────
      = help: mend the file, or write `on_error: reject` after the path to set such lines aside
    ");
}

#[test]
fn a_list_that_is_cut_off_or_broken_is_no_data() {
    let project = Project::with("a.json", "[{\"id\": 1},\n{\"id\": 2}\n");
    let reject: &[_] = &[("on_error", text("reject"))];
    assert_snapshot!(project.failure(&declare("a.json", reject, "id: int")), @r#"
    error[run::source_unreadable]: cannot read `a.json`: its list is cut off in line 2: there is no `]`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.json" {
       ·                  ────────
       ╰────
    "#);
    project.write("b.json", "[\n{\"id\": 1},\n{\"id\" 2}]");
    assert_snapshot!(project.failure(&declare("b.json", reject, "id: int")), @r#"
    error[run::source_unreadable]: cannot read `b.json:3`: what begins here is not valid json: expected `:` behind a key
       ╭─[shop.orch:1:18]
     1 │ entity rows from "b.json" {
       ·                  ────────
       ╰────
    "#);
    project.write("c.json", "[{\"id\": 1}, 2, [3]]");
    assert_eq!(project.open(&declare("c.json", reject, "id: int")).unwrap().rejected, 2);
    project.write("d.json", "[{\"id\": 1}] {\"id\": 2}");
    assert_snapshot!(project.failure(&declare("d.json", reject, "id: int")), @r#"
    error[run::source_unreadable]: cannot read `d.json:1`: there is more text behind the list
       ╭─[shop.orch:1:18]
     1 │ entity rows from "d.json" {
       ·                  ────────
       ╰────
    "#);
}

#[test]
fn a_key_that_is_never_there_but_written_differently_is_a_mistake() {
    let project = Project::with("a.jsonl", "{\"id\": 1, \"firstName\": \"Zoë\"}\n");
    assert_snapshot!(project.failure(&declare("a.jsonl", &[], "id: int\nfirst_name: text?")), @r#"
    error[run::source_columns]: `a.jsonl` has no column `first_name`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.jsonl" {
       ·                  ─────────
       ╰────
       ╭─[shop.orch:3:3]
     3 │   first_name: text?
       ·   ─────┬────
       ·        ╰── not in the file; did you mean `firstName`?
       ╰────
      = help: its columns are id, firstName
    "#);
    assert_eq!(project.open(&declare("a.jsonl", &[], "id: int\nnote: text?")).unwrap().rows, 1);
    let strict = declare("a.jsonl", &[("undeclared", text("fail"))], "id: int\nnote: text?");
    assert_snapshot!(project.failure(&strict), @r#"
    error[run::source_columns]: `a.jsonl` has `firstName`, which the entity does not declare
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.jsonl" {
       ·                  ─────────
       ╰────
      = help: declare them, or remove `undeclared: fail`
    "#);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

    /// Whatever stands in a file, it is read or refused.
    #[test]
    fn any_text_is_read_or_refused(text in "([{}\\[\\],: \n\"\\\\a1é]|\\{\"id\": 1\\}|\"id\"){0,30}") {
        use crate::hir::Value;
        let project = Project::with("a.json", &text);
        project.write("a.jsonl", &text);
        project.write("a.txt", &text);
        let widths = Value::List(vec![Value::Int(2), Value::Int(1)]);
        let reject = ("on_error", super::text("reject"));
        let fields = "id: int?\na: json?";
        for (name, options) in [
            ("a.json", vec![reject.clone()]),
            ("a.jsonl", vec![reject.clone()]),
            ("a.txt", vec![reject, ("widths", widths)]),
        ] {
            if let Ok(opened) = project.open(&declare(name, &options, fields)) {
                let lines = text.matches('\n').count() as u64 + 1;
                proptest::prop_assert!(name == "a.json" || opened.rows + opened.rejected <= lines);
            }
            let source = declare(name, &[], fields).entity.source.unwrap();
            proptest::prop_assert!(project.columns(&source).is_ok() || text.trim().is_empty() || name == "a.txt");
        }
    }
}
