//! A project in a temporary folder, and the real binary at work in it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// People whom most tests write to: two who can be reached, and one for each of four reasons why not.
pub const PEOPLE: &str = "\
id,email,name,spend,joined,opt_in
1,ann@shop.test,Ann,900.50,2024-01-02,true
2,bob@shop.test,Bob,20.00,2024-02-02,true
3,,Cyd,700.00,2024-02-03,true
4,not an address,Dee,800.00,2024-02-04,true
5,eve@shop.test,Eve,501.00,2024-02-05,false
6,zoe@shop.test,Zoë O'Neil,612.00,2024-02-06,true
";

/// The declarations that go with [`PEOPLE`].
pub const SCHEMA: &str = "\
entity people from \"people.csv\" {
  id:     int key
  email:  email?
  name:   text
  spend:  decimal
  joined: date
  opt_in: bool
  consent email = opt_in
}
topic news \"News\" (consent: opt_in)
message email hello of people { subject: \"Hi {name}\"; text: \"Hello {name}\"; topic: news }
";

/// The manifest that makes [`SCHEMA`] visible everywhere.
pub const MANIFEST: &str = "[project]\nname = \"club\"\nschema = [\"schema.orch\"]\ndefault_topic = \"news\"\n";

/// A folder of files that goes away with the value.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::Builder::new().prefix("orch-it-").tempdir().unwrap() }
    }

    /// [`PEOPLE`] with their schema and a manifest.
    pub fn club() -> Self {
        Self::empty().with("people.csv", PEOPLE).with("schema.orch", SCHEMA).with("orch.toml", MANIFEST)
    }

    /// A club of `count` people who can all be reached, `pN@shop.test`.
    pub fn crowd(count: usize) -> Self {
        let mut text = String::from("id,email,name,spend,joined,opt_in\n");
        for n in 1..=count {
            writeln!(text, "{n},p{n}@shop.test,Person {n},{}.00,2024-01-02,true", n % 1_000).unwrap();
        }
        Self::club().with("people.csv", &text)
    }

    /// A copy of `examples/shop`, without any state of earlier runs.
    pub fn shop() -> Self {
        let project = Self::empty();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
        for folder in ["", "data"] {
            std::fs::create_dir_all(project.path(folder)).unwrap();
            for entry in std::fs::read_dir(example.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    std::fs::copy(entry.path(), project.path(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        project
    }

    /// Writes a file.
    pub fn with(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// The header and the rows of a CSV file.
    pub fn cells(&self, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let mut reader = csv::Reader::from_path(self.path(path)).unwrap();
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let row = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
        (header, reader.records().map(|record| row(record.unwrap())).collect())
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The binary with these arguments, without a terminal and with nothing to read.
    pub fn command(&self, arguments: &[&str]) -> Command {
        // Another build, such as a release, on request.
        let binary = std::env::var_os("ORCH_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_orch").into());
        let mut command = Command::new(std::path::absolute(binary).unwrap());
        command.args(arguments).current_dir(self.folder.path());
        command.env_remove("NO_COLOR").env("COLUMNS", "110").stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn orch(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap(), self)
    }

    /// Runs the binary, which must end well.
    pub fn done(&self, arguments: &[&str]) -> Ended {
        self.orch(arguments).expect(0)
    }

    /// Runs the binary with `--format json`; it must end with `code`.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.orch(&[arguments, &["--format", "json"]].concat()).expect(code).json()
    }

    /// Starts the binary; its output is kept for whoever asks.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child) }
    }

    /// The newest run; one that another process was just asked for may take a moment to be there.
    pub fn run_name(&self) -> String {
        until("there is a run", || {
            let runs = self.json(&["runs"], 0);
            runs["runs"][0]["run"].as_str().map(str::to_owned)
        })
    }

    /// The names of the messages in the outbox of the profile `dev`.
    pub fn outbox(&self) -> BTreeSet<String> {
        names(&self.path(".orch/dev/outbox/new"))
    }

    /// The texts of those messages.
    pub fn messages(&self) -> Vec<String> {
        self.outbox().iter().map(|name| self.read(&format!(".orch/dev/outbox/new/{name}"))).collect()
    }

    /// To whom those messages go, sorted; somebody who got two is in it twice.
    pub fn recipients(&self) -> Vec<String> {
        let to = |text: &String| {
            let line = text.lines().find_map(|line| line.strip_prefix("To: ")).expect("a message has a recipient");
            line.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
        };
        let mut all: Vec<String> = self.messages().iter().map(to).collect();
        all.sort();
        all
    }

    /// Every file of the folder, relative to it.
    pub fn files(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![self.folder.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.insert(path.strip_prefix(self.folder.path()).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found
    }

    /// A text without what differs from one time to the next: the folder, names of runs, process ids.
    pub fn redact(&self, text: &str) -> String {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let real = std::fs::canonicalize(&folder).unwrap().to_string_lossy().into_owned();
        let text = text.replace(&real, "[folder]").replace(&folder, "[folder]");
        text.split_inclusive(char::is_whitespace).map(redact_word).collect()
    }
}

/// `vip-7K2M` in a word, with or without quotes, as `vip-[run]`; a number after `process` is somebody else's business.
fn redact_word(word: &str) -> String {
    let is_sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let Some((before, after)) = word.split_once('-') else { return word.to_owned() };
    let tail: String = after.chars().take_while(|c| is_sign(*c)).collect();
    let name = before.chars().last().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
    if tail.len() == 4 && name {
        return format!("{before}-[run]{}", &after[4..]);
    }
    word.to_owned()
}

/// The names in a folder; none when it is not there.
pub fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Waits, looking again and again, until `ready` gives something.
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "gave up waiting until {what}");
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its results.
    pub stdout: String,
    /// Its remarks.
    pub stderr: String,
    shown: String,
}

impl Ended {
    /// What a process of a project's binary said.
    pub fn of(output: &Output, project: &Project) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code();
        let exit = code.map_or("killed".to_owned(), |code| code.to_string());
        let part = |name: &str, text: &str| match text.is_empty() {
            true => String::new(),
            false => format!("--- {name}\n{}\n", text.trim_end()),
        };
        let all = format!("exit {exit}\n{}{}", part("stdout", &stdout), part("stderr", &stderr));
        Self { code, shown: project.redact(&all), stdout, stderr }
    }

    /// Itself, if it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown);
        self
    }

    /// Everything it said, for a snapshot.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its results, which must be one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.shown))
    }
}

/// A process at work; killed with the value.
pub struct Running {
    child: Option<Child>,
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Has it ended by itself?
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits until its results have a line with this text in it.
    pub fn says(&mut self, text: &str) -> String {
        let results = self.child.as_mut().unwrap().stdout.as_mut().unwrap();
        // Byte by byte, so that nothing is read that a later look would miss.
        let mut line = Vec::new();
        for byte in std::io::BufReader::with_capacity(1, results).bytes() {
            match byte.unwrap() {
                b'\n' if String::from_utf8_lossy(&line).contains(text) => break,
                b'\n' => line.clear(),
                byte => line.push(byte),
            }
        }
        let line = String::from_utf8(line).unwrap();
        assert!(line.contains(text), "it ended without saying `{text}`");
        line
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Closes our end of its results: whatever it prints from now on goes nowhere.
    pub fn close_output(&mut self) {
        drop(self.child.as_mut().unwrap().stdout.take());
    }

    /// Ends it at once, as `kill -9` does. True when it was still at work.
    pub fn kill(mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let worked = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        let status = child.wait().unwrap();
        worked && status.code().is_none()
    }

    /// Waits for its end; what it said before that and was not asked for by [`Running::says`] is in the answer.
    pub fn end(mut self, project: &Project) -> Ended {
        Ended::of(&self.child.take().unwrap().wait_with_output().unwrap(), project)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The accounting of one send, checked: `targeted = sent + failed + unknown + due + excluded`.
#[track_caller]
pub fn balanced(send: &Value) -> Tally {
    let number = |key: &str| send[key].as_u64().unwrap_or_else(|| panic!("no number `{key}` in {send}"));
    let excluded = send["excluded"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
    let tally = Tally {
        targeted: number("targeted"),
        sent: number("sent"),
        failed: number("failed"),
        unknown: number("unknown"),
        due: number("due"),
        excluded,
    };
    let parts = tally.sent + tally.failed + tally.unknown + tally.due + tally.excluded;
    assert_eq!(tally.targeted, parts, "{send}");
    tally
}

/// Rows of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub targeted: u64,
    pub sent: u64,
    pub failed: u64,
    pub unknown: u64,
    pub due: u64,
    pub excluded: u64,
}
