//! Reads a code as people type, dictate and copy it.
//!
//! - By NFKC (UAX 15): a full-width or raised letter or digit is that letter or digit.
//! - A digit of another script is that of ASCII ([`in_ascii`]): keyboards for Arabic or Persian
//!   have digits of their own.
//! - Letters and digits count, and nothing else: dashes and blanks of every kind, quotes, a full
//!   stop, and characters that nobody sees, such as direction marks.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Returns the letters and digits of what was typed. A letter keeps its case.
pub(super) fn letters_and_digits(typed: &str) -> impl Iterator<Item = char> {
    ComposingNormalizerBorrowed::new_nfkc()
        .normalize_iter(typed.chars())
        .filter(|c| c.is_alphanumeric())
}

/// The zeros of other scripts than Latin. The digits one to nine follow each (Unicode 14, `Nd`, in
/// the Basic Multilingual Plane; NFKC has replaced the full-width ones).
#[rustfmt::skip]
const ZEROS: [char; 35] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}',
    '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}',
    '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}',
    '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}',
    '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}',
    '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}',
];

/// Returns the ASCII digit that a digit of another script stands for. Other characters stay.
pub(super) fn in_ascii(c: char) -> char {
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        char::from_digit(value, 10)
    });
    digit.unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_of_each_script_is_that_of_ascii_and_its_neighbours_are_none() {
        for zero in ZEROS {
            let at = |place: u32| char::from_u32(u32::from(zero) + place).unwrap();
            let digits: String = (0..10).map(at).collect();
            assert!(digits.chars().all(char::is_numeric), "{digits}");
            let read: String = digits.chars().map(in_ascii).collect();
            assert_eq!(read, "0123456789", "{digits}");
            let before = char::from_u32(u32::from(zero) - 1).unwrap();
            for neighbour in [before, at(10)] {
                let is_another = in_ascii(neighbour) != neighbour;
                assert!(!is_another || neighbour.is_numeric(), "{neighbour:?}");
            }
        }
        for other in ['0', '9', 'x', 'ع', '²', '〇', '一'] {
            assert_eq!(in_ascii(other), other);
        }
    }
}
