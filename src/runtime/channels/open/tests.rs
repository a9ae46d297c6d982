use super::*;

fn places() -> Places {
    Places { project: "/shop".into(), state: "/shop/.orch/dev".into(), console: Arc::new(|_| {}) }
}

/// What `orch` says about a table.
fn problem(toml: &str) -> String {
    let problem = open("email", &toml::from_str(toml).unwrap(), &places()).err().unwrap();
    format!("{} | {} | {}", problem.code, problem.message, problem.help.unwrap_or_default())
}

#[test]
fn every_driver_opens() {
    for toml in [
        "",
        "driver = 'outbox'\npath = 'mails'\nfrom = 'Shop <news@shop.test>'",
        "driver = 'smtp'\nurl = 'smtp://localhost'\nfrom = 'news@shop.test'",
        "driver = 'file'\npath = 'out/letters.csv'",
        "driver = 'console'",
        "driver = 'record'",
    ] {
        assert!(open("email", &toml::from_str(toml).unwrap(), &places()).is_ok(), "{toml}");
    }
}

#[test]
fn mistakes_say_what_to_write() {
    let cases = [
        ("driver = 'smpt'", "run::unknown_driver | channel `email`: there is no driver `smpt` | did you mean `smtp`?"),
        (
            "driver = 'pigeon'",
            "run::unknown_driver | channel `email`: there is no driver `pigeon` | drivers are `outbox`, `smtp`, `file`, `console`, `record`",
        ),
        (
            "driver = 'file'",
            "run::invalid_channel | channel `email`: the driver `file` needs `path` | write `path = \"out/letters.csv\"` under `[channel.email]` in `orch.toml`",
        ),
        (
            "driver = 'file'\npath = 'x.xls'",
            "run::invalid_channel | channel `email`: `path` is `x.xls`, which ends in neither `.csv` nor `.ndjson` | write it like `path = \"out/letters.csv\"`",
        ),
        (
            "from = 'Shop'",
            "run::invalid_channel | channel `email`: `from` is `Shop`, which has no `@` | write it like `Shop <news@shop.test>`",
        ),
    ];
    for (toml, expected) in cases {
        assert_eq!(problem(toml), expected);
    }
}
