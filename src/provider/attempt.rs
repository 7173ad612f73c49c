//! `Attempt`: the sign-in that a call to a provider belongs to, and a place to count in it.
//!
//! - The layer stores nothing for an attempt: its random secret travels sealed. What a provider
//!   derives of that secret is the same in each call, at every replica, and after a change of keys.
//! - Counts are the layer's [`Throttle`](crate::throttle::Throttle)'s, by names that nobody else
//!   can guess. They end with the attempt.

use std::{fmt, net::IpAddr};

use base64::{display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{clock::Timestamp, store::StoreError};

/// The sign-in that a call belongs to: one request for a mail, and what comes of it. `Debug` shows
/// its id and times alone.
///
/// A provider that stores nothing derives its codes from [`secret`](Self::secret), and has each
/// used once by [`take_try`](Self::take_try).
///
/// ```
/// use tower_magic_link::{
///     provider::{Attempt, AuthorizationCode, ProviderError, ProviderErrorKind},
///     testing::{ManualClock, TestAttempt},
/// };
///
/// /// Says whether a code is this attempt's, and has not been used before.
/// async fn redeem(attempt: &Attempt<'_>, code: &AuthorizationCode) -> Result<(), ProviderError> {
///     let own = u128::from_be_bytes(attempt.secret("link"));
///     if *code != AuthorizationCode::new(format!("{own:032x}")) {
///         return Err(ProviderErrorKind::Refused.into());
///     }
///     match attempt.take_try("use", 1).await {
///         Ok(true) => Ok(()),
///         Ok(false) => Err(ProviderErrorKind::Refused.into()),
///         Err(error) => {
///             let unknown = ProviderError::new(ProviderErrorKind::Unavailable).before_acting();
///             Err(unknown.with_source(error))
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let attempt = TestAttempt::new(&ManualClock::new());
/// let own = u128::from_be_bytes(attempt.show().secret("link"));
/// let code = AuthorizationCode::new(format!("{own:032x}"));
/// assert!(redeem(&attempt.show(), &code).await.is_ok());
/// assert!(redeem(&attempt.show(), &code).await.is_err(), "a second time");
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    secret: &'a [u8; 16],
    begun_at: Timestamp,
    ends_at: Timestamp,
    now: Timestamp,
    caller: &'a Caller,
    newest: Newest,
    tries: &'a dyn Tries,
}

/// What the layer knows of the client whose request it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) client: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) language: Option<String>,
}

/// The moments of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pub(crate) begun_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) now: Timestamp,
}

/// Whether the browser has asked for another mail to the same address since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newest {
    Newest,
    Replaced,
}

/// Where an attempt counts.
pub(crate) trait Tries: Send + Sync {
    /// Takes one of the `most` tries that a name has until a moment, and says whether one was left.
    fn take(
        &self,
        name: [u8; 16],
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    fn give_back(&self, name: [u8; 16], now: Timestamp) -> BoxFuture<'_, ()>;
}

/// The name of an attempt, for a log or a database. It is no credential, and nothing that
/// [`Attempt::secret`] yields can be found from it. It is the same in each call of the attempt.
///
/// ```
/// use tower_magic_link::testing::{ManualClock, TestAttempt};
///
/// let attempt = TestAttempt::new(&ManualClock::new());
/// assert_eq!(attempt.show().id(), attempt.show().id());
/// assert_eq!(attempt.show().id().to_string().len(), 22, "base64url");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId([u8; 16]);

impl<'a> Attempt<'a> {
    pub(crate) const fn new(
        secret: &'a [u8; 16],
        moments: Moments,
        newest: Newest,
        caller: &'a Caller,
        tries: &'a dyn Tries,
    ) -> Self {
        Self {
            secret,
            begun_at: moments.begun_at,
            ends_at: moments.ends_at,
            now: moments.now,
            caller,
            newest,
            tries,
        }
    }

    /// Returns the attempt's name.
    #[must_use]
    pub fn id(&self) -> AttemptId {
        AttemptId::of(self.secret)
    }

    /// Returns when the attempt began, by the clock of the replica where it did. Clocks of replicas
    /// may differ by a minute.
    #[must_use]
    pub const fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Returns the time of this call, by the layer's clock.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the client's IP address, if it is known, for the provider's own abuse rules.
    #[must_use]
    pub const fn client(&self) -> Option<IpAddr> {
        self.caller.client
    }

    /// Returns the `User-Agent` of the person's request, as it came. `None` if there was none, or
    /// one that is not ASCII.
    #[must_use]
    pub fn user_agent(&self) -> Option<&'a str> {
        self.caller.user_agent.as_deref()
    }

    /// Returns the language that the person prefers, as a BCP 47 tag of at most 35 characters:
    /// `de-AT`.
    #[must_use]
    pub fn language(&self) -> Option<&'a str> {
        self.caller.language.as_deref()
    }

    /// Says whether this is the newest attempt of its browser for its address, as far as is known.
    ///
    /// The layer knows it by a cookie of the browser, and only if
    /// [`Builder::sign_in`](crate::Builder::sign_in) has codes. A mail that another browser asked
    /// for changes nothing: otherwise a stranger could end a person's code by asking for another.
    #[must_use]
    pub const fn is_newest(&self) -> bool {
        matches!(self.newest, Newest::Newest)
    }

    /// Returns 128 bits that only the layer can compute: the same in each call of this attempt, and
    /// others for each label.
    ///
    /// They outlive a change of the layer's keys, as the attempt does.
    #[must_use]
    pub fn secret(&self, label: &str) -> [u8; 16] {
        derived(self.secret, "provider", label.as_bytes())
    }

    /// Takes one of the `most` tries that a label has in this attempt, and says whether one was
    /// left. With 1, exactly one of all calls at all replicas gets `true`.
    ///
    /// It counts in the layer's throttle ([`Builder::throttle`](crate::Builder::throttle)), as far
    /// as that reaches: a [`MemoryThrottle`](crate::throttle::MemoryThrottle) counts in this
    /// process.
    ///
    /// # Errors
    ///
    /// When the throttle fails. The provider decides: a guess must then be refused.
    pub async fn take_try(&self, label: &str, most: u32) -> Result<bool, StoreError> {
        let name = derived(self.secret, "tries", label.as_bytes());
        let taken = self.tries.take(name, most, self.ends_at, self.now);
        taken.await
    }

    /// Gives one try back: the guess was right, or nothing was guessed. If the throttle fails, it
    /// stays taken.
    ///
    /// ```
    /// use tower_magic_link::testing::{ManualClock, TestAttempt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_magic_link::store::StoreError> {
    /// let attempt = TestAttempt::new(&ManualClock::new());
    /// assert!(attempt.show().take_try("guess", 1).await?);
    /// attempt.show().give_try_back("guess").await;
    /// assert!(attempt.show().take_try("guess", 1).await?, "it was given back");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn give_try_back(&self, label: &str) {
        let name = derived(self.secret, "tries", label.as_bytes());
        self.tries.give_back(name, self.now).await;
    }
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("id", &self.id())
            .field("begun_at", &self.begun_at)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl AttemptId {
    pub(crate) fn of(secret: &[u8; 16]) -> Self {
        Self(derived(secret, "name", &[]))
    }

    /// Returns the 128 bits, for a database.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &URL_SAFE_NO_PAD).fmt(f)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns what follows from an attempt's secret, for one purpose. The secret cannot be found from
/// it.
pub(crate) fn derived(secret: &[u8; 16], purpose: &str, label: &[u8]) -> [u8; 16] {
    // HMAC fills a shorter key up with zeros to one block (RFC 2104, section 2). All secrets have
    // the same length, so no two of them become one key.
    let mut block = [0; 64];
    block
        .iter_mut()
        .zip(secret)
        .for_each(|(to, from)| *to = *from);
    let tag = Hmac::<Sha256>::new(&block.into())
        .chain_update("attempt: ")
        .chain_update(purpose)
        // No purpose has a NUL, so a label cannot be mistaken for a part of one.
        .chain_update([0])
        .chain_update(label)
        .finalize()
        .into_bytes();
    tag.first_chunk::<16>().copied().unwrap_or_default()
}

/// An attempt that counts nowhere, for tests of what holds one.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Shown {
    secret: [u8; 16],
    caller: Caller,
    nowhere: Nowhere,
}

#[cfg(test)]
#[derive(Default)]
struct Nowhere;

#[cfg(test)]
impl Tries for Nowhere {
    fn take(
        &self,
        _: [u8; 16],
        _: u32,
        _: Timestamp,
        _: Timestamp,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async { Ok(false) })
    }

    fn give_back(&self, _: [u8; 16], _: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg(test)]
impl Shown {
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        let noon = Timestamp::from_secs(43_200);
        let moments = Moments {
            begun_at: noon,
            ends_at: noon,
            now: noon,
        };
        let (caller, nowhere) = (&self.caller, &self.nowhere);
        Attempt::new(&self.secret, moments, Newest::Newest, caller, nowhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_a_secret_differs_by_purpose_label_and_secret() {
        let cases = [
            derived(&[0; 16], "name", b""),
            derived(&[1; 16], "name", b""),
            derived(&[0; 16], "tries", b""),
            derived(&[0; 16], "tries", b"a"),
            derived(&[0; 16], "tries\0", b"a"),
            derived(&[0; 16], "provider", b"a"),
            derived(&[0; 16], "provider", b"b"),
        ];
        let distinct: std::collections::HashSet<_> = cases.iter().collect();
        assert_eq!(distinct.len(), cases.len());
    }

    #[test]
    fn what_is_printed_of_an_attempt_is_its_name_and_times() {
        let shown = Shown::default();
        let attempt = shown.attempt();
        let printed = format!("{attempt:?}");
        assert!(printed.contains(&attempt.id().to_string()), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
