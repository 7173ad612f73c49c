//! The term of a session, and how recent its sign-in is.
//!
//! - A session knows the time of its request, so that a handler needs no clock to tell how recent
//!   the sign-in is.
//! - That time is no part of the session's identity: two requests with the same token have equal
//!   sessions.

use std::{sync::Arc, time::Duration};

use super::{Facts, Session, Term, record::KeyMark};
use crate::clock::Skew;

impl Session {
    /// Returns the session with another term.
    pub(crate) fn with_term(self, term: Term) -> Self {
        if self.term() == term {
            return self;
        }
        self.changed(|facts| facts.term = term)
    }

    /// Says whether the person had proved their address less than `within` before this request. A
    /// renewal does not make a session fresh.
    ///
    /// The time of the request counts, not the present one, so on a connection that lives on, such
    /// as a WebSocket, the answer never changes. [`RequireRecent`](crate::companion::RequireRecent)
    /// sends a person whose session is not fresh through a new sign-in and back.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_magic_link::Session;
    ///
    /// fn may_see_the_recovery_codes(session: &Session) -> bool {
    ///     session.is_fresh(Duration::from_secs(10 * 60))
    /// }
    /// ```
    #[must_use]
    pub fn is_fresh(&self, within: Duration) -> bool {
        self.0.facts.as_of < self.auth_time() + within
    }

    /// Says whether the person asked to be remembered
    /// ([`Builder::remember_me`](crate::Builder::remember_me)).
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        self.0.facts.term == Term::Remembered
    }

    /// Returns the session with another skew.
    pub(crate) fn with_skew(self, skew: Skew) -> Self {
        if self.0.facts.skew == skew {
            return self;
        }
        self.changed(|facts| facts.skew = skew)
    }

    /// Returns the session with another skew of its sign-in.
    pub(crate) fn with_auth_skew(self, auth_skew: Skew) -> Self {
        if self.0.facts.auth_skew == auth_skew {
            return self;
        }
        self.changed(|facts| facts.auth_skew = auth_skew)
    }

    /// Returns how far the steady time was ahead of the date of the sign-in.
    pub(crate) fn auth_skew(&self) -> Skew {
        self.0.facts.auth_skew
    }

    /// Returns how far the steady time of the replica that minted it was ahead of its date.
    pub(crate) fn skew(&self) -> Skew {
        self.0.facts.skew
    }

    /// Returns the session as one of a token of this key.
    pub(super) fn with_key(mut self, key: KeyMark) -> Self {
        // What was made just now is nobody else's yet.
        if let Some(record) = Arc::get_mut(&mut self.0) {
            record.facts.key = key;
            return self;
        }
        self.changed(|facts| facts.key = key)
    }

    /// Returns the key of its token.
    pub(super) fn key(&self) -> KeyMark {
        self.0.facts.key
    }

    pub(crate) fn term(&self) -> Term {
        self.0.facts.term
    }
}

/// Sessions are equal if they differ only in the requests from which they were read.
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        let told = |session: &Self| {
            // Each field is named, so that a new one cannot be forgotten here.
            let Facts {
                id,
                method,
                term,
                times,
                skew,
                auth_skew,
                after,
                as_of: _,
                key: _,
            } = session.0.facts;
            (id, method, term, times, (skew, auth_skew), after)
        };
        self.0.texts() == other.0.texts() && told(self) == told(other)
    }
}

impl Eq for Session {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        provider::SignInMethod,
        session::{Field, SessionId, Times},
    };

    fn session(auth_time: u64, issued_at: u64, now: u64) -> Session {
        let times = Times {
            issued_at: Timestamp::from_secs(issued_at),
            expires_at: Timestamp::from_secs(9_000),
            auth_time: Timestamp::from_secs(auth_time),
        };
        let facts = Facts {
            id: SessionId::from_bytes([7; 16]),
            method: SignInMethod::MagicLink,
            term: Term::Usual,
            times,
            skew: Skew::default(),
            auth_skew: Skew::default(),
            after: Timestamp::from_secs(0),
            as_of: Timestamp::from_secs(now),
            key: KeyMark::default(),
        };
        let mut texts = [""; Field::COUNT];
        (texts[0], texts[1]) = ("prof_ada", "ada@example.com");
        Session::with(facts, texts)
    }

    #[test]
    fn a_session_is_fresh_before_the_time_since_its_sign_in_is_over() {
        let within = Duration::from_secs(600);
        let cases = [
            ("just signed in", session(1_000, 1_000, 1_000), true),
            ("a second early", session(1_000, 1_000, 1_599), true),
            ("on the second", session(1_000, 1_000, 1_600), false),
            ("long after", session(1_000, 1_000, 8_000), false),
            ("renewed a moment ago", session(1_000, 7_999, 8_000), false),
            ("another replica is ahead", session(1_000, 1_000, 950), true),
        ];
        for (name, session, want) in cases {
            assert_eq!(session.is_fresh(within), want, "{name}");
            let renewed = session.renewed(Timestamp::from_secs(9_500), Timestamp::from_secs(8_500));
            assert_eq!(renewed.is_fresh(within), want, "{name}, renewed");
        }
        assert!(session(1_000, 1_000, 8_000).is_fresh(Duration::MAX));
    }

    #[test]
    fn sessions_are_equal_whenever_they_were_read_and_by_nothing_less_than_all_else() {
        let one = session(1_000, 1_000, 1_000);
        assert_eq!(one, session(1_000, 1_000, 2_000));
        assert_ne!(one, session(1_001, 1_001, 1_001));
        assert_ne!(one, one.clone().with_term(Term::Remembered));
        assert_ne!(
            one,
            one.renewed(Timestamp::from_secs(9_500), Timestamp::from_secs(1_000))
        );
    }
}
