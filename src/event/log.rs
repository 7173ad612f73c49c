//! An event as a line of the log.
//!
//! - The fields are those of [`Event::fields`]. `tracing` wants every name of a line when it is
//!   compiled, so the names of all events stand here. A field without a value is not printed.
//! - Nothing is read of the event if nobody listens at its level.

use tracing::Level;

use super::{Event, Value};

/// Writes a line of one level, with the fields that the event has.
macro_rules! line {
    ($event:expr, $level:expr, [$($name:ident),+]) => {
        if tracing::enabled!(target: "tower_magic_link", $level) {
            let fields: Vec<_> = $event.fields().collect();
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, Logged::of(value))).collect();
            let of = |name| {
                let (_, value) = fields.iter().find(|(other, _)| *other == name)?;
                Some(value.as_logged())
            };
            tracing::event!(
                target: "tower_magic_link",
                $level,
                event = $event.name(),
                $($name = of(stringify!($name)),)+
                "{}",
                $event.message(),
            );
        }
    };
}

macro_rules! line_with_all_names {
    ($event:expr, $level:expr) => {
        line!(
            $event,
            $level,
            [
                by,
                code,
                effect,
                email,
                hint,
                id,
                is_admitting,
                is_everywhere,
                is_of_recipient,
                is_recorded,
                kind,
                likely,
                name,
                policy,
                reason,
                request_id,
                scope,
                session,
                status,
                store,
                subject
            ]
        )
    };
}

/// A value as `tracing` takes it.
enum Logged<'v> {
    Bool(bool),
    Number(u64),
    Text(&'v str),
}

impl<'v> Logged<'v> {
    fn of(value: &'v Value<'_>) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Number(*value),
            Value::Text(value) => Self::Text(value),
        }
    }

    fn as_logged(&self) -> &dyn tracing::Value {
        match self {
            Self::Bool(value) => value,
            Self::Number(value) => value,
            Self::Text(value) => value,
        }
    }
}

impl Event<'_> {
    pub(super) fn log(&self) {
        match self.level() {
            Level::ERROR => line_with_all_names!(self, Level::ERROR),
            Level::WARN => line_with_all_names!(self, Level::WARN),
            Level::INFO => line_with_all_names!(self, Level::INFO),
            _ => line_with_all_names!(self, Level::DEBUG),
        }
    }

    const fn level(&self) -> Level {
        match self {
            Self::MailFailed { .. }
            | Self::ProviderFailed { .. }
            | Self::StoreLost { .. }
            | Self::ThrottleFailed { .. } => Level::ERROR,
            Self::CookieDropped { .. }
            | Self::CookieLost { .. }
            | Self::LinkDeclined { .. }
            | Self::LinkWithheld { .. }
            | Self::ReauthorizeFailed { .. }
            | Self::ServerLost { .. }
            | Self::ServerMayEvict { .. }
            | Self::ServerRecovered { .. }
            | Self::StoreRecovered
            | Self::Throttled { .. } => Level::WARN,
            Self::LinkSent { .. }
            | Self::SessionsEnded { .. }
            | Self::SignedIn { .. }
            | Self::SignedOut { .. }
            | Self::WebhookReceived { .. } => Level::INFO,
            // Quietly: every crawler causes some of the first, and the second comes with each
            // request. Its change alone is loud.
            Self::Refused { .. } | Self::StoreFailed { .. } => Level::DEBUG,
        }
    }

    const fn message(&self) -> &'static str {
        match self {
            Self::CookieDropped { .. } => "inner set-cookie dropped",
            Self::CookieLost { .. } => "cookie lost",
            Self::LinkDeclined { .. } => "link declined",
            Self::LinkSent { .. } => "link sent",
            Self::LinkWithheld { .. } => "link withheld",
            Self::MailFailed { .. } => "mail not sent",
            Self::ProviderFailed { .. } => "provider failed",
            Self::ReauthorizeFailed { .. } => "not reauthorized",
            Self::Refused { .. } => "refused",
            Self::ServerLost { .. } => "server lost",
            Self::ServerMayEvict { .. } => {
                "the server evicts keys when its memory is full, and with them the ends of \
                 sessions: CONFIG SET maxmemory-policy noeviction"
            }
            Self::ServerRecovered { .. } => "server recovered",
            Self::SessionsEnded { .. } => "sessions ended",
            Self::SignedIn { .. } => "signed in",
            Self::SignedOut { .. } => "signed out",
            Self::StoreFailed { .. } => "revocation store failed",
            Self::StoreLost { .. } => "revocation store lost",
            Self::StoreRecovered => "revocation store recovered",
            Self::ThrottleFailed { .. } => "throttle failed",
            Self::Throttled { .. } => "throttled",
            Self::WebhookReceived { .. } => "webhook received",
        }
    }
}
