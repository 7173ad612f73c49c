//! `Proof`: what a person brings from their mail.

use std::borrow::Cow;

use crate::{
    clock::Timestamp,
    provider::{AuthorizationCode, OneTimeCode, PendingToken},
};

/// The proof that a person brings from their mail.
pub(in crate::flow) enum Proof {
    /// An organization that was chosen after the proof.
    Choice {
        pending: PendingToken,
        organization: String,
        /// When the proof was given.
        at: Timestamp,
        /// When the choice is over.
        until: Timestamp,
    },
    /// A mailed code.
    Code(OneTimeCode),
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
            Self::Code(code) => code.expose().into(),
            Self::Link(code) => code.expose().into(),
        }
    }
}
