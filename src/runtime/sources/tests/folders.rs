//! Folders whose names are columns.

use insta::assert_snapshot;

use super::formats::{batch, write_parquet};
use super::{Project, declare, drawn};

#[test]
fn names_of_folders_are_columns() {
    let project = Project::with("orders/region=FR/year=2025/a.csv", "id,spend\n1,1.50\n2,2\n");
    project.write("orders/region=FR/year=2026/a.csv", "id,spend\n3,3\n");
    project.write("orders/region=Nord%2FS%C3%BCd/year=2026/b.csv", "id,spend\n4,4.125\n");
    project.write("orders/region=__HIVE_DEFAULT_PARTITION__/year=2026/_SUCCESS", "");
    project.write("orders/region=__HIVE_DEFAULT_PARTITION__/year=2026/c.csv", "spend,id\n5,5\n");
    let declared = declare("orders", &[], "region: text?\nid: int\nyear: int\nspend: decimal");
    assert_snapshot!(project.rows(&declared), @r"
    +----------+----+------+-------+------+
    | region   | id | year | spend | line |
    +----------+----+------+-------+------+
    | FR       | 1  | 2025 | 1.500 | 2    |
    | FR       | 2  | 2025 | 2.000 | 3    |
    | FR       | 3  | 2026 | 3.000 | 5    |
    | Nord/Süd | 4  | 2026 | 4.125 | 7    |
    |          | 5  | 2026 | 5.000 | 9    |
    +----------+----+------+-------+------+
    ");
    let columns = project.columns(&declared.entity.source.clone().unwrap()).unwrap();
    let shown: Vec<_> = columns.iter().map(|(name, ty)| format!("{name} {:?} {}", ty.kind, ty.nullable)).collect();
    assert_snapshot!(shown.join(", "), @r"id Int false, spend Decimal true, region Text true, year Int true");
    let declared = declare("orders", &[], "region: text\nid: int");
    assert_snapshot!(project.failure(&declared), @r"
    error[run::bad_cell]: orders/region=__HIVE_DEFAULT_PARTITION__/year=2026/c.csv:2: column region: there is no value, but `region` is never null
       ╭─[shop.orch:2:3]
     2 │   region: text
       ·   ───┬──
       ·      ╰── declared here
       ╰────
      = help: mend the file, or write `on_error: reject` after the path to set such lines aside
    ");
}

#[test]
fn names_of_folders_are_columns_of_parquet_files() {
    let project = Project::new();
    for (day, tier) in [("2026-01-05", "gold"), ("2026-01-06", "silver")] {
        let folder = format!("data/day={day}/grade={tier}");
        std::fs::create_dir_all(project.path(&folder)).unwrap();
        write_parquet(&project, &format!("{folder}/a.parquet"), &batch());
    }
    let fields = "id: int\nday: date\ngrade: \"gold\" | \"silver\"";
    let opened = project.open(&declare("data", &[], fields)).unwrap();
    assert_eq!(opened.rows, 6);
    assert_snapshot!(drawn(&opened.table), @r"
    +----+------------+--------+------+
    | id | day        | grade  | line |
    +----+------------+--------+------+
    | 1  | 2026-01-05 | gold   | 1    |
    | 2  | 2026-01-05 | gold   | 2    |
    | 3  | 2026-01-05 | gold   | 3    |
    | 1  | 2026-01-06 | silver | 4    |
    | 2  | 2026-01-06 | silver | 5    |
    | 3  | 2026-01-06 | silver | 6    |
    +----+------------+--------+------+
    ");
    let wrong = declare("data", &[], "id: int\nday: date\ngrade: \"gold\" | \"bronze\"");
    assert_snapshot!(project.failure(&wrong), @r#"
    error[run::source_unreadable]: cannot read `data/day=2026-01-06/grade=silver/a.parquet`: in its folder's name, `silver` is not a grade: `gold`, `bronze`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "data" {
       ·                  ──────
       ╰────
    "#);
}
