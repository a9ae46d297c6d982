//! `new`: what earlier runs took is not taken again, and what a run did not use is given back.

use serde_json::{Value, json};

use crate::project::{Project, until};

/// A run and the keys that it holds.
type Reserved = (String, Vec<u64>);

const ORDERS: &str = "id,who,amount,placed_at\n1,ann,5.00,2026-11-01T10:00:00Z\n2,bob,7.00,2026-11-02T10:00:00Z\n";
const SCHEMA: &str = "\
entity orders from \"orders.csv\" {
  id:        int key
  who:       text
  amount:    decimal
  placed_at: timestamp?
  buyer:     one people by who
}
entity people from \"people.csv\" { name: text key, email: email, orders: many orders by who }
topic news \"News\"
message email thanks of orders { subject: \"Order {id}\"; text: \"Thank you\"; topic: news }
";

/// A shop with two orders.
fn shop() -> Project {
    Project::empty()
        .with("orders.csv", ORDERS)
        .with("people.csv", "name,email\nann,ann@shop.test\nbob,bob@shop.test\n")
        .with("schema.orch", SCHEMA)
        .with("orch.toml", "[project]\nname = \"shop\"\nschema = [\"schema.orch\"]\ndefault_topic = \"news\"\n")
        .with("by_key.orch", "segment fresh = orders new\nlog \"{string_agg(\"{id}\", \"+\" of fresh order by id)}\"\n")
        .with(
            "by_time.orch",
            "segment fresh = orders new by placed_at\nlog \"{string_agg(\"{id}\", \"+\" of fresh order by id)}\"\n",
        )
}

fn add(shop: &Project, lines: &str) {
    shop.write("orders.csv", format!("{}{lines}", shop.read("orders.csv")));
}

/// What the script's `log` says.
fn said(run: &Value) -> Value {
    run["steps"].as_array().unwrap().iter().rev().find(|step| step["kind"] == "log").unwrap()["note"].clone()
}

fn runs(shop: &Project, script: &str) -> Value {
    said(&shop.json(&["run", script], 0))
}

/// How many rows a memory holds.
fn held(shop: &Project, memory: &str) -> u64 {
    let state = shop.json(&["state"], 0);
    let memories = state["memories"].as_array().unwrap();
    memories.iter().find(|one| one["memory"] == memory).map_or(0, |one| one["rows"].as_u64().unwrap())
}

#[test]
fn a_row_is_taken_once_by_key() {
    let shop = shop();
    assert_eq!(runs(&shop, "by_key.orch"), "1+2");
    assert_eq!(runs(&shop, "by_key.orch"), "");
    // An older row that arrives late is new, too.
    add(&shop, "3,ann,1.00,2026-10-01T10:00:00Z\n");
    assert_eq!(runs(&shop, "by_key.orch"), "3");
    assert_eq!(held(&shop, "by_key.fresh"), 3);
    let shown = shop.done(&["state", "by_key.fresh"]);
    assert!(shown.stdout.contains("orders by key") && shown.stdout.contains("kept"), "{}", shown.shown());
    let step = &shop.json(&["run", "by_key.orch"], 0)["steps"][0];
    assert_eq!((&step["rows_in"], &step["dropped"]), (&json!(3), &json!({ "taken_before": 3 })));
}

#[test]
fn what_grows_is_taken_up_to_its_highest_value() {
    let shop = shop();
    add(&shop, "3,ann,1.00,\n");
    assert_eq!(runs(&shop, "by_time.orch"), "1+2", "nothing is later than null");
    add(&shop, "4,bob,1.00,2026-11-03T10:00:00Z\n5,bob,1.00,2026-11-02T09:59:59Z\n");
    assert_eq!(runs(&shop, "by_time.orch"), "4");
    assert_eq!(runs(&shop, "by_time.orch"), "");
    let state = shop.json(&["state", "by_time.fresh"], 0)["memories"][0].clone();
    assert_eq!((&state["by"], &state["up_to"]), (&"placed_at".into(), &"2026-11-03T10:00:00Z".into()));
}

#[test]
fn only_rows_of_the_finished_segment_are_taken() {
    let shop = shop().with("few.orch", "segment few = orders new \"mine\" limit 1\nlog \"{first(id of few)}\"\n");
    assert_eq!(runs(&shop, "few.orch"), "1");
    assert_eq!(runs(&shop, "few.orch"), "2");
    assert_eq!(held(&shop, "mine"), 2);
    // The memory has a name of its own, so another script may share it; with another field it may not.
    shop.write("other.orch", "segment all = orders new \"mine\"\nlog \"{count(all)}\"\n");
    assert_eq!(runs(&shop, "other.orch"), "0");
    shop.write("wrong.orch", "segment all = orders new \"mine\" by id\nlog \"{count(all)}\"\n");
    let wrong = shop.json(&["run", "wrong.orch"], 3);
    assert_eq!(wrong["reason"], "the memory `mine` holds rows of `orders` by key, not of `orders` by `id`");
}

#[test]
fn after_a_change_of_entity_what_passed_is_taken() {
    let shop = shop().with("who.orch", "segment buyers = (orders new).buyer\nlog \"{count(buyers)}\"\n");
    add(&shop, "3,nobody,1.00,2026-10-01T10:00:00Z\n");
    assert_eq!(runs(&shop, "who.orch"), "2");
    assert_eq!((runs(&shop, "who.orch"), held(&shop, "who.buyers")), ("0".into(), 3));
}

#[test]
fn a_run_that_fails_before_using_them_gives_rows_back() {
    let shop = shop();
    let script = |end: &str| format!("segment fresh = orders new by placed_at\nlog \"{{count(fresh)}}\"\n{end}\n");
    shop.write("some.orch", script("fail \"not today\""));
    assert_eq!(said(&shop.json(&["run", "some.orch"], 3)), "2");
    assert_eq!(held(&shop, "some.fresh"), 0);
    shop.write("some.orch", script("save fresh as audience \"fresh\"\nfail \"too late\""));
    shop.json(&["run", "some.orch"], 3);
    assert_eq!(held(&shop, "some.fresh"), 2, "they were used");
    shop.write("some.orch", script("stop \"enough\""));
    assert_eq!(said(&shop.json(&["run", "some.orch"], 0)), "0");
}

#[test]
fn a_message_that_left_keeps_its_rows() {
    let shop = shop();
    shop.write(
        "send.orch",
        "segment fresh = orders new\nsend email thanks to fresh { address: buyer.email, profile: buyer }\nfail \"oh\"\n",
    );
    shop.json(&["run", "send.orch"], 3);
    assert_eq!((shop.outbox().len(), held(&shop, "send.fresh")), (2, 2));
    shop.json(&["run", "send.orch"], 3);
    assert_eq!(shop.outbox().len(), 2);
}

#[test]
fn a_waiting_run_has_its_rows_reserved_until_it_is_stopped() {
    let shop = shop();
    for (script, key) in [("key.orch", ""), ("time.orch", " by placed_at")] {
        shop.write(
            script,
            format!("segment fresh = orders new \"{script}\"{key}\nlog \"{{count(fresh)}}\"\nwait 2d\n"),
        );
        shop.orch(&["run", script, "--detach"]).expect(4);
        let first = shop.run_name();
        add(&shop, "3,ann,1.00,2026-11-05T10:00:00Z\n");
        shop.orch(&["run", script, "--detach"]).expect(4);
        assert_eq!(said(&shop.json(&["show", &shop.run_name()], 0)), "1");
        let shown = shop.done(&["state", script]);
        assert_eq!(shown.stdout.matches("reserved").count(), 2, "{}", shown.shown());
        shop.done(&["stop", &first]);
        // The first run's rows are new again, although a later run took later ones.
        shop.orch(&["run", script, "--detach"]).expect(4);
        assert_eq!(said(&shop.json(&["show", &shop.run_name()], 0)), "2", "{script}");
        shop.write("orders.csv", ORDERS);
    }
}

#[test]
fn two_runs_at_once_never_take_the_same_row() {
    let shop = shop();
    shop.write("hold.orch", "segment fresh = orders new \"both\"\nlog \"{count(fresh)}\"\nwait 1d\n");
    let running = shop.start(&["run", "hold.orch"]);
    until("the rows are reserved", || (held(&shop, "both") == 2).then_some(()));
    // The state has one holder; when it is killed its rows stay reserved.
    assert!(running.kill());
    shop.orch(&["run", "hold.orch", "--detach"]).expect(4);
    assert_eq!(said(&shop.json(&["show", &shop.run_name()], 0)), "0");
}

#[test]
fn rehearsals_and_questions_take_nothing() {
    let shop = shop().with("turns.orch", "repeat 2 times { segment fresh = orders new; log \"{count(fresh)}\" }\n");
    let plan = shop.json(&["plan", "turns.orch", "--simulate"], 0);
    assert_eq!(plan["empty_memories"], json!(["turns.fresh"]));
    assert_eq!(said(&plan), "0", "in a rehearsal turns follow one another as in a run");
    assert_eq!(said(&shop.json(&["plan", "by_key.orch"], 0)), "1+2");
    shop.done(&["run", "-e", "orders new \"x\""]);
    assert_eq!(shop.json(&["state"], 0)["memories"], json!([]));
    let human = shop.done(&["plan", "by_key.orch"]);
    assert!(human.stdout.contains("`by_key.fresh` remembers nothing yet"), "{}", human.shown());
    // A run on a jumping clock takes for its like only.
    assert_eq!(said(&shop.json(&["run", "by_key.orch", "--fast-forward"], 0)), "1+2");
    assert_eq!(said(&shop.json(&["run", "by_key.orch", "--fast-forward"], 0)), "");
    assert_eq!(runs(&shop, "by_key.orch"), "1+2");
    assert_eq!(shop.json(&["plan", "by_key.orch"], 0)["empty_memories"], json!([]));
}

#[test]
fn a_memory_is_exported_rewound_and_begun() {
    let shop = shop();
    assert_eq!(runs(&shop, "by_key.orch"), "1+2");
    add(&shop, "3,ann,1.00,2026-10-01T10:00:00Z\n");
    assert_eq!(runs(&shop, "by_key.orch"), "3");
    shop.done(&["state", "by_key.fresh", "--export", "taken.csv"]);
    assert_eq!(shop.read("taken.csv"), "id\n1\n2\n3\n");
    shop.done(&["state", "by_key.fresh", "--rewind", &shop.run_name()]);
    assert_eq!(runs(&shop, "by_key.orch"), "3");
    shop.done(&["state", "by_key.fresh", "--rewind", "all"]);
    shop.write("old.csv", "note,id\nx,1\ny,3\n");
    shop.done(&["state", "by_key.fresh", "--baseline", "old.csv"]);
    assert_eq!(shop.json(&["plan", "by_key.orch"], 0)["empty_memories"], json!([]));
    assert_eq!(runs(&shop, "by_key.orch"), "2");
    shop.done(&["state", "by_key.fresh", "--rewind", "2020-01-01"]);
    shop.done(&["state", "by_key.fresh", "--baseline", "all"]);
    assert_eq!(runs(&shop, "by_key.orch"), "");

    shop.done(&["state", "by_time.fresh", "--baseline", "2026-11-01T10:00:00Z"]);
    assert_eq!(runs(&shop, "by_time.orch"), "2");
    shop.done(&["state", "by_time.fresh", "--rewind", "all"]);
    shop.done(&["state", "by_time.fresh", "--baseline", "all"]);
    assert_eq!(runs(&shop, "by_time.orch"), "");
    let code = |arguments: &[&str]| shop.json(arguments, 2)["problems"][0]["code"].clone();
    assert_eq!(code(&["state", "by_tim.fresh"]), "orch::run::unknown_memory");
    assert_eq!(code(&["state", "nothing", "--baseline", "all"]), "orch::run::unknown_memory");
    assert_eq!(code(&["state", "by_time.fresh", "--baseline", "soon"]), "orch::run::bad_baseline");
    assert_eq!(code(&["state", "by_key.fresh", "--rewind", "soon"]), "orch::run::bad_baseline");
}

/// Whatever runs do one after the other: what is new is what no run holds, and nothing is held twice.
#[test]
fn in_any_sequence_of_runs_new_is_what_no_run_holds() {
    for (mode, seed) in [("", 5u64), (" by placed_at", 8)] {
        let shop = shop();
        let script = |end: &str| {
            format!(
                "segment fresh = orders new \"all\"{mode}\nlog \"{{string_agg(\"{{id}}\", \"+\" of fresh order by id)}}\"\n{end}"
            )
        };
        shop.write("ends.orch", script(""));
        shop.write("fails.orch", script("fail \"no\"\n"));
        shop.write("waits.orch", script("wait 2d\n"));
        let (mut rows, mut kept, mut waiting): (Vec<u64>, Vec<u64>, Vec<Reserved>) =
            (vec![1, 2], Vec::new(), Vec::new());
        let mut state = seed;
        let mut story = String::new();
        for _ in 0..14 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let new: Vec<u64> = rows
                .iter()
                .copied()
                .filter(|id| !kept.contains(id) && !waiting.iter().any(|(_, held)| held.contains(id)))
                .collect();
            let wanted = new.iter().map(u64::to_string).collect::<Vec<_>>().join("+");
            let found = match (state >> 33) % 6 {
                0 | 1 => {
                    let id = rows.len() as u64 + 1;
                    add(&shop, &format!("{id},ann,1.00,2026-11-{:02}T10:00:00Z\n", id % 28 + 1));
                    rows.push(id);
                    story += &format!("add {id}; ");
                    continue;
                }
                2 => {
                    let Some((run, held)) =
                        (!waiting.is_empty()).then(|| waiting.remove((state >> 40) as usize % waiting.len()))
                    else {
                        continue;
                    };
                    shop.done(&["stop", &run]);
                    story += &format!("give back {held:?}; ");
                    continue;
                }
                3 => said(&shop.json(&["run", "fails.orch"], 3)),
                4 => {
                    shop.orch(&["run", "waits.orch", "--detach"]).expect(4);
                    let run = shop.run_name();
                    let found = said(&shop.json(&["show", &run], 0));
                    waiting.push((run, new));
                    found
                }
                _ => {
                    kept.extend(new);
                    said(&shop.json(&["run", "ends.orch"], 0))
                }
            };
            story += &format!("a run takes {found}; ");
            assert_eq!(found, wanted.as_str(), "{mode}: {story}");
        }
        let held_now = kept.len() + waiting.iter().map(|(_, held)| held.len()).sum::<usize>();
        if mode.is_empty() {
            assert_eq!(held(&shop, "all"), held_now as u64, "{story}");
        }
        assert!(story.matches("takes").count() > 4, "{story}");
    }
}
