//! The builder's settings of the provider's events.

use std::{ops::RangeInclusive, time::Duration};

use super::{Builder, MINUTE};
use crate::{
    error::ConfigError,
    flow::webhook::{Secret, Verifier, Webhook},
};

const TOLERANCES: RangeInclusive<Duration> = MINUTE..=Duration::from_secs(600);

/// What the builder was told of the provider's events.
pub(super) struct Settings {
    /// `None` for one that cannot work.
    secrets: Vec<Option<Secret>>,
    tolerance: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            // What WorkOS's own SDKs take.
            tolerance: Duration::from_secs(180),
        }
    }
}

impl Settings {
    pub(super) const fn is_on(&self) -> bool {
        !self.secrets.is_empty()
    }

    pub(super) fn validate(self) -> Result<Option<Webhook>, ConfigError> {
        if !TOLERANCES.contains(&self.tolerance) {
            let value = format!("{:?}", self.tolerance);
            let problem = "must be 1 to 10 minutes";
            return Err(ConfigError::invalid("webhook_tolerance", value, problem));
        }
        if !self.is_on() {
            return Ok(None);
        }
        let secrets: Option<Vec<_>> = self.secrets.into_iter().collect();
        let problem = "must not be empty, nor have blanks around it";
        let secrets = secrets.ok_or_else(|| ConfigError::secret("webhook_secret", problem))?;
        Ok(Some(Webhook::new(Verifier::new(secrets, self.tolerance))))
    }
}

/// # The provider's events
///
/// With a secret, the layer takes WorkOS's events at `POST /auth/webhook`, below the
/// [mount](Builder::mount), and ends sessions by them:
///
/// | event | ends |
/// | --- | --- |
/// | `connection.deactivated`, `connection.deleted` | the sessions that the connection proved |
/// | `organization.deleted` | those of the organization |
/// | `user.deleted` | those of the user, and those of the address |
/// | `dsync.user.deleted`; `dsync.user.updated` to `inactive` or `suspended` | those of every address of the user that the event names, 16 at most |
/// | `organization_membership.deleted`; `….updated` to `inactive` | those of the user in that organization |
/// | `session.revoked` | those that began with that session of WorkOS's |
///
/// Subscribe the endpoint to these in WorkOS's dashboard. Any other event is acknowledged and
/// ignored. What began more than a minute after the event goes on, however late it is delivered.
///
/// The answer is 200 once the revocation store has taken every revocation, and 503 with
/// `Retry-After` when it has not, so that WorkOS delivers the event again. It is 400 for a
/// signature that is wrong or out of time, 408 for a body that takes more than 10 seconds, 413 for
/// one over 256 KiB, 415 for one that is not JSON, and never a page.
/// [`Event::WebhookReceived`](crate::event::Event::WebhookReceived) tells what became of each event
/// that was signed.
///
/// The revocations go to the [`Revocations`](crate::revocation::Revocations) store. Give the layer
/// one: WorkOS delivers an event to one replica, and a [closure](Builder::revocations) cannot be
/// told of it, so that its revocation is remembered in this process alone, until that ends.
///
/// Whoever reads the secret can sign anybody out, and nobody in.
impl Builder {
    /// Sets a secret that signs events: that of the endpoint, in WorkOS's dashboard. Default: none,
    /// and then there is no webhook: its path is one of the application's own, and protected.
    ///
    /// May be called for several, of which each is good. So a secret is replaced: add the new one,
    /// change it at WorkOS, take the old one out.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use std::time::Duration;
    /// use tower_magic_link::revocation::MemoryRevocations;
    ///
    /// let layer = builder
    ///     .webhook_secret("the secret of today")
    ///     .webhook_secret("the secret of tomorrow")
    ///     .webhook_tolerance(Duration::from_secs(300))
    ///     // With several replicas this is a store that they share.
    ///     .revocations(MemoryRevocations::default())
    ///     .build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn webhook_secret(mut self, secret: impl AsRef<str>) -> Self {
        self.webhook.secrets.push(Secret::new(secret.as_ref()));
        self
    }

    /// Sets how far the time of an event's signature may be from the layer's clock, in the past or
    /// the future: 1 to 10 minutes. Default: 180 seconds, as WorkOS's SDKs have it.
    ///
    /// Whether WorkOS signs an event anew when it delivers it again is not documented. If it does
    /// not, a delivery that comes again later than this is refused.
    pub fn webhook_tolerance(mut self, tolerance: Duration) -> Self {
        self.webhook.tolerance = tolerance;
        self
    }
}
