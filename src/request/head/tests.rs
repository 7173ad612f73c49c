use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const NAME: &str = "__Host-s";

fn request(fields: &[(&'static str, &[u8])]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(*name, value);
    }
    request
}

/// A name, the fields of a request, and what is found there.
type Case<'c> = (&'c str, &'c [&'c [u8]], Found<&'c str>);

#[test]
fn ours_is_found_among_ten_thousand_and_beside_a_megabyte() {
    let many: Vec<_> = (0..10_000).map(|n| format!("c{n}=v{n}")).collect();
    let large = format!("big={}", "x".repeat(1 << 20));
    let cases = [
        ("first", format!("__Host-s=good; {}", many.join("; "))),
        ("last", format!("{}; __Host-s=good", many.join("; "))),
        ("after a megabyte", format!("{large}; __Host-s=good")),
        (
            "after semicolons",
            format!("{} __Host-s=good", ";".repeat(1 << 20)),
        ),
    ];
    for (name, field) in cases {
        let request = request(&[("cookie", field.as_bytes())]);
        let found = RequestHead::of(&request).cookie(NAME);
        assert_eq!(found, Found::One("good"), "{name}");
        // Linear: no byte belongs to two pairs.
        let (count, bytes) = pairs(field.as_bytes()).fold((0, 0), |(count, bytes), pair| {
            (count + 1, bytes + pair.len())
        });
        assert_eq!(bytes + count - 1, field.len(), "{name}");
    }
    let crumbs: Vec<_> = many
        .iter()
        .map(|pair| ("cookie", pair.as_bytes()))
        .collect();
    let ours = ("cookie", &b"__Host-s=good"[..]);
    let request = request(&[&crumbs[..5_000], &[ours], &crumbs[5_000..]].concat());
    let found = RequestHead::of(&request).cookie(NAME);
    assert_eq!(found, Found::One("good"), "crumbs");
}

#[test]
fn a_cookie_is_ours_by_its_exact_bytes_alone() {
    use Found::{Conflict, Nothing, One};
    let cases: [Case<'_>; 33] = [
        ("alone", &[b"__Host-s=good"], One("good")),
        ("among others", &[b"a=1; __Host-s=good; b=2"], One("good")),
        (
            "no space after the semicolon",
            &[b"a=1;__Host-s=good"],
            One("good"),
        ),
        ("own field", &[b"a=1", b"__Host-s=good"], One("good")),
        ("crumbs", &[b"__Host-s=good", b"a=1", b"b=2"], One("good")),
        ("value with equals", &[b"__Host-s=a=b=="], One("a=b==")),
        ("empty value", &[b"__Host-s="], One("")),
        (
            "quoted value keeps its quotes",
            &[b"__Host-s=\"good\""],
            One("\"good\""),
        ),
        (
            // Another application's cookie must not hide ours.
            "neighbour with a Latin-1 byte",
            &[b"a=\xe9; __Host-s=good"],
            One("good"),
        ),
        (
            "neighbour with UTF-8",
            &["a=é; __Host-s=good".as_bytes()],
            One("good"),
        ),
        (
            "neighbour with a quote",
            &[b"a=\"x; __Host-s=good"],
            One("good"),
        ),
        (
            "neighbour with no equals",
            &[b"a; __Host-s=good"],
            One("good"),
        ),
        ("nameless neighbour", &[b"=x; __Host-s=good"], One("good")),
        ("empty pairs", &[b";;; __Host-s=good;;"], One("good")),
        (
            "version attribute",
            &[b"$Version=1; __Host-s=good; $Path=/"],
            One("good"),
        ),
        (
            "same value twice",
            &[b"__Host-s=good; __Host-s=good"],
            One("good"),
        ),
        (
            // A reader that decodes names would take the second cookie, which a sibling subdomain
            // can set.
            "percent-encoded beside",
            &[b"__Host-s=good; %5f%5fHost-s=evil"],
            One("good"),
        ),
        (
            // So would one that trims all blanks of Unicode.
            "U+2000 beside",
            &["__Host-s=good; \u{2000}__Host-s=evil".as_bytes()],
            One("good"),
        ),
        (
            "U+0085 beside",
            &[b"__Host-s=good; \xc2\x85__Host-s=evil"],
            One("good"),
        ),
        (
            "other case beside",
            &[b"__Host-s=good; __host-s=evil"],
            One("good"),
        ),
        ("percent-encoded alone", &[b"%5f%5fHost-s=evil"], Nothing),
        ("part percent-encoded", &[b"__Host%2ds=evil"], Nothing),
        ("two spaces before", &[b"a=1;  __Host-s=evil"], Nothing),
        ("tab before", &[b"a=1;\t__Host-s=evil"], Nothing),
        ("space before the equals", &[b"__Host-s =evil"], Nothing),
        ("other case", &[b"__HOST-s=evil"], Nothing),
        ("longer name", &[b"__Host-s2=evil"], Nothing),
        ("longer name before", &[b"x__Host-s=evil"], Nothing),
        ("no equals", &[b"__Host-s"], Nothing),
        ("name as a value", &[b"a=__Host-s=evil"], Nothing),
        ("two values", &[b"__Host-s=good; __Host-s=evil"], Conflict),
        (
            "two values in two fields",
            &[b"__Host-s=evil", b"__Host-s=good"],
            Conflict,
        ),
        (
            "a value that is no text",
            &[b"__Host-s=good; __Host-s=\xff"],
            Conflict,
        ),
    ];
    for (name, fields, want) in cases {
        let fields: Vec<_> = fields.iter().map(|field| ("cookie", *field)).collect();
        let request = request(&fields);
        assert_eq!(RequestHead::of(&request).cookie(NAME), want, "{name}");
    }
}

#[test]
fn conflicting_cookies_conflict_in_every_order() {
    for values in [["a", "b", "b"], ["b", "a", "b"], ["b", "b", "a"]] {
        let field = values.map(|value| format!("{NAME}={value}")).join("; ");
        let request = request(&[("cookie", field.as_bytes())]);
        assert_eq!(
            RequestHead::of(&request).cookie(NAME),
            Found::Conflict,
            "{values:?}"
        );
    }
}

#[test]
fn a_bearer_token_is_what_stands_behind_the_scheme_and_one_space() {
    use Found::{Conflict, Nothing, One};
    let cases: [Case<'_>; 29] = [
        ("none", &[], Nothing),
        ("plain", &[b"Bearer a.b-_c"], One("a.b-_c")),
        ("lower case", &[b"bearer good"], One("good")),
        ("upper case", &[b"BEARER good"], One("good")),
        ("mixed case", &[b"bEaReR good"], One("good")),
        ("the token keeps its case", &[b"Bearer GooD"], One("GooD")),
        ("two spaces", &[b"Bearer  good"], One(" good")),
        ("space behind", &[b"Bearer good "], One("good ")),
        ("two tokens", &[b"Bearer good evil"], One("good evil")),
        (
            "a list",
            &[b"Bearer good, Bearer evil"],
            One("good, Bearer evil"),
        ),
        ("quoted", &[b"Bearer \"good\""], One("\"good\"")),
        ("no token", &[b"Bearer "], One("")),
        ("scheme alone", &[b"Bearer"], One(NONE_OF_OURS)),
        ("tab", &[b"Bearer\tgood"], One(NONE_OF_OURS)),
        ("comma", &[b"Bearer,good"], One(NONE_OF_OURS)),
        ("equals", &[b"Bearer=good"], One(NONE_OF_OURS)),
        ("colon", &[b"Bearer: good"], One(NONE_OF_OURS)),
        (
            "a byte that is no text",
            &[b"Bearer go\xffod"],
            One(NONE_OF_OURS),
        ),
        (
            "a byte behind the scheme",
            &[b"Bearer\xa0good"],
            One(NONE_OF_OURS),
        ),
        ("space before", &[b" Bearer good"], One(NONE_OF_OURS)),
        ("tab before", &[b"\tBearer good"], One(NONE_OF_OURS)),
        ("empty field", &[b""], Nothing),
        ("basic", &[b"Basic YTpi"], Nothing),
        ("basic with bearer in it", &[b"Basic Bearer good"], Nothing),
        ("longer scheme", &[b"Bearers good"], Nothing),
        ("scheme with a dash", &[b"Bearer-x good"], Nothing),
        (
            "same field twice",
            &[b"Bearer good", b"Bearer good"],
            Conflict,
        ),
        ("basic first", &[b"Basic YTpi", b"Bearer good"], Conflict),
        ("basic last", &[b"Bearer good", b"Basic YTpi"], Conflict),
    ];
    for (name, fields, want) in cases {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| ("authorization", *field))
            .collect();
        let request = request(&fields);
        assert_eq!(RequestHead::of(&request).bearer(), want, "{name}");
    }
}

#[test]
fn a_post_is_of_our_site_by_fetch_metadata_then_origin_then_cookie() {
    let sites = [
        (Some("same-origin"), Some(false)),
        (Some("none"), Some(false)),
        (Some("same-site"), Some(true)),
        (Some("cross-site"), Some(true)),
        (None, None),
    ];
    let origins = [
        (Some("https://app.example"), Some(false)),
        (Some("https://evil.example"), Some(true)),
        (Some("http://app.example"), Some(true)),
        (Some("https://app.example.evil.example"), Some(true)),
        (Some("null"), None),
        (None, None),
    ];
    for (site, by_site) in sites {
        for (origin, by_origin) in origins {
            for has_cookie in [true, false] {
                let mut fields: Vec<(&'static str, &[u8])> = Vec::new();
                fields.extend(site.map(|site| ("sec-fetch-site", site.as_bytes())));
                fields.extend(origin.map(|origin| ("origin", origin.as_bytes())));
                let request = request(&fields);
                let got =
                    RequestHead::of(&request).is_cross_site("https://app.example", || has_cookie);
                let want = by_site.or(by_origin).unwrap_or(!has_cookie);
                assert_eq!(got, want, "{site:?} {origin:?} cookie: {has_cookie}");
            }
        }
    }
}

#[test]
fn a_repeated_origin_or_site_is_taken_for_another_site() {
    let twice: [[(&'static str, &[u8]); 2]; 2] = [
        [
            ("origin", b"https://app.example"),
            ("origin", b"https://evil.example"),
        ],
        [
            ("sec-fetch-site", b"same-origin"),
            ("sec-fetch-site", b"cross-site"),
        ],
    ];
    for fields in twice {
        let request = request(&fields);
        assert!(RequestHead::of(&request).is_cross_site("https://app.example", || true));
        assert!(!RequestHead::of(&request).is_silent_on_site());
    }
    type Case<'c> = (&'c [(&'static str, &'c [u8])], bool);
    let silent: [Case<'_>; 4] = [
        (&[], true),
        (&[("origin", b"null")], true),
        (
            &[("origin", b"null"), ("origin", b"https://evil.example")],
            false,
        ),
        (&[("origin", b"null"), ("origin", b"null")], false),
    ];
    for (fields, want) in silent {
        let request = request(fields);
        assert_eq!(RequestHead::of(&request).is_silent_on_site(), want);
    }
}

proptest! {
    /// The walk that every request takes, and the list that a sign-out reads.
    #[test]
    fn the_one_cookie_is_what_the_list_of_all_says(
        fields in proptest::collection::vec(
            "((__Host-s|__Host-sx| __Host-s|  __Host-s|a)=[ab=\\x80-\\xff]?|;|; | |__Host-s){0,6}",
            0..3,
        ),
    ) {
        let mut request = Request::new(());
        for field in &fields {
            let value = HeaderValue::from_bytes(field.as_bytes()).unwrap();
            request.headers_mut().append(header::COOKIE, value);
        }
        let head = RequestHead::of(&request);
        let mut values = head.cookies(NAME);
        let want = match values.next() {
            None => Found::Nothing,
            Some(first) if values.all(|value| value == first) => Found::One(first),
            Some(_) => Found::Conflict,
        };
        prop_assert_eq!(head.cookie(NAME), want);
        let bytes = match want {
            Found::Nothing => Found::Nothing,
            Found::One(value) => Found::One(value.as_bytes()),
            Found::Conflict => Found::Conflict,
        };
        prop_assert_eq!(head.cookie_bytes(NAME), bytes);
    }
}

#[test]
fn a_value_that_is_no_text_is_read_by_its_bytes_and_two_of_them_conflict() {
    let cases: [(&[u8], Found<&[u8]>); 3] = [
        (b"__Host-s=\xff", Found::One(b"\xff")),
        (b"__Host-s=\xff; __Host-s=\xff", Found::One(b"\xff")),
        (b"__Host-s=\xff; __Host-s=\xfe", Found::Conflict),
    ];
    for (field, want) in cases {
        let request = request(&[("cookie", field)]);
        assert_eq!(RequestHead::of(&request).cookie_bytes(NAME), want);
    }
}
