use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;

/// A writer whose text can be looked at later.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Tape {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A writer that always fails.
struct Broken(std::io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Exit, results and remarks of a command line.
pub(super) fn orch(line: &str) -> (Exit, String, String) {
    orch_args(&line.split_whitespace().collect::<Vec<_>>())
}

/// The same for arguments with blanks.
pub(super) fn orch_args(arguments: &[&str]) -> (Exit, String, String) {
    let cli = Cli::try_parse_from(["orch"].iter().chain(arguments)).unwrap();
    let (results, remarks) = (Tape::default(), Tape::default());
    let output = Output::to(cli.globals.format, Box::new(results.clone()), Box::new(remarks.clone()));
    let context = Context { globals: cli.globals, output, environment: Environment::of_process() };
    let exit = cli.command.run(&context).unwrap_or_else(|failure| failure.show(&context.output));
    (context.output.finish(exit), results.text(), remarks.text())
}

#[test]
fn the_definition_is_consistent() {
    definition().debug_assert();
}

#[test]
fn help_is_worth_reading() {
    let mut definition = definition().term_width(100);
    for command in definition.get_subcommands() {
        let about = command.get_about().unwrap().to_string();
        assert!(about.chars().count() <= 85, "{about}: too long for the list of commands");
        assert!(about.starts_with(char::is_uppercase) && !about.ends_with(['.', '!']), "{about}");
        for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
            let help = argument.get_help().unwrap_or_else(|| panic!("{argument} has no help")).to_string();
            assert!(help.starts_with(char::is_uppercase) && !help.ends_with('.'), "{help}");
        }
    }
    let text = definition.render_long_help().to_string();
    assert!(text.contains("Exit codes: 0 done, 1 problems found") && text.contains("\nEverywhere:\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn explain_shows_a_page_lists_codes_and_suggests() {
    let (exit, page, _) = orch("explain run::unknown_manifest_key");
    assert_eq!(exit, Exit::Done);
    assert!(page.starts_with("run::unknown_manifest_key\n"), "{page}");
    assert_eq!(orch("explain orch::run::unknown_manifest_key").1, page, "as JSON writes codes");
    assert_eq!(orch("explain unknown_manifest_key").1, page, "the second half is enough");
    assert!(orch("explain").1.contains("\nrun::unknown_manifest_key\n"));

    let (exit, results, remarks) = orch("explain run::unknown_manifest_kye");
    assert_eq!((exit, results.as_str()), (Exit::Usage, ""));
    assert!(remarks.contains("did you mean `run::unknown_manifest_key`?"), "{remarks}");

    let (_, json, _) = orch("explain unknown_manifest_key --format json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["code"], "orch::run::unknown_manifest_key");
}

#[test]
fn completions_are_scripts() {
    let (exit, script, _) = orch("completions bash");
    assert_eq!(exit, Exit::Done);
    assert!(script.contains("complete -F"), "{script}");
}

#[test]
fn a_reader_that_left_is_no_error_but_a_full_disk_is() {
    for (kind, expected) in
        [(std::io::ErrorKind::BrokenPipe, Exit::Done), (std::io::ErrorKind::StorageFull, Exit::Failed)]
    {
        let remarks = Tape::default();
        let output = Output::to(Format::Human, Box::new(Broken(kind)), Box::new(remarks.clone()));
        output.line("a result");
        output.line("another");
        assert_eq!(output.finish(Exit::Done), expected);
        assert_eq!(remarks.text().contains("cannot write the result"), expected == Exit::Failed);
    }
}

#[test]
fn problems_of_the_manifest_are_shown_with_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orch.toml"), "[project]\nnmae = \"shop\"\n").unwrap();
    let failure =
        project::open(&Globals { profile: "dev".to_owned(), ..Globals::default() }, folder.path()).unwrap_err();
    let remarks = Tape::default();
    let output = Output::to(Format::Human, Box::new(Tape::default()), Box::new(remarks.clone()));
    assert_eq!(failure.show(&output), Exit::Usage);
    assert!(remarks.text().contains("did you mean `name`?"), "{}", remarks.text());

    std::fs::write(folder.path().join("orch.toml"), "[project]\nname = \"shop\"\n").unwrap();
    let globals = Globals { profile: "prod".to_owned(), ..Globals::default() };
    assert!(project::open(&globals, folder.path()).unwrap_err().problems.has_errors());
}

#[cfg(feature = "engine")]
#[test]
fn options_with_a_name_and_a_value_are_taken_apart() {
    let parsed = params::parse(&["country=FR".to_owned(), "text=a=b".to_owned(), "empty=".to_owned()]).unwrap();
    let expected = [("country", "FR"), ("text", "a=b"), ("empty", "")];
    assert_eq!(parsed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    for wrong in ["country", "=FR", "country =FR", "country=FR country=DE"] {
        let words: Vec<String> = wrong.split_inclusive("FR ").map(|word| word.trim_end().to_owned()).collect();
        assert!(params::parse(&words).is_err(), "{wrong}");
    }
}

#[cfg(feature = "engine")]
#[test]
fn arguments_of_the_commands_that_run() {
    #[derive(Parser)]
    struct Only<A: Args> {
        #[command(flatten)]
        arguments: A,
    }
    fn parse<A: Args>(line: &str) -> Result<A, clap::Error> {
        let words = ["orch"].into_iter().chain(line.split_whitespace());
        Only::<A>::try_parse_from(words).map(|only| only.arguments)
    }
    let run = parse::<run::Arguments>("vip.orch --param a=1 -p b=2 --fast-forward").unwrap();
    assert_eq!((run.params.len(), run.fast_forward, run.detach), (2, true, false));
    assert!(parse::<run::Arguments>("").is_err(), "a file or a text is needed");
    assert!(parse::<run::Arguments>("-e customers vip.orch").is_err(), "but not both");
    assert!(parse::<run::Arguments>("vip.orch --fast-forward --detach").is_err());
    assert_eq!(parse::<run::Arguments>("-e customers").unwrap().expression.as_deref(), Some("customers"));
    assert!(parse::<plan::Arguments>("vip.orch --simulate").unwrap().simulate);
    assert!(parse::<resume::Arguments>("").is_err());
    assert!(parse::<resume::Arguments>("--all").unwrap().all);
    assert_eq!(parse::<show::Arguments>("vip --person 7").unwrap().person.as_deref(), Some("7"));
    assert_eq!(parse::<runs::Arguments>("").unwrap().limit, 20);
    assert_eq!(parse::<signal::Arguments>("stock_in sku=1 n=2").unwrap().values.len(), 2);
    assert!(parse::<pause::Arguments>("vip").is_ok() && parse::<stop::Arguments>("vip --reason x").is_ok());
    assert!(parse::<repl::Arguments>("").unwrap().file.is_none());
}

#[cfg(feature = "engine")]
#[test]
fn a_channel_is_configured_with_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[channel.email]\ndriver = \"smtp\"\nurl = { file = \"smtp\" }\nrate = \"5/2s\"\n";
    std::fs::write(folder.path().join("orch.toml"), manifest).unwrap();
    let globals = Globals { profile: "dev".to_owned(), ..Globals::default() };
    let project = project::open(&globals, folder.path()).unwrap();
    assert!(channels::channel_config("email", &project).is_err(), "the secret is not there yet");
    std::fs::write(folder.path().join("smtp"), "smtp://ann:hunter2@mail.shop.test\n").unwrap();
    let config = channels::channel_config("email", &project).unwrap();
    assert_eq!(config.driver, "smtp");
    assert_eq!(config.url.unwrap().expose(), "smtp://ann:hunter2@mail.shop.test");
    assert_eq!(channels::channel_config("sms", &project).unwrap(), Default::default());
}

#[test]
fn doc_shows_the_library() {
    // A folder without scripts: the library is all there is.
    let folder = tempfile::tempdir().unwrap();
    let orch = |line: &str| orch(&format!("{line} --project {}", folder.path().display()));
    let (exit, page, _) = orch("doc round");
    assert_eq!(exit, Exit::Done);
    assert!(page.starts_with("define round(x: number, digits: int = 0): number\nfunction of prelude\n"), "{page}");
    assert!(page.contains("\nTrue:\n    round(2.675, 2) = 2.68\n"), "{page}");
    assert!(orch("doc recency").1.starts_with("define recency(days: int?"), "without its module");
    let (_, module, _) = orch("doc std.winback");
    assert!(module.contains("\n  winback.two_letters      A letter, and after a pause"), "{module}");
    let (_, all, _) = orch("doc");
    assert!(all.contains("\nstd.rfm\n  rfm.recency") && all.contains("  coalesce"), "{all}");
    let (_, json, _) = orch("doc coalesce --format json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["entries"][0]["examples"][0], "coalesce(null, 2, 3) = 2");
    let (exit, _, remarks) = orch("doc coalesc");
    assert_eq!(exit, Exit::Usage);
    assert!(remarks.contains("did you mean `coalesce`?"), "{remarks}");
}

#[test]
fn fmt_writes_or_only_checks() {
    let folder = tempfile::tempdir().unwrap();
    let (ugly, pretty) = (folder.path().join("ugly.orch"), folder.path().join("pretty.orch"));
    std::fs::write(&ugly, "log   \"a\"\n\n\n\nlog \"b\"").unwrap();
    std::fs::write(&pretty, "log \"a\"\n").unwrap();
    let place = folder.path().to_str().unwrap();
    let (exit, results, _) = orch_args(&["fmt", "--check", place]);
    assert_eq!(exit, Exit::Problems);
    assert!(results.starts_with("would change ") && results.lines().count() == 1, "{results}");
    assert!(std::fs::read_to_string(&ugly).unwrap().contains("   "), "nothing was changed");
    assert_eq!(orch_args(&["fmt", place]).0, Exit::Done);
    assert_eq!(std::fs::read_to_string(&ugly).unwrap(), "log \"a\"\n\nlog \"b\"\n");
    assert_eq!(orch_args(&["fmt", "--check", place]).0, Exit::Done);
    std::fs::write(&ugly, "log \"a\" \"b\" =").unwrap();
    let (exit, results, _) = orch_args(&["fmt", place, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!((exit, json["problems"][0]["severity"].as_str()), (Exit::Problems, Some("error")), "{json}");
    assert_eq!(std::fs::read_to_string(&ugly).unwrap(), "log \"a\" \"b\" =", "a script with mistakes stays");
}
