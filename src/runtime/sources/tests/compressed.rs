//! Text files that are packed with gzip or zstd.

use insta::assert_snapshot;

use super::super::{Places, infer, sources_at};
use super::{Project, declare, drawn, gzip, text, texts, zstd};
use crate::hir::Value;

const FIELDS: &str = "id: int key\nname: text";

#[test]
fn every_text_format_can_be_packed() {
    let plain = "id,name\n1,Ann\n2,Zoë\n";
    let objects = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Zoë\"}\n";
    let list = "[{\"id\":1,\"name\":\"Ann\"},\n {\"id\":2,\"name\":\"Zoë\"}]";
    let widths = Value::List(vec![Value::Int(3), Value::Int(5)]);
    type Options = Vec<(&'static str, Value)>;
    let files: [(&str, &str, Options); 6] = [
        ("a.csv", plain, vec![]),
        ("b.tsv", "id\tname\n1\tAnn\n2\tZoë\n", vec![]),
        ("c.ndjson", objects, vec![]),
        ("d.json", list, vec![]),
        ("e.txt", "1  Ann\n2  Zoë\n", vec![("widths", widths)]),
        ("f.CSV", plain, vec![("map", texts(&["name: x -> y"]))]),
    ];
    let project = Project::new();
    for (name, content, options) in files {
        for (packed, bytes) in [(format!("{name}.gz"), gzip(content)), (format!("{name}.zst"), zstd(content))] {
            project.write(&packed, bytes);
            let rows = project.rows(&declare(&packed, &options, FIELDS));
            assert!(rows.contains("| 1  | Ann  |\n| 2  | Zoë  |"), "{packed}: {rows}");
        }
    }
}

#[test]
fn an_option_names_the_packing_that_the_name_does_not() {
    let project = Project::with("export.csv", gzip("id,name\n1,Ann\n"));
    project.write("plain.csv.gz", "id,name\n2,Bob\n");
    let rows = project.rows(&declare("export.csv", &[("compression", text("gzip"))], FIELDS));
    assert!(rows.contains("Ann"), "{rows}");
    let rows = project.rows(&declare("plain.csv.gz", &[("compression", text("none"))], FIELDS));
    assert!(rows.contains("Bob"), "{rows}");
}

#[test]
fn packed_and_plain_files_of_one_kind_are_one_source() {
    let project = Project::with("in/a.csv", "id,name\n1,Ann\n");
    project.write("in/b.csv.gz", gzip("id,name\n2,Bob\n"));
    project.write("in/c.csv.zst", zstd("id,name\n3,Cyd\n"));
    for location in ["in", "in/*.csv*"] {
        let opened = project.open(&declare(location, &[], FIELDS)).unwrap();
        assert_eq!((opened.rows, opened.files.len()), (3, 3), "{location}");
    }
}

#[test]
fn other_encodings_and_bad_lines_are_told_as_in_plain_files() {
    let project = Project::with("a.csv.gz", gzip(b"id,name\n1,M\xfcller\nx,Bob\n"));
    let options = [("encoding", text("windows-1252")), ("on_error", text("reject"))];
    let opened = project.open(&declare("a.csv.gz", &options, FIELDS)).unwrap();
    assert_eq!((opened.rows, opened.rejected), (1, 1));
    assert!(drawn(&opened.table).contains("Müller"));
    assert_snapshot!(drawn(&opened.rejected_table), @r"
    +----------+------+--------+-------+---------------+
    | file     | line | column | value | reason        |
    +----------+------+--------+-------+---------------+
    | a.csv.gz | 3    | id     | x     | is not an int |
    +----------+------+--------+-------+---------------+
    ");
}

#[test]
fn a_file_that_is_cut_off_is_no_shorter_file() {
    let mut content = String::from("id,name\n");
    for id in 0..200_000u64 {
        content += &format!("{id},{}\n", id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    let project = Project::new();
    for (name, mut bytes) in [("a.csv.gz", gzip(&content)), ("b.csv.zst", zstd(&content))] {
        bytes.truncate(bytes.len() - 100);
        project.write(name, bytes);
    }
    let message = |name: &str| project.open(&declare(name, &[], FIELDS)).err().unwrap().message;
    assert_snapshot!(message("a.csv.gz"), @"cannot read `a.csv.gz`: it is cut off: its gzip data has no end");
    assert_snapshot!(message("b.csv.zst"), @"cannot read `b.csv.zst`: it is cut off: its zstd data has no end");
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    // Ten thousand times as large when it is unpacked.
    let project = Project::with("a.csv.zst", zstd(vec![b'x'; 512 << 20]));
    let problem = project.open(&declare("a.csv.zst", &[], FIELDS)).err().unwrap();
    assert_snapshot!(problem.message, @"a.csv.zst:1: this line is longer than 64 MiB");
}

#[test]
fn what_is_packed_otherwise_is_named() {
    let project = Project::with("a.csv.gz", "id,name\n1,Ann\n");
    project.write("b.csv.bz2", "x");
    project.write("c.parquet.gz", "x");
    project.write("d.gz", gzip("id\n1\n"));
    project.write("e.csv.gz", "");
    let mut messages = String::new();
    for name in ["a.csv.gz", "b.csv.bz2", "c.parquet.gz", "d.gz", "e.csv.gz"] {
        let problem = project.open(&declare(name, &[], FIELDS)).err().unwrap();
        messages += &format!("{} | {}\n", problem.message, problem.help.unwrap_or_default());
    }
    assert_snapshot!(messages, @r"
    cannot read `a.csv.gz`: it is not packed with gzip; if it is plain text, write `compression: none` | 
    `b.csv.bz2` cannot be read yet | unpack it, for example with `bunzip2`, or pack it as .gz or .zst
    `c.parquet.gz`, which is compressed as a whole, cannot be read yet | unpack it: .parquet files are compressed inside already
    `d.gz` cannot be read yet | files end in .csv, .tsv, .txt, .json, .ndjson, .parquet or .arrow; text files may be packed as .gz or .zst
    cannot read `e.csv.gz`: it is cut off: its gzip data has no end | 
    ");
}

#[test]
fn declarations_are_made_of_packed_files_too() {
    let project = Project::with("customers.csv.gz", gzip("id;email\n1;ann@shop.test\n2;bob@shop.test\n"));
    project.write("visits.ndjson.zst", zstd("{\"id\":7,\"customer_id\":1}\n{\"id\":8,\"customer_id\":2}\n"));
    let found: Vec<String> = sources_at(project.folder.path())
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let inferred = infer(
        Places { base: project.folder.path(), project: project.folder.path(), bindings: &Default::default() },
        &found,
        &[],
    )
    .unwrap();
    assert_snapshot!(inferred.text.split_once("\n\n").unwrap().1, @r#"
    entity customers from "customers.csv.gz" (delimiter: ";") {
      id:     int key
      email:  email
      visits: many visits by customer_id
    }

    entity visits from "visits.ndjson.zst" {
      id:          int key
      customer_id: int
      customer:    one customers by customer_id
    }
    "#);
}
