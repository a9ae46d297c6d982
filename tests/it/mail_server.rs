//! Mail servers for tests: a small one that does as it is told, and Postfix's `smtp-sink`, which others wrote.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::project::until;

/// What to answer to a recipient; none to accept.
type Script = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A server on a port of this machine.
pub struct MailServer {
    /// The port.
    pub port: u16,
    accepted: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// Starts one on any free port. `script` says, by recipient, how to refuse.
    pub fn start(script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// Starts one on a port that was found free before.
    pub fn on(listener: TcpListener, script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, accepted: Arc::default(), asked: Arc::default() };
        let (accepted, asked, script): (_, _, Script) =
            (Arc::clone(&server.accepted), Arc::clone(&server.asked), Arc::new(script));
        // The thread ends with the process; a test's server has nobody left to talk to then.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let session =
                    Session { accepted: Arc::clone(&accepted), asked: Arc::clone(&asked), script: Arc::clone(&script) };
                std::thread::spawn(move || session.serve(stream));
            }
        });
        server
    }

    /// The recipients of accepted messages, in order.
    pub fn accepted(&self) -> Vec<String> {
        self.accepted.lock().unwrap().clone()
    }

    /// Every recipient that was asked for, accepted or not, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

struct Session {
    accepted: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
    script: Script,
}

impl Session {
    /// Talks until the client leaves; the error is that it left.
    fn serve(self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        stream.write_all(b"220 test ESMTP\r\n")?;
        let mut recipient = None;
        while let Some(line) = lines.next() {
            let line = line?;
            let answer = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "RCPT" => {
                    let address = line.trim_start_matches("RCPT TO:").trim_matches(['<', '>']).to_owned();
                    self.asked.lock().unwrap().push(address.clone());
                    let refused = (self.script)(&address);
                    recipient = refused.is_none().then_some(address);
                    refused.unwrap_or_else(|| "250 ok".to_owned())
                }
                "DATA" if recipient.is_none() => "503 no recipient".to_owned(),
                "DATA" => {
                    stream.write_all(b"354 go on\r\n")?;
                    // A client that leaves before the dot has sent nothing.
                    let ended = lines.by_ref().any(|line| line.is_ok_and(|line| line == "."));
                    if !ended {
                        return Ok(());
                    }
                    self.accepted.lock().unwrap().extend(recipient.take());
                    "250 2.0.0 queued".to_owned()
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n"),
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes())?;
        }
        Ok(())
    }
}

const SINK: &str = "/usr/sbin/smtp-sink";

/// A running `smtp-sink` that keeps what it accepts; ended with the value.
pub struct Sink {
    process: Child,
    /// Its port.
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Sink {
    /// Starts one; `None`, visibly, when it is not installed, which is a failure where `ORCH_REQUIRE_SERVERS` is set.
    pub fn start() -> Option<Self> {
        if !std::path::Path::new(SINK).exists() {
            assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "smtp-sink is not installed at {SINK}");
            eprintln!("skipped: smtp-sink is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // It becomes somebody else, who must be able to write here.
        let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let port = free_port();
        let mut command = Command::new(SINK);
        command.args(["-u", "nobody", "-D"]).arg(folder.path().join("all"));
        command.arg(format!("127.0.0.1:{port}")).arg("100").stdout(Stdio::null()).stderr(Stdio::null());
        let sink = Self { process: command.spawn().unwrap(), port, folder };
        until("smtp-sink listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        Some(sink)
    }

    /// The recipients of everything it was sent.
    pub fn recipients(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("all")).unwrap_or_default();
        let recipient = |line: &str| Some(line.strip_prefix("X-Rcpt-Args: <")?.trim_end_matches('>').to_owned());
        text.lines().filter_map(recipient).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody listens on, at least for now.
pub fn free_port() -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // The listener is gone; give the system a moment to see it so.
    std::thread::sleep(Duration::from_millis(1));
    port
}
