//! Settings of where ended sessions are remembered.

use std::time::Duration;

use super::Builder;
use crate::revocation::{IntoRevocations, OnOutage};

/// # Stores
///
/// What is remembered of sessions that were ended early, and by whom.
impl Builder {
    /// Sets where sessions that were ended early are remembered: a
    /// [`Revocations`](crate::revocation::Revocations), or a closure that looks a session up.
    /// Default: a [`MemoryRevocations`](crate::revocation::MemoryRevocations), which knows of this
    /// process alone.
    ///
    /// The layer can look sessions up through a closure but cannot record an end there. It
    /// remembers sessions that end by signing out or by a [webhook](Builder::webhook_secret) in
    /// this process alone. Webhooks need a [`Revocations`](crate::revocation::Revocations) store.
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
        self.revocations = Box::new(revocations.into_revocations());
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

    /// Admits sessions while the revocation store cannot tell whether they were ended.
    ///
    /// By default what is protected is answered 503 with `Retry-After` meanwhile, and the cookie
    /// stays. With this setting a session that was ended works again while the store is out, for
    /// anybody who holds it. Use it if your application would rather admit a revoked session than
    /// nobody.
    ///
    /// [`Event::StoreLost`](crate::event::Event::StoreLost) tells when it begins, and
    /// [`Event::StoreRecovered`](crate::event::Event::StoreRecovered) when it is over. A sign-out
    /// that the store does not take is told to the person all the same.
    pub fn insecure_admit_on_outage(mut self) -> Self {
        self.on_outage = OnOutage::Admit;
        self
    }
}
