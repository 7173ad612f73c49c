//! The builder's setting for callers that keep no cookies.

use super::Builder;
use crate::gate::Credentials;

impl Builder {
    /// Also accepts a session token as `Authorization: Bearer …` (RFC 6750, section 2.1), and as
    /// gRPC metadata of that name. Default: the field is the application's own, and the layer does
    /// not read it.
    ///
    /// The token is that of the session cookie, or one that a
    /// [`SessionIssuer`](crate::companion::SessionIssuer) made: for a program, as below, or with
    /// [`issue_from`](crate::companion::SessionIssuer::issue_from) for a signed-in person's
    /// terminal.
    ///
    /// - The layer refuses a bearer token and a session cookie that differ, and several
    ///   `Authorization` fields. A field of another scheme, such as `Basic`, stays the
    ///   application's own.
    /// - The layer neither renews nor removes the session of a bearer token, and sets no cookie for
    ///   it. The session ends when its token expires.
    /// - A bearer token does not prove the origin of a request: a post to the layer's own endpoints
    ///   still has to come from the application's origin.
    /// - A response that depends on a session also has `Vary: authorization`, and a 401 offers
    ///   `Bearer` beside `MagicLink`.
    ///
    /// ```
    /// use http::{Request, header};
    /// use tower_magic_link::{
    ///     ConfigError, Email, KeyRing, MagicLinkLayer, SigningKey, provider::Identity,
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
    /// # let provider = Provider;
    ///
    /// let layer = MagicLinkLayer::builder(provider, KeyRing::new(SigningKey::generate()?))
    ///     .public_url("https://app.example.com")
    ///     .bearer_tokens()
    ///     .build()?;
    ///
    /// let robot = Identity::new("robot-7", Email::parse("robot@example.com")?);
    /// let issued = layer.issuer().issue(&robot)?;
    /// let request = Request::get("https://app.example.com/reports")
    ///     .header(header::AUTHORIZATION, format!("Bearer {}", issued.token().expose()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bearer_tokens(mut self) -> Self {
        self.credentials = Credentials::CookieOrBearer;
        self
    }
}
