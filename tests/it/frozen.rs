//! How populations are computed and kept: only what is read of them, counted once, explained.

use std::collections::BTreeMap;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::project::Project;

/// The columns of each frozen population of the only run, by file name.
fn frozen(project: &Project) -> BTreeMap<String, Vec<String>> {
    let folder = project.path(".orch/dev/runs").join(project.run_name());
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".parquet") {
            let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&path).unwrap()).unwrap();
            let columns = reader.schema().fields().iter().map(|field| field.name().clone());
            found.insert(name.to_owned(), columns.filter(|name| name != "__row").collect());
        }
    }
    found
}

fn shop(script: &str) -> Project {
    let project = Project::shop().with("a.orch", script);
    project.done(&["run", "a.orch", "--yes"]);
    project
}

fn columns<'f>(frozen: &'f BTreeMap<String, Vec<String>>, name: &str) -> Vec<&'f str> {
    frozen[name].iter().map(String::as_str).collect()
}

#[test]
fn a_population_keeps_what_later_statements_read() {
    let project = shop(
        "segment good = customers where spend > 500 with n = count(orders), unread = sum(amount of orders)\n\
         segment french = good where country = \"FR\" and n > 1\n\
         segment towns = french where store.city = \"Lyon\" or city = \"Lyon\"\n\
         log \"{count(towns)}\"\nlog \"{sum(spend of good)}\"\n",
    );
    let frozen = frozen(&project);
    assert_eq!(columns(&frozen, "1"), ["id", "country", "city", "spend", "store_id", "n"]);
    assert_eq!(columns(&frozen, "2"), ["id", "city", "store_id"], "`store` is reached through `store_id`");
    assert_eq!(columns(&frozen, "3"), ["id"], "only counted");
}

#[test]
fn messages_feedback_arms_and_exports_are_read_too() {
    let project = shop(
        "message email hello of customers { subject: \"Hi {first_name ?? last_name ?? \"\"}\"; text: \"{tier}\"; topic: news }\n\
         segment good = customers where spend > 2_000\n\
         split good into { rich: where spend > 3_000; rest: otherwise }\n\
         send email hello to rich as letters\n\
         segment told = letters.sent where country = \"FR\"\n\
         export rest to \"out/rest.csv\" { columns: [id, phone] }\n\
         log \"{count(told)}\"\n",
    );
    let frozen = frozen(&project);
    let all = ["id", "first_name", "last_name", "phone", "country", "tier", "spend"];
    // Whom to write to is read when it is sent.
    assert_eq!(columns(&frozen, "1"), all);
    assert_eq!(columns(&frozen, "2"), all);
    assert_eq!(columns(&frozen, "2.0"), ["id", "first_name", "last_name", "country", "tier"]);
    assert_eq!(columns(&frozen, "2.1"), ["id", "phone"]);
    assert_eq!(columns(&frozen, "4"), ["id"]);
    assert_eq!(project.read("out/rest.csv").lines().next(), Some("id,phone"));
}

#[test]
fn what_is_written_as_a_whole_is_kept_as_a_whole() {
    let project = shop(
        "segment a = customers where spend > 2_000\nexport a to \"out/a.csv\"\n\
         segment b = customers where spend > 3_000\nsave b as audience \"b\"\n\
         segment c = customers where spend > 4_000\nunsubscribe c from news\n",
    );
    let frozen = frozen(&project);
    assert_eq!(frozen["1"].len(), 15, "{frozen:?}");
    assert_eq!(columns(&frozen, "3"), ["id"], "an audience is its members");
    assert_eq!(columns(&frozen, "5"), ["id", "email", "phone"]);
}

#[test]
fn a_matched_row_keeps_what_is_read_of_its_source() {
    let project = Project::shop().with("leads.csv", "mail,name,score\nnobody@shop.test,N,1\n").with(
        "a.orch",
        "entity leads from \"leads.csv\" { mail: text; name: text; score: int }\n\
             segment fresh = leads where score > 0\n\
             segment known = fresh match customers on lower(customers.email) = lower(fresh.mail)\n\
             segment best = known where fresh.score >= 0\n\
             log \"{count(best)} {count(known.unmatched)}\"\n",
    );
    project.done(&["run", "a.orch"]);
    let frozen = frozen(&project);
    assert!(columns(&frozen, "1").contains(&"score"), "{frozen:?}");
    assert!(columns(&frozen, "2").iter().any(|name| name.ends_with(".score")), "{frozen:?}");
}

#[test]
fn the_accounting_of_several_clauses_is_that_of_each() {
    let project = shop(
        "segment some = customers where country = \"FR\" where exists(orders) dedupe by city prefer spend desc limit 5 by spend desc\n\
         segment wheres = customers where country = \"FR\" where exists(orders)\n\
         segment deduped = customers where country = \"FR\" where exists(orders) dedupe by city prefer spend desc\n\
         segment mixed = (wheres union (customers where spend > 900)) except deduped\n",
    );
    let report = project.json(&["show", &project.run_name()], 0);
    let step =
        |name: &str| report["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap().clone();
    let out = |name: &str| step(name)["rows_out"].as_u64().unwrap();
    let dropped = |name: &str, reason: &str| step(name)["dropped"][reason].as_u64().unwrap_or(0);
    assert_eq!(out("some"), 5);
    assert_eq!(step("some")["rows_in"].as_u64().unwrap() - dropped("some", "where"), out("wheres"));
    assert_eq!(out("wheres") - dropped("some", "dedupe"), out("deduped"));
    assert_eq!(dropped("some", "limit"), out("deduped") - 5);
    assert!(out("wheres") > out("deduped") && dropped("mixed", "except") > 0, "{report}");
    let lost = dropped("mixed", "except") + dropped("mixed", "duplicate");
    assert_eq!(step("mixed")["rows_in"].as_u64().unwrap(), out("mixed") + lost);
}

#[test]
fn lists_may_hold_what_orders_them() {
    let project = shop(
        "segment some = customers where id < 40 and count(orders) > 1\n\
           with ids = list(id of orders order by id desc), pairs = list(product_sku, id of orders order by id),\n\
                titles = list(product.title, placed_at of orders order by placed_at desc limit 2),\n\
                text = string_agg(product_sku of orders order by id)\n\
         export some to \"out/some.ndjson\" { columns: [id, ids, pairs, titles, text] }\n",
    );
    let lines = project.read("out/some.ndjson");
    let mut seen = 0;
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let ids: Vec<i64> = row["ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "{line}");
        let pairs = row["pairs"].as_array().unwrap();
        let (second, skus): (Vec<i64>, Vec<&str>) =
            pairs.iter().map(|pair| (pair["id"].as_i64().unwrap(), pair["product_sku"].as_str().unwrap())).unzip();
        assert_eq!(second, ids.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(row["text"], skus.join(", "));
        assert!(row["titles"].as_array().unwrap().len() <= 2);
        seen += 1;
    }
    assert!(seen > 3, "{lines}");
}

#[test]
fn a_plan_explains_how_populations_are_computed() {
    let project = Project::shop().with(
        "a.orch",
        "segment good = customers\n  where spend > 500\n  dedupe by city prefer spend desc\n\
         segment best = good limit 3 by spend desc\nlog \"{count(best)}\"\n",
    );
    let shown = project.done(&["plan", "a.orch", "--explain"]).stdout;
    for part in [
        "segment good\n  customers\n    where spend > 500\n    dedupe by city prefer spend desc\n",
        "  good (frozen before)\n    limit 3 by spend desc\n",
        " read · ",
        "no spill",
        "│ ",
        "DataSourceExec: file=",
        "TopK(fetch=3)",
    ] {
        assert!(shown.contains(part), "`{part}` is missing:\n{shown}");
    }
    assert!(!project.done(&["plan", "a.orch"]).stdout.contains("DataSourceExec"));
    let json = project.json(&["plan", "a.orch", "--explain"], 0);
    let good = &json["populations"][0];
    assert_eq!(good["statement"], "segment good");
    assert_eq!(
        good["logical"],
        serde_json::json!(["customers", "where spend > 500", "dedupe by city prefer spend desc"])
    );
    assert!(good["bytes_read"].as_u64().unwrap() > 0 && good["spilled_bytes"] == 0, "{good}");
    assert!(good["rows"].as_u64().unwrap() > 10 && good["engine"][0]["operator"].is_string(), "{good}");
    assert_eq!(good["notes"], serde_json::json!([]));
    assert!(project.json(&["plan", "a.orch"], 0).get("populations").is_none());
}

/// Many people who each know one other, and too little memory for joining them by hash.
fn narrow(script: &str) -> Project {
    let mut people = String::from("id,name,friend\n");
    for id in 0..120_000 {
        people += &format!("{id},somebody with a long name whose number is {id},{}\n", (id * 7) % 120_000);
    }
    let entity =
        "entity people from \"people.csv\" { id: int key; name: text; friend: int; them: one people by friend }\n";
    Project::empty()
        .with("people.csv", &people)
        .with("orch.toml", "[project]\nname = \"crowd\"\n[engine]\nmemory_limit = \"10MiB\"\n")
        .with("a.orch", &format!("{entity}{script}"))
}

#[test]
fn a_split_that_does_not_fit_into_memory_is_made_by_sorting() {
    let project = narrow(
        "split people into { theirs: where them.name like \"%1%\" and them.name != name; rest: otherwise }\n\
         log \"{count(theirs)} {count(rest)}\"\n",
    );
    let report = project.json(&["run", "a.orch"], 0);
    let wanted = (1..120_000).filter(|id| ((id * 7) % 120_000).to_string().contains('1'));
    let wanted = wanted.filter(|id| (id * 7) % 120_000 != *id).count();
    let said = report["steps"].as_array().unwrap().last().unwrap()["note"].clone();
    assert_eq!(said, format!("{wanted} {}", 120_000 - wanted));
}

#[test]
fn a_join_that_does_not_fit_into_memory_is_made_by_sorting_and_that_is_said() {
    let project = narrow(
        "segment pairs = people with theirs = them.name where theirs like \"%1%\"\n\
         export pairs to \"out/pairs.csv\" { columns: [id, name, theirs] }\n",
    );
    let json = project.json(&["plan", "a.orch", "--explain"], 0);
    let pairs = &json["populations"][0];
    assert!(pairs["notes"][0].as_str().is_some_and(|text| text.contains("by sorting")), "{pairs}");
    assert!(pairs["spilled_bytes"].as_u64().unwrap() > 0, "{pairs}");
    assert!(project.done(&["plan", "a.orch", "--explain"]).stdout.contains("  note: one side of a hash join"));
    project.done(&["run", "a.orch"]);
    let wanted = (0..120_000).filter(|id| ((id * 7) % 120_000).to_string().contains('1')).count();
    assert_eq!(project.read("out/pairs.csv").lines().count() - 1, wanted);
}

#[test]
fn segments_that_filter_the_same_entity_read_it_once() {
    let ten: String = (0..10)
        .map(|at| format!("segment s{at} = customers where spend > {at}00 where country in (\"FR\", \"DE\") or store.city = \"Lyon\"\n"))
        .collect();
    let counts: String = (0..10).map(|at| format!("{{count(s{at})}} ")).collect();
    let project = Project::shop()
        .with("a.orch", &format!("{ten}segment other = orders where amount > 10\nlog \"{counts}\"\n"))
        .with("alone.orch", "segment s3 = customers where spend > 300 where country in (\"FR\", \"DE\") or store.city = \"Lyon\"\nlog \"{count(s3)}\"\n");
    let json = project.json(&["plan", "a.orch", "--explain"], 0);
    let populations = json["populations"].as_array().unwrap();
    assert!(populations[0]["bytes_read"].as_u64().unwrap() > 0);
    for population in &populations[1..10] {
        assert_eq!(population["bytes_read"], 0, "{population}");
        assert!(population["notes"][0].as_str().unwrap().contains("in one pass with `segment s0`"));
    }
    let alone = project.json(&["plan", "alone.orch"], 0);
    let step = |json: &Value, name: &str| {
        let steps = json["steps"].as_array().unwrap().clone();
        let step = steps.into_iter().find(|step| step["name"] == name).unwrap();
        (step["rows_in"].clone(), step["rows_out"].clone(), step["dropped"].clone())
    };
    assert_eq!(step(&alone, "s3"), step(&json, "s3"));
    project.done(&["run", "a.orch"]);
    let frozen = frozen(&project);
    assert_eq!(columns(&frozen, "4"), ["id"]);
    let read = |name: &str| {
        let file = project.path(".orch/dev/runs").join(project.run_name()).join(format!("{name}.parquet"));
        let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).unwrap()).unwrap();
        reader.build().unwrap().map(|batch| batch.unwrap().num_rows() as u64).sum::<u64>()
    };
    assert_eq!(Value::from(read("4")), step(&alone, "s3").1);
}

#[test]
fn a_mistake_in_one_of_several_segments_is_its_own() {
    let project = Project::shop().with(
        "a.orch",
        "segment good = customers where spend > 500\nsegment bad = customers where 100 / (spend - spend) > 1\nlog \"{count(good)} {count(bad)}\"\n",
    );
    let ended = project.orch(&["run", "a.orch"]);
    assert_ne!(ended.code, Some(0));
    let report = project.json(&["show", &project.run_name()], 0);
    assert_eq!(report["steps"].as_array().unwrap().len(), 1, "the first segment is done: {report}");
    assert!(ended.stderr.contains("run::"), "{}", ended.shown());
}
