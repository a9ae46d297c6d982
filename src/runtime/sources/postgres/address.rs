//! Where a server of PostgreSQL is and how to speak to it: `postgres://user:password@host:port/database?sslmode=...`.
//!
//! `sslmode` means what it means elsewhere: `prefer` and `require` encrypt without a look at the certificate, unless
//! `sslrootcert` names authorities; `verify-full` looks at certificate and host name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::runtime::sources::error::SourceError;

/// How long to wait for a server that does not answer, unless the address says `connect_timeout`.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server and how to speak to it. Holds the password; nothing of it is ever shown.
#[derive(Clone)]
pub(crate) struct Address {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Address {
    /// Reads an address; `source` is the name of the source that it belongs to.
    ///
    /// # Errors
    /// An address that is not understood, certificates that cannot be read. Neither repeats what the address says.
    pub fn parse(url: &str, project: &Path, source: &str) -> Result<Self, SourceError> {
        let wrong = |reason: &str| {
            SourceError::Option {
            message: format!("the `url` of the source `{source}` {reason}"),
            help: "write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; signs such as `@`, `/` and `%` in a password are written as `%40`, `%2F` and `%25`"
                .to_owned(),
        }
        };
        let (plain, security) = split(url).map_err(|reason| wrong(&reason))?;
        let mut config: Config = plain.parse().map_err(|error| wrong(&reason(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("names no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("orch");
        }
        let (mode, verify) = match security.mode.as_deref() {
            Some("disable") => (SslMode::Disable, false),
            None | Some("prefer") => (SslMode::Prefer, false),
            Some("require") => (SslMode::Require, security.roots.is_some()),
            Some("verify-full") => (SslMode::Require, true),
            Some(_) => return Err(wrong("has an `sslmode` that is none of disable, prefer, require and verify-full")),
        };
        config.ssl_mode(mode);
        let roots = security.roots.as_deref().filter(|_| verify);
        let tls = client(verify, roots.map(|path| project.join(path)).as_deref())
            .map_err(|reason| SourceError::Unreadable { shown: security.roots.unwrap_or_default(), reason })?;
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }
}

/// What an address says about certificates.
#[derive(Default)]
struct Security {
    mode: Option<String>,
    roots: Option<String>,
}

/// Takes out of an address what the driver does not know.
fn split(url: &str) -> Result<(String, Security), String> {
    let mut security = Security::default();
    // A question mark may stand in a password, before the sign that ends it.
    let host = url.find('@').unwrap_or(0);
    let Some(question) = url[host..].find('?') else { return Ok((url.to_owned(), security)) };
    let (base, parameters) = url.split_at(host + question);
    let mut kept = Vec::new();
    for parameter in parameters[1..].split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslmode", mode)) => security.mode = Some(mode.to_owned()),
            // The public authorities are what counts without it.
            Some(("sslrootcert", "system")) => {}
            Some(("sslrootcert", path)) => {
                security.roots = Some(path.replace("%2F", "/").replace("%2f", "/").replace("%20", " "));
            }
            Some(_) => kept.push(parameter),
            None => return Err("has a parameter without a value".to_owned()),
        }
    }
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    Ok((url, security))
}

/// Why the driver does not understand an address. It names options, never values.
fn reason(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match cause.split_once('`').and_then(|(_, rest)| rest.split_once('`')) {
        Some((name, _)) if cause.contains("unknown") => format!("has an unknown parameter `{name}`"),
        Some(("port", _)) => "has a port that is no number".to_owned(),
        Some((name, _)) => format!("has a wrong value for `{name}`"),
        None => "is not the address of a server".to_owned(),
    }
}

/// Encryption; `roots` is a file with certificates of authorities, otherwise the public ones count.
fn client(verify: bool, roots: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    if !verify {
        let any = Arc::new(AnyCertificate(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth());
    }
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let file = std::fs::read(path).map_err(|error| crate::runtime::sources::files::io_reason(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&file) {
                let certificate = certificate.map_err(|_| "it is not a PEM file of certificates".to_owned())?;
                store.add(certificate).map_err(|error| error.to_string())?;
            }
            if store.is_empty() {
                return Err("it holds no certificate".to_owned());
            }
        }
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// Takes every certificate, as `sslmode=require` says; whoever answers must still have its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(url: &str) -> String {
        match Address::parse(url, Path::new("."), "crm") {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_its_password() {
        for url in [
            "postgres://ann:s3cr/t@db:5432/crm",
            "postgres://ann:s3cr?t@db:x/crm",
            "postgres://ann:s3cr%FFt@db/crm?sslmode=verify-ca",
            "postgres://ann:s3crt@/crm",
            "postgres://ann:s3crt@db/crm?speed=high",
            "postgres://ann:s3crt@db/crm?sslmode",
            "postgres://ann:s3crt@db/crm?connect_timeout=soon",
        ] {
            let message = message(url);
            assert!(message.starts_with("the `url` of the source `crm` ") || message == "fine", "{message}");
            assert!(!message.contains("s3c"), "{message}");
        }
        assert_eq!(
            message("postgres://ann:x@db/crm?speed=high"),
            "the `url` of the source `crm` has an unknown parameter `speed`"
        );
        assert_eq!(message("postgres://ann:x@db:x/crm"), "the `url` of the source `crm` has a port that is no number");
        assert_eq!(message("postgres:///crm"), "the `url` of the source `crm` names no host");
    }

    #[test]
    fn security_is_what_the_address_says() {
        let parsed = |url: &str| Address::parse(url, Path::new("."), "crm").unwrap().config.get_ssl_mode();
        assert_eq!(parsed("postgres://db/crm"), SslMode::Prefer);
        assert_eq!(parsed("postgres://db/crm?sslmode=disable"), SslMode::Disable);
        assert_eq!(parsed("postgres://db/crm?application_name=x&sslmode=require"), SslMode::Require);
        assert_eq!(parsed("postgresql://a:b?c@db/crm?sslmode=verify-full"), SslMode::Require);
        assert!(message("postgres://db/crm?sslmode=verify-full&sslrootcert=none.pem").contains("none.pem"));
    }
}
