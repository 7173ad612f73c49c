//! How long things live, and how long is waited.

use std::time::Duration;

use super::{Builder, LINK_LIFETIMES, MINUTE};
use crate::{error::ConfigError, gate::Lifetimes, session::token};

impl Builder {
    /// Sets how long a session lives from the sign-in, whatever happens: 1 minute to 400 days. Default: 12 hours
    /// (NIST SP 800-63B-4 at AAL2).
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = lifetime;
        self
    }

    /// Sets how long a session lives without a request: 1 minute to the session's lifetime. Default: the session's lifetime.
    ///
    /// The cookie is renewed once a quarter of this time has passed, so a session may end after three quarters of it already.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sets how long a mailed link is good: 15 minutes to 24 hours, WorkOS's range. Default: 15 minutes.
    ///
    /// A sign-in in flight lives as long as its link and the 10 minutes of the code that the link yields.
    pub fn link_lifetime(mut self, lifetime: Duration) -> Self {
        self.link_lifetime = lifetime;
        self
    }

    pub(super) fn lifetimes(&self) -> Result<Lifetimes, ConfigError> {
        let refuse = |setting, value: Duration, problem| {
            Err(ConfigError::invalid(setting, format!("{value:?}"), problem))
        };
        let absolute = self.session_lifetime;
        let idle = self.idle_timeout.unwrap_or(absolute);
        if !(MINUTE..=token::LONGEST_SESSION).contains(&absolute) {
            return refuse("session_lifetime", absolute, "must be 1 minute to 400 days");
        }
        if idle < MINUTE {
            return refuse("idle_timeout", idle, "must be 1 minute or more");
        }
        if idle > absolute {
            return refuse(
                "idle_timeout",
                idle,
                "must not be longer than session_lifetime",
            );
        }
        if !LINK_LIFETIMES.contains(&self.link_lifetime) {
            let problem = "must be 15 minutes to 24 hours, WorkOS's range";
            return refuse("link_lifetime", self.link_lifetime, problem);
        }
        if self.revocation_timeout.is_zero() || self.revocation_timeout > MINUTE {
            let problem = "must be more than nothing and at most 1 minute";
            return refuse("revocation_timeout", self.revocation_timeout, problem);
        }
        Ok(Lifetimes { absolute, idle })
    }
}
