//! What a proxy says of the client, and nobody else may.
//!
//! - `X-Forwarded-For`, `-Host` and `-Proto` are the guard's own: the address at the other end, the
//!   `Host` that was asked for, and what the guard speaks: `http`, or `https` with a certificate of
//!   its own. A trusted proxy in front of the guard is believed: its address is appended to the
//!   chain that it sent, and its `-Host` and `-Proto` stay. It must write all three: what it leaves
//!   alone may be a client's own.
//! - With `public_url`, `-Host` is the host of that, or one that shares its cookie, whatever was
//!   asked for.
//! - With `forwarded_field = "forwarded"`, a trusted proxy is believed by `Forwarded` (RFC 7239)
//!   alone, as the layer believes it. The guard writes the three fields from that, and nothing of
//!   the ones that came: the proxy may have left a client's own there.
//! - Every other field that services take for a proxy's word is removed, a trusted proxy's too:
//!   three fields with one meaning each are enough. `Forwarded` is one of them: it would say the
//!   same in a second voice.
//! - So are the names in which other sign-in proxies, balancers and TLS terminators name the
//!   person: a service that came from behind one may still believe them. The lists have the usual
//!   ones, and none that an application made up, such as `X-User`.
//! - So are a path's prefix and its rewritten form. A service that cuts the path by `X-Script-Name`
//!   would serve another one than the layer has allowed.
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

use super::{
    elements::Said,
    host::{self, Public},
};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names that begin so are a proxy's, or name the person or the certificate that one has checked.
const FAMILIES: [&str; 42] = [
    "cf-access-authenticated-",
    "cf-client-cert-",
    "client-cert",
    "oidc-claim-",
    "proxy-",
    "remote-",
    "ssl-client-",
    "tailscale-user-",
    "wl-proxy-",
    "x-accel-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-anonymous-consumer",
    "x-apigateway-api-",
    "x-appengine-",
    "x-arr-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-consumer-",
    "x-credential-",
    "x-endpoint-api-",
    "x-envoy-",
    "x-forward",
    "x-goog-authenticated-user-",
    "x-invoke-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-original-",
    "x-originating-",
    "x-override-",
    "x-pomerium-claim-",
    "x-proxy-",
    "x-real-",
    "x-remote-",
    "x-rewrite-",
    "x-rewritten-",
    "x-sendfile",
    "x-ssl-",
    "x-vouch-",
    "x-webauth-",
];

/// Other names that are a proxy's. A CGI program takes `Proxy` for the proxy that it is to use.
const NAMES: [&str; 68] = [
    "ali-cdn-real-ip",
    "cdn-src-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "client-ip",
    "do-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "http-x-rewrite-url",
    "path-info",
    "proxy",
    "script-name",
    "true-client-ip",
    "unencoded-url",
    "x-auth-decision",
    "x-auth-groups",
    "x-auth-path",
    "x-auth-redirect",
    "x-auth-roles",
    "x-auth-uri",
    "x-auth-userid",
    "x-auth-username",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-custom-ip-authorization",
    "x-host",
    "x-host-override",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-path",
    "x-http-uri",
    "x-http-url",
    "x-ingress-path",
    "x-kong-path",
    "x-kong-request-path",
    "x-matched-path",
    "x-method-override",
    "x-middleware-rewrite",
    "x-middleware-subrequest",
    "x-ms-original-url",
    "x-ms-proxy",
    "x-ms-request-url",
    "x-nf-client-connection-ip",
    "x-nf-original-path",
    "x-now-route-matches",
    "x-originally-requested",
    "x-path-info",
    "x-replaced-path",
    "x-reproxy-url",
    "x-request-path",
    "x-request-uri",
    "x-request-url",
    "x-scheme",
    "x-script-name",
    "x-traefik-path",
    "x-url-rewrite",
    "x-url-scheme",
    "x-userinfo",
    "x-vercel-path",
    "x-waws-unencoded-url",
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

    /// Takes no other host for the one that was asked for than a public one. A balancer that writes
    /// no `X-Forwarded-Host` hands on a client's own, and a service may mail links to it.
    pub(super) fn at(&mut self, public: &Public, headers: &HeaderMap) {
        let stated = [self.asked_for.take(), headers.get(HOST).cloned()];
        let known = stated.into_iter().flatten().find(|host| public.has(host));
        self.asked_for = known.or_else(|| public.own());
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
