//! Every kind of refusal, for what draws or words each of them.

use super::RejectionKind;

impl RejectionKind {
    pub(crate) const ALL: [Self; 49] = [
        Self::AmbiguousRequest,
        Self::AnotherBrowser,
        Self::AttemptExpired,
        Self::ChoiceCancelled,
        Self::ChoiceExpired,
        Self::ClockWrong,
        Self::CodeExpired,
        Self::CodeUsed,
        Self::CodeWrong,
        Self::ConflictingCookies,
        Self::ConflictingCredentials,
        Self::CookiesBlocked,
        Self::CrossSite,
        Self::ExpiredSession,
        Self::InsecureConnection,
        Self::InvalidSession,
        Self::LinkDeclined,
        Self::LinkExpired,
        Self::LinkUsed,
        Self::MailNotSent,
        Self::Malformed,
        Self::MethodNotAllowed,
        Self::NoSession,
        Self::NotAllowed,
        Self::OrganizationNotAllowed,
        Self::OrganizationRequired,
        Self::OtherAddress,
        Self::OtherHost,
        Self::Prefetch,
        Self::ProviderAnswerLost,
        Self::ProviderDeclined,
        Self::ProviderFailed,
        Self::ProviderMisconfigured,
        Self::ProviderRefusedAddress,
        Self::ProviderUnavailable,
        Self::RateLimited,
        Self::RecentSignInRequired,
        Self::RevokedSession,
        Self::SessionTooLarge,
        Self::SignOutNotRecorded,
        Self::StepUpRequired,
        Self::StoreUnavailable,
        Self::TooLarge,
        Self::TooManyTries,
        Self::TooSlow,
        Self::UnsupportedMediaType,
        Self::WebhookSignature,
        Self::WebhookUntimely,
        Self::WrongConnection,
    ];

    /// Returns every kind of refusal, in the order of their names. A later release may have more.
    ///
    /// For an application that looks at its own pages, or tests that it has words for each:
    ///
    /// ```
    /// use tower_magic_link::{
    ///     RejectionKind,
    ///     page::{DefaultPages, Page, Pages, TroublePage},
    /// };
    ///
    /// let our_pages = DefaultPages::new();
    /// for kind in RejectionKind::all() {
    ///     let html = our_pages.render(&Page::Trouble(TroublePage::new(*kind)));
    ///     assert!(html.contains("<h1>"), "{kind}");
    /// }
    /// ```
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &Self::ALL
    }
}
