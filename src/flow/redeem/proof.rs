//! `Proof`: what a person brings from their mail.

use std::{borrow::Cow, net::IpAddr};

use crate::{
    clock::Timestamp,
    provider::{AuthorizationCode, OneTimeCode, PendingToken},
};

/// The proof that a person brings from their mail.
pub(in crate::flow) enum Proof {
    /// An organization that was chosen after the proof, and what the provider wants to know of the
    /// client.
    Choice {
        pending: PendingToken,
        organization: String,
        /// When the proof was given.
        at: Timestamp,
        /// When the choice is over.
        until: Timestamp,
        client: Option<IpAddr>,
        user_agent: Option<String>,
    },
    /// A mailed code, and what the provider wants to know of the client.
    Code {
        code: OneTimeCode,
        client: Option<IpAddr>,
        user_agent: Option<String>,
    },
    /// The code with which the provider's link led back.
    Link(AuthorizationCode),
}

impl Proof {
    pub(in crate::flow) fn expose(&self) -> Cow<'_, str> {
        match self {
            Self::Choice {
                pending,
                organization,
                ..
            } => format!("{organization} {}", pending.expose()).into(),
            Self::Code { code, .. } => code.expose().into(),
            Self::Link(code) => code.expose().into(),
        }
    }

    /// Returns what the provider wants to know of the client, where it does.
    pub(super) fn client(&self) -> (Option<IpAddr>, Option<&str>) {
        match self {
            Self::Choice {
                client, user_agent, ..
            }
            | Self::Code {
                client, user_agent, ..
            } => (*client, user_agent.as_deref()),
            Self::Link(_) => (None, None),
        }
    }
}
