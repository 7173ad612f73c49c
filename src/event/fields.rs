//! What an event is called, and what it holds: the one source of the log's lines and of the fields
//! that an application reads.

use std::{borrow::Cow, fmt};

use super::Event;
use crate::{
    email::{Email, masked_subject},
    session::Session,
};

/// The value of a field of an [`Event`].
///
/// ```
/// use tower_magic_link::event::{Event, StoreName, Value};
///
/// let lost = Event::ServerLost { store: StoreName::Throttle };
/// let fields: Vec<_> = lost.fields().collect();
/// assert_eq!(fields, [("store", Value::Text("throttle".into()))]);
/// assert_eq!(Value::Bool(true).to_string(), "true");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(u64),
    /// A text. It has no limit of its own: what a provider says stands as the provider said it.
    Text(Cow<'a, str>),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// What a field of an event may be.
trait Written<'e> {
    fn written(self) -> Value<'e>;
}

impl<'e> Written<'e> for bool {
    fn written(self) -> Value<'e> {
        Value::Bool(self)
    }
}

impl<'e> Written<'e> for u16 {
    fn written(self) -> Value<'e> {
        Value::Number(self.into())
    }
}

impl<'e> Written<'e> for &'e str {
    fn written(self) -> Value<'e> {
        Value::Text(Cow::Borrowed(self))
    }
}

/// An address is never whole in a field.
impl<'e> Written<'e> for &Email {
    fn written(self) -> Value<'e> {
        Value::Text(Cow::Owned(self.masked()))
    }
}

/// The fields of one event, as they are written down.
struct Fields<'e>(Vec<(&'static str, Value<'e>)>);

impl<'e> Fields<'e> {
    fn with(mut self, name: &'static str, value: impl Written<'e>) -> Self {
        self.0.push((name, value.written()));
        self
    }

    fn with_some(self, name: &'static str, value: Option<impl Written<'e>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_session(mut self, session: &'e Session) -> Self {
        let id = Value::Text(Cow::Owned(session.id().to_string()));
        self.0.push(("session", id));
        let subject = Value::Text(masked_subject(session.subject()));
        self.0.push(("subject", subject));
        self
    }
}

impl Event<'_> {
    /// Returns the stable name of this kind of event: `signed_in`.
    ///
    /// ```
    /// use tower_magic_link::event::Event;
    ///
    /// assert_eq!(Event::StoreRecovered.name(), "store_recovered");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CookieDropped { .. } => "cookie_dropped",
            Self::CookieLost { .. } => "cookie_lost",
            Self::LinkDeclined { .. } => "link_declined",
            Self::LinkSent { .. } => "link_sent",
            Self::LinkWithheld { .. } => "link_withheld",
            Self::MailFailed { .. } => "mail_failed",
            Self::ProviderFailed { .. } => "provider_failed",
            Self::ReauthorizeFailed { .. } => "reauthorize_failed",
            Self::Refused { .. } => "refused",
            Self::ServerLost { .. } => "server_lost",
            Self::ServerMayEvict { .. } => "server_may_evict",
            Self::ServerRecovered { .. } => "server_recovered",
            Self::SessionsEnded { .. } => "sessions_ended",
            Self::SignedIn { .. } => "signed_in",
            Self::SignedOut { .. } => "signed_out",
            Self::StoreFailed { .. } => "store_failed",
            Self::StoreLost { .. } => "store_lost",
            Self::StoreRecovered => "store_recovered",
            Self::ThrottleFailed { .. } => "throttle_failed",
            Self::Throttled { .. } => "throttled",
            Self::WebhookReceived { .. } => "webhook_received",
        }
    }

    /// Returns the stable names and the values of what the event holds, in alphabetical order of
    /// the names. A field without a value is left out. Addresses are masked, and so is a subject
    /// that holds an `@`.
    ///
    /// ```
    /// use tower_magic_link::event::{Event, LimitScope};
    ///
    /// fn line(event: &Event<'_>) -> String {
    ///     let fields = event.fields();
    ///     // In quotes, because strangers choose some texts.
    ///     let fields = fields.map(|(name, value)| format!(" {name}={:?}", value.to_string()));
    ///     [event.name().to_owned()].into_iter().chain(fields).collect()
    /// }
    ///
    /// let scope = LimitScope::Network;
    /// let throttled = Event::Throttled { scope, email: None, hint: None };
    /// assert_eq!(line(&throttled), "throttled scope=\"network\"");
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        let none = Fields(Vec::new());
        let fields = match self {
            Self::CookieDropped { name } => none.with("name", *name),
            Self::CookieLost { name, likely } => {
                none.with("likely", likely.code()).with("name", *name)
            }
            Self::LinkDeclined { email } | Self::LinkSent { email } => none.with("email", *email),
            Self::LinkWithheld { email, reason } => {
                none.with("email", *email).with("reason", *reason)
            }
            Self::MailFailed {
                email,
                is_of_recipient,
                reason,
                status,
            } => none
                .with("email", *email)
                .with("is_of_recipient", *is_of_recipient)
                .with("reason", *reason)
                .with_some("status", *status),
            Self::ProviderFailed {
                kind,
                code,
                status,
                request_id,
            } => none
                .with_some("code", *code)
                .with("kind", kind.name())
                .with_some("request_id", *request_id)
                .with_some("status", *status),
            Self::ReauthorizeFailed { session } | Self::SignedIn { session } => {
                none.with_session(session)
            }
            Self::Refused { kind } => none.with("kind", kind.code()),
            Self::ServerLost { store } | Self::ServerRecovered { store } => {
                none.with("store", store.name())
            }
            Self::ServerMayEvict { store, policy } => {
                none.with("policy", *policy).with("store", store.name())
            }
            Self::SessionsEnded {
                kind,
                id,
                is_recorded,
            } => none
                .with("id", *id)
                .with("is_recorded", *is_recorded)
                .with("kind", *kind),
            Self::SignedOut {
                session,
                by,
                is_everywhere,
                is_recorded,
            } => none
                .with("by", by.name())
                .with("is_everywhere", *is_everywhere)
                .with("is_recorded", *is_recorded)
                .with_session(session),
            Self::StoreFailed { kind } | Self::ThrottleFailed { kind } => {
                none.with("kind", kind.name())
            }
            Self::StoreLost { kind, is_admitting } => none
                .with("is_admitting", *is_admitting)
                .with("kind", kind.name()),
            Self::StoreRecovered => none,
            Self::Throttled { scope, email, hint } => none
                .with_some("email", *email)
                .with_some("hint", *hint)
                .with("scope", scope.name()),
            Self::WebhookReceived { id, name, effect } => none
                .with("effect", effect.name())
                .with("id", *id)
                .with("name", *name),
        };
        fields.0.into_iter()
    }
}
