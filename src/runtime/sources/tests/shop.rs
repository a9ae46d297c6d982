//! The data of the shop example import as declared.

use std::path::Path;

use jiff::tz::TimeZone;

use super::super::Objects;
use super::{OpenOptions, declare, open};
use crate::hir::Program;

#[test]
fn the_shop_imports_without_rejects() {
    let tables = [
        (
            "customers",
            5000,
            "id: int key\nemail: email?\nfirst_name: text?\nlast_name: text?\nphone: phone?\ncountry: text\ncity: text?
            tier: \"bronze\" | \"silver\" | \"gold\"\nspend: decimal\njoined: date\nbirthday: date?
            zone: timezone = \"Europe/Paris\"\nopt_in: bool\nsms_opt_in: bool?\nstore_id: int?",
        ),
        (
            "orders",
            22_743,
            "id: int key\ncustomer_id: int\nproduct_sku: text\nquantity: int\namount: decimal\nplaced_at: timestamp
            status: \"paid\" | \"shipped\" | \"returned\" | \"cancelled\"",
        ),
        ("products", 200, "sku: text key\ntitle: text\ncategory: text\nprice: decimal\nstock: int\nlaunched: date"),
        ("stores", 20, "id: int key\nname: text\ncity: text\ncountry: text\nzone: timezone\nopened: date"),
        (
            "wishlist_items",
            2400,
            "id: int key\ncustomer_id: int\nsku: text\nadded_at: timestamp\nrecipient_email: email?",
        ),
    ];
    let cache = tempfile::tempdir().unwrap();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
    for (name, rows, fields) in tables {
        let declared = declare(&format!("data/{name}.csv"), &[], fields);
        let options = OpenOptions {
            base: &base,
            cache: cache.path(),
            zone: &TimeZone::UTC,
            threads: 2,
            objects: &Objects::default(),
            rejects: None,
        };
        let opened = open(&declared.entity, &Program::default(), &options);
        let opened = opened.unwrap_or_else(|problem| panic!("{}", declared.rendered(&problem)));
        assert!(opened.rows.abs_diff(rows) <= 1, "{name}: {}", opened.rows);
        assert_eq!(opened.rejected, 0, "{name}");
    }
}
