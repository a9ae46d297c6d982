//! Fixed widths, ways to write numbers, texts that stand for others, columns that are not declared.

use insta::assert_snapshot;

use super::{Project, declare, drawn, text, texts};
use crate::hir::Value;

fn widths(widths: &[i64]) -> Value {
    Value::List(widths.iter().map(|width| Value::Int(*width)).collect())
}

#[test]
fn cells_of_fixed_widths_are_trimmed() {
    let lines = "0001Zoë        12.50gold\r\n0002Élodie     3\n\n0003\n0004Ann         1.00gold and more\n";
    let project = Project::with("a.txt", lines);
    let options: &[_] = &[("widths", widths(&[4, 10, 6, 4])), ("on_error", text("reject"))];
    let opened =
        project.open(&declare("a.txt", options, "id: int\nname: text?\nspend: decimal?\ntier: text?")).unwrap();
    assert_snapshot!(drawn(&opened.table), @r"
    +----+--------+-------+------+------+
    | id | name   | spend | tier | line |
    +----+--------+-------+------+------+
    | 1  | Zoë    | 12.50 | gold | 1    |
    | 2  | Élodie | 3.00  |      | 2    |
    | 3  |        |       |      | 4    |
    +----+--------+-------+------+------+
    ");
    assert_snapshot!(drawn(&opened.rejected_table), @r"
    +-------+------+--------+-------+----------------------------------------------------+
    | file  | line | column | value | reason                                             |
    +-------+------+--------+-------+----------------------------------------------------+
    | a.txt | 5    |        |       | the line has 33 characters, but the widths make 24 |
    +-------+------+--------+-------+----------------------------------------------------+
    ");
}

#[test]
fn fixed_widths_may_have_a_header() {
    let project = Project::with("a.txt", "name  id \nZoë   1  \nAnn   2  \n");
    let options: &[_] = &[("widths", widths(&[6, 3])), ("header", Value::Bool(true))];
    let opened = project.open(&declare("a.txt", options, "id: int\nname: text")).unwrap();
    assert_snapshot!(drawn(&opened.table), @r"
    +----+------+------+
    | id | name | line |
    +----+------+------+
    | 1  | Zoë  | 2    |
    | 2  | Ann  | 3    |
    +----+------+------+
    ");
    let options: &[_] = &[("widths", widths(&[6, 3]))];
    assert_snapshot!(project.failure(&declare("a.txt", options, "id: int")), @r#"
    error[run::source_option]: `widths` and the fields of the file differ in number: 2 and 1
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.txt" {
       ·                  ───────
       ╰────
      = help: write one width for each field, in their order
    "#);
}

#[test]
fn numbers_are_written_as_the_options_say() {
    let project = Project::with("a.csv", "id;d;f;p\n1;1.234,50;0,25;2,5 %\n1.000.000;-7;1;3%\n");
    let options: &[_] = &[("delimiter", text(";")), ("decimal", text(",")), ("thousands", text("."))];
    let fields = "id: int key\nd: decimal\nf: float\np: percent";
    assert_snapshot!(project.rows(&declare("a.csv", options, fields)), @r"
    +---------+---------+------+-------+
    | id      | d       | f    | p     |
    +---------+---------+------+-------+
    | 1       | 1234.50 | 0.25 | 0.025 |
    | 1000000 | -7.00   | 1.0  | 0.030 |
    +---------+---------+------+-------+
    ");
    for wrong in ["1.23,5", "1,2,3", "12345.678", "1,234.50", ".5", "1..000"] {
        project.write("b.csv", format!("id;d;f;p\n1;{wrong};1;1\n"));
        let problem = project.open(&declare("b.csv", options, fields)).err().map(|problem| problem.code.to_string());
        assert_eq!(problem.as_deref(), Some("run::bad_cell"), "{wrong}");
    }
    let both: &[_] = &[("decimal", text(",")), ("thousands", text(","))];
    assert_eq!(project.open(&declare("a.csv", both, fields)).err().unwrap().code.to_string(), "run::source_option");
}

#[test]
fn texts_stand_for_others() {
    let project = Project::with("a.csv", "id,tier,ok,note\n1,G,J,n/a\n2, S ,N,G\n3,gold,true,n/a\n");
    let map = texts(&["tier: G -> gold", "tier: S -> silver", "ok: J -> true", "ok: N -> false", "*: n/a ->"]);
    let fields = "id: int key\ntier: \"gold\" | \"silver\"\nok: bool\nnote: text?";
    assert_snapshot!(project.rows(&declare("a.csv", &[("map", map)], fields)), @r"
    +----+--------+-------+------+
    | id | tier   | ok    | note |
    +----+--------+-------+------+
    | 1  | gold   | true  |      |
    | 2  | silver | false | G    |
    | 3  | gold   | true  |      |
    +----+--------+-------+------+
    ");
    let wrong = declare("a.csv", &[("map", texts(&["teir: G -> gold"]))], fields);
    assert_snapshot!(project.failure(&wrong), @r#"
    error[run::source_option]: option `map`: there is no field `teir`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: did you mean `tier`?
    "#);
    let wrong = declare("a.csv", &[("map", texts(&["G = gold"]))], fields);
    assert_snapshot!(project.failure(&wrong), @r#"
    error[run::source_option]: option `map`: `G = gold` does not say what stands for what
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: write `"COLUMN: FROM -> TO"`, with `*` for every column
    "#);
}

#[test]
fn columns_that_are_not_declared_can_be_an_error() {
    let project = Project::with("a.csv", "id,name,surprise,more\n1,x,y,z\n");
    let fields = "id: int\nname: text";
    assert_eq!(project.open(&declare("a.csv", &[], fields)).unwrap().rows, 1);
    assert_snapshot!(project.failure(&declare("a.csv", &[("undeclared", text("fail"))], fields)), @r#"
    error[run::source_columns]: `a.csv` has `surprise`, `more`, which the entity does not declare
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: declare them, or remove `undeclared: fail`
    "#);
}

#[test]
fn a_file_whose_columns_have_drifted_is_compared_with_the_first() {
    let project = Project::with("in/a.csv", "id,name\n1,x\n");
    project.write("in/b.csv", "id,nmae\n2,y\n");
    assert_snapshot!(project.failure(&declare("in/*.csv", &[], "id: int\nname: text?")), @r#"
    error[run::source_columns]: `in/b.csv` has no column `name`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "in/*.csv" {
       ·                  ──────────
       ╰────
       ╭─[shop.orch:3:3]
     3 │   name: text?
       ·   ──┬─
       ·     ╰── not in the file; did you mean `nmae`?
       ╰────
      = help: its columns are id, nmae
              `in/a.csv` is as declared; all files of a source hold the same columns
    "#);
}
