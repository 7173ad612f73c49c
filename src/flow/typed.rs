//! Reads a code as people type, dictate and copy it.
//!
//! - By NFKC (UAX 15): a full-width or raised letter or digit is that letter or digit.
//! - Letters and digits count, and nothing else: dashes and blanks of every kind, quotes, a full
//!   stop, and characters that nobody sees, such as direction marks.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Returns the letters and digits of what was typed. A letter keeps its case.
pub(super) fn letters_and_digits(typed: &str) -> impl Iterator<Item = char> {
    ComposingNormalizerBorrowed::new_nfkc()
        .normalize_iter(typed.chars())
        .filter(|c| c.is_alphanumeric())
}
