//! `BrowserCookie`: names the browser that began a sign-in, or that may finish one.
//!
//! - It is 128 random bits, and a tag of them. The bits stay for as long as the browser keeps the
//!   cookie. The tag is made anew with the current key whenever the cookie is set, so that the
//!   cookie outlives the key.
//! - A sealed value holds the fingerprint of the whole cookie, under the key of then. It is of the
//!   same browser if any key that stands makes that cookie of the same bits. Replicas of an older
//!   version compare it with the cookie that they are sent: it is the one that was set with it. A
//!   choice or a permit comes without a cookie, so no key should change while they run.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{
    KeyRing, SigningKey, base64url,
    seal::{fingerprint_of, half_of, mac},
};
use crate::{clock::Reading, secret::redacted};

/// The characters of its text.
const CHARACTERS: usize = 43;

/// A cookie that we made: 128 random bits, and a tag that proves that.
#[derive(Clone, Copy)]
pub(crate) struct BrowserCookie {
    bytes: [u8; 32],
    /// A short fingerprint, made with the cookie: a step asks for it several times.
    fingerprint: [u8; 16],
    made_by: MadeBy,
}

/// Which key has made a cookie's tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MadeBy {
    Current,
    Other,
}

redacted!(BrowserCookie);

impl BrowserCookie {
    fn new(bytes: [u8; 32], made_by: MadeBy) -> Self {
        let text = &mut [0; CHARACTERS];
        Self {
            bytes,
            fingerprint: fingerprint_of([base64url::encode(&bytes, text)]),
            made_by,
        }
    }

    /// Returns the random bits, which are the same under every key.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.bytes.first_chunk().copied().unwrap_or_default()
    }

    /// Says whether two cookies are the same, with the tag.
    pub(crate) fn is(&self, other: &Self) -> bool {
        // This needs no constant-time comparison: both tags are ours.
        self.bytes == other.bytes
    }

    /// Returns a short fingerprint, to stand in a sealed attempt.
    pub(crate) const fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// Returns the fingerprint of the cookie with more behind it.
    pub(crate) fn fingerprint_with(&self, more: [u8; 16]) -> [u8; 16] {
        let (mut room, mut behind) = ([0; CHARACTERS], [0; 22]);
        let behind = base64url::encode(&more, &mut behind);
        fingerprint_of([base64url::encode(&self.bytes, &mut room), ".", behind])
    }

    /// Returns the cookie's value: its text, and what stands behind it, which dots divide.
    pub(crate) fn value(&self, behind: &[&[u8]]) -> String {
        let longer = behind.iter().map(|part| 1 + (part.len() * 4).div_ceil(3));
        let mut value = String::with_capacity(CHARACTERS + longer.sum::<usize>());
        base64url::encode_onto(&mut value, self.bytes);
        for part in behind {
            value.push('.');
            base64url::encode_onto(&mut value, part);
        }
        value
    }
}

impl KeyRing {
    /// Makes a cookie of random bytes, with the current key.
    pub(crate) fn browser_cookie(&self, random: [u8; 16]) -> BrowserCookie {
        BrowserCookie::new(made(self.load().current(), random), MadeBy::Current)
    }

    /// Returns a cookie as it is set anew: with the tag of the current key.
    pub(crate) fn browser_cookie_anew(&self, cookie: BrowserCookie) -> BrowserCookie {
        match cookie.made_by {
            // By the snapshot with which it was read. A change of keys since is as one after the
            // request.
            MadeBy::Current => cookie,
            MadeBy::Other => self.browser_cookie(cookie.random()),
        }
    }

    /// Reads a cookie that we made with a key of the ring. It takes constant time in the tag.
    pub(crate) fn browser_cookie_of(
        &self,
        text: &str,
        reading: impl Into<Reading>,
    ) -> Option<BrowserCookie> {
        let mut bytes = [0; 32];
        base64url::decode(text, &mut bytes).filter(|read| read.len() == 32)?;
        let (random, tag) = (bytes.first_chunk::<16>()?, bytes.last_chunk::<16>()?);
        let keys = self.load();
        let is_of = |key: &SigningKey| browser_mac(key, *random).verify_truncated_left(tag).is_ok();
        let made_by = if is_of(keys.current()) {
            MadeBy::Current
        } else if keys.standing(reading.into()).skip(1).any(is_of) {
            MadeBy::Other
        } else {
            return None;
        };
        Some(BrowserCookie::new(bytes, made_by))
    }

    /// Says whether a fingerprint is of this browser's cookie, under a key of the ring.
    pub(crate) fn has_fingerprint(
        &self,
        browser: BrowserCookie,
        fingerprint: [u8; 16],
        reading: impl Into<Reading>,
    ) -> bool {
        // This needs no constant-time comparison: the browser sends the value, and only its hash is
        // compared.
        if browser.fingerprint() == fingerprint {
            return true;
        }
        let keys = self.load();
        keys.standing(reading.into()).any(|key| {
            let other = BrowserCookie::new(made(key, browser.random()), MadeBy::Other);
            other.fingerprint() == fingerprint
        })
    }
}

fn made(key: &SigningKey, random: [u8; 16]) -> [u8; 32] {
    // Half of the tag: 128 bits cannot be guessed, and the cookie stays short.
    let tag = half_of(browser_mac(key, random));
    let mut bytes = [0; 32];
    let (start, end) = bytes.split_at_mut(16);
    start.copy_from_slice(&random);
    end.copy_from_slice(&tag);
    bytes
}

fn browser_mac(key: &SigningKey, random: [u8; 16]) -> Hmac<Sha256> {
    mac(key, "tag: browser cookie").chain_update(random)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::{clock::Timestamp, session::RetiredKey};

    const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn ring() -> KeyRing {
        KeyRing::new(SigningKey::generate().unwrap())
    }

    #[test]
    fn a_browser_cookie_is_known_for_ours_and_a_made_up_one_is_not() {
        let keys = ring();
        let cookie = keys.browser_cookie(crate::random::bytes());
        let text = cookie.value(&[]);
        let read = keys.browser_cookie_of(&text, NOW).unwrap();
        assert!(read.is(&cookie));
        assert!(ring().browser_cookie_of(&text, NOW).is_none());
        for made_up in [
            "",
            "x",
            &URL_SAFE_NO_PAD.encode([7; 32]),
            &text[1..],
            &format!("{text}A"),
        ] {
            assert!(keys.browser_cookie_of(made_up, NOW).is_none(), "{made_up}");
        }
        assert_eq!(format!("{cookie:?}"), "[redacted]");
    }

    #[test]
    fn a_fingerprint_is_of_one_browser_under_every_key_that_stands() {
        let [old, new] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let [before, after] = [&old, &new].map(|key| KeyRing::new(key.clone()));
        let end = NOW + std::time::Duration::from_secs(60);
        let old = RetiredKey::new(old).until(end);
        let ring = KeyRing::new(new).retire(old).unwrap();
        let (own, others) = (before.browser_cookie([1; 16]), ring.browser_cookie([2; 16]));
        let anew = ring.browser_cookie(own.random());
        assert!(!anew.is(&own) && anew.is(&after.browser_cookie([1; 16])));
        for cookie in [own, anew] {
            for made in [own, anew] {
                assert!(ring.has_fingerprint(cookie, made.fingerprint(), NOW));
            }
            let read = ring.browser_cookie_of(&cookie.value(&[]), NOW).unwrap();
            assert!(read.is(&cookie) && read.fingerprint() == cookie.fingerprint());
            assert!(
                ring.browser_cookie_anew(read).is(&anew),
                "the tag of the current key"
            );
            assert!(!ring.has_fingerprint(cookie, others.fingerprint(), NOW));
        }
        assert!(!ring.has_fingerprint(anew, own.fingerprint(), end));
        assert!(ring.has_fingerprint(anew, anew.fingerprint(), end));
    }

    /// Replicas of an older version read what stands behind the cookie, and name the browser so.
    #[test]
    fn what_is_written_and_hashed_is_base64url_between_dots() {
        let cookie = ring().browser_cookie([7; 16]);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let text = encode(&cookie.bytes);
        assert_eq!(cookie.value(&[]), text);
        assert_eq!(
            cookie.value(&[&[1; 24], &[2; 16]]),
            format!("{text}.{}.{}", encode(&[1; 24]), encode(&[2; 16]))
        );
        assert_eq!(
            cookie.value(&[&[], &[2; 16]]),
            format!("{text}..{}", encode(&[2; 16]))
        );
        assert_eq!(cookie.fingerprint(), fingerprint_of([text.as_str()]));
        let longer = format!("{text}.{}", encode(&[1; 16]));
        assert_eq!(
            cookie.fingerprint_with([1; 16]),
            fingerprint_of([longer.as_str()])
        );
    }
}
