//! Files of every kind from the command line: what they hold, what is set aside, what is wrong with them.

use crate::project::Project;

/// What most options are for.
const BILLS: &str = "entity bills from \"data/bills.csv\" (
  delimiter: \";\", encoding: \"latin-1\", decimal: \",\", thousands: \".\", date_format: \"%d.%m.%Y\", null: \"-\",
  map: [\"paid: J -> true\", \"paid: N -> false\", \"kind: R -> invoice\", \"kind: G -> credit\", \"*: k.A. ->\"]
) {
  nr:   int key
  name: text?
  sum:  decimal?
  due:  date?
  paid: bool
  kind: \"invoice\" | \"credit\"
}
";

fn project() -> Project {
    let project = Project::empty();
    project.write(
        "data/bills.csv",
        b"nr;name;sum;due;paid;kind\r\n1;M\xfcller;1.234,50;31.12.2025;J;R\r\n2;\"Stra\xdfe; 5\";-7,00;-;N;G\r\n3;;k.A.;;J;R\r\n",
    );
    project.write("data/win.csv", b"id,price,quote\n1,\x80 5,\x93ok\x94\n");
    project.write("data/fixed.txt", "00001Anna        000123.45\n00002Zo\u{eb}         000000.10\n\n00003Bo\n");
    project.write(
        "data/people.json",
        "[\n  {\"id\": 1, \"tags\": [\"a\"], \"n\": 12.10},\n  {\"id\": 2, \"n\": null}\n]\n",
    );
    project.write(
        "data/in/leads-1.csv",
        "id,email,score,tier\n1,a@x.test,5,gold\n2,b@x.test,x,gold\n3,c@x.test,7,wood\n4,d@x.test\n",
    );
    project.write("data/in/leads-2.csv", "score,id,email,tier,extra\n5,6,f@x.test,silver,zz\n");
    project.write("data/events/year=2025/kind=a/p.csv", "id\n1\n");
    project.write("data/events/year=2026/kind=b/p.csv", "id\n2\n3\n");
    project.write("data/quoted.tsv", "a\tb\n'x\ty'\t2\n");
    project
}

/// The notes of the log statements of a script.
fn notes(project: &Project, script: &str) -> Vec<String> {
    project.write("script.orch", script);
    let report = project.json(&["run", "script.orch", "--fast-forward"], 0);
    let log = report["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "log");
    log.map(|step| step["note"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_kind_of_file_is_read_as_it_is_declared() {
    let project = project();
    let script = format!(
        "{BILLS}
         entity win from \"data/win.csv\" (encoding: \"windows-1252\") {{ id: int key; price: text; quote: text }}
         entity fixed from \"data/fixed.txt\" (widths: [5, 12, 9], on_error: reject) {{ id: int key; name: text; amount: decimal }}
         entity people from \"data/people.json\" {{ id: int key; tags: json?; n: decimal? }}
         entity events from \"data/events\" {{ id: int key; year: int; kind: \"a\" | \"b\" }}
         entity quoted from \"data/quoted.tsv\" (quote: \"'\") {{ a: text; b: int }}
         log \"{{sum(sum of bills)}} {{count(bills where paid)}} {{count(bills where name = \"Straße; 5\" and kind = \"credit\")}} {{count(bills where due is null)}}\"
         log \"{{count(win where price = \"€ 5\" and quote = \"“ok”\")}} {{sum(amount of fixed)}} {{count(fixed.rejected)}} {{sum(n of people)}}\"
         log \"{{count(events where year = 2026 and kind = \"b\")}} {{count(quoted where a = \"x\\ty\")}}\""
    );
    assert_eq!(notes(&project, &script), ["1227.50 2 1 2", "1 123.55 1 12.10", "2 1"]);
    let rejects = project.read(".orch/dev/rejects/fixed.csv");
    assert_eq!(
        rejects,
        "file,line,column,value,reason\ndata/fixed.txt,4,amount,,\"the cell is empty, but `amount` is never null\"\n"
    );
}

#[test]
fn bad_lines_are_counted_listed_and_limited() {
    let project = project();
    let leads = |options: &str, score: &str| {
        format!(
            "entity leads from \"data/in/leads-*.csv\"{options} {{ id: int key; email: email?; score: {score}; tier: \"gold\" | \"silver\" }}\n"
        )
    };
    let script = leads(" (on_error: reject)", "int") + "export leads to \"leads.csv\"\nlog \"{count(leads.rejected)}\"";
    assert_eq!(notes(&project, &script), ["3"]);
    let shown = project.json(&["show", &project.run_name()], 0);
    let export = &shown["steps"][0];
    assert_eq!((export["rows_in"].as_u64(), export["rows_out"].as_u64()), (Some(5), Some(2)), "{export}");
    assert_eq!(export["dropped"].to_string(), "{\"rejected\":3}");
    assert_eq!(
        project.read(".orch/dev/rejects/leads.csv"),
        "file,line,column,value,reason\ndata/in/leads-1.csv,3,score,x,is not an int\n\
         data/in/leads-1.csv,4,tier,wood,\"is not a tier: `gold`, `silver`\"\ndata/in/leads-1.csv,5,,,\"the line has 2 cells, not 4\"\n"
    );
    let script = leads(" (on_error: null)", "int?") + "log \"{count(leads)} {count(leads where score is null)}\"";
    assert_eq!(notes(&project, &script), ["3 1"]);
    let mut said = String::new();
    for options in [" (on_error: reject, max_errors: 2)", " (on_error: fail)", ""] {
        project.write("script.orch", leads(options, "int") + "log \"{count(leads)}\"");
        // Where the list of all is depends on the folder.
        let ended = project.orch(&["run", "script.orch"]).expect(1);
        said.extend(
            ended
                .stderr
                .lines()
                .filter(|line| line.contains("error[") || line.contains("first:"))
                .map(|line| format!("{line}\n")),
        );
    }
    insta::assert_snapshot!(said);
}

#[test]
fn drift_is_said_before_anything_runs() {
    let project = project();
    project.write("data/in/leads-2.csv", "score,id,mail,tier\n5,6,f@x.test,silver\n");
    project.write(
        "script.orch",
        format!("{BILLS}entity leads from \"data/in/leads-*.csv\" (on_error: reject) {{ id: int key; email: email }}\nexport bills to \"bills.csv\"\nexport leads to \"leads.csv\""),
    );
    let said = project.orch(&["run", "script.orch"]).expect(1);
    insta::assert_snapshot!(said.shown());
    assert!(!project.path("bills.csv").exists());
}

#[test]
fn a_project_is_made_around_a_folder() {
    let project = project();
    project.done(&["init", "--from", "data"]);
    project.done(&["check"]);
    project.done(&["plan", "hello.orch", "--simulate"]);
    let schema = project.read("schema.orch");
    for declared in
        ["entity bills from \"data/bills.csv\" (", "entity events from \"data/events\" {", "encoding: \"windows-1252\""]
    {
        assert!(schema.contains(declared), "{schema}");
    }
}

#[test]
fn a_folder_is_a_source_with_tables() {
    let project = project();
    project.write("orch.toml", "[source.files]\nurl = \"data\"\nwritable = true\n");
    let script = "entity win from files.win (encoding: \"windows-1252\") { id: int key; price: text }\n\
         entity events from files.events { id: int key; year: int }\n\
         entity people from files.people\nentity leads from files.`in`.`leads-2` { id: int key }\n\
         log \"{count(win)} {count(events where year = 2026)} {count(people where n > 12)} {count(leads)}\"";
    assert_eq!(notes(&project, script), ["1 2 1 1"]);
    for (script, words) in [
        ("entity w from files.wim { id: int key }\nlog \"{count(w)}\"", "did you mean `files.win`?"),
        (
            "entity win from files.win (encoding: \"latin-1\") { id: int key; price: text }\ndelete win where id = 1",
            "is read from files of the source `files`",
        ),
    ] {
        project.write("script.orch", script);
        let said = project.orch(&["run", "script.orch"]).expect(1);
        assert!(said.stderr.contains(words), "{}", said.shown());
    }
    let said = project.done(&["schema", "infer", "files"]);
    assert!(said.stdout.contains("entity events from \"data/events\" {"), "{}", said.shown());
}
