use std::time::Duration;

use super::*;
use crate::base::SourceMap;
use crate::diag::{RenderStyle, render_all};

fn parse(text: &str) -> Result<Manifest, String> {
    let mut sources = SourceMap::new();
    let source = sources.add("orch.toml", text);
    Manifest::parse(text, source).map_err(|problems| {
        assert!(!problems.is_empty());
        render_all(&problems, &sources, RenderStyle::default(), 1)
    })
}

const SHOP: &str = r#"
[project]
name = "shop"
timezone = "Europe/Paris"
schema = ["schema.orch"]
confirm_above = 1_000

[engine]
memory_limit = "2GiB"

[source.crm]
url = { env = "CRM_URL" }

[channel.email]
driver = "outbox"
from = "Shop <news@shop.test>"
url = { env = "DEV_URL" }

[profile.prod.channel.email]
driver = "smtp"
url = { file = "/run/secrets/smtp" }
rate = "200/s"
unknown = "resend"

[profile.staging]
allow_recipients = ["*@shop.test"]

[profile.prod.alert.ops]
channel = "email"
to = ["ops@shop.test"]
"#;

#[test]
fn a_profile_overlays_key_by_key() {
    let manifest = parse(SHOP).unwrap();
    let dev = manifest.settings("dev").unwrap();
    assert_eq!(dev.project.timezone.name(), "Europe/Paris");
    assert_eq!(dev.engine.memory_limit, Some(Bytes(2 << 30)));
    assert_eq!(dev.channel("email").driver, Driver::Outbox);
    assert_eq!(dev.channel("sms"), ChannelSettings::default());

    let prod = manifest.settings("prod").unwrap();
    let email = prod.channel("email");
    assert_eq!(email.driver, Driver::Smtp);
    assert_eq!(email.from.as_deref(), Some("Shop <news@shop.test>"), "kept from below");
    assert_eq!(email.url, Some(Secret::File("/run/secrets/smtp".to_owned())), "a value is replaced as a whole");
    assert_eq!(email.rate, Some(Pace { count: 200, per: Duration::from_secs(1) }));
    assert_eq!(email.unknown, OnUnknown::Resend);
    assert_eq!(prod.alert["ops"].to, ["ops@shop.test"]);
    assert_eq!(prod.source["crm"], dev.source["crm"]);

    assert!(manifest.settings("staging").unwrap().allow_recipients.is_some());
    assert_eq!(manifest.profiles().collect::<Vec<_>>(), ["dev", "prod", "staging"]);
    let unknown = manifest.settings("prdo").unwrap_err();
    assert_eq!(unknown.help.as_deref(), Some("did you mean `prod`? known are `dev`, `prod`, `staging`"));
}

#[test]
fn nothing_at_all_is_a_manifest() {
    assert_eq!(*parse("").unwrap().settings("dev").unwrap(), Settings::default());
    assert_eq!(Settings::default().project.timezone.name(), "UTC");
}

#[test]
fn every_mistake_is_shown_once_at_its_place() {
    let wrong = r#"nmae = 1
[project]
timzone = "Europe/Paris"
timezone = "Europe/Pariss"
schema = "schema.orch"
confirm_above = -1

[source.crm]
writable = true

[channel.email]
driver = "smpt"
url = { evn = "URL" }
connections = "many"
rate = "200"

[channel.sms]
url = { env = "A", file = "b" }

[profile.prod.channel.email]
strikt = true
rate = "3 per day"

[profile.prod.engine]
memory_limit = 2
"#;
    insta::assert_snapshot!(parse(wrong).unwrap_err());
}

#[test]
fn text_that_is_not_toml_is_shown() {
    insta::assert_snapshot!(parse("[project\nname = \"shop\"\nprofile = 3\n").unwrap_err());
    assert!(parse("profile = 3").unwrap_err().contains("`profile` is a section, not a value"));
}

#[test]
fn units() {
    let bytes = |text: &str| Bytes::try_from(text.to_owned()).ok().map(|bytes| bytes.0);
    assert_eq!(bytes("512 MiB"), Some(512 << 20));
    assert_eq!(bytes("1_000kB"), Some(1_000_000));
    assert_eq!((bytes("2"), bytes("2 gigs"), bytes("99999999999TiB"), bytes("")), (None, None, None, None));

    let pace = |text: &str| Pace::try_from(text.to_owned()).ok().map(|pace| (pace.count, pace.per.as_secs()));
    assert_eq!(pace("5_000/3h"), Some((5_000, 3 * 3600)));
    assert_eq!(pace("30 / min"), Some((30, 60)));
    assert_eq!(pace("1/1d12h"), Some((1, 36 * 3600)));
    assert_eq!((pace("1/3m"), pace("1/"), pace("1/mo")), (None, None, None));
    assert_eq!((pace("0/s"), pace("200"), pace("x/s"), pace("1/0s")), (None, None, None, None));
}

#[test]
fn secrets_are_looked_up_late_and_never_shown() {
    let none = |_: &str| -> Option<String> { None };
    let unread = |_: &str| -> Result<String, String> { Err("permission denied".to_owned()) };
    let env = Secret::Env("SMTP_PASSWORD".to_owned());
    assert_eq!(env.resolve(|_| Some("hunter2".to_owned()), unread).unwrap().expose(), "hunter2");
    assert_eq!(env.resolve(none, unread).unwrap_err().message, "the environment has no variable `SMTP_PASSWORD`");
    let file = Secret::File("smtp".to_owned());
    assert_eq!(file.resolve(none, |_| Ok("hunter2\n".to_owned())).unwrap().expose(), "hunter2");
    assert_eq!(file.resolve(none, unread).unwrap_err().message, "cannot read the secret in `smtp`: permission denied");
    let plain = Secret::Plain("hunter2".to_owned());
    let text = plain.resolve(none, unread).unwrap();
    assert!(!format!("{plain:?} {text:?} {env:?}").contains("hunter2"));
}

#[test]
fn the_nearest_manifest_makes_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("campaigns/spring");
    std::fs::create_dir_all(&inner).unwrap();
    let script = inner.join("a.orch");
    assert_eq!(Location::find(&script), Location { base: inner.clone(), manifest: None });
    let manifest = folder.path().join(MANIFEST_NAME);
    std::fs::write(&manifest, SHOP).unwrap();
    let found = Location::find(&script);
    assert_eq!(found, Location { base: folder.path().to_owned(), manifest: Some(manifest) });
    let project = Project::new(found, &parse(SHOP).unwrap(), "prod").unwrap();
    assert_eq!(project.state_dir(), folder.path().join(".orch/prod"));
    assert_eq!(project.schema_files().collect::<Vec<_>>(), [folder.path().join("schema.orch")]);
}

proptest::proptest! {
    /// Whatever is in the file, there are settings or problems.
    #[test]
    fn any_text_is_read(
        lines in proptest::collection::vec(
            "(\\[(project|channel|profile|source|roles)(\\.(email|prod|dev))?(\\.(channel|engine|url))?\\]|[a-z_]{0,9}|(url|rate|name|schema) = (\"[a-z0-9/é]{0,6}\"|[0-9]{1,20}|\\[\"a\"\\]|\\{ env = \"A\" \\}|\\{\\}|true))",
            0..12,
        ),
    ) {
        if let Err(shown) = parse(&lines.join("\n")) {
            proptest::prop_assert!(shown.contains("error[run::"), "{shown}");
        }
    }
}
