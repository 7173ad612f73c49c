//! The throttle port: limits how often mail is asked for and codes are typed, per address, per
//! network and in total.
//!
//! - It counts two things. A [`Rate`] is a burst, refilled by one each period. *Tries* do not
//!   refill: a key has an exact number of them until a moment.
//! - The layer charges one decision to several rates at once. Either all of them admit it, or none
//!   of them records it. A refused decision therefore costs nothing, and the reported wait is its
//!   whole wait. A typed code takes two decisions: if the second one refuses, the first stays
//!   charged, and the wait is that of the second.
//! - What was charged for an action that failed at the provider or the mailer is given back.
//! - A store sees opaque keys of 16 bytes (HMACs), never an address, a network, a link or a code.
//! - When a store fails, the layer reports an event, does not apply rates, and refuses tries. One
//!   mail too many is a nuisance; one guess too many is a break-in.

use std::{fmt, future::Future, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    check::{Checking, Line},
    clock::Timestamp,
    event::Listener,
    store::StoreError,
};

mod hashing;
mod limits;
mod memory;
mod rate;
#[cfg(feature = "redis")]
mod redis;
mod table;
mod throttling;

pub(crate) use self::throttling::Throttling;
pub use self::{limits::Limits, memory::MemoryThrottle, rate::Rate};

#[cfg(feature = "redis")]
pub use self::redis::RedisThrottle;

/// Counts requests against their limits. Implementers write plain `async fn`.
///
/// - Each method is one decision and must be atomic: a thousand calls at once admit exactly as many
///   as a thousand calls in turn. Over Redis that takes one script per method.
/// - The throttle must bound its memory, because a client that is not signed in can create keys as
///   fast as the widest rate allows. It may forget a key that is fully refilled, or whose tries
///   have ended, at any time. It must not forget anything sooner, except for want of room.
/// - `now` is mostly when the head of the request came. A form may arrive slowly, so `now` may be
///   some seconds older than that of an earlier call. Such a call must count like one of the latest
///   time that the throttle has seen, and must take nothing off a count. Only if `now` is older by
///   more than a minute was the clock set back: then a count may be cut, so that nobody waits for
///   longer than a refill.
/// - It may use its own clock instead of `now`, to the second, and must not let time go back.
/// - It may keep the counts in another process, with a [`MemoryThrottle`] to fall back on.
/// - It has two seconds for each of these: all charges of one action, which are up to three calls;
///   one try; whatever is given back at once. A typed code needs three of them before it is
///   compared, and up to four after that, besides the tries that its provider counts. The layer
///   treats a later answer as a [`StoreError`]: rates are not applied, and tries are refused.
///
/// The suite in `testing::suite::throttle` (feature `test-util`) checks an implementation.
///
/// ```
/// use tower_magic_link::{
///     clock::Timestamp, store::StoreError,
///     throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
/// };
///
/// /// Counts in memory, and prints each refusal.
/// struct Loud(MemoryThrottle);
///
/// impl Throttle for Loud {
///     async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
///         let charged = self.0.charge(charges, now).await?;
///         if let Charged::Refused { by, wait } = charged {
///             println!("{:?} is full for {wait:?}", charges[by].rate());
///         }
///         Ok(charged)
///     }
///
///     async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
///         self.0.give_back(charges, now).await
///     }
///
///     async fn take_try(&self, key: ThrottleKey, most: u32, until: Timestamp, now: Timestamp) -> Result<Take, StoreError> {
///         self.0.take_try(key, most, until, now).await
///     }
///
///     async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
///         self.0.give_try_back(key, now).await
///     }
/// }
/// ```
pub trait Throttle: Send + Sync + 'static {
    /// Takes one from each of these rates, or from none of them if any is exhausted. No two charges
    /// have the same key.
    ///
    /// # Errors
    ///
    /// When the store fails. The layer admits the request.
    fn charge(
        &self,
        charges: &[Charge],
        now: Timestamp,
    ) -> impl Future<Output = Result<Charged, StoreError>> + Send;

    /// Gives one back to each of these rates: the action that they were charged for failed, and
    /// nothing came of it. A rate never holds more than its burst, and a key that is not known
    /// stays so.
    ///
    /// The layer calls it at most once for a charge that was admitted, before that one has refilled
    /// by itself. Default: does nothing, so that what failed counts. The suite of
    /// `testing::suite::throttle` asks for more.
    ///
    /// # Errors
    ///
    /// When the store fails. The charges stay taken.
    fn give_back(
        &self,
        charges: &[Charge],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = (charges, now);
        async { Ok(()) }
    }

    /// Takes one of the `most` tries that a key has until a moment. The try stays taken until then,
    /// unless it is given back.
    ///
    /// The layer calls it before it compares a guess, so that concurrent guesses have no more tries
    /// than guesses in turn. A key whose moment has passed has none. If calls give a key two
    /// moments, the later one counts.
    ///
    /// # Errors
    ///
    /// When the store fails. The layer refuses the guess.
    fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<Take, StoreError>> + Send;

    /// Gives one try back, because the guess was right. Does nothing if none is taken.
    ///
    /// # Errors
    ///
    /// When the store fails. The try stays taken, and the sign-in goes on.
    fn give_try_back(
        &self,
        key: ThrottleKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Receives the listener for the layer's events. [`Builder::build`](crate::Builder::build)
    /// calls it, for a throttle that reports events between requests. Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }

    /// Checks whether the throttle can count, for
    /// [`MagicLinkLayer::check`](crate::MagicLinkLayer::check). It must charge nothing, and has two
    /// seconds. `now` is the layer's time. Default: no line, so that the report says that it was
    /// not checked.
    fn check(&self, now: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        let _ = now;
        async { Vec::new() }
    }
}

/// The key of a count: an HMAC of an address or a network under the layer's signing key, or a hash
/// of a secret, such as the random id of a sign-in. It reveals none of them.
///
/// A new signing key changes the throttle keys of addresses and networks, so those counts begin
/// again. What a sign-in has used up stays used up: its tries, its exchanges, a choice, a link that
/// was declined, and what a provider counts of an attempt
/// ([`Attempt::take_try`](crate::provider::Attempt::take_try)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThrottleKey([u8; 16]);

impl ThrottleKey {
    /// Creates a key, for a test of a [`Throttle`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Prints no bytes: a log must not reveal that two requests came from the same client.
impl fmt::Debug for ThrottleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThrottleKey")
    }
}

/// One unit, to be taken from a key's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    key: ThrottleKey,
    rate: Rate,
}

impl Charge {
    /// Creates a charge to a key. A key always has the same rate, unless the settings change.
    ///
    /// While replicas with old and new settings run together, or layers with other limits share a
    /// throttle and keys, one key has several rates. A narrower one is refused until what a wider
    /// one has counted leaves room in it, which may take longer than its own refill. That refusal
    /// must not take anything off the count, unless the clock was set back.
    #[must_use]
    pub const fn new(key: ThrottleKey, rate: Rate) -> Self {
        Self { key, rate }
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> ThrottleKey {
        self.key
    }

    /// Returns the rate.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }
}

/// The outcome of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "it is admitted or it is not")]
pub enum Charged {
    /// Every rate had one left, and now has one less.
    Admitted,
    /// At least one rate had none left. Nothing was taken from any.
    Refused {
        /// Index of the charge that has to wait longest, from 0.
        by: usize,
        /// How long it has to wait. After that all charges are admitted, unless other requests come
        /// first. Never zero.
        wait: Duration,
    },
}

/// The outcome of taking a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "there is one or there is none")]
pub enum Take {
    /// No try is left.
    Exhausted,
    /// One try is taken.
    Taken {
        /// How many are left.
        left: u32,
    },
}

/// [`Throttle`] as the layer stores it: one box per call, no type parameter.
pub(crate) trait ErasedThrottle: Send + Sync {
    fn charge<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Charged, StoreError>>;

    fn give_back<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Take, StoreError>>;

    fn give_try_back(
        &self,
        key: ThrottleKey,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    fn tell_to(&self, listener: &Listener);

    fn check(&self, now: Timestamp) -> Checking<'_>;
}

impl<T: Throttle> ErasedThrottle for T {
    fn charge<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Charged, StoreError>> {
        Box::pin(Throttle::charge(self, charges, now))
    }

    fn give_back<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(Throttle::give_back(self, charges, now))
    }

    fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Take, StoreError>> {
        Box::pin(Throttle::take_try(self, key, most, until, now))
    }

    fn give_try_back(
        &self,
        key: ThrottleKey,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(Throttle::give_try_back(self, key, now))
    }

    fn tell_to(&self, listener: &Listener) {
        Throttle::tell_to(self, listener);
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        Box::pin(Throttle::check(self, now))
    }
}

impl fmt::Debug for dyn ErasedThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Throttle")
    }
}
