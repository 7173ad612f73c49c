//! `SessionIssuer`: sessions for people and programs that the application signs in by other means.
//!
//! - It makes what a sign-in makes: the same token, the same cookie, the same events. The gate
//!   cannot tell them apart.
//! - It returns plain header values. With feature `tower-cookies` it also writes to that crate's
//!   jar (`jar`).
//! - If a response sets the session's cookie itself, the layer does not renew that cookie in it.

use std::{fmt, sync::Arc};

use http::HeaderValue;

use crate::{
    layer::MagicLinkLayer,
    provider::Identity,
    session::{Grant, IssueError, Issued, Session, Term, cookie::CookieName},
    shared::{Extent, Shared},
    store::StoreError,
};

#[cfg(feature = "tower-cookies")]
mod jar;

/// Makes and ends sessions for people and programs that the application signs in by other means.
///
/// Such means are a password, a certificate or a command line tool.
/// [`MagicLinkLayer::issuer`](crate::MagicLinkLayer::issuer) returns it. Clones share everything; a
/// clone costs one reference count.
///
/// A browser gets the session in a cookie. A program without cookies sends it as a bearer token, if
/// [`Builder::bearer_tokens`](crate::Builder::bearer_tokens) is on.
///
/// The application decides whom to sign in: the layer does not call
/// [`Builder::authorize`](crate::Builder::authorize). Its organizations and domains hold for these
/// sessions, too, because the gate asks for them at every request. If the layer has organizations,
/// state the one of which the application knows the person to be a member
/// ([`Identity::with_organization`]). The application must authenticate the person first. It must
/// also check that the request comes from its own origin, because another site can post the sign-in
/// form too (login CSRF). The form's path must be public, because its visitors have no session yet.
///
/// ```
/// use http::{Method, Request, Response, StatusCode, header};
/// use tower_magic_link::{
///     Email, KeyRing, MagicLinkLayer, Session, SigningKey, companion::SessionIssuer,
///     provider::Identity,
/// };
/// # use tower_magic_link::provider::{
/// #     Finish, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started,
/// # };
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
/// #         Err(ProviderErrorKind::Refused.into())
/// #     }
/// # }
/// # fn is_password(_: &str) -> bool { true }
///
/// /// Checks a password, and sets the session's cookie. No cache may keep the response.
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
/// /// Ends the session of a request. The browser forgets it even if the store fails: a 503 then
/// /// says that a copy of the cookie may work until it expires.
/// async fn sign_out(issuer: &SessionIssuer, request: Request<()>) -> Response<()> {
///     let mut response = Response::new(());
///     for removal in issuer.removals() {
///         response.headers_mut().append(header::SET_COOKIE, removal);
///     }
///     if let Some(session) = request.extensions().get::<Session>() {
///         if issuer.sign_out(session).await.is_err() {
///             *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
///         }
///     }
///     response
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let layer = MagicLinkLayer::builder(Provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .public_path((Method::POST, "/password"))
///     .build()?;
/// let issuer = layer.issuer();
///
/// let response = sign_in(&issuer, "correct horse")?;
/// assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-magic-link=ey"));
/// # let mut request = Request::new(());
/// # let session = issuer.issue(&Identity::new("user-1", Email::parse("ada@example.com")?))?.session().clone();
/// # request.extensions_mut().insert(session);
/// let response = sign_out(&issuer, request).await;
/// assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-magic-link=;"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct SessionIssuer {
    shared: Arc<Shared>,
}

impl MagicLinkLayer {
    /// Returns the issuer, for people and programs that the application signs in by other means.
    #[must_use]
    pub fn issuer(&self) -> SessionIssuer {
        SessionIssuer::new(self.shared().clone())
    }
}

impl SessionIssuer {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes a session of a person or program whom the application has authenticated just now.
    ///
    /// Its [`Session::auth_time`] is now, so it passes
    /// [`RequireRecent`](crate::companion::RequireRecent). If a signed-in person only wants a
    /// further session, such as a token for a terminal, use [`SessionIssuer::issue_from`].
    ///
    /// It reports [`Event::SignedIn`](crate::event::Event::SignedIn).
    ///
    /// It comes after every revocation of the person that the store knows without waiting, such as
    /// memory or Redis. If the store has to wait, as PostgreSQL, or fails, only their dates count.
    /// A revocation of the same second or later ends the new session at its first request: one by a
    /// machine whose clock is ahead, or one of a [webhook](crate::Builder::webhook_secret), which
    /// is dated a minute after its event.
    ///
    /// It is never a remember-me session: if [`Builder::remember_me`](crate::Builder::remember_me)
    /// is on, its cookie ends when the browser closes.
    ///
    /// A session that the request already has stays valid. End it with [`SessionIssuer::sign_out`]:
    /// an attacker may have planted it (session fixation).
    ///
    /// # Errors
    ///
    /// [`IssueError`]: no session was made. It is [`IssueError::NotAllowed`] if the layer would not
    /// admit the session.
    pub fn issue(&self, identity: &Identity) -> Result<Issued, IssueError> {
        self.begin(identity, None)
    }

    /// Makes such a session with what the application [grants](Grant): its own subject,
    /// organization, names and claims. The identity is what proved the person, as for
    /// [`issue`](Self::issue).
    ///
    /// ```
    /// use tower_magic_link::{Grant, companion::{IssueError, Issued, SessionIssuer}, provider::Identity};
    ///
    /// fn sign_in(issuer: &SessionIssuer, who: &Identity, account: u64) -> Result<Issued, IssueError> {
    ///     let issued = issuer.issue_granted(who, &Grant::new().subject(account.to_string()))?;
    ///     assert_eq!(issued.session().provider_subject(), who.subject());
    ///     Ok(issued)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue). [`IssueError::NoSubject`] if the granted subject is empty.
    pub fn issue_granted(&self, identity: &Identity, grant: &Grant) -> Result<Issued, IssueError> {
        self.begin(identity, Some(grant))
    }

    fn begin(&self, identity: &Identity, grant: Option<&Grant>) -> Result<Issued, IssueError> {
        let now = self.shared.clock.now();
        let issued = self.shared.issue(identity, grant, Term::Usual, now)?;
        self.shared.note_issued(issued.session(), now);
        Ok(issued)
    }

    /// Makes another session of a person who is signed in, such as a token for a terminal.
    ///
    /// The new session is of the same person, with all that the application [granted](Grant) to the
    /// other one. It has the sign-in of the other one: its
    /// [`Session::auth_time`], its method, its provider's session and its term. So it does not pass
    /// [`RequireRecent`](crate::companion::RequireRecent) for longer than the other one, it cannot
    /// outlive that one's absolute lifetime, and
    /// [`SessionIssuer::sign_out_everywhere`] ends both. Each has an id and an idle timeout of its
    /// own: signing out of one leaves the other.
    ///
    /// With [`Builder::reauthorize`](crate::Builder::reauthorize), the hook is asked about the new
    /// session when it would have been asked about the other one. So its
    /// [`Session::issued_at`] is the other one's, or up to one interval ago, and its idle timeout
    /// counts from there. The interval is the hook's, or the time after which the cookie is
    /// renewed ([`Builder::renew_after`]) if that is shorter. A list of sessions shows the same
    /// date. The hook is never asked about a bearer token. If a program that presents one may call
    /// this, a chain of tokens keeps what was granted until the absolute lifetime ends.
    ///
    /// [`Builder::renew_after`]: crate::Builder::renew_after
    ///
    /// If the application asks for a proof of its own before it, such as a second factor, and the
    /// new session is to count as a new sign-in, call [`SessionIssuer::issue`] instead.
    ///
    /// It reports [`Event::SignedIn`](crate::event::Event::SignedIn).
    ///
    /// ```
    /// use tower_magic_link::{
    ///     Session,
    ///     companion::{IssueError, SessionIssuer, SessionToken},
    /// };
    ///
    /// /// A page that shows a token for the terminal, once.
    /// fn token(issuer: &SessionIssuer, session: &Session) -> Result<SessionToken, IssueError> {
    ///     let issued = issuer.issue_from(session)?;
    ///     assert_eq!(issued.session().auth_time(), session.auth_time());
    ///     Ok(issued.token().clone())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`IssueError`]: no session was made. It is [`IssueError::Ended`] if the session has passed
    /// its absolute lifetime, as it may on a connection that lives on, if its token's key has left
    /// this layer's ring since, or if it was signed out by this [`Session`] or a clone of it. The
    /// revocation store is not asked.
    pub fn issue_from(&self, session: &Session) -> Result<Issued, IssueError> {
        let now = self.shared.clock.now();
        let issued = self.shared.issue_from(session, now)?;
        self.shared.note_issued(issued.session(), now);
        Ok(issued)
    }

    /// Ends a session on every replica that shares the revocation store.
    ///
    /// It reports [`Event::SignedOut`](crate::event::Event::SignedOut). The browser keeps its
    /// cookie until a response carries [`SessionIssuer::removals`].
    ///
    /// It waits for the store for at most
    /// [`Builder::revocation_timeout`](crate::Builder::revocation_timeout). Once the future has
    /// been polled, the end is recorded and reported even if the browser leaves and the handler
    /// that waits here is dropped. It needs a tokio runtime with its timer enabled.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store did not record the end. The session's token may then work until
    /// it expires.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        self.shared.sign_out(session, Extent::This).await
    }

    /// Ends every session of the same person that has begun by now, this one included, if the
    /// replicas' clocks differ by up to a minute. A session that began while a clock was further
    /// ahead is spared until the clocks have passed that.
    ///
    /// The person's next sign-in is good at every replica, however soon it is. The layer looks each
    /// new session up, and dates it after every revocation that the store knows
    /// ([`Revocations`](crate::revocation::Revocations#clocks-of-several-machines)).
    ///
    /// It does so as [`SessionIssuer::sign_out`] ends one.
    ///
    /// The person's sessions are all those of its subject and all those of its address, because a
    /// link and a code yield [two subjects](Identity#what-to-key-accounts-on) for one person. So
    /// sessions of several subjects under one address end together. If they must not, end those of
    /// the subject alone ([`MagicLinkLayer::end_sessions`]).
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
    /// [`StoreError`] if the store did not record both ends. The sessions' tokens may then work
    /// until they expire.
    pub async fn sign_out_everywhere(&self, session: &Session) -> Result<(), StoreError> {
        self.shared.sign_out(session, Extent::Everywhere).await
    }

    /// Returns the `Set-Cookie` value that makes a browser forget the session.
    ///
    /// It is enough for a session that the application itself issued. For any other session, use
    /// [`SessionIssuer::removals`].
    #[must_use]
    pub fn removal(&self) -> HeaderValue {
        self.shared.gate.cookies().removal()
    }

    /// Returns the two `Set-Cookie` values that sign a browser out. Send each in a field of its
    /// own.
    ///
    /// The first removes the session. The second removes a cookie that the layer sets for a minute
    /// when a person signs in. If a browser comes to the form with that cookie and without the
    /// session, the form says that it [drops our cookies](crate::event::Event::CookieLost), which
    /// would be false after signing out.
    #[must_use]
    pub fn removals(&self) -> [HeaderValue; 2] {
        let cookies = self.shared.gate.cookies();
        [cookies.removal(), cookies.removal_of(CookieName::Arrived)]
    }
}

impl fmt::Debug for SessionIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionIssuer").finish_non_exhaustive()
    }
}
