//! Which language a request gets.

use std::sync::LazyLock;

use http::{HeaderValue, Request, header};
use proptest::prelude::*;

use crate::{
    language::{Languages, Words, choice::Head},
    request::head::RequestHead,
};

/// Returns a table in English, whatever its tag says.
fn table(tag: &str) -> Words {
    Words::new(tag, Words::TABLE).unwrap()
}

fn tables(tags: &[&str]) -> Vec<Words> {
    tags.iter().map(|tag| table(tag)).collect()
}

fn request(fields: &[&[u8]]) -> Request<()> {
    let mut request = Request::get("/de/reports").body(()).unwrap();
    for field in fields {
        let field = HeaderValue::from_bytes(field).unwrap();
        request.headers_mut().append(header::ACCEPT_LANGUAGE, field);
    }
    request
}

fn languages(tags: &[&str]) -> Languages {
    Languages::new(Some(tables(tags)), None).unwrap()
}

fn chosen(languages: &Languages, fields: &[&[u8]]) -> String {
    let request = request(fields);
    languages.words(&RequestHead::of(&request)).tag().to_owned()
}

type Case<'a> = (&'a str, &'a [&'a [u8]], &'a str);

#[test]
fn the_table_is_the_one_that_the_browser_wants_most() {
    let languages = languages(&["en", "de", "de-AT", "nl", "sv"]);
    let long = format!("{}nl", "de-".repeat(100_000));
    let many = format!("{}nl", "xx,".repeat(31));
    let too_many = format!("{}nl", "xx,".repeat(32));
    let cases: [Case<'_>; 30] = [
        ("nothing is said", &[], "en"),
        ("empty", &[b""], "en"),
        ("one", &[b"de"], "de"),
        ("case", &[b"DE"], "de"),
        ("a region", &[b"de-CH"], "de"),
        ("a region that has a table", &[b"de-AT"], "de-AT"),
        ("a region in another case", &[b"DE-at"], "de-AT"),
        ("more than a region", &[b"de-AT-1901"], "de-AT"),
        (
            "a singleton is cut with its subtag",
            &[b"de-AT-x-private"],
            "de-AT",
        ),
        (
            "the first of a browser's",
            &[b"nl-BE,nl;q=0.9,en;q=0.8"],
            "nl",
        ),
        ("weights", &[b"sv;q=0.5, nl;q=0.7"], "nl"),
        ("equal weights", &[b"nl, sv"], "nl"),
        ("an unknown one first", &[b"fi, sv;q=0.1"], "sv"),
        ("anything", &[b"*"], "en"),
        ("anything first", &[b"*, nl;q=0.1"], "nl"),
        ("none is known", &[b"fi, et"], "en"),
        ("not wanted", &[b"nl;q=0"], "en"),
        ("the default is not wanted", &[b"en;q=0"], "de"),
        (
            "the default is not wanted, in a region",
            &[b"en-US, en;q=0, sv;q=0.1"],
            "sv",
        ),
        (
            "what is cut may not be wanted",
            &[b"de-CH, de;q=0, nl;q=0.1"],
            "nl",
        ),
        ("a closer range decides", &[b"de;q=0, de-AT"], "de-AT"),
        ("nothing else is wanted", &[b"nl, *;q=0"], "nl"),
        ("a bad weight", &[b"nl;q=x, sv;q=0.1"], "sv"),
        (
            "a bad weight excludes nothing",
            &[b"de;q=x, de;q=0.1"],
            "de",
        ),
        ("two fields", &[b"nl;q=0.1", b"sv"], "sv"),
        ("not text", &[b"\xff\xfe, sv;q=0.1"], "sv"),
        ("no prefix of letters", &[b"d, n, s"], "en"),
        ("a long one", &[long.as_bytes()], "en"),
        ("many", &[many.as_bytes()], "nl"),
        ("too many", &[too_many.as_bytes()], "en"),
    ];
    for (name, fields, want) in cases {
        assert_eq!(chosen(&languages, fields), want, "{name}");
    }
}

#[test]
fn a_language_without_a_table_of_its_region_does_not_get_another_regions() {
    let languages = languages(&["en", "de-AT"]);
    assert_eq!(chosen(&languages, &[b"de"]), "en");
    assert_eq!(chosen(&languages, &[b"de-CH"]), "en");
}

#[test]
fn the_hook_comes_before_the_browser() {
    let hook = |head: &Head<'_>| {
        let cookie = head.cookie("language").map(str::to_owned);
        cookie.or_else(|| {
            head.uri()
                .path()
                .starts_with("/nl")
                .then(|| "nl".to_owned())
        })
    };
    let tables = tables(&["en", "de", "nl"]);
    let languages = Languages::new(Some(tables), Some(Box::new(hook))).unwrap();
    let cases = [
        ("nothing", "/", "", "", "en", None),
        ("the browser", "/", "", "de-AT", "de", Some("de-AT")),
        ("the cookie", "/nl", "language=de", "nl", "de", Some("de")),
        (
            "its region",
            "/",
            "language=nl-BE",
            "de",
            "nl",
            Some("nl-BE"),
        ),
        ("the path", "/nl/x", "", "de", "nl", Some("nl")),
        ("no table", "/", "language=fi", "de", "de", Some("fi")),
        ("no tag", "/", "language=../x", "de", "de", Some("de")),
        ("empty", "/", "language=", "de", "de", Some("de")),
        ("only dashes", "/", "language=---", "nl", "nl", Some("nl")),
    ];
    for (name, path, cookie, accept, want, tag) in cases {
        let request = Request::get(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT_LANGUAGE, accept)
            .body(())
            .unwrap();
        let chosen = languages.choose(&RequestHead::of(&request));
        assert_eq!(chosen.words.tag(), want, "{name}");
        assert_eq!(chosen.tag.as_deref(), tag, "{name}");
    }
}

#[test]
fn a_hook_that_panics_leaves_the_language_to_the_browser() {
    let hook = |_: &Head<'_>| -> Option<String> { panic!("the application's") };
    let languages = Languages::new(Some(tables(&["en", "de"])), Some(Box::new(hook))).unwrap();
    assert_eq!(chosen(&languages, &[b"de"]), "de");
}

#[test]
fn an_application_that_sets_nothing_has_english_and_states_no_language() {
    let languages = Languages::new(None, None).unwrap();
    assert_eq!(chosen(&languages, &[b"de"]), "en");
    assert_eq!(languages.stated(&Words::english()), None);
    let languages = self::languages(&["de"]);
    assert_eq!(chosen(&languages, &[b"en"]), "de");
    assert_eq!(languages.stated(&table("de")), Some("de"));
}

#[test]
fn no_table_and_two_of_one_tag_are_refused() {
    let error = Languages::new(Some(Vec::new()), None).unwrap_err();
    assert!(error.to_string().contains("names no language"), "{error}");
    let error = Languages::new(Some(tables(&["en", "de", "DE"])), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "languages \"de\" has two tables: name each language once"
    );
}

/// RFC 4647, section 3.4, read plainly, on a list of ranges by priority.
fn plain_lookup(ranges: &[&str], tags: &[&str], default: &str) -> String {
    for range in ranges {
        if *range == "*" {
            continue;
        }
        let mut subtags: Vec<String> = range.to_lowercase().split('-').map(str::to_owned).collect();
        while !subtags.is_empty() {
            let wanted = subtags.join("-");
            if let Some(tag) = tags.iter().find(|tag| tag.to_lowercase() == wanted) {
                return (*tag).to_owned();
            }
            subtags.pop();
            if subtags.last().is_some_and(|last| last.len() == 1) {
                subtags.pop();
            }
        }
    }
    default.to_owned()
}

/// The tags of the tables that any field is looked up in.
const TAGS: [&str; 5] = ["en", "de", "de-AT", "nl", "sv"];
/// Made once: to read a table takes longer than to look up many fields.
static LANGUAGES: LazyLock<Languages> = LazyLock::new(|| languages(&TAGS));

proptest! {
    #[test]
    fn a_field_is_looked_up_as_rfc_4647_says(
        ranges in proptest::collection::vec(
            (
                proptest::sample::select(vec![
                    "*", "de", "DE", "de-AT", "de-CH-1996", "en-US", "en", "nl-x-a", "nl-a-b-c",
                    "sv-Latn-SE", "fi", "zh-Hant-TW", "d", "ab-cdefghijk", "",
                ]),
                1_u16..=1_000,
            ),
            0..12,
        ),
    ) {
        let field: Vec<_> = ranges
            .iter()
            .map(|(range, weight)| match weight {
                1_000 => (*range).to_owned(),
                weight => format!("{range};q=0.{weight:03}"),
            })
            .collect();
        // What is no range (RFC 4647, section 2.1) is left out, and the order is that of weights.
        let mut sorted: Vec<_> = ranges
            .iter()
            .filter(|(range, _)| !matches!(*range, "d" | "ab-cdefghijk" | ""))
            .collect();
        sorted.sort_by(|(_, one), (_, other)| other.cmp(one));
        let sorted: Vec<_> = sorted.into_iter().map(|(range, _)| *range).collect();
        let want = plain_lookup(&sorted, &TAGS, "en");
        let field = field.join(", ");
        let fields: &[&[u8]] = &[field.as_bytes()];
        prop_assert_eq!(chosen(&LANGUAGES, fields), want, "{}", field);
    }

    #[test]
    fn any_field_chooses_a_table_without_a_panic(field in proptest::collection::vec(any::<u8>(), 0..200)) {
        let Ok(value) = HeaderValue::from_bytes(&field) else {
            return Ok(());
        };
        let fields: &[&[u8]] = &[value.as_bytes()];
        let tag = chosen(&LANGUAGES, fields);
        prop_assert!(TAGS.contains(&tag.as_str()));
    }
}
