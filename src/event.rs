//! `Event`: what happened, for an audit log.
//!
//! - No event holds a token, code, link or key. Addresses print masked; [`Email::as_str`] gives the
//!   whole one to whoever asks.
//! - Every event also goes to `tracing`, target `tower_magic_link`.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    email::Email,
    provider::{ProviderError, ProviderErrorKind},
    rejection::RejectionKind,
    session::Session,
    store::StoreErrorKind,
};

/// Something that an audit log wants to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The inner service set a cookie that is the layer's, and the answer went out without it. Only
    /// with [`Builder::forward_identity`](crate::Builder::forward_identity).
    CookieDropped {
        /// The cookie's name.
        name: &'a str,
    },
    /// A cookie of ours did not come back from the browser. The person reads why, as far as it can
    /// be told.
    CookieLost {
        /// The cookie's name.
        name: &'a str,
        /// The likeliest reason: [`CookiesBlocked`](RejectionKind::CookiesBlocked),
        /// [`InsecureConnection`](RejectionKind::InsecureConnection) or
        /// [`OtherHost`](RejectionKind::OtherHost).
        likely: RejectionKind,
    },
    /// Somebody who opened a link in another browser said that it was not theirs.
    LinkDeclined {
        /// Whose sign-in it was.
        email: &'a Email,
    },
    /// A link was sent.
    LinkSent {
        /// To whom.
        email: &'a Email,
    },
    /// A link was asked for and none was sent, because the address is not allowed here. The person
    /// was not told.
    LinkWithheld {
        /// For whom.
        email: &'a Email,
    },
    /// The mailer did not take a mail, or not in time. The person was told, and can try again.
    MailFailed {
        /// For whom it was.
        email: &'a Email,
        /// Why, as [`MailError::reason`](crate::mailer::MailError::reason) says.
        reason: &'static str,
        /// The code that the mail server answered with, where there was one.
        status: Option<u16>,
    },
    /// The provider could not do what it was asked.
    ProviderFailed {
        /// What kind of failure it was.
        kind: ProviderErrorKind,
        /// The provider's own word for it, where it has one: WorkOS's `sso_required`.
        code: Option<&'a str>,
        /// The HTTP status of the answer, where there was one.
        status: Option<u16>,
        /// The provider's name for the request, for its support.
        request_id: Option<&'a str>,
    },
    /// A request was refused.
    Refused {
        /// Why.
        kind: RejectionKind,
    },
    /// A store that is shared with other machines lost its server. It answers from what it knows
    /// here, for now: told once, until [`Event::ServerRecovered`].
    ServerLost {
        /// Which store.
        store: StoreName,
    },
    /// The server of a store is back, and what both know of is the same again.
    ServerRecovered {
        /// Which store.
        store: StoreName,
    },
    /// The revocation store did not answer, and a request was refused for it.
    StoreFailed {
        /// What kind of failure it was.
        kind: StoreErrorKind,
    },
    /// The revocation store cannot tell any more whether sessions were ended: told once, until
    /// [`Event::StoreRecovered`].
    StoreLost {
        /// What kind of failure it was.
        kind: StoreErrorKind,
        /// Whether sessions are admitted meanwhile
        /// ([`Builder::insecure_admit_on_outage`](crate::Builder::insecure_admit_on_outage))
        /// instead of answered 503.
        is_admitting: bool,
    },
    /// The revocation store can tell again.
    StoreRecovered,
    /// Somebody signed in.
    SignedIn {
        /// Their new session.
        session: &'a Session,
    },
    /// Somebody signed out. `is_recorded` says whether the store took it.
    SignedOut {
        /// The session that ended.
        session: &'a Session,
        /// Whether all sessions of the subject, and all of the address, ended.
        is_everywhere: bool,
        /// Whether the store took it. If not, a copy of the cookie works until it expires.
        is_recorded: bool,
    },
    /// The throttle did not answer. Mail went out and links were followed all the same; a code was
    /// not compared.
    ThrottleFailed {
        /// What kind of failure it was.
        kind: StoreErrorKind,
    },
    /// Somebody was asked to wait, since a limit was reached ([`Limits`](crate::throttle::Limits)).
    Throttled {
        /// Whose limit it was. Of several the one with the longest wait.
        scope: LimitScope,
        /// The address that mail was asked for, or a code guessed; `None` where what was typed
        /// could be no code, or a link came back.
        email: Option<&'a Email>,
    },
    /// The provider delivered an event to the [webhook](crate::Builder::webhook_secret), and its
    /// signature is good. What it says of people is not told: its id leads to that at the provider.
    WebhookReceived {
        /// The event's id: `event_01…`.
        id: &'a str,
        /// The event's name: `connection.deleted`.
        name: &'a str,
        /// What became of it.
        effect: WebhookEffect,
    },
}

impl<'a> Event<'a> {
    pub(crate) fn of_provider_error(error: &'a ProviderError) -> Self {
        Self::ProviderFailed {
            kind: error.kind(),
            code: error.code(),
            status: error.status(),
            request_id: error.request_id(),
        }
    }

    fn trace(&self) {
        match self {
            Self::CookieDropped { name } => {
                tracing::warn!(target: "tower_magic_link", name, "inner set-cookie dropped");
            }
            Self::CookieLost { name, likely } => {
                tracing::warn!(target: "tower_magic_link", name, likely = likely.code(), "cookie lost");
            }
            Self::LinkDeclined { email } => {
                tracing::warn!(target: "tower_magic_link", ?email, "link declined");
            }
            Self::LinkSent { email } => {
                tracing::info!(target: "tower_magic_link", ?email, "link sent");
            }
            Self::LinkWithheld { email } => {
                tracing::warn!(target: "tower_magic_link", ?email, "link withheld");
            }
            Self::MailFailed {
                email,
                reason,
                status,
            } => {
                tracing::error!(target: "tower_magic_link", ?email, reason, status, "mail not sent");
            }
            Self::ProviderFailed {
                kind,
                code,
                status,
                request_id,
            } => {
                tracing::error!(target: "tower_magic_link", %kind, code, status, request_id, "provider failed");
            }
            Self::Refused { kind } => {
                tracing::debug!(target: "tower_magic_link", kind = kind.code(), "refused");
            }
            Self::SignedIn { session } => {
                tracing::info!(target: "tower_magic_link", subject = session.subject(), session = %session.id(), "signed in");
            }
            Self::SignedOut {
                session,
                is_everywhere,
                is_recorded,
            } => {
                tracing::info!(target: "tower_magic_link", subject = session.subject(), session = %session.id(), is_everywhere, is_recorded, "signed out");
            }
            Self::ServerLost { store } => {
                tracing::warn!(target: "tower_magic_link", %store, "server lost");
            }
            Self::ServerRecovered { store } => {
                tracing::warn!(target: "tower_magic_link", %store, "server recovered");
            }
            Self::StoreLost { kind, is_admitting } => {
                tracing::error!(target: "tower_magic_link", %kind, is_admitting, "revocation store lost");
            }
            Self::StoreRecovered => {
                tracing::warn!(target: "tower_magic_link", "revocation store recovered");
            }
            Self::StoreFailed { kind } => {
                tracing::error!(target: "tower_magic_link", %kind, "revocation store failed");
            }
            Self::ThrottleFailed { kind } => {
                tracing::error!(target: "tower_magic_link", %kind, "throttle failed");
            }
            Self::Throttled { scope, email } => {
                tracing::warn!(target: "tower_magic_link", ?scope, ?email, "throttled");
            }
            Self::WebhookReceived { id, name, effect } => {
                tracing::info!(target: "tower_magic_link", id, name, ?effect, "webhook received");
            }
        }
    }
}

type Listen = dyn Fn(&Event<'_>) + Send + Sync;

/// Which store an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreName {
    /// The one that remembers ended sessions.
    Revocations,
    /// The one that counts.
    Throttle,
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revocations => "revocations",
            Self::Throttle => "throttle",
        })
    }
}

/// What became of an event that the webhook received. [`Event::WebhookReceived`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebhookEffect {
    /// It was done before: nothing.
    Duplicate,
    /// The revocation store took the end of the sessions that it names, whether or not there are
    /// any.
    Ended,
    /// It ends no session: nothing.
    Ignored,
    /// The revocation store did not take it. The provider was asked to deliver it again.
    NotRecorded,
}

/// Whose limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitScope {
    /// The limit of one address. It counts requests for mail, by one network or by all networks
    /// together, or typed codes, by one network.
    Address,
    /// That of one sign-in, whose link came back.
    Attempt,
    /// That of everybody together.
    Everybody,
    /// That of the client's network.
    Network,
}

/// Where a layer's events go, beside `tracing`. A store of yours is handed one, for what happens to
/// it between requests. Clones are the same listener.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Listen>>);

impl Listener {
    pub(crate) fn new(listen: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    /// Tells of an event. If the listener panics, the layer writes that to the log. It refuses no
    /// request for it, and no store stops.
    pub fn tell(&self, event: &Event<'_>) {
        event.trace();
        let Some(listen) = &self.0 else { return };
        // What it left half done is its own; nothing of ours was in its hands.
        if catch_unwind(AssertUnwindSafe(|| listen(event))).is_err() {
            tracing::error!(target: "tower_magic_link", "the listener of events panicked");
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "set" } else { "none" })
    }
}
