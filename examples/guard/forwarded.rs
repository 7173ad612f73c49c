//! What a proxy says of the client, and nobody else may.
//!
//! - `X-Forwarded-For`, `-Host` and `-Proto` are the guard's own: the address at the other end, the
//!   `Host` that was asked for, and what the guard speaks: `http`, or `https` with a certificate of
//!   its own. A trusted proxy in front of the guard is believed: its address is appended to the
//!   chain that it sent, and its `-Host` and `-Proto` stay.
//! - With `forwarded_field = "forwarded"`, a trusted proxy is believed by `Forwarded` (RFC 7239)
//!   alone, as the layer believes it. The guard writes the three fields from that, and nothing of
//!   the ones that came: the proxy may have left a client's own there.
//! - Every other field that services take for a proxy's word is removed, a trusted proxy's too:
//!   three fields with one meaning each are enough. `Forwarded` is one of them: it would say the
//!   same in a second voice.
//!   So are the names in which oauth2-proxy and its like name the person: a service that came from
//!   behind one may still believe them.
//! - So are fields that change the method or the target. The layer has decided on those of the
//!   request: a public path is public for GET and HEAD, and not for the DELETE that
//!   `X-HTTP-Method-Override` makes of a GET. Have the service ignore a `_method` in a body or
//!   query: the guard does not read those.
//! - A field with other characters in its name than letters, digits and `-` is removed. CGI and
//!   WSGI write `X_Real_IP` and `X-Real-IP` alike (RFC 3875, section 4.1.18). nginx does the same.

use std::{
    net::{AddrParseError, IpAddr, SocketAddr},
    sync::Arc,
};

use http::{HeaderMap, HeaderName, HeaderValue, header::HOST};
use ipnet::IpNet;
use tower_magic_link::ForwardedField;

use super::{elements::Said, host};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names that begin so are a proxy's.
const FAMILIES: [&str; 4] = [
    "x-auth-request-",
    "x-forwarded",
    "x-original-",
    "x-rewrite-",
];

/// Other names that are a proxy's. A CGI program takes `Proxy` for the proxy that it is to use.
const NAMES: [&str; 29] = [
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "proxy",
    "proxy-authorization",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "true-client-ip",
    "x-auth-decision",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forward-for",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    "x-scheme",
    "x-url-scheme",
];

/// The proxies whose word is taken, and the field in which they name the client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trusted {
    networks: Arc<[IpNet]>,
    field: ForwardedField,
}

impl Trusted {
    /// Reads addresses, and networks in CIDR notation.
    pub(crate) fn parse<'t>(
        proxies: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, AddrParseError> {
        let parse = |text: &str| match text.parse() {
            Ok(network) => Ok(network),
            Err(_) => text.parse::<IpAddr>().map(IpNet::from),
        };
        let networks = proxies.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self {
            networks,
            field: ForwardedField::default(),
        })
    }

    /// Takes their word by this field. Default: `X-Forwarded-For`.
    pub(crate) fn by(mut self, field: ForwardedField) -> Self {
        self.field = field;
        self
    }

    fn has(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Returns the addresses, the host and the scheme that a peer states, if it is trusted.
    fn told(&self, headers: &HeaderMap, peer: IpAddr) -> [Option<HeaderValue>; 3] {
        if !self.has(peer) {
            return [None, None, None];
        }
        if self.field == ForwardedField::Forwarded {
            let said = Said::of(headers, peer, |addr| self.has(addr));
            let chain = said.addresses.iter().map(IpAddr::to_string);
            let chain = chain.collect::<Vec<_>>().join(", ");
            return [chain.parse().ok(), said.host, said.proto];
        }
        let chain = headers.get_all(FOR).iter().map(HeaderValue::as_bytes);
        let chain = HeaderValue::from_bytes(&chain.collect::<Vec<_>>().join(&b", "[..])).ok();
        let single = |name| {
            let mut values = headers.get_all(name).iter();
            let first = values.next().cloned();
            first.filter(|_| values.next().is_none())
        };
        [chain, single(FORWARDED_HOST), single(PROTO)]
    }
}

/// What the guard says of a client.
pub(super) struct Word {
    addresses: Option<HeaderValue>,
    asked_for: Option<HeaderValue>,
    proto: HeaderValue,
}

impl Word {
    /// Reads what there is to say, before anything is removed. `spoken` is what the guard speaks.
    pub(super) fn of(
        headers: &HeaderMap,
        peer: Option<SocketAddr>,
        trusted: &Trusted,
        spoken: &'static str,
    ) -> Self {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let told = peer.map(|peer| trusted.told(headers, peer));
        let [chain, asked_for, proto] = told.unwrap_or_default();
        let addresses = peer.and_then(|peer| {
            let peer = peer.to_string();
            let chain = chain.as_ref().filter(|chain| !chain.is_empty());
            let chain = chain.map(HeaderValue::as_bytes).into_iter();
            let chain: Vec<_> = chain.chain([peer.as_bytes()]).collect();
            HeaderValue::from_bytes(&chain.join(&b", "[..])).ok()
        });
        let asked_for = asked_for.filter(|value| host::authority(value).is_some());
        let proto = proto.filter(|value| value == "http" || value == "https");
        Self {
            addresses,
            asked_for: asked_for.or_else(|| headers.get(HOST).cloned()),
            proto: proto.unwrap_or(HeaderValue::from_static(spoken)),
        }
    }

    /// Replaces what the client, or a proxy in front, says.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let gone = headers.keys().filter(|name| is_proxys(name));
        for name in gone.cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
        let fields = [
            (FOR, self.addresses),
            (FORWARDED_HOST, self.asked_for),
            (PROTO, Some(self.proto)),
        ];
        headers.extend(
            fields
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    }
}

fn is_proxys(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.bytes()
        .any(|b| !b.is_ascii_alphanumeric() && b != b'-')
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || NAMES.contains(&name)
}
