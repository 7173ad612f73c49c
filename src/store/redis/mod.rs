//! `Redis`: where the server is, and the settings that the stores on it share.
//!
//! - All keys of an application begin with one hash tag, so that a cluster keeps them in one slot
//!   and a script may touch several.
//! - The URLs may name one server, nodes of a cluster, or Sentinels; each answer says where to go
//!   on. Every attempt tries all URLs at once.
//! - Every wait is bounded, because a suspended server keeps its connections open without
//!   answering.
//! - A user name or a password is never shown.

use std::{
    fmt,
    sync::{Arc, Once},
    time::Duration,
};

use crate::error::ConfigError;

mod attempts;
mod away;
mod check;
mod connect;
mod connection;
mod kept;
mod link;
mod pause;
mod place;
mod tls;
mod trust;

#[cfg(test)]
pub(crate) use self::check::called_in;
pub(crate) use self::{
    away::{Logged, is_refused, log_away, reason, refuses},
    connection::Connection,
    kept::Kept,
    pause::jittered,
};

use self::{
    attempts::Attempts,
    link::Terms,
    place::{Login, Place},
    trust::Trust,
};

const DEFAULT_STEP: Duration = Duration::from_secs(1);
const SHORTEST_STEP: Duration = Duration::from_millis(100);
const LONGEST_STEP: Duration = Duration::from_secs(60);
const DEFAULT_GRACE: Duration = Duration::from_secs(30);
const LONGEST_GRACE: Duration = Duration::from_secs(60 * 60);
const DEFAULT_SETTLE: Duration = Duration::from_secs(3);
const LONGEST_SETTLE: Duration = Duration::from_secs(60);
/// In less, the replicas that run do not notice that a data set is new: they ask every 300 ms, and
/// connect again within another 400.
const SHORTEST_SETTLE: Duration = Duration::from_secs(1);
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
///     // The Sentinels' own.
///     .sentinel_login("sentinel-user", "sentinel-password")
///     // For two applications that share one server.
///     .namespace("billing")?
///     .grace(Duration::from_secs(60))?;
/// # Ok(()) }
/// ```
///
/// # Requirements
///
/// The ACL of the user is at least `on >PASSWORD ~{tower-magic-link}:* +@read +@write +@scripting
/// +@connection +time +info`, with the [namespace](Self::namespace) in the place of
/// `tower-magic-link`. Without `+info` everything works, but a replica does not notice that another
/// server has become the primary while the old one keeps running and keeps its connections open.
/// The log says so once.
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
    sentinel_login: Login,
    grace: Duration,
    settle: Duration,
    terms: Terms,
    attempts: Attempts,
    /// Logs once, for all clones, that the user may not run `INFO`.
    without_info: Arc<Once>,
}

impl Redis {
    /// Parses a URL: `redis://[user][:password@]host[:port][/database]`, or `rediss://` for TLS.
    /// Default: port 6379, database 0. For a unix socket:
    /// `unix:///path[?db=database][&user=user][&pass=password]`, also as `redis+unix://`.
    ///
    /// The server's certificate is verified against the system's trust store, or against
    /// [certificates of your own](Self::ca_certificates).
    ///
    /// # Errors
    ///
    /// When the text is no such URL. The error does not show a value that may hold a password.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            places: vec![Place::parse(url)?],
            sentinels_of: None,
            namespace: "tower-magic-link".to_owned(),
            sentinel_login: Login::default(),
            grace: DEFAULT_GRACE,
            settle: DEFAULT_SETTLE,
            terms: Terms {
                step: DEFAULT_STEP,
                trust: Trust::default(),
            },
            attempts: Attempts::default(),
            without_info: Arc::new(Once::new()),
        })
    }

    /// Adds another node of the cluster, or another Sentinel. The first that answers is used.
    ///
    /// # Errors
    ///
    /// When the text is no URL of a Redis, or is one without TLS where certificates are set.
    pub fn or_at(mut self, url: &str) -> Result<Self, ConfigError> {
        self.places.push(Place::parse(url)?);
        self.with_tls("redis_url")
    }

    /// Treats the URLs as Sentinels, which know the primary by this name. The URLs' user and
    /// password are the primary's. The layer signs in to the Sentinels by
    /// [`sentinel_login`](Self::sentinel_login), or not at all.
    #[must_use]
    pub fn sentinels_of(mut self, name: impl Into<String>) -> Self {
        self.sentinels_of = Some(name.into());
        self
    }

    /// Sets the user and the password of the Sentinels, if they ask for them. The user of a
    /// Sentinel that has a password alone (`requirepass`) is `default`.
    #[must_use]
    pub fn sentinel_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.sentinel_login = Login::new(user.into(), password.into());
        self
    }

    /// Sets how long each step of connecting may take: finding the address and reaching it, the TLS
    /// handshake, the login, a Sentinel's answer, and the check of the server. 100 ms to 1 minute.
    /// Default: 1 second, which is enough for a server that is half a second away.
    ///
    /// A server that does not answer at all costs one step. Meanwhile the local copy and the counts
    /// in memory answer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_magic_link::{ConfigError, store::Redis};
    ///
    /// # fn example() -> Result<(), ConfigError> {
    /// // Over a satellite.
    /// let redis = Redis::new("rediss://redis.example.com")?.connect_timeout(Duration::from_secs(3))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When it is shorter or longer than that.
    pub fn connect_timeout(mut self, step: Duration) -> Result<Self, ConfigError> {
        if !(SHORTEST_STEP..=LONGEST_STEP).contains(&step) {
            let problem = "must be 100 ms to 1 minute";
            let step = format!("{step:?}");
            return Err(ConfigError::invalid("connect_timeout", step, problem));
        }
        self.terms.step = step;
        Ok(self)
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
    /// is new: 1 second to 1 minute, or 0. Default: 3 seconds.
    ///
    /// A data set is new when Redis is used for the first time, and when it was emptied, restarted
    /// or failed over: the replicas that run then put back what they know, which takes a moment. A
    /// replica that starts meanwhile cannot tell an empty Redis from one without revocations, and
    /// would admit what has ended. It waits longer while another replica is putting back. A replica
    /// that ran before waits for those that it knew, and no longer than this for one that does not
    /// return; its [grace](Self::grace) runs meanwhile.
    ///
    /// A replica that runs asks Redis every 300 ms, and says that it will put something back once
    /// it has connected again. So the time must be longer than that takes everywhere: a second is
    /// enough only where Redis answers within a few milliseconds.
    ///
    /// Zero is right where a single process uses this Redis and its start is the only one.
    ///
    /// # Errors
    ///
    /// When it is more than a minute, or less than a second and not zero.
    pub fn settle(mut self, settle: Duration) -> Result<Self, ConfigError> {
        let is_of_use = settle.is_zero() || settle >= SHORTEST_SETTLE;
        if !is_of_use || settle > LONGEST_SETTLE {
            let problem = "must be 1 second to 1 minute, or zero for a single process";
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
        let places: Vec<_> = self.places.iter().map(ToString::to_string).collect();
        f.debug_struct("Redis")
            .field("places", &places)
            .field("sentinels_of", &self.sentinels_of)
            .field("namespace", &self.namespace)
            .field("grace", &self.grace)
            .field("settle", &self.settle)
            .field("connect_timeout", &self.terms.step)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (millis, is_taken) in [
            (0, true),
            (1, false),
            (999, false),
            (1_000, true),
            (60_000, true),
            (60_001, false),
        ] {
            let settled = redis().settle(Duration::from_millis(millis));
            assert_eq!(settled.is_ok(), is_taken, "{millis}");
        }
        let redis = redis()
            .grace(Duration::ZERO)
            .unwrap()
            .namespace("a:b")
            .unwrap();
        assert_eq!(redis.key("x"), "{a:b}:x");
        assert!(!format!("{redis:?}").contains("marker"));
    }
}
