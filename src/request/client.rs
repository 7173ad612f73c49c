//! The address that a request comes from, behind trusted proxies.
//!
//! - The host states the peer's address. A field is read only if the peer is a trusted proxy, and
//!   only the field that is configured: a client gains nothing by sending the other one.
//! - The field is read from the right, where proxies append. The first address that is no trusted
//!   proxy is the client.
//! - An element that cannot be read ends the walk, and the last trusted hop stands for the client.
//!   So nothing that a client wrote further left ever counts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{Extensions, HeaderMap, HeaderName, header, request::Parts};

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
    client_by(&parts.headers, &parts.extensions, proxies, field)
}

/// Returns the address of the client by the parts of a request that tell it.
pub(crate) fn client_by(
    headers: &HeaderMap,
    extensions: &Extensions,
    proxies: &Proxies,
    field: ForwardedField,
) -> Option<IpAddr> {
    let mut hop = PeerAddr::of(extensions)?.addr().ip().to_canonical();
    let lines: Vec<_> = headers.get_all(field.name()).iter().collect();
    let mut elements = lines
        .iter()
        // Several fields are one list in their order (RFC 9110, section 5.3), so the last one is
        // the nearest proxy's.
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

/// Returns how the network of a client is written: an IPv4 address, or the first 64 bits of an IPv6
/// address (RFC 6177), as the limits count.
pub(crate) fn network_text(client: IpAddr) -> String {
    match client.to_canonical() {
        IpAddr::V4(addr) => addr.to_string(),
        IpAddr::V6(addr) => {
            let network = u128::from(addr) >> 64 << 64;
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
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
            // An IPv6 address has to be quoted (RFC 7239, section 6).
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
mod tests;
