//! `EmulatorBuilder`: an emulator that differs from the usual one.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use super::{Emulator, Mail, MailHook, Shared, code::CodeSettings};
use crate::clock::{Clock, SystemClock};

/// What links begin with while the emulator is not on a port of its own.
const DEFAULT_BASE_URL: &str = "http://127.0.0.1:4200";

/// Makes an [`Emulator`] that differs from the usual one.
#[must_use]
pub struct EmulatorBuilder {
    clock: Arc<dyn Clock>,
    base_url: Option<String>,
    redirect_uris: Vec<String>,
    on_mail: Option<MailHook>,
    pub(super) codes: CodeSettings,
}

impl Emulator {
    /// Begins an emulator that differs from the usual one.
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
    /// Sets the clock. The default is the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Fixes what links begin with, for an emulator that is reached through another address than
    /// its port. The default is the port's `http://127.0.0.1:PORT`, and `http://127.0.0.1:4200` as
    /// long as there is none.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Registers a redirect URI: from the first one on, no other is taken, and the first is what a
    /// request without one gets. Without any, all are taken, and the default is
    /// `http://127.0.0.1:3000/auth/callback`.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uris.push(redirect_uri.into());
        self
    }

    /// Sets what is called with each mail, for instance to print its link. It must not block.
    pub fn on_mail(mut self, hook: impl Fn(&Mail) + Send + Sync + 'static) -> Self {
        self.on_mail = Some(Box::new(hook));
        self
    }

    /// Makes the emulator.
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
