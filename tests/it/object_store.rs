//! Files in an object store, against a real server that speaks S3.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::mail_server::free_port;
use crate::project::{Ended, Project, until};

/// The server of this process; it ends with it.
struct Server {
    port: u16,
    folder: tempfile::TempDir,
    _script: Mutex<Child>,
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("moto_server").is_file()) {
        assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "moto_server is not on the path");
        eprintln!("skipped: moto_server is not on the path; `pip install moto[server]` installs it");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    // It ends once nobody holds its input any more.
    let script = "moto_server -H 127.0.0.1 -p \"$1\" >log 2>&1 & pid=$!; cat >/dev/null; kill $pid";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", &port.to_string()]).current_dir(folder.path());
    let script = command.stdin(Stdio::piped()).spawn().unwrap();
    until("the object store listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    Some(Server { port, folder, _script: Mutex::new(script) })
}

impl Server {
    /// Sends a request that must succeed.
    fn put(&self, path: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = bytes.len();
        // Somebody must ask; the server does not look whether the signature is right.
        let who = "AWS4-HMAC-SHA256 Credential=w/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let head = format!("PUT /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {who}");
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n").unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }

    /// What was asked of the server, with its answers' codes.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// A bucket of this name and a project that knows how to reach it.
fn lake(bucket: &str) -> Option<(&'static Server, Project)> {
    let server = server()?;
    server.put(bucket, b"");
    let manifest = format!(
        "[source.lake]\nurl = \"s3://{bucket}\"\nendpoint = \"http://127.0.0.1:{}\"\nregion = \"us-east-1\"\n\
         access_key = {{ env = \"LAKE_KEY\" }}\nsecret_key = {{ env = \"LAKE_SECRET\" }}\n",
        server.port
    );
    Some((server, Project::empty().with("orch.toml", &manifest)))
}

fn orch(project: &Project, arguments: &[&str]) -> Ended {
    let mut command = project.command(arguments);
    command.env("LAKE_KEY", "reader").env("LAKE_SECRET", "s3cret");
    Ended::of(&command.output().unwrap(), project)
}

/// A text as `gzip` packs it.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// The note of the last step of a script.
fn noted(project: &Project, script: &str) -> String {
    project.write("script.orch", script);
    let report = orch(project, &["run", "script.orch", "--format", "json"]).expect(0).json();
    report["steps"].as_array().unwrap().last().unwrap()["note"].as_str().unwrap().to_owned()
}

#[test]
fn text_patterns_and_partitions_are_sources() {
    let Some((server, project)) = lake("texts") else { return };
    server.put("texts/in/leads-1.csv", b"id,name\n1,Ann\n2,M\xfcller\n");
    server.put("texts/in/leads-2.csv.gz", &gzip(b"id,name\n3,Cyd\nx,Bad\n"));
    server.put("texts/in/visits.ndjson", b"{\"id\":1}\n{\"id\":2}\n");
    server.put("texts/sales/region=FR/year=2025/a.csv", b"id,amount\n1,12.5\n");
    server.put("texts/sales/region=A%252FB/year=2026/b.csv", b"id,amount\n2,1\n");
    let note = noted(
        &project,
        "entity leads from \"s3://texts/in/leads-*\" (encoding: \"latin-1\", on_error: reject) { id: int key; name: text }\n\
         entity visits from \"s3://texts/in/visits.ndjson\" { id: int key }\n\
         entity sales from \"s3://texts/sales\" { id: int key; amount: decimal; region: text; year: int }\n\
         log \"{count(leads)} {count(leads.rejected)} {count(leads where name = \"Müller\")} {count(visits)} \
         {sum(amount of sales where region = \"FR\" and year = 2025)} {count(sales where region = \"A/B\")}\"",
    );
    assert_eq!(note, "3 1 1 2 12.50 1");
    let rejects = project.read(".orch/dev/rejects/leads.csv");
    assert!(rejects.contains("s3://texts/in/leads-2.csv.gz,3,id,x,is not an int"), "{rejects}");
    // A changed object is read anew, an unchanged one not.
    server.put("texts/in/visits.ndjson", b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let count = "entity visits from \"s3://texts/in/visits.ndjson\" { id: int key }\nlog \"{count(visits)}\"";
    assert_eq!(noted(&project, count), "3");
    let read = || server.log().matches("GET /texts/in/visits.ndjson").count();
    let before = read();
    assert_eq!(noted(&project, count), "3");
    assert_eq!(read(), before);
}

#[test]
fn of_parquet_files_only_parts_are_read() {
    let Some((server, project)) = lake("parts") else { return };
    let mut text = String::from("id,email,note\n");
    for id in 0..20_000u64 {
        text += &format!("{id},p{id}@shop.test,{}\n", id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    project.write("rows.csv", text);
    project.write(
        "make.orch",
        "entity rows from \"rows.csv\" { id: int key; email: email; note: text }\nexport rows to \"rows.parquet\"",
    );
    orch(&project, &["run", "make.orch"]).expect(0);
    let bytes = std::fs::read(project.path("rows.parquet")).unwrap();
    server.put("parts/big/one%20file.parquet", &bytes);
    let rows = "entity rows from \"s3://parts/big\" { id: int key; email: email; note: text }\n";
    assert_eq!(noted(&project, &format!("{rows}log \"{{sum(id of rows)}}\"")), "199990000");
    assert_eq!(noted(&project, &format!("{rows}log \"{{count(rows where id >= 19990 and email != \"\")}}\"")), "10");
    let log = server.log();
    let asked: Vec<&str> = log.lines().filter(|line| line.contains("GET /parts/big/one%20file.parquet")).collect();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.contains("206")), "only parts are asked for: {asked:?}");
}

#[test]
fn buckets_are_declared_from_what_they_hold() {
    let Some((server, project)) = lake("declared-bucket") else { return };
    server.put("declared-bucket/shop/customers.csv", b"id;email\n1;a@x.test\n2;b@x.test\n");
    server.put("declared-bucket/shop/orders.ndjson", b"{\"id\":1,\"customer_id\":2}\n{\"id\":2,\"customer_id\":2}\n");
    let said = orch(&project, &["schema", "infer", "s3://declared-bucket/shop"]).expect(0);
    insta::assert_snapshot!(said.stdout);
    project.write("schema.orch", &said.stdout);
    project.write("orch.toml", project.read("orch.toml") + "[project]\nschema = [\"schema.orch\"]\n");
    project.write("blockless.orch", "entity again from lake.shop.customers (delimiter: \";\")\n");
    assert_eq!(
        noted(
            &project,
            "use \"blockless.orch\"\nlog \"{count(orders where customer.id = 2)} {count(again where id = 1)}\""
        ),
        "2 1"
    );
}

#[test]
fn what_cannot_be_reached_is_said_without_a_key() {
    let Some((_, project)) = lake("missing") else { return };
    let mut said = String::new();
    for location in ["s3://missing/a.csv", "s3://missing/*.csv", "s3:///a.csv", "s3://missing/in/*/a*.csv"] {
        project.write("script.orch", format!("entity a from \"{location}\" {{ id: int key }}\nlog \"{{count(a)}}\""));
        let ended = orch(&project, &["run", "script.orch"]).expect(1);
        said += ended.stderr.lines().next().unwrap();
        said.push('\n');
    }
    let manifest = project.read("orch.toml");
    project.write("orch.toml", manifest.replace("s3://missing", "s3://other"));
    let ended = orch(&project, &["run", "script.orch"]);
    assert!(!ended.shown().contains("s3cret"), "{}", ended.shown());
    insta::assert_snapshot!(said);
}
