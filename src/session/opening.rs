//! `Opening`: how every token of one key and one issuer begins.
//!
//! - A token begins with its header, `iss` and `aud`, and so with the same encoded text as every
//!   other of that key. That text is compared instead of decoded, and its part of the HMAC is
//!   computed once.
//! - It is an abbreviation and not another rule: a token that begins otherwise is read in full.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// SHA-256 reads blocks of 64 bytes (FIPS 180-4), so a state is kept at the end of one.
const BLOCK: usize = 64;

#[derive(Clone)]
pub(super) struct Opening {
    issuer: String,
    /// The encoded text behind the key's header. The caller has compared that header.
    text: String,
    /// What of the claims is known too, but ends within an encoded character.
    rest: String,
    /// The state of the HMAC after the blocks that header and text fill.
    state: Option<Hmac<Sha256>>,
    hashed: usize,
}

impl Opening {
    /// Makes the opening for a header and an issuer. `key` is the state of a shared secret.
    pub(super) fn new(prefix: &str, issuer: &str, key: Option<&Hmac<Sha256>>) -> Option<Self> {
        let name = serde_json::to_string(issuer).ok()?;
        let claims = format!("{{\"iss\":{name},\"aud\":{name},\"sub\":\"");
        // Three bytes are four characters: what is left over shares a character with the subject.
        let (known, rest) = claims.split_at_checked(claims.len() / 3 * 3)?;
        let text = URL_SAFE_NO_PAD.encode(known);
        let whole = format!("{prefix}{text}");
        let hashed = whole.len() / BLOCK * BLOCK;
        let blocks = whole.get(..hashed)?;
        Some(Self {
            state: key.map(|key| key.clone().chain_update(blocks)),
            issuer: issuer.to_owned(),
            rest: rest.to_owned(),
            text,
            hashed,
        })
    }

    pub(super) fn is_of(&self, issuer: &str) -> bool {
        self.issuer == issuer
    }

    /// Returns what of an encoded payload is behind the opening, if it begins with that.
    pub(super) fn strip<'t>(&self, payload: &'t [u8]) -> Option<&'t [u8]> {
        payload.strip_prefix(self.text.as_bytes())
    }

    /// Returns the claims' text between the opening and the subject.
    pub(super) fn rest(&self) -> &str {
        &self.rest
    }

    /// Returns the state of the HMAC over a text that begins with the opening, and what of the text
    /// is still to be hashed.
    pub(super) fn hashed<'o, 't>(
        &'o self,
        signed: &'t [u8],
    ) -> Option<(&'o Hmac<Sha256>, &'t [u8])> {
        Some((self.state.as_ref()?, signed.get(self.hashed..)?))
    }
}
