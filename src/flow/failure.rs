//! `Failed`: why no mail went out, whether the page says so, and whether the layer gives its
//! charges back.
//!
//! - They are, if the provider or the mailer failed by itself: the person tried, and nothing came
//!   of it. An outage must not be followed by a wait.
//! - They are not, if the mail may have left: the answer was late or unreadable, of either if there
//!   are two providers. Otherwise an address would be mailed more often than its limit says.
//! - They are after a broken connection, a 5xx and a panic, although a mail may have left then too.
//!   No caller can bring these about, and nearly all of them mean that nothing left. What all
//!   clients have together stays charged, so that an outage mails nobody without end.
//! - They are not, if the address is or may be at fault: a caller can choose such addresses without
//!   end, and a limit that is reached later would tell them apart. Others are told of it only once
//!   mail to a second domain has met it too (to a second address, where one domain alone is taken),
//!   with none sent in between: one such address would keep everybody from their mail.
//! - A provider's 4xx may be about one request: its address, a browser that a firewall in front of
//!   the provider refuses, or another request under way. A caller can choose all of these, so the
//!   charges are not given back. But its 401 is about our key, and its 408 is an outage.
//! - A provider's rate limit is one address's or everybody's, and its answer does not say which.
//!   WorkOS limits the mails to one address, so the page never tells it: it would reveal that the
//!   provider knows the address. If other mail has gone out lately, it counts as the address's.
//!   Otherwise the charges are given back.

use super::{Flow, attempt::Attempt, mailing::Refund, refusal::rejection_of};
use crate::{
    event::Event,
    mailer::MailError,
    page::Sent,
    provider::{ProviderError, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
};

/// Why no mail went out.
pub(super) enum Failed {
    /// This address gets none. Another one might, so the page does not say so.
    Address,
    /// An outage, or a wrong setting. It is the same for every address, and the page says so.
    Everybody(Rejection, Refund),
    /// It may be for this address or this request alone. The page tells the person who asked.
    ThisMail(Rejection),
    /// One half was mailed, and the other one may be missing for this address alone. The page
    /// tells the person who asked.
    Half(Sent),
    /// The provider limits the mails to this address, or to everybody. The page does not say so.
    Limited,
}

impl Failed {
    /// Says whether a provider's failure may depend on the address. If it does, the log has it.
    pub(super) fn of_provider(
        flow: &Flow,
        attempt: &Attempt,
        error: &ProviderError,
        tell: impl Fn(&Event<'_>),
    ) -> Self {
        use ProviderErrorKind as Kind;
        tell(&Event::of_provider_error(error));
        // What the layer mails itself cannot have left before the provider's answer.
        let may_have_left = flow.mailer.is_none() && error.was_late();
        let refund = match error.kind() {
            Kind::InvalidAnswer | Kind::Misconfigured | Kind::TimedOut | Kind::Unavailable
                if may_be_of_this_request(error) =>
            {
                return Self::ThisMail(rejection_of(error));
            }
            // An answer that cannot be read.
            Kind::InvalidAnswer => Refund::NotDue,
            Kind::Misconfigured | Kind::TimedOut | Kind::Unavailable | Kind::Unsupported => {
                match may_have_left {
                    true => Refund::NotDue,
                    false => Refund::Due,
                }
            }
            kind => {
                let (failure, reason) = match kind {
                    // What the provider that was asked before may have mailed counts.
                    Kind::RateLimited if may_have_left => (Self::Address, "rate_limited"),
                    Kind::RateLimited => (Self::Limited, "rate_limited"),
                    _ => (Self::Address, "refused"),
                };
                let email = &attempt.email;
                tell(&Event::LinkWithheld { email, reason });
                return failure;
            }
        };
        Self::Everybody(rejection_of(error), refund)
    }

    pub(super) fn of_mailer(error: &MailError) -> Self {
        if error.is_of_recipient() {
            return Self::Address;
        }
        let rejection = Rejection::new(RejectionKind::MailNotSent);
        match error.status() {
            // It knows no such command, wants another sign-in or takes no mail at all, whoever the
            // mail is for (RFC 5321, section 4.2.2; RFC 4954, section 6; RFC 7504).
            Some(500 | 502..=504 | 521 | 530 | 534 | 535 | 538) => {
                Self::Everybody(rejection, Refund::NotDue)
            }
            Some(500..=599) if error.is_of_server() => Self::Everybody(rejection, Refund::NotDue),
            // Perhaps for this mail: a caller can choose an address that the server does not relay
            // to (454 4.7.1). Not so by 421: the server closes every connection, whatever it was
            // asked, since it is overloaded or shuts down (RFC 5321, section 3.8).
            Some(400..=420 | 422..=599) if !error.is_of_server() => Self::ThisMail(rejection),
            _ if error.is_in_doubt() => Self::ThisMail(rejection),
            _ if error.may_have_left() => Self::Everybody(rejection, Refund::NotDue),
            _ => Self::Everybody(rejection, Refund::Due),
        }
    }

    /// Returns the failure of a mail for which link and code both failed: either may have been
    /// mailed, or may be the address's fault.
    pub(super) fn and(self, code: Self) -> Self {
        match (self, code) {
            (Self::Limited, Self::Limited) => Self::Limited,
            (Self::Address | Self::Limited, Self::Address | Self::Limited) => Self::Address,
            (Self::Everybody(rejection, Refund::Due), Self::Everybody(_, refund)) => {
                Self::Everybody(rejection, refund)
            }
            (Self::Everybody(rejection, _), _) | (_, Self::Everybody(rejection, _)) => {
                Self::Everybody(rejection, Refund::NotDue)
            }
            (Self::ThisMail(rejection), _) | (_, Self::ThisMail(rejection)) => {
                Self::ThisMail(rejection)
            }
            // Something was mailed.
            (Self::Half(sent), _) | (_, Self::Half(sent)) => Self::Half(sent),
        }
    }

    /// Returns what the page says was sent when the other half was. A page that shows that one half
    /// is missing for this address alone would reveal which addresses may sign up.
    pub(super) fn or_sent(self, sent: Sent) -> Result<Sent, Self> {
        match self {
            // A mail has gone out, so it counts.
            Self::Address | Self::Limited => Err(Self::Address),
            Self::Everybody(..) => Ok(sent),
            Self::Half(_) | Self::ThisMail(_) => Err(Self::Half(sent)),
        }
    }
}

/// Says whether a provider's failure may be about this request alone: by its address, by what it
/// shows of the browser, or because another request of the person is under way.
fn may_be_of_this_request(error: &ProviderError) -> bool {
    matches!(error.status(), Some(400 | 402..=407 | 409..=499))
}
