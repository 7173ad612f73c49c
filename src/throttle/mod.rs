//! The throttle port: how often mail is asked for and codes are typed, by address, by network and
//! by everybody together.
//!
//! - Two notions. A [`Rate`] refills: so many at once, then one more every so often. *Tries* do
//!   not: so many per key until a moment, exactly.
//! - The layer charges one decision to several rates at once. Either all of them admit it, or none
//!   of them records it. So a refused request costs nothing, and the reported wait is the whole
//!   wait.
//! - A store sees opaque keys of 16 bytes, HMACs: never an address, a network, a link or a code.
//! - A store that fails lets rates pass, with an event, and refuses tries: a mail too many is a
//!   nuisance, a guess too many a break-in.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;

use crate::{
    clock::Timestamp, event::Listener, request::client::ForwardedField, store::StoreError,
};

mod limits;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod table;

pub use self::{
    limits::{Limits, Rate},
    memory::MemoryThrottle,
};

#[cfg(feature = "redis")]
pub use self::redis::RedisThrottle;

/// Counts, and says when it is too much. Implementers write plain `async fn`.
///
/// - Each method is one decision and must be atomic: of a thousand that arrive together exactly as
///   many are admitted as if they had come one after the other. Over Redis that is one script for
///   each.
/// - The throttle must bound its memory, because a client that is not signed in can create keys as
///   fast as the widest rate allows. It may forget a key that is fully refilled, or whose tries
///   have ended, at any time. It must not forget anything sooner, except for want of room.
/// - It may use its own clock instead of `now`, to the second, and must not let time go back.
/// - It may keep what the keys count in another process, and a [`MemoryThrottle`] for when that is
///   not there.
/// - It has two seconds to answer. The layer then takes it for failed: a [`StoreError`] lets rates
///   pass, and refuses tries.
///
/// The suite in `testing::suite::throttle` (feature `test-util`) checks an implementation.
///
/// ```
/// use tower_magic_link::{
///     clock::Timestamp, store::StoreError,
///     throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
/// };
///
/// /// Counts in memory, and says so.
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
    /// Takes one from each of these rates, or from none of them if any has none left. No two
    /// charges have the same key.
    ///
    /// # Errors
    ///
    /// When the store cannot tell. The layer lets the request pass.
    fn charge(
        &self,
        charges: &[Charge],
        now: Timestamp,
    ) -> impl Future<Output = Result<Charged, StoreError>> + Send;

    /// Takes one of the `most` tries that a key has until a moment. What it took stays taken until
    /// then.
    ///
    /// It is asked before a guess is compared, so that guesses that arrive together have no more
    /// tries than guesses that arrive in turn. A key whose moment has come already has none; one
    /// that is given two moments has the later.
    ///
    /// # Errors
    ///
    /// When the store cannot tell. The layer refuses the guess.
    fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<Take, StoreError>> + Send;

    /// Gives one try back, since it was right. Does nothing where none is taken.
    ///
    /// # Errors
    ///
    /// When the store cannot tell. The try stays taken; nobody is refused for it.
    fn give_try_back(
        &self,
        key: ThrottleKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes note of where the layer's events go. [`Builder::build`](crate::Builder::build) calls
    /// it, for a throttle that has something to tell between requests. Default: does nothing.
    fn tell_to(&self, listener: &Listener) {
        let _ = listener;
    }
}

/// What is counted under: an HMAC of an address, a network or a link. It tells nothing to who does
/// not have the layer's signing key.
///
/// It changes with that key: a new one lets everybody begin afresh.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThrottleKey([u8; 16]);

impl ThrottleKey {
    /// Makes a key, for a test of a [`Throttle`].
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

/// Prints no bytes: a log should not tell who is the same as who.
impl fmt::Debug for ThrottleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThrottleKey")
    }
}

/// One, to be taken from what a rate leaves a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    key: ThrottleKey,
    rate: Rate,
}

impl Charge {
    /// Makes a charge to a key. The same key always comes with the same rate, but for a change of
    /// the settings.
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

/// What came of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "it is admitted or it is not")]
pub enum Charged {
    /// Every rate had one left, and has one less.
    Admitted,
    /// A rate had none left. Nothing was taken from any.
    Refused {
        /// Which of the charges has to wait longest, counted from 0.
        by: usize,
        /// How long it has to: after that all of them are admitted, if nothing else comes first.
        /// More than nothing.
        wait: Duration,
    },
}

/// What came of asking for a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "there is one or there is none")]
pub enum Take {
    /// There is none left.
    Exhausted,
    /// One is taken, and so many are left.
    Taken {
        /// How many are left.
        left: u32,
    },
}

/// [`Throttle`] as the layer stores it.
pub(crate) trait ErasedThrottle: Send + Sync {
    fn charge<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Charged, StoreError>>;

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
}

impl<T: Throttle> ErasedThrottle for T {
    fn charge<'a>(
        &'a self,
        charges: &'a [Charge],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Charged, StoreError>> {
        Box::pin(Throttle::charge(self, charges, now))
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
}

/// The throttle, and what it is asked.
pub(crate) struct Throttling {
    pub(crate) throttle: Box<dyn ErasedThrottle>,
    /// `None`: rates are switched off. Tries are counted all the same.
    pub(crate) limits: Option<Limits>,
    /// The field in which trusted proxies name the client.
    pub(crate) forwarded: ForwardedField,
    /// Whether the log says already that a client is not known.
    pub(crate) is_warned: AtomicBool,
}

impl Throttling {
    /// Says in the log, once, that limits by network do not hold.
    pub(crate) fn warn_of_unknown_client(&self, public_url: &str) {
        if self.is_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            target: "tower_magic_link",
            public_url,
            "client address unknown: per-network limits are off. Serve axum by \
             into_make_service_with_connect_info::<SocketAddr>(), or leave a PeerAddr in the extensions of each request"
        );
    }
}

impl fmt::Debug for Throttling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttling")
            .field("limits", &self.limits)
            .field("forwarded", &self.forwarded)
            .finish_non_exhaustive()
    }
}
