//! `Stated`: what a token states, whichever way it was read.

use std::time::Duration;

use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
    session::{Term, id::SessionId, record::Facts, revocable::LATEST_AFTER},
};

/// The longest life of a session: 400 days.
///
/// Browsers cut cookies at that (draft-ietf-httpbis-rfc6265bis, section 5.5).
pub(crate) const LONGEST_SESSION: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its shape, key, signature or claims are not those of this layer.
    Invalid,
    /// It was valid, and has expired.
    Expired,
}

/// How far another replica's clock may be ahead of ours.
pub(super) const LEEWAY: Duration = Duration::from_secs(60);

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

    /// Checks every claim.
    pub(super) fn validate(&self, now: Timestamp) -> Result<(), Fault> {
        let is_sound = self.auth_time <= self.iat
            // A later `iat` would postpone the idle end.
            && self.iat <= now + LEEWAY
            && self.nbf <= now + LEEWAY
            && self.iat < self.exp
            // `build()` allows no longer lifetime, so a longer token is not ours.
            && self.exp <= self.auth_time + LONGEST_SESSION
            // Its sign-out is dated after that moment. A forged one would end all sessions that its
            // person begins until then, whatever becomes of the key.
            && self.after <= self.auth_time + LATEST_AFTER;
        // Two applications may share a key. A session of one must not count at the other.
        if !self.is_ours || !self.has_person || !is_sound {
            return Err(Fault::Invalid);
        }
        // Last, so that only a token of ours is called expired.
        if now >= self.exp {
            return Err(Fault::Expired);
        }
        Ok(())
    }
}

pub(super) const fn always() -> Timestamp {
    Timestamp::from_secs(0)
}
