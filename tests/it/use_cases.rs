//! The use cases of `examples/wishlist` and `examples/availability`, checked rule by rule.

use std::path::Path;

use serde_json::{Value, json};

use crate::project::{Project, balanced};

/// A copy of an example without any state of earlier runs.
fn example(name: &str) -> Project {
    let project = Project::empty();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let inner = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                _ if inner.starts_with('.') || inner == "out" => {}
                true => open.push(path),
                false => project.write(&inner, std::fs::read(&path).unwrap()),
            }
        }
    }
    project
}

fn add(project: &Project, file: &str, lines: &str) {
    project.write(file, format!("{}{lines}", project.read(file)));
}

/// The message to an address, of which there is one.
fn message_to(project: &Project, address: &str) -> String {
    let messages = project.messages().into_iter().map(|text| text.replace("\r\n", "\n"));
    let mut found: Vec<String> = messages.filter(|text| text.contains(&format!("\nTo: {address}\n"))).collect();
    assert_eq!(found.len(), 1, "messages to {address}");
    found.remove(0).replace("=\n", "")
}

fn step<'r>(run: &'r Value, kind: &str) -> &'r Value {
    run["steps"].as_array().unwrap().iter().find(|step| step["kind"] == kind).unwrap()
}

/// Where each of the texts is in a message, in order.
fn in_order(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[test]
fn one_mail_for_each_person_with_something_on_the_list() {
    let wishlist = example("wishlist");
    let run = wishlist.json(&["run", "wishes.orch"], 0);
    let segment = step(&run, "segment");
    // Ann, Bob, Dee, Fay and Gus. Cyd has an old wish and one for nothing, Eve an old cart, Hal nothing.
    assert_eq!((&segment["rows_in"], &segment["rows_out"]), (&json!(8), &json!(5)));
    assert_eq!(wishlist.recipients(), ["ann@home.test", "bob@home.test", "dee@home.test"]);
    let tally = balanced(&run["sends"][0]);
    assert_eq!((tally.targeted, tally.sent), (5, 3));
    assert_eq!(run["sends"][0]["excluded"], json!({ "no_consent": 1, "no_address": 1 }));
}

#[test]
fn both_conditions_hold_for_the_same_item() {
    let wishlist = example("wishlist");
    // A wish of this year for a thing that is not sold does not make Hal interested, nor one of long ago.
    add(&wishlist, "data/wishlist_items.csv", "201,8,sold-out,2026-11-01\n202,8,lamp,2021-01-01\n");
    let run = wishlist.json(&["plan", "wishes.orch"], 0);
    assert_eq!(step(&run, "segment")["rows_out"], 5);
    add(&wishlist, "data/wishlist_items.csv", "203,8,lamp,2026-01-01\n");
    let run = wishlist.json(&["plan", "wishes.orch"], 0);
    assert_eq!(step(&run, "segment")["rows_out"], 6);
}

#[test]
fn a_message_holds_the_three_latest_things_in_order() {
    let wishlist = example("wishlist");
    wishlist.json(&["run", "wishes.orch"], 0);
    let ann = message_to(&wishlist, "ann@home.test");
    // Two of one day come in the order of their keys; the fourth and the old one are left out.
    assert!(in_order(&ann, &["Hi Ann,", "1: Tent for two\n", "2: Iron pan\n", "3: Kite & line\n"]), "{ann}");
    let html = ["<td>Tent for two</td>", "189.00 EUR", "img.shop.test/pan.png", "<td>Kite &amp; line</td>"];
    assert!(in_order(&ann, &html), "{ann}");
    assert!(!ann.contains("Desk lamp"), "{ann}");
    assert!(ann.contains("Subject: Ann, your wishlist is waiting\n"), "{ann}");
}

#[test]
fn empty_places_are_no_error() {
    let wishlist = example("wishlist");
    wishlist.json(&["run", "wishes.orch"], 0);
    let bob = message_to(&wishlist, "bob@home.test");
    // The thing that is not sold any more has no place.
    assert!(in_order(&bob, &["1: Tent for two\n", "2:", "3:"]) && !bob.contains("sold-out"), "{bob}");
    assert_eq!(bob.matches("<tr>").count(), 1, "{bob}");
    // Only a cart: no things at all.
    let dee = message_to(&wishlist, "dee@home.test");
    assert!(in_order(&dee, &["Hi there,", "1:", "2:", "3:", "Your cart is where you left it."]), "{dee}");
    assert_eq!(dee.matches("<tr>").count(), 0, "{dee}");
}

#[test]
fn a_template_is_checked_in_its_places_too() {
    let wishlist = example("wishlist");
    let wrong = |text: &str| {
        wishlist.write("templates/reminder.txt", text);
        wishlist.json(&["check", "wishes.orch"], 1)["problems"][0].clone()
    };
    let loops = wrong("{% for item in items %}{{ item.descripton }}{% endfor %}");
    assert_eq!(loops["code"], "orch::types::unknown_field", "{loops}");
    let places = wrong("\n{{ items[0].descripton }}");
    assert_eq!(places["code"], "orch::types::unknown_field", "{places}");
    assert_eq!(places["help"], "did you mean `description`?", "{places}");
    let none = wrong("{% for x in first_name %}{{ x }}{% endfor %}");
    assert_eq!(none["code"], "orch::types::mismatch", "{none}");
}

#[test]
fn a_rehearsal_sends_nothing() {
    for (name, script) in [("wishlist", "wishes.orch"), ("availability", "available.orch")] {
        let project = example(name);
        let before = project.files();
        let plan = project.json(&["plan", script], 0);
        assert!(balanced(&plan["sends"][0]).sent > 0, "{plan}");
        let made = |path: &&String| !before.contains(*path) && !path.contains("/imports/");
        let after = project.files();
        assert_eq!(after.iter().filter(made).collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(project.outbox().is_empty());
    }
}

#[test]
fn one_message_for_each_item_to_its_own_address() {
    let availability = example("availability");
    let run = availability.json(&["run", "available.orch"], 0);
    assert_eq!(availability.recipients(), ["ann@home.test", "bob@work.test", "uncle@home.test"]);
    let tally = balanced(&run["sends"][0]);
    assert_eq!((tally.targeted, tally.sent), (7, 3), "a message for each item, not for each person");
    let uncle = message_to(&availability, "uncle@home.test");
    assert!(uncle.contains("Subject: Iron pan is there\n") && uncle.contains("Ann asked us"), "{uncle}");
    let ann = message_to(&availability, "ann@home.test");
    assert!(ann.contains("Desk lamp is in stock, for 49.90 EUR.") && !ann.contains("Iron pan"), "{ann}");
}

#[test]
fn items_of_nobody_are_reported() {
    let availability = example("availability");
    let run = availability.json(&["run", "available.orch"], 0);
    let owners = run["steps"].as_array().unwrap().iter().find(|step| step["name"] == "owners").unwrap();
    assert_eq!((&owners["rows_in"], &owners["rows_out"]), (&json!(7), &json!(3)));
    assert_eq!(owners["dropped"], json!({ "unmatched": 1, "merged": 3 }));
    assert_eq!(availability.read("out/nobody.csv"), "id,recipient_id\n208,77\n");
    assert_eq!(step(&run, "log")["note"], "7 wishes of 3 people, 1 of nobody we know");
    // In the send every item has one reason.
    assert_eq!(run["sends"][0]["excluded"], json!({ "no_profile": 1, "no_address": 1, "no_consent": 2 }));
}

#[test]
fn who_says_no_gets_none_of_their_messages() {
    let availability = example("availability");
    add(&availability, "data/wishlist_items.csv", "210,3,lamp,2026-06-06,ann@home.test\n");
    let run = availability.json(&["run", "available.orch"], 0);
    assert_eq!(run["sends"][0]["excluded"]["no_consent"], 3, "whatever the address");
    assert_eq!(availability.recipients().len(), 3);
    // A person who leaves the topic is out with all items as well, whoever they were to go to.
    let later = example("availability");
    later.write("leave.orch", "unsubscribe (recipients where id = 1) from stock\n");
    later.done(&["run", "leave.orch"]);
    let run = later.json(&["run", "available.orch"], 0);
    assert_eq!(run["sends"][0]["excluded"]["unsubscribed"], 2, "{run}");
    assert_eq!(later.recipients(), ["bob@work.test"]);
}

#[test]
fn a_second_run_with_new_writes_about_new_items_only() {
    let availability = example("availability");
    let script = availability.read("available.orch").replace("product.stock > 0", "product.stock > 0 new");
    availability.write("available.orch", script);
    availability.json(&["run", "available.orch"], 0);
    add(&availability, "data/wishlist_items.csv", "210,2,pan,2026-11-11,new@home.test\n");
    let run = availability.json(&["run", "available.orch"], 0);
    assert_eq!(balanced(&run["sends"][0]).targeted, 1);
    assert_eq!(availability.recipients().len(), 4);
}
