//! `SessionIssuer`: sessions of people and programs whom the application signs in by other means.
//!
//! - What it makes is what a sign-in makes: the same token, the same cookie, the same events. The
//!   gate cannot tell them apart.
//! - It works through plain header values; under feature `tower-cookies` through that crate's jar
//!   too (`jar`).
//! - The cookie of a response that signs in or out wins over one that the layer would renew in it.

use std::{fmt, sync::Arc};

use http::HeaderValue;

use crate::{
    layer::MagicLinkLayer,
    provider::Identity,
    session::{IssueError, Issued, Session, Term, cookie::Jar},
    shared::Shared,
    store::StoreError,
};

#[cfg(feature = "tower-cookies")]
mod jar;

/// Makes and ends sessions for people and programs whom the application signs in by other means: a
/// password, a certificate, a command line tool.
/// [`MagicLinkLayer::issuer`](crate::MagicLinkLayer::issuer) returns it. Clones share everything;
/// cloning costs a counter.
///
/// A browser gets the session in a cookie; a program that keeps none sends it as a bearer token,
/// where [`Builder::bearer_tokens`](crate::Builder::bearer_tokens) is on.
///
/// Whom to sign in is the application's word alone: neither the organizations, the domains nor
/// [`Builder::authorize`](crate::Builder::authorize) are asked. It must have made sure of the
/// person before, and that the request comes from its own origin: a form that signs in can be
/// posted from anywhere otherwise. The path of that form is a public one, since nobody who needs it
/// is signed in.
///
/// ```
/// use http::{Request, Response, StatusCode, header};
/// use tower_magic_link::{
///     Email, KeyRing, MagicLinkLayer, Session, SigningKey, companion::SessionIssuer,
///     provider::Identity,
/// };
/// # use tower_magic_link::provider::{
/// #     AuthorizationCode, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started,
/// # };
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
/// #         Err(ProviderErrorKind::Refused.into())
/// #     }
/// # }
/// # fn is_password(_: &str) -> bool { true }
///
/// /// Answers a password. The session goes into a cookie; the answer is for nobody else.
/// fn sign_in(issuer: &SessionIssuer, password: &str) -> Result<Response<()>, Box<dyn std::error::Error>> {
///     if !is_password(password) {
///         return Ok(Response::builder().status(StatusCode::FORBIDDEN).body(())?);
///     }
///     let ada = Identity::new("user-1", Email::parse("ada@example.com")?);
///     let issued = issuer.issue(&ada)?;
///     Ok(Response::builder()
///         .header(header::SET_COOKIE, issued.set_cookie())
///         .header(header::CACHE_CONTROL, "no-store")
///         .body(())?)
/// }
///
/// /// Ends the session of a request. If the store does not take it, a copy of the cookie works until it expires.
/// async fn sign_out(issuer: &SessionIssuer, request: Request<()>) -> Result<Response<()>, Box<dyn std::error::Error>> {
///     if let Some(session) = request.extensions().get::<Session>() {
///         issuer.sign_out(session).await?;
///     }
///     let mut response = Response::new(());
///     for removal in issuer.removals() {
///         response.headers_mut().append(header::SET_COOKIE, removal);
///     }
///     Ok(response)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let layer = MagicLinkLayer::builder(Provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .public_path("/password")
///     .build()?;
/// let issuer = layer.issuer();
///
/// let response = sign_in(&issuer, "correct horse")?;
/// assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-magic-link=ey"));
/// # let mut request = Request::new(());
/// # let session = issuer.issue(&Identity::new("user-1", Email::parse("ada@example.com")?))?.session().clone();
/// # request.extensions_mut().insert(session);
/// let response = sign_out(&issuer, request).await?;
/// assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-magic-link=;"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct SessionIssuer {
    shared: Arc<Shared>,
}

impl MagicLinkLayer {
    /// Returns what makes and ends sessions for people whom the application signs in by other
    /// means.
    #[must_use]
    pub fn issuer(&self) -> SessionIssuer {
        SessionIssuer::new(self.shared().clone())
    }
}

impl SessionIssuer {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes a session that begins now, and tells
    /// [`Event::SignedIn`](crate::event::Event::SignedIn).
    ///
    /// It is never a remember-me session: where
    /// [`Builder::remember_me`](crate::Builder::remember_me) is on, its cookie ends when the
    /// browser closes.
    ///
    /// A session that the request had before goes on: end it with [`SessionIssuer::sign_out`], so
    /// that nobody keeps what they planted.
    ///
    /// # Errors
    ///
    /// [`IssueError`]: no session was made.
    pub fn issue(&self, identity: &Identity) -> Result<Issued, IssueError> {
        self.shared
            .issue(identity, Term::Usual, self.shared.clock.now())
    }

    /// Ends a session everywhere that the revocation store reaches, and tells
    /// [`Event::SignedOut`](crate::event::Event::SignedOut). The browser keeps its cookie until it
    /// is sent [`SessionIssuer::removals`].
    ///
    /// It waits for the store as long as
    /// [`Builder::revocation_timeout`](crate::Builder::revocation_timeout), on a tokio runtime with
    /// its timer enabled.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store did not take it: the session's token works until it expires.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        session.leave();
        let now = self.shared.clock.now();
        self.shared.end(session, false, now).await
    }

    /// Ends every session of this one's person that has begun by now, this one among them, as
    /// [`SessionIssuer::sign_out`] ends one.
    ///
    /// These are the sessions of its subject, whatever their address, and those of its address,
    /// whatever their subject: a link and a code yield [two
    /// subjects](Identity#what-to-key-accounts-on) of one person. So sessions that are issued for
    /// several subjects under one address end together; where that must not be, revoke
    /// [`Target::Subject`](crate::revocation::Target::Subject) in the store itself.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// use tower_magic_link::{
    ///     Email,
    ///     provider::Identity,
    ///     revocation::{Lookup, MemoryRevocations, Revocations, Standing},
    /// };
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// let ended = MemoryRevocations::default();
    /// let issuer = builder.revocations(ended.clone()).build()?.issuer();
    ///
    /// let ada = Identity::new("user-1", Email::parse("ada@example.com")?);
    /// let (phone, laptop) = (issuer.issue(&ada)?, issuer.issue(&ada)?);
    ///
    /// // On the phone: "sign out on all devices".
    /// issuer.sign_out_everywhere(phone.session()).await?;
    /// assert!(matches!(ended.look_up(laptop.session()), Lookup::Settled(Ok(Standing::Revoked))));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store did not take both: the sessions' tokens may work until they
    /// expire.
    pub async fn sign_out_everywhere(&self, session: &Session) -> Result<(), StoreError> {
        session.leave();
        let now = self.shared.clock.now();
        self.shared.end(session, true, now).await
    }

    /// Returns the `Set-Cookie` value that makes a browser forget the session.
    ///
    /// It is enough for a session that the application itself began; for any
    /// [`SessionIssuer::removals`] are.
    #[must_use]
    pub fn removal(&self) -> HeaderValue {
        self.shared.gate.cookies().removal()
    }

    /// Returns the two `Set-Cookie` values, each for a field of its own, that make a browser forget
    /// the session and that it was handed one a moment ago.
    ///
    /// The second is a cookie that the layer sets for a minute when somebody signs in. A browser
    /// that brings it to the form without the session is told that it [drops our
    /// cookies](crate::event::Event::CookieLost), and after signing out that would be false.
    #[must_use]
    pub fn removals(&self) -> [HeaderValue; 2] {
        let cookies = self.shared.gate.cookies();
        [cookies.removal(), cookies.removal_of(Jar::Arrived)]
    }
}

impl fmt::Debug for SessionIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionIssuer").finish_non_exhaustive()
    }
}
