//! Settings of where ended sessions are remembered.

use std::time::Duration;

use super::{Builder, greeting::name_of_val};
use crate::{
    revocation::{IntoRevocations, OnOutage},
    sessions::Sessions,
};

/// # Stores
///
/// Where ended sessions are remembered, and what happens while that store is down.
impl Builder {
    /// Sets where sessions that were ended early are remembered: a
    /// [`Revocations`](crate::revocation::Revocations), or a closure that looks a session up.
    /// Default: a [`MemoryRevocations`](crate::revocation::MemoryRevocations), which serves only
    /// this process.
    ///
    /// Through a closure, the layer can look a session up but cannot record a revocation. It then
    /// remembers the sessions that end by signing out or by a [webhook](Builder::webhook_secret)
    /// only in this process. Webhooks need a [`Revocations`](crate::revocation::Revocations) store.
    ///
    /// ```
    /// # use tower_magic_link::{Builder, Session, revocation::Standing};
    /// # async fn was_ended(id: tower_magic_link::SessionId) -> Result<bool, std::io::Error> { Ok(false) }
    /// # fn example(builder: Builder) -> Builder {
    /// builder.revocations(|session: Session| async move {
    ///     Ok::<_, std::io::Error>(if was_ended(session.id()).await? { Standing::Revoked } else { Standing::Active })
    /// })
    /// # }
    /// ```
    pub fn revocations<Kind>(mut self, revocations: impl IntoRevocations<Kind>) -> Self {
        let revocations = revocations.into_revocations();
        self.names.revocations = name_of_val(&revocations);
        self.revocations = Box::new(revocations);
        self
    }

    /// Sets how long a request waits for the revocation store before it is answered 503: up to 1
    /// minute. Default: 2 seconds.
    ///
    /// A store that has to wait needs the layer to run on a tokio runtime with its timer enabled.
    pub fn revocation_timeout(mut self, timeout: Duration) -> Self {
        self.revocation_timeout = timeout;
        self
    }

    /// Keeps an index of the live sessions, so that
    /// [`MagicLinkLayer::sessions_of`](crate::MagicLinkLayer::sessions_of) can list a person's:
    /// a [`MemorySessions`](crate::sessions::MemorySessions), a
    /// [`RedisSessions`](crate::sessions::RedisSessions) or a
    /// [`Sessions`] of your own. Default: none.
    ///
    /// It holds personal data: who signed in, with which browser, from which network. It is written
    /// in the background when a session begins, is renewed or signs out. If it is away, people
    /// still sign in and out; [`Event::ServerLost`](crate::event::Event::ServerLost) says so, and
    /// those sessions are not listed before their next renewal. A store that has to wait needs a
    /// tokio runtime with its timer enabled.
    ///
    /// ```
    /// use tower_magic_link::{Builder, sessions::MemorySessions};
    ///
    /// fn with_devices(builder: Builder) -> Builder {
    ///     builder.session_index(MemorySessions::default())
    /// }
    /// ```
    pub fn session_index(mut self, sessions: impl Sessions) -> Self {
        self.session_index = Some(Box::new(sessions));
        self
    }

    /// Admits sessions while the revocation store cannot tell whether they were ended.
    ///
    /// By default protected paths answer 503 with `Retry-After` meanwhile, and the cookie stays.
    /// With this setting, while the store is down, anyone who holds the token of an ended session
    /// can use it again. Use it if your application would rather admit a revoked session than
    /// nobody.
    ///
    /// [`Event::StoreLost`](crate::event::Event::StoreLost) reports the beginning of an outage, and
    /// [`Event::StoreRecovered`](crate::event::Event::StoreRecovered) its end. If the store does
    /// not record a sign-out, a page still says so.
    ///
    /// [`Builder::reauthorize`] is asked about the sessions that an outage admits, as about all
    /// others.
    pub fn insecure_admit_on_outage(mut self) -> Self {
        self.on_outage = OnOutage::Admit;
        self
    }
}
