//! `Stated`: what a token states, whichever way it was read.

use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
    session::{Term, id::SessionId},
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
