//! Reads the session that a request presents, in a cookie or as a bearer token.

use super::Gate;
use crate::{
    clock::Timestamp,
    rejection::RejectionKind,
    request::head::{Found, RequestHead},
    session::{Session, cookie::CookieName, token::Fault},
};

/// The most cookies of one name that a sign-out considers. Each token costs a verification.
const MOST_COOKIES: usize = 16;

/// A session token, and how it came.
#[derive(Clone, Copy)]
pub(super) struct Presented<'r> {
    pub(super) token: &'r str,
    pub(super) is_bearer: bool,
}

impl Gate {
    /// Reads the session of a request, as its token states it. Only the store knows of a
    /// revocation.
    pub(crate) fn session(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Session, RejectionKind> {
        self.verify(self.presented(head)?.token, now)
    }

    /// Reads the sessions that a sign-out ends: the request's own, or all valid ones if cookies
    /// conflict. A planted cookie must not keep another session alive.
    pub(crate) fn sessions_to_end(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Vec<Session>, RejectionKind> {
        let conflict = match self.session(head, now) {
            Err(kind @ RejectionKind::ConflictingCookies) if !self.is_bearer(head) => kind,
            session => return session.map(|session| vec![session]),
        };
        let mut tokens = Vec::new();
        for token in head.cookies(self.cookies.name(CookieName::Session)) {
            if !tokens.contains(&token) {
                tokens.push(token);
            }
            if tokens.len() > MOST_COOKIES {
                return Err(conflict);
            }
        }
        let sessions = tokens.into_iter().map(|token| self.verify(token, now));
        Ok(sessions.filter_map(Result::ok).collect())
    }

    /// Reads the session of a request's cookie, whatever else it carries.
    pub(crate) fn session_in_cookie(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Session, RejectionKind> {
        let token = self.cookie(head)?.ok_or(RejectionKind::NoSession)?;
        self.verify(token, now)
    }

    /// Says whether a request carries a bearer token, good or bad, and they are accepted.
    pub(crate) fn is_bearer(&self, head: &RequestHead<'_>) -> bool {
        self.credentials.has_bearer() && head.bearer() != Found::Nothing
    }

    fn cookie<'r>(&self, head: &RequestHead<'r>) -> Result<Option<&'r str>, RejectionKind> {
        match head.cookie(self.cookies.name(CookieName::Session)) {
            Found::Conflict => Err(RejectionKind::ConflictingCookies),
            Found::Nothing => Ok(None),
            Found::One(token) => Ok(Some(token)),
        }
    }

    /// Returns the token that a request presents. Two that differ are a conflict: an attacker who
    /// planted one must not choose the session.
    pub(super) fn presented<'r>(
        &self,
        head: &RequestHead<'r>,
    ) -> Result<Presented<'r>, RejectionKind> {
        let cookie = self.cookie(head)?;
        if self.credentials.has_bearer() {
            match head.bearer() {
                Found::Conflict => return Err(RejectionKind::ConflictingCredentials),
                Found::Nothing => {}
                Found::One(token) if cookie.is_none_or(|cookie| cookie == token) => {
                    let is_bearer = true;
                    return Ok(Presented { token, is_bearer });
                }
                Found::One(_) => return Err(RejectionKind::ConflictingCredentials),
            }
        }
        let is_bearer = false;
        cookie
            .map(|token| Presented { token, is_bearer })
            .ok_or(RejectionKind::NoSession)
    }

    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Session, RejectionKind> {
        let session = self
            .tokens
            .verify(token, now)
            .map_err(|fault| match fault {
                Fault::Expired => RejectionKind::ExpiredSession,
                Fault::Invalid => RejectionKind::InvalidSession,
            })?;
        // The token knows the lifetimes that were configured when it was minted; today's may be
        // shorter.
        if now >= self.lifetimes.end_of(&session) {
            return Err(RejectionKind::ExpiredSession);
        }
        Ok(session)
    }

    /// Returns the browser cookie, if it is one that we made.
    pub(crate) fn browser_cookie<'r>(
        &self,
        head: &RequestHead<'r>,
        now: Timestamp,
    ) -> Option<&'r str> {
        head.cookie(self.cookies.name(CookieName::Browser))
            .one()
            .filter(|cookie| self.tokens.keys().made_browser_cookie(cookie, now))
    }
}
