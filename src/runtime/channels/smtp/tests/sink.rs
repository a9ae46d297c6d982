//! Against Postfix's `smtp-sink`, a server that others wrote. Skipped, visibly, where it is not installed; with
//! `ORCH_REQUIRE_SERVERS` set that is a failure instead.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::*;
use super::options;
use crate::runtime::channels::testing::{email, outcomes};

const SINK: &str = "/usr/sbin/smtp-sink";

/// A running sink, ended with the test.
struct Sink {
    process: Child,
    port: u16,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the sink with `extra` arguments; `None` when it is not installed.
async fn start(extra: &[&str]) -> Option<Sink> {
    if !std::path::Path::new(SINK).exists() {
        assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "smtp-sink is not installed at {SINK}");
        println!("skipped: smtp-sink is not installed");
        return None;
    }
    let port = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let mut command = Command::new(SINK);
    // It refuses to run as root without being told whom to become.
    command.args(["-u", "nobody"]).args(extra).arg(format!("127.0.0.1:{port}")).arg("100");
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let sink = Sink { process, port };
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some(sink);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("smtp-sink does not listen");
}

fn channel(sink: &Sink, connections: usize) -> Smtp {
    Smtp::new(SmtpOptions {
        timeouts: Timeouts::default(),
        ..options(&format!("smtp://127.0.0.1:{}", sink.port), connections)
    })
}

fn batch(count: usize) -> Vec<OutgoingMessage> {
    (0..count).map(|n| email(n, "Hi Zoë")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_takes_every_message() {
    let Some(sink) = start(&["-c"]).await else { return };
    let smtp = channel(&sink, 4);
    assert_eq!(smtp.check().await, Ok(()));
    let sent = outcomes(&smtp, batch(1_000)).await;
    assert_eq!(sent.len(), 1_000);
    assert!(sent.iter().all(|(_, outcome)| matches!(outcome, Outcome::Sent { .. })), "{:?}", sent.first());
    smtp.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_that_refuses_and_hangs_up() {
    // `-f`: 5yz to RCPT; `-q`: hangs up after the final dot.
    for (arguments, expected) in [(["-r", "RCPT"], "Deferred"), (["-f", "RCPT"], "Failed"), (["-q", "."], "Unknown")] {
        let Some(sink) = start(&arguments).await else { return };
        let sent = outcomes(&channel(&sink, 1), batch(2)).await;
        assert_eq!(sent.len(), 2);
        for (_, outcome) in &sent {
            assert!(format!("{outcome:?}").starts_with(expected), "{arguments:?}: {outcome:?}");
        }
    }
}

/// `cargo test --release --lib sink::speed -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn speed() {
    let Some(sink) = start(&[]).await else { return };
    for connections in [1, 4, 16] {
        let smtp = channel(&sink, connections);
        let begin = Instant::now();
        let mut count = 0;
        for _ in 0..10 {
            count += outcomes(&smtp, batch(2_000)).await.len();
        }
        println!("{connections} connections: {:.0} messages/s", count as f64 / begin.elapsed().as_secs_f64());
    }
}
