//! An e-mail as the bytes of RFC 5322. Written by hand, because it happens once per message: what is the same for
//! every message of a channel is prepared once.

use std::borrow::Cow;

use super::address::{self, Address, InvalidAddress};
use super::{encode, plain_text};
use crate::runtime::channels::{Content, Email, ListTopic, OutgoingMessage, SendContext};

/// A name and an address: `Shop <news@shop.test>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: Address,
}

impl Mailbox {
    /// Reads `news@shop.test`, `Shop <news@shop.test>` or `"Shop, Paris" <news@shop.test>`.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) else {
            return Ok(Self { name: None, address: address::email(text)? });
        };
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).trim();
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address: address::email(address)? })
    }

    /// As it stands in a header.
    fn encoded(&self) -> String {
        let mut text = String::new();
        match &self.name {
            Some(name) => {
                encode::phrase(&mut text, name);
                text.push_str(" <");
                text.push_str(self.address.as_ref());
                text.push('>');
            }
            None => text.push_str(self.address.as_ref()),
        }
        text
    }
}

/// Why one message cannot be put together. Others of the same send may be fine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("the recipient's address {0}")]
    Recipient(InvalidAddress),
    #[error("the sender `{text}` {why}")]
    Sender { text: String, why: InvalidAddress },
    #[error("`{0}` cannot be an unsubscribe address")]
    Unsubscribe(String),
}

/// Writes the messages of one channel.
#[derive(Clone, Debug)]
pub struct Composer {
    sender: Sender,
    reply_to: Option<String>,
}

/// A sender, prepared for the headers that name it.
#[derive(Clone, Debug)]
struct Sender {
    encoded: String,
    domain: String,
    /// Stands last in `Feedback-ID`.
    id: String,
}

impl From<&Mailbox> for Sender {
    fn from(mailbox: &Mailbox) -> Self {
        let domain = mailbox.address.domain().to_lowercase();
        Self { encoded: mailbox.encoded(), id: sender_id(&domain), domain }
    }
}

impl Composer {
    /// For a channel with this `from` and `reply_to`.
    pub fn new(from: &Mailbox, reply_to: Option<&Mailbox>) -> Self {
        Self { sender: from.into(), reply_to: reply_to.map(Mailbox::encoded) }
    }

    /// Appends the message to `out`, lines ended by CRLF. Text beyond ASCII is always encoded; only addresses may
    /// hold it, and then the message needs a server that takes UTF-8.
    pub fn compose(&self, message: &OutgoingMessage, out: &mut String) -> Result<(), ComposeError> {
        match &message.content {
            Content::Email(email) => self.email(message, email, out),
            Content::Fields(fields) => self.email(message, &listing(fields), out),
        }
    }

    fn email(&self, message: &OutgoingMessage, email: &Email, out: &mut String) -> Result<(), ComposeError> {
        let sender = match &email.from {
            Some(from) => Cow::Owned(Sender::from(&parse_sender(from)?)),
            None => Cow::Borrowed(&self.sender),
        };
        out.push_str("Date: ");
        encode::date(out, message.date);
        line(out, &["\r\nFrom: ", &sender.encoded]);
        line(out, &["To: ", recipient(message)?.as_ref()]);
        match &email.reply_to {
            Some(reply_to) => line(out, &["Reply-To: ", &parse_sender(reply_to)?.encoded()]),
            None => self.reply_to.iter().for_each(|reply_to| line(out, &["Reply-To: ", reply_to])),
        }
        encode::unstructured(out, "Subject", &email.subject);
        let hex = message.key.hex();
        let key = str::from_utf8(&hex).unwrap_or_default();
        line(out, &["Message-ID: <", key, "@", &sender.domain, ">"]);
        list_headers(out, &message.context, &sender, email.unsubscribe.as_deref())?;
        line(out, &["X-Orch-Send: ", key]);
        out.push_str("MIME-Version: 1.0\r\n");
        body(out, key, email);
        Ok(())
    }
}

fn parse_sender(text: &str) -> Result<Mailbox, ComposeError> {
    Mailbox::parse(text).map_err(|why| ComposeError::Sender { text: text.to_owned(), why })
}

/// The address for `To`. The usual ones are seen to be harmless without parsing them again.
fn recipient(message: &OutgoingMessage) -> Result<Cow<'_, str>, ComposeError> {
    let text = message.address.as_str();
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte);
    if !matches!(message.content, Content::Email(_)) || text.bytes().all(usual) {
        // Addresses of other channels are shown, in an outbox, and never delivered to by mail.
        return Ok(if text.contains(char::is_control) {
            Cow::Owned(text.replace(char::is_control, " "))
        } else {
            Cow::Borrowed(text)
        });
    }
    match address::email(text) {
        Ok(address) => Ok(Cow::Owned(address.to_string())),
        Err(why) => Err(ComposeError::Recipient(why)),
    }
}

/// What identifies bulk mail, for messages that have a topic (RFC 2919, 2369, 8058 and `Feedback-ID`).
fn list_headers(
    out: &mut String,
    context: &SendContext,
    sender: &Sender,
    unsubscribe: Option<&str>,
) -> Result<(), ComposeError> {
    if let Some(topic) = &context.topic {
        list_id(out, topic, &sender.domain);
        feedback_id(out, context, topic, &sender.id);
    }
    let Some(address) = unsubscribe else { return Ok(()) };
    let fits = address.len() <= 900 && address.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    if !fits {
        return Err(ComposeError::Unsubscribe(address.to_owned()));
    }
    // Never folded: some signers fail on it.
    line(out, &["List-Unsubscribe: <", address, ">"]);
    out.push_str("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    Ok(())
}

fn list_id(out: &mut String, topic: &ListTopic, domain: &str) {
    out.push_str("List-ID: ");
    if let Some(title) = &topic.title {
        encode::phrase(out, title);
        out.push_str(if title.len() > 30 { "\r\n " } else { " " });
    }
    line(out, &["<", &token(&topic.name), ".", domain, ">"]);
}

/// Up to three identifiers, none twice, and the sender.
fn feedback_id(out: &mut String, context: &SendContext, topic: &ListTopic, sender: &str) {
    out.push_str("Feedback-ID: ");
    let names = [context.campaign.as_str(), context.message.as_deref().unwrap_or(""), topic.name.as_str()];
    for (at, name) in names.iter().enumerate() {
        if !name.is_empty() && !names[..at].contains(name) {
            out.push_str(&token(name));
            out.push(':');
        }
    }
    line(out, &[sender]);
}

/// `name` with everything but letters, digits, `-`, `_` and `.` replaced.
fn token(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    name.chars().take(64).map(keep).collect()
}

/// A stable identifier of 5 to 15 characters.
fn sender_id(domain: &str) -> String {
    let mut id: String = domain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(15).collect();
    while id.len() < 5 {
        id.push('-');
    }
    id
}

fn line(out: &mut String, pieces: &[&str]) {
    pieces.iter().for_each(|piece| out.push_str(piece));
    out.push_str("\r\n");
}

fn body(out: &mut String, key: &str, email: &Email) {
    let Some(html) = &email.html else {
        return encode::text_part(out, "plain", email.text.as_deref().unwrap_or(""));
    };
    let text = match &email.text {
        Some(text) => Cow::Borrowed(text.as_str()),
        None => Cow::Owned(plain_text(html)),
    };
    let html = match email.preheader.as_deref().filter(|preheader| !preheader.is_empty()) {
        Some(preheader) => Cow::Owned(with_preheader(html, preheader)),
        None => Cow::Borrowed(html.as_str()),
    };
    // The key is a hash, so it stands in no part by chance.
    line(out, &["Content-Type: multipart/alternative; boundary=\"=_", key, "\"\r\n"]);
    for (subtype, part) in [("plain", text.as_ref()), ("html", html.as_ref())] {
        line(out, &["--=_", key]);
        encode::text_part(out, subtype, part);
        out.push_str("\r\n");
    }
    line(out, &["--=_", key, "--"]);
}

/// The HTML with a line that only the list of messages shows, as the first thing of its body.
fn with_preheader(html: &str, preheader: &str) -> String {
    let body = html.to_ascii_lowercase();
    let open = body.find("<body").and_then(|at| body[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    let hidden = "display:none;max-height:0;overflow:hidden;mso-hide:all";
    let text = super::escape_html(preheader);
    format!("{}<div style=\"{hidden}\">{text}</div>{}", &html[..open], &html[open..])
}

/// A message of another channel, to be looked at as an e-mail.
fn listing(fields: &[(String, String)]) -> Email {
    let text = match fields {
        [(_, only)] => only.clone(),
        _ => fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
    };
    let subject = fields.first().map_or("", |(_, value)| value.lines().next().unwrap_or(""));
    Email { subject: subject.chars().take(80).collect(), text: Some(text), ..Email::default() }
}

#[cfg(test)]
mod tests;
