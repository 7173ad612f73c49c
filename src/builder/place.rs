//! Settings of where the application is.

use super::{Builder, validate};
use crate::{error::ConfigError, site::public_url::PublicUrl};

const COOKIE_NAME: &str = "magic-link";

/// # Where
///
/// The address at which browsers reach the application, and the path of the layer's endpoints.
impl Builder {
    /// Sets the origin at which browsers reach the application: `https://app.example.com`.
    /// Required.
    ///
    /// The layer makes links and the redirect URI from it, never from `Host` or `X-Forwarded-*`. It
    /// has no path and no wildcard. It must be https, or plain http on loopback. With plain http
    /// the cookies have neither `Secure` nor the `__Host-` prefix, because Safari would drop them.
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
    /// Default: `magic-link`, which becomes `__Host-magic-link`. With a public URL of plain http it
    /// is `magic-link-` and the port: browsers share cookies between the ports of a host, and
    /// applications in development share `localhost`.
    ///
    /// Two applications of one host need two names, also if they differ in the port or the mount
    /// alone: `https://example.com/a` and `https://example.com:8443`. Otherwise each refuses the
    /// other's session and removes its cookie, so that signing in to one signs the person out of
    /// the other. A new name signs everyone out once.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = Some(name.into());
        self
    }
}

/// Returns the name of the session cookie, without a prefix.
pub(super) fn cookie_name(
    given: Option<&str>,
    public_url: &PublicUrl,
) -> Result<String, ConfigError> {
    if let Some(name) = given {
        validate::cookie_name(name)?;
        return Ok(name.to_owned());
    }
    // Not for https: it would sign everyone out of what is deployed.
    Ok(match public_url.is_secure() {
        true => COOKIE_NAME.to_owned(),
        false => format!("{COOKIE_NAME}-{}", public_url.port()),
    })
}
