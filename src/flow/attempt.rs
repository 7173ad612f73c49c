//! `Attempt`: a sign-in in flight. Nothing of it is stored on the server: it travels sealed.
//!
//! - As WorkOS's `state`, in the check page's address, and in our own mailed link: each sealed for its own purpose, so that none
//!   of them opens in another's place.
//! - Bound to the browser that began it, by the fingerprint of its cookie.
//! - Sealed it stays under 1,000 characters: WorkOS's limit on `state` is unknown, and mail clients cut long links.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    email::Email,
    session::{
        KeyRing,
        seal::{self, Purpose},
    },
};

/// The most characters of a sealed attempt.
const LONGEST: usize = 999;
const VERSION: u8 = 1;
/// How far another replica's clock may be ahead of ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// A sign-in in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: [u8; 16],
    /// The fingerprint of the browser cookie.
    pub(crate) browser: [u8; 16],
    pub(crate) created: Timestamp,
    pub(crate) email: Email,
    /// Where to go afterwards, or in our own mailed link the provider's. Empty where it was too long.
    pub(crate) tail: String,
}

impl Attempt {
    pub(crate) fn new(id: [u8; 16], browser: &str, email: Email, now: Timestamp) -> Self {
        Self {
            id,
            browser: seal::fingerprint(browser),
            created: now,
            email,
            tail: String::new(),
        }
    }

    /// Returns the same attempt with another tail.
    pub(crate) fn with_tail(&self, tail: &str) -> Self {
        Self {
            tail: tail.to_owned(),
            ..self.clone()
        }
    }

    /// Seals the attempt; `None` when the tail makes it too long.
    pub(crate) fn seal(&self, keys: &KeyRing, purpose: Purpose, nonce: [u8; 24]) -> Option<String> {
        let email = self.email.as_str().as_bytes();
        let mut plain = vec![VERSION];
        plain.extend(self.id);
        plain.extend(self.browser);
        plain.extend(self.created.as_secs().to_be_bytes());
        plain.push(u8::try_from(email.len()).ok()?);
        plain.extend(email);
        plain.extend(self.tail.as_bytes());
        let sealed = keys.seal(purpose, &plain, nonce);
        (sealed.len() <= LONGEST).then_some(sealed)
    }

    /// Opens an attempt that was sealed for the same purpose.
    pub(crate) fn open(keys: &KeyRing, purpose: Purpose, sealed: &str) -> Option<Self> {
        // Before any other work: base64 of megabytes would be a gift to whoever sends them.
        if sealed.len() > LONGEST {
            return None;
        }
        let plain = keys.open(purpose, sealed)?;
        let rest = plain.strip_prefix(&[VERSION])?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (browser, rest) = rest.split_first_chunk::<16>()?;
        let (created, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first()?;
        let (email, tail) = rest.split_at_checked(usize::from(*length))?;
        Some(Self {
            id: *id,
            browser: *browser,
            created: Timestamp::from_secs(u64::from_be_bytes(*created)),
            email: Email::parse(std::str::from_utf8(email).ok()?).ok()?,
            tail: String::from_utf8(tail.to_vec()).ok()?,
        })
    }

    /// Says whether this browser began the attempt.
    pub(crate) fn is_of(&self, browser: Option<&str>) -> bool {
        // No constant-time compare: the fingerprint is a hash of the value that the browser had to send.
        browser.is_some_and(|browser| seal::fingerprint(browser) == self.browser)
    }

    /// Says whether the attempt is over, `lifetime` after it was begun. One from the future never began.
    pub(crate) fn is_over(&self, lifetime: Duration, now: Timestamp) -> bool {
        now >= self.created + lifetime || self.created > now + LEEWAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SigningKey;

    fn keys() -> KeyRing {
        KeyRing::new(SigningKey::generate().unwrap())
    }

    fn attempt(email: &str) -> Attempt {
        let email = Email::parse(email).unwrap();
        Attempt::new([7; 16], "cookie", email, Timestamp::from_secs(1_000))
    }

    #[test]
    fn an_attempt_comes_back_as_it_was_sealed() {
        let keys = keys();
        let attempt = attempt("Ada@example.com").with_tail("/reports?x=é");
        let sealed = attempt
            .seal(&keys, Purpose::State, crate::random::bytes())
            .unwrap();
        assert_eq!(Attempt::open(&keys, Purpose::State, &sealed), Some(attempt));
        assert_eq!(Attempt::open(&keys, Purpose::Check, &sealed), None);
    }

    #[test]
    fn the_longest_address_leaves_room_for_a_long_way_back_and_a_longer_one_is_not_sealed() {
        let label = "b".repeat(60);
        let email = format!("{}@{label}.{label}.{label}.com", "a".repeat(64));
        let longest = attempt(&format!("{email:0<1}"));
        let nonce = crate::random::bytes();
        let fits = longest
            .with_tail(&"x".repeat(300))
            .seal(&keys(), Purpose::State, nonce);
        assert!(fits.is_some_and(|sealed| sealed.len() < 1_000));
        let long = longest
            .with_tail(&"x".repeat(600))
            .seal(&keys(), Purpose::State, nonce);
        assert_eq!(long, None);
    }

    #[test]
    fn an_attempt_is_of_the_browser_that_began_it_alone() {
        let attempt = attempt("ada@example.com");
        assert!(attempt.is_of(Some("cookie")));
        assert!(!attempt.is_of(Some("other")) && !attempt.is_of(None));
    }

    #[test]
    fn an_attempt_ends_on_the_second_and_one_from_the_future_never_began() {
        let hour = Duration::from_secs(3_600);
        let cases = [
            ("at once", 1_000, false),
            ("a second early", 4_599, false),
            ("on the second", 4_600, true),
            ("a clock behind by a minute", 940, false),
            ("a clock behind by more", 939, true),
        ];
        for (name, now, want) in cases {
            let now = Timestamp::from_secs(now);
            assert_eq!(
                attempt("ada@example.com").is_over(hour, now),
                want,
                "{name}"
            );
        }
    }
}
