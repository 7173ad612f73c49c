//! How long sessions live. The rules are pure: times are arguments.
//!
//! - A session ends when its lifetime since the sign-in has passed, or its idle time since the last
//!   renewal, whichever comes first.
//! - A remembered session has a lifetime of its own, and no idle time within it.
//! - A token holds the settings of the day when it was minted. If today's are shorter, they apply
//!   to its end, its renewal and everything that ends with the session.

use std::time::Duration;

use super::{Session, Term};
use crate::clock::{Reading, Skew, Timestamp};

/// How long sessions of one term live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// From the sign-in. No renewal extends it.
    pub(crate) absolute: Duration,
    /// From the last renewal.
    pub(crate) idle: Duration,
    /// From the last renewal to when the next one is due.
    pub(crate) renew_after: Duration,
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    pub(crate) usual: Span,
    /// The span of remembered sessions; `None` if the form does not offer that.
    pub(crate) remembered: Option<Span>,
    /// How old a token becomes before the application is asked again; `None` if it is not.
    pub(crate) asked_after: Option<Duration>,
}

impl Span {
    fn end_of(&self, auth_time: Timestamp, renewed: Timestamp) -> Timestamp {
        // The absolute end does not move, so a stolen cookie that is kept in use ends too.
        (auth_time + self.absolute).min(renewed + self.idle)
    }
}

impl Lifetimes {
    /// Returns the span of a term. Without a span for remembered sessions, they have the usual one.
    fn span(&self, term: Term) -> Span {
        match (term, self.remembered) {
            (Term::Remembered, Some(remembered)) => remembered,
            (Term::Remembered, None) | (Term::Usual, _) => self.usual,
        }
    }

    /// Returns when a session that begins now ends, unless it is renewed.
    pub(crate) fn end_of_new(&self, term: Term, now: Timestamp) -> Timestamp {
        self.span(term).end_of(now, now)
    }

    /// Returns when a session that another one yields now ends, unless it is renewed: it has the
    /// other's sign-in.
    pub(crate) fn end_of_another(&self, parent: &Session, now: Timestamp) -> Timestamp {
        self.span(parent.term()).end_of(parent.auth_time(), now)
    }

    /// Returns the date of a session that another one yields, with its skew.
    ///
    /// If the application is asked about sessions, a new date would put that off. So the session
    /// has the other one's date until that one is due to be asked about, and then the latest date
    /// that makes it due at once: an older one would cost it more of its idle time.
    pub(crate) fn date_of_another(&self, parent: &Session, reading: Reading) -> (Timestamp, Skew) {
        // The replica that began the parent may have a clock ahead of ours.
        let (now, skew) = reading.dated(parent.auth_time());
        let Some(asked_after) = self.asked_after else {
            return (now, skew);
        };
        // Each renewal asks, too.
        let wait = asked_after.min(self.span(parent.term()).renew_after);
        let judging = reading.judging(parent.issued_at(), parent.skew());
        if judging < parent.issued_at() + wait {
            return (parent.issued_at(), parent.skew());
        }
        ((now - wait).max(parent.auth_time()), skew)
    }

    /// Returns when a session ends unless it is renewed: by its token, or earlier by today's
    /// settings.
    pub(crate) fn end_of(&self, session: &Session) -> Timestamp {
        let span = self.span(session.term());
        let end = span.end_of(session.auth_time(), session.issued_at());
        end.min(session.expires_at())
    }

    /// Returns the end of a session that no renewal can move.
    pub(crate) fn absolute_end_of(&self, session: &Session) -> Timestamp {
        session.auth_time() + self.span(session.term()).absolute
    }

    /// Returns the session with a later end, if a renewal is due and can give it one.
    pub(crate) fn renewal(
        &self,
        session: &Session,
        reading: impl Into<Reading>,
    ) -> Option<Session> {
        let reading = reading.into();
        let span = self.span(session.term());
        // Not at every request: each renewal is a signature, and makes the response uncacheable.
        let judging = reading.judging(session.issued_at(), session.skew());
        // The application is asked at a renewal, so its own interval is a reason for one.
        let is_to_be_asked = self
            .asked_after
            .is_some_and(|after| judging >= session.issued_at() + after);
        if judging < session.issued_at() + span.renew_after && !is_to_be_asked {
            return None;
        }
        let (now, skew) = reading.dated(session.auth_time());
        let end = span.end_of(session.auth_time(), now);
        let renewed = session.renewed(end, now).with_skew(skew);
        // Near the absolute end, a renewal gains nothing.
        let gains = self.steady_end_of(&renewed, reading) > self.steady_end_of(session, reading);
        (gains || is_to_be_asked).then_some(renewed)
    }

    /// Returns when a session ends by the steady time, unless it is renewed.
    ///
    /// The absolute end counts from the sign-in, and so by the skew of that: by a renewal's, a
    /// clock that was set back would make the session live longer.
    pub(crate) fn steady_end_of(&self, session: &Session, reading: Reading) -> Timestamp {
        let counted = reading.counted(session.issued_at(), session.skew());
        let auth_counted = reading.counted(session.auth_time(), session.auth_skew());
        (self.end_of(session) + counted).min(self.absolute_end_of(session) + auth_counted)
    }

    /// Returns the longest life of any session. A revocation of all sessions must be kept that
    /// long.
    pub(crate) fn longest(&self) -> Duration {
        let remembered = self.remembered.map_or(Duration::ZERO, |span| span.absolute);
        self.usual.absolute.max(remembered)
    }

    /// Returns how long a browser keeps a session's cookie; `None` until the browser closes. That
    /// is what an unticked "remember me" means.
    pub(crate) fn cookie_lifetime(&self, session: &Session, now: Timestamp) -> Option<Duration> {
        let is_kept = self.remembered.is_none() || session.term() == Term::Remembered;
        is_kept.then(|| now.until(session.expires_at()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider::Identity,
        session::{SessionId, Times},
    };

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const BEGUN: u64 = 1_000_000;

    fn span(absolute: u64, idle: u64) -> Span {
        Span {
            absolute: Duration::from_secs(absolute),
            idle: Duration::from_secs(idle),
            renew_after: Duration::from_secs(idle / 4),
        }
    }

    /// Returns lifetimes of 12 hours with an idle hour, and 30 days for remembered sessions.
    fn lifetimes(remembers: bool) -> Lifetimes {
        Lifetimes {
            usual: span(12 * HOUR, HOUR),
            remembered: remembers.then(|| span(30 * DAY, 30 * DAY)),
            asked_after: None,
        }
    }

    fn session(term: Term, issued_at: u64, expires_at: u64) -> Session {
        let identity = Identity::new("prof_ada", "ada@example.com".parse().unwrap());
        let times = Times {
            issued_at: Timestamp::from_secs(issued_at),
            expires_at: Timestamp::from_secs(expires_at),
            auth_time: Timestamp::from_secs(BEGUN),
        };
        Session::new(&identity, SessionId::from_bytes([7; 16]), times).with_term(term)
    }

    #[test]
    fn a_session_ends_by_the_span_of_its_term_as_it_is_today() {
        let far = BEGUN + 400 * DAY;
        let cases = [
            ("usual, idle", Term::Usual, true, 0, HOUR),
            ("usual, off", Term::Usual, false, 0, HOUR),
            (
                "usual, near its end",
                Term::Usual,
                true,
                11 * HOUR + 60,
                12 * HOUR,
            ),
            ("remembered", Term::Remembered, true, 0, 30 * DAY),
            ("remembered, off since", Term::Remembered, false, 0, HOUR),
        ];
        for (name, term, remembers, issued, want) in cases {
            let session = session(term, BEGUN + issued, far);
            let end = lifetimes(remembers).end_of(&session);
            assert_eq!(end, Timestamp::from_secs(BEGUN + want), "{name}");
        }
    }

    #[test]
    fn a_token_of_shorter_settings_ends_with_them() {
        let token = session(Term::Usual, BEGUN, BEGUN + 15 * MINUTE);
        let end = lifetimes(true).end_of(&token);
        assert_eq!(end, Timestamp::from_secs(BEGUN + 15 * MINUTE));
    }

    #[test]
    fn a_renewal_keeps_the_term_and_never_passes_the_absolute_end() {
        let cases = [
            ("too early", Term::Usual, 0, HOUR, 15 * MINUTE - 1, None),
            (
                "due",
                Term::Usual,
                0,
                HOUR,
                15 * MINUTE,
                Some(HOUR + 15 * MINUTE),
            ),
            (
                "near the end",
                Term::Usual,
                11 * HOUR,
                12 * HOUR - 1,
                11 * HOUR + 1_800,
                Some(12 * HOUR),
            ),
            (
                "at the end already",
                Term::Usual,
                11 * HOUR,
                12 * HOUR,
                11 * HOUR + 1_800,
                None,
            ),
            (
                "of longer settings: later than by today's",
                Term::Usual,
                0,
                12 * HOUR,
                HOUR - 1,
                Some(2 * HOUR - 1),
            ),
            (
                "of longer settings, near the end",
                Term::Usual,
                11 * HOUR,
                20 * HOUR,
                11 * HOUR + 1_800,
                None,
            ),
            (
                "remembered: there is no later end",
                Term::Remembered,
                0,
                30 * DAY,
                20 * DAY,
                None,
            ),
        ];
        for (name, term, issued, expires, now, want) in cases {
            let session = session(term, BEGUN + issued, BEGUN + expires);
            let now = Timestamp::from_secs(BEGUN + now);
            let renewed = lifetimes(true).renewal(&session, now);
            let end = renewed.as_ref().map(Session::expires_at);
            assert_eq!(
                end,
                want.map(|end| Timestamp::from_secs(BEGUN + end)),
                "{name}"
            );
            assert!(
                renewed.is_none_or(|renewed| renewed.term() == term),
                "{name}"
            );
        }
    }

    #[test]
    fn a_setting_made_longer_reaches_a_remembered_session_by_renewal_alone() {
        let session = session(Term::Remembered, BEGUN, BEGUN + 30 * DAY);
        let longer = Lifetimes {
            remembered: Some(span(60 * DAY, 60 * DAY)),
            ..lifetimes(true)
        };
        let now = Timestamp::from_secs(BEGUN + 20 * DAY);
        let renewed = longer.renewal(&session, now).unwrap();
        let end = Timestamp::from_secs(BEGUN + 60 * DAY);
        assert_eq!(renewed.expires_at(), end, "not 60 days from now");
    }

    #[test]
    fn the_end_of_all_sessions_is_remembered_for_as_long_as_the_longest_lives() {
        assert_eq!(lifetimes(false).longest().as_secs(), 12 * HOUR);
        assert_eq!(lifetimes(true).longest().as_secs(), 30 * DAY);
    }

    #[test]
    fn a_cookie_outlives_the_browser_unless_its_person_was_asked_and_said_no() {
        let now = Timestamp::from_secs(BEGUN);
        let cases = [
            ("nobody is asked", Term::Usual, false, Some(HOUR)),
            ("not ticked", Term::Usual, true, None),
            ("ticked", Term::Remembered, true, Some(HOUR)),
            ("ticked, off since", Term::Remembered, false, Some(HOUR)),
        ];
        for (name, term, remembers, want) in cases {
            let session = session(term, BEGUN, BEGUN + HOUR);
            let got = lifetimes(remembers).cookie_lifetime(&session, now);
            assert_eq!(got, want.map(Duration::from_secs), "{name}");
        }
    }
}
