//! The session token: a JWT (RFC 7519) that states the session.
//!
//! - Minted with the ring's current key: `iss`, `aud`, `sub`, `sid`, `iat`, `exp`, `auth_time`,
//!   `email` and, where known, `org`, `conn`, `given_name`, `family_name`, `psid` (the provider's
//!   session), `psub` and `porg` (the provider's subject and organization, if the application
//!   granted others), `via` (`code` for a mailed code), `rem` (`true` for a remembered session),
//!   `skew` (seconds by which the minting replica's time was ahead of `iat`, because its clock was
//!   set back) with `by` (the mark of that replica's time), `askew` and `aby` (the same of
//!   `auth_time`, at the replica that began the session), `after` (the moment of the latest
//!   revocation that the sign-in comes after), `app` (the application's own claims, an object).
//! - It is verified in one pass. The header's exact bytes choose the key, the signature is checked
//!   before anything is parsed, and then every claim is checked. Any deviation is refused, but
//!   unknown claims are ignored.
//! - Time is an argument. A token is valid before `exp` and not on it.

use std::sync::Arc;

pub(crate) use self::stated::{Fault, LONGEST_SESSION};
use self::{
    claims::{Claims, Id, Text},
    plain::Known,
    signed::{Signed, halves_of, key_of},
    stated::{BY_CODE, Stated, always},
};
use super::{
    IssueError, KeyRing, Session, SigningKey, Times, base64url,
    cookie::LONGEST,
    issued::Of,
    record::{Facts, KeyMark, Record},
    ring::{Entry, Keys},
};
use crate::{clock::Reading, provider::SignInMethod};

/// Mints and verifies tokens. Issuer and audience are both the public URL.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    keys: KeyRing,
    issuer: String,
    verifying: Verifying,
}

/// When the signature of a key pair is verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verifying {
    /// At each sight of a token.
    Always,
    /// Until the token is hot.
    #[default]
    UntilHot,
}

impl Tokens {
    pub(crate) fn new(keys: KeyRing, issuer: impl Into<String>) -> Self {
        Self {
            keys,
            issuer: issuer.into(),
            verifying: Verifying::default(),
        }
    }

    pub(crate) fn verifying(self, verifying: Verifying) -> Self {
        Self { verifying, ..self }
    }

    pub(crate) const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Writes a session as a token, or returns `None` if the key's backend fails to sign.
    pub(crate) fn mint(&self, session: &Session) -> Option<String> {
        // The ring is read once, so that the header and the signature are of one key.
        self.mint_by(&self.keys.load(), session)
    }

    /// Writes a session as a token, and returns it as one of that token.
    ///
    /// Nothing that was forged with a key becomes a token of the next one: if the key of what the
    /// session comes of has left the ring meanwhile, it has [ended](IssueError::Ended).
    pub(crate) fn hand_out(
        &self,
        session: Session,
        of: Of<'_>,
        reading: impl Into<Reading>,
    ) -> Result<(String, Session), IssueError> {
        // By the snapshot that signs. Another one may already be without that key.
        let keys = self.keys.load();
        let stands = match of {
            Of::Application => true,
            Of::Session(parent) => self.stands_in(&keys, parent, reading.into()),
            Of::SignIn(sealed_by) => keys.has(sealed_by),
        };
        if !stands {
            return Err(IssueError::Ended);
        }
        let token = self.mint_by(&keys, &session).ok_or(IssueError::NotSigned)?;
        Ok((token, session.with_key(self.mark_of(keys.current()))))
    }

    fn mint_by(&self, keys: &Keys, session: &Session) -> Option<String> {
        let claims = Claims {
            iss: Text::from(self.issuer.as_str()),
            aud: Text::from(self.issuer.as_str()),
            sub: Text::from(session.subject()),
            sid: Id(session.id()),
            iat: session.issued_at(),
            nbf: always(),
            exp: session.expires_at(),
            auth_time: session.auth_time(),
            email: Text::from(session.email()),
            org: session.organization().map(Text::from),
            conn: session.connection().map(Text::from),
            given_name: session.first_name().map(Text::from),
            family_name: session.last_name().map(Text::from),
            // WorkOS's webhook names a session by this id, and no table maps it to ours.
            psid: session.provider_session().map(Text::from),
            psub: session.proven().map(|(subject, _)| Text::from(subject)),
            porg: session.proven().and_then(|(_, org)| org.map(Text::from)),
            via: (session.method() == SignInMethod::MagicAuth).then(|| Text::from(BY_CODE)),
            rem: session.is_remembered(),
            skew: session.skew().ahead().as_secs(),
            by: session.skew().by(),
            askew: session.auth_skew().ahead().as_secs(),
            aby: session.auth_skew().by(),
            after: session.after().as_secs(),
            app: session
                .claims_json()
                .map(serde_json::from_str)
                .transpose()
                .ok()?,
        };
        let json = written::json(&claims);
        let key = keys.current();
        // Four characters for three bytes, and a signature of 86 characters at most.
        let length = key.prefix().len() + json.len() / 3 * 4 + 4 + ".".len() + 86;
        let mut token = String::with_capacity(length);
        token.push_str(key.prefix());
        base64url::encode_onto(&mut token, json);
        key.sign_onto(&mut token)?;
        Some(token)
    }

    /// Says whether the key of a session's token still counts: it may have left the ring since. A
    /// session of another ring is not judged.
    pub(crate) fn stands(&self, session: &Session, reading: Reading) -> bool {
        self.stands_in(&self.keys.load(), session, reading)
    }

    fn stands_in(&self, keys: &Keys, session: &Session, reading: Reading) -> bool {
        let KeyMark { ring, key } = session.key();
        let counts =
            |entry: &Entry| entry.key.mark() == key && entry.counts(session.issued_at(), reading);
        ring != self.keys.id() || keys.iter().any(counts)
    }

    fn mark_of(&self, key: &SigningKey) -> KeyMark {
        KeyMark {
            ring: self.keys.id(),
            key: key.mark(),
        }
    }

    /// Says whether a key of the ring has signed a session's token, whatever ring read it.
    pub(crate) fn knows(&self, session: &Session) -> bool {
        let KeyMark { key, .. } = session.key();
        self.keys.load().iter().any(|entry| entry.key.mark() == key)
    }

    /// Says whether a key of ours has signed a token, whatever the token states and however old it
    /// is.
    pub(crate) fn has_signed(&self, token: impl AsRef<[u8]>) -> bool {
        self.signed(&self.keys.load(), token.as_ref())
            .is_some_and(|signed| base64url::is_valid(signed.payload))
    }

    /// Says whether a key of ours may have signed a token. That takes no cryptography: a caller may
    /// count first how many tokens it would have to verify.
    pub(crate) fn may_have_signed(&self, token: &[u8]) -> bool {
        let Some((signed, signature)) = halves_of(token) else {
            return false;
        };
        let payload = key_of(&self.keys.load(), signed).map(|(_, payload)| payload);
        payload.is_some_and(base64url::is_valid) && base64url::is_valid(signature)
    }

    /// Verifies a token, and returns the session that it states.
    pub(crate) fn verify(
        &self,
        token: impl AsRef<[u8]>,
        reading: impl Into<Reading>,
    ) -> Result<Session, Fault> {
        let (keys, reading) = (self.keys.load(), reading.into());
        keys.see(reading);
        self.verify_in(&keys, token.as_ref(), reading)
    }

    fn verify_in(&self, keys: &Keys, token: &[u8], reading: Reading) -> Result<Session, Fault> {
        let signed = self.signed(keys, token);
        let signed = signed.as_ref().ok_or(Fault::Invalid)?;
        if let Some(kept) = signed.kept() {
            let stated = Stated::of(kept.facts());
            judge(&stated, signed.entry, reading)?;
            return Ok(kept.again(self.facts(&stated, signed.entry, reading)));
        }
        // The claims are decoded into the room in which the session's texts stay.
        let session = match signed.unknown.len() / 4 * 3 + 3 {
            0..=256 => self.read::<256>(signed, reading),
            257..=512 => self.read::<512>(signed, reading),
            _ => self.read::<LONGEST>(signed, reading),
        }?;
        // Only now: a token that is refused is not worth a place, and one whose key has ended would
        // stay there.
        if let Some((hot, signature)) = signed.verified {
            // A session says all of what a token states as `mint` writes it. Of another one it says
            // no `nbf`, and without an opening not for whom it is.
            hot.note(token, signature, || {
                signed.is_plain().then(|| session.compact())
            });
        }
        Ok(session)
    }

    /// Verifies a token whose date is ahead of the moment by which it is judged here, as of that
    /// date: another replica accepts it already.
    pub(crate) fn verify_ahead(&self, token: &[u8], reading: Reading) -> Option<Session> {
        let keys = self.keys.load();
        let signed = self.signed(&keys, token)?;
        let mut room = [0; LONGEST];
        let claims = base64url::decode(signed.payload, &mut room)?;
        let claims: Claims<'_> = serde_json::from_slice(claims).ok()?;
        let Stated { iat, skew, .. } = claims.stated(&self.issuer);
        let is_ahead = iat > reading.judging(iat, skew) && signed.entry.counts(iat, reading);
        is_ahead.then(|| self.verify_in(&keys, token, Reading::level(iat)).ok())?
    }

    fn read<const N: usize>(
        &self,
        signed: &Signed<'_, '_>,
        reading: Reading,
    ) -> Result<Session, Fault> {
        // Made where it stays, and not made first and then moved.
        let mut record = Arc::<Record<[u8; N]>>::default();
        // Nobody else has it yet.
        let blank = Arc::get_mut(&mut record).ok_or(Fault::Invalid)?;
        let (room, places) = blank.texts_mut();
        let claims = base64url::decode(signed.unknown, room).ok_or(Fault::Invalid)?;
        let known = match signed.opening {
            Some(opening) => Known::To(opening.rest()),
            None => Known::Nothing(&self.issuer),
        };
        if let Some(stated) = plain::read(claims, known, places) {
            judge(&stated, signed.entry, reading)?;
            blank.facts = self.facts(&stated, signed.entry, reading);
            return Ok(Session::of(record));
        }
        let mut room = [0; LONGEST];
        let claims = base64url::decode(signed.payload, &mut room).ok_or(Fault::Invalid)?;
        // Checked once for the whole text, because serde_json would check the UTF-8 of each string.
        let claims = std::str::from_utf8(claims).map_err(|_| Fault::Invalid)?;
        // serde would also accept an array of the claims' values.
        if !claims.starts_with('{') {
            return Err(Fault::Invalid);
        }
        let claims: Claims<'_> = serde_json::from_str(claims).map_err(|_| Fault::Invalid)?;
        let stated = claims.stated(&self.issuer);
        judge(&stated, signed.entry, reading)?;
        let facts = self.facts(&stated, signed.entry, reading);
        Ok(Session::with(facts, claims.texts()))
    }

    /// Returns a token that a key of the ring has signed, without decoding any of its payload.
    fn signed<'k, 't>(&self, keys: &'k Keys, token: &'t [u8]) -> Option<Signed<'k, 't>> {
        let (signed, signature) = halves_of(token)?;
        let (entry, payload) = key_of(keys, signed)?;
        let begun = entry
            .opening(&self.issuer)
            .and_then(|opening| Some((opening, opening.strip(payload)?)));
        let opening = begun.map(|(opening, _)| opening);
        let hot = match self.verifying {
            Verifying::Always => None,
            Verifying::UntilHot => entry.hot(),
        };
        // The signature covers the encoded text, so a forged payload is not even decoded.
        let found = hot.and_then(|hot| hot.find(token, signature));
        (found.is_some() || entry.key.verifies(signed, signature, opening)).then_some(())?;
        Some(Signed {
            entry,
            verified: hot.filter(|_| found.is_none()).map(|hot| (hot, signature)),
            found,
            payload,
            opening,
            unknown: begun.map_or(payload, |(_, unknown)| unknown),
        })
    }

    /// Returns what a session knows of a token that has been judged.
    fn facts(&self, stated: &Stated, entry: &Entry, reading: Reading) -> Facts {
        Facts {
            id: stated.sid,
            method: stated.method,
            term: stated.term,
            times: Times {
                issued_at: stated.iat,
                expires_at: stated.exp,
                auth_time: stated.auth_time,
            },
            skew: stated.skew,
            auth_skew: stated.auth_skew,
            after: stated.after,
            // Of the sign-in's own skew: a renewal has another, and makes no sign-in younger.
            as_of: reading.judging(stated.auth_time, stated.auth_skew),
            key: self.mark_of(&entry.key),
        }
    }
}

/// Judges what a token states, whichever way it was read.
fn judge(stated: &Stated, entry: &Entry, reading: Reading) -> Result<(), Fault> {
    if !entry.counts(stated.iat, reading) {
        return Err(Fault::Invalid);
    }
    stated.validate(reading.judging(stated.iat, stated.skew))
}

mod claims;
mod plain;
mod signed;
mod stated;
#[cfg(test)]
mod tests;
mod written;
