//! What programs mean: the facts that the runtime relies on.

use std::fs;
use std::path::Path;

use orch::analysis::{Loader, SchemaRequest, Workspace};
use orch::diag::RenderStyle;
use orch::hir::visit::{Visitor, walk_stmt};
use orch::hir::{
    ColumnRef, Content, ExprKind, Program, QueryKind, Send, Stmt, StmtKind, TemplatePart, Ty, TyKind, Value,
};

fn program(text: &str) -> Program {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/schema.orch");
    let schema = fs::read_to_string(schema).unwrap();
    let files = [("schema.orch", schema.as_str()), ("a.orch", text)];
    let analysis = Workspace::from_files(files).schema(["schema.orch"]).analyze("a.orch");
    assert!(!analysis.problems.has_errors(), "{}", analysis.render(RenderStyle::default()));
    analysis.program
}

fn body(program: &Program) -> &[Stmt] {
    &program.campaigns[0].body
}

#[derive(Default)]
struct Sends(Vec<Send>);

impl Visitor for Sends {
    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::Send(send) = &stmt.kind {
            self.0.push(send.as_ref().clone());
        }
        walk_stmt(self, stmt);
    }
}

fn sends(program: &Program) -> Vec<Send> {
    let mut sends = Sends::default();
    body(program).iter().for_each(|stmt| sends.stmt(stmt));
    sends.0
}

/// The column that an address reads, with the relations before it.
fn address(program: &Program, send: &Send) -> String {
    let ExprKind::Column { path, column: ColumnRef::Field(field), .. } = &send.address.kind else {
        panic!("the address is no column: {:?}", send.address)
    };
    let mut entity = send.to.ty.entity;
    let mut names = Vec::new();
    for relation in path {
        names.push(program[entity][*relation].name.as_str());
        entity = program[entity][*relation].target;
    }
    names.push(&program[entity][*field].name);
    names.join(".")
}

#[test]
fn a_send_finds_the_address_of_the_row_or_of_its_profile() {
    let table = [
        ("send email welcome to customers", "email", 0),
        ("send sms ready to customers", "phone", 0),
        ("send sms ready to orders { profile: customer }", "customer.phone", 1),
        ("send email note to orders { profile: customer, address: customer.email }", "customer.email", 1),
        ("send email note to leads { policy: transactional }", "email", 0),
    ];
    for (text, expected, profile) in table {
        let program = program(text);
        let send = &sends(&program)[0];
        assert_eq!(address(&program, send), expected, "{text}");
        assert_eq!(send.profile.len(), profile, "{text}");
        // A way over a relation may lead nowhere, and `leads.email` is never null.
        assert_eq!(send.address.ty.nullable, !text.contains("leads"), "{text}");
    }
}

#[test]
fn the_topic_is_that_of_the_send_or_of_the_message_or_of_the_project() {
    let plain = "message email plain { subject: \"a\"; text: \"b\" }\n";
    let table = [
        ("send email welcome to customers", Some("news")),
        ("send email welcome to customers { topic: alerts }", Some("alerts")),
        ("send email welcome to customers { policy: transactional }", None),
        ("send email plain to customers", Some("alerts")),
    ];
    for (text, expected) in table {
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/schema.orch");
        let files = [("schema.orch", fs::read_to_string(schema).unwrap()), ("a.orch", format!("{plain}{text}"))];
        let workspace = Workspace::from_files(files).schema(["schema.orch"]).default_topic("alerts");
        let program = workspace.analyze("a.orch").program;
        let topic = sends(&program)[0].options.topic.map(|topic| program[topic].name.clone());
        assert_eq!(topic.as_deref(), expected, "{text}");
    }
}

#[test]
fn placeholders_look_at_the_row_of_the_send_and_at_arguments() {
    let program = program(
        "message sms restock(item: text) { body: \"{first_name ?? \"you\"}: {item}\"; topic: alerts }\n\
         send sms restock(\"tea\") to customers",
    );
    let send = &sends(&program)[0];
    let Content::Inline(parts) = &send.message.as_ref().unwrap().fields[0].1 else { panic!("it is inline") };
    let TemplatePart::Hole(item) = &parts[2] else { panic!("{parts:?}") };
    assert_eq!(item.kind, ExprKind::Literal(Value::Text("tea".into())));
    let TemplatePart::Hole(name) = &parts[0] else { panic!("{parts:?}") };
    let ExprKind::Binary { left, .. } = &name.kind else { panic!("{name:?}") };
    assert!(matches!(left.kind, ExprKind::Column { row, .. } if row == send.row));
}

#[test]
fn a_procedure_is_put_in_where_it_is_called() {
    let program = program(
        "define remind(target: segment of customers, pause: duration) {\n\
           send email welcome to target as first\n  wait pause\n  send email note to first.sent\n}\n\
         segment gold = customers where tier = \"gold\"\n\
         do remind(gold, 3d)\n\
         do remind(target: (customers where tier = \"silver\"), pause: 1w)",
    );
    let kinds: Vec<&str> = body(&program)
        .iter()
        .map(|stmt| match &stmt.kind {
            StmtKind::Segment { .. } => "segment",
            StmtKind::Send(_) => "send",
            StmtKind::Wait { .. } => "wait",
            _ => "other",
        })
        .collect();
    // The population that has no name gets a segment of its own, computed once.
    assert_eq!(kinds, ["segment", "send", "wait", "send", "segment", "send", "wait", "send"]);
    assert!(body(&program)[0].calls.is_empty());
    assert_eq!(body(&program)[1].calls.len(), 1);
    let deliveries: Vec<_> = sends(&program).iter().filter_map(|send| send.delivery).collect();
    assert_ne!(deliveries[0], deliveries[1], "each call has names of its own");
}

#[test]
fn names_bound_in_branches_are_visible_after_them() {
    let program = program(
        "parallel {\n  branch \"a\" { send email welcome to customers as one }\n  branch \"b\" { log \"b\" }\n}\n\
         segment reached = one.sent\nsend email note to reached",
    );
    let StmtKind::Segment { query, .. } = &body(&program)[1].kind else { panic!("a segment follows") };
    assert!(matches!(query.kind, QueryKind::Feedback { .. }));
}

#[test]
fn an_upsert_takes_what_its_condition_makes_equal() {
    let program = program(
        "upsert leads into customers on customers.email = leads.email\n\
         set country = country, tier = \"bronze\", spend = 0, joined = today(), opt_in = false",
    );
    let StmtKind::Upsert { set, .. } = &body(&program)[0].kind else { panic!("it is an upsert") };
    assert_eq!(set.last().map(|(name, _)| name.as_str()), Some("email"));
}

#[test]
fn relations_know_which_fields_are_equal() {
    let program = program("log \"a\"");
    let customers = program.entities.iter().find(|entity| entity.name == "customers").unwrap();
    let orders = customers.relations.iter().find(|relation| relation.name == "orders").unwrap();
    let target = &program[orders.target];
    let (here, there) = orders.on[0];
    assert_eq!((customers[here].name.as_str(), target[there].name.as_str()), ("id", "customer_id"));
    let store = customers.relations.iter().find(|relation| relation.name == "store").unwrap();
    let (here, there) = store.on[0];
    assert_eq!((customers[here].name.as_str(), program[store.target][there].name.as_str()), ("store_id", "id"));
}

#[test]
fn parameters_and_signals_are_bound_to_locals() {
    let program = program("campaign a(n: int = 3) on signal stock_in { log \"{n} {sku}\" }");
    let campaign = &program.campaigns[0];
    assert_eq!(campaign.params[0].default, Some(Value::Int(3)));
    let local = campaign.params[0].local.unwrap();
    assert_eq!(campaign[local].name, "n");
    assert_eq!(program[campaign.trigger.unwrap()].name, "stock_in");
    assert!(campaign.locals.iter().any(|local| local.name == "sku"));
}

/// Columns of data come from the loader.
struct Data;

impl Loader for Data {
    fn read(&self, path: &str) -> Result<String, String> {
        match path {
            "a.orch" => Ok("entity items from \"items.parquet\"\nlog \"{count(items where price > 1)}\"".to_owned()),
            _ => Err("no such file".to_owned()),
        }
    }

    fn schema(&self, request: &SchemaRequest<'_>) -> Result<Vec<(String, Ty)>, String> {
        assert_eq!((request.entity, request.file), ("items", "a.orch"));
        Ok(vec![("price".to_owned(), Ty::of(TyKind::Decimal))])
    }
}

#[test]
fn columns_of_an_entity_without_a_block_come_from_its_data() {
    let analysis = Workspace::new(Data).analyze("a.orch");
    assert!(analysis.problems.is_empty(), "{}", analysis.render(RenderStyle::default()));
    assert_eq!(analysis.program.entities[0].fields[0].name, "price");
}

#[test]
fn what_a_test_expects_is_a_condition_over_natives() {
    let program = program(
        "campaign a { send email welcome to customers as hello }\n\
         test \"t\" { run a; expect count(sent(hello)) = 1 and finished }",
    );
    let steps = &program.tests[0].steps;
    let orch::hir::TestStepKind::Expect(condition) = &steps[1].kind else { panic!("{steps:?}") };
    let ExprKind::Binary { left, right, .. } = &condition.kind else { panic!("{condition:?}") };
    assert!(matches!(&right.kind, ExprKind::Call { native, .. } if native == "test.is"));
    let ExprKind::Binary { left: count, .. } = &left.kind else { panic!("{left:?}") };
    assert!(matches!(&count.kind, ExprKind::Call { native, args } if native == "test.count" && args.len() == 2));
}
