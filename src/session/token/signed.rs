//! `Signed`: a token whose signature is good and whose claims have not been read.

use super::plain::{self, Known};
use crate::session::{
    Session, base64url,
    cookie::LONGEST,
    opening::Opening,
    record::Places,
    ring::{Entry, Found, Hot, Keys},
};

/// A token that a key of the ring has signed, still encoded.
pub(super) struct Signed<'k, 't> {
    pub(super) entry: &'k Entry,
    /// Where it may become hot, and its signature, if that was verified just now.
    pub(super) verified: Option<(&'k Hot<Option<Session>>, &'t [u8])>,
    /// The hot token that it is.
    pub(super) found: Option<Found<Option<Session>>>,
    pub(super) payload: &'t [u8],
    /// How it begins, if as this key's tokens of this issuer do.
    pub(super) opening: Option<&'k Opening>,
    /// What of the payload is behind the opening.
    pub(super) unknown: &'t [u8],
}

impl Signed<'_, '_> {
    /// Returns what is kept of it, if it is hot and begins as this issuer's tokens do. Layers of
    /// several issuers may share a key.
    pub(super) fn kept(&self) -> Option<&Session> {
        self.opening?;
        self.found.as_ref()?.kept()?.as_ref()
    }

    /// Says whether it begins as this issuer's tokens do, and its claims stand as `mint` writes
    /// them. It is asked once for each hot token, so it reads them again.
    pub(super) fn is_plain(&self) -> bool {
        let mut room = [0; LONGEST];
        let claims = base64url::decode(self.unknown, &mut room);
        let opening = self.opening.zip(claims);
        opening.is_some_and(|(opening, claims)| {
            plain::read(claims, Known::To(opening.rest()), &mut Places::default()).is_some()
        })
    }
}

/// How many characters a signature has: of 32 bytes (HS256), or of 64 (EdDSA and ES256).
///
/// The shorter one comes first, because the last dot divides a token. In a short token an earlier
/// one may stand where the signature of a key pair would begin.
const SIGNATURES: [usize; 2] = [43, 86];

/// Splits a token into what was signed and the encoded signature. `None` if it is too long for us,
/// or if no signature of ours is that long.
pub(super) fn halves_of(token: &[u8]) -> Option<(&[u8], &[u8])> {
    // Before any hashing: a bearer token may be as long as the server lets a header be.
    if token.len() > LONGEST {
        return None;
    }
    // What has another dot in it is no signature: base64url has none.
    SIGNATURES.into_iter().find_map(|length| {
        let (signed, end) = token.split_at_checked(token.len().checked_sub(length + 1)?)?;
        Some((signed, end.strip_prefix(b".")?))
    })
}

/// Chooses the key by the exact bytes of the header, and returns the encoded payload after them.
pub(super) fn key_of<'k, 't>(keys: &'k Keys, signed: &'t [u8]) -> Option<(&'k Entry, &'t [u8])> {
    keys.iter()
        // `alg` and `kid` are thus compared and never interpreted: `none`, a swapped algorithm,
        // `jku` and an unknown `crit` all fail here (RFC 8725, sections 3.1 and 3.10).
        .find_map(|entry| Some((entry, signed.strip_prefix(entry.key.prefix().as_bytes())?)))
}
