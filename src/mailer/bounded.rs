//! `BoundedMailer`: the application's mailer, with a time limit.
//!
//! - A mailer that does not answer in time has failed. The layer drops its future and does no more.

use std::{fmt, time::Duration};

use super::{ErasedMailer, Mail, MailError};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    trace::{Call, observe},
};

/// A mailer, and how long the flow waits for it.
pub(crate) struct BoundedMailer {
    pub(crate) mailer: Box<dyn ErasedMailer>,
    pub(crate) timeout: Duration,
}

impl BoundedMailer {
    /// Sends one mail, or gives up.
    pub(crate) async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let sent = async {
            match tokio::time::timeout(self.timeout, self.mailer.send(mail)).await {
                Ok(sent) => sent,
                Err(_) => Err(MailError::because("the mailer took too long").after_sending()),
            }
        };
        observe(Call::new("mailer.send"), sent).await
    }

    /// Checks whether mail could be sent, or gives up.
    pub(crate) async fn check(&self, now: Timestamp) -> Vec<Line> {
        check::bounded("mailer", self.timeout, self.mailer.check(now)).await
    }
}

impl fmt::Debug for BoundedMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedMailer")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
