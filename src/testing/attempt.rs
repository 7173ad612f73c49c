//! `TestAttempt`: an attempt for the tests of a provider.

use std::{net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;

use super::ManualClock;
use crate::{
    clock::{Clock, Timestamp},
    provider::{
        Attempt,
        attempt::{Caller, Moments, Newest, Tries},
    },
    store::StoreError,
    throttle::{MemoryThrottle, Take, Throttle, ThrottleKey},
};

/// How long an attempt counts: longer than any link lives.
const COUNTED: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// A sign-in that a provider's own test begins, as the layer begins one for it. It counts in
/// memory. Clones are the same attempt.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{
///     Email,
///     provider::{Delivery, Finish, IdentityProvider, Start},
///     testing::{ManualClock, StubProvider, TestAttempt},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// const LIFETIME: Duration = Duration::from_secs(900);
///
/// let (provider, ada) = (StubProvider::new(), Email::parse("ada@example.com")?);
/// let attempt = TestAttempt::new(&ManualClock::new()).with_language("de-AT");
/// let callback = "https://app.example.com/auth/callback";
/// let start = Start::new(attempt.show(), &ada, callback, "state", LIFETIME, Delivery::Mailer);
/// let started = provider.start(&start).await?;
///
/// let link = started.link().expect("a link to mail").expose();
/// let (_, code) = link.split_once("code=").expect("a code");
/// let code = code.trim_end_matches("&state=state").to_owned();
/// let code = tower_magic_link::provider::AuthorizationCode::new(code);
/// let finish = Finish::new(attempt.show(), &code, &ada, LIFETIME);
/// assert_eq!(provider.finish(&finish).await?.email(), &ada);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestAttempt {
    secret: [u8; 16],
    begun_at: Timestamp,
    caller: Caller,
    newest: Newest,
    clock: ManualClock,
    counts: Counts,
}

#[derive(Clone, Debug)]
struct Counts(MemoryThrottle);

impl TestAttempt {
    /// Begins an attempt at the time of a clock, of a client of which nothing is known.
    #[must_use]
    pub fn new(clock: &ManualClock) -> Self {
        Self {
            secret: crate::random::bytes(),
            begun_at: clock.now(),
            caller: Caller::default(),
            newest: Newest::Newest,
            clock: clock.clone(),
            counts: Counts(MemoryThrottle::default()),
        }
    }

    /// Sets the client's address.
    #[must_use]
    pub fn with_client(mut self, client: impl Into<Option<IpAddr>>) -> Self {
        self.caller.client = client.into();
        self
    }

    /// Sets the client's `User-Agent`.
    #[must_use]
    pub fn with_user_agent<'a>(mut self, user_agent: impl Into<Option<&'a str>>) -> Self {
        self.caller.user_agent = user_agent.into().map(str::to_owned);
        self
    }

    /// Sets the language that the person prefers, as a BCP 47 tag.
    #[must_use]
    pub fn with_language<'a>(mut self, language: impl Into<Option<&'a str>>) -> Self {
        self.caller.language = language.into().map(str::to_owned);
        self
    }

    /// Has the browser ask for another mail to the address: the attempt is no longer its newest.
    #[must_use]
    pub const fn replaced(mut self) -> Self {
        self.newest = Newest::Replaced;
        self
    }

    /// Returns the attempt as a provider is shown it, at the present time of the clock.
    #[must_use]
    pub fn show(&self) -> Attempt<'_> {
        let moments = Moments {
            begun_at: self.begun_at,
            ends_at: self.begun_at + COUNTED,
            now: self.clock.now(),
        };
        Attempt::new(
            &self.secret,
            moments,
            self.newest,
            &self.caller,
            &self.counts,
        )
    }
}

impl Tries for Counts {
    fn take(
        &self,
        name: [u8; 16],
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let key = ThrottleKey::from_bytes(name);
            let taken = self.0.take_try(key, most, until, now).await?;
            Ok(matches!(taken, Take::Taken { .. }))
        })
    }

    fn give_back(&self, name: [u8; 16], now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A throttle in memory does not fail.
            let _ = self
                .0
                .give_try_back(ThrottleKey::from_bytes(name), now)
                .await;
        })
    }
}
