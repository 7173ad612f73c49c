//! `Server`: the mail server and the kind of connection to it, parsed from a URL.
//!
//! - There are three schemes, for three kinds of connection. None of them is opportunistic TLS,
//!   because an attacker on the way can strip the server's offer.
//! - The user name and the password are percent-decoded, and never shown.

use std::fmt;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::error::ConfigError;

const SETTING: &str = "smtp_url";

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    Plain,
    StartTls,
    Tls,
}

/// A mail server.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) credentials: Option<Credentials>,
    is_loopback: bool,
}

impl Server {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::url(SETTING, text, problem);
        let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
        let (protection, port) = match url.scheme() {
            "smtp" => (Protection::Plain, 25),
            "smtp+starttls" => (Protection::StartTls, 587),
            "smtps" => (Protection::Tls, 465),
            _ => {
                return Err(wrong(
                    "must begin with smtps://, smtp+starttls:// or smtp://",
                ));
            }
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must end with the host or the port"));
        }
        // The URL parser does not check the host of a scheme that is none of the web's.
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("has no host"))?;
        let host = Host::parse(host).map_err(|_| wrong("has no host"))?;
        let is_loopback = match &host {
            // By name or address alone: what a name resolves to may change after this check.
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        let port = url.port().unwrap_or(port);
        // Port 0 names no service; the system would refuse it only at the first mail.
        if port == 0 {
            return Err(wrong("has no port"));
        }
        let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
            // SASL PLAIN separates its fields by NUL (RFC 4616, section 2).
            Ok(text) if !text.contains(char::is_control) => Ok(text.into_owned()),
            _ => Err(wrong(
                "has control characters or invalid UTF-8 in its credentials",
            )),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => {
                return Err(wrong("must have a user name and a password, or neither"));
            }
            (name, Some(password)) => Some(Credentials::new(decoded(name)?, decoded(password)?)),
        };
        Ok(Self {
            host,
            port,
            protection,
            credentials,
            is_loopback,
        })
    }

    pub(super) fn is_plain(&self) -> bool {
        self.protection == Protection::Plain
    }

    pub(super) const fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .field("signs_in", &self.credentials.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_schemes_are_three_protections() {
        let cases = [
            ("smtp://127.0.0.1", "127.0.0.1", 25, Protection::Plain, true),
            (
                "smtp://LOCALHOST:2525/",
                "localhost",
                2_525,
                Protection::Plain,
                true,
            ),
            ("smtp://[::1]:2525", "::1", 2_525, Protection::Plain, true),
            (
                "smtp://mail.example.com",
                "mail.example.com",
                25,
                Protection::Plain,
                false,
            ),
            (
                "smtp://localhost.example.com",
                "localhost.example.com",
                25,
                Protection::Plain,
                false,
            ),
            (
                "smtp+starttls://mail.example.com",
                "mail.example.com",
                587,
                Protection::StartTls,
                false,
            ),
            (
                "smtps://mail.example.com",
                "mail.example.com",
                465,
                Protection::Tls,
                false,
            ),
            (
                "SMTPS://mail.bücher.example:10",
                "mail.xn--bcher-kva.example",
                10,
                Protection::Tls,
                false,
            ),
        ];
        for (text, host, port, protection, is_loopback) in cases {
            let server = Server::parse(text).unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{text}");
            assert_eq!(server.protection, protection, "{text}");
            assert_eq!(server.is_loopback(), is_loopback, "{text}");
            assert!(server.credentials.is_none(), "{text}");
        }
    }

    #[test]
    fn user_name_and_password_are_decoded_and_not_shown() {
        let server = Server::parse("smtps://a%40b:p%2F%C3%A9%3A@mail.example.com").unwrap();
        let want = Credentials::new("a@b".to_owned(), "p/é:".to_owned());
        assert!(server.credentials == Some(want));
        let debug = format!("{server:?}");
        assert!(!debug.contains("a@b") && !debug.contains("p/"), "{debug}");
    }

    #[test]
    fn what_is_no_such_url_is_refused_and_a_password_not_shown() {
        let cases = [
            ("", true),
            ("mail.example.com", true),
            ("mail.example.com:25", true),
            ("http://mail.example.com", true),
            ("smtp:mail.example.com", true),
            ("smtps://", true),
            ("smtps://mail.example.com:0", true),
            ("smtps://mail.example.com/inbox", true),
            ("smtps://mail.example.com#x", true),
            ("smtps://ma il.example.com", true),
            ("smtp://mail.example.com?tls=opportunistic", false),
            ("smtp://mail.example.com?password=hunter2", false),
            ("smtps://ada@mail.example.com", false),
            ("smtps://:hunter2@mail.example.com", false),
            ("smtps://ada:hunter2@", false),
            ("smtps://ada:hun%00ter2@mail.example.com", false),
            ("smtps://ada:%ff@mail.example.com", false),
            ("ada:hunter2@mail.example.com", false),
        ];
        for (text, is_shown) in cases {
            let error = Server::parse(text).unwrap_err();
            assert_eq!(error.setting(), SETTING, "{text}");
            let told = format!("{error} {error:?}");
            assert_eq!(
                matches!(error, ConfigError::Invalid { .. }),
                is_shown,
                "{text}: {told}"
            );
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
