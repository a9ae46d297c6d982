//! A small SMTP server that does as a script says.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where in a session the server is asked what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Greeting,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the first line of the text.
    Text,
    /// After the final dot.
    Accept,
    Other,
}

/// What the server does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// What a server usually does.
    Usual,
    Say(&'static str),
    /// Says it, then closes the connection.
    SayAndClose(&'static str),
    Close,
    /// Never answers.
    Silence,
}

/// One moment of a session.
pub struct Moment<'l> {
    pub phase: Phase,
    /// Number of the connection, from 0.
    pub connection: usize,
    pub line: &'l str,
}

type Script = Arc<dyn Fn(Moment<'_>) -> Act + Send + Sync>;

/// What the server has seen.
#[derive(Default, Clone, Debug)]
pub struct Seen {
    pub connections: usize,
    pub open: usize,
    pub most_open: usize,
    pub commands: Vec<String>,
    /// Recipient and text of every message that was accepted.
    pub accepted: Vec<(String, String)>,
}

/// The server; it ends with the test's runtime.
pub struct TestServer {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl TestServer {
    /// `extensions` are offered in the answer to EHLO.
    pub async fn start(
        extensions: &'static [&'static str],
        script: impl Fn(Moment<'_>) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, script): (_, Script) = (Arc::clone(&seen), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let number = {
                    let mut seen = shared.lock().unwrap();
                    seen.connections += 1;
                    seen.open += 1;
                    seen.most_open = seen.most_open.max(seen.open);
                    seen.connections - 1
                };
                let (seen, script) = (Arc::clone(&shared), Arc::clone(&script));
                tokio::spawn(async move {
                    let session = Session { stream: BufReader::new(stream), number, extensions, script, seen };
                    let seen = Arc::clone(&session.seen);
                    session.serve().await;
                    seen.lock().unwrap().open -= 1;
                });
            }
        });
        Self { port, seen }
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    number: usize,
    extensions: &'static [&'static str],
    script: Script,
    seen: Arc<Mutex<Seen>>,
}

impl Session {
    async fn serve(mut self) -> Option<()> {
        self.act(Phase::Greeting, "", "220 test ESMTP\r\n").await?;
        let (mut sender, mut recipient) = (false, None);
        loop {
            let line = self.line().await?;
            self.seen.lock().unwrap().commands.push(line.clone());
            let word = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
            match word.as_str() {
                "EHLO" => {
                    let lines = std::iter::once(&"test").chain(self.extensions).collect::<Vec<_>>();
                    let (last, first) = lines.split_last().unwrap();
                    let mut usual = first.iter().map(|line| format!("250-{line}\r\n")).collect::<String>();
                    usual.push_str(&format!("250 {last}\r\n"));
                    self.act(Phase::Ehlo, &line, &usual).await?;
                }
                "AUTH" => drop(self.act(Phase::Auth, &line, "235 welcome\r\n").await?),
                "MAIL" => sender = self.act(Phase::Mail, &line, "250 ok\r\n").await?,
                "RCPT" if !sender => self.say("503 who are you\r\n").await?,
                "RCPT" => {
                    let ok = self.act(Phase::Rcpt, &line, "250 ok\r\n").await?;
                    recipient = ok.then(|| line.trim_start_matches("RCPT TO:").to_owned());
                }
                "DATA" if recipient.is_none() => self.say("503 no recipients\r\n").await?,
                "DATA" => {
                    if self.act(Phase::Data, &line, "354 go on\r\n").await? {
                        self.text(recipient.take().unwrap()).await?;
                    }
                }
                "RSET" => {
                    recipient = None;
                    self.act(Phase::Other, &line, "250 ok\r\n").await?;
                }
                "QUIT" => {
                    self.say("221 bye\r\n").await?;
                    return None;
                }
                _ => self.say("500 what\r\n").await?,
            }
        }
    }

    async fn text(&mut self, recipient: String) -> Option<()> {
        let mut text = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            if text.is_empty() {
                self.act(Phase::Text, &line, "").await?;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        if self.act(Phase::Accept, &recipient, "250 2.0.0 Ok: queued as 4F1B2\r\n").await? {
            self.seen.lock().unwrap().accepted.push((recipient, text));
        }
        Some(())
    }

    /// Does as the script says; tells whether it was the usual thing. `None` ends the session.
    async fn act(&mut self, phase: Phase, line: &str, usual: &str) -> Option<bool> {
        match (self.script)(Moment { phase, connection: self.number, line }) {
            Act::Usual => self.say(usual).await.map(|()| true),
            Act::Say(answer) => self.say(&format!("{answer}\r\n")).await.map(|()| false),
            Act::SayAndClose(answer) => {
                self.say(&format!("{answer}\r\n")).await?;
                None
            }
            Act::Close => None,
            Act::Silence => std::future::pending().await,
        }
    }

    async fn say(&mut self, answer: &str) -> Option<()> {
        self.stream.get_mut().write_all(answer.as_bytes()).await.ok()
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await.ok()?;
        (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
