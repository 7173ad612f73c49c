//! An event as a metric: its name, and the one field that tells its kinds apart.

use super::Event;
use crate::trace::count_event;

impl Event<'_> {
    pub(super) fn count(&self) {
        count_event(self.name(), self.reason());
    }

    /// Returns the value of one of the fields that has few values, or nothing.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::CookieDropped { .. }
            | Self::LinkDeclined { .. }
            | Self::LinkSent { .. }
            | Self::LinkWithheld { .. }
            | Self::ReauthorizeFailed { .. }
            | Self::SignedIn { .. }
            | Self::StoreRecovered => "",
            Self::CookieLost { likely, .. } => likely.code(),
            Self::MailFailed { reason, .. } => reason,
            Self::ProviderFailed { kind, .. } => kind.name(),
            Self::Refused { kind } => kind.code(),
            Self::ServerLost { store }
            | Self::ServerMayEvict { store, .. }
            | Self::ServerRecovered { store } => store.name(),
            Self::SessionsEnded { kind, .. } => kind,
            Self::SignedOut { by, .. } => by.name(),
            Self::StoreFailed { kind }
            | Self::StoreLost { kind, .. }
            | Self::ThrottleFailed { kind } => kind.name(),
            Self::Throttled { scope, .. } => scope.name(),
            Self::WebhookReceived { effect, .. } => effect.name(),
        }
    }
}
