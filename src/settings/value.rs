//! `Value`: what a setting is set to, and how it is written.

use std::{fmt, time::Duration};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    secret::{may_be_secret, redacted},
    throttle::Rate,
};

/// How a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    #[cfg(feature = "smtp")]
    Count,
    Length,
    Rate,
    Secret,
    /// Several secrets, with commas: one or more.
    Secrets,
    Share,
    Switch,
    Text,
    /// One text or more.
    Texts,
    /// As `Texts`, for a list that is on the safe side without a text.
    TextsOrNone,
    Word(Vec<&'static str>),
    /// As `Word`, in a table.
    WordOf(&'static [&'static str]),
}

/// A value that was read.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    #[cfg(feature = "smtp")]
    Count(u64),
    Length(Duration),
    Rate(Rate),
    Secret(Secret),
    Share(f64),
    Switch(bool),
    Text(String),
    Texts(Vec<String>),
}

/// A text that nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

redacted!(Secret);

impl Secret {
    /// Returns the secrets of a list, which commas or lines separate. For `retired_keys` it says
    /// only whether there is one, because a key in PEM has lines.
    pub(super) fn each(&self) -> impl Iterator<Item = &str> {
        let parts = self.0.split([',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty())
    }
}

/// A value as a file has it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Raw {
    Switch(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Texts(Vec<String>),
    Other(IgnoredAny),
}

impl Raw {
    /// Returns the value as text. A list has commas. `None` for what no setting is.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Switch(is_on) => is_on.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Texts(texts) => texts.join(", "),
            Self::Other(_) => return None,
        })
    }
}

impl Form {
    /// Says whether its value is one text, which may be shown.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Word(_) | Self::WordOf(_))
    }

    /// Says whether its value is a list of texts.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self, Self::Texts | Self::TextsOrNone)
    }

    /// Says whether nothing prints its value.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret | Self::Secrets)
    }

    /// Reads a value. The error says what is expected.
    ///
    /// A list without an entry, such as the split of an empty variable, is an error: it would take
    /// away what the list restricts. So is a comma in an entry of a file's list: taken as it is, an
    /// entry such as `/a,/b` matches neither path, and restricts nothing.
    pub(super) fn read(&self, raw: &Raw) -> Result<Value, String> {
        if let Raw::Texts(texts) = raw
            && self.is_list()
            && let Some(place) = texts.iter().position(|text| text.contains(','))
        {
            let cure = "write each entry by itself, as in [\"a\", \"b\"]";
            return Err(format!("has a comma in entry {}: {cure}", place + 1));
        }
        let expected = || format!("must be {}", self.in_words());
        // A list of one text for what takes one is a mistake.
        let value = match (self, raw) {
            (form, Raw::Texts(texts)) if form.is_list() => Some(Value::Texts(texts.clone())),
            (_, Raw::Texts(_) | Raw::Other(_)) => None,
            (_, raw) => raw.text().and_then(|text| self.parse(text.trim())),
        };
        let value = value.ok_or_else(expected)?;
        let has_none = match (self, &value) {
            (Self::Secrets, Value::Secret(secrets)) => secrets.each().next().is_none(),
            (Self::Texts, Value::Texts(texts)) => texts.is_empty(),
            _ => false,
        };
        match has_none {
            true => Err("names none: name one or more, or leave the setting out".to_owned()),
            false => Ok(value),
        }
    }

    fn parse(&self, text: &str) -> Option<Value> {
        Some(match self {
            #[cfg(feature = "smtp")]
            Self::Count => Value::Count(text.parse().ok()?),
            Self::Length => Value::Length(length(text)?),
            Self::Rate => {
                let (burst, period) = text.split_once('/')?;
                let burst = burst.trim().parse().ok()?;
                Value::Rate(Rate::new(burst, length(period.trim())?))
            }
            Self::Secret | Self::Secrets => Value::Secret(Secret(non_empty(text)?)),
            Self::Share => Value::Share(text.parse().ok().filter(|share: &f64| share.is_finite())?),
            Self::Switch => Value::Switch(text.parse().ok()?),
            Self::Text => Value::Text(non_empty(text)?),
            Self::Texts | Self::TextsOrNone => {
                let texts = text
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty());
                Value::Texts(texts.map(str::to_owned).collect())
            }
            Self::Word(words) => Value::Text(words.iter().find(|word| **word == text)?.to_string()),
            Self::WordOf(words) => {
                Value::Text(words.iter().find(|word| **word == text)?.to_string())
            }
        })
    }

    fn in_words(&self) -> String {
        match self {
            #[cfg(feature = "smtp")]
            Self::Count => "a whole number".to_owned(),
            Self::Length => "a length of time such as 500ms, 30s, 15m, 12h or 7d".to_owned(),
            Self::Rate => "a burst and the time to refill by one, such as 10/2m".to_owned(),
            Self::Secret | Self::Secrets | Self::Text => "a text that is not empty".to_owned(),
            Self::Share => "a number such as 0.25".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Texts | Self::TextsOrNone => "a list of texts".to_owned(),
            Self::Word(words) => one_of(words),
            Self::WordOf(words) => one_of(words),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    format!("one of {}", words.join(", "))
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads a length of time: a whole number and its unit, without which nobody would know.
pub(super) fn length(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    let secs = match unit.trim_start() {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(secs)?))
}

impl Value {
    /// Says whether a text of it looks like a secret in the wrong place, and is not shown.
    pub(super) fn is_withheld(&self) -> bool {
        match self {
            Self::Text(text) => may_be_secret(text),
            Self::Texts(texts) => texts.iter().any(|text| may_be_secret(text)),
            _ => false,
        }
    }
}

/// Writes a value as a file has it. A secret shows nothing.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "smtp")]
            Self::Count(number) => number.fmt(f),
            Self::Length(length) => write!(f, "\"{}\"", written(*length)),
            Self::Rate(rate) => write!(f, "\"{}/{}\"", rate.burst(), written(rate.period())),
            Self::Secret(_) => f.write_str("[redacted]"),
            Self::Share(share) => share.fmt(f),
            Self::Switch(is_on) => is_on.fmt(f),
            Self::Text(text) => f.write_str(&printed(text)),
            Self::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| printed(text)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes a text as TOML does, unless it looks like a secret in the wrong place.
fn printed(text: &str) -> String {
    match may_be_secret(text) {
        true => "[redacted]".to_owned(),
        false => quoted(text),
    }
}

/// Writes a text as TOML does: its escapes are those of JSON, but for the one of DEL.
pub(super) fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.replace('\u{7f}', "\\u007f")
}

/// Quotes the first 80 characters of a value for an error, unless it looks like a secret.
pub(super) fn shown(text: &str) -> String {
    if may_be_secret(text) {
        return "(not shown)".to_owned();
    }
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{:?}", format!("{}…", text.get(..end).unwrap_or_default())),
        None => format!("{text:?}"),
    }
}

fn written(length: Duration) -> String {
    let millis = length.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let mut fitting = units
        .iter()
        .filter(|(unit, _)| millis.is_multiple_of(*unit) && millis > 0);
    match fitting.next() {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_unit_and_is_written_as_it_is_read() {
        let cases = [
            ("500ms", Some(500), "500ms"),
            ("30s", Some(30_000), "30s"),
            ("90 s", Some(90_000), "90s"),
            ("15m", Some(900_000), "15m"),
            ("12h", Some(43_200_000), "12h"),
            ("36h", Some(129_600_000), "36h"),
            ("7d", Some(604_800_000), "7d"),
            ("0s", Some(0), "0ms"),
            ("30", None, ""),
            ("", None, ""),
            ("s", None, ""),
            ("-1s", None, ""),
            ("1.5h", None, ""),
            ("1h30m", None, ""),
            ("99999999999999999999d", None, ""),
            ("18446744073709551615d", None, ""),
        ];
        for (text, millis, want) in cases {
            let got = length(text);
            assert_eq!(got, millis.map(Duration::from_millis), "{text}");
            if let Some(length) = got {
                assert_eq!(written(length), want);
            }
        }
    }

    #[test]
    fn a_text_is_quoted_as_toml_reads_it() {
        for text in ["plain", "a \"b\" \\ \n\t\u{7f}\u{0} ü"] {
            let read: toml::Table = format!("x = {}", quoted(text)).parse().unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
    }
}
