//! `MatchCode`: the browser that began a sign-in shows it, and any other browser asks for it.
//!
//! - It has six consonants, so there are 64 million codes. Without digits it cannot be confused
//!   with the mailed code, and without vowels it spells no words.
//! - It is the same for all sign-ins of one browser to one address until one of them is finished in
//!   that browser, or no link of them is alive, so the code on the screen fits every mail. Later
//!   ones have another code.

use std::fmt;

use super::typed;
use crate::{email::Email, secret::redacted, session::KeyRing};

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTERS: usize = 6;

/// The code that one browser shows and another asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MatchCode([u8; LETTERS]);

impl MatchCode {
    /// Returns the code of a browser, by its fingerprint, and an address.
    pub(crate) fn of(keys: &KeyRing, browser: [u8; 16], email: &Email) -> Self {
        let whose = [&browser, email.as_str().as_bytes()];
        let mut number = u128::from_be_bytes(keys.pseudonym_of("match code", &whose));
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

    /// Reads what was typed, in either case. `None` if it cannot be a code, which costs no try.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        let letters = typed::letters_and_digits(typed);
        let mut letters = letters.map(|c| u8::try_from(c).unwrap_or_default());
        let code = [(); LETTERS].map(|()| letters.next().unwrap_or_default());
        Self::from_bytes(code.map(|letter| letter.to_ascii_uppercase()))
            .filter(|_| letters.next().is_none())
    }

    /// Says whether what was typed is this code. It takes constant time.
    pub(crate) fn is(self, typed: Self) -> bool {
        let pairs = self.0.iter().zip(typed.0);
        pairs.fold(0, |difference, (letter, other)| {
            difference | (letter ^ other)
        }) == 0
    }
}

/// Says whether nothing was typed.
pub(crate) fn is_blank(typed: &str) -> bool {
    typed::letters_and_digits(typed).next().is_none()
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
    fn what_was_typed_is_taken_by_its_letters_and_nothing_else() {
        let code = MatchCode::from_bytes(*b"BKQTMR").unwrap();
        assert_eq!(code.to_string(), "BKQ-TMR");
        let is = |typed| MatchCode::parse(typed).is_some_and(|typed| code.is(typed));
        for typed in ["BKQ-TMR", "bkqtmr", " b k q t m r ", "BKQ‑TMR", "BKQ – tmr"] {
            assert!(is(typed), "{typed}");
        }
        for typed in [
            "ＢＫＱ－ＴＭＲ",
            "ｂｋｑｔｍｒ",
            "BKQ—TMR",
            "BKQ−TMR",
            "BKQ\u{ad}TMR",
            "BKQ/TMR",
            "BKQ_TMR",
            "BKQTMR\0",
            "\u{feff}BKQ\u{200b}-\u{2060}TMR",
            "\u{202a}BKQ-TMR\u{202c}",
            "\u{200f}BKQ-TMR\u{200e}",
            "“BKQ-TMR”.",
            "'BKQ-TMR'",
            "«BKQ-TMR»",
            "BKQ\u{a0}TMR\u{3000}",
            "ⒷⓀⓆ-ⓉⓂⓇ",
        ] {
            assert!(is(typed), "{typed:?}");
        }
        for typed in [
            "", "BKQ-TM", "BKQ-TMRR", "BKQ-TMS", "CKQ-TMR", "ŃKQTMR", "BKQTMRß", "ВKQTMR",
        ] {
            assert!(!is(typed), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_told_from_one_that_is_wrong() {
        for wrong in ["CCC-CCC", "zzzzzz", "ＢＢＢＢＢＢ"] {
            assert!(MatchCode::parse(wrong).is_some(), "{wrong}");
        }
        for typed in [
            "",
            "BKQ",
            "BKQ-TMRR",
            "123456",
            "BKQTM1",
            "BKQTMA",
            "ŃKQTMR",
            "ada@example.com",
        ] {
            assert!(MatchCode::parse(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn blanks_and_separators_alone_are_no_try() {
        for typed in ["", " ", "\t\u{a0}", " - ", "“”.", "\u{200b}\u{202e}"] {
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
