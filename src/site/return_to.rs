//! `ReturnTo`: the page that a person asked for, and reaches after signing in.
//!
//! - A path and query on our own origin. It cannot hold an absolute URL, nor anything that a
//!   browser or a proxy might read as one, even after decoding it once or twice (RFC 9700, section
//!   4.11).
//! - It is an allow rule, not a list of attacks: visible ASCII, one leading slash, no dot segment,
//!   and text in UTF-8 or Latin-1. A query may hold anything: it has no part in where an address
//!   leads.
//! - A value that does not fit is not repaired: the person goes to the front page. If it is too
//!   long, the form says so.

use memchr::memchr;
use percent_encoding::{percent_decode, percent_encode_byte};

use crate::ascii;

/// The most bytes: a request line has to hold the value percent-encoded.
const LONGEST: usize = 2_048;

/// The parameter of the form that says that the address was too long to return to.
pub(crate) const TOO_LONG: &str = "too_long";

/// The bytes that stay as they are in a parameter: RFC 3986's unreserved characters, and the slash,
/// which reads better unencoded.
static STAYS: ascii::Set =
    ascii::Set::of(b"-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");

/// A path and query on our own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnTo(String);

impl Default for ReturnTo {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl ReturnTo {
    /// Parses a path and query that stays on the origin.
    ///
    /// It refuses the layer's own endpoints, because they would lead back to themselves.
    pub(crate) fn parse(text: &str, mount: &str) -> Option<Self> {
        Self::is_good(text, mount).then(|| Self(text.to_owned()))
    }

    /// Says whether a text is a path and query that stays on the origin.
    pub(crate) fn is_good(text: &str, mount: &str) -> bool {
        if Self::is_too_long(text) {
            return false;
        }
        let bytes = text.as_bytes();
        let end = memchr(b'?', bytes).unwrap_or(bytes.len());
        let (path, query) = bytes.split_at(end);
        // Without an early exit: most addresses are good, and a processor then compares many bytes
        // at a time.
        let fits = |byte: u8| byte.is_ascii_graphic() & (byte != b'#');
        // Browsers make a slash of a backslash in a path, and leave it in a query (URL Standard,
        // "path state").
        let fits_path = |byte: u8| fits(byte) & (byte != b'\\');
        let is_path = path.iter().fold(true, |is, byte| is & fits_path(*byte));
        let is_query = query.iter().fold(true, |is, byte| is & fits(*byte));
        if !is_path || !is_query {
            return false;
        }
        // Decoding leaves a path without `%` as it is.
        if !path.contains(&b'%') {
            return stands(path) && !is_own(path, mount);
        }
        Self::stays_decoded(path, mount)
    }

    /// Says whether a path stays on the origin as it is, and decoded once or twice.
    fn stays_decoded(path: &[u8], mount: &str) -> bool {
        // A proxy and then the inner service may each decode the path once more.
        let once: Vec<u8> = percent_decode(path).collect();
        let twice: Vec<u8> = percent_decode(&once).collect();
        let stays = [path, &once, &twice].into_iter().all(is_rooted);
        // Decoded, because a router may take `/%61uth/login` for the login page.
        stays && !is_own(&once, mount)
    }

    /// Says whether an address is too long to be returned to.
    pub(crate) const fn is_too_long(text: &str) -> bool {
        text.len() > LONGEST
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Appends the value of a `return_to` parameter, in ASCII.
pub(crate) fn encode_onto(query: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if STAYS.has(byte) {
            query.push(byte);
        } else {
            query.extend_from_slice(percent_encode_byte(byte).as_bytes());
        }
    }
}

/// Returns the length of that value.
pub(crate) fn encoded_len(text: &str) -> usize {
    // Counted and not encoded twice. `%2F` has two characters more than what it stands for.
    let encoded = text.bytes().filter(|byte| !STAYS.has(*byte)).count();
    text.len() + 2 * encoded
}

/// Says whether a path is one of the layer's own endpoints: coming back to the login form would
/// loop.
fn is_own(path: &[u8], mount: &str) -> bool {
    path.strip_prefix(mount.as_bytes())
        .is_some_and(|rest| rest.first().is_none_or(is_slash))
}

/// Says whether a path stays on its origin, whichever parser reads it.
///
/// It stands at the root, and has nothing that a URL parser drops or rewrites.
fn is_rooted(path: &[u8]) -> bool {
    is_text(path) && stands(path)
}

/// Says whether a text stands at the root: it has one leading slash and no dot segment. Only two
/// slashes at its start would name a host: those of `/proxy/https://…` do not.
fn stands(path: &[u8]) -> bool {
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    path.first() == Some(&b'/')
        && !path.get(1).is_some_and(is_slash)
        // A dot segment that is resolved could lead back to one of the layer's own endpoints.
        && !path.split(is_slash).any(is_dots)
}

/// Windows servers, and browsers in a path, read a backslash as a slash.
const fn is_slash(byte: &u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Says whether bytes are text without control characters: UTF-8, or letters of Latin-1, as old
/// applications write them (`/caf%E9`).
///
/// A lenient reader of UTF-8 takes some sequences that are none for a slash or a line break
/// (`%c0%8d`), so that a byte that is no UTF-8 must stand alone.
fn is_text(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().all(|chunk| {
        let is_letter = matches!(chunk.invalid(), [] | [0xc0..=0xfd]);
        is_letter && !chunk.valid().chars().any(char::is_control)
    })
}

#[cfg(test)]
mod tests {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// What is encoded of a parameter's value.
    const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');

    const ORIGIN: &str = "https://app.example";

    /// Says whether the WHATWG parser reads a text as another origin: as it is, or decoded once or
    /// twice.
    fn leaves(text: &str) -> bool {
        let base = Url::parse(ORIGIN).unwrap();
        let once = percent_decode_str(text).decode_utf8_lossy().into_owned();
        let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
        [text, &once, &twice].iter().any(|text| {
            base.join(text)
                .is_ok_and(|url| url.origin() != base.origin())
        })
    }

    fn encoded(text: &str) -> String {
        let mut query = Vec::new();
        encode_onto(&mut query, text);
        String::from_utf8(query).unwrap()
    }

    /// The same as `ReturnTo::parse`, which looks once at a path without `%`.
    fn is_good_by_the_book(text: &str, mount: &str) -> bool {
        let path = text.split('?').next().unwrap_or_default();
        text.len() <= LONGEST
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains('#')
            && !path.contains('\\')
            && ReturnTo::stays_decoded(path.as_bytes(), mount)
    }

    proptest! {
        #[test]
        fn one_look_at_a_path_without_percent_signs_says_what_three_say(
            text in "/?(auth|[a-z./\\\\?#:@%é ]|%2[fF]|%25|%61|//|\\.\\.){0,8}",
        ) {
            let want = is_good_by_the_book(&text, "/auth");
            prop_assert_eq!(ReturnTo::is_good(&text, "/auth"), want);
            prop_assert_eq!(ReturnTo::parse(&text, "/auth").is_some(), want);
        }

        #[test]
        fn a_parameter_is_encoded_as_the_crate_does_and_its_length_is_known_before(
            text in "[ -~é✓\\x00-\\x7f]{0,40}",
        ) {
            let want = utf8_percent_encode(&text, QUERY_VALUE).to_string();
            prop_assert_eq!(encoded(&text), want.as_str());
            prop_assert_eq!(encoded_len(&text), want.len());
        }
    }

    #[test]
    fn what_stays_on_the_origin_is_taken_and_the_rest_refused() {
        let cases = [
            ("/", true),
            ("/reports/2026?page=2&sort=-date", true),
            ("/a/", true),
            ("/search?q=%E2%9C%93&next=https://other.example//x", true),
            ("/caf%C3%A9", true),
            ("/author", true),
            ("", false),
            ("reports", false),
            ("https://evil.example/", false),
            // Two slashes begin a host.
            ("//evil.example", false),
            ("///evil.example", false),
            // Browsers read a backslash as a slash.
            ("/\\evil.example", false),
            // A proxy or the inner service may decode it once or twice.
            ("/%5cevil.example", false),
            ("/%255cevil.example", false),
            ("/%2fevil.example", false),
            ("/%252fevil.example", false),
            // The URL parser drops tabs and line breaks (URL Standard, "basic URL parser").
            ("/\t/evil.example", false),
            ("/%09/evil.example", false),
            // A line break could begin another header field.
            ("/a\r\nSet-Cookie: x", false),
            ("/%0d%0aSet-Cookie:x", false),
            ("/a//evil.example", true),
            ("/proxy/https://other.example/x?y=https://z", true),
            ("/a/", true),
            ("/a///", true),
            ("/search?re=\\d+\\\\x", true),
            ("/search?re=%5Cd+", true),
            ("/?\\\\evil.example", true),
            ("/?//evil.example", true),
            ("/files/C:%5CUsers%5Cada", true),
            ("/caf%E9", true),
            ("/%FCber/%C1rbol?q=%E9", true),
            ("/%25E9", true),
            ("/a\\b", false),
            ("/%5c/evil.example", false),
            ("/%5c%5cevil.example", false),
            ("/a/%5c../x", false),
            ("/a%5c..%5cx", false),
            ("/.%5cx", false),
            ("/%c0%afevil.example", false),
            ("/a%c0%ae%c0%ae/x", false),
            ("/%e0%80%afevil.example", false),
            ("/%f8%80%80%80%afx", false),
            ("/%25c0%25afevil.example", false),
            ("/a%80", false),
            ("/a%85", false),
            ("/auth%5clogin", false),
            ("/auth//login", false),
            // A browser resolves dot segments before it asks.
            ("/./", false),
            ("/../x", false),
            ("/%2e%2e/x", false),
            ("/a b", false),
            ("/é", false),
            ("/%ff", false),
            ("/x#fragment", false),
            ("javascript:alert(1)", false),
            // The layer's own endpoints, written out and encoded.
            ("/auth/login", false),
            ("/auth/logout?x", false),
            ("/auth", false),
            ("/%61uth/login", false),
        ];
        for (text, want) in cases {
            assert_eq!(ReturnTo::parse(text, "/auth").is_some(), want, "{text:?}");
            assert!(!want || !leaves(text), "{text:?}");
        }
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(LONGEST)), "/auth").is_none());
    }

    #[test]
    fn a_parameter_value_comes_back_as_it_was() {
        let text = "/a?b=c&d=%20+~;#".trim_end_matches('#');
        let return_to = ReturnTo::parse(text, "/auth").unwrap();
        let query = format!("return_to={}", encoded(return_to.as_str()));
        let (_, value) = form_urlencoded::parse(query.as_bytes()).next().unwrap();
        assert_eq!(value, text);
    }

    /// The published payloads and URL test data, each as it is and once encoded.
    #[test]
    #[ignore = "needs CORPORA; run by tests/run"]
    fn corpora_no_published_payload_leaves_the_origin() {
        let corpora = std::env::var("CORPORA").expect("CORPORA names the folder of test data");
        let read = |name: &str| std::fs::read_to_string(format!("{corpora}/{name}")).unwrap();
        let payloads = read("open-redirects.txt");
        let entries: serde_json::Value =
            serde_json::from_str(&read("wpt-urltestdata.json")).unwrap();
        let inputs: Vec<&str> = payloads
            .lines()
            .chain(
                entries
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|entry| entry["input"].as_str()),
            )
            .collect();
        assert!(inputs.len() > 1_400, "{} payloads", inputs.len());
        for input in inputs {
            let decoded = percent_decode_str(input).decode_utf8_lossy().into_owned();
            let rooted = format!("/{input}");
            for text in [
                input,
                &decoded,
                &rooted,
                &utf8_percent_encode(input, QUERY_VALUE).to_string(),
            ] {
                if ReturnTo::parse(text, "/auth").is_some() {
                    assert!(!leaves(text), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_on_our_origin_by_the_url_parser(
            text in "/(//|/|https:|[?]|[?]//|%5c|%2f|%252f|%25|%e9|%c0|%af|%80|%09|%0d|%0a|%00|\\.|%2e|@|:|;|&|=|evil[.]example|a){0,12}",
            slash in "(|\\\\)",
        ) {
            for text in [text.clone(), format!("{text}?{slash}{slash}x"), format!("/{slash}{text}")] {
                if ReturnTo::parse(&text, "/auth").is_some() {
                    prop_assert!(!leaves(&text), "{:?}", text);
                    let url = Url::parse(ORIGIN).unwrap().join(&text).unwrap();
                    // Nothing of the path is dropped or resolved, so it leads where it seems to.
                    let path = text.split('?').next().unwrap();
                    prop_assert_eq!(url.path(), path);
                }
            }
        }

        #[test]
        fn nothing_that_is_taken_leaves_the_origin(text in r"/?[/\\.%a-f0-9:@?#;&=\t\r\n e-]{0,40}") {
            if ReturnTo::parse(&text, "/auth").is_some() {
                prop_assert!(!leaves(&text), "{:?}", text);
            }
        }
    }
}
