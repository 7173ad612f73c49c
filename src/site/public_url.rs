//! `PublicUrl`: the origin at which browsers reach the application. Links are made from it alone,
//! never from `Host`.

use url::{Host, Url};

use crate::error::ConfigError;

/// An https origin; or a plain-http one on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    origin: String,
    port: u16,
    scheme: Scheme,
    is_loopback: bool,
}

/// By which of the two browsers come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl PublicUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        // The text before an `@` may be a password, so the error does not show the value.
        if text.contains('@') {
            let problem = "must not hold a user name or password";
            return Err(ConfigError::withheld("public_url", problem));
        }
        let refuse = |problem: &'static str| Err(ConfigError::invalid("public_url", text, problem));
        let Ok(url) = Url::parse(text) else {
            return refuse("is not a URL, such as https://app.example.com");
        };
        // Before the path: of `localhost:3000` a parser makes a scheme and a path.
        if !["https", "http"].contains(&url.scheme()) {
            return refuse(
                "must be https, and begin so: https://app.example.com, or http://localhost:3000 on \
                 this machine",
            );
        }
        // The parsed host, because `%2A` and the fullwidth star become a `*` too.
        if url.host_str().is_some_and(|host| host.contains('*')) {
            return refuse("must not hold a wildcard: links are made from it");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return refuse("must be an origin, without a path, query or fragment");
        }
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" if is_loopback(&url) => Scheme::Http,
            "http" => {
                return refuse("must be https: plain http is for loopback addresses alone");
            }
            _ => return refuse("must be https, such as https://app.example.com"),
        };
        Ok(Self {
            // Serialised from the parsed form, so that what was checked is what links are made of.
            origin: url.origin().ascii_serialization(),
            port: url.port_or_known_default().unwrap_or_default(),
            scheme,
            is_loopback: is_loopback(&url),
        })
    }

    /// Says whether only browsers of this machine reach it.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Returns scheme, host and port, without a trailing slash.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Says whether a host is another one than the URL's, or has another port. A text that is no
    /// host is none.
    pub(crate) fn is_other_than(&self, host: &str) -> bool {
        let Some((scheme, own)) = self.origin.split_once("://") else {
            return false;
        };
        // Parsed, so that capital letters or a default port do not make another host.
        host != own
            && Url::parse(&format!("{scheme}://{host}"))
                .is_ok_and(|url| url.origin().ascii_serialization() != self.origin)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) const fn is_secure(&self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Browsers resolve these to the machine itself, whatever DNS says (RFC 6761, section 6.3).
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_origin_or_a_loopback_one_is_taken() {
        let cases = [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com/", "https://app.example.com", true),
            (
                "https://APP.example.com:443",
                "https://app.example.com",
                true,
            ),
            (
                "https://app.example.com:8443",
                "https://app.example.com:8443",
                true,
            ),
            ("https://localhost:3000", "https://localhost:3000", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", false),
            ("http://localhost", "http://localhost", false),
            ("http://[::1]:3000", "http://[::1]:3000", false),
        ];
        for (text, origin, is_secure) in cases {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!(
                (url.origin(), url.is_secure()),
                (origin, is_secure),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_value() {
        let cases = [
            ("http://app.example.com", "plain http is for loopback"),
            ("http://127.0.0.1.example.com", "plain http is for loopback"),
            ("http://localhost.example.com", "plain http is for loopback"),
            ("https://app.example.com/base", "without a path"),
            ("https://app.example.com?x", "without a path"),
            ("https://app.example.com#x", "without a path"),
            ("https://*.example.com", "wildcard"),
            ("https://%2A.example.com", "wildcard"),
            ("https://\u{ff0a}.example.com", "wildcard"),
            ("ftp://app.example.com", "must be https"),
            ("localhost:3000", "must be https, and begin so: https://"),
            (
                "app.example.com:443",
                "must be https, and begin so: https://",
            ),
            ("app.example.com", "is not a URL"),
            ("", "is not a URL"),
        ];
        for (text, want) in cases {
            let error = PublicUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
            assert!(error.contains(&format!("{text:?}")), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_refused_without_being_shown() {
        for text in [
            "https://ada:hunter2@app.example.com",
            "https://hunter2@app.example.com",
            "ada:hunter2@app.example.com",
            "https://app.example.com/@hunter2",
        ] {
            let error = PublicUrl::parse(text).unwrap_err();
            let want = "public_url must not hold a user name or password (its value is not shown)";
            assert_eq!(error.to_string(), want, "{text}");
            assert!(!format!("{error:?}").contains("hunter2"), "{text}");
        }
    }
}
