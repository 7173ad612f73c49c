//! The gate decides which requests may pass. It is pure: the head and the time are arguments.
//!
//! 1. A request to one of the layer's own endpoints is never handed on. A wrong method, or a POST
//!    from another site, is refused.
//! 2. In front of a proxy, a `CONNECT` for a tunnel of bytes is refused, because the layer cannot
//!    check the requests inside.
//! 3. A CORS preflight passes if that is allowed, always without a session.
//! 4. A public or optional path passes, with the session if there is one.
//! 5. A session token that verifies is admitted, if its person may pass (`allowed`). A cookie's
//!    token is renewed when that is due, a bearer token never. Two tokens that differ are refused.
//! 6. Everything else is refused.

use http::HeaderValue;

use crate::{
    clock::Reading,
    rejection::{Rejection, RejectionKind},
    request::{
        head::{Found, RequestHead},
        upgrade,
    },
    revocation::Standing,
    session::{
        Session,
        cookie::{CookieName, Cookies},
        lifetimes::Lifetimes,
        token::{Fault, Tokens},
    },
    site::{
        endpoint::Endpoint,
        public_url::PublicUrl,
        return_to::{self, ReturnTo, TOO_LONG},
        rules::{Exposure, Rules},
    },
};

mod allowed;
mod caching;
mod hand_out;
pub(crate) mod lost_cookie;
mod who;

pub(crate) use self::{allowed::Allowed, caching::Caching, who::Credentials};

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Hand it on with its session, once the revocation store agrees.
    Admit(Admission),
    /// Hand it on: its path is public or optional. It keeps its session if the revocation store
    /// agrees.
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
    /// Settles a request. An outage of the store closes protected paths only.
    pub(crate) fn settle(self, standing: Result<Standing, Rejection>) -> Verdict {
        match (standing, self) {
            (Ok(Standing::Active), _) => Verdict::Admit,
            // Without its session. On an open path, an outage must not refuse what every stranger
            // gets.
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
    /// The same session with a later end, if it is time to renew the cookie.
    pub(crate) renewed: Option<Session>,
}

/// The layer's policy, as the builder checked it.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) allowed: Allowed,
    pub(crate) allows_preflight: bool,
    pub(crate) caching: Caching,
    pub(crate) cookies: Cookies,
    pub(crate) lifetimes: Lifetimes,
    /// Whether the inner service is a proxy, which reads the session from headers.
    pub(crate) has_identity_headers: bool,
    pub(crate) mount: String,
    pub(crate) public_url: PublicUrl,
    pub(crate) rules: Rules,
    pub(crate) tokens: Tokens,
    pub(crate) credentials: Credentials,
    pub(crate) takes_webhooks: bool,
}

/// A session token, and how it came.
#[derive(Clone, Copy)]
struct Presented<'r> {
    token: &'r [u8],
    is_bearer: bool,
}

impl Gate {
    /// Says what to do with a request.
    pub(crate) fn decide(&self, head: &RequestHead<'_>, now: Reading) -> Decision {
        if let Some(endpoint) = self.endpoint(head) {
            return match self.guard(endpoint, head, now) {
                Ok(()) => Decision::Step(endpoint),
                Err(rejection) => Decision::RefuseStep(rejection),
            };
        }
        // The bytes of a tunnel could carry requests with identity headers of the client's own.
        if self.has_identity_headers && upgrade::asks_for_tunnel(head) {
            return Decision::Refuse(Rejection::new(RejectionKind::AmbiguousRequest));
        }
        // A preflight never carries credentials (Fetch, "CORS-preflight fetch"), so no session
        // could admit it.
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

    /// Says what to do with a request of which only the headers are known: no path is public.
    pub(crate) fn protected(&self, head: &RequestHead<'_>, now: Reading) -> Decision {
        match self.admission(head, now) {
            Ok(admission) => Decision::Admit(admission),
            Err(kind) => Decision::Refuse(Rejection::new(kind)),
        }
    }

    /// Says whether a session that has not been ended would be admitted, by today's lifetimes and
    /// lists.
    pub(crate) fn takes(&self, session: &Session, now: Reading) -> bool {
        now.now() < self.lifetimes.steady_end_of(session, now) && self.allowed.has_session(session)
    }

    fn admission(&self, head: &RequestHead<'_>, now: Reading) -> Result<Admission, RejectionKind> {
        let presented = self.presented(head)?;
        let session = self.allow(self.verify(presented.token, now)?)?;
        // A client that sends a bearer token keeps no cookies.
        let renewed = if presented.is_bearer {
            None
        } else {
            self.lifetimes.renewal(&session, now)
        };
        Ok(Admission { session, renewed })
    }

    /// Returns the token that a request presents. Two that differ are a conflict: an attacker who
    /// planted one must not choose the session.
    fn presented<'r>(&self, head: &RequestHead<'r>) -> Result<Presented<'r>, RejectionKind> {
        let cookie = self.cookie(head)?;
        if self.credentials.has_bearer() {
            match head.bearer() {
                Found::Conflict => return Err(RejectionKind::ConflictingCredentials),
                Found::Nothing => {}
                Found::One(token) => {
                    let (token, is_bearer) = (token.as_bytes(), true);
                    // The inner service may read the one that was not checked.
                    return match cookie {
                        Some(cookie) if cookie != token => {
                            Err(RejectionKind::ConflictingCredentials)
                        }
                        _ => Ok(Presented { token, is_bearer }),
                    };
                }
            }
        }
        let is_bearer = false;
        cookie
            .map(|token| Presented { token, is_bearer })
            .ok_or(RejectionKind::NoSession)
    }

    fn cookie<'r>(&self, head: &RequestHead<'r>) -> Result<Option<&'r [u8]>, RejectionKind> {
        match head.cookie_bytes(self.cookies.name(CookieName::Session)) {
            Found::Conflict => Err(RejectionKind::ConflictingCookies),
            Found::Nothing => Ok(None),
            Found::One(token) => Ok(Some(token)),
        }
    }

    fn verify(&self, token: &[u8], now: Reading) -> Result<Session, RejectionKind> {
        let session = self
            .tokens
            .verify(token, now)
            .map_err(|fault| match fault {
                Fault::Expired => RejectionKind::ExpiredSession,
                Fault::Invalid => RejectionKind::InvalidSession,
            })?;
        // The token knows the lifetimes that were configured when it was minted; today's may be
        // shorter.
        if now.now() >= self.lifetimes.steady_end_of(&session, now) {
            return Err(RejectionKind::ExpiredSession);
        }
        Ok(session)
    }

    /// Returns the endpoint that a request names. Without a webhook secret, the webhook's path is
    /// an ordinary path.
    pub(crate) fn endpoint(&self, head: &RequestHead<'_>) -> Option<Endpoint> {
        // Without a secret there is no webhook, and its path is the application's.
        let endpoint = Endpoint::named_by(head, &self.mount);
        endpoint.filter(|endpoint| self.takes_webhooks || *endpoint != Endpoint::Webhook)
    }

    /// Guards the layer's own endpoints.
    ///
    /// The method must be one of the endpoint's, and a prefetch is refused. A POST must come from
    /// the layer's own origin; the webhook's events are signed instead.
    fn guard(
        &self,
        endpoint: Endpoint,
        head: &RequestHead<'_>,
        now: Reading,
    ) -> Result<(), Rejection> {
        if !endpoint.takes(head.method()) {
            return Err(Rejection::method_not_allowed(endpoint.allow()));
        }
        // An event is signed. It comes from no browser, so it has neither an origin nor a cookie.
        if endpoint == Endpoint::Webhook {
            return Ok(());
        }
        // A prefetch carries cookies, and nobody has clicked yet.
        if head.said().is_prefetch() {
            return Err(Rejection::new(RejectionKind::Prefetch));
        }
        let has_own_cookie = || {
            self.browser_cookie(head, now).is_some()
                || (endpoint == Endpoint::Logout && self.may_sign_out(head))
        };
        if !head.is_safe() && head.is_cross_site(self.public_url.origin(), has_own_cookie) {
            // Without `Sec-Fetch-Site` and an origin, our cookie alone can show that the form was
            // ours. A browser may have dropped it, so the page says that instead of naming another
            // site. A client that never had it gets the same.
            return Err(match head.wants_page() && head.is_silent_on_site() {
                true => {
                    let name = self.cookies.name(CookieName::Browser);
                    lost_cookie::rejection(head, &self.public_url, name)
                }
                false => Rejection::new(RejectionKind::CrossSite),
            });
        }
        Ok(())
    }

    /// Returns the `Vary` value of answers that depend on the session.
    pub(crate) const fn vary(&self) -> HeaderValue {
        self.credentials.vary()
    }

    pub(crate) const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Returns the target of a navigation, if the browser can go there after signing in.
    pub(crate) fn return_to(&self, head: &RequestHead<'_>) -> Option<ReturnTo> {
        let wanted = head.original_uri().path_and_query()?;
        ReturnTo::parse(wanted.as_str(), &self.mount)
    }

    /// Returns an endpoint's path.
    pub(crate) fn path(&self, endpoint: Endpoint) -> String {
        [&self.mount, "/", endpoint.name()].concat()
    }

    /// Returns an endpoint's path, with a sealed value in its query.
    pub(crate) fn path_to(&self, endpoint: Endpoint, sealed: &str) -> String {
        [&self.mount, "/", endpoint.name(), "?t=", sealed].concat()
    }

    /// Returns the path of the login form, with the place to return to in its query.
    pub(crate) fn login_path(&self, return_to: Option<&ReturnTo>) -> String {
        self.login_path_to(return_to.map(ReturnTo::as_str))
    }

    /// Writes the path of the login form in one room of the right size. The place to return to is
    /// one that `ReturnTo` takes.
    fn login_path_to(&self, return_to: Option<&str>) -> String {
        let Some(return_to) = return_to else {
            return self.path(Endpoint::Login);
        };
        let (name, query) = (Endpoint::Login.name(), "?return_to=");
        let length = self.mount.len() + "/".len() + name.len() + query.len();
        let mut path = Vec::with_capacity(length + return_to::encoded_len(return_to));
        for part in [self.mount.as_str(), "/", name, query] {
            path.extend_from_slice(part.as_bytes());
        }
        return_to::encode_onto(&mut path, return_to);
        // Never invalid: what was appended is ASCII.
        String::from_utf8(path).unwrap_or_default()
    }

    /// Returns the path of the login form for a navigation. It leads back to the target, or says
    /// that the target is too long for that.
    pub(crate) fn login_path_of(&self, head: &RequestHead<'_>) -> String {
        match head.original_uri().path_and_query() {
            Some(wanted) if ReturnTo::is_too_long(wanted.as_str()) => self.login_path_without(),
            Some(wanted) if ReturnTo::is_good(wanted.as_str(), &self.mount) => {
                self.login_path_to(Some(wanted.as_str()))
            }
            _ => self.login_path_to(None),
        }
    }

    /// Returns the path of the login form that says that the place to return to is too long.
    pub(crate) fn login_path_without(&self) -> String {
        format!("{}?{TOO_LONG}=1", self.path(Endpoint::Login))
    }

    /// Returns a path's URL, made from `public_url` alone.
    pub(crate) fn absolute(&self, path: &str) -> String {
        [self.public_url.origin(), path].concat()
    }
}
