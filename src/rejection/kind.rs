//! `RejectionKind`: what kinds of refusal there are, and the one table of what each means: a
//! status, a cure, a code for programs, words for people.

use std::fmt;

use http::StatusCode;

use super::words::{self, Words};

mod all;

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
    /// The person chose none of the organizations that they were offered.
    ChoiceCancelled,
    /// The choice of an organization was made before, or too late.
    ChoiceExpired,
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
    /// A request to one of the layer's endpoints that cannot be read: a link that is cut short, or
    /// one whose key has ended.
    Malformed,
    /// An endpoint does not know the method.
    MethodNotAllowed,
    /// No session cookie, and no bearer token where those are accepted.
    NoSession,
    /// The organization, the address's domain or the application's own rule says no: to a sign-in,
    /// or (but for the application's own rule) to a request with a valid session, whose cookie
    /// stays.
    NotAllowed,
    /// The address is proven, and may not sign in to the organization that was chosen: the provider
    /// or the application's own rule says no. It says nothing of the other organizations.
    OrganizationNotAllowed,
    /// The address is proven, and belongs to several organizations: a program must choose one. The
    /// problem has what it needs for that. A person gets a page.
    OrganizationRequired,
    /// The proven address is not the one that the sign-in was begun for.
    OtherAddress,
    /// A cookie of ours did not come back, likely because the browser came to another host than
    /// that of the public URL.
    OtherHost,
    /// The browser asked for an endpoint ahead of the person.
    Prefetch,
    /// The provider may have redeemed the link, the code or the choice of an organization, but its
    /// answer did not arrive or could not be understood. The same one may no longer work.
    ProviderAnswerLost,
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
    /// The cookie is gone, but the session may not have ended everywhere. The store did not take
    /// its end, more session cookies came than a sign-out looks at, or a session that is dated
    /// ahead of this replica's clock was to end all sessions of its person.
    SignOutNotRecorded,
    /// The provider asks for more than a link or code: a second factor, single sign-on.
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

/// What helps against a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cure {
    /// The same address would be refused again, whatever is mailed to it.
    AnotherAddress,
    /// A cookie of ours did not come back.
    Cookie,
    /// Signing in, and the session cookie that came is of no further use.
    NewCookie,
    /// Nothing of the other cures.
    None,
    /// It passes by itself: what was brought is as good in a moment.
    Patience,
    /// Signing in: the request is refused for want of a session, or of a recent one.
    SignIn,
}

struct Row {
    status: u16,
    cure: Cure,
    code: &'static str,
    words: &'static Words,
}

const fn row(status: u16, cure: Cure, code: &'static str, words: &'static Words) -> Row {
    Row {
        status,
        cure,
        code,
        words,
    }
}

impl RejectionKind {
    // A webhook's answers are no pages: nobody reads the words of those two.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        match self {
            Self::AmbiguousRequest       => row(400, Cure::None,           "ambiguous_request",        words::AMBIGUOUS_REQUEST),
            Self::AnotherBrowser         => row(403, Cure::None,           "another_browser",          words::ANOTHER_BROWSER),
            Self::AttemptExpired         => row(400, Cure::None,           "attempt_expired",          words::ATTEMPT_EXPIRED),
            Self::ChoiceCancelled        => row(403, Cure::None,           "choice_cancelled",         words::CHOICE_CANCELLED),
            Self::ChoiceExpired          => row(400, Cure::None,           "choice_expired",           words::CHOICE_EXPIRED),
            Self::ClockWrong             => row(503, Cure::None,           "clock_wrong",              words::CLOCK_WRONG),
            Self::CodeExpired            => row(400, Cure::None,           "code_expired",             words::CODE_EXPIRED),
            Self::CodeUsed               => row(400, Cure::None,           "code_used",                words::CODE_USED),
            Self::CodeWrong              => row(400, Cure::None,           "code_wrong",               words::CODE_WRONG),
            Self::ConflictingCookies     => row(401, Cure::SignIn,         "conflicting_cookies",      words::NO_SESSION),
            Self::ConflictingCredentials => row(401, Cure::SignIn,         "conflicting_credentials",  words::NO_SESSION),
            Self::CookiesBlocked         => row(403, Cure::Cookie,         "cookies_blocked",          words::COOKIES_BLOCKED),
            Self::CrossSite              => row(403, Cure::None,           "cross_site",               words::CROSS_SITE),
            Self::ExpiredSession         => row(401, Cure::NewCookie,      "expired_session",          words::NO_SESSION),
            Self::InsecureConnection     => row(403, Cure::Cookie,         "insecure_connection",      words::INSECURE_CONNECTION),
            Self::InvalidSession         => row(401, Cure::NewCookie,      "invalid_session",          words::NO_SESSION),
            Self::LinkDeclined           => row(403, Cure::None,           "link_declined",            words::LINK_DECLINED),
            Self::LinkExpired            => row(400, Cure::None,           "link_expired",             words::LINK_EXPIRED),
            Self::LinkUsed               => row(400, Cure::None,           "link_used",                words::LINK_USED),
            Self::MailNotSent            => row(502, Cure::None,           "mail_not_sent",            words::MAIL_NOT_SENT),
            Self::Malformed              => row(400, Cure::None,           "malformed",                words::MALFORMED),
            Self::MethodNotAllowed       => row(405, Cure::None,           "method_not_allowed",       words::METHOD_NOT_ALLOWED),
            Self::NoSession              => row(401, Cure::SignIn,         "no_session",               words::NO_SESSION),
            Self::NotAllowed             => row(403, Cure::AnotherAddress, "not_allowed",              words::NOT_ALLOWED),
            Self::OrganizationNotAllowed => row(403, Cure::None,           "organization_not_allowed", words::ORGANIZATION_NOT_ALLOWED),
            Self::OrganizationRequired   => row(403, Cure::None,           "organization_required",    words::ORGANIZATION_REQUIRED),
            Self::OtherAddress           => row(403, Cure::AnotherAddress, "other_address",            words::OTHER_ADDRESS),
            Self::OtherHost              => row(403, Cure::Cookie,         "other_host",               words::OTHER_HOST),
            Self::Prefetch               => row(503, Cure::None,           "prefetch",                 words::PROVIDER_UNAVAILABLE),
            Self::ProviderAnswerLost     => row(502, Cure::None,           "provider_answer_lost",     words::PROVIDER_ANSWER_LOST),
            Self::ProviderDeclined       => row(400, Cure::None,           "provider_declined",        words::PROVIDER_FAILED),
            Self::ProviderFailed         => row(502, Cure::None,           "provider_failed",          words::PROVIDER_FAILED),
            Self::ProviderMisconfigured  => row(502, Cure::None,           "provider_misconfigured",   words::PROVIDER_MISCONFIGURED),
            Self::ProviderRefusedAddress => row(422, Cure::AnotherAddress, "provider_refused_address", words::PROVIDER_REFUSED_ADDRESS),
            Self::ProviderUnavailable    => row(503, Cure::Patience,       "provider_unavailable",     words::PROVIDER_UNAVAILABLE),
            Self::RateLimited            => row(429, Cure::Patience,       "rate_limited",             words::RATE_LIMITED),
            Self::RecentSignInRequired   => row(401, Cure::SignIn,         "recent_sign_in_required",  words::RECENT_SIGN_IN_REQUIRED),
            Self::RevokedSession         => row(401, Cure::NewCookie,      "revoked_session",          words::NO_SESSION),
            Self::SessionTooLarge        => row(502, Cure::AnotherAddress, "session_too_large",        words::SESSION_TOO_LARGE),
            Self::SignOutNotRecorded     => row(503, Cure::None,           "sign_out_not_recorded",    words::SIGN_OUT_NOT_RECORDED),
            Self::StepUpRequired         => row(403, Cure::AnotherAddress, "step_up_required",         words::STEP_UP_REQUIRED),
            Self::StoreUnavailable       => row(503, Cure::Patience,       "store_unavailable",        words::STORE_UNAVAILABLE),
            Self::TooLarge               => row(413, Cure::None,           "too_large",                words::TOO_LARGE),
            Self::TooManyTries           => row(403, Cure::None,           "too_many_tries",           words::TOO_MANY_TRIES),
            Self::TooSlow                => row(408, Cure::None,           "too_slow",                 words::TOO_SLOW),
            Self::UnsupportedMediaType   => row(415, Cure::None,           "unsupported_media_type",   words::UNSUPPORTED_MEDIA_TYPE),
            Self::WebhookSignature       => row(400, Cure::None,           "webhook_signature",        words::MALFORMED),
            Self::WebhookUntimely        => row(400, Cure::None,           "webhook_untimely",         words::MALFORMED),
            Self::WrongConnection        => row(403, Cure::None,           "wrong_connection",         words::WRONG_CONNECTION),
        }
    }

    /// Returns the stable code that programs see: `no_session`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// Returns a few words that name it, for a person, in English. A
    /// [`TroublePage`](crate::page::TroublePage) has them in the person's language. The words of
    /// all four methods may change from release to release; match on the variants.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        self.row().words.heading
    }

    /// Returns a sentence on what happened, for a person.
    #[must_use]
    pub const fn happened(self) -> &'static str {
        self.row().words.happened
    }

    /// Returns a sentence on what to do now, for a person.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        self.row().words.advice
    }

    /// Returns the label of the link that leads on.
    #[must_use]
    pub const fn way_on(self) -> &'static str {
        self.row().words.way_on
    }

    /// Returns the name of its story in the tables of texts.
    pub(crate) const fn story(self) -> &'static str {
        self.row().words.name
    }

    pub(crate) fn status(self) -> StatusCode {
        // A unit test holds that each status of the table is one.
        StatusCode::from_u16(self.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Says whether a cookie of ours did not come back.
    pub(crate) const fn is_lost_cookie(self) -> bool {
        matches!(self.row().cure, Cure::Cookie)
    }

    /// Says whether the same address would be refused again, whatever is mailed to it.
    pub(crate) const fn wants_another_address(self) -> bool {
        matches!(self.row().cure, Cure::AnotherAddress)
    }

    /// Says whether it passes by itself: what was brought is as good in a moment.
    pub(crate) const fn is_temporary(self) -> bool {
        matches!(self.row().cure, Cure::Patience)
    }

    /// Says whether signing in would help.
    pub(crate) const fn wants_sign_in(self) -> bool {
        matches!(self.row().cure, Cure::NewCookie | Cure::SignIn)
    }

    /// Says whether the session cookie that came is of no further use, so that the answer removes
    /// it. `is_window` says whether the answer is a page in a window of its own.
    ///
    /// Signing in ends the former session before the browser has the new one. So what refuses the
    /// former one may be late, as for a poll, and must not remove the cookie of the new one.
    pub(crate) const fn spoils_cookie(self, is_window: bool) -> bool {
        match self {
            Self::RevokedSession => is_window,
            _ => matches!(self.row().cure, Cure::NewCookie),
        }
    }

    pub(crate) const fn grpc_status(self) -> (&'static str, &'static str) {
        match self {
            Self::RecentSignInRequired => ("16", "recent sign-in required"),
            // UNAVAILABLE: the one status that clients retry by themselves.
            Self::StoreUnavailable => ("14", "session store unavailable"),
            // UNAUTHENTICATED, for which client libraries fetch a new credential.
            _ if self.wants_sign_in() => ("16", "sign-in required"),
            // PERMISSION_DENIED, which no client retries.
            _ => ("7", "request refused"),
        }
    }

    /// Returns the title of the problem, for programs.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::RecentSignInRequired => "Recent sign-in required",
            Self::WebhookSignature => "The event's signature is not good",
            Self::WebhookUntimely => "The event was signed at another time",
            _ if self.wants_sign_in() => "Sign-in required",
            _ => self.heading(),
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests;
