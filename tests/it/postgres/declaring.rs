//! Declarations made from tables.

use super::Shop;

const MORE: &str = "
CREATE TABLE products (sku text PRIMARY KEY, title text NOT NULL, state text, weight real, tags text[], data bytea);
INSERT INTO products SELECT 'sku-' || n, 'Title ' || n, (ARRAY['active', 'old'])[1 + n % 2] FROM generate_series(1, 50) n;
CREATE TABLE lines (order_id bigint REFERENCES orders, product text REFERENCES products (sku), qty int NOT NULL, PRIMARY KEY (order_id, product));
CREATE VIEW rich AS SELECT id, email FROM contacts WHERE spend > 100;
CREATE SCHEMA sales;
CREATE TABLE sales.leads (id uuid PRIMARY KEY, phone text, first_contact timestamptz NOT NULL, contact_id int REFERENCES contacts);
CREATE TABLE _orch_writes (run text);";

#[test]
fn declarations_of_tables_pass_check_and_read_their_own_data() {
    let Some(shop) = Shop::open("declared") else { return };
    shop.sql(MORE);
    let said = shop.orch(&["schema", "infer", "crm"]).expect(0);
    insta::assert_snapshot!(said.stdout);
    shop.project.write("schema.orch", &said.stdout);
    shop.project.write(
        "a.orch",
        "log \"{count(contacts)} {count(lines)} {count(orders where contact.vip)} {count(leads)} {count(rich)}\"",
    );
    shop.orch(&["check"]).expect(0);
    let report = shop.orch(&["run", "a.orch", "--format", "json"]).expect(0).json();
    assert_eq!(report["steps"][0]["note"], "3 0 2 0 1");
}

#[test]
fn one_table_or_an_address_is_enough() {
    let Some(shop) = Shop::open("one_table") else { return };
    let said = shop.orch(&["schema", "infer", "crm.orders"]).expect(0);
    assert!(
        said.stdout.contains("entity orders from crm.orders {") && !said.stdout.contains("contacts from"),
        "{}",
        said.shown()
    );
    let said = shop.orch(&["schema", "infer", &format!("{}?connect_timeout=5", shop.url())]).expect(0);
    let first = said.stdout.lines().next().unwrap();
    assert_eq!(first, "# Add to orch.toml:  [source.one_table]  url = { env = \"ONE_TABLE_URL\" }");
    assert!(said.stdout.contains("entity contacts from one_table.contacts {"), "{}", said.shown());
    assert!(!said.stdout.contains("secret"), "{}", said.shown());
    let said = shop.orch(&["schema", "infer", "crm.ordes"]);
    assert!(said.stderr.contains("did you mean `crm.orders`?"), "{}", said.shown());
}
