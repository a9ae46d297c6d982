//! What cells mean.

use insta::assert_snapshot;

use super::{Project, declare, text};

#[test]
fn every_kind_of_value_has_its_arrow_type() {
    let project = Project::with(
        "a.csv",
        "b,i,f,d,p,t,tier,day,clock,at,j\n\
         true,-7,1.5e3,12.30,3%,hello,gold,2024-02-29,09:00,2026-01-05T09:00:00Z,\"{\"\"a\"\":1}\"\n\
         NO, 8 ,0.25,-.5,0.125,\" spaced \",silver,1969-12-31,23:59:59.123456789,2026-07-05 09:00:00.5+02:00,[]\n\
         1,0,1,+7,100%,x,gold,0001-01-01,00:00:00,2026-07-05T09:00,null\n",
    );
    let declared = declare(
        "a.csv",
        &[],
        r#"b: bool
        i: int key
        f: float
        d: decimal
        p: percent
        t: text
        tier: "gold" | "silver"
        day: date
        clock: time
        at: timestamp
        j: json"#,
    );
    let opened = project.open(&declared).unwrap();
    let types: Vec<_> = opened.table.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(
        types.join(" "),
        "Boolean Int64 Float64 Decimal128(38, 2) Decimal128(38, 3) Utf8 Utf8 Date32 Time64(µs) Timestamp(µs, \"UTC\") Utf8"
    );
    assert_eq!(opened.rows, 3);
    assert_snapshot!(project.rows(&declared), @r#"
    +-------+----+--------+-------+-------+----------+--------+------------+-----------------+--------------------------+---------+
    | b     | i  | f      | d     | p     | t        | tier   | day        | clock           | at                       | j       |
    +-------+----+--------+-------+-------+----------+--------+------------+-----------------+--------------------------+---------+
    | true  | -7 | 1500.0 | 12.30 | 0.030 | hello    | gold   | 2024-02-29 | 09:00:00        | 2026-01-05T09:00:00Z     | {"a":1} |
    | false | 8  | 0.25   | -0.50 | 0.125 |  spaced  | silver | 1969-12-31 | 23:59:59.123456 | 2026-07-05T07:00:00.500Z | []      |
    | true  | 0  | 1.0    | 7.00  | 1.000 | x        | gold   | 0001-01-01 | 00:00:00        | 2026-07-05T07:00:00Z     | null    |
    +-------+----+--------+-------+-------+----------+--------+------------+-----------------+--------------------------+---------+
    "#);
}

#[test]
fn empty_cells_are_null_and_defaults_fill_them() {
    let project = Project::with("a.csv", "id,a,zone,n,spent\n1,,,,\n2,\"\",Asia/Tokyo,5,0.125\n3,NULL,x,NULL,1\n");
    let fields = "id: int key\na: text?\nzone: text = \"Europe/Paris\"\nn: int = 42\nspent: decimal = 1.5";
    let declared = declare("a.csv", &[("null", text("NULL"))], fields);
    assert_snapshot!(project.rows(&declared), @r"
    +----+---+--------------+----+-------+
    | id | a | zone         | n  | spent |
    +----+---+--------------+----+-------+
    | 1  |   | Europe/Paris | 42 | 1.500 |
    | 2  |   | Asia/Tokyo   | 5  | 0.125 |
    | 3  |   | x            | 42 | 1.000 |
    +----+---+--------------+----+-------+
    ");
}

#[test]
fn columns_follow_the_declaration_not_the_file() {
    let project = Project::with("a.csv", "\u{feff} c ,unused,a\r\n3,x,1\r\n\r\n4,y,2\r\n");
    assert_snapshot!(project.rows(&declare("a.csv", &[], "a: int key\nc: int")), @r"
    +---+---+
    | a | c |
    +---+---+
    | 1 | 3 |
    | 2 | 4 |
    +---+---+
    ");
}

#[test]
fn rows_without_a_key_have_their_line() {
    let project = Project::with("a.csv", "a,b\r\nx,\"two\r\nlines\"\r\n\r\n\"q\"\"\"\"q\",z\r\n");
    project.write("b.csv", "a,b\nlast,\n");
    let rows = project.rows(&declare("?.csv", &[], "a: text\nb: text?"));
    assert_snapshot!(rows, @r#"
    +------+-------+------+
    | a    | b     | line |
    +------+-------+------+
    | x    | two\r  | 2    |
    |      | lines |      |
    | q""q | z     | 5    |
    | last |       | 7    |
    +------+-------+------+
    "#);
}

#[test]
fn times_without_zone_are_in_the_projects() {
    let project = Project::with("a.csv", "at\n2026-03-29T02:30:00\n2026-10-25T02:30:00\n2026-07-01T12:00:00\n");
    assert_snapshot!(project.rows(&declare("a.csv", &[], "at: timestamp key")), @r"
    +----------------------+
    | at                   |
    +----------------------+
    | 2026-03-29T01:30:00Z |
    | 2026-10-25T00:30:00Z |
    | 2026-07-01T10:00:00Z |
    +----------------------+
    ");
}

#[test]
fn a_decimal_column_is_as_fine_as_its_finest_cell() {
    let mut csv = String::from("d\n");
    (0..50_000).for_each(|at| csv += &format!("{at}.5\n"));
    csv += "0.1234567\n";
    (0..50_000).for_each(|at| csv += &format!("{at}.25\n"));
    let project = Project::with("a.csv", csv);
    let opened = project.open(&declare("a.csv", &[], "d: decimal key")).unwrap();
    assert_eq!(opened.rows, 100_001);
    assert_eq!(opened.table.schema().field(0).data_type().to_string(), "Decimal128(38, 7)");
}

#[test]
fn options_say_how_the_text_is_written() {
    let project = Project::with("a.txt", b"31.12.2026;'M\xfcller; \x80';7\n");
    let options = [
        ("header", crate::hir::Value::Bool(false)),
        ("delimiter", text(";")),
        ("quote", text("'")),
        ("encoding", text("windows-1252")),
        ("date_format", text("%d.%m.%Y")),
    ];
    assert_snapshot!(project.rows(&declare("a.txt", &options, "day: date\nname: text\nn: int key")), @r"
    +------------+-----------+---+
    | day        | name      | n |
    +------------+-----------+---+
    | 2026-12-31 | Müller; € | 7 |
    +------------+-----------+---+
    ");
    let latin = Project::with("a.tsv", b"name\tn\nM\xfcller\t7\n");
    assert_snapshot!(latin.rows(&declare("a.tsv", &[("encoding", text("latin-1"))], "name: text\nn: int key")), @r"
    +--------+---+
    | name   | n |
    +--------+---+
    | Müller | 7 |
    +--------+---+
    ");
}
