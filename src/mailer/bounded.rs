//! `BoundedMailer`: the application's mailer, as the flow asks it.
//!
//! - A mailer that has not answered in time has failed. Dropping its future is all that is done to
//!   it.

use std::{fmt, time::Duration};

use super::{ErasedMailer, Mail, MailError};

/// A mailer, and how long the flow waits for it.
pub(crate) struct BoundedMailer {
    pub(crate) mailer: Box<dyn ErasedMailer>,
    pub(crate) timeout: Duration,
}

impl BoundedMailer {
    /// Sends one mail, or gives up.
    pub(crate) async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        match tokio::time::timeout(self.timeout, self.mailer.send(mail)).await {
            Ok(sent) => sent,
            Err(_) => Err(MailError::because("the mailer took too long")),
        }
    }
}

impl fmt::Debug for BoundedMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedMailer")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
