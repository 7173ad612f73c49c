//! `ListedSession`: what the index knows of a session, and how a store writes it.

use std::{fmt, time::Duration};

use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Skew, Timestamp},
    email::Email,
    provider::Identity,
    session::{Grant, Session, SessionId, Term, Times},
};

/// How many characters of a user agent are kept.
const LONGEST_AGENT: usize = 256;

/// A live session, as an account page lists it.
///
/// ```
/// use tower_magic_link::sessions::ListedSession;
///
/// fn line(listed: &ListedSession) -> String {
///     let device = listed.user_agent().unwrap_or("an unknown device");
///     let network = listed.network().unwrap_or("an unknown network");
///     format!("{device}, from {network}, since {}", listed.auth_time().as_secs())
/// }
/// ```
#[derive(Clone)]
pub struct ListedSession {
    session: Session,
    seen: Seen,
}

/// What a request says of the device that sent it.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) user_agent: Option<String>,
    pub(crate) network: Option<String>,
}

impl Seen {
    /// Reads it from a request. `network` is the client's, if it is known.
    pub(crate) fn new(headers: &HeaderMap, network: Option<String>) -> Self {
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        Self {
            user_agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            network,
        }
    }
}

impl ListedSession {
    pub(crate) const fn new(session: Session, seen: Seen) -> Self {
        Self { session, seen }
    }

    pub(crate) const fn session(&self) -> &Session {
        &self.session
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Returns the session's id, which renewals keep.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.session.id()
    }

    /// Returns the person's id, as [`Session::subject`] has it.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.session.subject()
    }

    /// Returns when the person signed in.
    #[must_use]
    pub fn auth_time(&self) -> Timestamp {
        self.session.auth_time()
    }

    /// Returns when the session was renewed last, or began: it was in use then.
    #[must_use]
    pub fn renewed_at(&self) -> Timestamp {
        self.session.issued_at()
    }

    /// Returns when the session ends, unless it is renewed, as
    /// [`Session::expires_at`](crate::Session::expires_at) does.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.session.expires_at()
    }

    /// Returns the `User-Agent` of the request that began or renewed the session: up to 256
    /// characters, which the client chooses freely. `None` if it sent none or one that is not
    /// ASCII, or if the application issued the session.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.seen.user_agent.as_deref()
    }

    /// Returns the network of that request, as the limits count it: an IPv4 address, or the first
    /// 64 bits of an IPv6 address (`2001:db8::/64`). `None` if the client's address is not known.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.seen.network.as_deref()
    }

    /// Returns the entry as text, for a store. It holds the person's address.
    #[must_use]
    pub fn to_record(&self) -> String {
        let session = &self.session;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let record = Record {
            sid: session.id().to_string(),
            sub: session.subject().to_owned(),
            email: session.email().to_owned(),
            org: owned(session.organization()),
            conn: owned(session.connection()),
            psid: owned(session.provider_session()),
            psub: owned(session.proven().map(|(subject, _)| subject)),
            porg: owned(session.proven().and_then(|(_, organization)| organization)),
            iat: session.issued_at(),
            exp: session.expires_at(),
            auth_time: session.auth_time(),
            after: session.after(),
            rem: Some(session.is_remembered()),
            skew: session.skew().ahead().as_secs(),
            by: session.skew().by(),
            askew: session.auth_skew().ahead().as_secs(),
            aby: session.auth_skew().by(),
            agent: self.seen.user_agent.clone(),
            net: self.seen.network.clone(),
        };
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// Reads what [`to_record`](Self::to_record) wrote. `None` if it is something else.
    #[must_use]
    pub fn from_record(text: &str) -> Option<Self> {
        let record: Record = serde_json::from_str(text).ok()?;
        let own = (record.sub, record.org);
        let (proven, grant) = match record.psub {
            Some(subject) => {
                let grant = Grant::new().subject(own.0);
                let grant = match own.1 {
                    Some(organization) => grant.organization(organization),
                    None => grant.without_organization(),
                };
                ((subject, record.porg), grant)
            }
            None => (own, Grant::new()),
        };
        let identity = Identity::new(proven.0, Email::parse(&record.email).ok()?)
            .with_organization(proven.1)
            .with_connection(record.conn)
            .with_provider_session(record.psid);
        let times = Times {
            issued_at: record.iat,
            expires_at: record.exp,
            auth_time: record.auth_time,
        };
        let term = match record.rem {
            Some(false) => Term::Usual,
            // Version 0.1 said neither. A remembered session must not leave the list, and a usual
            // one has an end of its own.
            Some(true) | None => Term::Remembered,
        };
        let skew = |ahead, by| Skew::new(Duration::from_secs(ahead), by);
        let session = Session::new(&identity, record.sid.parse().ok()?, times)
            .granted(&grant)
            .with_term(term)
            .with_skew(skew(record.skew, record.by))
            .with_auth_skew(skew(record.askew, record.aby))
            .with_after(record.after);
        let seen = Seen {
            user_agent: record.agent,
            network: record.net,
        };
        Some(Self { session, seen })
    }
}

/// Prints nothing of the person.
impl fmt::Debug for ListedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListedSession")
            .field("id", &self.id())
            .field("auth_time", &self.auth_time())
            .field("renewed_at", &self.renewed_at())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// An entry as it is stored: what the targets of revocations and the session's end need, beside
/// what is listed. The names are those of a token's claims.
#[derive(Serialize, Deserialize)]
struct Record {
    sid: String,
    sub: String,
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    psid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    psub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    porg: Option<String>,
    iat: Timestamp,
    exp: Timestamp,
    auth_time: Timestamp,
    /// The latest revocation that was known at the sign-in.
    #[serde(default = "never")]
    after: Timestamp,
    /// Whether the person asked to be remembered: such a session has a lifetime of its own.
    #[serde(default)]
    rem: Option<bool>,
    #[serde(default, skip_serializing_if = "is_zero")]
    skew: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    by: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    askew: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    aby: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    net: Option<String>,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const fn never() -> Timestamp {
    Timestamp::from_secs(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned: an entry had no term, so that a remembered session left the list with the lifetime
    /// of a usual one, and worked on.
    #[test]
    fn an_entry_keeps_what_a_sessions_end_depends_on() {
        let at = Timestamp::from_secs;
        let times = Times {
            issued_at: at(20),
            expires_at: at(90),
            auth_time: at(10),
        };
        let identity = Identity::new("ada", Email::parse("ada@example.com").unwrap());
        let usual = Session::new(&identity, SessionId::from_bytes([7; 16]), times);
        let skewed = usual
            .clone()
            .with_term(Term::Remembered)
            .with_skew(Skew::new(Duration::from_secs(30), 5))
            .with_auth_skew(Skew::new(Duration::from_secs(40), 6))
            .with_after(at(3));
        for session in [usual, skewed] {
            let listed = ListedSession::new(session.clone(), Seen::default());
            let read = ListedSession::from_record(&listed.to_record()).unwrap();
            assert!(*read.session() == session, "{}", listed.to_record());
        }
        // Version 0.1 wrote none of it.
        let old = r#"{"sid":"BwcHBwcHBwcHBwcHBwcHBw","sub":"ada","email":"ada@example.com","iat":20,"exp":90,"auth_time":10}"#;
        let read = ListedSession::from_record(old).unwrap();
        assert!(read.session().is_remembered());
    }
}
