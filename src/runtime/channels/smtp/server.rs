//! The server that `url` names.

use super::super::Secret;

/// Where to connect, how, and as whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<Login>,
}

/// Name and password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub user: Secret,
    pub password: Secret,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// Not at all.
    None,
    /// By STARTTLS where it is offered, without checking who answers, as mail servers do among themselves.
    Opportunistic,
    /// By STARTTLS, with a certificate that belongs to the host.
    Required,
    /// From the first byte, with a certificate that belongs to the host.
    Implicit,
}

impl Server {
    /// Reads `smtp://user:password@host:port?tls=required` or `smtps://...`. The error goes on after "`url`" and
    /// shows nothing of the text, which may hold a password.
    pub fn parse(url: &Secret) -> Result<Self, &'static str> {
        let (scheme, rest) =
            url.expose().trim().split_once("://").ok_or("starts with neither `smtp://` nor `smtps://`")?;
        let implicit = match scheme {
            "smtp" => false,
            "smtps" => true,
            _ => return Err("starts with neither `smtp://` nor `smtps://`"),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(parse_login(login)?), address),
            None => (None, rest),
        };
        let (host, port) = parse_address(address)?;
        let tls = match (implicit, query) {
            (true, "") => Tls::Implicit,
            (true, _) => return Err("has an option that `smtps://` does not have"),
            (false, "tls=none") => Tls::None,
            (false, "tls=opportunistic") => Tls::Opportunistic,
            (false, "tls=required") => Tls::Required,
            (false, "") if is_loopback(&host) => Tls::None,
            (false, "") if login.is_some() => Tls::Required,
            (false, "") => Tls::Opportunistic,
            (false, _) => return Err("has an option other than `tls=required`, `tls=opportunistic` or `tls=none`"),
        };
        let port = port.unwrap_or(match (tls, &login) {
            (Tls::Implicit, _) => 465,
            (_, Some(_)) => 587,
            (_, None) => 25,
        });
        Ok(Self { host, port, tls, login })
    }
}

/// Host and port, as messages show the server.
impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn parse_login(login: &str) -> Result<Login, &'static str> {
    let (user, password) = login.split_once(':').ok_or("has a user without a password")?;
    let decode = |text| percent_decode(text).ok_or("has a `%` that no two hexadecimal digits follow");
    Ok(Login { user: Secret::new(decode(user)?), password: Secret::new(decode(password)?) })
}

fn parse_address(address: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("has a `[` without a `]`")?,
        None => address.split_at(address.find(':').unwrap_or(address.len())),
    };
    if host.is_empty() || host.contains(['/', ' ']) {
        return Err("has no host");
    }
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.parse().map_err(|_| "has a port that is no number up to 65535")?),
        None if port.is_empty() => None,
        None => return Err("has something other than a port after the host"),
    };
    Ok((host.to_owned(), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<String, &'static str> {
        let server = Server::parse(&Secret::new(url))?;
        assert!(!format!("{server:?}").contains("hunter"), "a password is shown");
        let login = server.login.as_ref().map(|login| (login.user.expose(), login.password.expose()));
        Ok(format!("{server} {:?} {login:?}", server.tls))
    }

    #[test]
    fn addresses_of_servers() {
        let good = [
            ("smtp://localhost", "localhost:25 None None"),
            ("smtp://127.0.0.1:2525/", "127.0.0.1:2525 None None"),
            ("smtp://[::1]:2525", "[::1]:2525 None None"),
            ("smtp://mail.shop.test", "mail.shop.test:25 Opportunistic None"),
            ("smtp://mail.shop.test?tls=none", "mail.shop.test:25 None None"),
            ("smtp://mail.shop.test?tls=required", "mail.shop.test:25 Required None"),
            ("smtp://ann:hunter2@mail.shop.test", "mail.shop.test:587 Required Some((\"ann\", \"hunter2\"))"),
            (
                "smtps://ann%40shop.test:hunter%3A%2F@mail.shop.test",
                "mail.shop.test:465 Implicit Some((\"ann@shop.test\", \"hunter:/\"))",
            ),
            ("smtp://ann:hunter@2@mail.shop.test:25", "mail.shop.test:25 Required Some((\"ann\", \"hunter@2\"))"),
        ];
        for (url, expected) in good {
            assert_eq!(parse(url), Ok(expected.to_owned()), "{url}");
        }
        let bad = [
            ("mail.shop.test:25", "starts with neither `smtp://` nor `smtps://`"),
            ("http://mail.shop.test", "starts with neither `smtp://` nor `smtps://`"),
            ("smtp://", "has no host"),
            ("smtp://:25", "has no host"),
            ("smtp://ann@mail.shop.test", "has a user without a password"),
            ("smtp://mail.shop.test:smtp", "has a port that is no number up to 65535"),
            ("smtp://ann:100%@mail.shop.test", "has a `%` that no two hexadecimal digits follow"),
            (
                "smtp://mail.shop.test?tls=maybe",
                "has an option other than `tls=required`, `tls=opportunistic` or `tls=none`",
            ),
            ("smtps://mail.shop.test?tls=none", "has an option that `smtps://` does not have"),
        ];
        for (url, why) in bad {
            assert_eq!(parse(url), Err(why), "{url}");
        }
    }
}
