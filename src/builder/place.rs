//! Settings of where the application is.

use super::Builder;

/// # Where
///
/// The address at which browsers reach the application, and where on it the layer is.
impl Builder {
    /// Sets the origin at which browsers reach the application: `https://app.example.com`.
    /// Required.
    ///
    /// Links and the redirect URI are made from it, never from `Host` or `X-Forwarded-*`. It has no
    /// path and no wildcard, and is https, except on loopback: there the cookies lose `Secure` and
    /// the `__Host-` prefix, since Safari drops them otherwise.
    ///
    /// The redirect URI to register with WorkOS is this, the mount and `/callback`.
    pub fn public_url(mut self, public_url: impl Into<String>) -> Self {
        self.public_url = Some(public_url.into());
        self
    }

    /// Sets where the layer's own endpoints are, as browsers see it. Default: `/auth`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// Names the session cookie, without a prefix: at most 64 letters, digits, `-`, `_` and `.`.
    /// Default: `magic-link`, which becomes `__Host-magic-link`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }
}
