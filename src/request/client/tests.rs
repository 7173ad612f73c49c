use http::{HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const PROXIES: [&str; 3] = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"];

fn client(peer: Option<&str>, field: ForwardedField, fields: &[(&str, &str)]) -> Option<String> {
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
            // A client may begin the field itself; proxies append to it.
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
        // Some readers take a leading zero for octal, so that the text names two addresses.
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
