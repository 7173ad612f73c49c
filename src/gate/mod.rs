//! The gate: all policy of who may pass. Pure: the request's head and the time are arguments.
//!
//! 1. The layer's own endpoints are never handed on: a wrong method or a post from another site is refused.
//! 2. In front of a proxy a `CONNECT` for a tunnel of bytes is refused: nobody looks into one.
//! 3. A CORS preflight passes where that is allowed, always without a session.
//! 4. A public or optional path passes, with the session where there is one.
//! 5. A session token that verifies is admitted. One in a cookie is renewed when its time has come; a bearer token is not, and two that
//!    differ are refused.
//! 6. Everything else is refused.

use http::{HeaderMap, HeaderValue, header};

use crate::{
    clock::Timestamp,
    provider::Identity,
    rejection::{Rejection, RejectionKind},
    request::{
        head::{Found, RequestHead},
        upgrade,
    },
    revocation::Standing,
    session::{
        Session, SessionId, Term, Times,
        cookie::{Cookies, Jar},
        lifetimes::Lifetimes,
        token::{Fault, Tokens},
    },
    site::{
        endpoint::Endpoint,
        public_url::PublicUrl,
        return_to::ReturnTo,
        rules::{Exposure, Rules},
    },
};

mod guard;
pub(crate) mod lost_cookie;

/// How many cookies of one name are looked at by whoever signs out. A token costs a verification each.
const MOST_COOKIES: usize = 16;

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Hand it on with its session, once the revocation store agrees.
    Admit(Admission),
    /// Hand it on: its path is public or optional. The session goes with it if the revocation store agrees.
    Pass(Exposure, Option<Admission>),
    /// Answer it, in its audience's language.
    Refuse(Rejection),
    /// Answer it: it misuses one of the layer's own endpoints.
    RefuseStep(Rejection),
    /// A step of signing in or out.
    Step(Endpoint),
}

/// What the revocation store's answer makes of a request whose token is good.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Hand it on with its session.
    Admit,
    /// Hand it on without: its path is public or optional.
    Pass,
    /// Answer it.
    Refuse(Rejection),
}

impl Exposure {
    /// Settles a request. An outage of the store closes what is protected, and nothing else.
    pub(crate) fn settle(self, standing: Result<Standing, Rejection>) -> Verdict {
        match (standing, self) {
            (Ok(Standing::Active), _) => Verdict::Admit,
            (_, Self::Optional | Self::Public) => Verdict::Pass,
            (Ok(Standing::Revoked), Self::Protected) => {
                Verdict::Refuse(Rejection::new(RejectionKind::RevokedSession))
            }
            (Err(rejection), Self::Protected) => Verdict::Refuse(rejection),
        }
    }
}

/// A session whose token is good.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) session: Session,
    /// The same session with a later end, where it is time to renew the cookie.
    pub(crate) renewed: Option<Session>,
}

/// The layer's policy, as the builder checked it.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) allows_preflight: bool,
    pub(crate) cookies: Cookies,
    pub(crate) lifetimes: Lifetimes,
    /// The inner service is a proxy, and learns by headers who is signed in.
    pub(crate) forwards_identity: bool,
    pub(crate) mount: String,
    pub(crate) public_url: PublicUrl,
    pub(crate) rules: Rules,
    pub(crate) tokens: Tokens,
    pub(crate) takes_bearer: bool,
    pub(crate) takes_webhooks: bool,
}

/// A session token, and how it came.
#[derive(Clone, Copy)]
struct Presented<'r> {
    token: &'r str,
    is_bearer: bool,
}

impl Gate {
    /// Says what to do with a request.
    pub(crate) fn decide(&self, head: &RequestHead<'_>, now: Timestamp) -> Decision {
        if let Some(endpoint) = self.endpoint(head) {
            return match self.guard(endpoint, head, now) {
                Ok(()) => Decision::Step(endpoint),
                Err(rejection) => Decision::RefuseStep(rejection),
            };
        }
        if self.forwards_identity && upgrade::asks_for_tunnel(head) {
            return Decision::Refuse(Rejection::new(RejectionKind::AmbiguousRequest));
        }
        if self.allows_preflight && head.is_preflight() {
            return Decision::Pass(Exposure::Public, None);
        }
        let exposure = self.rules.exposure(head.method(), head.path());
        match (exposure, self.admission(head, now)) {
            (Exposure::Optional | Exposure::Public, admission) => {
                Decision::Pass(exposure, admission.ok())
            }
            (Exposure::Protected, Ok(admission)) => Decision::Admit(admission),
            (Exposure::Protected, Err(kind)) => Decision::Refuse(Rejection::new(kind)),
        }
    }

    /// Says what to do with a request of which nothing is known but its headers: no path is public.
    pub(crate) fn protected(&self, head: &RequestHead<'_>, now: Timestamp) -> Decision {
        match self.admission(head, now) {
            Ok(admission) => Decision::Admit(admission),
            Err(kind) => Decision::Refuse(Rejection::new(kind)),
        }
    }

    fn admission(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Admission, RejectionKind> {
        let presented = self.presented(head)?;
        let session = self.verify(presented.token, now)?;
        // Who sends a bearer token keeps no cookies.
        let renewed = if presented.is_bearer {
            None
        } else {
            self.lifetimes.renewal(&session, now)
        };
        Ok(Admission { session, renewed })
    }

    /// Reads the session of a request, as its token states it. Whether it was ended early only the store knows.
    pub(crate) fn session(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Session, RejectionKind> {
        self.verify(self.presented(head)?.token, now)
    }

    /// Reads the sessions that a request to sign out means: its own, or those of all its cookies that are good where these conflict. Whoever planted
    /// one must keep no other alive.
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
        for token in head.cookies(self.cookies.name(Jar::Session)) {
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
        self.takes_bearer && head.bearer() != Found::Nothing
    }

    /// Returns what the answers to who is signed in depend on, for `Vary`.
    pub(crate) const fn vary(&self) -> HeaderValue {
        vary(self.takes_bearer)
    }

    fn cookie<'r>(&self, head: &RequestHead<'r>) -> Result<Option<&'r str>, RejectionKind> {
        match head.cookie(self.cookies.name(Jar::Session)) {
            Found::Conflict => Err(RejectionKind::ConflictingCookies),
            Found::Nothing => Ok(None),
            Found::One(token) => Ok(Some(token)),
        }
    }

    /// Returns the token that a request presents. Two that differ are a conflict: whoever planted one must not choose.
    fn presented<'r>(&self, head: &RequestHead<'r>) -> Result<Presented<'r>, RejectionKind> {
        let cookie = self.cookie(head)?;
        if self.takes_bearer {
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

    fn verify(&self, token: &str, now: Timestamp) -> Result<Session, RejectionKind> {
        let session = self
            .tokens
            .verify(token, now)
            .map_err(|fault| match fault {
                Fault::Expired => RejectionKind::ExpiredSession,
                Fault::Invalid => RejectionKind::InvalidSession,
            })?;
        // The token knows the lifetimes that were configured when it was minted; today's may be shorter.
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
        head.cookie(self.cookies.name(Jar::Browser))
            .one()
            .filter(|cookie| self.tokens.keys().made_browser_cookie(cookie, now))
    }

    /// Makes a session for an identity that was proven at `now`.
    pub(crate) fn begin_session(
        &self,
        identity: &Identity,
        id: SessionId,
        term: Term,
        now: Timestamp,
    ) -> Session {
        let times = Times {
            issued_at: now,
            expires_at: self.lifetimes.end_of_new(term, now),
            auth_time: now,
        };
        Session::new(identity, id, times).with_term(term)
    }

    /// Returns when the last token of a session, renewed or not, will have ended.
    pub(crate) fn end_of_last_token(&self, session: &Session) -> Timestamp {
        session
            .expires_at()
            .max(self.lifetimes.absolute_end_of(session))
    }

    /// Returns the `Set-Cookie` value that hands a browser a session's token.
    pub(crate) fn session_cookie(
        &self,
        session: &Session,
        token: &str,
        now: Timestamp,
    ) -> HeaderValue {
        let lifetime = self.lifetimes.cookie_lifetime(session, now);
        self.cookies.set(Jar::Session, token, lifetime)
    }

    pub(crate) const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Makes a browser forget its session, and that it was handed one a moment ago.
    pub(crate) fn forget(&self, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        headers.append(header::SET_COOKIE, self.cookies.removal());
        self.forget_if_sent(Jar::Arrived, head, headers);
        self.forget_former(head, headers);
    }

    /// Makes a browser forget the session cookie of before the session had a domain.
    pub(crate) fn forget_former(&self, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        if self.cookies.has_domain() {
            self.forget_if_sent(Jar::Former, head, headers);
        }
    }

    fn forget_if_sent(&self, jar: Jar, head: &RequestHead<'_>, headers: &mut HeaderMap) {
        if head.cookie(self.cookies.name(jar)) != Found::Nothing {
            headers.append(header::SET_COOKIE, self.cookies.removal_of(jar));
        }
    }

    /// Returns where a navigation wanted to go, if it can go there after signing in.
    pub(crate) fn return_to(&self, head: &RequestHead<'_>) -> Option<ReturnTo> {
        let wanted = head.original_uri().path_and_query()?;
        ReturnTo::parse(wanted.as_str(), &self.mount)
    }

    /// Returns an endpoint's path.
    pub(crate) fn path(&self, endpoint: Endpoint) -> String {
        format!("{}/{}", self.mount, endpoint.name())
    }

    /// Returns the path of the form, and behind it where to go afterwards.
    pub(crate) fn login_path(&self, return_to: Option<&ReturnTo>) -> String {
        let path = self.path(Endpoint::Login);
        match return_to {
            Some(return_to) => format!("{path}?return_to={}", return_to.encoded()),
            None => path,
        }
    }

    /// Returns a path's URL, made from `public_url` alone.
    pub(crate) fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.origin())
    }
}

/// Returns what an answer that was made for a session, or for want of one, depends on.
pub(crate) const fn vary(takes_bearer: bool) -> HeaderValue {
    HeaderValue::from_static(if takes_bearer {
        "cookie, authorization"
    } else {
        "cookie"
    })
}
