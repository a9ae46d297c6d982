//! Bad lines that are set aside, and what is imported only once.

use insta::assert_snapshot;

use super::{Project, declare, drawn, text};
use crate::hir::Value;

const LEADS: &str = "id,spend,tier\n1,5,gold\nx,5,gold\n3,abc,gold\n4,4\n5,,silver\n";
const FIELDS: &str = "id: int key\nspend: decimal?\ntier: \"gold\" | \"silver\"";

fn rejecting(limit: i64) -> [(&'static str, Value); 2] {
    [("on_error", text("reject")), ("max_errors", Value::Int(limit))]
}

#[test]
fn bad_lines_are_set_aside_with_their_reasons() {
    let project = Project::with("leads.csv", LEADS);
    let declared = declare("leads.csv", &rejecting(3), FIELDS);
    let opened = project.open(&declared).unwrap();
    assert_eq!((opened.rows, opened.rejected), (2, 3));
    assert_snapshot!(drawn(&opened.table), @r"
    +----+-------+--------+
    | id | spend | tier   |
    +----+-------+--------+
    | 1  | 5.00  | gold   |
    | 5  |       | silver |
    +----+-------+--------+
    ");
    assert_snapshot!(drawn(&opened.rejected_table), @r"
    +-----------+------+--------+-------+-----------------------------+
    | file      | line | column | value | reason                      |
    +-----------+------+--------+-------+-----------------------------+
    | leads.csv | 3    | id     | x     | is not an int               |
    | leads.csv | 4    | spend  | abc   | is not a decimal            |
    | leads.csv | 5    |        |       | the line has 2 cells, not 3 |
    +-----------+------+--------+-------+-----------------------------+
    ");
    assert_snapshot!(std::fs::read_to_string(project.path("rejected.csv")).unwrap(), @r#"
    file,line,column,value,reason
    leads.csv,3,id,x,is not an int
    leads.csv,4,spend,abc,is not a decimal
    leads.csv,5,,,"the line has 2 cells, not 3"
    "#);
    let again = project.open(&declared).unwrap();
    assert_eq!((again.rows, again.rejected), (2, 3));
}

#[test]
fn cells_that_may_be_null_become_null() {
    let project = Project::with("leads.csv", LEADS);
    let opened = project.open(&declare("leads.csv", &[("on_error", text("null"))], FIELDS)).unwrap();
    assert_eq!((opened.rows, opened.rejected), (3, 3));
    assert_snapshot!(drawn(&opened.table), @r"
    +----+-------+--------+
    | id | spend | tier   |
    +----+-------+--------+
    | 1  | 5.00  | gold   |
    | 3  |       | gold   |
    | 5  |       | silver |
    +----+-------+--------+
    ");
}

#[test]
fn too_many_bad_lines_fail_and_can_be_read() {
    let project = Project::with("in/leads-1.csv", LEADS);
    project.write("in/leads-2.csv", "id,spend,tier\ny,1,gold\n8,1,gold\n");
    let declared = declare("in/leads-*.csv", &rejecting(3), FIELDS);
    assert_snapshot!(project.failure(&declared), @r#"
    error[run::too_many_bad_rows]: `in/leads-2.csv` has more bad lines than `max_errors: 3` allows
       ╭─[shop.orch:1:18]
     1 │ entity rows from "in/leads-*.csv" {
       ·                  ────────────────
       ╰────
      = help: the first: in/leads-1.csv:3: column id: `x` is not an int
              all so far are in `PROJECT/rejected.csv`
    "#);
    assert_snapshot!(std::fs::read_to_string(project.path("rejected.csv")).unwrap(), @r#"
    file,line,column,value,reason
    in/leads-1.csv,3,id,x,is not an int
    in/leads-1.csv,4,spend,abc,is not a decimal
    in/leads-1.csv,5,,,"the line has 2 cells, not 3"
    in/leads-2.csv,2,id,y,is not an int
    "#);
    assert_eq!(project.open(&declare("in/leads-*.csv", &rejecting(4), FIELDS)).unwrap().rejected, 4);
    assert_snapshot!(project.failure(&declare("in/leads-*.csv", &rejecting(0), FIELDS)), @r#"
    error[run::too_many_bad_rows]: `in/leads-1.csv` has more bad lines than `max_errors: 0` allows
       ╭─[shop.orch:1:18]
     1 │ entity rows from "in/leads-*.csv" {
       ·                  ────────────────
       ╰────
      = help: the first: in/leads-1.csv:3: column id: `x` is not an int
              all so far are in `PROJECT/rejected.csv`
    "#);
}

#[test]
fn an_unchanged_file_is_imported_once() {
    let project = Project::with("a.csv", "id\n1\n");
    let declared = declare("a.csv", &[], "id: int key");
    let cached = || {
        let files = std::fs::read_dir(project.path(".cache")).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            files.map(|file| (file.file_name(), file.metadata().unwrap().modified().unwrap())).collect();
        files.sort();
        files
    };
    assert_eq!(project.open(&declared).unwrap().rows, 1);
    let first = cached();
    assert_eq!(first.len(), 1);
    assert_eq!(project.open(&declared).unwrap().rows, 1);
    assert_eq!(cached(), first);

    project.write("a.csv", "id\n1\n2\n");
    assert_eq!(project.open(&declared).unwrap().rows, 2);
    assert_eq!(cached().len(), 2);

    assert!(project.rows(&declare("a.csv", &[], "id: text key")).contains("| 2  |"));
    assert_eq!(cached().len(), 3);
}

#[test]
fn a_damaged_entry_is_made_anew() {
    let project = Project::with("a.csv", "id\n1\n");
    let declared = declare("a.csv", &[], "id: int key");
    project.open(&declared).unwrap();
    let entry = std::fs::read_dir(project.path(".cache")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&entry, "").unwrap();
    assert_eq!(project.open(&declared).unwrap().rows, 1);
    assert!(project.rows(&declared).contains("| 1  |"));
}

#[test]
fn importers_at_the_same_time_do_not_disturb_each_other() {
    let mut csv = String::from("id,spend\n");
    (0..20_000).for_each(|at| csv += &format!("{at},{at}.5\n"));
    let project = Project::with("a.csv", csv);
    let declared = declare("a.csv", &[], "id: int key\nspend: decimal");
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..4).map(|_| scope.spawn(|| project.open(&declared).unwrap().rows)).collect();
        for opener in openers {
            assert_eq!(opener.join().unwrap(), 20_000);
        }
    });
    assert_eq!(std::fs::read_dir(project.path(".cache")).unwrap().count(), 1);
}

#[test]
fn a_failed_import_leaves_nothing_behind() {
    let project = Project::with("a.csv", "id\n1\nx\n");
    assert!(project.open(&declare("a.csv", &[], "id: int key")).is_err());
    assert_eq!(std::fs::read_dir(project.path(".cache")).unwrap().count(), 0);
}
