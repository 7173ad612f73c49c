//! Reads the sealed text of a mailed link that mail or copying has changed.
//!
//! - A mail system breaks the link at some width, and a reader pastes the pieces: between them are
//!   blanks, `> ` of a quotation, or the `=` of quoted-printable (RFC 2045, section 6.7).
//! - A mail program takes punctuation behind the link for a part of it.
//! - A sealed text is base64url and authenticated, so other characters can be dropped: what was
//!   changed in itself does not open.

use std::borrow::Cow;

/// Returns the texts that the link may have held, the likeliest first.
pub(super) fn readings(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let joined: String = text.chars().filter(|c| is_ours(*c)).collect();
    // No link that we mail ends on one of these.
    let without_dashes = joined.trim_end_matches(['-', '_']).to_owned();
    // The equals sign of `?t=`, as quoted-printable writes it.
    let unquoted = without_dashes.strip_prefix("3D").map(str::to_owned);
    let first = text.split(|c| !is_ours(c)).find(|part| !part.is_empty());
    let first = first.map(|first| first.trim_end_matches(['-', '_']));
    [Some(without_dashes), unquoted]
        .into_iter()
        .flatten()
        .map(Cow::Owned)
        .chain(first.map(Cow::Borrowed))
        .fold(vec![Cow::Borrowed(text)], |mut texts, text| {
            if !texts.contains(&text) {
                texts.push(text);
            }
            texts
        })
        .into_iter()
}

/// Says whether a character is one of base64url.
const fn is_ours(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_mail_has_changed_is_read_as_it_was() {
        let cases = [
            ("as it was", "Ab-c_1"),
            ("a full stop", "Ab-c_1."),
            ("a bracket and a quote", "Ab-c_1)\""),
            ("a curly quote", "Ab-c_1\u{201d}"),
            ("dashes", "Ab-c_1--"),
            ("in angle brackets", "<Ab-c_1>"),
            ("an invisible character", "Ab-c\u{200b}_1\u{feff}"),
            ("a line break", "Ab-\r\nc_1"),
            ("blanks", "Ab-  c_1 "),
            ("a quotation", "Ab-\n> c_1"),
            ("a quotation in a quotation", "Ab-\n> > c_\n> > 1"),
            ("a soft break", "Ab-=\r\nc_1"),
            ("quoted-printable", "3DAb-=\nc_1"),
            ("words behind it", "Ab-c_1) thanks"),
            ("another query behind it", "Ab-c_1?utm_source=mail"),
            ("half an escape", "Ab-c_1%2"),
        ];
        for (name, text) in cases {
            let texts: Vec<_> = readings(text).collect();
            assert!(
                texts.iter().any(|text| text == "Ab-c_1"),
                "{name}: {texts:?}"
            );
            assert_eq!(texts[0], text, "{name}: as it came, first");
            assert!(texts.len() <= 4, "{name}: {texts:?}");
        }
        assert_eq!(readings("Ab-c_1").count(), 1, "one reading costs no more");
    }
}
