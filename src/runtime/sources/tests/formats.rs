//! Parquet and Arrow files, files without declaration, and texts of any shape.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, LargeStringArray, StringArray,
    StringViewArray, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::Int8Type;
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Project, declare, drawn, text};
use crate::hir::Value;

pub(super) fn batch() -> RecordBatch {
    let tiers: datafusion::arrow::array::DictionaryArray<Int8Type> =
        vec!["gold", "silver", "gold"].into_iter().collect();
    let noon = 1_782_900_000_000_000_123;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("unused", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("id", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("name", Arc::new(StringViewArray::from(vec![Some("Zoë"), None, Some("Ann")]))),
        ("spend", Arc::new(Decimal128Array::from(vec![1250, -5, 0]).with_precision_and_scale(10, 3).unwrap())),
        ("score", Arc::new(Float64Array::from(vec![0.5, 1.5, 2.5]))),
        ("tier", Arc::new(tiers)),
        ("joined", Arc::new(Date32Array::from(vec![19_000, 19_001, 19_002]))),
        ("seen", Arc::new(TimestampNanosecondArray::from(vec![noon; 3]))),
        ("asked", Arc::new(TimestampNanosecondArray::from(vec![noon; 3]).with_timezone("+02:00"))),
        ("zone", Arc::new(LargeStringArray::from(vec![None, Some("Asia/Tokyo"), None]))),
        ("visits", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

pub(super) fn write_parquet(project: &Project, name: &str, batch: &RecordBatch) {
    let file = File::create(project.path(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn write_arrow(project: &Project, name: &str, batch: &RecordBatch) {
    let file = File::create(project.path(name)).unwrap();
    let mut writer = FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

const FIELDS: &str = r#"name: text?
    id: int key
    spend: decimal
    score: float
    tier: "gold" | "silver"
    joined: date
    seen: timestamp
    asked: timestamp
    zone: timezone = "Europe/Paris"
    visits: int = 0"#;

#[test]
fn parquet_is_read_where_it_is() {
    let project = Project::new();
    write_parquet(&project, "a.parquet", &batch());
    let opened = project.open(&declare("a.parquet", &[], FIELDS)).unwrap();
    assert_eq!(opened.rows, 3);
    assert_snapshot!(drawn(&opened.table), @r"
    +------+----+--------+-------+--------+------------+----------------------+----------------------+--------------+--------+
    | name | id | spend  | score | tier   | joined     | seen                 | asked                | zone         | visits |
    +------+----+--------+-------+--------+------------+----------------------+----------------------+--------------+--------+
    | Zoë  | 1  | 1.250  | 0.5   | gold   | 2022-01-08 | 2026-07-01T08:00:00Z | 2026-07-01T10:00:00Z | Europe/Paris | 1      |
    |      | 2  | -0.005 | 1.5   | silver | 2022-01-09 | 2026-07-01T08:00:00Z | 2026-07-01T10:00:00Z | Asia/Tokyo   | 0      |
    | Ann  | 3  | 0.000  | 2.5   | gold   | 2022-01-10 | 2026-07-01T08:00:00Z | 2026-07-01T10:00:00Z | Europe/Paris | 3      |
    +------+----+--------+-------+--------+------------+----------------------+----------------------+--------------+--------+
    ");
    let types: Vec<_> = opened.table.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_snapshot!(types.join(" "), @r#"Utf8 Int64 Decimal128(10, 3) Float64 Utf8 Date32 Timestamp(µs, "UTC") Timestamp(µs, "UTC") Utf8 Int64"#);
}

#[test]
fn arrow_is_read_where_it_is() {
    let project = Project::new();
    write_parquet(&project, "a.parquet", &batch());
    write_arrow(&project, "a.arrow", &batch());
    let arrow = project.rows(&declare("a.arrow", &[], FIELDS));
    assert_eq!(arrow, project.rows(&declare("a.parquet", &[], FIELDS)));
}

#[test]
fn rows_without_a_key_have_their_number() {
    let project = Project::new();
    write_parquet(&project, "a1.parquet", &batch());
    write_parquet(&project, "a2.parquet", &batch());
    let declared = declare("a?.parquet", &[], "name: text?\nid: int");
    assert_snapshot!(project.rows(&declared), @r"
    +------+----+------+
    | name | id | line |
    +------+----+------+
    | Zoë  | 1  | 1    |
    |      | 2  | 2    |
    | Ann  | 3  | 3    |
    | Zoë  | 1  | 4    |
    |      | 2  | 5    |
    | Ann  | 3  | 6    |
    +------+----+------+
    ");
    assert_eq!(project.open(&declared).unwrap().rows, 6);
    write_arrow(&project, "a.arrow", &batch());
    assert!(project.rows(&declare("a.arrow", &[], "id: int")).contains("| 3  | 3    |"));
}

#[test]
fn several_parquet_files_are_one_table() {
    let project = Project::new();
    let narrow = |scale| -> RecordBatch {
        let spend = Decimal128Array::from(vec![125]).with_precision_and_scale(10, scale).unwrap();
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef),
            ("spend", Arc::new(spend)),
        ])
        .unwrap()
    };
    write_parquet(&project, "in1.parquet", &narrow(1));
    write_parquet(&project, "in2.parquet", &narrow(3));
    let rows = project.rows(&declare("in?.parquet", &[], "id: int key\nspend: decimal"));
    assert!(rows.contains("| 12.500 |") && rows.contains("| 0.125  |"), "{rows}");
}

#[test]
fn parquet_that_is_not_as_declared() {
    let project = Project::new();
    write_parquet(&project, "a.parquet", &batch());
    let fields = "id: text key\nscore: decimal\nnam: text?\nspend: decimal\njoined: timestamp";
    assert_snapshot!(project.failure(&declare("a.parquet", &[], fields)), @r#"
    error[run::source_columns]: `a.parquet` has no column `nam`, holds no text in `id`, holds no decimal in `score` and holds no timestamp in `joined`
       ╭─[shop.orch:1:18]
     1 │ entity rows from "a.parquet" {
       ·                  ───────────
     2 │   id: text key
       ·   ─┬
       ·    ╰── the file has int
     3 │   score: decimal
       ·   ──┬──
       ·     ╰── the file has float
     4 │   nam: text?
       ·   ─┬─
       ·    ╰── not in the file; did you mean `name`?
       ╰────
       ╭─[shop.orch:6:3]
     6 │   joined: timestamp
       ·   ───┬──
       ·      ╰── the file has date
       ╰────
      = help: its columns are unused, id, name, spend, score, tier, joined, seen, asked, zone, visits
              declare `id: int`
              a float is not exact: store `score` as a decimal in the file, or declare `score: float`
              declare `joined: date`
    "#);
    assert_snapshot!(project.failure(&declare("a.parquet", &[], "id: int key\nname: text")), @r"
    error[run::bad_cell]: a.parquet:2: column name: there is no value, but `name` is never null
       ╭─[shop.orch:3:3]
     3 │   name: text
       ·   ──┬─
       ·     ╰── declared here
       ╰────
      = help: mend the file, declare a type that allows it, or write `on_error: reject` after the path
              to set such rows aside
    ");
    assert_snapshot!(project.failure(&declare("a.parquet", &[], "id: int key\ntier: \"gold\" | \"silber\"")), @r#"
    error[run::bad_cell]: a.parquet:2: column tier: `silver` is not a tier; did you mean `silber`?
       ╭─[shop.orch:3:3]
     3 │   tier: "gold" | "silber"
       ·   ──┬─
       ·     ╰── declared here
       ╰────
      = help: mend the file, declare a type that allows it, or write `on_error: reject` after the path
              to set such rows aside
    "#);
    let declared = declare("a.parquet", &[("delimiter", text(";"))], "id: int key");
    assert_eq!(project.open(&declared).err().unwrap().code.to_string(), "run::source_option");
    project.write("b.parquet", "id\n1\n");
    assert_eq!(
        project.open(&declare("b.parquet", &[], "id: int key")).err().unwrap().code.to_string(),
        "run::source_unreadable"
    );
}

#[test]
fn bad_rows_of_typed_files_are_set_aside() {
    for (name, write) in [("a.parquet", write_parquet as fn(&Project, &str, &RecordBatch)), ("a.arrow", write_arrow)] {
        let project = Project::new();
        write(&project, name, &batch());
        let fields = "name: text\ntier: \"gold\" | \"bronze\"\nid: int key";
        let declared = declare(name, &[("on_error", text("reject"))], fields);
        let opened = project.open(&declared).unwrap();
        assert_eq!((opened.rows, opened.rejected), (2, 1));
        let kept = drawn(&opened.table);
        assert!(kept.contains("| Zoë  | gold | 1  |") && kept.contains("| Ann  | gold | 3  |"), "{kept}");
        // One reason a row, as for a line of text.
        let rejected = drawn(&opened.rejected_table);
        assert!(rejected.contains(&format!("| {name}")) && rejected.contains("| 2    | name "), "{rejected}");
        assert!(rejected.contains("there is no value, but `name` is never null"), "{rejected}");
        let again = project.open(&declared).unwrap();
        assert_eq!((again.rows, again.rejected), (2, 1), "it is kept");

        let limited = declare(name, &[("on_error", text("reject")), ("max_errors", Value::Int(0))], fields);
        assert_eq!(project.open(&limited).err().unwrap().code.to_string(), "run::too_many_bad_rows");
    }
}

#[test]
fn bad_values_of_typed_files_become_null_where_they_may_be_missing() {
    let project = Project::new();
    std::fs::create_dir(project.path("in")).unwrap();
    write_parquet(&project, "in/a.parquet", &batch());
    write_parquet(&project, "in/b.parquet", &batch());
    let fields = "id: int\ntier: (\"gold\" | \"bronze\")?\nzone: text";
    let opened = project.open(&declare("in/*.parquet", &[("on_error", text("null"))], fields)).unwrap();
    assert_eq!((opened.rows, opened.rejected), (2, 6), "zones are missing in two rows of each file");
    // Rows of an entity without a key count on through the files.
    assert_snapshot!(drawn(&opened.table), @r"
    +----+------+------------+------+
    | id | tier | zone       | line |
    +----+------+------------+------+
    | 2  |      | Asia/Tokyo | 2    |
    | 2  |      | Asia/Tokyo | 5    |
    +----+------+------------+------+
    ");
}

#[test]
fn files_without_declaration_suggest_their_columns() {
    let project = Project::new();
    write_parquet(&project, "a.parquet", &batch());
    project.write("b.csv", "id,First Name,plz,spend,f,day,at,ok,none\n1,Zoë,01067,1,1e3,2026-01-05,2026-01-05T09:00Z,true,\n-2,,,2.5,1,2026-01-06,2026-01-06 10:00:00,no,\n");
    let shown = |location| {
        let source = declare(location, &[], "").entity.source.unwrap();
        let columns = project.columns(&source).unwrap();
        let columns =
            columns.iter().map(|(name, ty)| format!("{name}: {:?}{}", ty.kind, if ty.nullable { "?" } else { "" }));
        columns.collect::<Vec<_>>().join(", ")
    };
    assert_snapshot!(shown("a.parquet"), @r"unused: Bool, id: Int, name: Text?, spend: Decimal, score: Float, tier: Text, joined: Date, seen: Timestamp, asked: Timestamp, zone: Timezone?, visits: Int?");
    assert_snapshot!(shown("b.csv"), @r"id: Int, First Name: Text?, plz: Text?, spend: Decimal?, f: Float?, day: Date?, at: Timestamp?, ok: Bool?, none: Text?");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the texts, whatever the size of chunks: what was written is read, with the right lines.
    #[test]
    fn texts_survive(rows in prop::collection::vec(("[a-c\",\n\r;é ]{0,6}", any::<i64>()), 0..40), crlf: bool) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["t", "n"]).unwrap();
        let mut lines = Vec::new();
        for (text, number) in &rows {
            writer.flush().unwrap();
            lines.push(writer.get_ref().iter().filter(|byte| **byte == b'\n').count() as i64 + 1);
            writer.write_record([text, &number.to_string()]).unwrap();
        }
        let project = Project::with("a.csv", writer.into_inner().unwrap());
        let opened = project.open(&declare("a.csv", &[], "t: text?\nn: int")).unwrap();
        prop_assert_eq!(opened.rows, rows.len() as u64);
        let batches = super::collected(&opened.table);
        let mut read = Vec::new();
        for batch in &batches {
            let texts = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
            let column = |at: usize| batch.column(at).as_any().downcast_ref::<datafusion::arrow::array::Int64Array>().unwrap().values().to_vec();
            let texts = texts.iter().map(|text| text.unwrap_or("").to_owned());
            read.extend(texts.zip(column(1)).zip(column(2)));
        }
        let written: Vec<_> = rows.into_iter().zip(lines).collect();
        prop_assert_eq!(read, written);
    }

    /// Chunks of any size are the same table as one chunk.
    #[test]
    fn chunks_end_between_records(bytes in "([ab,]|\"[ab,\n\"]\"|\n|\r\n|x\"y){0,60}", size in 1usize..20) {
        use crate::runtime::sources::import::{Dialect, cut};
        let records = |bytes: &[u8]| {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
            reader.byte_records().map(|record| record.unwrap()).map(|record| record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let project = Project::with("a.csv", &bytes);
        let dialect = Dialect::Delimited { delimiter: b',', quote: b'"' };
        if let Some(chunks) = cut(File::open(project.path("a.csv")).unwrap(), size, dialect) {
            let split: Vec<_> = chunks.iter().flat_map(|(bytes, _)| records(bytes)).collect();
            prop_assert_eq!(split, records(bytes.as_bytes()));
            for pair in chunks.windows(2) {
                let lines = pair[0].0.iter().filter(|byte| **byte == b'\n').count() as u64;
                prop_assert_eq!(pair[1].1, pair[0].1 + lines);
            }
        }
    }
}
