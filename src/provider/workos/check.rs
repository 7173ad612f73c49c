//! What the self-test finds out about WorkOS: a made-up code, and how WorkOS refuses it.
//!
//! - WorkOS answers `invalid_grant` for a code that it does not know, and `invalid_client` or
//!   `unauthorized_client` for credentials that it does not accept. So `invalid_grant` says that
//!   both the API key and the client id are good, if WorkOS looks at them before it looks for the
//!   code. It documents no order; one that looked for the code first would tell codes to strangers.
//!   Any other refusal of the code, such as one of its form, may come before WorkOS has looked at
//!   them, and leaves the line unchecked.
//! - It is one request, never repeated, and needs no person. Nothing is made at WorkOS.
//! - The `Date` of the answer is compared with the layer's time: they may differ by a minute.

use std::time::Duration;

use tokio::time::Instant;

use super::WorkOs;
use crate::{
    check::{self, Line},
    clock::Timestamp,
    provider::{AuthorizationCode, ProviderError, ProviderErrorKind as Kind},
    random,
};

/// How far the clocks of an application's machines may differ.
const LEEWAY: Duration = Duration::from_secs(60);

const TAKES: &str = "WorkOS takes the API key and the client id";
const CLOCK: &str = "this machine's clock agrees with WorkOS's";

impl WorkOs {
    /// Checks the credentials and the clock. `now` is the time when the check began.
    pub(super) async fn self_test(&self, now: Timestamp) -> Vec<Line> {
        let began = Instant::now();
        let number = u128::from_be_bytes(random::bytes());
        let call = self.exchange_of(&AuthorizationCode::new(format!("self_test_{number:032x}")));
        // As long as any call: nobody's code is at stake.
        let answer = self
            .caller
            .ask_once(&call, began + self.caller.timeouts.call);
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(error) => {
                let unknown = Line::not_checked(CLOCK, "there was no answer");
                return vec![self.judged(&error), unknown];
            }
        };
        let takes = if answer.status().is_success() {
            let problem = "a made-up code was accepted: this is not WorkOS";
            Line::failed(TAKES, problem, "look at the base URL and at the proxy")
        } else {
            self.judged(&answer.refusal(call.operation))
        };
        let clock = match answer.date() {
            Some(date) => check::clocks(CLOCK, ("WorkOS's", date), now + began.elapsed(), LEEWAY),
            None => Line::not_checked(CLOCK, "the answer has no Date"),
        };
        vec![takes, clock]
    }

    /// Says what the answer to a made-up code means.
    fn judged(&self, error: &ProviderError) -> Line {
        let kind = error.kind();
        let problem = match (error.status(), error.code()) {
            (Some(status), Some(code)) => format!("{kind} ({status}, {code})"),
            (Some(status), None) => format!("{kind} ({status})"),
            (None, _) => kind.to_string(),
        };
        let base = self.caller.base();
        match kind {
            Kind::Refused if error.code() == Some("invalid_grant") => Line::passed(TAKES),
            Kind::Refused | Kind::RateLimited => Line::not_checked(TAKES, problem),
            Kind::Misconfigured => Line::failed(
                TAKES,
                problem,
                "copy both from API Keys in WorkOS's dashboard, from the same environment",
            ),
            Kind::TimedOut | Kind::Unavailable => {
                let cure = format!(
                    "see whether {base} can be reached from here, and WorkOS's status page"
                );
                Line::failed(TAKES, problem, cure)
            }
            _ => {
                let cure = format!("see what answers at {base}: it may be a proxy");
                Line::failed(TAKES, problem, cure)
            }
        }
    }
}
