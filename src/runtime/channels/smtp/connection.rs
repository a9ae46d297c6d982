//! One connection, driven phase by phase: only so is it known, when it breaks, whether the message was handed over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Ehlo, Quit, Rset};
use lettre::transport::smtp::extension::ClientId;

use super::super::{ChannelError, Outcome};
use super::reply::{Refusal, Reply, source};
use super::server::{Server, Tls};
use super::{SmtpOptions, stream};

/// How long to wait in each phase (RFC 5321, 4.5.3.2). After the final dot a server may take its time, and giving
/// up early is what makes messages doubtful.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// The greeting, EHLO, MAIL and RCPT.
    pub command: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// Handing over the text.
    pub text: Duration,
    /// The answer after the text.
    pub accept: Duration,
    /// The wait before connecting again; each further one is five times as long.
    pub back_off: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(30),
            command: minutes(5),
            data: minutes(2),
            text: minutes(3),
            accept: minutes(10),
            back_off: Duration::from_millis(100),
        }
    }
}

/// An open session.
pub struct Connection {
    smtp: AsyncSmtpConnection,
    timeouts: Timeouts,
    /// Several commands may leave before the first is answered (RFC 2920).
    pipelining: bool,
    eight_bit: bool,
    utf8: bool,
}

/// Who writes to whom. Both hold no line breaks: they were parsed as addresses.
pub struct Envelope<'m> {
    pub from: &'m str,
    pub to: &'m str,
}

/// What became of a message, and whether the connection can carry another.
#[derive(Debug)]
pub struct Sent {
    pub outcome: Outcome,
    pub usable: bool,
}

impl Connection {
    /// Connects, encrypts and logs in.
    pub async fn open(options: &SmtpOptions) -> Result<Self, ChannelError> {
        let (server, timeouts) = (&options.server, options.timeouts);
        let hello = ClientId::Domain(options.from.address.domain().to_owned());
        let smtp = tokio::time::timeout(timeouts.command, session(options, &hello));
        let smtp = smtp.await.unwrap_or_else(|_| Err(silent(server)))?;
        let mut connection = Self { smtp, timeouts, pipelining: false, eight_bit: false, utf8: false };
        connection.log_in(server).await?;
        // Once more, because the library does not keep what it does not use itself.
        if let Reply::Yes(offers) = connection.command(Ehlo::new(hello)).await {
            let offered = |name: &str| offers.split(' ').any(|word| word.eq_ignore_ascii_case(name));
            connection.pipelining = offered("PIPELINING");
            connection.eight_bit = offered("8BITMIME");
            connection.utf8 = offered("SMTPUTF8");
        }
        Ok(connection)
    }

    async fn log_in(&mut self, server: &Server) -> Result<(), ChannelError> {
        let Some(login) = &server.login else { return Ok(()) };
        let credentials = Credentials::new(login.user.expose().to_owned(), login.password.expose().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        match Reply::within(self.timeouts.command, self.smtp.auth(&mechanisms, &credentials)).await {
            Reply::Yes(_) => Ok(()),
            Reply::No(refusal) => Err(ChannelError::new(
                format!("`{server}` refused user and password (code {})", refusal.code),
                "check user and password in `url`; characters such as `@` are written `%40`",
            )),
            Reply::Lost(why) => Err(ChannelError::new(
                format!("cannot log in at `{server}`: {why}"),
                "check that the server takes passwords on this port, or leave user and password out of `url`",
            )),
        }
    }

    async fn command(&mut self, command: impl std::fmt::Display) -> Reply {
        Reply::within(self.timeouts.command, self.smtp.command(command)).await
    }

    async fn read(&mut self, limit: Duration) -> Reply {
        Reply::within(limit, self.smtp.read_response()).await
    }

    /// Sends one message. `mark` is called right before the bytes leave that complete it.
    pub async fn send(&mut self, envelope: Envelope<'_>, message: &str, mark: impl FnMut()) -> Sent {
        let options = match self.options(&envelope, message) {
            Ok(options) => options,
            Err(outcome) => return Sent { outcome, usable: true },
        };
        let mail = format!("MAIL FROM:<{}>{options}\r\n", envelope.from);
        let rcpt = format!("RCPT TO:<{}>\r\n", envelope.to);
        let ready = if self.pipelining { self.ask_at_once(&mail, &rcpt).await } else { self.ask(&mail, &rcpt).await };
        match ready {
            Ok(()) => self.hand_over(message, mark).await,
            Err(sent) => sent,
        }
    }

    fn options(&self, envelope: &Envelope<'_>, message: &str) -> Result<&'static str, Outcome> {
        let ascii = envelope.to.is_ascii() && envelope.from.is_ascii();
        match (ascii, message.is_ascii()) {
            (true, true) => Ok(""),
            (true, false) if self.eight_bit => Ok(" BODY=8BITMIME"),
            (false, _) if self.utf8 => Ok(" BODY=8BITMIME SMTPUTF8"),
            _ => Err(Outcome::Failed {
                code: "5.6.7".to_owned(),
                reason: "the server takes no addresses with letters beyond ASCII".to_owned(),
            }),
        }
    }

    /// MAIL, RCPT and DATA, one answer at a time.
    async fn ask(&mut self, mail: &str, rcpt: &str) -> Result<(), Sent> {
        match self.command(mail).await {
            Reply::Yes(_) => {}
            Reply::No(refusal) => return Err(self.refused(&refusal, refusal.sender_outcome(), false).await),
            Reply::Lost(why) => return Err(lost(&why)),
        }
        match self.command(rcpt).await {
            Reply::Yes(_) => {}
            Reply::No(refusal) => return Err(self.refused(&refusal, refusal.outcome(), true).await),
            Reply::Lost(why) => return Err(lost(&why)),
        }
        match Reply::within(self.timeouts.data, self.smtp.command("DATA\r\n")).await {
            Reply::Yes(_) => Ok(()),
            Reply::No(refusal) => Err(self.refused(&refusal, refusal.outcome(), true).await),
            Reply::Lost(why) => Err(lost(&why)),
        }
    }

    /// MAIL, RCPT and DATA in one packet. All three answers are read, whatever the first says.
    async fn ask_at_once(&mut self, mail: &str, rcpt: &str) -> Result<(), Sent> {
        let mail = self.command(format!("{mail}{rcpt}DATA\r\n")).await;
        let rcpt = if matches!(mail, Reply::Lost(_)) { None } else { Some(self.read(self.timeouts.command).await) };
        let data = match rcpt {
            None | Some(Reply::Lost(_)) => None,
            Some(_) => Some(self.read(self.timeouts.data).await),
        };
        let waits_for_text = matches!(data, Some(Reply::Yes(_)));
        let to_nobody = matches!(rcpt, Some(Reply::No(_)));
        let (refusal, outcome) = match (mail, rcpt, data) {
            (Reply::No(refusal), ..) => (refusal.clone(), refusal.sender_outcome()),
            (_, Some(Reply::No(refusal)), _) | (_, _, Some(Reply::No(refusal))) => (refusal.clone(), refusal.outcome()),
            (Reply::Lost(why), ..) | (_, Some(Reply::Lost(why)), _) | (_, _, Some(Reply::Lost(why))) => {
                return Err(lost(&why));
            }
            _ => return Ok(()),
        };
        match (waits_for_text, to_nobody) {
            (false, _) => Err(self.refused(&refusal, outcome, true).await),
            (true, true) => {
                // RFC 2920: a server may ask for the text although it took no recipient. It gets an empty one.
                let _ = self.command(".\r\n").await;
                Err(self.refused(&refusal, outcome, true).await)
            }
            // It refused the sender and goes on all the same: nothing more is said to it.
            (true, false) => Err(Sent { outcome, usable: false }),
        }
    }

    /// The server said no before the text: the next message starts afresh.
    async fn refused(&mut self, refusal: &Refusal, outcome: Outcome, reset: bool) -> Sent {
        let usable = refusal.code != 421 && (!reset || matches!(self.command(Rset).await, Reply::Yes(_)));
        Sent { outcome, usable }
    }

    /// The text, the final dot and the answer.
    async fn hand_over(&mut self, message: &str, mut mark: impl FnMut()) -> Sent {
        // The library ends the last line itself.
        let mut text = Some(message.strip_suffix("\r\n").unwrap_or(message));
        let handed_over = AtomicBool::new(false);
        let parts = std::iter::from_fn(|| {
            let part = text.take();
            if part.is_none() {
                mark();
                handed_over.store(true, Ordering::Relaxed);
            }
            part
        });
        let Timeouts { text: text_limit, accept, .. } = self.timeouts;
        let mut answer = std::pin::pin!(self.smtp.message_iter(parts));
        let reply = match tokio::time::timeout(text_limit, &mut answer).await {
            Ok(answer) => answer.into(),
            Err(_) if handed_over.load(Ordering::Relaxed) => {
                Reply::within(accept.saturating_sub(text_limit), answer).await
            }
            Err(_) => Reply::late(text_limit),
        };
        match reply {
            Reply::Yes(text) => Sent { outcome: Outcome::Sent { id: queue_id(&text) }, usable: true },
            Reply::No(refusal) => Sent { outcome: refusal.outcome(), usable: refusal.code != 421 },
            Reply::Lost(why) if handed_over.load(Ordering::Relaxed) => {
                let reason = format!("the connection was lost after the message was handed over: {why}");
                Sent { outcome: Outcome::Unknown { reason }, usable: false }
            }
            Reply::Lost(why) => lost(&why),
        }
    }

    /// Says good-bye, without waiting long.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.smtp.command(Quit)).await;
    }
}

/// The connection broke while the message could not have been accepted.
fn lost(why: &str) -> Sent {
    let reason = format!("the connection was lost before the message was handed over: {why}");
    Sent { outcome: Outcome::NotStarted { reason }, usable: false }
}

/// The server's name for the message: `queued as 4F1B2`, or all it said.
fn queue_id(text: &str) -> Option<String> {
    let id = text.rsplit_once("queued as ").map_or(text, |(_, id)| id).trim();
    (!id.is_empty()).then(|| id.chars().take(200).collect())
}

fn silent(server: &Server) -> ChannelError {
    ChannelError::new(
        format!("`{server}` does not answer"),
        "are host and port in `url` right, and is it an SMTP server?",
    )
}

/// TCP, encryption and the greeting.
async fn session(options: &SmtpOptions, hello: &ClientId) -> Result<AsyncSmtpConnection, ChannelError> {
    let server = &options.server;
    let tcp = match tokio::time::timeout(options.timeouts.connect, stream::connect(&server.host, server.port)).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) => return Err(unreachable(server, &error)),
        Err(_) => return Err(silent(server)),
    };
    let stream: Box<dyn AsyncTokioStream> = match server.tls {
        Tls::Implicit => {
            stream::encrypt(tcp, certificate(options)?).await.map_err(|e| unencrypted(server, &source(&e)))?
        }
        _ => Box::new(tcp),
    };
    let mut smtp = AsyncSmtpConnection::connect_with_transport(stream, hello).await.map_err(|error| {
        let help = "is it an SMTP server, and does it take connections from here? `smtps://` is for port 465";
        match error.status() {
            Some(code) => ChannelError::new(format!("`{server}` turned us away: {code} {}", source(&error)), help),
            None => ChannelError::new(format!("`{server}` does not speak SMTP: {}", source(&error)), help),
        }
    })?;
    let start = match server.tls {
        Tls::Required if !smtp.can_starttls() => return Err(unencrypted(server, "it offers no STARTTLS")),
        Tls::Required => true,
        Tls::Opportunistic => smtp.can_starttls(),
        Tls::None | Tls::Implicit => false,
    };
    if start {
        let started = smtp.starttls(certificate(options)?, hello).await;
        started.map_err(|error| unencrypted(server, &source(&error)))?;
    }
    Ok(smtp)
}

/// What we ask of the server's certificate.
fn certificate(options: &SmtpOptions) -> Result<TlsParameters, ChannelError> {
    let server = &options.server;
    let mut parameters =
        TlsParameters::builder(server.host.clone()).dangerous_accept_invalid_certs(server.tls == Tls::Opportunistic);
    if let Some(pem) = &options.ca {
        let ca = Certificate::from_pem(pem).map_err(|_| unencrypted(server, "`ca` is no certificate in PEM form"))?;
        parameters = parameters.add_root_certificate(ca);
    }
    parameters.build().map_err(|error| unencrypted(server, &source(&error)))
}

fn unencrypted(server: &Server, why: &str) -> ChannelError {
    ChannelError::new(
        format!("no encrypted connection to `{server}`: {why}"),
        "the certificate must belong to the host in `url` and come from a public authority or the one in `ca`",
    )
}

fn unreachable(server: &Server, error: &std::io::Error) -> ChannelError {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => ChannelError::new(
            format!("`{server}` refused the connection"),
            "is the server running, and are host and port in `url` right?",
        ),
        std::io::ErrorKind::TimedOut => silent(server),
        _ => ChannelError::new(
            format!("cannot connect to `{server}`: {error}"),
            "are host and port in `url` right, and is the network up?",
        ),
    }
}
