//! Statements that write, through the real binary on projects of their own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

mod alerts;
mod audiences;
mod exports;
mod files;
mod subscriptions;
mod tables;

/// A project in a folder of its own.
struct Project {
    folder: tempfile::TempDir,
}

const SCHEMA: &str = r#"
entity customers from "data/customers.csv" {
  id:      int key
  email:   email?
  name:    text?
  phone:   phone?
  spend:   decimal
  joined:  date
  opt_in:  bool
  orders:  many orders by customer_id
}
entity orders from "data/orders.csv" {
  id:          int key
  customer_id: int
  amount:      decimal
  placed_at:   timestamp
  customer:    one customers by customer_id
}
topic news "News"
message email hello of customers { subject: "Hi {name ?? "there"}"; text: "Hello"; topic: news }
"#;

const CUSTOMERS: &str = "\
id,email,name,phone,spend,joined,opt_in
1,ann@shop.test,Ann,+33 6 12,900.50,2024-01-05,true
2,bob@shop.test,\"Bob, Jr\",,100.00,2024-02-05,true
3,,=1+1,,550.00,2024-03-05,false
4,dan@shop.test,Dan,,20.10,2024-04-05,true
";

const ORDERS: &str = "\
id,customer_id,amount,placed_at
10,1,400.50,2026-01-05T09:00:00Z
11,1,500.00,2026-02-05T09:30:15Z
12,3,550.00,2026-03-05T09:00:00Z
13,99,1.00,2026-03-05T09:00:00Z
";

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Project {
    fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write(
            "orch.toml",
            "[project]\nname = \"shop\"\ntimezone = \"Europe/Paris\"\nschema = [\"schema.orch\"]\n",
        );
        project.write("schema.orch", SCHEMA);
        project.write("data/customers.csv", CUSTOMERS);
        project.write("data/orders.csv", ORDERS);
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn orch(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
        let output = command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a script to its end and gives its report.
    fn run(&self, script: &str) -> Value {
        let said = self.try_run(script);
        assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
        serde_json::from_str(&said.out).unwrap()
    }

    fn try_run(&self, script: &str) -> Said {
        self.write("script.orch", script);
        self.orch(&["run", "script.orch", "--format", "json"])
    }

    /// Rehearses a script and gives the report.
    fn plan(&self, script: &str) -> Value {
        self.write("script.orch", script);
        let said = self.orch(&["plan", "script.orch", "--simulate", "--format", "json"]);
        assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
        serde_json::from_str(&said.out).unwrap()
    }

    /// Runs `after` behind a task, twice: the second time as after a crash that lost the journal but nothing else.
    fn run_twice(&self, after: &str) -> (Value, Value) {
        self.run_twice_with(after, &|| {})
    }

    /// The same, with something else that happened before the second time.
    fn run_twice_with(&self, after: &str, between: &dyn Fn()) -> (Value, Value) {
        self.write("script.orch", &format!("task \"go\"\n{after}"));
        let parked = self.orch(&["run", "script.orch", "--detach", "--format", "json"]);
        assert_eq!(parked.code, Some(4), "{}\n{}", parked.out, parked.err);
        let started: Value = serde_json::from_str(&parked.out).unwrap();
        let run = started["run"].as_str().unwrap().to_owned();
        let state = self.path(".orch/dev");
        let kept: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(&state)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("state.db"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        let resume = || {
            assert_eq!(self.orch(&["done", &run]).code, Some(0));
            let said = self.orch(&["resume", &run, "--format", "json"]);
            assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
            let mut report: Value = serde_json::from_str(&said.out).unwrap();
            // By the clock on the wall the second time is later.
            report["steps"].as_array_mut().unwrap().iter_mut().for_each(|step| step["at"] = Value::Null);
            report
        };
        let first = resume();
        for name in ["state.db", "state.db-wal", "state.db-shm"] {
            let _ = fs::remove_file(state.join(name));
        }
        for (path, bytes) in kept {
            fs::write(path, bytes).unwrap();
        }
        between();
        (first, resume())
    }
}

/// The report of the first step of a kind.
fn step<'v>(report: &'v Value, kind: &str) -> &'v Value {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().find(|step| step["kind"] == kind).unwrap_or_else(|| panic!("no `{kind}` in {report:#}"))
}

/// Rows in, rows out, dropped of the first step of a kind.
fn rows(report: &Value, kind: &str) -> (u64, u64, String) {
    let step = step(report, kind);
    (step["rows_in"].as_u64().unwrap(), step["rows_out"].as_u64().unwrap(), step["dropped"].to_string())
}
