//! `Stated`: what a token states, whichever way it was read.

use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
    session::{Term, id::SessionId, record::Facts},
};

/// The `via` of a session that began with a mailed code.
pub(super) const BY_CODE: &str = "code";

/// What a token states, beside its texts.
pub(super) struct Stated {
    /// Whether issuer and audience are this layer.
    pub(super) is_ours: bool,
    /// Whether it names a subject and an address.
    pub(super) has_person: bool,
    pub(super) sid: SessionId,
    pub(super) iat: Timestamp,
    pub(super) nbf: Timestamp,
    pub(super) exp: Timestamp,
    pub(super) auth_time: Timestamp,
    pub(super) method: SignInMethod,
    pub(super) term: Term,
    pub(super) skew: Skew,
    pub(super) auth_skew: Skew,
    pub(super) after: Timestamp,
}

impl Stated {
    /// Returns what a token states of which a session was read, by the fast half of reading, for
    /// the same issuer.
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            // No session is read of a token without.
            is_ours: true,
            has_person: true,
            sid: facts.id,
            iat: facts.times.issued_at,
            nbf: always(),
            exp: facts.times.expires_at,
            auth_time: facts.times.auth_time,
            method: facts.method,
            term: facts.term,
            skew: facts.skew,
            auth_skew: facts.auth_skew,
            after: facts.after,
        }
    }
}

pub(super) const fn always() -> Timestamp {
    Timestamp::from_secs(0)
}
