//! `Accept`, as far as it says whether a page is wanted (RFC 9110, section 12.5.1). Reading it
//! allocates nothing.
//!
//! - HTML has to be named, by itself or by `text/*`. `*/*` does not count, because curl and fetch
//!   send it.
//! - Its weight has to be at least JSON's. A named type wins over `text/*` and `application/*`.
//! - A range with an invalid weight counts as weight 0. A comma or semicolon in quotes is part of
//!   its parameter.

use http::{HeaderMap, header};

/// Says whether HTML is named, with at least the weight of JSON.
pub(crate) fn prefers_page(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (Wish::default(), Wish::default());
    for field in headers.get_all(header::ACCEPT) {
        for range in split(field.as_bytes(), b',') {
            let mut parts = split(range, b';').map(<[u8]>::trim_ascii);
            let kind = parts.next().unwrap_or_default();
            let is = |want: &str| kind.eq_ignore_ascii_case(want.as_bytes());
            let wish = if is("text/html") || is("application/xhtml+xml") {
                &mut html.named
            } else if is("application/json") || is("application/problem+json") {
                &mut json.named
            } else if is("text/*") {
                &mut html.covered
            } else if is("application/*") {
                &mut json.covered
            } else {
                continue;
            };
            // The greatest counts, as a type may stand twice with different parameters.
            *wish = (*wish).max(Some(weight(parts)));
        }
    }
    // A weight of 0 means "not acceptable" (RFC 9110, section 12.4.2).
    html.weight() > 0 && html.weight() >= json.weight()
}

/// The weight of one kind of response, in thousandths.
#[derive(Clone, Copy, Default)]
struct Wish {
    named: Option<u16>,
    covered: Option<u16>,
}

impl Wish {
    fn weight(self) -> u16 {
        self.named.or(self.covered).unwrap_or_default()
    }
}

/// Returns the weight of a range, in thousandths, from its parameters. An invalid one is 0.
pub(crate) fn weight<'f>(parameters: impl Iterator<Item = &'f [u8]>) -> u16 {
    valid_weight(parameters).unwrap_or_default()
}

/// Returns the weight of a range, in thousandths, from its parameters. `None` if it is invalid.
pub(crate) fn valid_weight<'f>(parameters: impl Iterator<Item = &'f [u8]>) -> Option<u16> {
    for parameter in parameters {
        let mut halves = parameter.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default();
        if !name.trim_ascii_end().eq_ignore_ascii_case(b"q") {
            continue;
        }
        // No space may stand beside the `=` (RFC 9110, section 5.6.6): such a weight is invalid.
        let is_plain = name.len() == 1;
        let quality = halves.next().filter(|_| is_plain);
        return quality.and_then(thousandths);
    }
    Some(1_000)
}

/// Reads a quality value: `0` or `1` with up to three decimals, all zeros after a `1`.
fn thousandths(quality: &[u8]) -> Option<u16> {
    let (whole, fraction) = match quality {
        [whole] => (*whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return None,
    };
    match whole {
        b'1' if fraction.iter().all(|digit| *digit == b'0') => Some(1_000),
        b'0' if fraction.iter().all(u8::is_ascii_digit) => {
            let digits = fraction.iter().chain(b"000").take(3);
            Some(digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        }
        _ => None,
    }
}

/// Splits at each separator outside of quoted strings (RFC 9110, section 5.6.4).
pub(crate) fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |byte| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' => is_escaped = is_quoted,
            _ => {}
        }
        *byte == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn prefers(fields: &[&[u8]]) -> bool {
        let mut headers = HeaderMap::new();
        for field in fields {
            let value = HeaderValue::from_bytes(field).unwrap();
            headers.append(header::ACCEPT, value);
        }
        prefers_page(&headers)
    }

    #[test]
    fn a_page_is_preferred_where_html_is_named_and_json_not_wanted_more() {
        let cases: [(&[u8], bool); 46] = [
            (b"text/html", true),
            (b"TEXT/Html", true),
            (b"application/xhtml+xml", true),
            (
                b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            (b"text/html, application/json", true),
            (b"application/json, text/html;q=0.999", false),
            (b"application/json;q=0.5, text/html;q=0.5", true),
            (b"application/json;q=0.05, text/html;q=0.1", true),
            (b"application/problem+json, text/html;q=0.9", false),
            (b"*/*", false),
            (b"*/*, application/json", false),
            (b"", false),
            (b",,;,", false),
            (b"text/plain", false),
            (b"text/event-stream", false),
            (b"text/htmlx", false),
            (b"text", false),
            // Weights.
            (b"text/html;q=0", false),
            (b"text/html;q=0.000", false),
            (b"text/html;q=0.001", true),
            (b"text/html;q=0.", false),
            (b"text/html;q=1.000", true),
            (b"text/html;Q=1", true),
            (b"text/html;Q=0", false),
            (b"text/html \t; \tq=0.7", true),
            (b"text/html;;q=0.7", true),
            (b"text/html;charset=utf-8;q=0", false),
            (b"text/html;q=0;q=1", false),
            (b"text/html;q=1.001", false),
            (b"text/html;q=0.0001", false),
            (b"text/html;q=2", false),
            (b"text/html;q=-1", false),
            (b"text/html;q=x", false),
            (b"text/html;q=", false),
            (b"text/html;q", false),
            (b"text/html;q=\"1\"", false),
            (b"text/html; q = 1", false),
            (b"text/html; q= 1", false),
            // Quotes.
            (b"text/html;a=\", application/json;q=1\";q=0.5", true),
            (b"text/html;a=\"\\\";q=0\"", true),
            (b"text/html;a=\";q=1\";q=0", false),
            (b"text/plain;a=\", text/html", false),
            (b"text/html;a=\"\xe9\", application/json;q=0.9", true),
            // Ranges.
            (b"text/*", true),
            (b"text/*, text/html;q=0", false),
            (b"application/*, text/html;q=0.9", false),
        ];
        for (field, want) in cases {
            let name = String::from_utf8_lossy(field);
            assert_eq!(prefers(&[field]), want, "{name}");
        }
    }

    #[test]
    fn several_fields_are_read_as_one() {
        assert!(prefers(&[b"text/plain", b"text/html"]));
        assert!(!prefers(&[b"text/html;q=0.5", b"application/json"]));
        assert!(prefers(&[b"application/json;q=0.5, \xff", b"text/html"]));
    }
}
