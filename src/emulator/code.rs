//! `Codes`: the six-digit codes that were made, and how a typed one is judged.
//!
//! WorkOS documents only the possible errors here. This is the likeliest behaviour and, among
//! alternatives, the worst case for a client:
//!
//! - Only the newest code of an address is valid. An older one is as wrong as any other number.
//! - A wrong try counts against the newest code. After the most tries even the right code is
//!   refused.
//! - Only the right code is answered with "used" or "expired"; a wrong one never is.
//! - A code is remembered for a day after it expires, for that answer.

use std::{collections::VecDeque, time::Duration};

use crate::{clock::Timestamp, provider::OneTimeCode};

/// How many codes are remembered: 256 MiB in the worst case, as requests have at most 64 KiB.
const LIMIT: usize = 4_096;
const REMEMBERED: Duration = Duration::from_secs(86_400);
pub(super) const LIFETIME: Duration = Duration::from_secs(600);

/// How the emulator handles codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodeSettings {
    pub(super) are_mailed: bool,
    pub(super) most_tries: u32,
}

impl Default for CodeSettings {
    fn default() -> Self {
        Self {
            are_mailed: false,
            most_tries: 10,
        }
    }
}

/// One code that was made.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) code: OneTimeCode,
    pub(super) made: Timestamp,
    is_used: bool,
    wrong_tries: u32,
}

/// The codes, oldest first.
#[derive(Debug, Default)]
pub(super) struct Codes(VecDeque<Code>);

/// Why a code is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotGood {
    Expired,
    TooManyTries,
    Used,
    Wrong,
}

impl Code {
    pub(super) const fn new(id: String, email: String, code: OneTimeCode, made: Timestamp) -> Self {
        Self {
            id,
            email,
            code,
            made,
            is_used: false,
            wrong_tries: 0,
        }
    }

    pub(super) fn ends(&self) -> Timestamp {
        self.made + LIFETIME
    }
}

impl Codes {
    pub(super) fn put(&mut self, code: Code, now: Timestamp) {
        self.0.retain(|code| now < code.ends() + REMEMBERED);
        // A bound, since an emulator may run in a load test for hours.
        if self.0.len() == LIMIT {
            self.0.pop_front();
        }
        self.0.push_back(code);
    }

    pub(super) fn find(&self, id: &str) -> Option<&Code> {
        self.0.iter().find(|code| code.id == id)
    }

    /// Returns the newest code of an address, valid or not.
    pub(super) fn newest(&self, address: &str) -> Option<&Code> {
        let mut codes = self.0.iter().rev();
        codes.find(|code| code.email.eq_ignore_ascii_case(address))
    }

    /// Redeems a code that was typed for an address.
    pub(super) fn redeem(
        &mut self,
        address: &str,
        typed: &str,
        most_tries: u32,
        now: Timestamp,
    ) -> Result<Code, NotGood> {
        let mut codes = self.0.iter_mut().rev();
        let newest = codes.find(|code| code.email.eq_ignore_ascii_case(address));
        let code = newest.ok_or(NotGood::Wrong)?;
        if code.wrong_tries >= most_tries {
            return Err(NotGood::TooManyTries);
        }
        // Before "used" and "expired", so that only the owner of the code learns either.
        if code.code.expose() != typed {
            code.wrong_tries += 1;
            return Err(NotGood::Wrong);
        }
        if code.is_used {
            return Err(NotGood::Used);
        }
        if code.ends() <= now {
            return Err(NotGood::Expired);
        }
        code.is_used = true;
        Ok(code.clone())
    }
}

/// Draws six random digits, without noticeable bias.
///
/// # Errors
///
/// When the system has no randomness.
pub(super) fn draw() -> Result<OneTimeCode, getrandom::Error> {
    // 2^64 is no multiple of a million: the bias is below one in 10^13.
    Ok(OneTimeCode::new(format!(
        "{:06}",
        getrandom::u64()? % 1_000_000
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn codes(made: &[(&str, &str, u64)]) -> Codes {
        let mut codes = Codes::default();
        for (n, (email, code, secs)) in made.iter().enumerate() {
            let code = OneTimeCode::new(*code);
            let code = Code::new(n.to_string(), (*email).to_owned(), code, at(*secs));
            codes.put(code, at(*secs));
        }
        codes
    }

    fn redeem(codes: &mut Codes, address: &str, typed: &str, now: u64) -> Result<String, NotGood> {
        codes.redeem(address, typed, 3, at(now)).map(|code| code.id)
    }

    #[test]
    fn a_code_is_good_once_until_the_second_it_expires_and_for_its_address() {
        let cases = [
            ("good", "ada@a.example", "111111", 0, Ok("0".to_owned())),
            (
                "in capitals",
                "ADA@A.EXAMPLE",
                "111111",
                0,
                Ok("0".to_owned()),
            ),
            (
                "last second",
                "ada@a.example",
                "111111",
                599,
                Ok("0".to_owned()),
            ),
            (
                "expired",
                "ada@a.example",
                "111111",
                600,
                Err(NotGood::Expired),
            ),
            (
                "another's",
                "eve@a.example",
                "111111",
                0,
                Err(NotGood::Wrong),
            ),
            (
                "nobody's",
                "bob@a.example",
                "111111",
                0,
                Err(NotGood::Wrong),
            ),
            ("wrong", "ada@a.example", "111112", 0, Err(NotGood::Wrong)),
            (
                "wrong and late",
                "ada@a.example",
                "111112",
                600,
                Err(NotGood::Wrong),
            ),
            ("empty", "ada@a.example", "", 0, Err(NotGood::Wrong)),
        ];
        for (name, address, typed, now, want) in cases {
            let mut codes = codes(&[
                ("ada@a.example", "111111", 0),
                ("eve@a.example", "222222", 0),
            ]);
            let is_good = want.is_ok();
            assert_eq!(redeem(&mut codes, address, typed, now), want, "{name}");
            if is_good {
                assert_eq!(
                    redeem(&mut codes, address, typed, now),
                    Err(NotGood::Used),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_newer_code_takes_the_place_of_the_older() {
        let mut codes = codes(&[
            ("ada@a.example", "111111", 0),
            ("Ada@a.example", "222222", 1),
        ]);
        assert_eq!(
            redeem(&mut codes, "ada@a.example", "111111", 2),
            Err(NotGood::Wrong)
        );
        assert_eq!(
            redeem(&mut codes, "ada@a.example", "222222", 2),
            Ok("1".to_owned())
        );
    }

    #[test]
    fn past_the_most_tries_nothing_redeems_a_code_and_a_new_one_is_fresh() {
        let mut codes = codes(&[("ada@a.example", "111111", 0)]);
        for _ in 0..3 {
            assert_eq!(
                redeem(&mut codes, "ada@a.example", "0", 1),
                Err(NotGood::Wrong)
            );
        }
        let spent = Err(NotGood::TooManyTries);
        assert_eq!(redeem(&mut codes, "ada@a.example", "111111", 1), spent);
        let fresh = OneTimeCode::new("111111");
        codes.put(
            Code::new("1".to_owned(), "ada@a.example".to_owned(), fresh, at(2)),
            at(2),
        );
        assert_eq!(
            redeem(&mut codes, "ada@a.example", "111111", 2),
            Ok("1".to_owned())
        );
    }

    #[test]
    fn codes_are_forgotten_a_day_after_their_end_and_past_the_limit() {
        let mut codes = codes(&[("ada@a.example", "111111", 0)]);
        let code = |n: usize| {
            Code::new(
                format!("c{n}"),
                String::new(),
                OneTimeCode::new(""),
                at(87_000),
            )
        };
        codes.put(code(0), at(86_999));
        assert!(codes.find("0").is_some());
        codes.put(code(1), at(87_000));
        assert!(codes.find("0").is_none() && codes.find("c0").is_some());
        for n in 2..=LIMIT {
            codes.put(code(n), at(87_000));
        }
        assert_eq!(codes.0.len(), LIMIT);
        assert!(codes.find("c0").is_none() && codes.find("c1").is_some());
    }

    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..1_000 {
            let code = draw().unwrap();
            let code = code.expose();
            assert!(
                code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
                "{code}"
            );
        }
    }
}
