//! `Redis`: where the server is, and the settings that the stores on it share.
//!
//! - All keys of an application begin with one hash tag, so that a cluster keeps them in one slot
//!   and a script may touch several.
//! - The URLs may name one server, nodes of a cluster, or Sentinels; each answer says where to go
//!   on. Every attempt tries all URLs at once.
//! - Every wait is bounded, because a suspended server keeps its connections open without
//!   answering.
//! - User name and password are percent-decoded, and never shown.

use std::{fmt, time::Duration};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::error::ConfigError;

mod away;
mod connection;
mod pause;

pub(crate) use self::{away::log_away, connection::Connection, pause::jittered};

const DEFAULT_GRACE: Duration = Duration::from_secs(30);
const LONGEST_GRACE: Duration = Duration::from_secs(60 * 60);
const DEFAULT_SETTLE: Duration = Duration::from_secs(3);
const LONGEST_SETTLE: Duration = Duration::from_secs(60);
const LONGEST_NAMESPACE: usize = 64;

/// A Redis (7.0 or later) or Valkey that several machines share. Creating it connects to nothing;
/// the stores do.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{ConfigError, store::Redis};
///
/// # fn example() -> Result<(), ConfigError> {
/// // One server, with TLS.
/// let redis = Redis::new("rediss://:password@redis.example.com")?;
/// // A cluster: any of its nodes. The layer finds the one that holds its keys, also when they move.
/// let redis = Redis::new("redis://10.0.0.1:7000")?.or_at("redis://10.0.0.2:7000")?;
/// // Sentinels, and the name by which they know the primary. User and password are the primary's.
/// let redis = Redis::new("redis://user:password@10.0.0.1:26379")?
///     .or_at("redis://user:password@10.0.0.2:26379")?
///     .sentinels_of("mymaster")
///     // For two applications that share one server.
///     .namespace("billing")?
///     .grace(Duration::from_secs(60))?;
/// # Ok(()) }
/// ```
///
/// # Requirements
///
/// The `maxmemory-policy` must be `noeviction` or one of the `volatile-…` policies, which keep
/// every key without an expiry. If a key is evicted all the same, the replicas put back what they
/// know. Persistence is not needed: the application's replicas refill a Redis that comes back
/// empty. The clocks of all machines, including the Redis server's, must agree to within a minute.
#[derive(Clone)]
pub struct Redis {
    places: Vec<Place>,
    sentinels_of: Option<String>,
    namespace: String,
    grace: Duration,
    settle: Duration,
}

/// A server, and how to sign in to it.
#[derive(Clone)]
struct Place {
    host: String,
    port: u16,
    is_tls: bool,
    user: Option<String>,
    password: Option<String>,
    database: i64,
}

impl Redis {
    /// Parses a URL: `redis://[user][:password@]host[:port][/database]`, or `rediss://` for TLS.
    /// Default: port 6379, database 0.
    ///
    /// The server's certificate is verified against the system's trust store.
    ///
    /// # Errors
    ///
    /// When the text is no such URL. The error does not show a value that may hold a password.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            places: vec![Place::parse(url)?],
            sentinels_of: None,
            namespace: "tower-magic-link".to_owned(),
            grace: DEFAULT_GRACE,
            settle: DEFAULT_SETTLE,
        })
    }

    /// Adds another node of the cluster, or another Sentinel. The first that answers is used.
    ///
    /// # Errors
    ///
    /// When the text is no URL of a Redis.
    pub fn or_at(mut self, url: &str) -> Result<Self, ConfigError> {
        self.places.push(Place::parse(url)?);
        Ok(self)
    }

    /// Treats the URLs as Sentinels, which know the primary by this name. The layer asks them
    /// without a password; the URLs' user and password are the primary's.
    #[must_use]
    pub fn sentinels_of(mut self, name: impl Into<String>) -> Self {
        self.sentinels_of = Some(name.into());
        self
    }

    /// Sets the prefix of all keys, for two applications that share one server: 1 to 64 letters,
    /// digits, `-`, `_`, `.` and `:`. Default: `tower-magic-link`.
    ///
    /// All replicas of an application must use the same prefix.
    ///
    /// # Errors
    ///
    /// When the name has another length or other characters.
    pub fn namespace(mut self, name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        // A brace would end the hash tag early, and scatter the keys over a cluster's slots.
        let is_taken = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !(1..=LONGEST_NAMESPACE).contains(&name.len()) || !name.chars().all(is_taken) {
            let problem = "must be 1 to 64 letters, digits, '-', '_', '.' and ':'";
            return Err(ConfigError::invalid("namespace", name, problem));
        }
        self.namespace = name;
        Ok(self)
    }

    /// Sets how long each replica may answer from its local copy while Redis is away: 0 to 1 hour.
    /// Default: 30 seconds.
    ///
    /// During this time the replica does not learn of sessions that another machine ends. After it
    /// look-ups fail, and the layer answers 503 or, with
    /// [`Builder::insecure_admit_on_outage`](crate::Builder::insecure_admit_on_outage), admits. A
    /// replica notices within 1.5 seconds that Redis is away.
    ///
    /// # Errors
    ///
    /// When it is more than an hour.
    pub fn grace(mut self, grace: Duration) -> Result<Self, ConfigError> {
        if grace > LONGEST_GRACE {
            let problem = "must be at most 1 hour";
            return Err(ConfigError::invalid("grace", format!("{grace:?}"), problem));
        }
        self.grace = grace;
        Ok(self)
    }

    /// Sets how long a replica that starts waits for the others before it believes a data set that
    /// is new: 0 to 1 minute. Default: 3 seconds.
    ///
    /// A data set is new when Redis is used for the first time, and when it was emptied, restarted
    /// or failed over: the replicas that run then put back what they know, which takes a moment. A
    /// replica that starts meanwhile cannot tell an empty Redis from one without revocations, and
    /// would admit what has ended. It waits longer while another replica is putting back. A replica
    /// that ran before waits for those that it knew, and no longer than this for one that does not
    /// return; its [grace](Self::grace) runs meanwhile.
    ///
    /// Zero is right where a single process uses this Redis and its start is the only one.
    ///
    /// # Errors
    ///
    /// When it is more than a minute.
    pub fn settle(mut self, settle: Duration) -> Result<Self, ConfigError> {
        if settle > LONGEST_SETTLE {
            let problem = "must be at most 1 minute";
            return Err(ConfigError::invalid(
                "settle",
                format!("{settle:?}"),
                problem,
            ));
        }
        self.settle = settle;
        Ok(self)
    }

    pub(crate) const fn settle_period(&self) -> Duration {
        self.settle
    }

    pub(crate) const fn grace_period(&self) -> Duration {
        self.grace
    }

    /// Returns the key of this name.
    pub(crate) fn key(&self, name: &str) -> String {
        // The braces are a cluster's hash tag: only the text inside chooses the slot, so all keys
        // share one.
        format!("{{{}}}:{name}", self.namespace)
    }
}

/// Prints no user name and no password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places.iter();
        let places: Vec<_> = places
            .map(|place| format!("{}:{}", place.host, place.port))
            .collect();
        f.debug_struct("Redis")
            .field("places", &places)
            .field("sentinels_of", &self.sentinels_of)
            .field("namespace", &self.namespace)
            .field("grace", &self.grace)
            .field("settle", &self.settle)
            .finish()
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        const SETTING: &str = "redis_url";
        let wrong = |problem| ConfigError::url(SETTING, text, problem);
        let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
        let is_tls = match url.scheme() {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(wrong("must begin with rediss:// or redis://")),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must end with the host, the port or the database"));
        }
        // The URL parser does not check the host of a scheme that is none of the web's.
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.and_then(|host| Host::parse(host).ok());
        let host = match host.ok_or_else(|| wrong("has no host"))? {
            Host::Domain(name) => name,
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        let port = url.port().unwrap_or(6379);
        if port == 0 {
            return Err(wrong("has no port"));
        }
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number
                .parse::<u16>()
                .map_err(|_| wrong("has a database that is not a number"))?
                .into(),
        };
        let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
            Ok(text) => Ok(text.into_owned()),
            Err(_) => Err(wrong("has a user name or password that is not UTF-8")),
        };
        let user = Some(url.username()).filter(|user| !user.is_empty());
        if user.is_some() && url.password().is_none() {
            return Err(wrong("has a user name and no password"));
        }
        Ok(Self {
            host,
            port,
            is_tls,
            user: user.map(decoded).transpose()?,
            password: url.password().map(decoded).transpose()?,
            database,
        })
    }

    /// Returns a server that this one named, with the same TLS, login and database.
    fn beside(&self, host: &str, port: u16) -> Self {
        Self {
            // A node that does not know its own address leaves it out, and means the address that
            // we dialled.
            host: if host.is_empty() { &self.host } else { host }.to_owned(),
            port,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let place = Place::parse(url).unwrap();
            let Place {
                host,
                port,
                is_tls,
                user,
                password,
                database,
            } = place;
            assert_eq!(
                format!("{host}:{port} {is_tls} {user:?} {password:?} {database}"),
                want,
                "{url}"
            );
        }
    }

    #[test]
    fn a_url_that_cannot_be_one_is_refused_and_shows_no_password() {
        let cases = [
            "",
            "h",
            "http://h",
            "redis://",
            "redis://h:0",
            "redis://h/x",
            "redis://h/99999",
            "redis://:marker@h?x=marker",
            "redis://marker@h",
            "redis://:marker@h#insecure",
            "redis://:mar%ffker@h",
            "http://:marker@h",
        ];
        for url in cases {
            let error = Redis::new(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("marker"), "{url}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_is_refused() {
        let redis = || Redis::new("redis://u:marker@h").unwrap();
        for name in ["", "a b", "a}", "ä", &"x".repeat(65)] {
            assert!(redis().namespace(name).is_err(), "{name:?}");
        }
        assert!(redis().grace(Duration::from_secs(3_601)).is_err());
        let redis = redis()
            .grace(Duration::ZERO)
            .unwrap()
            .namespace("a:b")
            .unwrap();
        assert_eq!(redis.key("x"), "{a:b}:x");
        assert!(!format!("{redis:?}").contains("marker"));
    }
}
