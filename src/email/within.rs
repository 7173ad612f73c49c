//! The addresses in a text that somebody else wrote, such as the error of an application's hook.

use std::borrow::Cow;

use crate::secret::begins_with_login;

/// An at sign of another width, and as HTML and a URL write it. A `%` may be encoded again.
const SIGNS: [&str; 8] = [
    "@",
    "\u{ff20}",
    "\u{fe6b}",
    "&#64;",
    "&#x40;",
    "&commat;",
    "%40",
    "%ef%bc%a0",
];
/// An at sign behind a backslash, as JSON and programs write it.
const ESCAPES: [&str; 4] = ["u0040", "u{40}", "x40", "uff20"];

/// Masks all addresses in a text that may be logged: a database repeats the key that it refused.
/// The at sign of an address may be encoded. One with nothing before it is left alone.
pub(crate) fn masked_within(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let (mut rest, mut before) = (text, Before::default());
    while let Some((part, sign, after)) = next_sign(rest) {
        before.reach(part);
        let start = before.local(part);
        let (kept, local) = part.split_at_checked(start).unwrap_or((part, ""));
        masked.push_str(kept);
        if !local.is_empty() {
            masked.extend(local.chars().take(1));
            masked.push_str("***");
        }
        masked.push_str(sign);
        rest = after;
    }
    if masked.is_empty() {
        return text.into();
    }
    masked.push_str(rest);
    masked.into()
}

/// Splits a text at its first at sign, in any form.
fn next_sign(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.find(['@', '\u{ff20}', '\u{fe6b}', '&', '%', '\\'])?;
        let (part, rest) = text.split_at_checked(at)?;
        if let Some(length) = sign_at(rest) {
            let (sign, after) = rest.split_at_checked(length)?;
            return Some((part, sign, after));
        }
        // All backslashes of a row, because an escape that is escaped again has several.
        let slashes = rest.len() - rest.trim_start_matches('\\').len();
        from = at + slashes.max(1);
    }
}

/// Returns the length of the at sign that a text begins with.
fn sign_at(text: &str) -> Option<usize> {
    let starts = |text: &str, sign: &str| {
        let start = text.as_bytes().get(..sign.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(sign.as_bytes()))
    };
    let found = |text: &str, signs: &[&str]| {
        let sign = signs.iter().find(|sign| starts(text, sign));
        sign.map(|sign| sign.len())
    };
    let escaped = text.trim_start_matches('\\');
    if escaped.len() < text.len() {
        return found(escaped, &ESCAPES).map(|length| text.len() - escaped.len() + length);
    }
    // `%2540` is `%40`, encoded.
    if let Some(encoded) = text.strip_prefix('%') {
        let last = encoded.trim_start_matches("25");
        let again = encoded.len() - last.len();
        if again > 0 {
            return starts(last, "40").then_some(again + "%40".len());
        }
    }
    found(text, &SIGNS)
}

/// What stands before an at sign, as far as it says what the text is.
#[derive(Default)]
struct Before {
    /// Whether an odd number of quotes is open.
    is_quoted: bool,
    /// Whether the text since the last blank is a URL.
    is_url: bool,
}

impl Before {
    /// Goes on to the next at sign.
    fn reach(&mut self, part: &str) {
        self.is_quoted ^= part.matches('"').count() % 2 == 1;
        let word = part.rsplit(char::is_whitespace).next().unwrap_or_default();
        self.is_url = word.contains("://") || (self.is_url && word.len() == part.len());
    }

    /// Returns where the local part of an address begins that ends at an at sign.
    fn local(&self, part: &str) -> usize {
        if let Some(text) = part.strip_suffix('"') {
            return self.quoted(text).unwrap_or(part.len());
        }
        let word = part.rsplit(char::is_whitespace).next().unwrap_or_default();
        if let Some((_, url)) = word.rsplit_once("://")
            && begins_with_login(url)
        {
            return part.len() - url.len();
        }
        let start = dot_atom(part);
        let local = part.get(start..).unwrap_or_default();
        let is_path = self.is_url || local.starts_with(['/', '.']);
        match local.rfind('/').filter(|_| is_path) {
            Some(slash) => start + slash + 1,
            None => start,
        }
    }

    /// Returns where a quoted local part begins whose last quote follows the text. None begins with
    /// that quote: `{"@type"`.
    fn quoted(&self, text: &str) -> Option<usize> {
        let inner = text.trim_end_matches('\\');
        let slashes = text.len() - inner.len();
        let is_first = |c: char| c.is_whitespace() || "{[(<:,=".contains(c);
        if self.is_quoted && (inner.is_empty() || inner.ends_with(is_first)) {
            return None;
        }
        // A quote with more backslashes than the last one is a part of the text.
        let mut pairs = inner.rmatch_indices('"').map(|(at, _)| at);
        let pair = pairs.find_map(|at| {
            let before = inner.get(..at)?;
            let start = before.trim_end_matches('\\').len();
            (before.len() - start <= slashes).then_some(start)
        });
        Some(pair.unwrap_or_else(|| dot_atom(inner)))
    }
}

/// Returns where the characters begin that may be a local part at the end of a text.
fn dot_atom(text: &str) -> usize {
    let mut local = Local {
        text,
        start: text.len(),
        has_dot: false,
    };
    while local.grow().is_some() {}
    local.start
}

/// A local part, as far as it was read, from its end.
struct Local<'t> {
    text: &'t str,
    start: usize,
    /// Whether there is a dot since its last character that needs a look at what surrounds it.
    has_dot: bool,
}

impl Local<'_> {
    /// Takes the characters before it if they belong to it.
    fn grow(&mut self) -> Option<()> {
        let (before, read) = self.text.split_at_checked(self.start)?;
        let last = before.chars().next_back()?;
        self.has_dot |= last == '.';
        self.start = match last {
            // What is not ASCII may be a letter, its accent, or a character that nobody sees.
            c if !c.is_ascii() && !c.is_whitespace() => before.len() - c.len_utf8(),
            c if c.is_ascii_alphanumeric() => before.len() - 1,
            '\'' => apostrophe(before, read)?,
            '=' => self.equals_sign(before)?,
            '\\' => escape(before, read)?,
            c if "!#$%&*+-./^_`{|}~".contains(c) => before.len() - 1,
            _ => return None,
        };
        Some(())
    }

    /// Returns where an equals sign begins. It belongs to an address within the address, such as
    /// `bounce+ada=example.com`, and not to the name of a parameter.
    fn equals_sign(&self, before: &str) -> Option<usize> {
        let name = before.strip_suffix('=')?;
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_parameter = name.trim_end_matches(is_of_name).ends_with(['?', '&']);
        (self.has_dot && !is_parameter).then_some(name.len())
    }
}

/// Returns where an apostrophe begins between two letters. SQL writes two of them, and other
/// languages a backslash before it. At the end of a name it stands alone.
fn apostrophe(before: &str, read: &str) -> Option<usize> {
    let letters = before.trim_end_matches(['\'', '\\']);
    let is_after = letters.ends_with(char::is_alphanumeric);
    let is_before = read.is_empty() || read.starts_with(char::is_alphanumeric);
    (is_after && is_before).then_some(letters.len())
}

/// Returns where the escape of a character that is not ASCII begins: `\u00e9`, `\u{301}`, `\xc3`.
fn escape(before: &str, read: &str) -> Option<usize> {
    let digits = match read.as_bytes() {
        [b'u' | b'U', b'{', rest @ ..] => rest.get(..2),
        [b'u' | b'U', rest @ ..] => rest.get(..4),
        [b'x', rest @ ..] => rest.get(..2),
        _ => None,
    };
    let is_escape = digits?.iter().all(u8::is_ascii_hexdigit);
    is_escape.then(|| before.trim_end_matches('\\').len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_in_a_text_is_masked_and_the_rest_stays() {
        let cases = [
            ("the directory is out", "the directory is out"),
            ("ada@example.com", "a***@example.com"),
            (
                "duplicate key: Key (what)=(address:ada.l+x@example.com) already exists.",
                "duplicate key: Key (what)=(address:a***@example.com) already exists.",
            ),
            (
                "from \"Ada\" <ada@example.com> to eve@example.org, at 12:00",
                "from \"Ada\" <a***@example.com> to e***@example.org, at 12:00",
            ),
            ("email=ada@example.com&x", "email=a***@example.com&x"),
            ("élan@example.com", "é***@example.com"),
            ("ada@@example.com", "a***@@example.com"),
        ];
        for (text, want) in cases {
            assert_eq!(masked_within(text), want, "{text}");
        }
    }

    #[test]
    fn an_at_sign_is_known_in_every_form() {
        let cases = [
            ("%40", "%40"),
            ("%2540", "%2540"),
            ("%252540", "%252540"),
            ("\\u0040", "\\u0040"),
            ("\\\\U0040", "\\\\U0040"),
            ("\\x40", "\\x40"),
            ("\\u{40}", "\\u{40}"),
            ("＠", "＠"),
            ("﹫", "﹫"),
            ("\\uFF20", "\\uFF20"),
            ("%EF%BC%A0", "%EF%BC%A0"),
            ("&#64;", "&#64;"),
            ("&#X40;", "&#X40;"),
        ];
        for (name, sign) in cases {
            for (before, masked) in [
                ("to ada", "to a***"),
                (
                    "https://a.example/x?email=ada.lovelace",
                    "https://a.example/x?email=a***",
                ),
                ("ada%2Bl", "a***"),
            ] {
                let text = format!("{before}{sign}example.com, and on");
                let want = format!("{masked}{sign}example.com, and on");
                assert_eq!(masked_within(&text), want, "{name}");
            }
        }
        for text in [
            "100%41", "%4", "%", "%25", "\\", "\\\\u004", "a & b", "&#6", "\\nada",
        ] {
            assert_eq!(masked_within(text), text);
        }
    }

    #[test]
    fn a_local_part_is_masked_whatever_it_is_made_of() {
        let cases = [
            ("to \"john doe\"@example.com", "to \"***@example.com"),
            ("to \"john doe \"@example.com", "to \"***@example.com"),
            (
                "to \"john \\\"x\\\" doe\"@example.com",
                "to \"***@example.com",
            ),
            (
                r#"{"to":"\"john doe\"@example.com"}"#,
                r#"{"to":"\***@example.com"}"#,
            ),
            (
                "an inch is 1\": \"john doe\"@example.com",
                "an inch is 1\": \"***@example.com",
            ),
            ("doe\"@example.com", "d***@example.com"),
            ("rene\u{301}@example.com", "r***@example.com"),
            ("ren\u{200b}e@example.com", "r***@example.com"),
            ("rene\u{ad}@example.com", "r***@example.com"),
            ("ren\\u00e9@example.com", "r***@example.com"),
            ("rene\\u{301}@example.com", "r***@example.com"),
            ("ren\\xc3\\xa9@example.com", "r***@example.com"),
            ("to o'brien@example.com", "to o***@example.com"),
            ("('o''brien@example.com')", "('o***@example.com')"),
            ("'o\\'brien@example.com'", "'o***@example.com'"),
            ("to o’brien@example.com", "to o***@example.com"),
            ("to obrien'@example.com", "to o***@example.com"),
            ("to 'ada@example.com'", "to 'a***@example.com'"),
            ("ada/lovelace@example.com", "a***@example.com"),
            ("bounce+ada=example.com@lists.example", "b***@lists.example"),
            ("ada=example.com@lists.example", "a***@lists.example"),
            ("prvs=4a=ada@example.com", "prvs=4a=a***@example.com"),
        ];
        for (text, want) in cases {
            assert_eq!(masked_within(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_stays_but_for_a_login() {
        let cases = [
            (
                "https://api.example/users/ada@x",
                "https://api.example/users/a***@x",
            ),
            (
                "https://api.example:8443/users/ada@x",
                "https://api.example:8443/users/a***@x",
            ),
            ("/users/ada@x", "/users/a***@x"),
            (
                "https://cdn.example/npm/@acme/theme@1/style.css",
                "https://cdn.example/npm/@acme/t***@1/style.css",
            ),
            (
                "https://social.example/@acme",
                "https://social.example/@acme",
            ),
            ("no token @ here", "no token @ here"),
            ("@@", "@@"),
            ("@", "@"),
            ("<@example.com>", "<@example.com>"),
            (r#"{"@type":"x","@id":1}"#, r#"{"@type":"x","@id":1}"#),
            ("redis://app:hunter2@10.0.0.1", "redis://a***@10.0.0.1"),
            ("redis://app:hun/ter=2@10.0.0.1", "redis://a***@10.0.0.1"),
            ("redis://:hun\"ter2@10.0.0.1", "redis://:***@10.0.0.1"),
        ];
        for (text, want) in cases {
            assert_eq!(masked_within(text), want, "{text}");
        }
    }

    /// If each at sign had the text read again, this would take minutes.
    #[test]
    fn a_long_text_is_masked_as_fast_as_it_is_read() {
        for part in [
            "@", "\"", "\\", "%25", "a=", "=a.", "'", "a'", "\\u00e9", "://", "\"@", "/", "&",
            "\\\"", "a://b:c", "?a=.",
        ] {
            let text = part.repeat(50_000) + "@example.com";
            assert!(masked_within(&text).ends_with("@example.com"), "{part}");
        }
    }
}
