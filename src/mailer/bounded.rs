//! `BoundedMailer`: the application's mailer, with a time limit.
//!
//! - A mailer that does not answer in time has failed. The layer drops its future and does no more.
//! - A mailer that panics has failed, too. A panic that went on would be reported by no event.

use std::{fmt, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

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
            // The mailer is called in here, so that a panic before its future is caught, too. A
            // panic can leave only the mailer's own state half done: it borrows nothing of ours but
            // the mail.
            let sending = async { self.mailer.send(mail).await };
            let sending = AssertUnwindSafe(sending).catch_unwind();
            match tokio::time::timeout(self.timeout, sending).await {
                Ok(Ok(sent)) => sent,
                Ok(Err(_)) => Err(MailError::because("the mailer panicked")),
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
