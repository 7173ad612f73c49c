//! The builder's settings of what is too much.

use std::sync::atomic::AtomicBool;

use super::Builder;
use crate::{
    error::ConfigError,
    event::Listener,
    request::client::ForwardedField,
    throttle::{ErasedThrottle, Limits, MemoryThrottle, Throttle, Throttling},
};

/// What the builder was told of throttling.
pub(super) struct Settings {
    throttle: Box<dyn ErasedThrottle>,
    limits: Option<Limits>,
    forwarded: ForwardedField,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            throttle: Box::new(MemoryThrottle::default()),
            limits: Some(Limits::default()),
            forwarded: ForwardedField::default(),
        }
    }
}

impl Settings {
    pub(super) fn tell_to(&self, listener: &Listener) {
        self.throttle.tell_to(listener);
    }

    pub(super) fn validate(self) -> Result<Throttling, ConfigError> {
        if let Some(limits) = &self.limits {
            limits.validate()?;
        }
        Ok(Throttling {
            throttle: self.throttle,
            limits: self.limits,
            forwarded: self.forwarded,
            is_warned: AtomicBool::new(false),
        })
    }
}

/// # Too much
///
/// Asking for mail, typing codes and coming back by links is limited by address, by sign-in, by
/// network and for everybody together, as [`Limits`] says, without being configured. Over a limit
/// the answer is 429 with `Retry-After` and a page that says how long to wait, the same for every
/// address. No request to the application is ever limited, nor is reading who is signed in.
///
/// The client's network is that of the connection: the [`PeerAddr`](crate::PeerAddr) that the host
/// leaves in each request, or axum's `ConnectInfo<SocketAddr>`. **Behind a proxy** name it with
/// [`Builder::trusted_proxies`], or all its clients share the limit of one network. If the host
/// leaves neither, the layer applies no limits by network. For each address, all clients then share
/// the limit of one network. The first request for mail writes a warning to the log.
impl Builder {
    /// Sets what counts. Default: a [`MemoryThrottle`], which counts in this process alone.
    pub fn throttle(mut self, throttle: impl Throttle) -> Self {
        self.throttle.throttle = Box::new(throttle);
        self
    }

    /// Sets how often mail is asked for, codes are typed and links come back before people are
    /// asked to wait. Default: [`Limits::default`].
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use std::time::Duration;
    /// use tower_magic_link::throttle::{Limits, Rate};
    ///
    /// // An office of 2,000 behind one address: 300 at once, then two each second.
    /// let office = Rate::new(300, Duration::from_millis(500));
    /// let limits = Limits::default()
    ///     .mails_per_network(office)
    ///     .codes_per_network(office)
    ///     .exchanges_per_network(office)
    ///     // No address gets more than 6 mails at once, then one each 10 minutes.
    ///     .mails_per_address(Rate::new(6, Duration::from_secs(600)));
    /// let layer = builder.limits(limits).build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.throttle.limits = Some(limits);
        self
    }

    /// Sets the field in which [trusted proxies](Builder::trusted_proxies) name the client.
    /// Default: [`ForwardedField::XForwardedFor`].
    ///
    /// The other field is never read, so that a client cannot choose by sending it. Each proxy must
    /// overwrite the field or append to it. A proxy that forwards the client's own value lets the
    /// client claim any address.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use tower_magic_link::ForwardedField;
    ///
    /// // The proxies write `Forwarded: for=192.0.2.60`. Nobody else is believed.
    /// let layer = builder
    ///     .trusted_proxies(["10.0.0.0/8"])
    ///     .forwarded_field(ForwardedField::Forwarded)
    ///     .build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn forwarded_field(mut self, field: ForwardedField) -> Self {
        self.throttle.forwarded = field;
        self
    }

    /// Switches the limits off, for tests or behind a gateway that has its own. [`Builder::limits`]
    /// switches them on again.
    ///
    /// Without limits anybody can have any address flooded with mail in the application's name, and
    /// use up what WorkOS grants an account. The tries of a code stay counted.
    pub fn insecure_no_throttle(mut self) -> Self {
        self.throttle.limits = None;
        self
    }
}
