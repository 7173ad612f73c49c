//! How long things live, and how long is waited.

use std::time::Duration;

use super::{Builder, HOUR, MINUTE};
use crate::{
    error::ConfigError,
    language::Words,
    session::{
        lifetimes::{Lifetimes, Span},
        token,
    },
};

/// How much of the idle time passes before the cookie is renewed, unless the application says so.
const RENEW_AFTER: f64 = 0.25;

/// The session lifetimes, as the application set them.
#[derive(Debug)]
pub(super) struct Settings {
    session_lifetime: Duration,
    idle_timeout: Option<Duration>,
    renew_after: f64,
    remember_me: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_lifetime: 12 * HOUR,
            idle_timeout: None,
            renew_after: RENEW_AFTER,
            remember_me: None,
        }
    }
}

/// # How long
///
/// The lifetimes of sessions and of links.
impl Builder {
    /// Sets how long a session lives from the sign-in, whatever happens: 1 minute to 400 days.
    /// Default: 12 hours (NIST SP 800-63B-4 at AAL2).
    ///
    /// A shorter lifetime takes effect at once, also for existing sessions, their renewals and
    /// their live connections. Only [`Session::expires_at`](crate::Session::expires_at) still
    /// returns the end in the token. A longer lifetime applies to an existing session when it is
    /// renewed.
    ///
    /// If a session is ended early, the store remembers that for the lifetimes that the layer has
    /// at that moment. After you shorten a lifetime, do not lengthen it again before the tokens of
    /// the longer lifetime have expired. Otherwise a session that was ended could work again. The
    /// same goes for [`Builder::remember_me`].
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetimes.session_lifetime = lifetime;
        self
    }

    /// Sets how long a session lives without a request: 1 minute to the session's lifetime.
    /// Default: the session's lifetime.
    ///
    /// The layer renews the cookie only after a share of this time ([`Builder::renew_after`]). So
    /// an idle session may end that share earlier.
    ///
    /// A shorter timeout takes effect at once, also for existing sessions. The layer renews those
    /// that are in use.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.lifetimes.idle_timeout = Some(timeout);
        self
    }

    /// Sets which share of the idle time passes before the session's cookie is renewed: 0.05 to
    /// 0.9. Default: 0.25.
    ///
    /// A session survives a pause of at least the remaining share: by default, three quarters of
    /// the idle time. A smaller share allows longer pauses, but then more responses set a cookie,
    /// and no cache may store those.
    pub fn renew_after(mut self, share: f64) -> Self {
        self.lifetimes.renew_after = share;
        self
    }

    /// Offers remember-me sessions, and sets their lifetime: from the session's lifetime to 400
    /// days. Default: not offered.
    ///
    /// The form then has a tick box. A person who ticks it gets a session of this lifetime, without
    /// an idle timeout, in a cookie that outlives the browser, wherever the sign-in is finished. A
    /// person who does not tick it gets the usual session. Its cookie has no `Max-Age`, so the
    /// browser drops it when it closes. A browser that is set to reopen its last tabs keeps it:
    /// closing is no sign-out, and [`Builder::idle_timeout`] bounds what is left open.
    ///
    /// The token records the choice. A shorter lifetime takes effect at once, also for existing
    /// sessions. If you switch this off, they become usual sessions, and end by
    /// [`Builder::session_lifetime`] and [`Builder::idle_timeout`].
    ///
    /// Pages of your own must show a field `remember_me` if
    /// [`LoginPage::offers_remember_me`](crate::page::LoginPage::offers_remember_me) returns true.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.remember_me(Duration::from_secs(30 * 24 * 60 * 60))
    /// # }
    /// ```
    pub fn remember_me(mut self, lifetime: Duration) -> Self {
        self.lifetimes.remember_me = Some(lifetime);
        self
    }

    /// Sets how long a mailed link is good, within the provider's own range
    /// ([`Abilities::link_lifetimes`](crate::provider::Abilities::link_lifetimes)): 15 minutes to
    /// 24 hours for WorkOS. Default: 15 minutes.
    ///
    /// A sign-in in flight lives as long as its link and the 10 minutes of the code that the link
    /// yields, or as long as a [typed code](crate::provider::Abilities::code_lifetime).
    pub fn link_lifetime(mut self, lifetime: Duration) -> Self {
        self.link_lifetime = lifetime;
        self
    }

    pub(super) fn lifetimes(&self) -> Result<Lifetimes, ConfigError> {
        let refuse = |setting, value: Duration, problem| {
            Err(ConfigError::invalid(setting, format!("{value:?}"), problem))
        };
        let absolute = self.lifetimes.session_lifetime;
        let idle = self.lifetimes.idle_timeout.unwrap_or(absolute);
        if !(MINUTE..=token::LONGEST_SESSION).contains(&absolute) {
            return refuse("session_lifetime", absolute, "must be 1 minute to 400 days");
        }
        if idle < MINUTE {
            return refuse("idle_timeout", idle, "must be 1 minute or more");
        }
        // It would never be reached, so it cannot be what was meant.
        if idle > absolute {
            return refuse(
                "idle_timeout",
                idle,
                "must not be longer than session_lifetime",
            );
        }
        let share = self.lifetimes.renew_after;
        // Not a number is in no range.
        if !(0.05..=0.9).contains(&share) {
            let problem = "must be 0.05 to 0.9, a share of the idle time";
            return Err(ConfigError::invalid(
                "renew_after",
                share.to_string(),
                problem,
            ));
        }
        let remembered = self.lifetimes.remember_me;
        if let Some(lifetime) = remembered
            && !(absolute..=token::LONGEST_SESSION).contains(&lifetime)
        {
            let problem = "must be at least session_lifetime and at most 400 days";
            return refuse("remember_me", lifetime, problem);
        }
        let abilities = self.provider.abilities();
        let range = abilities.link_lifetimes();
        if !range.contains(&self.link_lifetime) {
            let (least, most) = (
                Words::english().lifetime(*range.start()),
                Words::english().lifetime(*range.end()),
            );
            let problem = format!("must be {least} to {most}, the provider's range");
            let value = format!("{:?}", self.link_lifetime);
            return Err(ConfigError::invalid("link_lifetime", value, problem));
        }
        if self.revocation_timeout.is_zero() || self.revocation_timeout > MINUTE {
            let problem = "must be more than zero and at most 1 minute";
            return refuse("revocation_timeout", self.revocation_timeout, problem);
        }
        let asked_after = self.reauthorize.as_ref().map(|(every, _)| *every);
        if let Some(every) = asked_after
            && every < Duration::from_secs(1)
        {
            return refuse("reauthorize", every, "must be 1 second or more");
        }
        let span = |absolute, idle: Duration| Span {
            absolute,
            idle,
            renew_after: idle.mul_f64(share),
        };
        Ok(Lifetimes {
            usual: span(absolute, idle),
            // A person who asked to be remembered may stay away for as long, so there is no idle
            // end.
            remembered: remembered.map(|lifetime| span(lifetime, lifetime)),
            asked_after,
        })
    }
}
