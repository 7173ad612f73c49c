//! The networks that a client is counted in.
//!
//! - One customer of a provider has an IPv4 address, or 64 to 48 bits of IPv6: "at least one /64,
//!   and in most cases significantly more" (RFC 6177, section 2). A telephone has a /64, a home a
//!   /64 or a /56, a company a /48. Whoever rents a server has a /64, and a /48 for the asking.
//! - A count by /64 alone gives the holder of a /48 65,536 allowances. A count by /48 alone makes
//!   the telephones of a city one client. So a client is charged to each, and the wider ones admit
//!   more.
//! - Of IPv4 it is the address and its /24, the smallest network that is routed by itself. An
//!   office or a carrier's translator (RFC 6888) is many people behind one address, which is why
//!   one address admits as many as an office needs.

use std::net::IpAddr;

use crate::throttle::Rate;

/// A network, by its leading octets.
#[derive(Clone, Copy)]
pub(super) struct Network {
    octets: [u8; MOST_OCTETS],
    length: usize,
    width: Width,
}

/// The octets of the longest prefix that is counted: a /64.
const MOST_OCTETS: usize = 8;

/// How wide a network is.
#[derive(Clone, Copy)]
enum Width {
    /// One customer's: an IPv4 address, or a /64.
    One,
    /// A home's: a /56.
    Home,
    /// A site's or a neighbourhood's: a /24 of IPv4, or a /48.
    Site,
}

impl Network {
    /// Returns the networks that an address belongs to, from the narrowest.
    pub(super) fn of(addr: IpAddr) -> impl Iterator<Item = Self> {
        const OF_V4: &[(usize, Width)] = &[(4, Width::One), (3, Width::Site)];
        const OF_V6: &[(usize, Width)] = &[(8, Width::One), (7, Width::Home), (6, Width::Site)];
        let mut octets = [0; MOST_OCTETS];
        let mut fill = |from: &[u8]| {
            let pairs = octets.iter_mut().zip(from);
            pairs.for_each(|(to, from)| *to = *from);
        };
        let widths = match addr.to_canonical() {
            IpAddr::V4(addr) => {
                fill(&addr.octets());
                OF_V4
            }
            IpAddr::V6(addr) => {
                fill(&addr.octets());
                OF_V6
            }
        };
        widths.iter().map(move |(length, width)| Self {
            octets,
            length: *length,
            width: *width,
        })
    }

    /// Returns the leading octets. No two networks of different widths have the same.
    pub(super) fn name(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Returns what this network may do, if one customer's may do as much as `rate`: twice as much
    /// a home, four times as much a site.
    pub(super) fn rate(&self, rate: Rate) -> Rate {
        rate.times(match self.width {
            Width::One => 1,
            Width::Home => 2,
            Width::Site => 4,
        })
    }

    /// Returns what this network may do for one address. A wider one has a larger burst, and
    /// refills no faster: otherwise one home would take every refill of the address.
    pub(super) fn rate_for_address(&self, rate: Rate) -> Rate {
        let burst = rate.burst();
        rate.with_burst(burst.saturating_add(match self.width {
            Width::One => 0,
            Width::Home => burst.div_ceil(2),
            Width::Site => burst,
        }))
    }
}
