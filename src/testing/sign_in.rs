//! Adds a session to a request, without a form or a mail.

use std::time::Duration;

use http::{HeaderValue, Request, header};

use super::stub::identity_of;
use crate::{
    email::Email,
    layer::MagicLinkLayer,
    provider::Identity,
    session::{Session, SessionId, Term, cookie::CookieName},
};

impl MagicLinkLayer {
    /// Adds a session cookie to a request, as if this address had just signed in.
    ///
    /// If the layer has organizations, the session is of the first of them. The layer refuses the
    /// request if the address is of none of its domains.
    ///
    /// # Panics
    ///
    /// When the text is not an email address.
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    #[expect(clippy::expect_used, reason = "for tests, where a panic is the answer")]
    pub fn sign_in<B>(&self, request: &mut Request<B>, email: &str) -> Session {
        let email = Email::parse(email).expect("an e-mail address");
        let organizations = &self.shared().gate.allowed.organizations;
        let identity = identity_of(email).with_organization(organizations.first().cloned());
        let (session, cookie) = self
            .session_for(&identity)
            .expect("a session that fits a cookie");
        let cookie = HeaderValue::try_from(cookie).expect("visible ASCII");
        request.headers_mut().append(header::COOKIE, cookie);
        session
    }

    /// Returns a new session of an identity, and the `Cookie` pair that carries it.
    fn session_for(&self, identity: &Identity) -> Option<(Session, String)> {
        let shared = self.shared();
        let gate = &shared.gate;
        let id = SessionId::from_bytes(crate::random::bytes());
        let reading = shared.clock.at(shared.clock.now());
        let session = gate.begin_session(identity, id, Term::Usual, reading);
        // The store is not asked: a test may count its look-ups.
        let after = session.auth_time() - Duration::from_secs(1);
        let session = session.with_after(after);
        let token = gate.tokens.mint(&session)?;
        Some((
            session,
            format!("{}={token}", gate.cookies.name(CookieName::Session)),
        ))
    }
}
