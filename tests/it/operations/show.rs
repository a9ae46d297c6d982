//! `orch show`: sends that are not done, and one person step by step.

use super::{club, prod};
use crate::mail_server::MailServer;
use crate::project::Project;

#[test]
fn a_send_that_is_not_done_is_shown() {
    let server = MailServer::start(|to| (to == "p3@shop.test").then(|| "450 4.2.0 come back".to_owned()));
    let club = club(5, &server).with("all.orch", "send email hello to people");
    prod(&club, &["run", "all.orch", "--detach"]).expect(4);
    let shown = prod(&club, &["show", "all"]).expect(0);
    assert!(shown.stdout.contains("1  send email hello  5 targeted → 4 sent"), "{}", shown.shown());
    assert!(shown.stdout.contains("1 still due"), "{}", shown.shown());
}

#[test]
fn a_person_is_followed_step_by_step() {
    let club = Project::club().with(
        "vip.orch",
        "segment vip = people where spend > 500\n\
         segment few = vip where id < 6 limit 2 by spend desc\n\
         split vip into { early: where joined < 2024-02-04; rest: otherwise }\n\
         send email hello to few\n\
         segment left = vip except few\nsend email hello to left",
    );
    club.done(&["run", "vip.orch"]);
    let follow = |id: &str| club.done(&["show", "vip", "--person", id]).stdout;
    let ann = follow("1");
    for line in [
        "segment vip              in     spend > 500 (spend = 900.50)",
        "split into early         in",
        "split into rest          out",
        "send email hello         sent to ann@shop.test",
        "segment left             out    excepted",
    ] {
        assert!(ann.contains(line), "{line}:\n{ann}");
    }
    let at = |line: &str| ann.find(line).unwrap();
    assert!(at("segment few") < at("send email hello") && at("send email hello") < at("segment left"), "{ann}");
    assert!(follow("2").contains("segment vip              out    not spend > 500 (spend = 20.00)"), "{}", follow("2"));
    let five = follow("5");
    assert!(five.contains("out    behind the rows that `limit` keeps"), "{five}");
    assert!(follow("6").contains("not id < 6 (id = 6)"), "{}", follow("6"));
    let json = club.json(&["show", "vip", "--person", "6"], 0);
    assert_eq!(json["person"]["steps"][0]["state"], "in");
    assert_eq!(json["person"]["sends"][1]["state"], "sent");
    let nobody = club.orch(&["show", "vip", "--person", "77"]).expect(1);
    assert!(nobody.stderr.contains("run::unknown_name"), "{}", nobody.shown());
}

#[test]
fn a_population_that_is_damaged_is_not_believed() {
    let club = Project::club().with("vip.orch", "segment vip = people where spend > 500\nsend email hello to vip");
    club.done(&["run", "vip.orch"]);
    let file = club.files().into_iter().find(|file| file.contains("runs/") && file.ends_with(".parquet")).unwrap();
    let mut bytes = std::fs::read(club.path(&file)).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    club.write(&file, bytes);
    let ann = club.done(&["show", "vip", "--person", "1"]).stdout;
    assert!(ann.contains("it is damaged"), "{ann}");
    assert!(ann.contains("sent to ann@shop.test"), "the ledger is elsewhere: {ann}");
}
