//! CORS preflights: whether they pass.

use crate::builder::Builder;

impl Builder {
    /// Hands CORS preflights on without a session: `OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method` (Fetch standard). Default: the layer refuses them like any
    /// other request without a session, because browsers send them without cookies.
    ///
    /// Use it if the inner service answers preflights itself, or if tower-http's `CorsLayer` is
    /// behind this layer. A `CorsLayer` in front of this layer answers them before they get here.
    ///
    /// A client that writes such a request by hand reaches the inner service on every path but the
    /// layer's own. Do not use this setting if the inner service takes the method from
    /// `X-HTTP-Method-Override`.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use tower_magic_link::companion::Outcome;
    ///
    /// let layer = builder.allow_preflight().build()?;
    ///
    /// let preflight = http::Request::options("/reports")
    ///     .header("origin", "https://other.example.com")
    ///     .header("access-control-request-method", "PUT");
    /// let (preflight, _) = preflight.body(()).unwrap().into_parts();
    /// assert_eq!(layer.explain(&preflight).outcome(), Outcome::Pass);
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn allow_preflight(mut self) -> Self {
        self.allows_preflight = true;
        self
    }
}
