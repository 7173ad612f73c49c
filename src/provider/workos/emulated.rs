//! `Emulates`: what a client asks of an emulator in its own process, beside WorkOS's API.
//!
//! - WorkOS's dashboard decides whether WorkOS mails codes. An emulator that the client has started
//!   has no dashboard, so the client has it mail each code that nobody else does.
//! - The layer says with each code whether it has a mailer: `Delivery`.
//! - A code that the application makes without the layer is mailed. If the application mails it
//!   too, a person gets it twice. Otherwise the person would wait for a mail that never comes.

use std::time::Duration;

use crate::{email::Email, provider::OneTimeCode};

/// An emulator of WorkOS in this process. It stops when it is dropped.
pub(crate) trait Emulates: Send + Sync {
    /// Mails a code, as WorkOS does if its dashboard says so.
    fn mail_code(&self, to: &Email, code: &OneTimeCode, lifetime: Duration);
}
