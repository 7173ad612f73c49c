//! CORS preflights: whether they pass.

use crate::builder::Builder;

impl Builder {
    /// Hands CORS preflights on without a session: `OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method` (Fetch standard). Default: the layer refuses them like any
    /// other request without a session, because browsers send them without cookies.
    ///
    /// Use it only if the inner service answers preflights itself. Put tower-http's `CorsLayer` in
    /// front of this layer instead, where it answers them before they get here. Behind this layer
    /// it adds nothing to refusals, so a script of another origin sees a network error in place of
    /// a 401. The guide [The application behind](crate::guide::the_application_behind) has both in
    /// the order that works.
    ///
    /// A client that writes such a request by hand reaches the inner service on every path but the
    /// layer's own. Do not use this setting if the inner service takes the method from
    /// `X-HTTP-Method-Override`, or does not look at it: tonic serves a call whatever its method,
    /// unless a layer such as tower-http's `CorsLayer` answers each `OPTIONS` before it.
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
