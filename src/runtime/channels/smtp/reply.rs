//! What the server said, and what that means for the message.

use std::time::Duration;

use lettre::transport::smtp::{Error, response::Response};

use super::super::Outcome;

/// The end of one exchange.
#[derive(Debug)]
pub enum Reply {
    /// 2yz or 3yz, with its text.
    Yes(String),
    /// 4yz or 5yz.
    No(Refusal),
    /// No answer: the connection broke or the time was over.
    Lost(String),
}

/// A negative answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub code: u16,
    pub text: String,
}

impl Reply {
    /// Waits for an answer, at most `limit`.
    pub async fn within(limit: Duration, answer: impl Future<Output = Result<Response, Error>>) -> Self {
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer.into(),
            Err(_) => Self::late(limit),
        }
    }

    /// The time was over.
    pub fn late(limit: Duration) -> Self {
        Reply::Lost(format!("no answer within {limit:?}"))
    }
}

impl From<Result<Response, Error>> for Reply {
    fn from(answer: Result<Response, Error>) -> Self {
        match answer {
            Ok(response) => Reply::Yes(printable(&response.message().collect::<Vec<_>>().join(" "))),
            Err(error) => match error.status() {
                Some(code) => Reply::No(Refusal { code: code.into(), text: source(&error) }),
                None => Reply::Lost(source(&error)),
            },
        }
    }
}

/// The cause inside the library's error, which has words of its own around it.
pub fn source(error: &Error) -> String {
    printable(&std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string))
}

/// One line, whatever the server sent. The library bounds its length.
fn printable(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

impl Refusal {
    /// 4yz: may be tried again.
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The refusal as a person reads it: `450 4.2.1 slow down`.
    pub fn words(&self) -> String {
        format!("{} {}", self.code, self.text).trim_end().to_owned()
    }

    /// True when the server wants fewer messages altogether: it closes the channel (421), or refuses for the state of
    /// its system or for a reason of policy (`4.3.x` and `4.7.x` of RFC 3463). A full mailbox and greylisting are about
    /// one message.
    fn is_throttling(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        let greylisted = text.contains("greylist") || text.contains("graylist");
        let concerns_all = text.starts_with("4.3.") || (text.starts_with("4.7.") && !greylisted);
        self.code == 421 || (matches!(self.code, 450 | 451 | 454) && concerns_all)
    }

    /// What it means for the message it was said to.
    pub fn outcome(&self) -> Outcome {
        if self.is_temporary() {
            return Outcome::Deferred { reason: self.words(), retry_after: None, throttled: self.is_throttling() };
        }
        let is_enhanced =
            |word: &&str| word.split('.').count() == 3 && word.split('.').all(|part| part.parse::<u16>().is_ok());
        match self.text.split(' ').next().filter(is_enhanced) {
            Some(enhanced) => Outcome::Failed {
                code: format!("{} {enhanced}", self.code),
                reason: self.text[enhanced.len()..].trim().to_owned(),
            },
            None => Outcome::Failed { code: self.code.to_string(), reason: self.text.clone() },
        }
    }

    /// What a refusal of the sender means. Some codes are about this connection rather than about any message: they
    /// must not fail a whole population.
    pub fn sender_outcome(&self) -> Outcome {
        match self.code {
            500..=504 | 530 | 535 | 538 => Outcome::NotStarted { reason: self.words() },
            _ => self.outcome(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide() {
        let outcome = |code, text: &str| Refusal { code, text: text.to_owned() }.outcome();
        assert_eq!(
            outcome(550, "5.1.1 no such user"),
            Outcome::Failed { code: "550 5.1.1".to_owned(), reason: "no such user".to_owned() }
        );
        assert_eq!(outcome(550, "no"), Outcome::Failed { code: "550".to_owned(), reason: "no".to_owned() });
        for (code, expected) in [(421, true), (450, true), (451, true), (452, false), (454, true)] {
            let Outcome::Deferred { throttled, reason, .. } = outcome(code, "4.7.0 later") else {
                panic!("{code} is temporary");
            };
            assert_eq!((throttled, reason), (expected, format!("{code} 4.7.0 later")));
        }
        for text in ["4.7.1 Greylisting in action", "4.2.1 mailbox busy", "greylisted, come back", ""] {
            let outcome = outcome(450, text);
            assert!(matches!(outcome, Outcome::Deferred { throttled: false, .. }), "{text}: {outcome:?}");
        }
    }
}
