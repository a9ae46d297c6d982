//! The table of a case: a dozen people in a text file or a table of SQLite, which may vanish or be spoilt.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::chance::Chance;
use super::check::{Verdict, ensure};
use super::model::Person;

/// Where the rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Csv,
    Sqlite,
}

impl Backend {
    /// How the entity is declared.
    pub fn source(self) -> &'static str {
        match self {
            Backend::Csv => "\"people.csv\"",
            Backend::Sqlite => "crm.people",
        }
    }
}

pub struct Data {
    folder: tempfile::TempDir,
    backend: Backend,
    pub people: Vec<Person>,
    /// The file as it was before it was spoilt.
    spoilt: Option<Vec<u8>>,
}

impl Data {
    pub fn new(seed: u64, backend: Backend) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::Builder::new().prefix("orch-sim-").tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let data = Self { folder: folder.unwrap(), backend, people: people(seed), spoilt: None };
        data.write();
        data
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self) -> PathBuf {
        self.folder().join(match self.backend {
            Backend::Csv => "people.csv",
            Backend::Sqlite => "crm.db",
        })
    }

    fn write(&self) {
        match self.backend {
            Backend::Csv => {
                let mut text = String::from("id,email,spend,country,opt_in\n");
                for person in &self.people {
                    let Person { id, email, spend, country, opt_in } = person;
                    let email = email.as_deref().unwrap_or_default();
                    text += &format!("{id},{email},{spend},{country},{opt_in}\n");
                }
                fs::write(self.file(), text).unwrap();
            }
            Backend::Sqlite => {
                let mut db = Connection::open(self.file()).unwrap();
                let filled = db.transaction().unwrap();
                let table = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, spend INTEGER NOT NULL,
                             country TEXT NOT NULL, opt_in INTEGER NOT NULL)";
                filled.execute_batch(table).unwrap();
                for person in &self.people {
                    let Person { id, email, spend, country, opt_in } = person;
                    let row = rusqlite::params![id, email, spend, country, opt_in];
                    filled.execute("INSERT INTO people VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
                }
                filled.commit().unwrap();
            }
        }
    }

    /// Takes the source away.
    pub fn hide(&self) {
        self.hider()();
    }

    /// The same, for later.
    pub fn hider(&self) -> impl Fn() + Send + 'static {
        let (file, hidden) = (self.file(), self.file().with_extension("hidden"));
        move || fs::rename(&file, &hidden).unwrap()
    }

    /// Makes the source unreadable.
    pub fn spoil(&mut self) {
        let whole = fs::read(self.file()).unwrap();
        let spoilt = match self.backend {
            Backend::Csv => [&whole[..], b"999,x@shop.test,many,FR,true\n"].concat(),
            Backend::Sqlite => b"no database at all, whatever its name says".to_vec(),
        };
        fs::write(self.file(), spoilt).unwrap();
        self.spoilt = Some(whole);
    }

    /// Mends what was hidden or spoilt.
    pub fn mend(&mut self) {
        if let Some(whole) = self.spoilt.take() {
            fs::write(self.file(), whole).unwrap();
        }
        let hidden = self.file().with_extension("hidden");
        if hidden.exists() {
            fs::rename(hidden, self.file()).unwrap();
        }
    }

    /// Key and spend of the rows that are there now.
    pub fn spends(&self) -> Vec<(i64, i64)> {
        match self.backend {
            Backend::Csv => {
                let text = fs::read_to_string(self.file()).unwrap();
                let row = |line: &str| {
                    let cells: Vec<&str> = line.split(',').collect();
                    (cells[0].parse().unwrap(), cells[2].parse().unwrap())
                };
                text.lines().skip(1).map(row).collect()
            }
            Backend::Sqlite => {
                let db = Connection::open(self.file()).unwrap();
                let mut rows = db.prepare("SELECT id, spend FROM people ORDER BY id").unwrap();
                let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
        }
    }

    /// The ids in an exported file; a run on a virtual clock writes into the state.
    pub fn exported(&self, file: u32, simulated: bool) -> Verdict<Vec<i64>> {
        let place = if simulated { "state/simulated/out" } else { "out" };
        let path = self.folder().join(format!("{place}/f{file}.csv"));
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut lines = text.lines();
        ensure!(lines.next() == Some("id"), "the file {file} begins otherwise: {text}");
        lines.map(|line| line.parse().map_err(|_| format!("the file {file} has the line `{line}`"))).collect()
    }

    /// Names of files that nobody needs any more.
    pub fn litter(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.folder().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "tmp" || extension == "done-tmp") {
                    found.push(path.display().to_string());
                }
            }
        }
        found
    }
}

fn people(seed: u64) -> Vec<Person> {
    let mut chance = Chance::new(seed, "people");
    let person = |id: i64| {
        let email = match chance.below(12) {
            0 => None,
            1 => Some("nowhere".to_owned()),
            _ => Some(format!("p{id}@shop.test")),
        };
        let country = *chance.one(&["FR", "DE", "IT"]);
        Person { id, email, spend: chance.between(0, 99), country, opt_in: !chance.once_in(8) }
    };
    (1..=Chance::new(seed, "crowd").between(0, 14)).map(person).collect()
}
