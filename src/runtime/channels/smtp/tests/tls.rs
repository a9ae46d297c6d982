//! Encryption, against `openssl s_server` with this test as the SMTP server behind it. Skipped, visibly, without it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::super::{Smtp, SmtpOptions, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{options, short};
use crate::runtime::channels::Channel as _;
use crate::runtime::channels::testing::{email, outcomes};

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let done = command.current_dir(folder).args(arguments.split(' ')).stderr(Stdio::null()).status().unwrap();
    assert!(done.success(), "openssl {arguments}");
}

const GREETING: &str = "220 test\r\n";

/// An authority in `ca.pem` and what it says about localhost in `host.pem`.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"));
    openssl(folder, &format!("req {key} -keyout host.key -out host.csr -subj /CN=localhost"));
    std::fs::write(folder.join("ext"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        folder,
        "x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out host.pem -days 2 -extfile ext",
    );
}

/// Serves TLS on a port and SMTP inside it, for one connection.
struct Server(Child, u16);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path, greeting: &'static str) -> Server {
    let port = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let mut command = Command::new("openssl");
    command.current_dir(folder).args("s_server -quiet -key host.key -cert host.pem -accept".split(' '));
    command.arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    let (mut say, hear) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    std::thread::spawn(move || {
        let mut in_text = false;
        say.write_all(greeting.as_bytes()).unwrap();
        for line in BufReader::new(hear).lines().map_while(Result::ok) {
            let answer = match line.trim_end().split([' ', ':']).next().unwrap() {
                "." => "250 queued as 1\r\n",
                _ if in_text => continue,
                "DATA" => "354 go on\r\n",
                _ => "250 ok\r\n",
            };
            in_text = answer.starts_with('3');
            say.write_all(answer.as_bytes()).unwrap();
        }
    });
    wait_until_listening(port);
    Server(server, port)
}

/// `s_server` serves one connection, so it cannot be asked by connecting; the system's table of sockets can.
fn wait_until_listening(port: u16) {
    let listens = |table: &str| {
        let sockets = std::fs::read_to_string(table).unwrap_or_default();
        sockets.lines().any(|line| line.contains(&format!(":{port:04X} ")) && line.contains(" 0A "))
    };
    for _ in 0..500 {
        if listens("/proc/net/tcp") || listens("/proc/net/tcp6") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("openssl does not listen on {port}");
}

/// A folder with certificates; `None` when openssl is not installed.
fn folder() -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "openssl is not installed");
        println!("skipped: openssl is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    Some(folder)
}

/// One connection that starts in the open and goes on encrypted, at `behind`.
async fn start_tls(behind: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut heard = [0; 512];
        for say in [GREETING, "250-test\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            client.write_all(say.as_bytes()).await.unwrap();
            if !say.ends_with("go on\r\n") {
                assert!(client.read(&mut heard).await.unwrap() > 0);
            }
        }
        let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    port
}

#[tokio::test]
async fn encrypted_by_starttls() {
    let Some(folder) = folder() else { return };
    let ca = std::fs::read(folder.path().join("ca.pem")).unwrap();
    for (tls, ca, expected) in
        [("required", Some(ca), "sent 1"), ("opportunistic", None, "sent 1"), ("required", None, "not started")]
    {
        let server = serve(folder.path(), "");
        let port = start_tls(server.1).await;
        let options = SmtpOptions { ca, ..options(&format!("smtp://localhost:{port}?tls={tls}"), 1) };
        let sent = outcomes(&Smtp::new(options), vec![email(1, "x")]).await;
        assert_eq!(short(&sent[0].1), expected, "{tls}: {sent:?}");
    }
}

#[tokio::test]
async fn encrypted_from_the_first_byte() {
    let Some(folder) = folder() else { return };
    let options = |server: &Server, ca| SmtpOptions {
        ca,
        timeouts: Timeouts::default(),
        ..options(&format!("smtps://localhost:{}", server.1), 1)
    };
    let server = serve(folder.path(), GREETING);
    let error = Smtp::new(options(&server, None)).check().await.unwrap_err();
    assert!(error.message.starts_with(&format!("no encrypted connection to `localhost:{}`: ", server.1)), "{error}");
    let (server, ca) = (serve(folder.path(), GREETING), std::fs::read(folder.path().join("ca.pem")).unwrap());
    let sent = outcomes(&Smtp::new(options(&server, Some(ca))), vec![email(1, "x"), email(2, "x")]).await;
    assert_eq!(sent.iter().map(|(_, outcome)| short(outcome)).collect::<Vec<_>>(), ["sent 1", "sent 1"]);
}
