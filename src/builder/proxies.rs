//! Settings of proxies: which are trusted, and what an inner service behind a proxy gets.

use std::fmt::Display;

use super::Builder;
use crate::{error::ConfigError, request::peer::Proxies};

/// The settings of proxies.
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
/// What runs the layer, what is in front of it, and what is behind it.
impl Builder {
    /// Names the proxies that the layer trusts: addresses, or networks in CIDR notation. Default:
    /// none.
    ///
    /// [`MagicLinkLayer::forward_auth`](crate::MagicLinkLayer::forward_auth) believes them about
    /// the client's method and target. [Limits](Builder::limits) by network believe them about the
    /// [client's address](Builder::forwarded_field). If any is set, one line of the log believes
    /// `X-Forwarded-Host` and `Forwarded`: the warning of a page at another host than the public
    /// URL's. Nothing else reads a proxy's headers.
    ///
    /// ```
    /// # fn example(builder: tower_magic_link::Builder) -> tower_magic_link::Builder {
    /// builder.trusted_proxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])
    /// # }
    /// ```
    pub fn trusted_proxies<P: Display>(mut self, proxies: impl IntoIterator<Item = P>) -> Self {
        let proxies = proxies.into_iter().map(|proxy| proxy.to_string());
        // Parsed in `build()`, which can return an error that names the text.
        self.proxies.trusted.extend(proxies);
        self
    }

    /// Adds identity headers to each request: for an inner service that is not Rust, behind a
    /// reverse proxy. Off by default.
    ///
    /// | header | holds |
    /// | --- | --- |
    /// | `X-Auth-Subject` | [`Session::subject`](crate::Session::subject) |
    /// | `X-Auth-Email` | [`Session::email`](crate::Session::email), in lower case |
    /// | `X-Auth-Organization` | [`Session::organization`](crate::Session::organization), where there is one |
    /// | `X-Auth-Session` | [`Session::id`](crate::Session::id) |
    ///
    /// Every request with a session has them, on public paths too. Values are visible ASCII.
    /// Letters, digits and ``!#$&'*+-./:=?@^_`{|}~`` stay as they are. All other bytes, and `%`,
    /// are percent-encoded as UTF-8. WorkOS's values contain none of those today. The application's
    /// own claims ([`Session::claims`](crate::Session::claims)) are in no header.
    ///
    /// On every path:
    ///
    /// - The layer removes a client's own copies of the four headers, in every spelling that a
    ///   gateway might take for them (`x_auth_email`, `X-Auth.Email`), and their names from
    ///   `Connection` and `Trailer`. It leaves other fields by which a service may know a person,
    ///   such as `X-Forwarded-User`, and the trailers of a body. **tonic merges the trailers of a
    ///   unary call into its metadata**, so have a service like that read the extensions, or have
    ///   what forwards the body drop its trailers, as the guard does.
    /// - It removes its own cookies from the request, because they are credentials. Other cookies
    ///   stay byte for byte. With [`Builder::bearer_tokens`](crate::Builder::bearer_tokens) it also
    ///   removes an `Authorization` field with a session token, even one that has expired. The
    ///   application's own fields stay.
    /// - It drops a `Set-Cookie` of the inner service for one of these cookies, with an
    ///   [`Event::CookieDropped`](crate::event::Event::CookieDropped).
    /// - It forwards no upgrade but a WebSocket's: an HTTP/1.1 `GET` without a body, with `Upgrade:
    ///   websocket`, a key and a version. It removes any other `Upgrade`, its name in `Connection`,
    ///   and `HTTP2-Settings`, and forwards the rest of the request. Otherwise a client could write
    ///   the four headers itself inside an h2c tunnel. For the same reason it refuses a `CONNECT`
    ///   with 400, unless it is HTTP/2's extended one (RFC 8441). The inner service must accept
    ///   that only as a WebSocket: the layer does not see its `:protocol`.
    ///
    /// The inner service must be reachable only through the layer. A service in this process does
    /// not need this setting: it has the [`Session`](crate::Session) in the request's extensions.
    ///
    /// ```
    /// # fn example(builder: tower_magic_link::Builder) -> tower_magic_link::Builder {
    /// builder.forward_identity()
    /// # }
    /// ```
    pub fn forward_identity(mut self) -> Self {
        self.proxies.has_identity_headers = true;
        self
    }
}
