//! Settings of where the application is.

use super::Builder;

/// # Where
///
/// The address at which browsers reach the application, and the path of the layer's endpoints.
impl Builder {
    /// Sets the origin at which browsers reach the application: `https://app.example.com`.
    /// Required.
    ///
    /// The layer makes links and the redirect URI from it, never from `Host` or `X-Forwarded-*`. It
    /// has no path and no wildcard. It must be https, except on loopback. There the cookies have
    /// neither `Secure` nor the `__Host-` prefix, because Safari would drop them.
    ///
    /// Register the redirect URI with WorkOS: this origin, the mount and `/callback`.
    pub fn public_url(mut self, public_url: impl Into<String>) -> Self {
        self.public_url = Some(public_url.into());
        self
    }

    /// Sets the path below which the layer's own endpoints are, as browsers see it. Default:
    /// `/auth`.
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
