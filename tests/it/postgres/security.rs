//! Encryption, passwords, and what stops when a run stops.

use super::{Shop, beside};
use crate::project::until;

#[test]
fn certificates_count_as_the_address_says() {
    let Some(shop) = Shop::open("secured") else { return };
    let base = |host: &str| format!("postgres://orch:secret@{host}:{}/secured", shop.server.port);
    let roots = beside("ca.pem").display().to_string();
    let count = ["run", "-e", "count(contacts where id = 1)"];
    for (host, parameters) in [
        ("localhost", String::new()),
        ("localhost", "?sslmode=disable".into()),
        ("127.0.0.1", "?sslmode=require".into()),
        ("localhost", format!("?sslmode=verify-full&sslrootcert={roots}")),
        ("localhost", format!("?sslmode=require&sslrootcert={roots}&connect_timeout=5")),
    ] {
        let said = shop.orch_at(&(base(host) + &parameters), &count).expect(0);
        assert_eq!(said.stdout.trim(), "1", "{parameters}");
    }
    // The public authorities do not know this one, and the certificate is for another name.
    for (host, parameters) in [
        ("localhost", "?sslmode=verify-full".to_owned()),
        ("127.0.0.1", format!("?sslmode=verify-full&sslrootcert={roots}")),
    ] {
        let said = shop.orch_at(&(base(host) + &parameters), &count).expect(3);
        assert!(said.stderr.contains("certificate"), "{}", said.shown());
    }
}

#[test]
fn passwords_are_never_shown() {
    let Some(shop) = Shop::open("silent") else { return };
    for url in [
        format!("postgres://orch:s3cret-pass@localhost:{}/silent", shop.server.port),
        "postgres://orch:s3cret-pass@localhost:1/silent".to_owned(),
        "postgres://orch:s3cret-pass@localhost:x/silent".to_owned(),
        "postgres://orch:s3cret-pass@/silent".to_owned(),
        "postgres://orch:s3cret-pass".to_owned(),
        "postgres://orch:s3cret-pass@localhost/silent?sslmode=never".to_owned(),
        "mysql://orch:s3cret-pass@localhost/silent".to_owned(),
    ] {
        for arguments in [
            &["run", "-e", "contacts"][..],
            &["run", "-e", "contacts", "--format", "json"],
            &["schema", "infer", "crm"],
        ] {
            let said = shop.orch_at(&url, arguments);
            assert_ne!(said.code, Some(0), "{url}");
            assert!(!said.shown().contains("s3cret"), "{}", said.shown());
        }
    }
}

#[test]
fn what_a_stopped_run_asked_for_is_cancelled() {
    let Some(shop) = Shop::empty("stopped") else { return };
    shop.sql(
        "CREATE FUNCTION slow(n int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT n FROM pg_sleep(600)';
         CREATE VIEW v AS SELECT slow(1) AS id",
    );
    shop.project.write("schema.orch", "entity v from crm.v { id: int key }");
    let mut child = shop.project.command(&["run", "-e", "v"]).env("CRM_URL", shop.url()).spawn().unwrap();
    let active = || {
        shop.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'stopped' AND query LIKE '%FROM \"v\"%' AND pid <> pg_backend_pid()")
    };
    until("the server works", || (active() != "0").then_some(()));
    std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    until("the process ends", || child.try_wait().unwrap());
    until("the server stops", || (active() == "0").then_some(()));
    let said =
        shop.orch_at(&format!("{}?options=-c%20statement_timeout%3D50", shop.url()), &["run", "-e", "v"]).expect(3);
    assert!(said.stderr.contains("canceling statement due to statement timeout"), "{}", said.shown());
}
