//! The address at the other end of a connection, and the networks of trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::Extensions;

use super::routed;
use crate::error::ConfigError;

/// The address at the other end of a connection. The host server puts it into each request's
/// extensions.
///
/// With feature `axum`, axum's `ConnectInfo<SocketAddr>` does as well. Without either, no limit is
/// counted by network ([`Limits`](crate::throttle::Limits)), and the layer logs one warning.
///
/// ```
/// use tower_magic_link::PeerAddr;
///
/// fn mark<B>(request: &mut http::Request<B>, peer: std::net::SocketAddr) {
///     request.extensions_mut().insert(PeerAddr::from(peer));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(SocketAddr);

impl PeerAddr {
    /// Returns the address.
    #[must_use]
    pub const fn addr(self) -> SocketAddr {
        self.0
    }

    /// Returns the peer's address, if the host has stated one.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        extensions
            .get::<Self>()
            .copied()
            // The application's own statement comes first: behind a PROXY protocol it knows more
            // than the socket.
            .or_else(|| routed::connect_info(extensions).map(Self))
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(addr: SocketAddr) -> Self {
        Self(addr)
    }
}

/// The networks of trusted proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Vec<Network>);

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    addr: IpAddr,
    bits: u32,
}

impl Proxies {
    pub(crate) fn parse(texts: &[String]) -> Result<Self, ConfigError> {
        let problem =
            "must be an address or a network such as 10.0.0.0/8, whose other bits are zero";
        let parse = |text: &String| {
            Network::parse(text)
                .ok_or_else(|| ConfigError::invalid("trusted_proxies", text, problem))
        };
        texts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, peer: PeerAddr) -> bool {
        // A socket that listens on both families writes 127.0.0.1 as ::ffff:127.0.0.1.
        let addr = peer.addr().ip().to_canonical();
        self.0.iter().any(|network| network.has(addr))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (addr, bits) = match text.split_once('/') {
            Some((addr, bits)) => (addr, Some(bits)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().ok()?;
        let width = width(addr);
        let bits = match bits {
            // `parse` would take a sign, as in `+8`.
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        let network = Self { addr, bits };
        // A peer is compared in its canonical form, so a mapped network would never match.
        let is_mapped = addr.to_canonical() != addr;
        let has_rest = bits <= width && network.rest_of(addr) != 0;
        (bits <= width && !has_rest && !is_mapped).then_some(network)
    }

    fn has(self, addr: IpAddr) -> bool {
        // Both families are compared as numbers, and 0.0.0.1 and ::1 are the same one.
        self.addr.is_ipv4() == addr.is_ipv4() && self.head_of(addr) == self.head_of(self.addr)
    }

    /// Returns the network bits, shifted down to the lowest.
    fn head_of(self, addr: IpAddr) -> u128 {
        let rest = width(addr).saturating_sub(self.bits);
        // A shift by the full width is the network /0, which has every address.
        number(addr).checked_shr(rest).unwrap_or_default()
    }

    /// Returns the host bits.
    fn rest_of(self, addr: IpAddr) -> u128 {
        let mask = u128::MAX.checked_shl(width(addr).saturating_sub(self.bits));
        number(addr) & !mask.unwrap_or_default()
    }
}

const fn width(addr: IpAddr) -> u32 {
    if addr.is_ipv4() {
        u32::BITS
    } else {
        u128::BITS
    }
}

fn number(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => addr.to_bits().into(),
        IpAddr::V6(addr) => addr.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_share_its_bits() {
        let cases = [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.168.4.0/23", "192.168.5.9", true),
            ("192.168.4.0/23", "192.168.6.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.9", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("::1", "::1", true),
            ("::1", "127.0.0.1", false),
        ];
        for (network, addr, want) in cases {
            let proxies = Proxies::parse(&[network.to_owned()]).unwrap();
            let peer = SocketAddr::new(addr.parse().unwrap(), 4_000);
            assert_eq!(proxies.has(peer.into()), want, "{addr} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_its_value() {
        for text in [
            "",
            "proxy",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0:80",
            "fd00::/129",
            "[::1]",
            "::ffff:10.0.0.0/104",
            " 10.0.0.1",
            "10.0.0",
        ] {
            let error = Proxies::parse(&[text.to_owned()]).unwrap_err();
            assert_eq!(error.setting(), "trusted_proxies");
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
