//! What people see when data are not as declared.

use insta::assert_snapshot;

use super::{Project, declare, text};
use crate::hir::Value;

#[test]
fn a_missing_file() {
    let project = Project::with("data/customers.csv", "id\n1\n");
    assert_snapshot!(project.failure(&declare("data/custmers.csv", &[], "id: int key")), @r#"
    error[run::source_missing]: there is no `data/custmers.csv`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "data/custmers.csv" {
       ·                  ───────────────────
       ╰────
      = help: did you mean `data/customers.csv`?
    "#);
    assert_snapshot!(project.failure(&declare("data/leads-*.csv", &[], "id: int key")), @r#"
    error[run::source_missing]: no file matches `data/leads-*.csv`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "data/leads-*.csv" {
       ·                  ──────────────────
       ╰────
      = help: `*` stands for any characters of a file name, `?` for one
    "#);
    assert_snapshot!(project.failure(&declare("nowhere/x.csv", &[], "id: int key")), @r#"
    error[run::source_missing]: there is no `nowhere/x.csv`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "nowhere/x.csv" {
       ·                  ───────────────
       ╰────
      = help: put it into `nowhere`, or correct the path
    "#);
}

#[test]
fn an_empty_file() {
    let project = Project::with("a.csv", "");
    assert_snapshot!(project.failure(&declare("a.csv", &[], "id: int key")), @r#"
    error[run::source_empty]: `a.csv` is empty
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: the first line must name the columns; for a file without such a line write `header: false`
    "#);
    let declared = declare("a.csv", &[("header", Value::Bool(false))], "id: int key");
    assert_eq!(project.open(&declared).unwrap().rows, 0);
}

#[test]
fn a_header_that_is_not_as_declared() {
    let project = Project::with("a.csv", "id,e_mail,id,tier\n1,a@b.c,2,gold\n");
    assert_snapshot!(project.failure(&declare("a.csv", &[], "id: int key\nemail: email\ncity: text?\ntier: text")), @r#"
    error[run::source_columns]: `a.csv` has no columns `email`, `city` and names `id` more than once
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
       ╭─[shop.orch:3:3]
     3 │   email: email
       ·   ──┬──
       ·     ╰── not in the file; did you mean `e_mail`?
     4 │   city: text?
       ·   ──┬─
       ·     ╰── not in the file
       ╰────
      = help: its columns are id, e_mail, id, tier
    "#);
}

#[test]
fn a_bad_cell_of_each_kind() {
    let cells = [
        ("decimal", "abc"),
        ("int", "1.5"),
        ("int", "99999999999999999999"),
        ("bool", "maybe"),
        ("float", "NaN"),
        ("decimal", "1e5"),
        ("decimal", "0.1234567890123456789"),
        ("percent", "3 %%"),
        ("date", "2026-02-30"),
        ("date", "5.1.2026"),
        ("time", "9:00"),
        ("timestamp", "2026-01-05"),
        ("timestamp", "yesterday"),
        ("json", "{"),
        ("\"gold\" | \"silver\"", "glod"),
        ("\"gold\" | \"silver\"", "platinum"),
        ("\"gold\" | \"silver\"", "gold "),
        ("int", ""),
    ];
    let mut messages = String::new();
    for (ty, cell) in cells {
        let project = Project::with("a.csv", format!("id,x\n1,{cell}\n"));
        let problem = project.open(&declare("a.csv", &[], &format!("id: int key\nx: {ty}"))).err().unwrap();
        messages += &format!("{}\n", problem.message);
        assert_eq!(problem.code.to_string(), "run::bad_cell");
    }
    assert_snapshot!(messages, @r"
    a.csv:2: column x: `abc` is not a decimal
    a.csv:2: column x: `1.5` is not an int
    a.csv:2: column x: `99999999999999999999` is too large for an int
    a.csv:2: column x: `maybe` is not a bool, which is true or false, yes or no, 1 or 0
    a.csv:2: column x: `NaN` is not a float
    a.csv:2: column x: `1e5` is not a decimal
    a.csv:2: column x: `0.1234567890123456789` has more than 18 decimals
    a.csv:2: column x: `3 %%` is not a percent
    a.csv:2: column x: `2026-02-30` is not a date, which looks like 2026-01-05
    a.csv:2: column x: `5.1.2026` is not a date, which looks like 2026-01-05
    a.csv:2: column x: `9:00` is not a time, which looks like 09:00
    a.csv:2: column x: `2026-01-05` is not a timestamp, because it has no time of day
    a.csv:2: column x: `yesterday` is not a timestamp, which looks like 2026-01-05T09:00:00Z
    a.csv:2: column x: `{` is not valid json
    a.csv:2: column x: `glod` is not a x; did you mean `gold`?
    a.csv:2: column x: `platinum` is not a x: `gold`, `silver`
    a.csv:2: column x: `gold ` is not a x, because of the spaces around it
    a.csv:2: column x: the cell is empty, but `x` is never null
    ");
}

#[test]
fn a_bad_cell_behind_cells_with_newlines() {
    let project = Project::with("data/c.csv", "id,note,spend\n1,\"two\nlines\",5\n\n2,\"\n\n\",1.5\n3,x,abc\n");
    assert_snapshot!(project.failure(&declare("data/c.csv", &[], "id: int key\nnote: text?\nspend: decimal")), @r"
    error[run::bad_cell]: data/c.csv:8: column spend: `abc` is not a decimal
       ╭─[shop.orch:4:3]
     4 │   spend: decimal
       ·   ──┬──
       ·     ╰── declared here
       ╰────
      = help: mend the file, or write `on_error: reject` after the path to set such lines aside
    ");
}

#[test]
fn a_line_with_too_few_cells() {
    let project = Project::with("a.csv", "id,b,c\n1,2,3\n4,5\n");
    assert_snapshot!(project.failure(&declare("a.csv", &[], "id: int key")), @r#"
    error[run::bad_row]: a.csv:3: the line has 2 cells, not 3
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: mend the file, or write `on_error: reject` after the path to set such lines aside
    "#);
}

#[test]
fn a_quote_that_is_never_closed() {
    let project = Project::with("a.csv", "id,b\n1,\"x\n2,y\n3,z\n");
    assert_snapshot!(project.failure(&declare("a.csv", &[], "id: int key")), @r#"
    error[run::open_quote]: a.csv:2: a quote is opened here and never closed
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.csv" {
       ·                  ───────
       ╰────
      = help: a quote inside a quoted cell is written twice: `""`
    "#);
}

#[test]
fn a_cell_that_is_not_utf8() {
    let project = Project::with("a.csv", b"id,name\n1,M\xfcller\n");
    assert_snapshot!(project.failure(&declare("a.csv", &[], "id: int key\nname: text")), @r#"
    error[run::bad_cell]: a.csv:2: column name: `M�ller` is not UTF-8; is it `encoding: "windows-1252"`?
       ╭─[shop.orch:3:3]
     3 │   name: text
       ·   ──┬─
       ·     ╰── declared here
       ╰────
      = help: mend the file, or write `on_error: reject` after the path to set such lines aside
    "#);
}

#[test]
fn options_that_do_not_exist_or_do_not_fit() {
    let project = Project::with("a.csv", "id\n1\n");
    let options = [
        ("delimeter", text(";")),
        ("compression", text("brotli")),
        ("delimiter", text(";;")),
        ("delimiter", text("\"")),
        ("on_error", text("ignore")),
        ("max_errors", text("many")),
        ("encoding", text("utf-16")),
        ("date_format", text("%H")),
    ];
    let mut messages = String::new();
    for option in options {
        let problem = project.open(&declare("a.csv", &[option], "id: int key")).err().unwrap();
        messages += &format!("{} | {}\n", problem.message, problem.help.unwrap());
    }
    assert_snapshot!(messages, @r#"
    a file has no option `delimeter` | did you mean `delimiter`?
    option `compression`: `brotli` is unknown | write `gzip`, `zstd` or `none`
    option `delimiter`: `;;` is not one ASCII sign | write one sign, such as `";"`
    option `delimiter`: it is the quote as well | write a delimiter and a quote that differ
    option `on_error`: `ignore` is unknown | write `fail`, `reject` or `null`
    option `max_errors`: its value is of the wrong type | write a number of lines, such as `100`
    files in encoding `utf-16` cannot be read yet | known are "utf-8", "latin-1" and "windows-1252"
    option `date_format`: `%H` does not describe a date | write a format such as `"%d/%m/%Y"`
    "#);
}

#[test]
fn what_cannot_be_read_yet() {
    let project = Project::with("a.xlsx", "x");
    project.write("b.csv", b"\xff\xfei\0d\0");
    project.write("many/a.csv", "id\n1\n");
    let declared = [
        declare("a.xlsx", &[], "id: int key"),
        declare("b.csv", &[], "id: int key"),
        declare("gs://bucket/a.csv", &[], "id: int key"),
        declare("m*/a*.csv", &[], "id: int key"),
        declare("many/a.csv", &[], "id: duration key"),
    ];
    let mut messages = String::new();
    for declared in declared {
        let problem = project.open(&declared).err().unwrap();
        assert_eq!(problem.code.to_string(), "run::source_unsupported");
        messages += &format!("{} | {}\n", problem.message, problem.help.unwrap());
    }
    assert_snapshot!(messages, @r"
    `a.xlsx` cannot be read yet | files end in .csv, .tsv, .txt, .json, .ndjson, .parquet or .arrow; text files may be packed as .gz or .zst
    `b.csv`, which is UTF-16, cannot be read yet | save it as UTF-8
    a source behind `gs://` cannot be read yet | copy the file into the project, or into an object store: `s3://BUCKET/FILE`
    a pattern in a folder's name cannot be read yet | use `*` in the file's name only
    a file cannot hold a column of this type: `id` | declare it as `text` or `json`
    ");
}
