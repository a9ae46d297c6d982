//! Tables of PostgreSQL, against a real server of our own: one for all tests, with a database for each.

mod declaring;
mod reading;
mod security;
mod writing;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::mail_server::free_port;
use crate::project::{Ended, Project, until};

/// Makes a cluster in a folder of its own, says where that is, and takes everything away once nobody holds its input.
const SCRIPT: &str = r#"
set -e
bin=$1 port=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/orch-pg-XXXXXX")
cd "$dir"
echo secret >password
"$bin/initdb" -D data -U orch --auth=scram-sha-256 --pwfile=password -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1
{
  key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
  openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority -days 2
  openssl req $key -keyout data/server.key -out server.csr -subj /CN=localhost
  printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >extensions
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out data/server.crt
  chmod 600 data/server.key
} >openssl.log 2>&1
chmod 755 .
"$bin/postgres" -D data -k "$dir" -p "$port" -c listen_addresses=127.0.0.1 -c fsync=off -c ssl=on \
  -c log_statement=all -c log_line_prefix='%m [%p] db=%d ' -c max_connections=200 >log 2>&1 &
pid=$!
chmod 644 log
echo "$dir"
cat >/dev/null
kill -INT $pid
wait $pid || true
cd /
rm -rf "$dir"
"#;

/// The server of this process; it ends with it.
struct Server {
    folder: PathBuf,
    port: u16,
    // Closed with the process, however that ends.
    _script: Child,
    _output: BufReader<ChildStdout>,
}

/// Where the server's programs are.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let everywhere: Vec<PathBuf> = std::env::split_paths(&path).chain(debian).collect();
    everywhere.into_iter().find(|folder| folder.join("initdb").is_file())
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let Some(programs) = programs() else {
        assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "postgresql is not installed");
        eprintln!("skipped: postgresql is not installed");
        return None;
    };
    // Where many servers are made at once, the system may be short of what one needs for a moment.
    let server = (0..5).find_map(|_| launch(&programs));
    let server = server.expect("the server did not start");
    until("the server answers", || server.psql("postgres", "SELECT 1").status.success().then_some(()));
    Some(server)
}

fn launch(programs: &Path) -> Option<Server> {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    // The server refuses to work for root.
    let mut command = Command::new(if root { "runuser" } else { "sh" });
    if root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    let port = free_port();
    command.args(["-c", SCRIPT, "sh"]).arg(programs).arg(port.to_string()).current_dir("/");
    let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(script.stdout.take().unwrap());
    let mut folder = String::new();
    output.read_line(&mut folder).unwrap();
    let folder = folder.trim();
    (!folder.is_empty()).then(|| Server { folder: folder.into(), port, _script: script, _output: output })
}

impl Server {
    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "orch", "-d", database]);
        command.arg("-h").arg(&self.folder).arg("-p").arg(self.port.to_string()).arg("-c").arg(sql);
        command.env("PGPASSWORD", "secret").current_dir("/").output().unwrap()
    }
}

/// A database, and a project whose source `crm` it is.
struct Shop {
    server: &'static Server,
    name: String,
    project: Project,
}

/// What most tests look at.
const TABLES: &str = "
CREATE TYPE tier AS ENUM ('gold', 'silver', 'bronze');
CREATE TABLE contacts (
  id int PRIMARY KEY, email text UNIQUE, name text, tier tier NOT NULL DEFAULT 'bronze',
  spend numeric(12,2) NOT NULL DEFAULT 0 CHECK (spend >= 0), joined date, seen timestamptz, vip boolean NOT NULL DEFAULT false);
INSERT INTO contacts VALUES
  (1, 'ann@shop.test', 'Ann', 'gold', 900.10, '2026-01-05', '2026-01-05 09:00+00', true),
  (2, 'bob@shop.test', 'Bob', 'silver', 20, '2026-02-01', NULL, false),
  (3, NULL, NULL, 'bronze', 5.5, NULL, NULL, false);
CREATE TABLE orders (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, contact_id int REFERENCES contacts ON DELETE CASCADE, amount numeric);
INSERT INTO orders (contact_id, amount) VALUES (1, 400.5), (1, 499.6), (2, 20.125);";

const SCHEMA: &str = "
entity contacts from crm.contacts {
  id: int key
  email: email?
  name: text?
  tier: \"gold\" | \"silver\" | \"bronze\"
  spend: decimal
  joined: date?
  seen: timestamp?
  vip: bool
  orders: many orders by contact_id
}
entity orders from crm.orders { id: int key; contact_id: int?; amount: decimal? }
";

impl Shop {
    /// A database of this name with [`TABLES`]; `None`, visibly, without a server.
    fn open(name: &str) -> Option<Self> {
        let shop = Self::empty(name)?;
        shop.sql(TABLES);
        Some(shop)
    }

    /// An empty database of this name.
    fn empty(name: &str) -> Option<Self> {
        let server = server()?;
        let created = server.psql("postgres", &format!("CREATE DATABASE {name}"));
        assert!(created.status.success(), "{created:?}");
        let manifest = "[project]\ntimezone = \"Europe/Paris\"\nschema = [\"schema.orch\"]\n\
            [source.crm]\nurl = { env = \"CRM_URL\" }\nwritable = true\n";
        let project = Project::empty().with("orch.toml", manifest).with("schema.orch", SCHEMA);
        Some(Self { server, name: name.to_owned(), project })
    }

    /// Runs SQL; what it says, rows in lines.
    fn sql(&self, sql: &str) -> String {
        let output = self.server.psql(&self.name, sql);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The address of the database, over the server's socket.
    fn url(&self) -> String {
        let folder = self.server.folder.display().to_string().replace('/', "%2F");
        format!("postgres://orch:secret@{folder}:{}/{}", self.server.port, self.name)
    }

    /// The binary, which knows the address.
    fn orch(&self, arguments: &[&str]) -> Ended {
        self.orch_at(&self.url(), arguments)
    }

    /// The binary, with another address.
    fn orch_at(&self, url: &str, arguments: &[&str]) -> Ended {
        Ended::of(&self.project.command(arguments).env("CRM_URL", url).output().unwrap(), &self.project)
    }

    /// The rows of a query.
    fn rows(&self, query: &str) -> Vec<Value> {
        let said = self.orch(&["run", "-e", query, "--format", "json"]).expect(0);
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a script to its end; its report.
    fn run(&self, script: &str) -> Value {
        self.project.write("script.orch", script);
        self.orch(&["run", "script.orch", "--fast-forward", "--format", "json"]).expect(0).json()
    }

    /// The statements of this database that the server noted and that contain a text.
    fn statements(&self, containing: &str) -> Vec<String> {
        let log = std::fs::read(self.server.folder.join("log")).unwrap();
        let log = String::from_utf8_lossy(&log).into_owned();
        let ours = format!(" db={} ", self.name);
        log.lines().filter(|line| line.contains(&ours) && line.contains(containing)).map(str::to_owned).collect()
    }
}

/// The accounting of a step: rows in, rows out, dropped.
fn counts(step: &Value) -> (u64, u64, String) {
    (step["rows_in"].as_u64().unwrap(), step["rows_out"].as_u64().unwrap(), step["dropped"].to_string())
}

/// A file beside the server's own.
fn beside(name: &str) -> PathBuf {
    server().map_or_else(|| Path::new(name).to_owned(), |server| server.folder.join(name))
}
