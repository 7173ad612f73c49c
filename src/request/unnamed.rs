//! Finds what may be a proxy that the application has not named: the layer then takes it for the
//! client, and all its clients for one network.
//!
//! - A proxy connects from the same machine or a private network, and adds forwarding fields. A
//!   client on the Internet has no such address.
//! - A client nearby can write such a field too, and clients may share a proxy's address behind a
//!   container's NAT. If the operator trusted that address, they could choose their network. So the
//!   line says what was seen, and when to name the address.
//! - The line has the peer's own address and the field's name alone. A client may have written what
//!   the field holds.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, request::Parts};

use super::{
    client::ForwardedField,
    peer::{PeerAddr, Proxies},
};

/// The fields by which proxies name the client or its request: those that the layer can read first.
const FIELDS: [&str; 12] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "x-envoy-external-address",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Returns what was seen, and what to change when, if the request may have come through a proxy
/// that is not named.
pub(crate) fn hint(parts: &Parts, proxies: &Proxies, field: ForwardedField) -> Option<String> {
    let peer = PeerAddr::of(&parts.extensions)?;
    let addr = peer.addr().ip().to_canonical();
    if !is_near(addr) || proxies.has(peer) {
        return None;
    }
    let sent = FIELDS.iter().find(|name| has(&parts.headers, name))?;
    let line = format!(".trusted_proxies([\"{addr}\"])");
    let forwarded = ".forwarded_field(ForwardedField::Forwarded)";
    let forwarded_for = ".forwarded_field(ForwardedField::XForwardedFor)";
    let more = match (*sent, field) {
        ("x-forwarded-for", ForwardedField::XForwardedFor)
        | ("forwarded", ForwardedField::Forwarded) => String::new(),
        ("x-forwarded-for", ForwardedField::Forwarded) if has(&parts.headers, "forwarded") => {
            String::new()
        }
        ("x-forwarded-for", ForwardedField::Forwarded) => format!(" and {forwarded_for}"),
        ("forwarded", ForwardedField::XForwardedFor) => format!(" and {forwarded}"),
        _ => ", and have the proxy send X-Forwarded-For".to_owned(),
    };
    Some(format!(
        "a request from {addr} has {sent}, and {addr} is not in trusted_proxies. If a proxy of \
         yours is at that address, its clients share the limits of one network. If also no client \
         connects from there without that proxy, add {line}{more}"
    ))
}

fn has(headers: &HeaderMap, name: &str) -> bool {
    headers.contains_key(name)
}

/// Says whether an address is of this machine or of a private network: RFC 1918, RFC 4193, RFC 6598
/// (shared by carriers and clouds), or link-local.
fn is_near(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => {
            // 100.64.0.0/10.
            let is_shared = addr.to_bits() >> 22 == Ipv4Addr::new(100, 64, 0, 0).to_bits() >> 22;
            addr.is_loopback() || addr.is_private() || addr.is_link_local() || is_shared
        }
        IpAddr::V6(addr) => {
            addr.is_loopback() || addr.is_unique_local() || addr.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::Request;

    use super::*;

    /// Returns the line for a request of this machine that has `X-Forwarded-For`.
    fn line() -> String {
        let peer = PeerAddr::from(SocketAddr::from(([127, 0, 0, 1], 41_000)));
        let request = Request::get("/")
            .extension(peer)
            .header("x-forwarded-for", "192.0.2.1");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let proxies = Proxies::parse(&[]).unwrap();
        hint(&parts, &proxies, ForwardedField::XForwardedFor).unwrap()
    }

    #[test]
    fn the_guide_shows_the_line_as_it_is_logged() {
        let guide = include_str!("../guide/behind_a_proxy.md");
        let (_, shown) = guide.split_once("```text\n").unwrap();
        let (shown, _) = shown.split_once("\n```").unwrap();
        assert_eq!(line(), shown.replace('\n', " "));
    }

    /// Pins: one field of a client nearby had the log say that a proxy is at the client's address,
    /// and that it be trusted.
    #[test]
    fn a_field_alone_does_not_make_a_peer_a_proxy_to_be_trusted() {
        let line = line();
        let (seen, change) = line.split_once(". If a proxy of yours is at ").unwrap();
        let want =
            "a request from 127.0.0.1 has x-forwarded-for, and 127.0.0.1 is not in trusted_proxies";
        assert_eq!(seen, want);
        let (_, change) = change.split_once("If also no client connects ").unwrap();
        assert!(change.contains("add .trusted_proxies"), "{line}");
    }

    #[test]
    fn an_address_is_near_by_its_network() {
        let cases = [
            ("127.0.0.1", true),
            ("10.255.0.1", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.127.255.255", true),
            ("100.63.255.255", false),
            ("100.128.0.0", false),
            ("192.0.2.1", false),
            ("::1", true),
            ("fd00::1", true),
            ("fc00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
        ];
        for (addr, want) in cases {
            assert_eq!(is_near(addr.parse().unwrap()), want, "{addr}");
        }
    }
}
