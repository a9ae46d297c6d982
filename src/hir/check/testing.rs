//! What the tests of expressions share: a schema, and a checker for small programs.

use crate::base::SourceMap;
use crate::diag::{Problems, RenderStyle, render};
use crate::hir::{Environment, ParsedFile, Program, Ty, TyKind, check_program};
use crate::syntax::parse;

/// A shop.
pub(crate) const SCHEMA: &str = r#"
entity customers from "customers.csv" {
  id: int key
  email: email?
  name: text
  country: text?
  city: text
  tier: "bronze" | "silver" | "gold"
  spend: decimal
  score: float
  share: percent
  visits: int
  joined: date
  birthday: date?
  seen: timestamp?
  zone: timezone = "Europe/Paris"
  wakes: time
  topic: topic
  opt_in: bool
  tags: list of text
  extra: json
  store_id: int?
  orders: many orders by customer_id
  store: one stores by store_id
  consent email = opt_in
}
entity orders from "orders.csv" {
  id: int key
  customer_id: int
  sku: text
  amount: decimal
  quantity: int
  placed_at: timestamp
  shipped: date?
  status: "paid" | "shipped" | "returned"
  customer: one customers by customer_id
}
entity stores from "stores.csv" {
  id: int key
  city: text
  opened: date
  customers: many customers by store_id
}
entity leads from "leads.csv" {
  email: email
  source: text
}
topic news "News"
topic offers "Offers"
message email hello of customers { subject: "Hi"; text: "Hello {name}" }
define active(window: duration) of customers = exists(orders where placed_at > ago(window))
define big of customers = spend > 1_000
define fans(least: decimal) = customers where spend >= least
"#;

/// A program that was checked.
pub(crate) struct Checked {
    pub program: Program,
    pub problems: Problems,
    pub sources: SourceMap,
}

/// Checks the schema and a script that can be parsed.
pub(crate) fn check(script: &str) -> Checked {
    let (checked, parsing) = check_anything(script);
    let said: Vec<&str> = parsing.iter().map(|problem| problem.message.as_str()).collect();
    assert!(!parsing.has_errors(), "{script}: {said:?}");
    checked
}

/// Checks the schema and any text; the problems of reading it apart.
pub(crate) fn check_anything(script: &str) -> (Checked, Problems) {
    let mut sources = SourceMap::new();
    let mut files = Vec::new();
    let mut parsing = Problems::new();
    let channels = include_str!("../../../stdlib/channels.orch");
    for (name, text) in [("stdlib/channels.orch", channels), ("schema.orch", SCHEMA), ("test.orch", script)] {
        let source = sources.add(name, text);
        let parsed = parse(source, text);
        parsing.extend(parsed.problems);
        let (name, library) = (name.to_owned(), name.starts_with("stdlib"));
        files.push(ParsedFile { source, name, ast: parsed.file, module: None, library });
    }
    let (program, problems) = check_program(&files, &Environment::default());
    (Checked { program, problems, sources }, parsing)
}

impl Checked {
    /// Codes of the errors, and of lints about expressions.
    pub fn codes(&self) -> Vec<String> {
        let about_flow = ["unused_segment", "unused_let", "no_topic"];
        let shown = self.problems.iter().filter(|problem| !about_flow.contains(&problem.code.name));
        shown.map(|problem| problem.code.name.to_owned()).collect()
    }

    /// All problems as people see them.
    pub fn rendered(&self) -> String {
        let about_flow = ["unused_segment", "unused_let", "no_topic"];
        let shown = self.problems.iter().filter(|problem| !about_flow.contains(&problem.code.name));
        shown.map(|problem| render(problem, &self.sources, RenderStyle::default())).collect()
    }

    /// The type of the campaign's local.
    pub fn local(&self, name: &str) -> Option<&Ty> {
        let campaign = self.program.campaigns.first()?;
        campaign.locals.iter().find(|local| local.name == name).map(|local| &local.ty)
    }
}

/// The type of an expression over a row of customers as text, or the codes of its problems.
pub(crate) fn row_type(expr: &str) -> String {
    let checked = check(&format!(
        "let limit = 5\nlet countries = [\"FR\", \"DE\"]\nsegment rows = customers with it = ({expr})\n"
    ));
    let codes: Vec<String> = checked.codes();
    if !codes.is_empty() {
        return codes.join(" ");
    }
    match checked.local("rows").map(|ty| &ty.kind) {
        Some(TyKind::Segment(segment)) => {
            segment.column("it").map_or_else(|| "nothing".to_owned(), |ty| ty.show(&checked.program))
        }
        _ => "nothing".to_owned(),
    }
}

/// The type of a population as text, or the codes of its problems.
pub(crate) fn query_type(query: &str) -> String {
    let script = format!(
        "segment vip = customers where spend > 500\nsend email hello to vip as sent_mail\nsegment rows = {query}\n"
    );
    let checked = check(&script);
    let codes: Vec<String> = checked.codes();
    match codes.is_empty() {
        true => checked.local("rows").map_or_else(|| "nothing".to_owned(), |ty| ty.show(&checked.program)),
        false => codes.join(" "),
    }
}
