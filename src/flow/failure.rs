//! `Failure`: why no mail was sent, and whether its charges are given back.
//!
//! - They are, if the provider or the mailer failed by itself: the person tried, and nothing came
//!   of it. An outage must not be followed by a wait.
//! - They are not, if the mail may have left: an answer that was late or unreadable.
//!   Otherwise an address would be mailed more often than its limit says.
//! - They are not, if the address is or may be at fault: a caller can choose such addresses
//!   without end.

use super::{refusal::rejection_of, step::Step};
use crate::{
    mailer::MailError,
    provider::{ProviderError, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
};

/// Why no mail was sent.
pub(super) struct Failure {
    pub(super) rejection: Rejection,
    pub(super) refund: Refund,
}

/// Whether the charges of a mail are given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refund {
    Due,
    NotDue,
}

impl Failure {
    pub(super) fn of_provider(step: &Step, error: &ProviderError) -> Self {
        Self {
            rejection: rejection_of(error),
            refund: refund_of_provider(step, error),
        }
    }

    pub(super) fn of_mailer(error: &MailError) -> Self {
        // The mail server refused the recipient, for good (RFC 5321, section 4.2.1).
        let is_refused = matches!(error.status(), Some(500..=599));
        Self {
            rejection: Rejection::new(RejectionKind::MailNotSent),
            refund: match error.may_have_left() || is_refused {
                true => Refund::NotDue,
                false => Refund::Due,
            },
        }
    }

    /// Returns the failure of a mail for which the code failed too: either may have been mailed.
    pub(super) fn with_code(self, step: &Step, error: &ProviderError) -> Self {
        match refund_of_provider(step, error) {
            Refund::Due => self,
            Refund::NotDue => Self {
                refund: Refund::NotDue,
                ..self
            },
        }
    }
}

impl From<RejectionKind> for Failure {
    fn from(kind: RejectionKind) -> Self {
        Self {
            rejection: Rejection::new(kind),
            refund: Refund::NotDue,
        }
    }
}

fn refund_of_provider(step: &Step, error: &ProviderError) -> Refund {
    use ProviderErrorKind as Kind;
    // What the layer mails itself cannot have left before the provider's answer.
    let may_have_left = step.flow.mailer.is_none() && error.may_have_acted();
    match error.kind() {
        // A broken connection and a 5xx are failures: no caller can bring them about.
        Kind::TimedOut if may_have_left => Refund::NotDue,
        // It may be the address that the provider cannot take.
        Kind::Misconfigured if matches!(error.status(), Some(400 | 422)) => Refund::NotDue,
        Kind::Misconfigured
        | Kind::RateLimited
        | Kind::TimedOut
        | Kind::Unavailable
        | Kind::Unsupported => Refund::Due,
        // An answer: to the address, or one that cannot be read.
        _ => Refund::NotDue,
    }
}
