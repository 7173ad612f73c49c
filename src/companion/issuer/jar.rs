//! The issuer's methods for `tower_cookies::Cookies`.
//!
//! - The jar is for handlers that write cookies. The gate never reads it: percent-decoding a name
//!   defeats `__Host-`.
//! - A removal is added to the jar like any cookie. `Cookies::remove` would send nothing if the jar
//!   could not read the request's cookies, for instance beside another cookie that is not UTF-8.

use tower_cookies::Cookies;

use super::SessionIssuer;
use crate::session::IssueError;
use crate::{
    provider::Identity,
    session::{Session, cookie::CookieName},
    store::StoreError,
};

impl SessionIssuer {
    /// Makes a session as [`SessionIssuer::issue`] does, and puts its cookie into the jar.
    ///
    /// `CookieManagerLayer` writes the jar, and may stand on either side of the layer. No cache may
    /// keep the response: send `Cache-Control: no-store`.
    ///
    /// ```
    /// use axum::{Router, http::{Method, StatusCode, header}, routing::post};
    /// use tower_cookies::{CookieManagerLayer, Cookies};
    /// use tower_magic_link::{
    ///     ConfigError, Email, KeyRing, MagicLinkLayer, Session, SigningKey,
    ///     companion::SessionIssuer, provider::Identity,
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
    /// # fn who_has(_password: &str) -> Option<Identity> { None }
    ///
    /// # fn app() -> Result<Router, ConfigError> {
    /// let layer = MagicLinkLayer::builder(Provider, KeyRing::new(SigningKey::generate()?))
    ///     .public_url("https://app.example.com")
    ///     .public_path((Method::POST, "/password"))
    ///     .build()?;
    /// let (signing_in, signing_out) = (layer.issuer(), layer.issuer());
    ///
    /// let app = Router::new()
    ///     .route("/password", post(async move |cookies: Cookies, password: String| {
    ///         let Some(identity) = who_has(&password) else { return Err(StatusCode::FORBIDDEN) };
    ///         match signing_in.sign_in_with(&cookies, &identity) {
    ///             Ok(session) => Ok(([(header::CACHE_CONTROL, "no-store")], session.email().to_owned())),
    ///             Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    ///         }
    ///     }))
    ///     .route("/leave", post(async move |cookies: Cookies, session: Session| {
    ///         match signing_out.sign_out_with(&cookies, &session).await {
    ///             Ok(()) => StatusCode::NO_CONTENT,
    ///             Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    ///         }
    ///     }))
    ///     .layer(CookieManagerLayer::new())
    ///     .layer(layer);
    /// # Ok(app)
    /// # }
    /// # assert!(app().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`IssueError`] if no session was made. The jar is then unchanged.
    #[cfg_attr(docsrs, doc(cfg(feature = "tower-cookies")))]
    pub fn sign_in_with(
        &self,
        cookies: &Cookies,
        identity: &Identity,
    ) -> Result<Session, IssueError> {
        let issued = self.issue(identity)?;
        let session = issued.session().clone();
        let gate = &self.shared.gate;
        let lifetime = gate
            .lifetimes
            .cookie_lifetime(&session, session.issued_at());
        let cookie = gate
            .cookies
            .kept(CookieName::Session, issued.token().expose(), lifetime);
        cookies.add(cookie.into_owned());
        Ok(session)
    }

    /// Ends a session as [`SessionIssuer::sign_out`] does.
    ///
    /// It puts the [removals](SessionIssuer::removals) into the request's jar.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store did not record the end. The cookie is removed nevertheless; a
    /// copy of it may work until it expires.
    #[cfg_attr(docsrs, doc(cfg(feature = "tower-cookies")))]
    pub async fn sign_out_with(
        &self,
        cookies: &Cookies,
        session: &Session,
    ) -> Result<(), StoreError> {
        // Before the store is asked, so that the browser loses its cookie even if the store fails.
        for jar in [CookieName::Session, CookieName::Arrived] {
            cookies.add(self.shared.gate.cookies().removed(jar).into_owned());
        }
        self.sign_out(session).await
    }
}
