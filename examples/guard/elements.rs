//! What trusted proxies say in `Forwarded` (RFC 7239), as the layer reads it.
//!
//! - The elements are read from the right, where proxies append. One counts as long as a trusted
//!   proxy has written it: the guard's own peer has written the last one, and the address that an
//!   element names has written the one before it. So nothing that a client wrote further left
//!   counts.
//! - An element that cannot be read ends the walk, and its host and scheme are not believed either.
//! - The host and the scheme are those of the first proxy that counts, next to the client.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, header::FORWARDED};

/// What the trusted proxies of one request say.
#[derive(Default)]
pub(super) struct Said {
    /// The addresses that they name, the client's first.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) host: Option<HeaderValue>,
    pub(super) proto: Option<HeaderValue>,
}

/// One proxy's word.
#[derive(Default)]
struct Element<'e> {
    addr: Option<&'e str>,
    host: Option<&'e str>,
    proto: Option<&'e str>,
}

impl Said {
    /// Reads the field for as long as `is_trusted` says that a proxy has written it.
    pub(super) fn of(
        headers: &HeaderMap,
        peer: IpAddr,
        is_trusted: impl Fn(IpAddr) -> bool,
    ) -> Self {
        let mut said = Self::default();
        let mut writer = peer;
        // Several fields are one list in their order (RFC 9110, section 5.3).
        let lines: Vec<_> = headers.get_all(FORWARDED).iter().collect();
        let mut elements = lines
            .iter()
            .rev()
            .flat_map(|line| FromTheRight(Some(line.as_bytes())));
        while is_trusted(writer) {
            let Some(element) = elements.next() else {
                break;
            };
            let text = std::str::from_utf8(element).ok();
            let element = text.and_then(Element::read).unwrap_or_default();
            let value = |text: Option<&str>| text.and_then(|text| text.parse().ok());
            (said.host, said.proto) = (value(element.host), value(element.proto));
            let Some(addr) = element.addr.and_then(node) else {
                break;
            };
            writer = addr.to_canonical();
            said.addresses.insert(0, writer);
        }
        said
    }
}

impl<'e> Element<'e> {
    /// Reads `for="[2001:db8::1]:80";proto=https`. `None` if a name stands there twice: readers
    /// differ on which of two counts.
    fn read(text: &'e str) -> Option<Self> {
        let mut element = Self::default();
        for pair in text.split(';') {
            let (name, value) = pair.split_once('=')?;
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "for" => &mut element.addr,
                "host" => &mut element.host,
                "proto" => &mut element.proto,
                _ => continue,
            };
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            if place.replace(bare.unwrap_or(value)).is_some() {
                return None;
            }
        }
        Some(element)
    }
}

/// The elements of a list, from the last to the first. A comma in quotes does not separate, and a
/// quote that a client left open changes nothing to its right.
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

/// Reads an address, with or without a port (section 6). `unknown` and `_hidden` are none.
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

/// Says whether a text is a port: a number, or obfuscated as `_p`.
fn is_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(name) => {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !name.is_empty() && name.bytes().all(is_plain)
        }
        None => matches!(port.len(), 1..=5) && port.bytes().all(|b| b.is_ascii_digit()),
    }
}
