//! The address that a request comes from, behind trusted proxies.
//!
//! - The host states the peer's address. A field is read only if the peer is a trusted proxy, and
//!   only the field that is configured: a client gains nothing by sending the other one.
//! - The field is read from the right, where proxies append. The first address that is no trusted
//!   proxy is the client.
//! - An element that cannot be read ends the walk, and the last trusted hop stands for the client.
//!   So nothing that a client wrote further left ever counts.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, header, request::Parts};

use crate::request::peer::{PeerAddr, Proxies};

/// The field in which trusted proxies name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardedField {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`, which nginx, HAProxy, Traefik, Caddy and cloud load balancers write.
    #[default]
    XForwardedFor,
}

impl ForwardedField {
    const fn name(self) -> HeaderName {
        match self {
            Self::Forwarded => header::FORWARDED,
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        }
    }

    /// Returns the address that an element of the field names, if it names one.
    fn addr(self, element: &str) -> Option<IpAddr> {
        match self {
            Self::Forwarded => forwarded_for(element),
            Self::XForwardedFor => node(element),
        }
    }
}

/// Returns the address that a request comes from. `None` if the host does not state the peer.
pub(crate) fn client_of(parts: &Parts, proxies: &Proxies, field: ForwardedField) -> Option<IpAddr> {
    let mut hop = PeerAddr::of(&parts.extensions)?.addr().ip().to_canonical();
    let lines: Vec<_> = parts.headers.get_all(field.name()).iter().collect();
    let mut elements = lines
        .iter()
        .rev()
        .flat_map(|line| FromTheRight(Some(line.as_bytes())));
    while proxies.has(PeerAddr::from(SocketAddr::new(hop, 0))) {
        // Each element is decoded by itself: bytes that a client wrote further left hide none.
        let element = elements
            .next()
            .and_then(|one| std::str::from_utf8(one).ok());
        let Some(addr) = element.and_then(|element| field.addr(element)) else {
            break;
        };
        hop = addr.to_canonical();
    }
    Some(hop)
}

/// The elements of a list (RFC 9110, section 5.6.1), from the last to the first. A comma in quotes
/// does not separate. A quote that a client left open does not change how the elements to its right
/// are read.
struct FromTheRight<'l>(Option<&'l [u8]>);

impl<'l> Iterator for FromTheRight<'l> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<&'l [u8]> {
        let line = self.0.take()?;
        let mut is_quoted = false;
        let comma = line.iter().rposition(|b| {
            is_quoted ^= *b == b'"';
            *b == b',' && !is_quoted
        });
        let (before, element) = match comma {
            Some(comma) => (line.get(..comma), line.get(comma + 1..)),
            None => (None, Some(line)),
        };
        self.0 = before;
        element.map(<[u8]>::trim_ascii)
    }
}

/// Reads the `for` of an element: `for="[2001:db8::1]:80";proto=https`. `None` if there are two.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") {
            let value = value.trim_matches([' ', '\t']);
            let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            // Readers differ on which of two counts.
            if found.replace(bare.unwrap_or(value)).is_some() {
                return None;
            }
        }
    }
    node(found?)
}

/// Reads an address, with or without a port (RFC 7239, section 6). `unknown` and `_hidden` are no
/// addresses.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (addr, port) = rest.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return addr.parse().ok().map(IpAddr::V6).filter(|_| is_port);
    }
    let bare = text.parse().ok();
    bare.or_else(|| {
        let (addr, port) = text.split_once(':')?;
        addr.parse().ok().map(IpAddr::V4).filter(|_| is_port(port))
    })
}

/// Says whether a text is a port: a number, or obfuscated as `_p` (RFC 7239, section 6).
fn is_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(name) => {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !name.is_empty() && name.bytes().all(is_plain)
        }
        None => matches!(port.len(), 1..=5) && port.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};
    use proptest::prelude::*;

    use super::*;

    const PROXIES: [&str; 3] = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"];

    fn client(
        peer: Option<&str>,
        field: ForwardedField,
        fields: &[(&str, &str)],
    ) -> Option<String> {
        let proxies = Proxies::parse(&PROXIES.map(str::to_owned)).unwrap();
        let mut request = Request::new(());
        if let Some(peer) = peer {
            let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
            request.extensions_mut().insert(PeerAddr::from(peer));
        }
        for (name, value) in fields {
            let name = HeaderName::try_from(*name).unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request.headers_mut().append(name, value);
        }
        let (parts, ()) = request.into_parts();
        client_of(&parts, &proxies, field).map(|addr| addr.to_string())
    }

    #[test]
    fn the_client_is_the_first_address_from_the_right_that_is_no_trusted_proxy() {
        type Case<'c> = (&'c str, &'c str, &'c [&'c str], &'c str);
        let cases: [Case<'_>; 27] = [
            ("direct", "192.0.2.1", &[], "192.0.2.1"),
            (
                "direct, forged",
                "192.0.2.1",
                &["198.51.100.9"],
                "192.0.2.1",
            ),
            ("mapped peer", "::ffff:192.0.2.1", &[], "192.0.2.1"),
            ("one proxy", "10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            (
                "mapped proxy",
                "::ffff:10.0.0.1",
                &["192.0.2.1"],
                "192.0.2.1",
            ),
            (
                "two proxies",
                "10.0.0.1",
                &["192.0.2.1, 10.0.0.2"],
                "192.0.2.1",
            ),
            (
                "forged left",
                "10.0.0.1",
                &["198.51.100.9, 192.0.2.1"],
                "192.0.2.1",
            ),
            (
                "forged proxy left",
                "10.0.0.1",
                &["10.0.0.9,192.0.2.1,10.0.0.2"],
                "192.0.2.1",
            ),
            (
                "two lines",
                "10.0.0.1",
                &["198.51.100.9", "192.0.2.1"],
                "192.0.2.1",
            ),
            (
                "lines of proxies",
                "10.0.0.1",
                &["192.0.2.1", "10.0.0.2"],
                "192.0.2.1",
            ),
            (
                "all trusted",
                "10.0.0.1",
                &["10.0.0.3, 10.0.0.2"],
                "10.0.0.3",
            ),
            ("no field", "10.0.0.1", &[], "10.0.0.1"),
            ("empty", "10.0.0.1", &[""], "10.0.0.1"),
            ("empty element", "10.0.0.1", &["192.0.2.1,"], "10.0.0.1"),
            ("unknown", "10.0.0.1", &["unknown"], "10.0.0.1"),
            (
                "hidden behind a proxy",
                "10.0.0.1",
                &["192.0.2.1, _x, 10.0.0.2"],
                "10.0.0.2",
            ),
            ("not ASCII", "10.0.0.1", &["192.0.2.1, é"], "10.0.0.1"),
            ("not ASCII left", "10.0.0.1", &["é, 192.0.2.1"], "192.0.2.1"),
            ("with port", "10.0.0.1", &["192.0.2.1:80"], "192.0.2.1"),
            ("bad port", "10.0.0.1", &["192.0.2.1:http"], "10.0.0.1"),
            ("octal", "10.0.0.1", &["192.0.2.01"], "10.0.0.1"),
            ("v6", "10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            (
                "v6 with port",
                "10.0.0.1",
                &["[2001:db8::1]:80"],
                "2001:db8::1",
            ),
            ("v6 with zone", "10.0.0.1", &["fe80::1%eth0"], "10.0.0.1"),
            (
                "mapped client",
                "fd00::1",
                &["::ffff:192.0.2.1"],
                "192.0.2.1",
            ),
            (
                "mapped trusted hop",
                "10.0.0.1",
                &["192.0.2.1, ::ffff:10.0.0.2"],
                "192.0.2.1",
            ),
            (
                "tabs",
                "10.0.0.1",
                &["\t192.0.2.1\t,\t10.0.0.2 "],
                "192.0.2.1",
            ),
        ];
        for (name, peer, lines, want) in cases {
            let fields: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            let got = client(Some(peer), ForwardedField::XForwardedFor, &fields);
            assert_eq!(got.as_deref(), Some(want), "{name}");
        }
        assert_eq!(client(None, ForwardedField::XForwardedFor, &[]), None);
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_says() {
        let cases = [
            ("plain", "for=192.0.2.1", "192.0.2.1"),
            (
                "any case",
                "proto=http;FOR=192.0.2.1;by=203.0.113.43",
                "192.0.2.1",
            ),
            (
                "quoted",
                "for=\"[2001:db8:cafe::17]:4711\"",
                "2001:db8:cafe::17",
            ),
            ("with port", "for=\"192.0.2.1:80\"", "192.0.2.1"),
            ("hidden port", "for=\"192.0.2.1:_p.1\"", "192.0.2.1"),
            ("the last", "for=198.51.100.9, for=192.0.2.1", "192.0.2.1"),
            (
                "past a proxy",
                "for=192.0.2.1, for=10.0.0.2;proto=https",
                "192.0.2.1",
            ),
            (
                "comma in quotes",
                "for=192.0.2.1;x=\"a,for=198.51.100.9\"",
                "192.0.2.1",
            ),
            ("open quote left", "for=\"x, for=192.0.2.1", "192.0.2.1"),
            (
                "open quote left of quotes",
                "for=\"x, for=\"[2001:db8::1]\"",
                "2001:db8::1",
            ),
            ("twice", "for=192.0.2.1;for=198.51.100.9", "10.0.0.1"),
            ("no for", "proto=https", "10.0.0.1"),
            ("unknown", "for=unknown", "10.0.0.1"),
            ("hidden", "for=_mdn", "10.0.0.1"),
            ("half quoted", "for=\"192.0.2.1", "10.0.0.1"),
            ("not a pair", "for=192.0.2.1;x", "10.0.0.1"),
            ("other field's syntax", "192.0.2.1", "10.0.0.1"),
            ("escaped", "for=\"192.0.2\\.1\"", "10.0.0.1"),
        ];
        for (name, line, want) in cases {
            let got = client(
                Some("10.0.0.1"),
                ForwardedField::Forwarded,
                &[("forwarded", line)],
            );
            assert_eq!(got.as_deref(), Some(want), "{name}");
        }
    }

    #[test]
    fn a_client_cannot_choose_by_sending_the_other_field() {
        let both = [
            ("forwarded", "for=198.51.100.9"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        let cases = [
            (ForwardedField::XForwardedFor, "192.0.2.1"),
            (ForwardedField::Forwarded, "198.51.100.9"),
        ];
        for (field, want) in cases {
            let got = client(Some("10.0.0.1"), field, &both);
            assert_eq!(got.as_deref(), Some(want), "{field:?}");
        }
        let only_the_other = [("forwarded", "for=198.51.100.9")];
        let got = client(
            Some("10.0.0.1"),
            ForwardedField::XForwardedFor,
            &only_the_other,
        );
        assert_eq!(got.as_deref(), Some("10.0.0.1"));
    }

    proptest! {
        #[test]
        fn whatever_a_client_sends_the_proxys_word_stands(
            forged in "[ -~\t\u{a0}-\u{2ff}]{0,60}",
            lines in any::<bool>(),
            addr in any::<IpAddr>(),
            field in prop_oneof![Just(ForwardedField::Forwarded), Just(ForwardedField::XForwardedFor)],
        ) {
            let proxies = Proxies::parse(&PROXIES.map(str::to_owned)).unwrap();
            let addr = addr.to_canonical();
            prop_assume!(!proxies.has(PeerAddr::from(SocketAddr::new(addr, 0))));
            let own = match field {
                ForwardedField::Forwarded if addr.is_ipv6() => format!("for=\"[{addr}]\""),
                ForwardedField::Forwarded => format!("for={addr}"),
                ForwardedField::XForwardedFor => addr.to_string(),
            };
            let name = field.name();
            let fields = if lines {
                vec![(name.as_str(), forged), (name.as_str(), own)]
            } else {
                vec![(name.as_str(), format!("{forged}, {own}"))]
            };
            let fields: Vec<_> = fields.iter().map(|(name, line)| (*name, line.as_str())).collect();
            let got = client(Some("10.0.0.1"), field, &fields);
            prop_assert_eq!(got, Some(addr.to_string()));
        }

        #[test]
        fn from_an_untrusted_peer_no_field_counts(line in "[ -~\t\u{a0}-\u{2ff}]{0,60}") {
            for field in [ForwardedField::Forwarded, ForwardedField::XForwardedFor] {
                let got = client(Some("192.0.2.1"), field, &[(field.name().as_str(), &line)]);
                prop_assert_eq!(got.as_deref(), Some("192.0.2.1"));
            }
        }
    }
}
