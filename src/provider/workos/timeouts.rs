//! `Timeouts`: how long a call to WorkOS may take.
//!
//! - A person waits at a form for most calls, so that an outage is reported soon.
//! - Redeeming a code has longer. WorkOS may have redeemed it by then, and without the answer the
//!   person needs a new mail.

use std::time::Duration;

use tokio::time::Instant;

use super::operation::Operation;
use crate::error::ConfigError;

const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(10);
/// WorkOS's SDKs wait for 30 or 60 seconds.
const EXCHANGE: Duration = Duration::from_secs(30);

const LEAST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) call: Duration,
    pub(super) exchange: Duration,
}

impl Timeouts {
    /// Returns when a call that begins now must have ended.
    pub(super) fn deadline(&self, operation: Operation) -> Instant {
        let timeout = match operation {
            Operation::Authenticate | Operation::Exchange | Operation::Select => self.exchange,
            Operation::Create | Operation::CreateCode | Operation::Profile | Operation::Send => {
                self.call
            }
        };
        Instant::now() + timeout
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            call: CALL,
            exchange: EXCHANGE,
        }
    }
}

/// Checks a time limit.
pub(super) fn validated(setting: &'static str, timeout: Duration) -> Result<Duration, ConfigError> {
    if (LEAST..=LONGEST).contains(&timeout) {
        return Ok(timeout);
    }
    let problem = "is not between 1 millisecond and 5 minutes";
    Err(ConfigError::invalid(
        setting,
        format!("{timeout:?}"),
        problem,
    ))
}
