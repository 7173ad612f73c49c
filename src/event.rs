//! `Event`: what happened, for an audit log.
//!
//! - No event holds a token, code, link or key. Addresses print masked; [`Email::as_str`] returns
//!   the whole one. A subject that holds an `@` prints masked, too; [`Session::subject`] returns
//!   the whole one.
//! - Every event also goes to `tracing`, target `tower_magic_link`.
//! - What an event is called and holds is stated once, in `fields.rs`. The log prints that.

use crate::{
    email::Email,
    provider::{ProviderError, ProviderErrorKind},
    rejection::RejectionKind,
    session::Session,
    store::StoreErrorKind,
};

mod context;
mod count;
mod fields;
mod listener;
mod log;
mod names;

pub(crate) use self::count::prepare_counts;
pub use self::{
    context::Context,
    fields::Value,
    listener::Listener,
    names::{EndedBy, LimitScope, StoreName, WebhookEffect},
};

/// Something that happened, for an audit log.
///
/// ```
/// # use tower_magic_link::Builder;
/// use tower_magic_link::event::{Event, LimitScope, WebhookEffect};
///
/// /// Addresses are masked, since a log has more readers than the application has people.
/// fn audit(event: &Event<'_>) -> Option<String> {
///     Some(match event {
///         Event::SignedIn { session } => format!("{} signed in", session.subject()),
///         Event::SignedOut { session, is_recorded: false, .. } => {
///             format!("{} signed out here alone", session.subject())
///         }
///         Event::Throttled { scope: LimitScope::Everybody, .. } => "mail is limited for all".to_owned(),
///         Event::Throttled { email: Some(email), .. } => format!("{} has to wait", email.masked()),
///         Event::WebhookReceived { name, effect: WebhookEffect::NotRecorded, .. } => {
///             format!("{name} comes again: the store did not take it")
///         }
///         Event::Refused { kind } => format!("refused: {}", kind.code()),
///         _ => return None,
///     })
/// }
///
/// # fn example(builder: Builder) -> Builder {
/// builder.on_event(|event, _| {
///     if let Some(line) = audit(event) {
///         println!("{line}");
///     }
/// })
/// # }
/// ```
///
/// # Names and fields
///
/// [`name`](Self::name) and [`fields`](Self::fields) say the same without a `match`, for a log or
/// a database. The names below are stable: a release may add events, fields and values, and changes
/// none. The log's lines have the same fields, and the name as `event`.
///
#[doc = include_str!("event/fields.md")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The inner service set a cookie of the layer's name, and the layer removed it from the
    /// response. Only with [`Builder::forward_identity`](crate::Builder::forward_identity).
    CookieDropped {
        /// The cookie's name.
        name: &'a str,
    },
    /// A request lacks a cookie that the layer sets in an earlier step, such as with its form. The
    /// page names the likeliest reason. The layer does not record whom it gave a cookie, so a
    /// client that never had one looks the same, and can repeat that without a limit.
    CookieLost {
        /// The cookie's name.
        name: &'a str,
        /// The likeliest reason: [`CookiesBlocked`](RejectionKind::CookiesBlocked),
        /// [`InsecureConnection`](RejectionKind::InsecureConnection) or
        /// [`OtherHost`](RejectionKind::OtherHost). It is a guess by fields that the client writes.
        likely: RejectionKind,
    },
    /// A person opened a link in another browser, and answered that the sign-in was not theirs.
    LinkDeclined {
        /// The address of the sign-in.
        email: &'a Email,
    },
    /// A mail to sign in by was sent: a link, a code, or both.
    LinkSent {
        /// The recipient.
        email: &'a Email,
    },
    /// A link or a code was requested and not made: the address's domain is not taken here, or the
    /// provider refuses it or limits its mail, as the [`Event::ProviderFailed`] before says. The
    /// page does not say so. If the kind of that one is
    /// [`RateLimited`](ProviderErrorKind::RateLimited) for several addresses in a row, the provider
    /// limits the layer, and nobody gets mail.
    LinkWithheld {
        /// The address that it was requested for.
        email: &'a Email,
        /// `domain`, if [`Builder::email_domains`](crate::Builder::email_domains) does not have the
        /// address's; `rate_limited` or `refused`, if the provider said so.
        reason: &'static str,
    },
    /// The mailer did not accept a mail, or not in time, or panicked. The page says so, unless the
    /// recipient is the reason or [`Builder::answer_after`](crate::Builder::answer_after) had
    /// passed.
    MailFailed {
        /// The recipient.
        email: &'a Email,
        /// Whether the recipient is the reason, as
        /// [`MailError::is_of_recipient`](crate::mailer::MailError::is_of_recipient) says: other
        /// people's mail may go out. A stranger can choose such addresses.
        is_of_recipient: bool,
        /// The reason, as [`MailError::reason`](crate::mailer::MailError::reason) says.
        reason: &'static str,
        /// The mail server's reply code, if there was one.
        status: Option<u16>,
    },
    /// A call to the provider failed, or its answer breaks the rules of the port
    /// ([`InvalidAnswer`](ProviderErrorKind::InvalidAnswer)): it lacks a link or a code that the
    /// layer is to mail, it hands one over although there is no mailer, or its identity has no
    /// subject. A provider that panics as it begins a sign-in is
    /// [`Unavailable`](ProviderErrorKind::Unavailable).
    ProviderFailed {
        /// What kind of failure it was.
        kind: ProviderErrorKind,
        /// The provider's own error code, if it gave one: WorkOS's `sso_required`.
        code: Option<&'a str>,
        /// The HTTP status of the answer, if there was one.
        status: Option<u16>,
        /// The provider's name for the request, for its support.
        request_id: Option<&'a str>,
    },
    /// The hook of [`Builder::reauthorize`](crate::Builder::reauthorize) failed or panicked. The
    /// session keeps what it was granted before.
    ReauthorizeFailed {
        /// The session.
        session: &'a Session,
    },
    /// A request was refused.
    Refused {
        /// The reason.
        kind: RejectionKind,
    },
    /// A store lost the server that it shares with other replicas. For now revocations and limits
    /// go on from what this replica knows. The index of sessions has no copy: it may list nothing,
    /// and misses what happens meanwhile. Reported once, until [`Event::ServerRecovered`].
    ServerLost {
        /// Which store.
        store: StoreName,
    },
    /// The Redis of the revocation store evicts keys without an expiry when its memory is full: the
    /// ends of sessions. Set its `maxmemory-policy` to `noeviction`. Reported once for each server,
    /// and when the policy changes. No other store reports it.
    ServerMayEvict {
        /// Which store.
        store: StoreName,
        /// The policy: `allkeys-lru`.
        policy: &'a str,
    },
    /// A store's server is back. The revocation store reports it once its copy is in step with the
    /// server again.
    ServerRecovered {
        /// Which store.
        store: StoreName,
    },
    /// The application ended sessions
    /// ([`MagicLinkLayer::end_sessions`](crate::MagicLinkLayer::end_sessions)). `is_recorded` says
    /// whether the store recorded it.
    SessionsEnded {
        /// What the sessions have in common: `address`, `connection`, `membership`, `organization`,
        /// `provider_session`, `session` (that one alone) or `subject`.
        kind: &'static str,
        /// The id of that. An address is masked, and so is a subject that holds an `@`. A
        /// membership is the subject, a blank and the organization.
        id: &'a str,
        /// Whether the store recorded it. If not, the sessions may work until they expire.
        is_recorded: bool,
    },
    /// The revocation store did not record a revocation, or did not say whether a session has
    /// ended. If a request needed the answer, the layer refused it. On public and optional paths it
    /// goes on without its session. With
    /// [`Builder::insecure_admit_on_outage`](crate::Builder::insecure_admit_on_outage) a look-up
    /// that fails is not reported by this event, but by [`Event::StoreLost`] alone. The look-ups by
    /// which a sign-in finds the revocations that it comes after are not reported at all.
    StoreFailed {
        /// What kind of failure it was.
        kind: StoreErrorKind,
    },
    /// The revocation store can no longer tell whether sessions were ended. Reported once, until
    /// [`Event::StoreRecovered`].
    StoreLost {
        /// What kind of failure it was.
        kind: StoreErrorKind,
        /// Whether the layer admits sessions meanwhile
        /// ([`Builder::insecure_admit_on_outage`](crate::Builder::insecure_admit_on_outage))
        /// instead of answering 503.
        is_admitting: bool,
    },
    /// The revocation store can tell again whether sessions were ended.
    StoreRecovered,
    /// A person or a program signed in.
    SignedIn {
        /// The new session.
        session: &'a Session,
    },
    /// A session ended by a sign-out, by the application, or because another one took its place.
    /// `is_recorded` says whether the store recorded it.
    SignedOut {
        /// The session that ended.
        session: &'a Session,
        /// Who or what ended it.
        by: EndedBy,
        /// Whether all sessions of the subject, and all of the address, ended.
        is_everywhere: bool,
        /// Whether the store recorded it. If not, a copy of the cookie may work until it expires.
        is_recorded: bool,
    },
    /// The throttle did not answer. The layer still sends mail and follows links, but it compares
    /// no code.
    ThrottleFailed {
        /// What kind of failure it was.
        kind: StoreErrorKind,
    },
    /// A caller was asked to wait, because a limit was reached
    /// ([`Limits`](crate::throttle::Limits)).
    Throttled {
        /// Which limit it was. If several were reached that must all have room, the one with the
        /// longest wait. A request that may pass by one of several shares of a limit is refused
        /// once all are full: then it is the limit of the one that has room first.
        scope: LimitScope,
        /// The address for which mail was requested or a code was typed. `None` if the text typed
        /// could not be a code, or if a link came back.
        email: Option<&'a Email>,
        /// What to change, if a peer nearby is a proxy that is not in
        /// [`Builder::trusted_proxies`](crate::Builder::trusted_proxies). Known is only that a
        /// request from its address had a forwarding field.
        hint: Option<&'a str>,
    },
    /// The provider delivered an event with a valid signature to the
    /// [webhook](crate::Builder::webhook_secret). What the event says about people is left out:
    /// look it up at the provider by the event's id.
    WebhookReceived {
        /// The event's id: `event_01…`.
        id: &'a str,
        /// The event's name: `connection.deleted`.
        name: &'a str,
        /// What the layer did with it.
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
}

#[cfg(test)]
mod tests;
