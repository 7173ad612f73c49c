//! `Attempt`: a sign-in in flight. It travels sealed, and nothing of it is stored on the server.
//!
//! - It travels as WorkOS's `state`, in the check page's address, and in our own mailed link. Each
//!   is sealed for its own purpose, so that none can be used in place of another.
//! - It is bound to the browser that began it, by the fingerprint of that browser's cookie.
//! - The sealed text stays under 1,000 characters, because WorkOS's limit on `state` is unknown.
//!   Our whole mailed link stays under 971: mail clients cut long links.

use std::time::Duration;

use super::match_code::MatchCode;
use crate::{
    clock::Timestamp,
    email::Email,
    page::Sent,
    provider::{AttemptId, attempt::derived},
    rejection::RejectionKind,
    session::{
        KeyRing, SessionId, Term,
        seal::{self, NONCE, Purpose, SealedBy},
    },
};

/// The most characters of a sealed attempt.
pub(super) const LONGEST: usize = 999;
/// The most characters of our own mailed link. With it, a line of the mail's HTML stays under 990.
pub(super) const LONGEST_MAILED: usize = 970;
const VERSION: u8 = 3;
/// The bytes of an attempt beside its texts.
const FIXED: usize = 51;
/// The bits that say what was mailed.
const SENT: u8 = 0b011;
const SENT_CODE: u8 = 0b001;
const SENT_BOTH: u8 = 0b010;
const FRAGMENT: u8 = 0b100;
const REMEMBERED: u8 = 0b1000;
const WAITED: u8 = 0b1_0000;
const TO_CALLBACK: u8 = 0b10_0000;
/// How long a person must wait before asking for another mail. Most mails arrive sooner.
const RESEND_WAIT: Duration = Duration::from_secs(30);
/// How far another replica's clock may be ahead of ours.
pub(super) const LEEWAY: Duration = Duration::from_secs(60);

/// Where our own mailed link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// To our callback, with the provider's code.
    ToCallback,
    /// To the provider's link.
    ToProvider,
}

/// A sign-in in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: [u8; 16],
    /// The fingerprint of the browser cookie, under the key of then.
    pub(crate) browser: [u8; 16],
    pub(crate) created: Timestamp,
    pub(crate) match_code: MatchCode,
    /// What was mailed. Only the check page's copy knows this: the others are sealed before
    /// mailing.
    pub(crate) sent: Sent,
    /// Whether the browser that began kept a fragment (`#part`) of the address to return to.
    pub(crate) keeps_fragment: bool,
    /// How long the person wants to stay signed in, in whichever browser the sign-in ends.
    pub(crate) term: Term,
    /// Whether another mail may be asked for at once, because this one may not have been sent.
    pub(crate) has_waited: bool,
    pub(crate) email: Email,
    /// The provider's link or code, inside our own mailed link. Otherwise empty.
    pub(crate) link: String,
    pub(crate) leads: Leads,
    /// Where to go afterwards. Empty if that was too long.
    pub(crate) tail: String,
    /// The key that had sealed it, if it was opened.
    pub(crate) sealed_by: Option<SealedBy>,
}

impl Attempt {
    pub(crate) fn new(
        id: [u8; 16],
        browser: [u8; 16],
        email: Email,
        match_code: MatchCode,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            browser,
            created: now,
            match_code,
            sent: Sent::Link,
            keeps_fragment: false,
            term: Term::Usual,
            has_waited: false,
            email,
            link: String::new(),
            leads: Leads::ToProvider,
            tail: String::new(),
            sealed_by: None,
        }
    }

    /// Returns the same attempt with the provider's link in it.
    pub(crate) fn with_link(&self, link: &str) -> Self {
        Self {
            link: link.to_owned(),
            leads: Leads::ToProvider,
            ..self.clone()
        }
    }

    /// Returns the same attempt with the provider's code in it.
    pub(crate) fn with_code(&self, code: &str) -> Self {
        Self {
            link: code.to_owned(),
            leads: Leads::ToCallback,
            ..self.clone()
        }
    }

    /// Returns the same attempt with another tail.
    pub(crate) fn with_tail(&self, tail: &str) -> Self {
        Self {
            tail: tail.to_owned(),
            ..self.clone()
        }
    }

    /// Seals the attempt as it is.
    #[cfg(test)]
    pub(crate) fn seal(
        &self,
        keys: &KeyRing,
        purpose: Purpose,
        nonce: [u8; NONCE],
    ) -> Option<String> {
        self.seal_as(self.sent, keys, purpose, nonce)
    }

    /// Seals the attempt, with what was mailed of it. `None` if link and tail make it too long, or
    /// if the key that had sealed it has left the ring.
    pub(super) fn seal_as(
        &self,
        sent: Sent,
        keys: &KeyRing,
        purpose: Purpose,
        nonce: [u8; NONCE],
    ) -> Option<String> {
        let email = self.email.as_str().as_bytes();
        let length = FIXED + email.len() + self.link.len() + self.tail.len();
        let email_length = u8::try_from(email.len()).ok()?;
        let link_length = u16::try_from(self.link.len()).ok()?.to_be_bytes();
        let sealed = keys.seal_written(self.sealed_by, purpose, length, nonce, |plain| {
            plain.push(VERSION);
            plain.extend(self.id);
            plain.extend(self.browser);
            plain.extend(self.created.as_secs().to_be_bytes());
            plain.extend(self.match_code.to_bytes());
            plain.push(self.flags(sent));
            plain.push(email_length);
            plain.extend(email);
            plain.extend(link_length);
            plain.extend(self.link.as_bytes());
            plain.extend(self.tail.as_bytes());
        });
        sealed.filter(|sealed| sealed.len() <= LONGEST)
    }

    /// Returns the characters of this attempt once it is sealed, with a link of a length in it.
    pub(super) fn sealed_len_with(&self, link: usize) -> usize {
        let texts = self.email.as_str().len() + link + self.tail.len();
        seal::sealed_len(FIXED + texts)
    }

    /// Opens an attempt that was sealed for the same purpose.
    pub(crate) fn open(
        keys: &KeyRing,
        purpose: Purpose,
        sealed: &str,
        now: Timestamp,
    ) -> Option<Self> {
        // Checked before any other work: a caller could send megabytes of base64 to decode.
        if sealed.len() > LONGEST {
            return None;
        }
        let (plain, sealed_by) = keys.open_with(purpose, sealed, now)?;
        // Another version is another release's: its fields are not guessed at.
        let rest = plain.strip_prefix(&[VERSION])?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (browser, rest) = rest.split_first_chunk::<16>()?;
        let (created, rest) = rest.split_first_chunk::<8>()?;
        let (match_code, rest) = rest.split_first_chunk::<6>()?;
        let (flags, rest) = rest.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (email, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (link, tail) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some(Self {
            id: *id,
            browser: *browser,
            created: Timestamp::from_secs(u64::from_be_bytes(*created)),
            match_code: MatchCode::from_bytes(*match_code)?,
            sent: match flags & SENT {
                SENT_CODE => Sent::Code,
                SENT_BOTH => Sent::LinkAndCode,
                _ => Sent::Link,
            },
            keeps_fragment: flags & FRAGMENT != 0,
            term: match flags & REMEMBERED {
                0 => Term::Usual,
                _ => Term::Remembered,
            },
            has_waited: flags & WAITED != 0,
            // Parsed again, since an earlier release may have taken an address that is refused now.
            email: Email::parse(std::str::from_utf8(email).ok()?).ok()?,
            link: String::from_utf8(link.to_vec()).ok()?,
            leads: match flags & TO_CALLBACK {
                0 => Leads::ToProvider,
                _ => Leads::ToCallback,
            },
            tail: String::from_utf8(tail.to_vec()).ok()?,
            sealed_by: Some(sealed_by),
        })
    }

    /// Returns how long the person must still wait before asking for another mail.
    pub(crate) fn resend_wait(&self, now: Timestamp) -> Option<Duration> {
        if self.has_waited {
            return None;
        }
        // Never longer than the usual wait, even if another replica's clock is ahead.
        let wait = now.until(self.created + RESEND_WAIT);
        (!wait.is_zero()).then_some(wait.min(RESEND_WAIT))
    }

    /// Returns the same attempt, with its wait for another mail already over.
    ///
    /// Its beginning stays: tries are counted until a moment that follows from it.
    pub(crate) fn past_its_wait(&self) -> Self {
        Self {
            has_waited: true,
            ..self.clone()
        }
    }

    fn flags(&self, sent: Sent) -> u8 {
        let sent = match sent {
            Sent::Code => SENT_CODE,
            Sent::Link => 0,
            Sent::LinkAndCode => SENT_BOTH,
        };
        let fragment = if self.keeps_fragment { FRAGMENT } else { 0 };
        let term = match self.term {
            Term::Remembered => REMEMBERED,
            Term::Usual => 0,
        };
        let waited = if self.has_waited { WAITED } else { 0 };
        let leads = match self.leads {
            Leads::ToCallback => TO_CALLBACK,
            Leads::ToProvider => 0,
        };
        sent | fragment | term | waited | leads
    }

    /// Returns the attempt's unique name: its random id, and the time at which it began. Both stay
    /// however often the attempt is sealed anew. Tries are counted by the id alone.
    pub(crate) fn name(&self) -> [u8; 24] {
        let mut name = [0; 24];
        let (id, created) = name.split_at_mut(16);
        id.copy_from_slice(&self.id);
        created.copy_from_slice(&self.created.as_secs().to_be_bytes());
        name
    }

    /// Returns the id of the one session of this attempt, for a provider that has one of each. It
    /// follows from the random id and from no key: a change of keys makes no second session.
    pub(crate) fn session_id(&self) -> SessionId {
        SessionId::from_bytes(derived(&self.id, "session", &[]))
    }

    /// Returns the attempt's name for logs and providers, which opens nothing.
    pub(crate) fn public_id(&self) -> AttemptId {
        AttemptId::of(&self.id)
    }

    /// Returns the kind of rejection of an attempt that is over: `late` once its lifetime has
    /// passed, or a wrong clock if it began in the future by this replica's.
    pub(crate) fn over(
        &self,
        lifetime: Duration,
        late: RejectionKind,
        now: Timestamp,
    ) -> Option<RejectionKind> {
        // Ours was set back, or another replica's is ahead. Its age cannot be told.
        if self.created > now + LEEWAY {
            return Some(RejectionKind::ClockWrong);
        }
        (now >= self.created + lifetime).then_some(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SigningKey;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn keys() -> KeyRing {
        KeyRing::new(SigningKey::generate().unwrap())
    }

    fn attempt(email: &str) -> Attempt {
        let email = Email::parse(email).unwrap();
        let code = MatchCode::of(&keys(), seal::fingerprint("cookie"), &email);
        Attempt::new([7; 16], seal::fingerprint("cookie"), email, code, NOW)
    }

    fn unsealed(opened: Attempt) -> Attempt {
        Attempt {
            sealed_by: None,
            ..opened
        }
    }

    #[test]
    fn an_attempt_comes_back_as_it_was_sealed() {
        let keys = keys();
        let attempt = attempt("Ada@example.com").with_tail("/reports?x=é");
        let sealed = attempt
            .seal(&keys, Purpose::State, crate::random::bytes())
            .unwrap();
        let open = |purpose| Attempt::open(&keys, purpose, &sealed, NOW);
        assert_eq!(open(Purpose::State).map(unsealed), Some(attempt));
        assert_eq!(open(Purpose::Check), None);
    }

    #[test]
    fn an_attempt_of_a_key_that_has_left_the_ring_is_not_sealed_by_the_next_key() {
        let keys = keys();
        let [one, two, three] = [(); 3].map(|()| crate::random::bytes());
        let sealed = attempt("ada@example.com").seal(&keys, Purpose::Open, one);
        let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW).unwrap();
        let next = || SigningKey::generate().unwrap();
        let until = NOW + Duration::from_secs(3_600);
        keys.handle().rotate(&next(), until, NOW).unwrap();
        let anew = opened.with_tail("/").seal(&keys, Purpose::State, two);
        assert!(anew.is_some(), "it has retired");
        keys.handle().replace(&KeyRing::new(next()));
        let anew = opened.with_link("x").seal(&keys, Purpose::State, three);
        assert_eq!(anew, None);
        assert!(
            attempt("ada@example.com")
                .seal(&keys, Purpose::State, three)
                .is_some()
        );
    }

    #[test]
    fn a_link_and_a_way_back_are_told_apart() {
        let keys = keys();
        for (link, tail) in [
            ("", ""),
            ("", "/reports"),
            ("https://provider.example/x", ""),
            ("https://provider.example/x", "/reports"),
            ("https://provider.example/x/reports", "\0\u{8}/x"),
        ] {
            let attempt = attempt("ada@example.com").with_link(link).with_tail(tail);
            let sealed = attempt.seal(&keys, Purpose::Open, crate::random::bytes());
            let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW);
            assert_eq!(opened.map(unsealed), Some(attempt), "{link} {tail}");
        }
    }

    #[test]
    fn a_code_of_the_providers_is_told_from_a_link() {
        let keys = keys();
        for attempt in [
            attempt("ada@example.com").with_code("c0de").with_tail("/x"),
            attempt("ada@example.com").with_link("c0de").with_tail("/x"),
        ] {
            let sealed = attempt.seal(&keys, Purpose::Open, crate::random::bytes());
            let opened = Attempt::open(&keys, Purpose::Open, &sealed.unwrap(), NOW);
            assert_eq!(opened.map(unsealed), Some(attempt));
        }
    }

    #[test]
    fn what_was_mailed_whether_a_fragment_was_kept_and_the_term_come_back() {
        let keys = keys();
        for sent in [Sent::Code, Sent::Link, Sent::LinkAndCode] {
            for (keeps_fragment, term) in [
                (false, Term::Usual),
                (true, Term::Usual),
                (false, Term::Remembered),
                (true, Term::Remembered),
            ] {
                let attempt = Attempt {
                    sent,
                    keeps_fragment,
                    term,
                    ..attempt("ada@example.com")
                };
                let sealed = attempt.seal(&keys, Purpose::Check, crate::random::bytes());
                let opened = Attempt::open(&keys, Purpose::Check, &sealed.unwrap(), NOW);
                assert_eq!(opened.map(unsealed), Some(attempt));
            }
        }
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
                attempt("ada@example.com")
                    .over(hour, RejectionKind::AttemptExpired, now)
                    .is_some(),
                want,
                "{name}"
            );
        }
    }
}
