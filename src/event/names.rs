//! The closed sets that an event names.

use std::fmt;

/// Who or what ended a session ([`Event::SignedOut`](super::Event::SignedOut)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndedBy {
    /// The application: by [`SessionIssuer`](crate::companion::SessionIssuer), or by what its hook
    /// of [`Builder::reauthorize`](crate::Builder::reauthorize) answered.
    Application,
    /// The person or the program, who signed out or cancelled the sign-in.
    Owner,
    /// Another sign-in in the same browser, whose session took its place.
    SignIn,
}

impl EndedBy {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 3] = [Self::Application, Self::Owner, Self::SignIn];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Owner => "owner",
            Self::SignIn => "sign_in",
        }
    }
}

/// Which store an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreName {
    /// The one that remembers ended sessions.
    Revocations,
    /// The index of live sessions.
    Sessions,
    /// The one that counts for the limits.
    Throttle,
}

impl StoreName {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 3] = [Self::Revocations, Self::Sessions, Self::Throttle];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Revocations => "revocations",
            Self::Sessions => "sessions",
            Self::Throttle => "throttle",
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the layer did with an event that the webhook received
/// ([`Event::WebhookReceived`](super::Event::WebhookReceived)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebhookEffect {
    /// Nothing: the event was handled before.
    Duplicate,
    /// The revocation store recorded the end of the sessions that the event names, whether or not
    /// there are any.
    Ended,
    /// Nothing: the event ends no session.
    Ignored,
    /// Not every end was recorded. The revocation store failed, perhaps after it had recorded some
    /// of them, or the event lacks the id of what it ends, and nothing has ended. The answer was an
    /// error, so that the provider delivers it again.
    NotRecorded,
}

impl WebhookEffect {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 4] = [
        Self::Duplicate,
        Self::Ended,
        Self::Ignored,
        Self::NotRecorded,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Ended => "ended",
            Self::Ignored => "ignored",
            Self::NotRecorded => "not_recorded",
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitScope {
    /// The limit of one address. It counts requests for mail or typed codes, from one network or
    /// from all networks together.
    Address,
    /// The limit of one sign-in, whose link came back.
    Attempt,
    /// The limit of a browser that has signed in here before, or of all such browsers of one
    /// person.
    Browser,
    /// The limit of all clients together.
    Everybody,
    /// The limit of one of the client's networks.
    Network,
}

impl LimitScope {
    /// Every one of them, in the order of the variants.
    pub(crate) const ALL: [Self; 5] = [
        Self::Address,
        Self::Attempt,
        Self::Browser,
        Self::Everybody,
        Self::Network,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Attempt => "attempt",
            Self::Browser => "browser",
            Self::Everybody => "everybody",
            Self::Network => "network",
        }
    }
}
