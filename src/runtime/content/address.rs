//! Which addresses can be written to, and when two of them are the same.

pub use lettre::Address;

/// Why an address cannot be written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidAddress {
    /// Goes on after the address: "has no `@`".
    pub reason: &'static str,
}

const fn invalid<T>(reason: &'static str) -> Result<T, InvalidAddress> {
    Err(InvalidAddress { reason })
}

/// The e-mail address in `text`.
///
/// Blanks around it are dropped: they come from exports, never from a mailbox, and nothing else about the address
/// is guessed. The domain needs a dot (`ann@gmail` is a slip, not an address), apart from `localhost`. Letters
/// beyond ASCII are valid; whether they can be delivered is the receiving server's word.
pub fn email(text: &str) -> Result<Address, InvalidAddress> {
    let text = text.trim_matches([' ', '\t', '\r', '\n', '\u{a0}']);
    if text.is_empty() {
        return invalid("is empty");
    }
    if text.chars().any(char::is_control) {
        return invalid("holds a control character");
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return invalid("has no `@`");
    };
    if local.is_empty() {
        return invalid("has nothing before the `@`");
    }
    if domain.is_empty() {
        return invalid("has no domain");
    }
    if local.len() > 64 || text.len() > 254 {
        return invalid("is too long");
    }
    if !local.starts_with('"') && local.contains(char::is_whitespace) {
        return invalid("holds a blank");
    }
    if !domain.contains('.') && !domain.starts_with('[') && domain != "localhost" {
        return invalid("has a domain without a dot");
    }
    if domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return invalid("has a number where the domain should be");
    }
    text.parse().map_err(|error| match error {
        lettre::address::AddressError::InvalidUser => InvalidAddress { reason: "is malformed before the `@`" },
        _ => InvalidAddress { reason: "has a malformed domain" },
    })
}

/// The form in which e-mail addresses are compared (suppression, duplicates): the domain in lower case. What stands
/// before the `@` is the receiver's to interpret and is kept.
pub fn comparable_email(address: &Address) -> String {
    format!("{}@{}", address.user(), address.domain().to_lowercase())
}

/// The telephone number in `text` in E.164 form: `+33612345678`.
///
/// Blanks, dots, hyphens, slashes and brackets are dropped, and so is the `(0)` of `+44 (0)20`; `00` in front stands
/// for `+`. A number without its country is invalid: which country it belongs to cannot be known here.
pub fn phone(text: &str) -> Result<String, InvalidAddress> {
    let text = text.trim();
    if text.is_empty() {
        return invalid("is empty");
    }
    let mut number = String::with_capacity(16);
    for character in text.replacen("(0)", "", 1).chars() {
        match character {
            '0'..='9' => number.push(character),
            '+' if number.is_empty() => number.push('+'),
            ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2011}' => {}
            _ => return invalid("holds something other than digits"),
        }
    }
    let digits = match (number.strip_prefix('+'), number.strip_prefix("00")) {
        (Some(digits), _) | (None, Some(digits)) => digits,
        (None, None) => return invalid("has no country code"),
    };
    match digits.len() {
        0..7 => invalid("is too short"),
        7..=15 if digits.starts_with('0') => invalid("has a country code that starts with 0"),
        7..=15 => Ok(format!("+{digits}")),
        _ => invalid("is too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses() {
        let good = [
            ("ann@shop.test", "ann@shop.test"),
            ("  ann@shop.test\n", "ann@shop.test"),
            ("\u{a0}ann@shop.test", "ann@shop.test"),
            ("Ann.O'Neil+news@Shop.Test", "Ann.O'Neil+news@Shop.Test"),
            ("zoë@café.test", "zoë@café.test"),
            ("ann@localhost", "ann@localhost"),
            ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
        ];
        for (text, expected) in good {
            let address = email(text).map(|address| address.to_string());
            assert_eq!(address, Ok(expected.to_owned()), "{text}");
        }
        let bad = [
            ("", "is empty"),
            ("   ", "is empty"),
            ("ann", "has no `@`"),
            ("@shop.test", "has nothing before the `@`"),
            ("ann@", "has no domain"),
            ("ann@gmail", "has a domain without a dot"),
            ("ann@1.2.3.4", "has a number where the domain should be"),
            ("ann b@shop.test", "holds a blank"),
            ("ann@shop .test", "has a malformed domain"),
            ("ann@shop..test", "has a malformed domain"),
            ("ann@-shop.test", "has a malformed domain"),
            ("ann@shop.test,bob@shop.test", "is malformed before the `@`"),
            ("a@b@shop.test", "is malformed before the `@`"),
            ("<ann@shop.test>", "is malformed before the `@`"),
            ("ann@shop.test>\r\nRCPT TO:<eve@evil.test", "holds a control character"),
            (".ann@shop.test", "is malformed before the `@`"),
        ];
        for (text, reason) in bad {
            assert_eq!(email(text), invalid(reason), "{text}");
        }
        assert_eq!(email(&format!("{}@shop.test", "a".repeat(65))), invalid("is too long"));
    }

    #[test]
    fn comparison_ignores_the_case_of_the_domain_only() {
        let address = email("Ann@SHOP.Test").unwrap();
        assert_eq!(comparable_email(&address), "Ann@shop.test");
    }

    #[test]
    fn telephone_numbers() {
        let good = [
            ("+33612345678", "+33612345678"),
            (" +33 6 12 34 56 78 ", "+33612345678"),
            ("0033 6.12.34.56.78", "+33612345678"),
            ("+44 (0)20 7946-0958", "+442079460958"),
            ("+1 (212) 555/0100", "+12125550100"),
        ];
        for (text, expected) in good {
            assert_eq!(phone(text), Ok(expected.to_owned()), "{text}");
        }
        let bad = [
            ("", "is empty"),
            ("06 12 34 56 78", "has no country code"),
            ("+33 six", "holds something other than digits"),
            ("+33", "is too short"),
            ("+0612345678", "has a country code that starts with 0"),
            ("+33 1234567890123456", "is too long"),
            ("33+612345678", "holds something other than digits"),
        ];
        for (text, reason) in bad {
            assert_eq!(phone(text), invalid(reason), "{text}");
        }
    }
}
