use super::complete::complete;
use super::highlight::highlight;
use super::*;

fn names() -> Vec<Symbol> {
    let symbol = |name: &str, kind| Symbol { name: name.to_owned(), kind };
    let field = |of: &str| SymbolKind::Field { of: of.to_owned() };
    vec![
        symbol("customers", SymbolKind::Population),
        symbol("orders", SymbolKind::Population),
        symbol("country", field("customers")),
        symbol("first name", field("customers")),
        symbol("amount", field("orders")),
        symbol("count", SymbolKind::Function),
    ]
}

/// What is offered at the end of `text`.
fn offered(text: &str) -> Vec<String> {
    complete(text, &names()).1.into_iter().map(|(display, _)| display).collect()
}

#[test]
fn names_are_offered_where_they_can_stand() {
    assert_eq!(offered("cu"), ["customers"]);
    assert_eq!(offered("customers where co"), ["count", "country"]);
    assert_eq!(offered("orders where co"), ["count"], "fields of populations that are not mentioned are not offered");
    assert_eq!(offered("customers."), ["country", "first name"]);
    assert_eq!(offered("customers wh"), ["where"]);
    assert_eq!(offered("se"), ["segment", "send"]);
    assert_eq!(offered("let x = 1; se"), ["segment", "send"]);
    assert!(offered("zzz").is_empty());
}

#[test]
fn what_is_inserted_can_be_read_again() {
    let inserted = |text: &str| complete(text, &names()).1.into_iter().map(|(_, insert)| insert).collect::<Vec<_>>();
    assert_eq!(inserted("customers where first"), ["`first name`"]);
    assert_eq!(inserted("coun"), ["count("]);
    assert_eq!(complete("é = cu", &names()).0, "é = ".len());
}

#[test]
fn colours_change_no_character() {
    let line = "customers where tier = \"or \\\" x\" and 'é' # and";
    let coloured = highlight(line);
    assert!(coloured.contains("\u{1b}[1mwhere\u{1b}[0m"), "{coloured}");
    assert!(coloured.contains("\u{1b}[32m\"or \\\" x\"\u{1b}[0m"), "{coloured}");
    let plain = ["\u{1b}[1m", "\u{1b}[32m", "\u{1b}[2m", "\u{1b}[0m"];
    assert_eq!(plain.iter().fold(coloured, |text, code| text.replace(code, "")), line);
    assert_eq!(highlight("\"open").replace("\u{1b}[32m", "").replace("\u{1b}[0m", ""), "\"open");
}

#[test]
fn a_colon_begins_a_request() {
    assert_eq!(request(":q"), Some(Request::Quit));
    assert_eq!(request(" :help "), Some(Request::Help));
    assert_eq!(request(":x"), Some(Request::Unknown));
    assert_eq!(request("customers"), None);
}

#[test]
fn the_names_of_a_script_are_known() {
    let analysis = crate::analysis::Workspace::from_files([(
        "a.orch",
        "entity customers from \"c.csv\" { id: int key; spend: decimal; orders: many orders by customer_id }\n\
         entity orders from \"o.csv\" { id: int key; customer_id: int }\n\
         segment vip = customers where spend > 500\nlog \"{count(vip)}\"\n",
    )])
    .analyze("a.orch");
    let known = symbols(&analysis);
    let is = |name: &str, kind| known.contains(&Symbol { name: name.to_owned(), kind });
    assert!(is("customers", SymbolKind::Population) && is("vip", SymbolKind::Population));
    assert!(is("orders", SymbolKind::Field { of: "customers".to_owned() }));
    assert!(is("spend", SymbolKind::Field { of: "vip".to_owned() }));
    assert!(is("lower", SymbolKind::Function));
}
