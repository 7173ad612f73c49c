//! `EmulatorBuilder`: the settings of an emulator.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use super::{Emulator, Mail, MailHook, Shared, code::CodeSettings};
use crate::clock::{Clock, SystemClock};

/// The base URL of links while the emulator has no port of its own.
const DEFAULT_BASE_URL: &str = "http://127.0.0.1:4200";

/// Builds an [`Emulator`] with other settings than the defaults.
#[must_use]
pub struct EmulatorBuilder {
    clock: Arc<dyn Clock>,
    base_url: Option<String>,
    redirect_uris: Vec<String>,
    on_mail: Option<MailHook>,
    pub(super) codes: CodeSettings,
}

impl Emulator {
    /// Starts an emulator with other settings than the defaults.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            clock: Arc::new(SystemClock),
            base_url: None,
            redirect_uris: Vec::new(),
            on_mail: None,
            codes: CodeSettings::default(),
        }
    }
}

impl EmulatorBuilder {
    /// Sets the clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Fixes the base URL of links, for an emulator behind another address than its port. Default:
    /// the port's `http://127.0.0.1:PORT`, or `http://127.0.0.1:4200` without a port.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Registers a redirect URI. Once one is registered, the emulator refuses all others, and a
    /// request without one gets the first. With none registered it accepts every URI, and a request
    /// without one gets `http://127.0.0.1:3000/auth/callback`.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uris.push(redirect_uri.into());
        self
    }

    /// Sets a hook that is called with each mail, for instance to print its link. It must not
    /// block.
    pub fn on_mail(mut self, hook: impl Fn(&Mail) + Send + Sync + 'static) -> Self {
        self.on_mail = Some(Box::new(hook));
        self
    }

    /// Builds the emulator.
    pub fn build(self) -> Emulator {
        let is_base_url_fixed = self.base_url.is_some();
        let base_url = self.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL);
        Emulator {
            base_url: base_url.trim_end_matches('/').into(),
            is_base_url_fixed,
            shared: Arc::new(Shared {
                clock: self.clock,
                redirect_uris: self.redirect_uris,
                on_mail: self.on_mail,
                code_settings: self.codes,
                one_time_codes: Mutex::default(),
                sessions: Mutex::default(),
                codes: Mutex::default(),
                access_tokens: Mutex::default(),
                memberships: Mutex::default(),
                users: Mutex::default(),
                pending: Mutex::default(),
                outbox: Mutex::new(VecDeque::new()),
                edits: Mutex::default(),
                user_edits: Mutex::default(),
                orders: Mutex::default(),
                log: Mutex::default(),
            }),
        }
    }
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("clock", &self.clock)
            .field("base_url", &self.base_url)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}
