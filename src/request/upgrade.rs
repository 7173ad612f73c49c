//! `Upgrade`: what a request asks its connection to become.
//!
//! - After a 101 the layer sees none of the bytes. A tunnel that speaks HTTP would carry unchecked
//!   requests, with any identity header in them. So a WebSocket is the only upgrade that may go
//!   further.
//! - A WebSocket handshake is an HTTP/1.1 `GET` without a body, with one key, one version and
//!   `websocket` as its only protocol (RFC 6455, section 4.2.1). A second protocol would leave the
//!   choice to the inner server (RFC 9110, section 7.8). The key's form and the version are not
//!   checked: whatever the client and that server agree on is a WebSocket.
//! - HTTP/2 has no `Upgrade`; its WebSockets are a `CONNECT` with a path (RFC 8441). A `CONNECT`
//!   without one is a tunnel.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};

use crate::request::head::RequestHead;

/// A client's offer to speak HTTP/2 with these settings, beside `Upgrade: h2c` (RFC 7540, section
/// 3.2.1).
pub(crate) static HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

const WEBSOCKET: &[u8] = b"websocket";

/// What a request asks its connection to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// Nothing.
    None,
    /// Another protocol, or a malformed WebSocket handshake.
    Other,
    /// A WebSocket.
    WebSocket,
}

impl Upgrade {
    /// Returns what a request asks its own connection to become.
    pub(crate) fn of(head: &RequestHead<'_>) -> Self {
        match Self::shown(head.method(), head.headers()) {
            // HTTP/1.0 has no upgrade, and a server must ignore one there (RFC 9110, section 7.8).
            Self::WebSocket if head.version() == Version::HTTP_11 && is_wished(head.headers()) => {
                Self::WebSocket
            }
            Self::None => Self::None,
            Self::Other | Self::WebSocket => Self::Other,
        }
    }

    /// Returns what a client asks its connection to a proxy to become, if the proxy shows it.
    ///
    /// `Connection` and the version are not read: they describe the proxy's own connection.
    pub(crate) fn shown(method: &Method, headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::UPGRADE) && !headers.contains_key(&HTTP2_SETTINGS) {
            return Self::None;
        }
        let is_websocket = method == Method::GET
            && !headers.contains_key(&HTTP2_SETTINGS)
            && only(headers, header::UPGRADE).is_some_and(is_websocket)
            && only(headers, header::SEC_WEBSOCKET_KEY).is_some()
            && only(headers, header::SEC_WEBSOCKET_VERSION).is_some()
            && !has_body(headers);
        if is_websocket {
            Self::WebSocket
        } else {
            Self::Other
        }
    }
}

/// Says whether a request is a `CONNECT` for a tunnel of bytes.
///
/// The `CONNECT` by which HTTP/2 and later open a WebSocket is none.
pub(crate) fn asks_for_tunnel(head: &RequestHead<'_>) -> bool {
    let is_old = matches!(
        head.version(),
        Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11
    );
    // The WebSocket's has `:scheme` and `:path`, a tunnel's has neither (RFC 8441, section 4).
    head.method() == Method::CONNECT && (is_old || head.original_uri().scheme().is_none())
}

/// Returns the only field of a name. `None` if there are several: readers differ on which one
/// counts.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none())
}

fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET)
}

/// Says whether a body follows. Two readers might disagree on where it ends and the tunnel begins.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers
            .get_all(header::CONTENT_LENGTH)
            .iter()
            .any(|length| length != "0")
}

/// Says whether `Connection` names the upgrade.
fn is_wished(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::CONNECTION).iter();
    fields
        .flat_map(|field| field.as_bytes().split(|b| *b == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: (&str, &str) = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    const VERSION: (&str, &str) = ("sec-websocket-version", "13");
    const WISH: (&str, &str) = ("connection", "Upgrade");

    fn request(method: &str, version: Version, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).version(version);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_websocket_handshake_is_the_one_upgrade() {
        use Upgrade::{None, Other, WebSocket};
        let handshake = |protocol| [WISH, ("upgrade", protocol), KEY, VERSION];
        let with = |field| [&handshake("websocket")[..], &[field]].concat();
        let without = |name: &str| -> Vec<_> {
            let fields = handshake("websocket").into_iter();
            fields.filter(|field| field.0 != name).collect()
        };
        let instead =
            |field: (&'static str, &'static str)| [without(field.0), vec![field]].concat();
        type Case<'c> = (&'c str, Vec<(&'c str, &'c str)>, Upgrade);
        let cases: [Case<'_>; 31] = [
            ("handshake", handshake("websocket").to_vec(), WebSocket),
            ("other case", handshake("WebSocket").to_vec(), WebSocket),
            (
                "Connection names more",
                instead(("connection", "keep-alive, UPGRADE")),
                WebSocket,
            ),
            ("empty body", with(("content-length", "0")), WebSocket),
            ("nothing", vec![], None),
            ("wish alone", vec![WISH, KEY, VERSION], None),
            ("h2c", handshake("h2c").to_vec(), Other),
            ("h2", handshake("h2").to_vec(), Other),
            ("TLS", handshake("TLS/1.0").to_vec(), Other),
            ("unknown", handshake("foo").to_vec(), Other),
            ("list, first", handshake("websocket, h2c").to_vec(), Other),
            ("list, last", handshake("h2c,websocket").to_vec(), Other),
            (
                "list, twice",
                handshake("websocket, websocket").to_vec(),
                Other,
            ),
            ("list, empty", handshake("websocket,").to_vec(), Other),
            ("version", handshake("websocket/13").to_vec(), Other),
            ("parameter", handshake("websocket;x").to_vec(), Other),
            ("empty", handshake("").to_vec(), Other),
            ("two fields", with(("upgrade", "h2c")), Other),
            ("two fields alike", with(("upgrade", "websocket")), Other),
            (
                "settings of HTTP/2",
                with(("http2-settings", "AAMAAABkAAQAAP__")),
                Other,
            ),
            (
                "settings alone",
                vec![("http2-settings", "AAMAAABkAAQAAP__")],
                Other,
            ),
            ("no wish", without("connection"), Other),
            ("other wish", instead(("connection", "close")), Other),
            ("no key", without("sec-websocket-key"), Other),
            ("two keys", with(KEY), Other),
            (
                "another key",
                instead((KEY.0, "SGVsbG8sIHdvcmxkIQ==")),
                WebSocket,
            ),
            ("no version", without("sec-websocket-version"), Other),
            ("two versions", with((VERSION.0, "8")), Other),
            ("another version", instead((VERSION.0, "8")), WebSocket),
            ("body", with(("content-length", "5")), Other),
            ("chunks", with(("transfer-encoding", "chunked")), Other),
        ];
        for (name, fields, want) in cases {
            let got = Upgrade::of(&RequestHead::of(&request("GET", Version::HTTP_11, &fields)));
            assert_eq!(got, want, "{name}");
        }
        let fields = handshake("websocket");
        for (method, version) in [
            ("POST", Version::HTTP_11),
            ("HEAD", Version::HTTP_11),
            ("get", Version::HTTP_11),
            ("CONNECT", Version::HTTP_11),
            ("GET", Version::HTTP_10),
            ("GET", Version::HTTP_2),
        ] {
            let got = Upgrade::of(&RequestHead::of(&request(method, version, &fields)));
            assert_eq!(got, Other, "{method} {version:?}");
        }
    }

    #[test]
    fn a_connect_without_a_path_of_its_own_asks_for_a_tunnel() {
        let cases = [
            ("CONNECT", Version::HTTP_11, "/live", true),
            ("CONNECT", Version::HTTP_11, "app.example.com:443", true),
            ("CONNECT", Version::HTTP_10, "app.example.com:443", true),
            ("CONNECT", Version::HTTP_2, "app.example.com:443", true),
            (
                "CONNECT",
                Version::HTTP_2,
                "https://app.example.com/live",
                false,
            ),
            (
                "CONNECT",
                Version::HTTP_3,
                "https://app.example.com/live",
                false,
            ),
            ("GET", Version::HTTP_11, "/live", false),
            ("connect", Version::HTTP_11, "/live", false),
        ];
        for (method, version, uri, want) in cases {
            let mut request = request(method, version, &[]);
            *request.uri_mut() = uri.parse().unwrap();
            let got = asks_for_tunnel(&RequestHead::of(&request));
            assert_eq!(got, want, "{method} {version:?} {uri}");
        }
    }
}
