//! `Held`: a text of ours as HTML, with no line that ends where it reads badly.
//!
//! - A short word with a hyphen stays whole: `E-Mail`, `sign-in`. A `<span>` holds it together and
//!   the hyphen stays, so that a search finds the word, and a copy has it as it is written.
//! - A figure stays with its noun: `15 minutes`. The space between them is U+00A0.
//! - Everything is escaped. If a provider or an application brings the sentence, the span is all
//!   the markup that it can become.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use askama::filters::{Html as HtmlEscaper, HtmlSafe, escape};

/// The longest word that a span holds together, in letters. A longer one would leave a narrow page
/// whose reader has doubled the size of the letters.
const LONGEST: usize = 10;

/// A text that is written as HTML. The style sheets of the pages and of the mail keep what has the
/// class `whole` on one line.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a>(&'a str);

/// Returns a text of ours as a template shows it between tags. It is not for an attribute, or a
/// title, where a tag would be text.
pub(crate) const fn held(text: &str) -> Held<'_> {
    Held(text)
}

impl HtmlSafe for Held<'_> {}

impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = with_figures_held(self.0);
        let mut rest = &*text;
        while let Some(start) = rest.find(is_of_word) {
            let (before, word) = rest.split_at(start);
            let end = word.find(|c| !is_of_word(c)).unwrap_or(word.len());
            let (word, behind) = word.split_at(end);
            write_escaped(f, before)?;
            write_word(f, word)?;
            rest = behind;
        }
        write_escaped(f, rest)
    }
}

/// Returns a text whose figures do not lose their nouns.
fn with_figures_held(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return text.into();
    }
    let mut held = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut is_behind_figure = false;
    while let Some(c) = chars.next() {
        let is_between = c == ' ' && chars.peek().is_some_and(|next| next.is_alphabetic());
        held.push(if is_behind_figure && is_between {
            '\u{a0}'
        } else {
            c
        });
        is_behind_figure = c.is_ascii_digit();
    }
    held.into()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-'
}

/// Writes a word of letters, figures and hyphens: the parts of `E-Mail-Adresse` are `E-Mail`, which
/// is held, and `Adresse`, before which a line may end.
fn write_word(f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    if !word.contains('-') {
        return f.write_str(word);
    }
    let mut parts = word.split('-');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = whole.chars().count() + 1 + part.chars().count();
        if whole.is_empty() || part.is_empty() || length > LONGEST {
            write_whole(f, &whole)?;
            f.write_char('-')?;
            whole.clear();
        } else {
            whole.push('-');
        }
        whole.push_str(part);
    }
    write_whole(f, &whole)
}

fn write_whole(f: &mut fmt::Formatter<'_>, whole: &str) -> fmt::Result {
    if whole.contains('-') {
        return write!(f, "<span class=\"whole\">{whole}</span>");
    }
    f.write_str(whole)
}

/// Writes a space that does not break by its number: a mail of ASCII stays one.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (at, part) in text.split('\u{a0}').enumerate() {
        if at > 0 {
            f.write_str("&#160;")?;
        }
        let Ok(escaped) = escape(part, HtmlEscaper);
        write!(f, "{escaped}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_word_with_a_hyphen_stays_whole_and_a_figure_stays_with_its_noun() {
        let whole = |word: &str| format!("<span class=\"whole\">{word}</span>");
        let cases = [
            ("nothing", "Sign in", "Sign in".to_owned()),
            (
                "a word",
                "Your sign-in began.",
                format!("Your {} began.", whole("sign-in")),
            ),
            (
                "behind an apostrophe",
                "l’e-mail",
                format!("l’{}", whole("e-mail")),
            ),
            (
                "in a quotation",
                "„E-Mails“",
                format!("„{}“", whole("E-Mails")),
            ),
            (
                "a word of three",
                "E-Mail-Adresse",
                format!("{}-Adresse", whole("E-Mail")),
            ),
            ("a long word", "Spam-Ordner", "Spam-Ordner".to_owned()),
            (
                "half a word",
                "an- oder abmelden",
                "an- oder abmelden".to_owned(),
            ),
            ("hyphens alone", "- -- a--b -c", "- -- a--b -c".to_owned()),
            (
                "figures",
                "15 minutes, 1 hour",
                "15&#160;minutes, 1&#160;hour".to_owned(),
            ),
            ("a figure alone", "1 & 2, 3", "1 &#38; 2, 3".to_owned()),
            (
                "markup",
                "<a-b href=\"x-y\">",
                format!("&#60;{} href=&#34;{}&#34;&#62;", whole("a-b"), whole("x-y")),
            ),
        ];
        for (name, text, want) in cases {
            assert_eq!(held(text).to_string(), want, "{name}");
        }
    }
}
