//! An event as a metric: its name, and the one field that tells its kinds apart.
//!
//! - The counters begin with 0 when a layer is built. A counter that first appears with 1 has not
//!   increased, says Prometheus, so an alert would miss the first event of its kind.
//! - Left out are the reasons that a mailer words, and all but two of those of `refused`.

use super::{EndedBy, Event, LimitScope, StoreName, WebhookEffect};
use crate::{
    provider::ProviderErrorKind,
    rejection::RejectionKind,
    store::StoreErrorKind,
    trace::{count_event, prepare_event},
};

/// What an application may end sessions by: see [`Event::SessionsEnded`].
const ENDED: [&str; 7] = [
    "address",
    "connection",
    "membership",
    "organization",
    "provider_session",
    "session",
    "subject",
];

/// Why a cookie may be lost: see [`Event::CookieLost`].
const LOST: [RejectionKind; 3] = [
    RejectionKind::CookiesBlocked,
    RejectionKind::InsecureConnection,
    RejectionKind::OtherHost,
];

/// Why a link is not made: see [`Event::LinkWithheld`].
const WITHHELD: [&str; 3] = ["domain", "rate_limited", "refused"];

/// Has the counters of events begin.
pub(crate) fn prepare_counts() {
    prepared(prepare_event);
}

fn prepared(mut prepare: impl FnMut(&'static str, &'static str)) {
    let mut each = |names: &[&'static str], reasons: &[&'static str]| {
        for name in names {
            reasons.iter().for_each(|reason| prepare(name, reason));
        }
    };
    each(
        &[
            "cookie_dropped",
            "link_declined",
            "link_sent",
            "reauthorize_failed",
            "signed_in",
            "store_recovered",
        ],
        &[""],
    );
    each(&["cookie_lost"], &LOST.map(RejectionKind::code));
    each(&["link_withheld"], &WITHHELD);
    let kinds = ProviderErrorKind::ALL.map(ProviderErrorKind::name);
    each(&["provider_failed"], &kinds);
    let refused = [RejectionKind::ClockWrong, RejectionKind::WebhookUntimely];
    each(&["refused"], &refused.map(RejectionKind::code));
    let stores = StoreName::ALL.map(StoreName::name);
    let servers = ["server_lost", "server_may_evict", "server_recovered"];
    each(&servers, &stores);
    each(&["sessions_ended"], &ENDED);
    each(&["signed_out"], &EndedBy::ALL.map(EndedBy::name));
    let kinds = StoreErrorKind::ALL.map(StoreErrorKind::name);
    each(&["store_failed", "store_lost", "throttle_failed"], &kinds);
    each(&["throttled"], &LimitScope::ALL.map(LimitScope::name));
    let effects = WebhookEffect::ALL.map(WebhookEffect::name);
    each(&["webhook_received"], &effects);
}

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
            | Self::ReauthorizeFailed { .. }
            | Self::SignedIn { .. }
            | Self::StoreRecovered => "",
            Self::CookieLost { likely, .. } => likely.code(),
            Self::LinkWithheld { reason, .. } | Self::MailFailed { reason, .. } => reason,
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

#[cfg(test)]
mod tests;
