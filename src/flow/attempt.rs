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
    clock::{Reading, Skew, Timestamp},
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
/// The bytes of an attempt beside its texts and its skew.
const FIXED: usize = 51;
/// The bytes of a skew. Most attempts have none.
const SKEW: usize = 8 + 4;
/// The bits that say what was mailed.
const SENT: u8 = 0b011;
const SENT_CODE: u8 = 0b001;
const SENT_BOTH: u8 = 0b010;
const FRAGMENT: u8 = 0b100;
const REMEMBERED: u8 = 0b1000;
const WAITED: u8 = 0b1_0000;
const TO_CALLBACK: u8 = 0b10_0000;
const SKEWED: u8 = 0b100_0000;
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
    /// When it began, by this replica's steady time.
    pub(crate) created: Timestamp,
    /// When it began, by the wall clock of the replica at which it did.
    pub(super) dated: Timestamp,
    /// By how much that replica's steady time was ahead of its wall clock.
    pub(super) skew: Skew,
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
        reading: impl Into<Reading>,
    ) -> Self {
        let reading = reading.into();
        let (dated, skew) = reading.dated(Timestamp::from_secs(0));
        Self {
            id,
            browser,
            created: reading.now(),
            dated,
            skew,
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
        let length = self.fixed() + email.len() + self.link.len() + self.tail.len();
        let email_length = u8::try_from(email.len()).ok()?;
        let link_length = u16::try_from(self.link.len()).ok()?.to_be_bytes();
        let sealed = keys.seal_written(self.sealed_by, purpose, length, nonce, |plain| {
            plain.push(VERSION);
            plain.extend(self.id);
            plain.extend(self.browser);
            plain.extend(self.dated.as_secs().to_be_bytes());
            plain.extend(self.match_code.to_bytes());
            plain.push(self.flags(sent));
            if self.is_skewed() {
                plain.extend(self.skew.ahead().as_secs().to_be_bytes());
                plain.extend(self.skew.by().to_be_bytes());
            }
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
        seal::sealed_len(self.fixed() + texts)
    }

    const fn fixed(&self) -> usize {
        let skew = if self.is_skewed() { SKEW } else { 0 };
        FIXED + skew
    }

    const fn is_skewed(&self) -> bool {
        !self.skew.ahead().is_zero()
    }

    /// Opens an attempt that was sealed for the same purpose.
    pub(crate) fn open(
        keys: &KeyRing,
        purpose: Purpose,
        sealed: &str,
        reading: impl Into<Reading>,
    ) -> Option<Self> {
        // Checked before any other work: a caller could send megabytes of base64 to decode.
        if sealed.len() > LONGEST {
            return None;
        }
        let reading = reading.into();
        let (plain, sealed_by) = keys.open_with(purpose, sealed, reading)?;
        // Another version is another release's: its fields are not guessed at.
        let rest = plain.strip_prefix(&[VERSION])?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (browser, rest) = rest.split_first_chunk::<16>()?;
        let (dated, rest) = rest.split_first_chunk::<8>()?;
        let dated = Timestamp::from_secs(u64::from_be_bytes(*dated));
        // A key retires by the date, and ours may have been set back since the process began.
        if !sealed_by.sealed_at(dated - reading.most_ahead()) {
            return None;
        }
        let (match_code, rest) = rest.split_first_chunk::<6>()?;
        let (flags, rest) = rest.split_first()?;
        let (skew, rest) = match flags & SKEWED {
            0 => (Skew::default(), rest),
            _ => skew_of(rest)?,
        };
        let (length, rest) = rest.split_first()?;
        let (email, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (link, tail) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some(Self {
            id: *id,
            browser: *browser,
            created: dated + reading.counted(dated, skew),
            dated,
            skew,
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
        // No page says more than the usual wait. If the clock of the replica at which it began is
        // ahead, the next page may say it again, for a minute at most.
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
        let skewed = if self.is_skewed() { SKEWED } else { 0 };
        sent | fragment | term | waited | leads | skewed
    }

    /// Returns the attempt's unique name: its random id, and the date at which it began. Both stay
    /// however often the attempt is sealed anew. Tries are counted by the id alone.
    pub(crate) fn name(&self) -> [u8; 24] {
        let mut name = [0; 24];
        let (id, created) = name.split_at_mut(16);
        id.copy_from_slice(&self.id);
        created.copy_from_slice(&self.dated.as_secs().to_be_bytes());
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

/// Reads a skew, and returns what stands behind it.
fn skew_of(plain: &[u8]) -> Option<(Skew, &[u8])> {
    let (ahead, plain) = plain.split_first_chunk::<8>()?;
    let (by, plain) = plain.split_first_chunk::<4>()?;
    let ahead = Duration::from_secs(u64::from_be_bytes(*ahead));
    Some((Skew::new(ahead, u32::from_be_bytes(*by)), plain))
}

#[cfg(test)]
mod tests;
