//! Settings of proxies: whose word is taken, and what is handed to a service that is not Rust.

use std::fmt::Display;

use super::Builder;
use crate::{error::ConfigError, request::peer::Proxies};

/// What the builder was told of proxies.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) has_identity_headers: bool,
    trusted: Vec<String>,
}

impl Settings {
    pub(super) fn validate(&self) -> Result<Proxies, ConfigError> {
        Proxies::parse(&self.trusted)
    }
}

/// # Hosts
///
/// What runs the layer, and what stands before and behind it.
impl Builder {
    /// Names the proxies whose word is taken: addresses, or networks in CIDR notation. Default:
    /// none.
    ///
    /// [`MagicLinkLayer::forward_auth`](crate::MagicLinkLayer::forward_auth) takes it for what a
    /// client asked, and [limits](Builder::limits) by network for [who the client
    /// is](Builder::forwarded_field). Nothing else reads what a proxy says.
    ///
    /// ```
    /// # fn example(builder: tower_magic_link::Builder) -> tower_magic_link::Builder {
    /// builder.trusted_proxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])
    /// # }
    /// ```
    pub fn trusted_proxies<P: Display>(mut self, proxies: impl IntoIterator<Item = P>) -> Self {
        let proxies = proxies.into_iter().map(|proxy| proxy.to_string());
        self.proxies.trusted.extend(proxies);
        self
    }

    /// Tells the inner service who is signed in by headers: for what is not Rust, behind a reverse
    /// proxy. Off by default.
    ///
    /// | header | holds |
    /// | --- | --- |
    /// | `X-Auth-Subject` | [`Session::subject`](crate::Session::subject) |
    /// | `X-Auth-Email` | [`Session::email`](crate::Session::email), in lower case |
    /// | `X-Auth-Organization` | [`Session::organization`](crate::Session::organization), where there is one |
    /// | `X-Auth-Session` | [`Session::id`](crate::Session::id) |
    ///
    /// They are on every request that has a session, on public paths too. Values are visible ASCII:
    /// letters, digits and ``!#$&'*+-./:=?@^_`{|}~`` stand for themselves, other bytes are
    /// percent-encoded as UTF-8, `%` among them. What WorkOS writes today holds none of these.
    ///
    /// With it, whatever the path:
    ///
    /// - A client's own copies of the four are removed, in every spelling that a gateway might take
    ///   for them (`x_auth_email`, `X-Auth.Email`), and their names from `Connection` and
    ///   `Trailer`. A body's trailers pass with the body.
    /// - The layer's own cookies are removed from the request, since they are credentials; other
    ///   cookies stay byte for byte.
    /// - A `Set-Cookie` of the inner service's for one of these cookies is dropped, with an
    ///   [`Event::CookieDropped`](crate::event::Event::CookieDropped).
    ///
    /// - A WebSocket is the one upgrade that is handed on: an HTTP/1.1 `GET` without a body, with
    ///   `Upgrade: websocket`, a key and a version. Any other `Upgrade`, its mention in
    ///   `Connection`, and `HTTP2-Settings` are removed, and the request goes on as a usual one.
    ///   Inside an h2c tunnel a client would write the four headers itself. For the same reason a
    ///   `CONNECT` is refused with 400, unless it is HTTP/2's extended one (RFC 8441). The inner
    ///   service must take that for a WebSocket alone: the layer does not see its `:protocol`.
    ///
    /// The inner service must be reachable through the layer alone. Without this setting requests
    /// and responses stay as they are: a service in this process has the
    /// [`Session`](crate::Session) in the request's extensions.
    pub fn forward_identity(mut self) -> Self {
        self.proxies.has_identity_headers = true;
        self
    }
}
