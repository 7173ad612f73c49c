//! `Complaint`: an error body of WorkOS, and which parts of it are safe to log.

use serde_json::{Map, Value};

use crate::secret::may_be_secret;

/// A longer request id, code or field name is dropped.
const LONGEST_WORD: usize = 64;

/// The parameters of the exchange whose names begin with `code_`. They are not the code.
const BESIDE_CODE: [&str; 2] = ["code_challenge", "code_verifier"];

/// An error body, of any of WorkOS's shapes.
pub(super) struct Complaint(Map<String, Value>);

impl Complaint {
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Self(fields),
            // A body that is not understood says nothing; the status still does.
            _ => Self(Map::new()),
        }
    }

    /// Returns the machine code: `code` in the newer shapes, `error` in OAuth's.
    pub(super) fn code(&self) -> Option<&str> {
        ["code", "error"]
            .into_iter()
            .find_map(|field| self.0.get(field)?.as_str())
    }

    /// Returns the machine code, then those of the entries of `errors`.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        let entries = self
            .errors()
            .filter_map(|entry| entry.get("code")?.as_str());
        self.code().into_iter().chain(entries)
    }

    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.0
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    /// Says whether an entry of `errors` names the field or, without a `field`, begins its code or
    /// text with it.
    pub(super) fn is_about(&self, field: &str) -> bool {
        let begins = |text: &Value| text.as_str().is_some_and(|text| begins_with(text, field));
        self.errors().any(|entry| match entry.get("field") {
            Some(named) => named == field,
            None => {
                begins(entry)
                    || ["code", "message"]
                        .map(|k| entry.get(k))
                        .into_iter()
                        .flatten()
                        .any(begins)
            }
        })
    }

    /// Returns what is safe to log: the code and the fields, if they are plain words.
    pub(super) fn words(&self) -> Option<String> {
        let fields = self
            .errors()
            .filter_map(|entry| entry.get("field")?.as_str());
        let words: Vec<_> = self
            .code()
            .into_iter()
            .chain(fields)
            .filter(|word| is_machine_word(word))
            // A log line of a bounded length, whatever the answer lists.
            .take(4)
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Says whether a text begins with the name of a field: a sentence with it as its first word, or a
/// machine code such as `email_required`.
fn begins_with(text: &str, field: &str) -> bool {
    if let Some((first, _)) = text.split_once(' ') {
        return first == field;
    }
    let is_other = BESIDE_CODE.iter().any(|other| text.starts_with(other));
    let rest = text.strip_prefix(field).filter(|_| !is_other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Says whether a foreign text is short and plain, and so safe to log.
pub(super) fn is_word(text: &str, is_plain: impl Fn(u8) -> bool) -> bool {
    matches!(text.len(), 1..=LONGEST_WORD) && text.bytes().all(is_plain)
}

/// Says whether a text looks like WorkOS's machine codes.
///
/// One-time codes, ids, keys and addresses do not.
pub(super) fn is_machine_word(text: &str) -> bool {
    is_word(text, |b| b.is_ascii_lowercase() || b == b'_') && !may_be_secret(text)
}
