//! `Message`: a text, cut at the places that are filled in.

use std::fmt::{self, Write};

use askama::filters::{Html as HtmlEscaper, escape};

use super::held::held;

/// A text, cut at its placeholders. It is checked where it is parsed, and never fails afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Place(String),
    Words(String),
}

impl Message {
    /// Cuts a text: `{name}` is a place, `{{` and `}}` are braces.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut words = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    chars.next();
                    words.push(c);
                }
                '}' => return Err("has a } without its {"),
                '{' => {
                    let is_name = |c: &char| c.is_ascii_lowercase() || *c == '_';
                    let name: String =
                        std::iter::from_fn(|| chars.next_if(|c| is_name(c))).collect();
                    if name.is_empty() || chars.next() != Some('}') {
                        return Err("has a { without a name and a } behind it");
                    }
                    if !words.is_empty() {
                        pieces.push(Piece::Words(std::mem::take(&mut words)));
                    }
                    pieces.push(Piece::Place(name));
                }
                c => words.push(c),
            }
        }
        if !words.is_empty() {
            pieces.push(Piece::Words(words));
        }
        Ok(Self { pieces })
    }

    /// Returns the names of the places, in the order of the text.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Words(_) => None,
        })
    }

    /// Returns a text without places.
    pub(super) fn as_str(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Words(words)) => words,
            Some(Piece::Place(_)) | None => "",
        }
    }

    /// Fills the places in, each between two marks.
    pub(super) fn filled(&self, places: &[(&str, &str)], (open, close): (&str, &str)) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Place(name) => {
                    let value = places.iter().find(|(place, _)| place == name);
                    let (_, value) = value.copied().unwrap_or_default();
                    text.extend([open, value, close]);
                }
            }
        }
        text
    }

    /// Fills the places in, as HTML: its own words are escaped and held, too.
    pub(super) fn html(&self, places: &[(&str, Filled<'_>)]) -> String {
        let mut html = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => hold_to(&mut html, words),
                Piece::Place(name) => {
                    if let Some((_, value)) = places.iter().find(|(place, _)| place == name) {
                        value.write_to(&mut html);
                    }
                }
            }
        }
        html
    }
}

/// What fills a place of a text in HTML, and the markup around it. `Debug` shows none of it.
#[derive(Clone, Copy)]
pub(crate) enum Filled<'a> {
    /// A text from outside, which may be written in the other direction.
    Isolated(&'a str),
    /// A link, with its further attributes.
    Link {
        href: &'a str,
        attributes: &'static str,
        shown: &'a str,
    },
    /// A text of ours.
    Plain(&'a str),
    /// A text of ours that a script replaces.
    Span(&'a str),
    /// A text from outside that stands out.
    Strong(&'a str),
}

impl Filled<'_> {
    fn write_to(self, html: &mut String) {
        let (open, text, close) = match self {
            Self::Isolated(text) => ("<bdi>", text, "</bdi>"),
            Self::Plain(text) => return hold_to(html, text),
            Self::Span(text) => {
                html.push_str("<span>");
                hold_to(html, text);
                html.push_str("</span>");
                return;
            }
            Self::Link {
                href,
                attributes,
                shown,
            } => {
                html.push_str("<a href=\"");
                escape_to(html, href);
                html.extend(["\"", attributes]);
                ("><bdi>", shown, "</bdi></a>")
            }
            Self::Strong(text) => ("<strong><bdi>", text, "</bdi></strong>"),
        };
        html.push_str(open);
        escape_to(html, text);
        html.push_str(close);
    }
}

impl fmt::Debug for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Writes a text of ours as the templates do.
fn hold_to(html: &mut String, text: &str) {
    // Writing to memory does not fail.
    let _ = write!(html, "{}", held(text));
}

/// Escapes as the templates do.
fn escape_to(html: &mut String, text: &str) {
    let Ok(escaped) = escape(text, HtmlEscaper);
    // Writing to memory does not fail.
    let _ = write!(html, "{escaped}");
}
