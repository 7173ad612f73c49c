//! `MatchCode`: the browser that began a sign-in shows it, and any other browser asks for it.
//!
//! - It has six consonants, so there are 64 million codes. Without digits it cannot be confused
//!   with the mailed code, and without vowels it spells no words.
//! - It is the same for all sign-ins of one browser to one address until one of them is finished in
//!   that browser, so the code on the screen fits every mail. Later ones have another code.

use std::fmt;

use crate::{email::Email, secret::redacted, session::KeyRing};

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTERS: usize = 6;

/// The code that one browser shows and another asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MatchCode([u8; LETTERS]);

impl MatchCode {
    /// Returns the code of a browser, by its fingerprint, and an address.
    pub(crate) fn of(keys: &KeyRing, browser: [u8; 16], email: &Email) -> Self {
        let whose = [&browser, email.as_str().as_bytes()].concat();
        let mut number = u128::from_be_bytes(keys.pseudonym("match code", &whose));
        Self([(); LETTERS].map(|()| {
            let letters = u128::try_from(ALPHABET.len()).unwrap_or(1);
            // A 128-bit number makes the bias of this remainder negligible.
            let index = usize::try_from(number % letters).unwrap_or_default();
            number /= letters;
            ALPHABET.get(index).copied().unwrap_or_default()
        }))
    }

    pub(crate) const fn to_bytes(self) -> [u8; LETTERS] {
        self.0
    }

    /// Reads the code of a sealed attempt.
    pub(crate) fn from_bytes(bytes: [u8; LETTERS]) -> Option<Self> {
        let is_letter = |letter: &u8| ALPHABET.contains(letter);
        bytes.iter().all(is_letter).then_some(Self(bytes))
    }

    /// Says whether the typed text is this code. Case, spaces and hyphens do not matter. The
    /// comparison takes constant time.
    pub(crate) fn is(self, typed: &str) -> bool {
        let mut letters = letters(typed);
        let difference = self.0.iter().fold(0, |difference, letter| {
            difference | (letter ^ letters.next().unwrap_or_default())
        });
        difference == 0 && letters.next().is_none()
    }
}

/// Says whether nothing was typed, which costs no try.
pub(crate) fn is_blank(typed: &str) -> bool {
    letters(typed).next().is_none()
}

/// Returns the typed letters without the separators that the screen shows between them.
fn letters(typed: &str) -> impl Iterator<Item = u8> {
    let is_separator = |c: &char| c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '·');
    typed
        .chars()
        .filter(move |c| !is_separator(c))
        .map(|c| u8::try_from(c).unwrap_or_default().to_ascii_uppercase())
}

/// Writes it as it is shown: `BKQ-TMR`.
impl fmt::Display for MatchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.iter().enumerate() {
            let hyphen = if place == LETTERS / 2 { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

redacted!(MatchCode);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::session::SigningKey;

    fn keys() -> KeyRing {
        KeyRing::new(SigningKey::generate().unwrap())
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn a_code_belongs_to_one_browser_and_one_address() {
        let (key, other_key) = (keys(), keys());
        let code = MatchCode::of(&key, [1; 16], &email("ada@example.com"));
        assert_eq!(
            code,
            MatchCode::of(&key, [1; 16], &email("ADA@example.com"))
        );
        assert_ne!(
            code,
            MatchCode::of(&key, [2; 16], &email("ada@example.com"))
        );
        assert_ne!(
            code,
            MatchCode::of(&key, [1; 16], &email("eve@example.com"))
        );
        assert_ne!(
            code,
            MatchCode::of(&other_key, [1; 16], &email("ada@example.com"))
        );
        assert_eq!(format!("{code:?}"), "[redacted]");
    }

    #[test]
    fn codes_use_every_letter_in_every_place() {
        let key = keys();
        let mut seen = [(); LETTERS].map(|()| HashSet::new());
        for browser in 0..2_000_u128 {
            let code = MatchCode::of(&key, browser.to_be_bytes(), &email("ada@example.com"));
            for (place, letter) in code.to_bytes().into_iter().enumerate() {
                seen[place].insert(letter);
            }
        }
        assert!(seen.iter().all(|letters| letters.len() == ALPHABET.len()));
    }

    #[test]
    fn what_was_typed_is_taken_with_or_without_its_separators_and_nothing_else() {
        let code = MatchCode::from_bytes(*b"BKQTMR").unwrap();
        assert_eq!(code.to_string(), "BKQ-TMR");
        for typed in ["BKQ-TMR", "bkqtmr", " b k q t m r ", "BKQ‑TMR", "BKQ – tmr"] {
            assert!(code.is(typed), "{typed}");
        }
        for typed in [
            "", "BKQ-TM", "BKQ-TMRR", "BKQ-TMS", "CKQ-TMR", "BKQ/TMR", "ŃKQTMR", "BKQTMR\0",
        ] {
            assert!(!code.is(typed), "{typed}");
        }
    }

    #[test]
    fn blanks_and_separators_alone_are_no_try() {
        for typed in ["", " ", "\t\u{a0}", " - "] {
            assert!(is_blank(typed), "{typed:?}");
        }
        assert!(!is_blank("x") && !is_blank("0"));
    }

    #[test]
    fn only_letters_of_ours_are_read_from_an_attempt() {
        assert_eq!(MatchCode::from_bytes(*b"BKQTM0"), None);
        assert_eq!(MatchCode::from_bytes([0; LETTERS]), None);
    }
}
