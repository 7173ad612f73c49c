//! What is said, and how often: once, and a request's own words cut and cleaned.

use std::sync::atomic::{AtomicBool, Ordering};

/// The most characters of a request's text in a log line.
const LONGEST: usize = 100;

/// Something that is said once.
#[derive(Debug, Default)]
pub(super) struct Once(AtomicBool);

impl Once {
    pub(super) fn is_said(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns whether it is still to be said, which the caller then does.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

/// Returns a text of a request's in the characters of hosts and paths alone, and not too long.
pub(super) fn cleaned(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]/".contains(c);
    let plain = text.chars().take(LONGEST);
    plain.map(|c| if is_plain(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_cleaned() {
        assert_eq!(cleaned("app.example.com:3000"), "app.example.com:3000");
        assert_eq!(cleaned("[::1]:3000"), "[::1]:3000");
        assert_eq!(cleaned("a\"b\u{1b}[31m c"), "a?b?[31m?c");
        assert_eq!(cleaned(&"a".repeat(500)).len(), LONGEST);
    }
}
