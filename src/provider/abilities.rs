//! `Abilities`: what a provider can do, for the checks of the configuration.

use std::{ops::RangeInclusive, time::Duration};

/// What a provider can do. `Builder::build` checks the layer's settings against it.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::provider::Abilities;
///
/// // Links of five minutes to an hour, which the layer's own mailer mails.
/// let abilities = Abilities::new()
///     .with_link_lifetimes(Duration::from_secs(300)..=Duration::from_secs(3_600))
///     .without_mail();
/// assert!(!abilities.mails());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    link_lifetimes: RangeInclusive<Duration>,
    mails: bool,
    is_for_development: bool,
}

impl Abilities {
    /// The lifetimes that the layer takes, whatever a provider can do: 1 minute to 24 hours.
    const WIDEST: RangeInclusive<Duration> =
        Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60);

    /// Creates the abilities of a provider that mails links and codes itself if the layer has no
    /// mailer, and whose links live 1 minute to 24 hours.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link_lifetimes: Self::WIDEST,
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
        self.mails &= other.mails;
        self.is_for_development |= other.is_for_development;
        self
    }

    /// Returns how long links may live.
    #[must_use]
    pub const fn link_lifetimes(&self) -> &RangeInclusive<Duration> {
        &self.link_lifetimes
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
