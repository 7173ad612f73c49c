//! The cookies that a browser gets when a session begins, and loses when it ends.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use super::Gate;
use crate::{
    clock::{Reading, Timestamp},
    provider::Identity,
    request::head::{Found, RequestHead},
    session::{Session, SessionId, Term, Times, cookie::CookieName},
};

impl Gate {
    /// Makes a session for an identity that was proven at this moment.
    pub(crate) fn begin_session(
        &self,
        identity: &Identity,
        id: SessionId,
        term: Term,
        reading: Reading,
    ) -> Session {
        let (now, skew) = reading.dated(Timestamp::from_secs(0));
        let times = Times {
            issued_at: now,
            expires_at: self.lifetimes.end_of_new(term, now),
            auth_time: now,
        };
        Session::new(identity, id, times)
            .with_term(term)
            .with_skew(skew)
            .with_auth_skew(skew)
    }

    /// Makes another session of the person who has one already. `None` if that one has ended.
    ///
    /// No address was proven, so the sign-in stays what it was: its time counts for the lifetime,
    /// for [`RequireRecent`](crate::companion::RequireRecent) and for revocations.
    pub(crate) fn another_session(
        &self,
        parent: &Session,
        id: SessionId,
        reading: Reading,
    ) -> Option<Session> {
        // By the time that judges the parent: it may have ended although the clock was set back.
        let as_of = reading.judging(parent.auth_time(), parent.auth_skew());
        let has_ended = as_of >= self.lifetimes.absolute_end_of(parent);
        let (issued_at, skew) = self.lifetimes.date_of_another(parent, reading);
        let expires_at = self.lifetimes.end_of_another(parent, issued_at);
        let times = Times {
            issued_at,
            expires_at,
            auth_time: parent.auth_time(),
        };
        // On a connection that lives on, its key may have been dropped since: a forger's, perhaps.
        let stands = self.tokens.stands(parent, reading);
        let may_begin = issued_at < expires_at && !has_ended && stands && !parent.is_left();
        may_begin.then(|| parent.another(id, times, as_of).with_skew(skew))
    }

    /// Returns when the last token of a session expires, however often it is renewed.
    pub(crate) fn end_of_last_token(&self, session: &Session) -> Timestamp {
        session
            .expires_at()
            // The token may have been minted under a longer lifetime than today's.
            .max(self.lifetimes.absolute_end_of(session))
    }

    /// Returns the `Set-Cookie` value that hands a browser a session's token.
    pub(crate) fn session_cookie(
        &self,
        session: &Session,
        token: &str,
        now: Timestamp,
    ) -> HeaderValue {
        let lifetime = self.cookie_lifetime(session, now);
        self.cookies.set(CookieName::Session, token, lifetime)
    }

    /// Returns how long a browser keeps the cookie of a session that was made here at this moment.
    pub(crate) fn cookie_lifetime(&self, session: &Session, now: Timestamp) -> Option<Duration> {
        // The end is a date, and the moment is by the steady time.
        self.lifetimes
            .cookie_lifetime(session, now - session.skew().ahead())
    }

    /// Removes a browser's session cookie, and the cookie that records its recent sign-in.
    ///
    /// The second one goes even if the request does not bring it. A sign-in in another tab may have
    /// set both since the request left, and the second alone would say that the browser drops our
    /// cookies.
    pub(crate) fn forget(&self, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        headers.append(header::SET_COOKIE, self.cookies.removal());
        let arrived = self.cookies.removal_of(CookieName::Arrived);
        headers.append(header::SET_COOKIE, arrived);
        self.forget_former(head, headers);
    }

    /// Removes a session cookie that no layer with these keys has made. The cookie beside it goes
    /// only if it came: to answer a stranger's forged cookie must cost little.
    pub(crate) fn forget_invalid(&self, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        headers.append(header::SET_COOKIE, self.cookies.removal());
        self.forget_if_sent(CookieName::Arrived, head, headers);
        self.forget_former(head, headers);
    }

    /// Removes the session cookie that was set before the session had a domain.
    pub(crate) fn forget_former(&self, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        if self.cookies.has_domain() {
            self.forget_if_sent(CookieName::Former, head, headers);
        }
    }

    fn forget_if_sent(&self, cookie: CookieName, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        if head.cookie(self.cookies.name(cookie)) != Found::Nothing {
            headers.append(header::SET_COOKIE, self.cookies.removal_of(cookie));
        }
    }
}
