//! The session token: a JWT (RFC 7519) that states the session.
//!
//! - Minted with the ring's current key: `iss`, `aud`, `sub`, `sid`, `iat`, `exp`, `auth_time`,
//!   `email` and, where known, `org`, `conn`, `given_name`, `family_name`, `psid` (the provider's
//!   session), `via` (`code` for a mailed code), `rem` (`true` for a remembered session), `skew`
//!   (seconds by which the minting replica's time was ahead of `iat`, because its clock was set
//!   back) with `by` (the mark of that replica's time), `askew` and `aby` (the same of `auth_time`,
//!   at the replica that began the session), `after` (the moment of the latest revocation that the
//!   sign-in comes after).
//! - It is verified in one pass. The header's exact bytes choose the key, the signature is checked
//!   before anything is parsed, and then every claim is checked. Any deviation is refused, but
//!   unknown claims are ignored.
//! - Time is an argument. A token is valid before `exp` and not on it.

use std::{borrow::Cow, fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    KeyRing, Session, SessionId, Term, Times,
    cookie::LONGEST,
    ring::{Entry, Keys},
};
use crate::{
    clock::{Reading, Skew, Timestamp},
    provider::SignInMethod,
};

/// The longest life of a session: 400 days.
///
/// Browsers cut cookies at that (draft-ietf-httpbis-rfc6265bis, section 5.5).
pub(crate) const LONGEST_SESSION: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The `via` of a session that began with a mailed code.
const BY_CODE: &str = "code";

/// How far another replica's clock may be ahead of ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its shape, key, signature or claims are not those of this layer.
    Invalid,
    /// It was valid, and has expired.
    Expired,
}

/// Mints and verifies tokens. Issuer and audience are both the public URL.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    keys: KeyRing,
    issuer: String,
}

impl Tokens {
    pub(crate) fn new(keys: KeyRing, issuer: impl Into<String>) -> Self {
        Self {
            keys,
            issuer: issuer.into(),
        }
    }

    pub(crate) const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Writes a session as a token, or returns `None` if the key's backend fails to sign.
    pub(crate) fn mint(&self, session: &Session) -> Option<String> {
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
            via: (session.method() == SignInMethod::MagicAuth).then(|| Text::from(BY_CODE)),
            rem: session.is_remembered(),
            skew: session.skew().ahead().as_secs(),
            by: session.skew().by(),
            askew: session.auth_skew().ahead().as_secs(),
            aby: session.auth_skew().by(),
            after: session.after().as_secs(),
        };
        let claims = serde_json::to_vec(&claims).ok()?;
        // The ring is read once, so that the header and the signature are of one key.
        let keys = self.keys.load();
        let key = keys.current();
        let mut token = key.prefix().to_owned();
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        key.sign_onto(&mut token)?;
        Some(token)
    }

    /// Says whether a key of ours has signed a token, whatever the token states and however old it
    /// is.
    pub(crate) fn has_signed(&self, token: &str) -> bool {
        signed_payload(&self.keys.load(), token).is_some()
    }

    /// Verifies a token, and returns the session that it states.
    pub(crate) fn verify(
        &self,
        token: &str,
        reading: impl Into<Reading>,
    ) -> Result<Session, Fault> {
        let reading = reading.into();
        let keys = self.keys.load();
        let (entry, payload) = signed_payload(&keys, token).ok_or(Fault::Invalid)?;
        // Checked once for the whole text, because serde_json would check the UTF-8 of each string.
        let payload = std::str::from_utf8(&payload).map_err(|_| Fault::Invalid)?;
        // serde would also accept an array of the claims' values.
        if !payload.starts_with('{') {
            return Err(Fault::Invalid);
        }
        let claims: Claims<'_> = serde_json::from_str(payload).map_err(|_| Fault::Invalid)?;
        // A retired key that signs later is in other hands, and past its end nothing counts.
        if !entry.stands(reading.now()) || !entry.minted(claims.iat) {
            return Err(Fault::Invalid);
        }
        let now = reading.judging(claims.iat, claims.skew());
        self.validate(&claims, now)?;
        // Of the sign-in's own skew: a renewal has another, and makes no sign-in younger.
        let since_sign_in = reading.judging(claims.auth_time, claims.auth_skew());
        Ok(claims.into_session(since_sign_in))
    }

    fn validate(&self, claims: &Claims<'_>, now: Timestamp) -> Result<(), Fault> {
        // Two applications may share a key. A session of one must not count at the other.
        let is_ours = claims.iss.0 == self.issuer && claims.aud.0 == self.issuer;
        let is_sound = claims.auth_time <= claims.iat
            // A later `iat` would postpone the idle end.
            && claims.iat <= now + LEEWAY
            && claims.nbf <= now + LEEWAY
            && claims.iat < claims.exp
            // `build()` allows no longer lifetime, so a longer token is not ours.
            && claims.exp <= claims.auth_time + LONGEST_SESSION
            && !claims.sub.0.is_empty()
            && !claims.email.0.is_empty();
        if !is_ours || !is_sound {
            return Err(Fault::Invalid);
        }
        // Last, so that only a token of ours is called expired.
        if now >= claims.exp {
            return Err(Fault::Expired);
        }
        Ok(())
    }
}

/// Returns the payload that a key of the ring has signed, without parsing any of it.
fn signed_payload<'k>(keys: &'k Keys, token: &str) -> Option<(&'k Entry, Vec<u8>)> {
    // Before any hashing: a bearer token may be as long as the server lets a header be.
    if token.len() > LONGEST {
        return None;
    }
    // From the right: a signature has no dot, and everything before it is what was signed.
    let (signed, signature) = token.rsplit_once('.')?;
    let (entry, payload) = key_of(keys, signed)?;
    // The signature covers the encoded text, so a forged payload is not even decoded.
    if !entry.key.verifies(signed, signature) {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    Some((entry, payload))
}

/// Chooses the key by the exact bytes of the header, and returns the encoded payload after them.
fn key_of<'k, 't>(keys: &'k Keys, signed: &'t str) -> Option<(&'k Entry, &'t str)> {
    keys.iter()
        // `alg` and `kid` are thus compared and never interpreted: `none`, a swapped algorithm,
        // `jku` and an unknown `crit` all fail here (RFC 8725, sections 3.1 and 3.10).
        .find_map(|entry| Some((entry, signed.strip_prefix(entry.key.prefix())?)))
}

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Text<'a>,
    #[serde(borrow)]
    aud: Text<'a>,
    #[serde(borrow)]
    sub: Text<'a>,
    sid: Id,
    iat: Timestamp,
    /// Never minted, but honoured if a token has one (RFC 7519, section 4.1.5).
    #[serde(default = "always", skip_serializing)]
    nbf: Timestamp,
    exp: Timestamp,
    auth_time: Timestamp,
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    org: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    conn: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    given_name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    family_name: Option<Text<'a>>,
    /// The provider's own session.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    psid: Option<Text<'a>>,
    /// How the address was proven; absent for a link.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    via: Option<Text<'a>>,
    /// Whether the session is remembered, which gives it a lifetime of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rem: bool,
    /// By how many seconds the minting replica's time was ahead of `iat`.
    #[serde(default, skip_serializing_if = "is_zero")]
    skew: u64,
    /// The mark of that replica's time.
    #[serde(default, skip_serializing_if = "is_zero")]
    by: u32,
    /// By how many seconds the time of the replica that began the session was ahead of
    /// `auth_time`.
    #[serde(default, skip_serializing_if = "is_zero")]
    askew: u64,
    /// The mark of that replica's time.
    #[serde(default, skip_serializing_if = "is_zero")]
    aby: u32,
    /// The moment of the latest revocation that was known when the person signed in.
    #[serde(default, skip_serializing_if = "is_zero")]
    after: u64,
}

impl Claims<'_> {
    const fn skew(&self) -> Skew {
        Skew::new(Duration::from_secs(self.skew), self.by)
    }

    const fn auth_skew(&self) -> Skew {
        Skew::new(Duration::from_secs(self.askew), self.aby)
    }

    fn into_session(self, now: Timestamp) -> Session {
        let (skew, auth_skew) = (self.skew(), self.auth_skew());
        let after = Timestamp::from_secs(self.after);
        Session::from_fields(
            [
                &self.sub.0,
                &self.email.0,
                optional(self.org.as_ref()),
                optional(self.conn.as_ref()),
                optional(self.given_name.as_ref()),
                optional(self.family_name.as_ref()),
                optional(self.psid.as_ref()),
            ],
            self.sid.0,
            match optional(self.via.as_ref()) {
                BY_CODE => SignInMethod::MagicAuth,
                _ => SignInMethod::MagicLink,
            },
            match self.rem {
                true => Term::Remembered,
                false => Term::Usual,
            },
            Times {
                issued_at: self.iat,
                expires_at: self.exp,
                auth_time: self.auth_time,
            },
            now,
        )
        .with_skew(skew)
        .with_auth_skew(auth_skew)
        .with_after(after)
    }
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

const fn always() -> Timestamp {
    Timestamp::from_secs(0)
}

fn optional<'t>(text: Option<&'t Text<'_>>) -> &'t str {
    text.map_or("", |text| &text.0)
}

/// A JSON string that is borrowed from the token unless it has escapes.
///
/// serde borrows a bare `Cow`, but not one inside an `Option`.
#[derive(Serialize)]
#[serde(transparent)]
struct Text<'a>(Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

struct Id(SessionId);

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        SessionId::parse(&text.0)
            .map(Self)
            .ok_or_else(|| de::Error::custom("not a session id"))
    }
}

#[cfg(test)]
mod tests;
