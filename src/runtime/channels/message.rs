//! One message on its way out: its key, its address, its content.

use std::fmt;
use std::sync::Arc;

/// The name of one decision to send: a hash of run, step, iteration and person. The same decision always has the
/// same key, so a message that is sent again can be recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendKey(pub [u8; 16]);

impl SendKey {
    /// The key of sending to the row `entity` at `step` (its structural path) in its `iteration` of `run`.
    pub fn derive(run: &str, step: &str, iteration: u64, entity: &str) -> Self {
        let mut hash = blake3::Hasher::new();
        for part in [run, step, entity] {
            // The lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(&iteration.to_le_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        Self(key)
    }

    /// 32 lower-case hexadecimal digits, without a heap allocation.
    pub fn hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (at, byte) in self.0.iter().enumerate() {
            hex[2 * at] = DIGITS[usize::from(byte >> 4)];
            hex[2 * at + 1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// The key written as 32 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut key = [0; 16];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = (high * 16 + low) as u8;
        }
        Some(Self(key))
    }
}

impl fmt::Display for SendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hex().iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

impl serde::Serialize for SendKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for SendKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a send key has 32 hexadecimal digits"))
    }
}

impl fmt::Debug for SendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendKey({self})")
    }
}

/// A rendered message for one person.
#[derive(Clone, PartialEq, Debug)]
pub struct OutgoingMessage {
    pub key: SendKey,
    /// Where to: an e-mail address, a telephone number, a push token; already found valid by the runtime.
    pub address: String,
    pub content: Content,
    /// When it is sent, by the run's clock: the `Date` of an e-mail.
    pub date: jiff::Timestamp,
    /// The key of the row it was sent to, as text.
    pub entity: String,
    /// What all messages of the send have in common.
    pub context: Arc<SendContext>,
}

/// What all messages of one send have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SendContext {
    /// Run id, such as `vip-7K2M`.
    pub run: String,
    /// Name of the campaign.
    pub campaign: String,
    /// Structural path of the step.
    pub step: String,
    /// Name of the message, unless it is the placeholder.
    pub message: Option<String>,
    /// The topic people can leave; `None` for transactional messages.
    pub topic: Option<ListTopic>,
}

/// The topic of a marketing message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListTopic {
    /// Its name in the program.
    pub name: String,
    /// What people are shown, where the program says so.
    pub title: Option<String>,
}

/// What the message says.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// An e-mail.
    Email(Email),
    /// Any other channel: the fields of its messages and their rendered values, in declared order.
    Fields(Vec<(String, String)>),
}

/// The content of an e-mail. Values may hold anything: line breaks never reach a header.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Email {
    pub subject: String,
    /// What mail programs show after the subject: hidden text at the beginning of the HTML.
    pub preheader: Option<String>,
    /// The plain text; derived from `html` when it is missing.
    pub text: Option<String>,
    /// The HTML; without it the message is plain text.
    pub html: Option<String>,
    /// Replaces the channel's `from`: `Shop <news@shop.test>`.
    pub from: Option<String>,
    /// Replaces the channel's `reply_to`.
    pub reply_to: Option<String>,
    /// HTTPS address that unsubscribes this person from this topic by a POST (RFC 8058).
    pub unsubscribe: Option<String>,
}

impl Content {
    /// A line that tells messages apart in listings: the subject, or the first field's value.
    pub fn title(&self) -> &str {
        match self {
            Content::Email(email) => &email.subject,
            Content::Fields(fields) => fields.first().map_or("", |(_, value)| value),
        }
    }
}
