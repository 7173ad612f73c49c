//! `Accept-Language`: the language that the person prefers (RFC 9110, section 12.5.4).
//!
//! - The range with the highest weight wins, or the first of several. `*`, a weight of 0 and an
//!   invalid weight name no language.
//! - It must have the form of a BCP 47 tag, because an application may look a file up by it.
//! - Only the first 32 ranges are read.

use http::{HeaderMap, header};

use crate::request::accept::{split, weight};

/// The length that every implementation must accept (RFC 5646, section 4.4.1).
const LONGEST_TAG: usize = 35;
const MOST_RANGES: usize = 32;

/// Returns the tag with the highest weight.
pub(crate) fn preferred(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = fields.flat_map(|field| split(field.as_bytes(), b','));
    let mut best = None;
    let mut most = 0;
    // A header may hold thousands, and a person has few languages.
    for range in ranges.take(MOST_RANGES) {
        let mut parts = split(range, b';').map(<[u8]>::trim_ascii);
        let tag = parts.next().and_then(tag);
        let wanted = weight(parts);
        // Greater and not equal: of several with one weight, the first was named first.
        if tag.is_some() && wanted > most {
            (best, most) = (tag, wanted);
        }
    }
    best
}

/// Returns a tag if it has the form of one: a language of 2 to 8 letters, and subtags of 1 to 8
/// letters and digits.
fn tag(tag: &[u8]) -> Option<&str> {
    let mut subtags = tag.split(|byte| *byte == b'-');
    let language = subtags.next()?;
    let is_tag = tag.len() <= LONGEST_TAG
        && matches!(language.len(), 2..=8)
        && language.iter().all(u8::is_ascii_alphabetic)
        && subtags.all(|subtag| {
            matches!(subtag.len(), 1..=8) && subtag.iter().all(u8::is_ascii_alphanumeric)
        });
    std::str::from_utf8(tag).ok().filter(|_| is_tag)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Case<'a> = (&'a str, &'a [&'a [u8]], Option<&'a str>);

    fn of(fields: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for field in fields {
            let field = HeaderValue::from_bytes(field).unwrap();
            headers.append(header::ACCEPT_LANGUAGE, field);
        }
        preferred(&headers).map(str::to_owned)
    }

    #[test]
    fn the_language_is_the_tag_that_is_wanted_most() {
        let many = format!("{}de", "*,".repeat(32));
        let cases: [Case<'_>; 22] = [
            ("none", &[], None),
            ("empty", &[b""], None),
            ("one", &[b"de"], Some("de")),
            ("region", &[b"de-AT"], Some("de-AT")),
            ("script", &[b"zh-Hant-TW"], Some("zh-Hant-TW")),
            ("a browser's", &[b"de-DE,de;q=0.9,en;q=0.8"], Some("de-DE")),
            ("weights", &[b"en;q=0.5, fr;q=0.7"], Some("fr")),
            ("equal", &[b"en, fr"], Some("en")),
            ("any", &[b"*"], None),
            ("any first", &[b"*, fr;q=0.1"], Some("fr")),
            ("not wanted", &[b"fr;q=0"], None),
            ("bad weight", &[b"fr;q=x, de;q=0.1"], Some("de")),
            ("two fields", &[b"en;q=0.1", b"fr"], Some("fr")),
            ("a path", &[b"../../etc/passwd"], None),
            ("dot", &[b"de.po, en;q=0.1"], Some("en")),
            ("one letter", &[b"x-private"], None),
            ("nine letters", &[b"de-abcdefghi"], None),
            ("empty subtag", &[b"de--AT"], None),
            ("dash", &[b"de-"], None),
            ("digits", &[b"12"], None),
            ("not ascii", &[b"d\xe9"], None),
            ("too many", &[many.as_bytes()], None),
        ];
        for (name, fields, want) in cases {
            assert_eq!(of(fields).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn a_tag_is_bounded() {
        let tag = "ab-cdefghij-klmnopqr-stuvwxyz-12345";
        assert_eq!(tag.len(), 35);
        assert_eq!(of(&[tag.as_bytes()]).as_deref(), Some(tag));
        assert_eq!(of(&[format!("{tag}6").as_bytes()]), None);
    }
}
