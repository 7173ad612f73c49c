//! `Explanation`: what the layer would do with a request, and why. For logs and for tests of a
//! configuration.
//!
//! - It is the gate's own decision, not a second implementation of it.
//! - The layer asks no revocation store, reads no form and reports no event for it.
//! - It prints rules, times and the session's id, but no cookie, token, address, path or query of
//!   the request.

use std::fmt;

use http::request::Parts;

use crate::{
    clock::Timestamp,
    gate::Decision,
    layer::MagicLinkLayer,
    rejection::RejectionKind,
    request::head::RequestHead,
    session::Session,
    site::rules::{Rule, is_plain},
};

/// What the layer would do with a request, and why. Made by [`MagicLinkLayer::explain`].
///
/// ```
/// # use tower_magic_link::{
/// #     KeyRing, SigningKey,
/// #     provider::{Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started},
/// # };
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
/// #         Err(ProviderErrorKind::Refused.into())
/// #     }
/// # }
/// # let provider = Provider;
/// use tower_magic_link::{MagicLinkLayer, RejectionKind, companion::Outcome};
///
/// let layer = MagicLinkLayer::builder(provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .public_prefix("/docs")
///     .build()?;
/// let explain = |path: &str| layer.explain(&http::Request::get(path).body(()).unwrap().into_parts().0);
///
/// assert_eq!(explain("/docs/start").outcome(), Outcome::Pass);
/// assert_eq!(explain("/reports").outcome(), Outcome::Refuse(RejectionKind::NoSession));
/// assert_eq!(
///     explain("/docs/start").to_string(),
///     "would pass without a session: public_prefix /docs (GET, HEAD) matches; no session: no_session"
/// );
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    ground: Ground,
    now: Timestamp,
    outcome: Outcome,
    rules: Vec<Rule>,
    session: Result<Session, RejectionKind>,
    /// When the session ends, by the lifetimes that the layer has now.
    end: Option<Timestamp>,
}

/// What decided about a request's path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ground {
    /// One of the layer's own endpoints, by its path: `/auth/login`.
    Endpoint(String),
    /// No rule matches the path, so it is protected.
    NoRule,
    /// Another reader may decode or fold the path into a different one (`%`, `\`, `;`, `//`, dot
    /// segments, segments such as `(S(x))`). So it is protected, whatever the rules say.
    NotPlain,
    /// The request is a CORS preflight, and the layer lets those through.
    Preflight,
    /// This rule, the most specific that matches.
    Rule(Rule),
}

/// What the layer would do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Hand it on with its session, if the revocation store agrees.
    Admit,
    /// Hand it on without a session.
    Pass,
    /// Refuse it.
    Refuse(RejectionKind),
    /// Answer it: it is a step of signing in or out.
    Step,
}

impl Explanation {
    /// Returns what decided about the path.
    #[must_use]
    pub const fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Returns what the layer would do.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns all rules of the layer, in the order in which they are tried.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the session that the request carries. It may have been ended early: the revocation
    /// store was not asked.
    ///
    /// # Errors
    ///
    /// The reason why the request has no valid session.
    pub fn session(&self) -> Result<&Session, RejectionKind> {
        self.session.as_ref().map_err(|kind| *kind)
    }

    /// Returns the time of the decision, by the clock with which the session's times are compared.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}

/// One line, for a log.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Admit => f.write_str("would be admitted with its session")?,
            Outcome::Pass => f.write_str("would pass without a session")?,
            Outcome::Refuse(kind) => write!(f, "would be refused as {}", kind.code())?,
            Outcome::Step => f.write_str("would be answered by the layer")?,
        }
        match &self.ground {
            Ground::Endpoint(path) => write!(f, ": {path} is its endpoint")?,
            Ground::NoRule => f.write_str(": no rule matches, so it is protected")?,
            Ground::NotPlain => f.write_str(": its path is not plain, so it is protected")?,
            Ground::Preflight => f.write_str(": preflights are let through")?,
            Ground::Rule(rule) => write!(f, ": {rule} matches")?,
        }
        match &self.session {
            Ok(session) => write!(
                f,
                "; session {} is good from {} to {}, and now is {}; the revocation store was not asked",
                session.id(),
                session.issued_at().as_secs(),
                self.end.unwrap_or(session.expires_at()).as_secs(),
                self.now.as_secs(),
            ),
            Err(kind) => write!(f, "; no session: {}", kind.code()),
        }
    }
}

impl MagicLinkLayer {
    /// Says what the layer would do with a request now, and why.
    ///
    /// Pass the request as the layer would receive it, with its extensions: a router that nests the
    /// layer changes the path. The revocation store is not asked, so the layer may still refuse a
    /// request that the explanation admits.
    #[must_use]
    pub fn explain(&self, request: &Parts) -> Explanation {
        let shared = self.shared();
        let (gate, reading) = (&shared.gate, shared.clock.at(shared.clock.now()));
        let head = RequestHead::of_parts(request);
        let ground = if let Some(endpoint) = gate.endpoint(&head) {
            Ground::Endpoint(gate.path(endpoint))
        } else if gate.allows_preflight && head.is_preflight() {
            Ground::Preflight
        } else if let Some(rule) = gate.rules.rule_for(head.method(), head.path()) {
            Ground::Rule(rule.clone())
        } else if is_plain(head.path()) {
            Ground::NoRule
        } else {
            Ground::NotPlain
        };
        let outcome = match gate.decide(&head, reading) {
            Decision::Admit(_) | Decision::Pass(_, Some(_)) => Outcome::Admit,
            Decision::Pass(_, None) => Outcome::Pass,
            Decision::Refuse(rejection) | Decision::RefuseStep(rejection) => {
                Outcome::Refuse(rejection.kind())
            }
            Decision::Step(_) => Outcome::Step,
        };
        // For a public path too: why its session was not found is what a developer asks.
        let session = gate.session(&head, reading);
        Explanation {
            ground,
            // What the session's dates are compared with.
            now: match &session {
                Ok(session) => reading.judging(session.issued_at(), session.skew()),
                Err(_) => reading.date(),
            },
            outcome,
            rules: gate.rules.as_slice().to_vec(),
            end: session
                .as_ref()
                .map(|session| gate.lifetimes.end_of(session))
                .ok(),
            session,
        }
    }
}
