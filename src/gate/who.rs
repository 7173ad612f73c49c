//! By what a session may come, and whose it is: for the endpoints, and for who signs out.

use http::HeaderValue;

use super::Gate;
use crate::{
    clock::Reading,
    rejection::RejectionKind,
    request::head::{Found, RequestHead},
    session::{Session, browser_cookie::BrowserCookie, cookie::CookieName},
};

/// The most cookies of one name that a sign-out considers. Each token costs a verification.
const MOST_COOKIES: usize = 16;

/// By what a session may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// The session cookie.
    #[default]
    Cookie,
    /// The session cookie, or a bearer token.
    CookieOrBearer,
}

impl Credentials {
    /// Returns the `Vary` value of an answer that depends on a session, or on its absence.
    pub(crate) const fn vary(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Cookie => "cookie",
            Self::CookieOrBearer => "cookie, authorization",
        })
    }

    pub(crate) const fn has_bearer(self) -> bool {
        matches!(self, Self::CookieOrBearer)
    }
}

impl Gate {
    /// Reads the session of a request, as its token states it, if its person may pass. Only the
    /// store knows of a revocation.
    pub(crate) fn session(
        &self,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Result<Session, RejectionKind> {
        self.allow(self.verify(self.presented(head)?.token, now)?)
    }

    /// Reads the sessions that a sign-out ends: the request's own, or all valid ones if cookies
    /// conflict. A planted cookie must not keep another session alive. A person who may not pass
    /// can sign out.
    pub(crate) fn sessions_to_end(
        &self,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Result<Vec<Session>, RejectionKind> {
        self.read_to_end(head, |token| self.verify(token, now))
    }

    /// Reads the sessions that a sign-out of themselves alone ends: also one that is dated ahead of
    /// this replica's clock. It is admitted by a replica whose clock is right.
    pub(crate) fn own_sessions_to_end(
        &self,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Result<Vec<Session>, RejectionKind> {
        self.read_to_end(head, |token| {
            let session = self.verify(token, now);
            session.or_else(|kind| self.tokens.verify_ahead(token, now).ok_or(kind))
        })
    }

    fn read_to_end(
        &self,
        head: &RequestHead<'_>,
        read: impl Fn(&[u8]) -> Result<Session, RejectionKind>,
    ) -> Result<Vec<Session>, RejectionKind> {
        let presented = self.presented(head);
        let conflict = match presented.and_then(|presented| read(presented.token)) {
            // Signing out ends them all: a sibling subdomain that plants a second cookie must not
            // keep a person signed in.
            Err(kind @ RejectionKind::ConflictingCookies) if !self.is_bearer(head) => kind,
            session => return session.map(|session| vec![session]),
        };
        let mut tokens = Vec::new();
        for token in head.cookies(self.cookies.name(CookieName::Session)) {
            if !tokens.contains(&token) {
                tokens.push(token);
            }
            // Each one costs a signature check, and a request has room for hundreds.
            if tokens.len() > MOST_COOKIES {
                return Err(conflict);
            }
        }
        let sessions = tokens.into_iter().map(|token| read(token.as_bytes()));
        Ok(sessions.filter_map(Result::ok).collect())
    }

    /// Reads the session of a request's cookie, whatever else it carries.
    pub(crate) fn session_in_cookie(
        &self,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Result<Session, RejectionKind> {
        let token = self.cookie(head)?.ok_or(RejectionKind::NoSession)?;
        self.verify(token, now)
    }

    /// Says whether a request carries a bearer token, good or bad, and they are accepted.
    pub(crate) fn is_bearer(&self, head: &RequestHead<'_>) -> bool {
        self.credentials.has_bearer() && head.bearer() != Found::Nothing
    }

    /// Says whether a browser sent one of our cookies with a form that ends its session.
    ///
    /// A sign-out needs no browser cookie: the application may have issued the session, or the
    /// browser may have had it for longer than that cookie. The session cookie is `SameSite=Lax`
    /// too, so no cross-site POST carries it, and it may have expired. It vouches for nothing but
    /// its own end.
    pub(super) fn may_sign_out(&self, head: &RequestHead<'_>) -> bool {
        let tokens = head.cookies(self.cookies.name(CookieName::Session));
        tokens
            .take(MOST_COOKIES)
            .any(|token| self.tokens.has_signed(token))
    }

    /// Returns the browser cookie without its round, if it is one that we made.
    pub(crate) fn browser_cookie(
        &self,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Option<BrowserCookie> {
        let (text, ..) = self.browser_cookie_parts(head)?;
        self.tokens.keys().browser_cookie_of(text, now)
    }

    /// Returns the parts of the browser cookie, which dots divide: the cookie that
    /// [`Self::browser_cookie`] reads, its round, and its newest attempt.
    pub(crate) fn browser_cookie_parts<'r>(
        &self,
        head: &RequestHead<'r>,
    ) -> Option<(&'r str, Option<&'r str>, Option<&'r str>)> {
        let cookie = head.cookie(self.cookies.name(CookieName::Browser)).one()?;
        let mut parts = cookie.splitn(3, '.');
        let cookie = parts.next()?;
        let mut part = || parts.next().filter(|part| !part.is_empty());
        Some((cookie, part(), part()))
    }
}
