//! `Place`: one configured server, and how to sign in to it.
//!
//! - TCP: `redis://` or `rediss://`. A unix socket: `unix://` or `redis+unix://`, with the rest in
//!   the query, as the `redis` crate writes it.
//! - User name and password are percent-decoded, and never shown.

use std::{borrow::Cow, fmt, path::PathBuf};

use ::redis::RedisConnectionInfo;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::error::ConfigError;

const SETTING: &str = "redis_url";
const DEFAULT_PORT: u16 = 6379;

/// A server, and how to sign in to it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) address: Address,
    login: Login,
    database: i64,
}

/// Where a server listens.
#[derive(Clone)]
pub(super) enum Address {
    Tcp {
        host: String,
        port: u16,
        is_tls: bool,
    },
    Unix(PathBuf),
}

/// A user and a password, or neither.
#[derive(Clone, Default)]
pub(super) struct Login {
    user: Option<String>,
    password: Option<String>,
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::url(SETTING, text, problem);
        let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
        let read = match url.scheme() {
            "redis" | "valkey" => Self::tcp(&url, Cipher::Plain),
            "rediss" | "valkeys" => Self::tcp(&url, Cipher::Tls),
            "unix" | "redis+unix" | "valkey+unix" => Self::unix(&url),
            _ => Err("must begin with rediss://, redis:// or unix://"),
        };
        read.map_err(wrong)
    }

    fn tcp(url: &Url, cipher: Cipher) -> Result<Self, &'static str> {
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must end with the host, the port or the database");
        }
        // The URL parser does not check the host of a scheme that is none of the web's.
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.and_then(|host| Host::parse(host).ok());
        let host = match host.ok_or("has no host")? {
            Host::Domain(name) => name,
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        let port = url.port().unwrap_or(DEFAULT_PORT);
        if port == 0 {
            return Err("has no port");
        }
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let login = Login {
            user: user.map(decoded).transpose()?,
            password: url.password().map(decoded).transpose()?,
        };
        Ok(Self {
            address: Address::Tcp {
                host,
                port,
                is_tls: matches!(cipher, Cipher::Tls),
            },
            login: login.checked()?,
            database: database(url.path().trim_start_matches('/'))?,
        })
    }

    fn unix(url: &Url) -> Result<Self, &'static str> {
        if !cfg!(unix) {
            return Err("is a unix socket, which this platform does not have");
        }
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        if has_host || !url.username().is_empty() || url.fragment().is_some() {
            return Err("must be like unix:///path?db=0&user=name&pass=word");
        }
        let path = decoded(url.path())?;
        if !path.starts_with('/') || path.len() < 2 {
            return Err("has no path that begins with a slash");
        }
        let mut login = Login::default();
        let mut number = Cow::Borrowed("");
        for (field, value) in url.query_pairs() {
            match field.as_ref() {
                "db" => number = value,
                "user" => login.user = Some(value.into_owned()),
                "pass" => login.password = Some(value.into_owned()),
                _ => return Err("has a parameter that is none of db, user and pass"),
            }
        }
        Ok(Self {
            address: Address::Unix(path.into()),
            login: login.checked()?,
            database: database(&number)?,
        })
    }

    /// Returns a server that this one named, with the same TLS, login and database.
    pub(super) fn beside(&self, host: &str, port: u16) -> Self {
        let (ours, is_tls) = match &self.address {
            Address::Tcp { host, is_tls, .. } => (host.as_str(), *is_tls),
            // What this machine's socket leads to means this machine, if it names no host.
            Address::Unix(_) => ("localhost", false),
        };
        let address = Address::Tcp {
            // A node that does not know its own address leaves it out, and means the address that
            // we dialled.
            host: if host.is_empty() { ours } else { host }.to_owned(),
            port,
            is_tls,
        };
        Self {
            address,
            ..self.clone()
        }
    }

    /// Returns the server of an address that a node of the cluster gave, as `host:port`.
    pub(super) fn at_node(&self, node: &str) -> Option<Self> {
        let (host, port) = node.rsplit_once(':')?;
        Some(self.beside(host, port.parse().ok()?))
    }

    /// Returns what a connection to the server begins with.
    pub(super) fn greeting(&self) -> RedisConnectionInfo {
        self.login
            .greeting()
            .set_db(self.database)
            .set_lib_name("tower-magic-link", env!("CARGO_PKG_VERSION"))
    }

    /// Says whether the traffic to the server is in the clear on a network.
    pub(super) const fn is_plain(&self) -> bool {
        !matches!(&self.address, Address::Tcp { is_tls: true, .. })
    }
}

#[derive(Clone, Copy)]
enum Cipher {
    Plain,
    Tls,
}

impl Login {
    pub(super) const fn new(user: String, password: String) -> Self {
        Self {
            user: Some(user),
            password: Some(password),
        }
    }

    /// Returns what a connection begins with that signs in so.
    pub(super) fn greeting(&self) -> RedisConnectionInfo {
        let mut greeting = RedisConnectionInfo::default();
        if let Some(user) = &self.user {
            greeting = greeting.set_username(user);
        }
        if let Some(password) = &self.password {
            greeting = greeting.set_password(password);
        }
        greeting
    }

    fn checked(self) -> Result<Self, &'static str> {
        if self.user.is_some() && self.password.is_none() {
            return Err("has a user name and no password");
        }
        Ok(self)
    }
}

/// Prints no user name, no password and no database.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Address::Unix(path) => path.display().fmt(f),
        }
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("has a user name, a password or a path that is not UTF-8"),
    }
}

fn database(text: &str) -> Result<i64, &'static str> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse::<u16>();
    number
        .map(i64::from)
        .map_err(|_| "has a database that is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        let place = Place::parse(url).unwrap();
        let Place {
            login: Login { user, password },
            database,
            ..
        } = &place;
        let is_tls = !place.is_plain();
        format!("{place} {is_tls} {user:?} {password:?} {database}")
    }

    #[test]
    fn a_url_says_where_and_how() {
        let cases = [
            ("redis://h", "h:6379 false None None 0"),
            ("rediss://h:1/2", "h:1 true None None 2"),
            ("valkeys://[::1]/", "::1:6379 true None None 0"),
            ("redis://:p%40w@h", "h:6379 false None Some(\"p@w\") 0"),
            (
                "redis://u:p@1.2.3.4:5",
                "1.2.3.4:5 false Some(\"u\") Some(\"p\") 0",
            ),
        ];
        for (url, want) in cases {
            assert_eq!(shown(url), want, "{url}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_url_of_a_unix_socket_has_the_rest_in_its_query() {
        let cases = [
            (
                "unix:///run/redis.sock",
                "/run/redis.sock false None None 0",
            ),
            ("unix:/run/r%20s", "/run/r s false None None 0"),
            (
                "redis+unix:///run/r?db=2&user=u&pass=p%40w",
                "/run/r false Some(\"u\") Some(\"p@w\") 2",
            ),
            ("valkey+unix:///r?pass=p", "/r false None Some(\"p\") 0"),
        ];
        for (url, want) in cases {
            assert_eq!(shown(url), want, "{url}");
        }
        for url in [
            "unix://",
            "unix:///",
            "unix:run/redis.sock",
            "unix://run/redis.sock",
            "unix:///r?password=marker",
            "unix:///r?user=marker",
            "unix:///r?db=marker",
            "unix:///r#marker",
        ] {
            let error = Place::parse(url).err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("=marker"), "{url}: {shown}");
        }
    }

    #[test]
    fn a_node_that_names_no_host_means_the_one_that_was_dialled() {
        let cases = [
            ("rediss://a:1", ":2", Some("a:2 true")),
            ("redis://a:1", "b:2", Some("b:2 false")),
            ("redis://a:1", "2001:db8::1:2", Some("2001:db8::1:2 false")),
            ("redis://a:1", "b", None),
        ];
        for (url, node, want) in cases {
            let place = Place::parse(url).unwrap().at_node(node);
            let shown = place.map(|place| format!("{place} {}", !place.is_plain()));
            assert_eq!(shown.as_deref(), want, "{url} {node}");
        }
    }
}
