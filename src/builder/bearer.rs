//! The builder's setting for callers that keep no cookies.

use super::Builder;
use crate::gate::Credentials;

impl Builder {
    /// Accepts a session token as `Authorization: Bearer …` too (RFC 6750, section 2.1), and as
    /// gRPC metadata of that name. Default: the field is the application's own, and the layer does
    /// not read it.
    ///
    /// The token is the one in the session cookie, or a
    /// [`SessionIssuer`](crate::companion::SessionIssuer)'s.
    ///
    /// - A bearer token and a session cookie that differ are refused, and so are several
    ///   `Authorization` fields. A field of another scheme, such as `Basic`, stays the
    ///   application's own.
    /// - A session that came by bearer token is neither renewed nor removed: no cookie is set. It
    ///   ends when its token does.
    /// - It says nothing of where a request comes from: a post to the layer's own endpoints still
    ///   has to come from the own origin.
    /// - What depends on a session varies by `authorization` too, and a 401 offers `Bearer` beside
    ///   `MagicLink`.
    ///
    /// ```
    /// use http::{Request, header};
    /// use tower_magic_link::{
    ///     ConfigError, Email, KeyRing, MagicLinkLayer, SigningKey, provider::Identity,
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
