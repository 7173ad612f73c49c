//! `Accept-Language`: the languages that the person prefers (RFC 9110, section 12.5.4).
//!
//! - The range with the highest weight wins, or the first of several. `*`, a weight of 0 and an
//!   invalid weight name no language.
//! - It must have the form of a BCP 47 tag, because an application may look a file up by it.
//! - Only the first 32 ranges are read.
//! - A table is looked up for each range, the most wanted first: the range is made shorter, subtag
//!   by subtag, until it is a table's tag (RFC 4647, section 3.4). A weight of 0 excludes the
//!   tables that its range covers.

use http::{HeaderMap, header};

use super::{Words, table::LONGEST_TAG};
use crate::request::accept::{split, valid_weight, weight};

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
pub(super) fn tag(tag: &[u8]) -> Option<&str> {
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

/// A language range that can be looked up, and how much it is wanted, in thousandths.
#[derive(Clone, Copy)]
struct Range<'h> {
    range: &'h str,
    weight: u16,
}

/// Returns the table that the person prefers. `None` if the request names none of them.
pub(super) fn table_for<'t>(headers: &HeaderMap, tables: &'t [Words]) -> Option<&'t Words> {
    let mut ranges = ranges(headers);
    // Stable: of several with one weight, the first was named first.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight));
    let is_excluded = |tag: &str| {
        // The range that says most of the tag decides.
        let covering = ranges.iter().filter(|range| covers(range.range, tag));
        let closest = covering.max_by_key(|range| range.range.len());
        closest.is_some_and(|range| range.weight == 0)
    };
    let wanted = ranges.iter().filter(|range| range.weight > 0);
    let found = wanted
        .filter_map(|range| lookup(range.range, tables, |table| !is_excluded(table.tag())))
        .next();
    found.or_else(|| {
        // Nothing is wanted that is there. What the person does not want is the last resort.
        let first = tables.first()?;
        let others = tables.iter().filter(|table| !is_excluded(table.tag()));
        is_excluded(first.tag()).then(|| others.into_iter().next())?
    })
}

/// Looks one range up (RFC 4647, section 3.4).
pub(super) fn lookup<'t>(
    range: &str,
    tables: &'t [Words],
    is_taken: impl Fn(&Words) -> bool,
) -> Option<&'t Words> {
    let mut range = range;
    loop {
        let mut tables = tables.iter();
        let table = tables.find(|table| table.tag().eq_ignore_ascii_case(range));
        if let Some(table) = table.filter(|table| is_taken(table)) {
            return Some(table);
        }
        (range, _) = range.rsplit_once('-')?;
        // A single letter introduces what was cut off, and goes with it.
        if let Some((shorter, last)) = range.rsplit_once('-')
            && last.len() == 1
        {
            range = shorter;
        }
    }
}

/// Says whether a range covers a tag: all of it, or its first subtags (RFC 4647, section 3.3.1).
fn covers(range: &str, tag: &str) -> bool {
    let beginning = tag.get(..range.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(range))
        && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

/// Returns the ranges that can be looked up: `*` cannot, and one with an invalid weight is none.
fn ranges(headers: &HeaderMap) -> Vec<Range<'_>> {
    let fields = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = fields.flat_map(|field| split(field.as_bytes(), b','));
    let ranges = ranges.take(MOST_RANGES).filter_map(|range| {
        let mut parts = split(range, b';').map(<[u8]>::trim_ascii);
        let range = parts.next().and_then(tag)?;
        let weight = valid_weight(parts)?;
        Some(Range { range, weight })
    });
    ranges.collect()
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
