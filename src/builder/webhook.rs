//! The builder's settings of the provider's events.

use std::{ops::RangeInclusive, time::Duration};

use super::{Builder, MINUTE};
use crate::{
    error::ConfigError,
    flow::webhook::{Secret, Verifier, Webhook},
};

const TOLERANCES: RangeInclusive<Duration> = MINUTE..=Duration::from_secs(600);

/// The settings of the provider's events.
#[derive(Debug)]
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
        let problem = "must not be empty or have surrounding blanks";
        let secrets = secrets.ok_or_else(|| ConfigError::secret("webhook_secret", problem))?;
        Ok(Some(Webhook::new(Verifier::new(secrets, self.tolerance))))
    }
}

/// # The provider's events
///
/// With a secret, the layer accepts WorkOS's events at `POST /auth/webhook`, below the
/// [mount](Builder::mount). They end sessions:
///
/// | event | ends |
/// | --- | --- |
/// | `connection.deactivated`, `connection.deleted` | the sessions that the connection proved |
/// | `organization.deleted` | those of the organization |
/// | `user.deleted` | those of the user, and those of the address |
/// | `dsync.user.deleted`; `dsync.user.updated` to `inactive` or `suspended` | those of every address of the user that the event names, 16 at most |
/// | `organization_membership.deleted`; `….updated` to `inactive` | those of the user in that organization |
/// | `session.revoked` | those that began with that session at WorkOS |
///
/// Subscribe the endpoint to these in WorkOS's dashboard. The layer acknowledges and ignores any
/// other event.
///
/// A directory user's addresses are those in `email`, in `emails` and in
/// `custom_attributes.emails`. If the update changes the `state`, those of the same fields in
/// `previous_attributes` are among them. WorkOS empties `emails` on 15 April 2026. To have the
/// further addresses from then on, enable the predefined attribute `emails` in its dashboard
/// (<https://workos.com/docs/deprecations/raw-attributes>).
///
/// An event that is delivered within two minutes ends what began before the delivery; a later
/// delivery, what began before the event or within a minute after it.
///
/// A sign-in after the delivery goes on, at every replica, because the layer looks the new session
/// up before it makes it. In three cases the layer has only dates to go by. A session that begins
/// within a minute after the event then ends with the others, at its first request:
///
/// - The revocation store fails at that moment.
/// - The application issues the session
///   ([`SessionIssuer::issue`](crate::companion::SessionIssuer::issue)), and the store has to wait.
/// - The person's proof is older, because they chose an organization after it, or because a first
///   try failed or took long.
///
/// If an event arrives while WorkOS still answers a sign-in, the layer takes it for one from before
/// that sign-in, and the session lives on. The answer may take up to 10 seconds. After that, dates
/// count. `session.revoked` has no such gap. To end such a session sooner than by its expiry, ask
/// your own records in [`Builder::authorize`], which is asked after WorkOS's answer, or in
/// [`Builder::reauthorize`].
///
/// The answer is 200 once the revocation store has recorded every revocation. If it has not, the
/// answer is 503 with `Retry-After`, so that WorkOS delivers the event again. It is 400 for a
/// signature that is wrong or out of time, 408 for a body that takes more than 10 seconds, 413 for
/// one over 256 KiB, 415 for one that is not JSON, and never a page.
/// [`Event::WebhookReceived`](crate::event::Event::WebhookReceived) reports what the layer did with
/// each event that has an id and a name, and whose signature is good and in time. Any other is a
/// 400, and so is an event of the table that lacks the id of what it ends. One that is signed but
/// out of time is an [`Event::Refused`](crate::event::Event::Refused) with
/// [`WebhookUntimely`](crate::RejectionKind::WebhookUntimely): the layer's clock is wrong, or the
/// delivery is late. Whatever it would have ended lives on, unless WorkOS signs it again. If the
/// sender hangs up, an event that has been read is carried out and reported, unless the process
/// ends before.
///
/// The revocations go to the [`Revocations`](crate::revocation::Revocations) store. Set one that
/// the replicas share, because WorkOS delivers an event to one replica. A
/// [closure](Builder::revocations) cannot record a revocation: only this process remembers it, and
/// only while it runs.
///
/// Anyone who knows the secret can sign any person out, but nobody in.
impl Builder {
    /// Sets a secret that signs events: that of the endpoint, in WorkOS's dashboard. Default: none.
    /// Without a secret there is no webhook, and its path is a protected path of the application.
    ///
    /// Call it again to add another secret: the layer accepts each of them. To replace a secret,
    /// add the new one, change it at WorkOS, and remove the old one.
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
    /// the future: 1 to 10 minutes. Default: 180 seconds, as in WorkOS's SDKs.
    ///
    /// WorkOS does not document whether it signs an event again for another delivery. If it does
    /// not, the layer refuses a delivery that is later than this.
    pub fn webhook_tolerance(mut self, tolerance: Duration) -> Self {
        self.webhook.tolerance = tolerance;
        self
    }
}
