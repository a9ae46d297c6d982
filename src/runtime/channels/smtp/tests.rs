mod server;
mod sink;
mod tls;

use std::time::Duration;

use super::*;
use crate::runtime::channels::testing::{email, key, outcomes};
use crate::runtime::channels::{DispatchMarker, Reported, Secret, SendKey};
use server::{Act, Moment, Phase, TestServer};

const PIPELINING: &[&str] = &["PIPELINING", "8BITMIME", "SMTPUTF8"];

fn options(url: &str, connections: usize) -> SmtpOptions {
    SmtpOptions {
        server: Server::parse(&Secret::new(url)).unwrap(),
        from: Mailbox::parse("Shop <news@shop.test>").unwrap(),
        reply_to: None,
        return_path: None,
        ca: None,
        connections,
        strict: false,
        timeouts: Timeouts { back_off: Duration::from_millis(3), ..Timeouts::default() },
    }
}

fn smtp(server: &TestServer, connections: usize) -> Smtp {
    Smtp::new(options(&format!("smtp://127.0.0.1:{}", server.port), connections))
}

/// One connection that does not wait long.
fn hasty(server: &TestServer) -> Smtp {
    let mut options = options(&format!("smtp://127.0.0.1:{}", server.port), 1);
    let limit = Duration::from_millis(500);
    let timeouts = &mut options.timeouts;
    (timeouts.command, timeouts.data, timeouts.text, timeouts.accept) = (limit, limit, limit, 2 * limit);
    Smtp::new(options)
}

/// Remembers what was marked.
#[derive(Default)]
struct Marks(Mutex<Vec<(usize, SendKey)>>);

impl DispatchMarker for Marks {
    fn dispatching(&self, connection: usize, key: SendKey) {
        lock(&self.0).push((connection, key));
    }
}

/// Sends and gives outcomes and marks.
async fn send_marked(smtp: &Smtp, batch: Vec<OutgoingMessage>) -> (Vec<Reported>, Vec<(usize, SendKey)>) {
    let marks = Arc::new(Marks::default());
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    smtp.send_batch(batch, Dispatch::new(marks.clone(), sender)).await;
    let mut reported = Vec::new();
    while let Some(outcome) = receiver.recv().await {
        reported.push(outcome);
    }
    let marks = lock(&marks.0).clone();
    (reported, marks)
}

/// The outcome in few words.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent { id } => format!("sent {}", id.as_deref().unwrap_or("-")),
        Outcome::Deferred { reason, throttled, .. } => format!("deferred {throttled} {reason}"),
        Outcome::Failed { code, reason } => format!("failed {code}: {reason}"),
        Outcome::Unknown { .. } => "unknown".to_owned(),
        Outcome::NotStarted { .. } => "not started".to_owned(),
    }
}

#[tokio::test]
async fn messages_arrive_as_they_were_composed() {
    for extensions in [PIPELINING, &[]] {
        let server = TestServer::start(extensions, |_| Act::Usual).await;
        let smtp = smtp(&server, 1);
        assert_eq!(smtp.check().await, Ok(()));
        let (sent, marks) = send_marked(&smtp, vec![email(1, "Hi Zoë"), email(2, "two")]).await;
        assert_eq!(sent.iter().map(|(_, outcome)| short(outcome)).collect::<Vec<_>>(), ["sent 4F1B2", "sent 4F1B2"]);
        assert_eq!(marks, [(0, key(1)), (0, key(2))]);
        let seen = server.seen();
        assert_eq!(seen.connections, 1);
        let (to, text) = &seen.accepted[0];
        assert_eq!(to, "<user1@shop.test>");
        let mut composed = String::new();
        smtp.shared.composer.compose(&email(1, "Hi Zoë"), &mut composed).unwrap();
        assert!(composed.contains("\r\n.\r\n"), "a line that is a dot must survive");
        assert_eq!(*text, composed);
        smtp.close().await;
        assert_eq!(server.seen().commands.last().map(String::as_str), Some("QUIT"));
    }
}

#[tokio::test]
async fn every_end_has_its_outcome() {
    // For one message: where, what the server does, the outcome, whether it was marked.
    let cases = [
        (Phase::Greeting, Act::Close, "not started", false),
        (Phase::Greeting, Act::Say("554 go away"), "not started", false),
        (Phase::Ehlo, Act::Silence, "not started", false),
        (Phase::Mail, Act::Close, "not started", false),
        (Phase::Mail, Act::Silence, "not started", false),
        (Phase::Mail, Act::Say("451 4.3.0 later"), "deferred true 451 4.3.0 later", false),
        (Phase::Mail, Act::Say("452 4.3.1 full"), "deferred false 452 4.3.1 full", false),
        (Phase::Mail, Act::Say("530 5.7.0 log in first"), "not started", false),
        (Phase::Mail, Act::Say("550 5.7.1 not this sender"), "failed 550 5.7.1: not this sender", false),
        (Phase::Mail, Act::SayAndClose("421 4.3.2 closing"), "deferred true 421 4.3.2 closing", false),
        (Phase::Rcpt, Act::Close, "not started", false),
        (Phase::Rcpt, Act::Say("450 4.2.1 busy"), "deferred false 450 4.2.1 busy", false),
        (Phase::Rcpt, Act::Say("550 5.1.1 no such user"), "failed 550 5.1.1: no such user", false),
        (Phase::Data, Act::Close, "not started", false),
        (Phase::Data, Act::Silence, "not started", false),
        (Phase::Data, Act::Say("554 5.5.0 no"), "failed 554 5.5.0: no", false),
        (Phase::Accept, Act::Close, "unknown", true),
        (Phase::Accept, Act::Silence, "unknown", true),
        (Phase::Accept, Act::Say("451 4.7.1 greylisted"), "deferred false 451 4.7.1 greylisted", true),
        (Phase::Accept, Act::Say("554 5.7.1 spam"), "failed 554 5.7.1: spam", true),
    ];
    let tries = cases.iter().flat_map(|case| [(PIPELINING, case), (&[][..], case)]);
    let checks = tries.map(|(extensions, &(phase, act, expected, marked))| async move {
        let server = TestServer::start(extensions, move |now| if now.phase == phase { act } else { Act::Usual }).await;
        let smtp = if act == Act::Silence { hasty(&server) } else { smtp(&server, 1) };
        let (sent, marks) = send_marked(&smtp, vec![email(1, "x")]).await;
        let outcomes: Vec<_> = sent.iter().map(|(_, outcome)| short(outcome)).collect();
        assert_eq!(outcomes, [expected], "{phase:?} {act:?} {extensions:?}");
        assert_eq!(!marks.is_empty(), marked, "{phase:?} {act:?} {extensions:?}");
        assert!(server.seen().accepted.is_empty());
    });
    futures::future::join_all(checks).await;
}

#[tokio::test]
async fn a_connection_lost_inside_the_text_starts_nothing() {
    let server = TestServer::start(PIPELINING, |now| if now.phase == Phase::Text { Act::Silence } else { Act::Usual });
    let server = server.await;
    let mut large = email(1, "x");
    if let super::super::Content::Email(email) = &mut large.content {
        // More than the buffers of both ends hold, so that it cannot all be handed over.
        email.text = Some("twelve bytes\n".repeat(2_000_000));
    }
    let (sent, marks) = send_marked(&hasty(&server), vec![large]).await;
    assert_eq!(sent.iter().map(|(_, outcome)| short(outcome)).collect::<Vec<_>>(), ["not started"]);
    assert!(marks.is_empty());
}

#[tokio::test]
async fn a_bad_recipient_does_not_harm_the_others() {
    for extensions in [PIPELINING, &[]] {
        let script = |now: Moment<'_>| match now.line {
            "RCPT TO:<user2@shop.test>" => Act::Say("550 5.1.1 no such user"),
            "RCPT TO:<user4@shop.test>" => Act::Say("450 4.2.1 busy"),
            _ => Act::Usual,
        };
        let server = TestServer::start(extensions, script).await;
        let (sent, _) = send_marked(&smtp(&server, 1), (1..=5).map(|n| email(n, "x")).collect()).await;
        let words: Vec<_> = sent.iter().map(|(_, outcome)| short(outcome)).collect();
        assert_eq!(
            words,
            [
                "sent 4F1B2",
                "failed 550 5.1.1: no such user",
                "sent 4F1B2",
                "deferred false 450 4.2.1 busy",
                "sent 4F1B2"
            ]
        );
        let seen = server.seen();
        assert_eq!((seen.connections, seen.accepted.len()), (1, 3));
    }
}

#[tokio::test]
async fn a_server_that_closes_idle_connections_loses_nothing() {
    let hang_up = |now: Moment<'_>| {
        if now.phase == Phase::Mail && now.connection == 0 && now.line.contains("news") {
            Act::Close
        } else {
            Act::Usual
        }
    };
    let server = TestServer::start(PIPELINING, hang_up).await;
    let smtp = smtp(&server, 1);
    assert_eq!(smtp.check().await, Ok(()));
    let sent = outcomes(&smtp, vec![email(1, "x"), email(2, "x")]).await;
    assert!(sent.iter().all(|(_, outcome)| short(outcome) == "sent 4F1B2"), "{sent:?}");
    assert_eq!((server.seen().connections, server.seen().accepted.len()), (2, 2));
}

#[tokio::test]
async fn a_server_that_always_hangs_up_ends_the_batch() {
    let server = TestServer::start(PIPELINING, |now| if now.phase == Phase::Data { Act::Close } else { Act::Usual });
    let server = server.await;
    let sent = outcomes(&smtp(&server, 2), (0..100).map(|n| email(n, "x")).collect()).await;
    assert_eq!(sent.len(), 100);
    assert!(sent.iter().all(|(_, outcome)| short(outcome) == "not started"));
    assert!(server.seen().connections < 20, "{}", server.seen().connections);
}

#[tokio::test]
async fn batches_at_the_same_time_share_the_connections() {
    let server = TestServer::start(PIPELINING, |_| Act::Usual).await;
    let smtp = smtp(&server, 4);
    let batch = |from: usize| (from..from + 200).map(|n| email(n, "x")).collect::<Vec<_>>();
    let (a, b) = tokio::join!(send_marked(&smtp, batch(0)), send_marked(&smtp, batch(200)));
    assert_eq!((a.0.len(), b.0.len()), (200, 200));
    assert!(a.1.iter().chain(&b.1).all(|(connection, _)| *connection < 4));
    let seen = server.seen();
    assert_eq!(seen.accepted.len(), 400);
    assert!(seen.most_open <= 4 && seen.most_open > 1, "{}", seen.most_open);
}

#[tokio::test]
async fn reports_come_back_to_the_message() {
    let server = TestServer::start(PIPELINING, |_| Act::Usual).await;
    let mut options = options(&format!("smtp://127.0.0.1:{}", server.port), 1);
    options.return_path = Some("bounce+{key}@shop.test".to_owned());
    outcomes(&Smtp::new(options), vec![email(1, "x")]).await;
    assert!(server.seen().commands.contains(&format!("MAIL FROM:<bounce+{}@shop.test>", key(1))));
}

#[tokio::test]
async fn addresses_beyond_ascii_need_a_server_that_takes_them() {
    for (extensions, expected) in [
        (PIPELINING, "sent 4F1B2"),
        (&["8BITMIME"], "failed 5.6.7: the server takes no addresses with letters beyond ASCII"),
    ] {
        let server = TestServer::start(extensions, |_| Act::Usual).await;
        let mut message = email(1, "x");
        message.address = "zoë@shop.test".to_owned();
        let sent = outcomes(&smtp(&server, 1), vec![message, email(2, "x")]).await;
        assert_eq!(short(&sent[0].1), expected);
        assert_eq!(short(&sent[1].1), "sent 4F1B2");
    }
}

#[tokio::test]
async fn errors_name_the_server_and_never_the_password() {
    let refusing = TestServer::start(&["AUTH PLAIN LOGIN"], |now| match now.phase {
        Phase::Auth => Act::Say("535 5.7.8 hunter2 is wrong"),
        _ => Act::Usual,
    })
    .await;
    let unused = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let (ours, login) = (refusing.port, "ann:hunter2@127.0.0.1");
    let cases = [
        (format!("smtp://{login}:{ours}"), format!("`127.0.0.1:{ours}` refused user and password (code 535)")),
        (format!("smtp://{login}:{unused}"), format!("`127.0.0.1:{unused}` refused the connection")),
        (
            format!("smtp://{login}:{ours}?tls=required"),
            format!("no encrypted connection to `127.0.0.1:{ours}`: it offers no STARTTLS"),
        ),
    ];
    for (url, expected) in cases {
        let error = Smtp::new(options(&url, 1)).check().await.unwrap_err();
        assert_eq!(error.message, expected);
        assert!(error.help.is_some_and(|help| !help.contains("hunter2")));
    }
    let sent = outcomes(&Smtp::new(options(&format!("smtp://{login}:{unused}"), 1)), vec![email(1, "x")]).await;
    assert!(matches!(&sent[0].1, Outcome::NotStarted { reason } if !reason.contains("hunter2")), "{sent:?}");
}

#[tokio::test]
async fn user_and_password_are_given_to_the_server() {
    let server = TestServer::start(&["AUTH PLAIN"], |_| Act::Usual).await;
    let smtp = Smtp::new(options(&format!("smtp://ann:hunter2@127.0.0.1:{}", server.port), 1));
    assert_eq!(smtp.check().await, Ok(()));
    let expected = "AUTH PLAIN AGFubgBodW50ZXIy";
    assert!(server.seen().commands.iter().any(|line| line == expected), "{:?}", server.seen().commands);
}
