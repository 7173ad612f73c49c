//! `RejectionKind`: what kinds of refusal there are, and what each means in every language: a
//! status, a code, a page.

use std::fmt;

use http::StatusCode;

use crate::page::Trouble;

/// What kind of refusal a [`Rejection`](super::Rejection) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// A request that the service behind a proxy may read differently than the layer does: its
    /// target, or what it wants its connection to become.
    AmbiguousRequest,
    /// The link was opened in another browser than the one that began the sign-in.
    AnotherBrowser,
    /// The sign-in was begun too long ago.
    AttemptExpired,
    /// The sign-in began at a time that is still ahead on this replica's clock. The clocks of the
    /// replicas disagree.
    ClockWrong,
    /// The code from the mail is no longer good: its time is up.
    CodeExpired,
    /// The code from the mail was redeemed before.
    CodeUsed,
    /// What was typed is not the code of the newest mail.
    CodeWrong,
    /// Two session cookies with different values.
    ConflictingCookies,
    /// A bearer token and a session cookie that differ, or several `Authorization` fields. Only
    /// with [`bearer_tokens`](crate::Builder::bearer_tokens).
    ConflictingCredentials,
    /// A cookie of ours did not come back, likely because the browser blocks cookies.
    CookiesBlocked,
    /// A post to one of the layer's endpoints from another site.
    CrossSite,
    /// The session's token was good until its end.
    ExpiredSession,
    /// A cookie of ours did not come back, likely because the browser came by `http`, and the
    /// public URL is `https`.
    InsecureConnection,
    /// The session's token is none of ours.
    InvalidSession,
    /// Somebody who opened the link in another browser said that it was not theirs. It works where
    /// it was asked for.
    LinkDeclined,
    /// The link was mailed too long ago.
    LinkExpired,
    /// The link is used, has expired, or was replaced.
    LinkUsed,
    /// The mailer did not take the mail.
    MailNotSent,
    /// A request to one of the layer's endpoints that cannot be read.
    Malformed,
    /// An endpoint does not know the method.
    MethodNotAllowed,
    /// No session cookie, and no bearer token where those are accepted.
    NoSession,
    /// The organization, the address's domain or the application's own rule says no.
    NotAllowed,
    /// The proven address is not the one that the sign-in was begun for.
    OtherAddress,
    /// A cookie of ours did not come back, likely because the browser came to another host than
    /// that of the public URL.
    OtherHost,
    /// The browser asked for an endpoint ahead of the person.
    Prefetch,
    /// The provider's redirect says that something is wrong other than with the link.
    ProviderDeclined,
    /// The provider's answer could not be understood.
    ProviderFailed,
    /// The provider does not take the layer's key, client id or redirect URI.
    ProviderMisconfigured,
    /// The provider does not take the address.
    ProviderRefusedAddress,
    /// The provider cannot be reached or does not answer in time.
    ProviderUnavailable,
    /// Mail was asked for, or codes were typed, more often than [`Limits`](crate::throttle::Limits)
    /// says; or the provider says so.
    RateLimited,
    /// The session is good, but its sign-in too long ago for a route behind
    /// [`RequireRecent`](crate::companion::RequireRecent).
    RecentSignInRequired,
    /// The session was ended early.
    RevokedSession,
    /// The session does not fit into a cookie.
    SessionTooLarge,
    /// The cookie is gone, but the store did not take the end of the session.
    SignOutNotRecorded,
    /// The provider asks for more than a link or code: a second factor, single sign-on, the choice
    /// of an organization.
    StepUpRequired,
    /// The revocation store did not answer, or the throttle where a code was typed.
    StoreUnavailable,
    /// A form that is larger than any of ours.
    TooLarge,
    /// A code was typed wrong so often that no more tries are left.
    TooManyTries,
    /// A form that did not arrive within 10 seconds.
    TooSlow,
    /// A form in another format than `application/x-www-form-urlencoded`.
    UnsupportedMediaType,
    /// An event whose signature is missing, badly formed, or by another secret.
    WebhookSignature,
    /// An event that was signed too long ago, or in what is the future here.
    WebhookUntimely,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

impl RejectionKind {
    /// Returns the stable code that programs see: `no_session`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AmbiguousRequest => "ambiguous_request",
            Self::AnotherBrowser => "another_browser",
            Self::AttemptExpired => "attempt_expired",
            Self::ClockWrong => "clock_wrong",
            Self::CodeExpired => "code_expired",
            Self::CodeUsed => "code_used",
            Self::CodeWrong => "code_wrong",
            Self::ConflictingCookies => "conflicting_cookies",
            Self::ConflictingCredentials => "conflicting_credentials",
            Self::CookiesBlocked => "cookies_blocked",
            Self::CrossSite => "cross_site",
            Self::ExpiredSession => "expired_session",
            Self::InsecureConnection => "insecure_connection",
            Self::InvalidSession => "invalid_session",
            Self::LinkDeclined => "link_declined",
            Self::LinkExpired => "link_expired",
            Self::LinkUsed => "link_used",
            Self::MailNotSent => "mail_not_sent",
            Self::Malformed => "malformed",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NoSession => "no_session",
            Self::NotAllowed => "not_allowed",
            Self::OtherAddress => "other_address",
            Self::OtherHost => "other_host",
            Self::Prefetch => "prefetch",
            Self::ProviderDeclined => "provider_declined",
            Self::ProviderFailed => "provider_failed",
            Self::ProviderMisconfigured => "provider_misconfigured",
            Self::ProviderRefusedAddress => "provider_refused_address",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::RateLimited => "rate_limited",
            Self::RecentSignInRequired => "recent_sign_in_required",
            Self::RevokedSession => "revoked_session",
            Self::SessionTooLarge => "session_too_large",
            Self::SignOutNotRecorded => "sign_out_not_recorded",
            Self::StepUpRequired => "step_up_required",
            Self::StoreUnavailable => "store_unavailable",
            Self::TooLarge => "too_large",
            Self::TooManyTries => "too_many_tries",
            Self::TooSlow => "too_slow",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::WebhookSignature => "webhook_signature",
            Self::WebhookUntimely => "webhook_untimely",
            Self::WrongConnection => "wrong_connection",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::ConflictingCookies
            | Self::ConflictingCredentials
            | Self::ExpiredSession
            | Self::InvalidSession
            | Self::NoSession
            | Self::RecentSignInRequired
            | Self::RevokedSession => StatusCode::UNAUTHORIZED,
            Self::AmbiguousRequest
            | Self::AttemptExpired
            | Self::LinkExpired
            | Self::CodeExpired
            | Self::CodeUsed
            | Self::CodeWrong
            | Self::LinkUsed
            | Self::Malformed
            | Self::ProviderDeclined
            | Self::WebhookSignature
            | Self::WebhookUntimely => StatusCode::BAD_REQUEST,
            Self::AnotherBrowser
            | Self::CookiesBlocked
            | Self::CrossSite
            | Self::InsecureConnection
            | Self::LinkDeclined
            | Self::NotAllowed
            | Self::OtherAddress
            | Self::OtherHost
            | Self::StepUpRequired
            | Self::TooManyTries
            | Self::WrongConnection => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ProviderRefusedAddress => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MailNotSent
            | Self::ProviderFailed
            | Self::ProviderMisconfigured
            | Self::SessionTooLarge => StatusCode::BAD_GATEWAY,
            Self::ClockWrong
            | Self::Prefetch
            | Self::ProviderUnavailable
            | Self::SignOutNotRecorded
            | Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Says whether a cookie of ours did not come back.
    pub(crate) const fn is_lost_cookie(self) -> bool {
        matches!(
            self,
            Self::CookiesBlocked | Self::InsecureConnection | Self::OtherHost
        )
    }

    /// Says whether the same address would be refused again, whatever is mailed to it.
    pub(crate) const fn wants_another_address(self) -> bool {
        matches!(
            self,
            Self::NotAllowed
                | Self::OtherAddress
                | Self::ProviderRefusedAddress
                | Self::SessionTooLarge
                | Self::StepUpRequired
        )
    }

    /// Says whether it passes by itself: what was brought is as good in a moment.
    pub(crate) const fn passes(self) -> bool {
        matches!(
            self,
            Self::ProviderUnavailable | Self::RateLimited | Self::StoreUnavailable
        )
    }

    /// Says whether signing in would help: the request is refused for want of a session, or of a
    /// recent one.
    pub(crate) const fn wants_sign_in(self) -> bool {
        matches!(
            self,
            Self::ConflictingCookies
                | Self::ConflictingCredentials
                | Self::ExpiredSession
                | Self::InvalidSession
                | Self::NoSession
                | Self::RecentSignInRequired
                | Self::RevokedSession
        )
    }

    /// Says whether the session cookie that came is of no further use.
    pub(crate) const fn spoils_cookie(self) -> bool {
        matches!(
            self,
            Self::ExpiredSession | Self::InvalidSession | Self::RevokedSession
        )
    }

    pub(crate) const fn grpc_status(self) -> (&'static str, &'static str) {
        if matches!(self, Self::RecentSignInRequired) {
            ("16", "recent sign-in required")
        } else if self.wants_sign_in() {
            ("16", "sign-in required")
        } else if matches!(self, Self::StoreUnavailable) {
            ("14", "session store unavailable")
        } else {
            ("7", "request refused")
        }
    }

    /// Returns what a person reads. What wants a sign-in is answered with the form itself wherever
    /// a person can see it.
    pub(crate) const fn trouble(self) -> Trouble {
        match self {
            Self::AmbiguousRequest => Trouble::AmbiguousRequest,
            Self::AnotherBrowser => Trouble::AnotherBrowser,
            Self::AttemptExpired
            | Self::ConflictingCookies
            | Self::ConflictingCredentials
            | Self::ExpiredSession
            | Self::InvalidSession
            | Self::NoSession
            | Self::RecentSignInRequired
            | Self::RevokedSession => Trouble::Expired,
            Self::ClockWrong => Trouble::ClockWrong,
            Self::CodeExpired => Trouble::CodeExpired,
            Self::CodeUsed => Trouble::CodeUsed,
            Self::CodeWrong => Trouble::CodeWrong,
            Self::CookiesBlocked => Trouble::CookiesBlocked,
            Self::CrossSite => Trouble::CrossSite,
            Self::InsecureConnection => Trouble::InsecureConnection,
            Self::LinkDeclined => Trouble::LinkDeclined,
            Self::LinkExpired => Trouble::LinkExpired,
            Self::LinkUsed => Trouble::LinkUsed,
            Self::MailNotSent => Trouble::MailNotSent,
            // Nobody reads the last two: a webhook's answers are no pages.
            Self::Malformed | Self::WebhookSignature | Self::WebhookUntimely => Trouble::Malformed,
            Self::MethodNotAllowed => Trouble::MethodNotAllowed,
            Self::NotAllowed => Trouble::NotAllowed,
            Self::OtherAddress => Trouble::OtherAddress,
            Self::OtherHost => Trouble::OtherHost,
            Self::ProviderDeclined | Self::ProviderFailed => Trouble::ProviderFailed,
            Self::ProviderMisconfigured => Trouble::SignInMisconfigured,
            Self::ProviderRefusedAddress => Trouble::ProviderRefusedAddress,
            Self::Prefetch | Self::ProviderUnavailable => Trouble::ProviderUnavailable,
            Self::RateLimited => Trouble::RateLimited,
            Self::SessionTooLarge => Trouble::SessionTooLarge,
            Self::SignOutNotRecorded => Trouble::SignOutNotRecorded,
            Self::StepUpRequired => Trouble::StepUpRequired,
            Self::StoreUnavailable => Trouble::StoreUnavailable,
            Self::TooLarge => Trouble::TooLarge,
            Self::TooManyTries => Trouble::TooManyTries,
            Self::TooSlow => Trouble::TooSlow,
            Self::UnsupportedMediaType => Trouble::UnsupportedMediaType,
            Self::WrongConnection => Trouble::WrongConnection,
        }
    }

    /// Returns the title of the problem, for programs.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::RecentSignInRequired => "Recent sign-in required",
            Self::WebhookSignature => "The event's signature is not good",
            Self::WebhookUntimely => "The event was signed at another time",
            _ if self.wants_sign_in() => "Sign-in required",
            _ => self.trouble().heading(),
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
