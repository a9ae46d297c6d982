//! `subscribe`, `unsubscribe`, and the sends that follow.

use serde_json::Value;

use super::{Project, rows};

fn excluded(report: &Value) -> String {
    report["sends"][0]["excluded"].to_string()
}

#[test]
fn who_unsubscribed_gets_no_message_of_the_topic() {
    let project = Project::new();
    let report = project.run("unsubscribe (customers where id = 1) from news\nsend email hello to customers");
    assert_eq!(rows(&report, "unsubscribe"), (4, 1, "{\"where\":3}".into()));
    assert_eq!(excluded(&report), "{\"no_address\":1,\"unsubscribed\":1}");
    let later = project.run("send email hello to customers");
    assert_eq!(excluded(&later), "{\"no_address\":1,\"unsubscribed\":1}", "it is remembered");
    let rehearsed = project.plan("send email hello to customers");
    assert_eq!(excluded(&rehearsed), "{\"no_address\":1,\"unsubscribed\":1}");
    let rehearsed = project.plan("subscribe customers to news\nsend email hello to customers");
    assert_eq!(excluded(&rehearsed), "{\"no_address\":1}");
    assert_eq!(excluded(&project.run("send email hello to customers")), "{\"no_address\":1,\"unsubscribed\":1}");
    let again = project.run("subscribe (customers where id = 1) to news\nsend email hello to customers");
    assert_eq!(excluded(&again), "{\"no_address\":1}");
}

#[test]
fn other_topics_and_transactional_messages_still_arrive() {
    let project = Project::new();
    let report = project.run(
        "topic alerts \"Alerts\"\n\
         message email note { subject: \"A\"; text: \"B\"; topic: alerts }\n\
         unsubscribe customers from news\n\
         send email note to customers",
    );
    assert_eq!(excluded(&report), "{\"no_address\":1}");
    let report = project.run("send email hello to customers { policy: transactional }");
    assert_eq!(excluded(&report), "{\"no_address\":1}");
}

#[test]
fn an_address_counts_whoever_has_it() {
    let project = Project::new();
    project.write(
        "data/customers.csv",
        "id,email,name,phone,spend,joined,opt_in\n1,ann@shop.test,A,,1,2024-01-01,true\n2,Ann@Shop.test,B,,1,2024-01-01,true\n",
    );
    let report = project.run("unsubscribe (customers where id = 1) from news\nsend email hello to customers");
    assert_eq!(excluded(&report), "{\"unsubscribed\":2}");
    let report = project.run("subscribe (customers where id = 2) to news\nsend email hello to customers");
    assert_eq!(excluded(&report), "{\"unsubscribed\":2}", "the strictest answer wins");
    let report = project.run("subscribe (customers where id = 1) to news\nsend email hello to customers");
    assert_eq!(excluded(&report), "{}");
}

#[test]
fn a_topic_may_be_a_column() {
    let project = Project::new();
    project.write("data/wishes.csv", "id,customer_id,topic\n1,1,news\n2,2,\n3,4,news\n");
    let report = project.run(
        "entity wishes from \"data/wishes.csv\" { id: int key; customer_id: int; topic: topic? }\n\
         segment w = wishes match customers on customers.id = wishes.customer_id with t = wishes.topic\n\
         unsubscribe w from t\n\
         send email hello to customers",
    );
    assert_eq!(rows(&report, "unsubscribe"), (3, 2, "{\"no_topic\":1}".into()));
    assert_eq!(excluded(&report), "{\"no_address\":1,\"unsubscribed\":2}");
}

#[test]
fn saying_it_twice_changes_nothing() {
    let project = Project::new();
    let (first, second) = project.run_twice("unsubscribe customers from news");
    assert_eq!(rows(&first, "unsubscribe"), rows(&second, "unsubscribe"));
    assert_eq!(excluded(&project.run("send email hello to customers")), "{\"no_address\":1,\"unsubscribed\":3}");
}
