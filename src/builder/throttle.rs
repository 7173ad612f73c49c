//! The builder's settings of limits.

use std::sync::{OnceLock, atomic::AtomicBool};

use super::{Builder, greeting::name_of};
use crate::{
    error::ConfigError,
    event::{Listener, StoreName},
    request::client::ForwardedField,
    throttle::{ErasedThrottle, Limits, MemoryThrottle, Throttle, Throttling},
    trace::StateGauge,
};

/// The settings of limits.
#[derive(Debug)]
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
        StateGauge::of_store(StoreName::Throttle.name()).show(|| true);
    }

    pub(super) const fn is_on(&self) -> bool {
        self.limits.is_some()
    }

    pub(super) const fn forwarded(&self) -> ForwardedField {
        self.forwarded
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
            hint: OnceLock::new(),
        })
    }
}

/// # Limits
///
/// By default the layer limits mails, typed codes and opened links: per address, per sign-in, per
/// network and in total, as [`Limits`] says. Over a limit it answers 429 with `Retry-After` and a
/// page that shows the wait, the same for every address. It never limits requests to the
/// application or to the `session` endpoint.
///
/// The client's network is that of the connection: the [`PeerAddr`](crate::PeerAddr) that the host
/// adds to each request, or axum's `ConnectInfo<SocketAddr>`. **If you run behind a proxy**, name
/// the proxy with [`Builder::trusted_proxies`]. Otherwise all its clients share the limit of one
/// network. The layer logs one warning when it sees such a proxy, and says so in each
/// [`Event::Throttled`](crate::event::Event::Throttled). If the host adds neither, the layer
/// applies no limits per network. For each address, all clients then share the limit of one
/// network. The first request for mail logs a warning.
impl Builder {
    /// Sets the throttle that counts. Default: a [`MemoryThrottle`], which counts only in this
    /// process.
    pub fn throttle<T: Throttle>(mut self, throttle: T) -> Self {
        self.names.throttle = name_of::<T>();
        self.throttle.throttle = Box::new(throttle);
        self
    }

    /// Sets how many mails, typed codes and opened links the layer accepts before people have to
    /// wait. Default: [`Limits::default`].
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
    /// The layer never reads the other field, so that a client cannot choose the field by sending
    /// it. Each proxy must overwrite the field or append to it. A proxy that forwards the client's
    /// own value lets the client claim any address.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use tower_magic_link::ForwardedField;
    ///
    /// // The proxies write `Forwarded: for=192.0.2.60`. Other peers are not believed.
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
    /// Without limits, anyone can flood any address with mail in the application's name, and
    /// exhaust the account's rate limits at WorkOS. The tries of a code are still counted.
    pub fn insecure_no_throttle(mut self) -> Self {
        self.throttle.limits = None;
        self
    }

    /// Returns the limits so far. `None` if they are off.
    #[cfg(feature = "settings")]
    pub(crate) const fn limits_so_far(&self) -> Option<Limits> {
        self.throttle.limits
    }
}
