//! `SigningKey`: one key that mints and verifies session tokens.
//!
//! - HS256 uses RustCrypto's `hmac` and `sha2`, with the key schedule computed once. For one short
//!   token nothing is faster, and it needs no choice of a backend.
//! - EdDSA (Ed25519) and ES256 (P-256) use the backend of `backend.rs`. They let another service
//!   verify without our secret.
//! - A key knows the exact encoded header of its tokens, and these bytes choose the key of a token.
//!   The layer never interprets a token's `alg`, `kid`, `typ`, `crit` or `jku`.
//! - All other secrets are derived from the key (HKDF, RFC 5869), each purpose under its own label.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{base64url, derived::Known, example_keys, opening::Opening, pair::Pair};
use crate::error::ConfigError;

/// RFC 7518, section 3.2: an HS256 key is at least as long as the hash.
const SHORTEST_SECRET: usize = 32;
const LONGEST_KEY_ID: usize = 64;

/// A key that signs sessions. `Debug` prints only its id and algorithm.
///
/// ```
/// use tower_magic_link::SigningKey;
///
/// let error = SigningKey::hs256("too short").unwrap_err();
/// let want = "signing key has 9 bytes, fewer than the 32 that HS256 needs: \
///             `openssl rand -base64 32` prints a new one";
/// assert_eq!(error.to_string(), want);
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    /// The encoded header of this key's tokens, with the dot after it.
    prefix: String,
    /// Tells the key from others, whatever their ids. Never zero.
    mark: u64,
    material: Material,
    derive: Hkdf<Sha256>,
    /// Of all clones, whatever their ids.
    known: Arc<Known>,
}

#[derive(Clone)]
pub(super) enum Material {
    Hs256(Hmac<Sha256>),
    Pair(Box<Pair>),
}

impl SigningKey {
    /// Makes an HS256 key (HMAC-SHA256) of 32 random bytes or more: `openssl rand -base64 32`,
    /// decoded.
    ///
    /// # Errors
    ///
    /// When there are fewer than 32 bytes, or they are a well-known example, plainly not random, a
    /// text, or a public or private key in PEM, DER or SSH format. A text is a secret that someone
    /// wrote, or a random key that was encoded once more.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        if secret.len() < SHORTEST_SECRET {
            let length = secret.len();
            return Err(ConfigError::secret(
                "signing key",
                format!(
                    "has {length} bytes, fewer than the {SHORTEST_SECRET} that HS256 needs: `openssl \
                     rand -base64 32` prints a new one"
                ),
            ));
        }
        if is_key_document(secret) {
            return Err(ConfigError::secret(
                "signing key",
                "is a key document (PEM, DER or SSH), whose text may be public; HS256 needs random bytes",
            ));
        }
        if example_keys::is_known(secret) {
            return Err(ConfigError::secret(
                "signing key",
                "is a well-known example or not random, so anyone could sign in as any person: \
                 `openssl rand -base64 32` prints a good key",
            ));
        }
        if example_keys::is_text(secret) {
            return Err(ConfigError::secret(
                "signing key",
                "is a text and not random bytes: `openssl rand -base64 32` prints a good key",
            ));
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| {
            ConfigError::secret("signing key", "has a length that HMAC does not take")
        })?;
        Self::assemble(Material::Hs256(mac), secret)
    }

    /// Generates a fresh HS256 key. Its sessions end with the process, and no other replica knows
    /// it.
    ///
    /// # Errors
    ///
    /// In practice never: 32 random bytes pass every check of [`SigningKey::hs256`].
    pub fn generate() -> Result<Self, ConfigError> {
        Self::hs256(crate::random::bytes::<32>())
    }

    /// Sets the key's id, which is the `kid` of its tokens: 1 to 64 letters, digits, `-`, `_` and
    /// `.`. The default is derived from the key.
    ///
    /// A key keeps its id, or its lack of one, for as long as a token of it lives: a token names
    /// the key by that, and is refused under another. Give a new key a new id: a sibling
    /// that knows an id does not [fetch its key
    /// again](crate::companion::Jwks#how-old-a-siblings-copy-may-be).
    ///
    /// # Errors
    ///
    /// When the id is empty, too long or has other characters.
    pub fn with_id(mut self, id: impl Into<String>) -> Result<Self, ConfigError> {
        let id = id.into();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if id.is_empty() || id.len() > LONGEST_KEY_ID || !id.bytes().all(is_plain) {
            let problem = "must be 1 to 64 letters, digits, '-', '_' and '.'";
            return Err(ConfigError::invalid("key id", id, problem));
        }
        self.prefix = prefix(self.algorithm(), &id);
        self.id = id;
        Ok(self)
    }

    /// Returns the key's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the algorithm's name in JWA: `HS256`, `ES256` or `EdDSA` (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match &self.material {
            Material::Hs256(_) => "HS256",
            Material::Pair(pair) => pair.algorithm(),
        }
    }

    /// Says whether it is a key pair, and not a shared secret.
    pub(super) const fn is_pair(&self) -> bool {
        matches!(self.material, Material::Pair(_))
    }

    /// Returns the members of the key's JWK that hold its public key, or `None` for a shared
    /// secret.
    pub(super) fn public_jwk(&self) -> Option<String> {
        match &self.material {
            Material::Hs256(_) => None,
            Material::Pair(pair) => Some(pair.public_jwk()),
        }
    }

    /// Says whether two keys have the same secret, whatever their ids. This needs no constant time,
    /// because both keys are ours.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        // Compared by a derived value: a key pair and a shared secret have no common form to
        // compare.
        self.algorithm() == other.algorithm()
            && self.derived::<32>("same key") == other.derived("same key")
    }

    /// Reads a private key of either kind of pair, in PKCS #8 PEM.
    pub(super) fn of_pem(text: &str) -> Result<Self, &'static str> {
        let pem = text.as_bytes();
        let (pair, seed) = Pair::ed25519(pem)
            .or_else(|| Pair::p256(pem))
            .ok_or(Pair::NO_PEM)?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed).map_err(|_| Pair::NO_PEM)
    }

    pub(super) fn assemble(material: Material, secret: &[u8]) -> Result<Self, ConfigError> {
        let mut key = Self {
            id: String::new(),
            prefix: String::new(),
            mark: 0,
            material,
            // The salt keeps these secrets apart from those that another program derives from the
            // same key.
            derive: Hkdf::new(Some(b"tower-magic-link"), secret),
            known: Arc::default(),
        };
        key.mark = u64::from_be_bytes(key.derived("mark")).max(1);
        let id = URL_SAFE_NO_PAD.encode(key.derived::<6>("key id"));
        // The id may begin with '-' or '_': a `kid` has no special characters.
        key = key.with_id(id)?;
        Ok(key)
    }

    /// Makes an HS256 key of any secret, for tokens with any header.
    #[cfg(test)]
    pub(super) fn with_header(secret: &[u8], encoded: &str) -> Self {
        Self {
            id: encoded.to_owned(),
            prefix: format!("{encoded}."),
            mark: 1,
            material: Material::Hs256(Hmac::new_from_slice(secret).unwrap()),
            derive: Hkdf::new(None, secret),
            known: Arc::default(),
        }
    }

    /// Returns a secret for one purpose, independent of the secrets of all other labels.
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA256 yields up to 8,160 bytes; no purpose asks for more than 32"
    )]
    pub(super) fn derived<const N: usize>(&self, label: &str) -> [u8; N] {
        let mut secret = [0; N];
        self.derive
            .expand(label.as_bytes(), &mut secret)
            .expect("the length is within HKDF's bound");
        secret
    }

    /// Returns what was derived from this key before.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Returns what tells the key from others, in this process. It is written nowhere.
    pub(super) const fn mark(&self) -> u64 {
        self.mark
    }

    /// Returns the encoded header of this key's tokens, with the dot after it.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Appends the encoded signature of the text so far.
    pub(super) fn sign_onto(&self, text: &mut String) -> Option<()> {
        match &self.material {
            Material::Hs256(mac) => {
                let signature = mac
                    .clone()
                    .chain_update(text.as_bytes())
                    .finalize()
                    .into_bytes();
                text.push('.');
                base64url::encode_onto(text, signature);
            }
            Material::Pair(pair) => {
                let signature = pair.sign(text.as_bytes())?;
                text.push('.');
                base64url::encode_onto(text, signature);
            }
        }
        Some(())
    }

    /// Says whether the key verifies what it signs.
    pub(super) fn works(&self) -> bool {
        let mut token = format!("{}self-test", self.prefix);
        let text = token.clone();
        let Some(()) = self.sign_onto(&mut token) else {
            return false;
        };
        let signature = token
            .strip_prefix(&text)
            .and_then(|end| end.strip_prefix('.'));
        signature
            .is_some_and(|signature| self.verifies(text.as_bytes(), signature.as_bytes(), None))
    }

    /// Returns how this key's tokens of one issuer begin.
    pub(super) fn opening(&self, issuer: &str) -> Option<Opening> {
        let mac = match &self.material {
            Material::Hs256(mac) => Some(mac),
            Material::Pair(_) => None,
        };
        Opening::new(&self.prefix, issuer, mac)
    }

    /// Says whether an encoded signature of the text is this key's. It takes constant time in the
    /// signature's bytes. `opening` is given if the text begins with this key's header and with it.
    pub(super) fn verifies(
        &self,
        text: &[u8],
        signature: &[u8],
        opening: Option<&Opening>,
    ) -> bool {
        // An Ed25519 or P-256 signature has 64 bytes, an HMAC-SHA256 has 32. A longer text does not
        // fit, and is refused.
        let mut buffer = [0; 64];
        let Some(signature) = base64url::decode(signature, &mut buffer) else {
            return false;
        };
        match &self.material {
            Material::Hs256(key) => {
                let begun = opening.and_then(|opening| opening.hashed(text));
                let (state, left) = begun.unwrap_or((key, text));
                // Copied once: the state has 200 bytes.
                let mut mac = state.clone();
                mac.update(left);
                mac.verify_slice(signature).is_ok()
            }
            Material::Pair(pair) => pair.verifies(text, signature),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .field("secret", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// Returns the encoded header with its dot. No id has a character that JSON escapes, so the text
/// can be written directly.
fn prefix(algorithm: &str, id: &str) -> String {
    // An explicit type (RFC 8725, section 3.11): no ID token or access token of the same key passes
    // for a session.
    let header = format!(r#"{{"alg":"{algorithm}","typ":"session+jwt","kid":"{id}"}}"#);
    let mut prefix = URL_SAFE_NO_PAD.encode(header);
    prefix.push('.');
    prefix
}

/// Says whether a secret is a key in one of the usual formats of public keys. With a public key as
/// the secret of an HMAC, everybody could sign (CVE-2022-29217 and similar).
fn is_key_document(secret: &[u8]) -> bool {
    let text = secret.trim_ascii_start();
    let is_text = ["-----BEGIN ", "ssh-", "ecdsa-sha2-", "sk-ssh-"]
        .iter()
        .any(|start| text.starts_with(start.as_bytes()));
    // A DER sequence of exactly this length that begins with a sequence or an integer:
    // SubjectPublicKeyInfo, PKCS #1, PKCS #8. The shortest public key has 44 bytes, so a random key
    // of 32 is never mistaken for one.
    let is_der = secret.len() >= 44
        && match secret {
            [0x30, length, 0x30 | 0x02, ..] if *length < 0x80 => {
                usize::from(*length) + 2 == secret.len()
            }
            [0x30, 0x81, length, 0x30 | 0x02, ..] => usize::from(*length) + 3 == secret.len(),
            [0x30, 0x82, high, low, 0x30 | 0x02, ..] => {
                usize::from(u16::from_be_bytes([*high, *low])) + 4 == secret.len()
            }
            _ => false,
        };
    is_text || is_der
}

#[cfg(test)]
mod tests;
