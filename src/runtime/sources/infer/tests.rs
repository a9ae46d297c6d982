//! Declarations made from data: what they say, that they have no errors, and that they read their own data.

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use jiff::tz::TimeZone;

use super::Inferred;
use super::names::{entity, key_rank, singular, words};
use crate::analysis::{Analysis, Workspace};
use crate::diag::RenderStyle;
use crate::hir::{Entity, Program, TyKind};
use crate::runtime::sources::{Objects, OpenOptions, Places, infer, open};

fn analyze(text: &str) -> Analysis {
    let analysis = Workspace::from_files([("schema.orch", text), ("a.orch", "log \"hello\"")]);
    let analysis = analysis.schema(["schema.orch"]).analyze("a.orch");
    assert!(analysis.problems.is_empty(), "{text}\n{}", analysis.render(RenderStyle::default()));
    analysis
}

/// Imports everything that is declared; the number of rows of each entity.
fn rows(base: &Path, program: &Program) -> Vec<u64> {
    let cache = tempfile::tempdir().unwrap();
    let zone = TimeZone::UTC;
    let options =
        OpenOptions { base, cache: cache.path(), zone: &zone, threads: 2, objects: &Objects::default(), rejects: None };
    let rows = program.entities.iter().map(|entity| match open(entity, program, &options) {
        Ok(opened) => opened.rows,
        Err(problem) => panic!("{problem:?}"),
    });
    rows.collect()
}

/// Writes the files, and declares them.
fn declared(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let Inferred { text, .. } =
        infer(Places { base: folder.path(), project: folder.path(), bindings: &Default::default() }, &names, &[])
            .unwrap();
    let analysis = analyze(&text);
    assert_eq!(rows(folder.path(), &analysis.program).len(), files.len());
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn a_first_line_of_values_names_nothing() {
    assert_snapshot!(declared(&[("a.csv", "1;ann@x.test;2026-01-05\n2;bob@x.test;2026-01-06\n")]), @r#"
    entity a from "a.csv" (delimiter: ";", header: false) {
      column_1: int
      column_2: email
      column_3: date
    }
    "#);
}

/// What an entity says, without the order of values.
fn said(entity: &Entity, program: &Program) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for (at, field) in entity.fields.iter().enumerate() {
        let kind = match &field.ty.kind {
            TyKind::Enumeration(values) => format!("{:?}", values.iter().collect::<BTreeSet<_>>()),
            kind => kind.show(program).to_string(),
        };
        let key = entity.key.iter().any(|key| key.0 as usize == at);
        // That a zone has a default cannot be seen in the data.
        let nullable = field.ty.nullable || field.default.is_some();
        said.insert(format!("{}: {kind} {nullable} {key}", field.name));
    }
    for relation in &entity.relations {
        let on = relation.on.iter().map(|(here, there)| (&entity[*here].name, &program[relation.target][*there].name));
        let on: Vec<_> = on.collect();
        let target = &program[relation.target].name;
        said.insert(format!("{}: {} {target} {on:?}", relation.name, relation.many));
    }
    said
}

#[test]
fn the_shop_is_declared_as_people_declared_it() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
    let names = ["customers", "orders", "products", "stores", "wishlist_items"];
    let locations = names.map(|name| format!("data/{name}.csv"));
    let inferred =
        infer(Places { base: &base, project: &base, bindings: &Default::default() }, &locations, &[]).unwrap();
    let inferred_program = analyze(&inferred.text).program;
    let text = std::fs::read_to_string(base.join("schema.orch")).unwrap();
    let program = analyze(&text).program;
    for (inferred, declared) in inferred_program.entities.iter().zip(&program.entities) {
        assert_eq!(inferred.name, declared.name);
        assert_eq!(said(inferred, &inferred_program), said(declared, &program), "{}", declared.name);
    }
    assert_eq!(inferred_program.entities[0].consent.len(), 2);
    assert_eq!(inferred.people.unwrap().entity, "customers");
    assert!(rows(&base, &inferred_program).iter().all(|rows| *rows > 10));
}

#[test]
fn the_way_a_file_is_written_becomes_options() {
    let text = "Kunden-Nr;Name;Umsatz;seit;PLZ;Telefon;neu\n\
                0017;Zoë;1.234,50;28.02.2024;01067;+49 351 1234567;ja\n\
                0018;\"Ann; B\";3;01.12.2023;80331;089 123456;nein\n";
    assert_snapshot!(declared(&[("Kunden-2026.csv", text)]), @r#"
    entity kunden from "Kunden-2026.csv" (
      delimiter: ";",
      decimal: ",",
      thousands: ".",
      date_format: "%d.%m.%Y"
    ) {
      `Kunden-Nr`: text key
      Name:        text
      Umsatz:      decimal
      seit:        date
      PLZ:         text
      Telefon:     text
      neu:         text
    }
    "#);
}

#[test]
fn json_says_what_is_a_text() {
    let text = r#"{"id": "a1", "zip": "75001", "score": 0.5, "tags": ["x"], "site": "https://shop.test", "seen": "2026-01-05T09:00:00Z", "ok": true}
{"id": "a2", "zip": "75002", "score": 1, "tags": [], "site": null, "seen": "2026-01-06T09:00:00Z", "ok": false, "later": 1}
"#;
    assert_snapshot!(declared(&[("visits.ndjson", text)]), @r#"
    entity visits from "visits.ndjson" {
      id:    text key
      zip:   text
      score: decimal
      tags:  json
      site:  url?
      seen:  timestamp
      ok:    bool
      later: int?
    }
    "#);
}

#[test]
fn relations_have_names_that_are_free() {
    let messages = "id,sender_id,receiver_id,thread\n1,10,11,x\n2,11,10,x\n3,10,12,y\n";
    let people = "id,name,parent_id\n10,Ann,\n11,Bob,10\n12,Cyd,10\n";
    let text = declared(&[
        ("messages.csv", &messages.replace("sender_id", "sender_person_id").replace("receiver_id", "person_id")),
        ("persons.csv", people),
    ]);
    assert_snapshot!(text, @r#"
    entity messages from "messages.csv" {
      id:               int key
      sender_person_id: int
      person_id:        int
      thread:           text
      sender_person:    one persons by sender_person_id
      person:           one persons by person_id
    }

    entity persons from "persons.csv" {
      id:              int key
      name:            text
      parent_id:       int?
      messages:        many messages by sender_person_id
      person_messages: many messages by person_id
      parent:          one persons by parent_id
      children:        many persons by parent_id
    }
    "#);
}

#[test]
fn what_only_looks_like_a_key_or_a_choice_is_none() {
    let mut text = String::from("Order No,customer_id,state,grade,empty,union\n");
    for row in 0..30 {
        text += &format!("{},{},{},{},,{}\n", row / 2, row, ["new", "paid"][row % 2], row % 3, row % 2);
    }
    assert_snapshot!(declared(&[("log 1.csv", &text), ("customers.csv", "id,email\n1,a@x.test\n2,\n")]), @r#"
    entity log from "log 1.csv" {
      `Order No`:  int
      customer_id: int
      state:       "new" | "paid"
      grade:       int
      empty:       text?
      `union`:     int
    }

    entity customers from "customers.csv" {
      id:    int key
      email: email?
    }
    "#);
}

#[test]
fn names_are_understood() {
    assert_eq!(words("customerId-2 Ä"), ["customer", "id", "2", "ä"]);
    for (many, one) in [
        ("customers", "customer"),
        ("categories", "category"),
        ("boxes", "box"),
        ("status", "status"),
        ("addresses", "address"),
        ("news", "new"),
        ("wishlist_items", "wishlist_item"),
    ] {
        assert_eq!(singular(many), one);
    }
    assert_eq!(entity("Orders-2026_07"), "orders");
    assert_eq!(entity("2026"), "rows_2026");
    assert!(key_rank("id", "orders") < key_rank("order_id", "orders"));
    assert!(key_rank("order_id", "orders") < key_rank("customer_id", "orders"));
    assert_eq!(key_rank("amount", "orders"), None);
}

#[test]
fn typed_files_have_keys_and_relations_too() {
    use crate::runtime::sources::tests::parquet;
    let folder = tempfile::tempdir().unwrap();
    parquet(&folder.path().join("fans.parquet"), &[("id", &[1, 2, 3]), ("team_id", &[7, 7, 8])]);
    parquet(&folder.path().join("teams.parquet"), &[("id", &[7, 8])]);
    let names = ["fans.parquet".to_owned(), "teams.parquet".to_owned()];
    let inferred =
        infer(Places { base: folder.path(), project: folder.path(), bindings: &Default::default() }, &names, &[])
            .unwrap();
    assert_eq!(rows(folder.path(), &analyze(&inferred.text).program), [3, 2]);
    assert!(inferred.people.is_none());
    assert_snapshot!(inferred.text.split_once("\n\n").unwrap().1, @r#"
    entity fans from "fans.parquet" {
      id:      int key
      team_id: int
      team:    one teams by team_id
    }

    entity teams from "teams.parquet" {
      id:   int key
      fans: many fans by team_id
    }
    "#);
}
