//! `Abilities`: what a provider can do, for the checks of the configuration.

use std::{ops::RangeInclusive, time::Duration};

/// What a provider can do. `Builder::build` checks the layer's settings against it.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::provider::Abilities;
///
/// // Links of five minutes to an hour and codes of five minutes. The layer's mailer mails them.
/// let abilities = Abilities::new()
///     .with_link_lifetimes(Duration::from_secs(300)..=Duration::from_secs(3_600))
///     .with_code_lifetime(Duration::from_secs(300))
///     .without_mail();
/// assert!(!abilities.mails());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    link_lifetimes: RangeInclusive<Duration>,
    code_lifetime: Duration,
    mails: bool,
    is_for_development: bool,
}

impl Abilities {
    /// The lifetimes that the layer takes, whatever a provider can do: 1 minute to 24 hours.
    const WIDEST: RangeInclusive<Duration> =
        Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60);

    /// The least and the most that a typed code lives, whatever a provider says. Less would leave
    /// no room for the clocks of replicas, which may be a minute apart.
    const CODES: RangeInclusive<Duration> = Duration::from_secs(120)..=Duration::from_secs(60 * 60);

    /// WorkOS's codes live 10 minutes (Magic Auth reference).
    const CODE_OF_WORKOS: Duration = Duration::from_secs(10 * 60);

    /// Creates the abilities of a provider that mails links and codes itself if the layer has no
    /// mailer, whose links live 1 minute to 24 hours, and whose typed codes live 10 minutes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link_lifetimes: Self::WIDEST,
            code_lifetime: Self::CODE_OF_WORKOS,
            mails: true,
            is_for_development: false,
        }
    }

    /// Sets how long links may live, within 1 minute to 24 hours: a wider range is cut to that.
    #[must_use]
    pub fn with_link_lifetimes(mut self, range: RangeInclusive<Duration>) -> Self {
        let (shortest, longest) = range.into_inner();
        let (least, most) = Self::WIDEST.into_inner();
        self.link_lifetimes = shortest.max(least)..=longest.min(most);
        self
    }

    /// Sets how long a typed code is good, counted from when it was asked for: 2 minutes to 1 hour;
    /// less or more is cut to that. Default: 10 minutes, as at WorkOS.
    ///
    /// The page that asks for the code says it, whatever came of the mail. So no answer to
    /// [`start_code`](super::IdentityProvider::start_code) may name a shorter lifetime.
    #[must_use]
    pub fn with_code_lifetime(mut self, lifetime: Duration) -> Self {
        let (least, most) = Self::CODES.into_inner();
        self.code_lifetime = lifetime.clamp(least, most);
        self
    }

    /// States that the provider mails nothing: the layer needs a mailer
    /// ([`Builder::mailer`](crate::Builder::mailer)).
    #[must_use]
    pub const fn without_mail(mut self) -> Self {
        self.mails = false;
        self
    }

    /// States that the provider proves nothing, and is for development alone: `build()` then
    /// refuses a public URL that is not of this machine.
    ///
    /// ```
    /// use tower_magic_link::provider::Abilities;
    ///
    /// // What a provider that believes everybody returns from `abilities`.
    /// assert!(Abilities::new().for_development().is_for_development());
    /// ```
    #[must_use]
    pub const fn for_development(mut self) -> Self {
        self.is_for_development = true;
        self
    }

    /// Says whether the provider is for development alone.
    #[must_use]
    pub const fn is_for_development(&self) -> bool {
        self.is_for_development
    }

    /// Returns what two providers can both do.
    pub(super) fn shared_with(mut self, other: &Self) -> Self {
        let (shortest, longest) = other.link_lifetimes.clone().into_inner();
        let (least, most) = self.link_lifetimes.into_inner();
        self.link_lifetimes = shortest.max(least)..=longest.min(most);
        self.code_lifetime = self.code_lifetime.min(other.code_lifetime);
        self.mails &= other.mails;
        self.is_for_development |= other.is_for_development;
        self
    }

    /// Returns how long links may live.
    #[must_use]
    pub const fn link_lifetimes(&self) -> &RangeInclusive<Duration> {
        &self.link_lifetimes
    }

    /// Returns how long a typed code is good.
    #[must_use]
    pub const fn code_lifetime(&self) -> Duration {
        self.code_lifetime
    }

    /// Says whether the provider mails links and codes if the layer has no mailer.
    #[must_use]
    pub const fn mails(&self) -> bool {
        self.mails
    }
}

impl Default for Abilities {
    fn default() -> Self {
        Self::new()
    }
}
