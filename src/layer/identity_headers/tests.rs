use proptest::prelude::*;

use super::{names::NAMES, *};
use crate::{
    clock::Timestamp,
    provider::Identity,
    session::{SessionId, Times},
    site::public_url::Scheme,
};

fn session(subject: &str, organization: Option<&str>) -> Session {
    let email = "a&b'c+d@example.com".parse().unwrap();
    let identity = Identity::new(subject, email);
    let identity = identity.with_organization(organization.map(str::to_owned));
    let now = Timestamp::from_secs(1);
    let times = Times {
        issued_at: now,
        expires_at: now,
        auth_time: now,
    };
    Session::new(&identity, SessionId::from_bytes([7; 16]), times)
}

#[test]
fn a_value_is_one_token_of_visible_ascii_and_comes_back_as_it_was() {
    let cases = [
        ("prof_01HZ", "prof_01HZ"),
        ("auth0|a:b/c=", "auth0|a:b/c="),
        ("a,b;c\"d", "a%2Cb%3Bc%22d"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil:%201"),
        ("%2C", "%252C"),
        (" caf\u{e9}\t", "%20caf%C3%A9%09"),
        ("\u{0}\u{7f}\\", "%00%7F%5C"),
    ];
    for (text, want) in cases {
        let mut headers = HeaderMap::new();
        introduce(&mut headers, &session(text, Some(text)));
        assert_eq!(headers[SUBJECT], want);
        assert_eq!(headers[ORGANIZATION], want);
        let back = percent_encoding::percent_decode_str(want).decode_utf8();
        assert_eq!(back.unwrap(), text);
        let count = headers[SUBJECT]
            .to_str()
            .map(|value| value.bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(count.ok(), Some(true), "{text:?}");
    }
}

/// The same as `without_own`, pair by pair and with no regard to what it costs.
fn without_own_by_the_book(field: &[u8], cookies: &Cookies) -> Option<Vec<u8>> {
    let names: Vec<_> = CookieName::ALL
        .iter()
        .map(|cookie| format!("{}=", cookies.name(*cookie)).into_bytes())
        .collect();
    let all: Vec<_> = field.split(|byte| *byte == b';').collect();
    let has_own_name = |pair: &[u8]| names.iter().any(|name| pair.starts_with(name));
    let is_own = |pair: &&&[u8]| has_own_name(pair.strip_prefix(b" ").unwrap_or(pair));
    let mut kept: Vec<_> = all.iter().filter(|pair| !is_own(pair)).copied().collect();
    // What the next reader makes of it: read again until nothing of ours stands first.
    while kept
        .first()
        .is_some_and(|pair| has_own_name(pair.trim_ascii()))
    {
        kept.remove(0);
    }
    (kept.len() < all.len()).then(|| kept.join(&b';'))
}

proptest! {
    #[test]
    fn our_cookies_and_nothing_else_are_taken_out_of_a_field(
        pairs in proptest::collection::vec(
            "|;| |[a-c ]{0,2}=x|( ?|  |\t| \t)(__Host-app|__Secure-app)(-browser|-known|)=[a-c]?|app=1",
            0..6,
        ),
    ) {
        let cookies = Cookies::new("app", Scheme::Https, None);
        let field = pairs.join(";").into_bytes();
        let want = without_own_by_the_book(&field, &cookies);
        prop_assert_eq!(without_own(&field, &cookies), want);
    }
}

/// Pins a fault: a pair of ours behind two blanks came to stand first, where the next reader trims
/// the blanks off, and reached the service.
#[test]
fn no_reader_that_trims_a_field_finds_a_cookie_of_ours_first_in_it() {
    let pairs = ["__Host-app=1", "a=1", "", "__Host-app-browser=1"];
    let blanks = ["", " ", "  ", "\t", " \t ", "\t\t  "];
    let cookies = Cookies::new("app", Scheme::Https, None);
    let parts = || {
        pairs
            .iter()
            .flat_map(|pair| blanks.map(|blank| format!("{blank}{pair}")))
    };
    let mut hidden = 0;
    for first in parts() {
        for second in parts() {
            for third in parts() {
                let field = [&first, &second, &third].map(String::as_str).join(";");
                let mut headers = HeaderMap::new();
                headers.insert(header::COOKIE, HeaderValue::from_str(&field).unwrap());
                hide_cookies(&mut headers, &cookies);
                let Some(left) = headers.get(header::COOKIE) else {
                    hidden += 1;
                    continue;
                };
                let left = left.as_bytes().trim_ascii();
                assert!(!left.starts_with(b"__Host-app"), "{field:?}");
                assert!(!left.windows(12).any(|w| w == b"; __Host-app"), "{field:?}");
            }
        }
    }
    assert!(hidden > 500, "{hidden}");
}

#[test]
fn fields_are_rewritten_one_by_one_and_those_that_become_empty_are_gone() {
    let all = |headers: &HeaderMap| -> Vec<String> {
        let fields = headers.get_all(header::COOKIE).iter();
        fields
            .map(|field| field.to_str().unwrap().to_owned())
            .collect()
    };
    let cases = [
        (vec!["x=1", ""], vec!["x=1", ""]),
        (vec!["__Host-app=1; x=1", ""], vec!["x=1", ""]),
        (vec!["", "__Host-app=1", "x=1"], vec!["", "x=1"]),
        (vec!["__Host-app=1", " __Host-app=2 "], vec![]),
        (vec!["a=1;__Host-app=1;", "b=2"], vec!["a=1;", "b=2"]),
        (vec!["\t__Host-app=1", "  __Host-app=2; b=2"], vec!["b=2"]),
        (vec!["__Host-app=1;\t__Host-app=2;  __Host-app=3"], vec![]),
        (vec!["  b=2;  __Host-app=1"], vec!["  b=2;  __Host-app=1"]),
    ];
    for (fields, want) in cases {
        let mut headers = HeaderMap::new();
        for field in &fields {
            headers.append(header::COOKIE, HeaderValue::from_static(field));
        }
        hide_cookies(&mut headers, &Cookies::new("app", Scheme::Https, None));
        assert_eq!(all(&headers), want, "{fields:?}");
    }
}

/// The names are found by their lengths and first letters: none may be missed for that.
#[test]
fn each_field_that_concerns_identity_is_found_among_others_in_any_spelling() {
    let among = |name: &str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        let name = HeaderName::try_from(name).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
        Present::among(&headers)
    };
    let stripped = Present {
        has_stripped: true,
        ..Present::default()
    };
    for name in NAMES.iter().chain(&[HTTP2_SETTINGS, UPGRADE]) {
        for dash in ["-", "_", ".", "~"] {
            let spelled = name.replace('-', dash);
            assert_eq!(among(&spelled, "x"), stripped, "{spelled}");
            for naming in &NAMING {
                for members in [
                    spelled.to_uppercase(),
                    format!("keep-alive, {spelled}"),
                    format!("{spelled};x"),
                    format!("close{}{spelled}", '\t'),
                ] {
                    let present = among(naming.as_str(), &members);
                    assert_eq!(present, stripped, "{naming}: {members}");
                }
            }
        }
    }
    for (name, value) in [
        ("connection", "keep-alive"),
        ("trailer", "x-checksum"),
        ("x-auth-request-email", "x"),
        ("x-auth-mail", "x"),
        ("authority", "x"),
        ("cookie2", "x"),
        ("upgrade-insecure-requests", "1"),
    ] {
        assert_eq!(among(name, value), Present::default(), "{name}");
    }
    let cookie = Present {
        has_cookie: true,
        ..Present::default()
    };
    let authorization = Present {
        has_authorization: true,
        ..Present::default()
    };
    assert_eq!(among("Cookie", "x"), cookie);
    assert_eq!(among("Authorization", "x"), authorization);
}

/// Pins a cost: a stranger's request on a public path took a signature check for each part.
#[test]
fn no_more_than_16_parts_of_a_requests_fields_are_verified() {
    let part = |n: usize| format!("maybe{n}");
    let list = |parts: std::ops::Range<usize>| parts.map(part).collect::<Vec<_>>().join(" ");
    let bearer = |n: usize| format!("Bearer {}", part(n));
    let basic = "Basic YTpi".to_owned();
    let cases = [
        ("none", vec![basic.clone()], 0, vec![basic.clone()]),
        ("16", vec![list(0..16)], 16, vec![list(0..16)]),
        ("17", vec![list(0..17)], 16, vec![]),
        (
            "3,000",
            vec![list(0..3_000), basic.clone()],
            16,
            vec![basic.clone()],
        ),
        (
            "one in each field",
            (0..3_000).map(bearer).chain([basic.clone()]).collect(),
            16,
            (0..16).map(bearer).chain([basic]).collect(),
        ),
        (
            "ours, first",
            vec![format!("ours {}", list(0..15))],
            1,
            vec![],
        ),
        (
            "ours, 16th",
            vec![format!("{} ours", list(0..15))],
            16,
            vec![],
        ),
        (
            "ours, 17th",
            vec![list(0..16), "ours".to_owned()],
            16,
            vec![list(0..16)],
        ),
    ];
    for (name, fields, want, left) in cases {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, field.parse().unwrap());
        }
        let count = Cell::new(0);
        let may_be_own = |part: &[u8]| part.starts_with(b"maybe") || part == b"ours";
        hide_parts(&mut headers, may_be_own, |part| {
            count.set(count.get() + 1);
            part == b"ours"
        });
        assert_eq!(count.get(), want, "{name}");
        let fields = headers.get_all(header::AUTHORIZATION).iter();
        assert!(fields.eq(left.iter()), "{name}: {headers:?}");
    }
}

#[test]
fn each_header_holds_what_it_is_named_after() {
    let mut headers = HeaderMap::new();
    introduce(&mut headers, &session("prof_1", None));
    assert_eq!(headers[SUBJECT], "prof_1");
    assert_eq!(headers[EMAIL], "a&b'c+d@example.com");
    assert_eq!(headers[SESSION], "BwcHBwcHBwcHBwcHBwcHBw");
    assert_eq!(headers.len(), 3, "no organization");
    introduce(&mut headers, &session("prof_1", Some("org_1")));
    assert_eq!(headers[ORGANIZATION], "org_1");
}
