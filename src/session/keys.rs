//! `SigningKey`: one key that mints and verifies session tokens.
//!
//! - HS256 by RustCrypto's `hmac` and `sha2` with the key schedule computed once: for one short
//!   token that is the fastest there is, and no backend has to be chosen for it.
//! - EdDSA (Ed25519) and ES256 (P-256) by the backend of `backend.rs`, for when another service
//!   verifies without our secret.
//! - A key knows the exact encoded header of the tokens that it mints. A token finds its key by
//!   these bytes; `alg`, `kid`, `typ`, `crit`, `jku` from outside are never interpreted.
//! - What else must be secret is derived from the key (HKDF, RFC 5869), each purpose under its own
//!   label.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::example_keys;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
use super::pair::Pair;
use crate::error::ConfigError;

/// RFC 7518, section 3.2: an HS256 key is at least as long as the hash.
const SHORTEST_SECRET: usize = 32;
const LONGEST_KEY_ID: usize = 64;

/// A key that signs sessions. `Debug` prints its id and algorithm alone.
///
/// ```
/// use tower_magic_link::SigningKey;
///
/// let error = SigningKey::hs256("too short").unwrap_err();
/// assert_eq!(error.to_string(), "signing key has 9 bytes, fewer than the 32 that HS256 needs");
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    /// The encoded header of this key's tokens, and the dot behind it.
    prefix: String,
    material: Material,
    derive: Hkdf<Sha256>,
}

#[derive(Clone)]
enum Material {
    Hs256(Hmac<Sha256>),
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    Pair(Box<Pair>),
}

impl SigningKey {
    /// Makes an HS256 key (HMAC-SHA256) of 32 random bytes or more: `openssl rand -base64 32`,
    /// decoded.
    ///
    /// # Errors
    ///
    /// When there are fewer than 32 bytes, or they are a well-known example, plainly not random, or
    /// a public or private key in PEM, DER or SSH's format.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        if secret.len() < SHORTEST_SECRET {
            let length = secret.len();
            return Err(ConfigError::secret(
                "signing key",
                format!("has {length} bytes, fewer than the {SHORTEST_SECRET} that HS256 needs"),
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
                "is a well-known example or not random: whoever knows it can sign in as anybody",
            ));
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| {
            ConfigError::secret("signing key", "has a length that HMAC does not take")
        })?;
        Self::assemble(Material::Hs256(mac), secret)
    }

    /// Draws a fresh HS256 key. Sessions signed with it end with the process, and no other replica
    /// knows it.
    ///
    /// # Errors
    ///
    /// In practice never: 32 random bytes pass every check of [`SigningKey::hs256`].
    pub fn generate() -> Result<Self, ConfigError> {
        Self::hs256(crate::random::bytes::<32>())
    }

    /// Draws a fresh Ed25519 key for EdDSA. Sessions signed with it end with the process, and no
    /// other replica knows it.
    ///
    /// # Errors
    ///
    /// In practice never: any 32 bytes are an Ed25519 private key.
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))))]
    pub fn generate_ed25519() -> Result<Self, ConfigError> {
        let (pair, seed) = Pair::ed25519_of(crate::random::bytes())
            .ok_or_else(|| ConfigError::secret("signing key", "is not taken by the backend"))?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }

    /// Reads an Ed25519 private key for EdDSA, in PKCS #8 PEM: `openssl genpkey -algorithm
    /// ed25519`.
    ///
    /// # Errors
    ///
    /// When the text is not such a key.
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))))]
    pub fn ed25519_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let invalid =
            || ConfigError::secret("signing key", "is no Ed25519 private key in PKCS #8 PEM");
        let (pair, seed) = Pair::ed25519(pem.as_ref()).ok_or_else(invalid)?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }

    /// Reads a P-256 private key for ES256, in PKCS #8 PEM: `openssl genpkey -algorithm EC -pkeyopt
    /// ec_paramgen_curve:P-256`.
    ///
    /// EdDSA is the better choice where every sibling knows it: it is faster, needs no random
    /// number to sign, and its signature has one form (of one by ECDSA anybody can make a second,
    /// for the same token).
    ///
    /// # Errors
    ///
    /// When the text is not such a key.
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))))]
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let invalid =
            || ConfigError::secret("signing key", "is no P-256 private key in PKCS #8 PEM");
        let (pair, seed) = Pair::p256(pem.as_ref()).ok_or_else(invalid)?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }

    /// Names the key: the `kid` of its tokens, at most 64 letters, digits, `-`, `_` and `.`. The
    /// default is derived from the key.
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

    /// Returns the key's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the algorithm's name in JWA: `HS256`, `ES256` or `EdDSA` (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match &self.material {
            Material::Hs256(_) => "HS256",
            #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
            Material::Pair(pair) => pair.algorithm(),
        }
    }

    /// Returns the members of the key's JWK that say which public key it is; `None` of a shared
    /// secret.
    pub(super) fn public_jwk(&self) -> Option<String> {
        match &self.material {
            Material::Hs256(_) => None,
            #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
            Material::Pair(pair) => Some(pair.public_jwk()),
        }
    }

    /// Says whether two keys have the same secret, whatever they are called. Not in constant time:
    /// both are ours.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.algorithm() == other.algorithm()
            && self.derived::<32>("same key") == other.derived("same key")
    }

    fn assemble(material: Material, secret: &[u8]) -> Result<Self, ConfigError> {
        let mut key = Self {
            id: String::new(),
            prefix: String::new(),
            material,
            derive: Hkdf::new(Some(b"tower-magic-link"), secret),
        };
        let id = URL_SAFE_NO_PAD.encode(key.derived::<6>("key id"));
        // A leading '-' or '_' is as good as any other character.
        key = key.with_id(id)?;
        Ok(key)
    }

    /// Makes an HS256 key of any secret, whose tokens have any header.
    #[cfg(test)]
    pub(super) fn with_header(secret: &[u8], encoded: &str) -> Self {
        Self {
            id: encoded.to_owned(),
            prefix: format!("{encoded}."),
            material: Material::Hs256(Hmac::new_from_slice(secret).unwrap()),
            derive: Hkdf::new(None, secret),
        }
    }

    /// Returns a secret for one purpose, independent of those for every other label.
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

    /// Returns the encoded header of this key's tokens, with the dot behind it.
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
                URL_SAFE_NO_PAD.encode_string(signature, text);
            }
            #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
            Material::Pair(pair) => {
                let signature = pair.sign(text.as_bytes())?;
                text.push('.');
                URL_SAFE_NO_PAD.encode_string(signature, text);
            }
        }
        Some(())
    }

    /// Says whether an encoded signature is this key's for the text. Constant time in the
    /// signature's bytes.
    pub(super) fn verifies(&self, text: &str, signature: &str) -> bool {
        // 64 bytes is an Ed25519 or P-256 signature; HMAC-SHA256 has 32. A longer one does not fit
        // and is refused.
        let mut buffer = [0; 64];
        let Ok(length) = URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer) else {
            return false;
        };
        let signature = buffer.get(..length).unwrap_or_default();
        match &self.material {
            Material::Hs256(mac) => mac
                .clone()
                .chain_update(text.as_bytes())
                .verify_slice(signature)
                .is_ok(),
            #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
            Material::Pair(pair) => pair.verifies(text.as_bytes(), signature),
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

/// The id has no character that JSON escapes, so the header can be written as it stands.
fn prefix(algorithm: &str, id: &str) -> String {
    let header = format!(r#"{{"alg":"{algorithm}","typ":"session+jwt","kid":"{id}"}}"#);
    let mut prefix = URL_SAFE_NO_PAD.encode(header);
    prefix.push('.');
    prefix
}

/// Says whether a secret is a key in one of the formats that public keys are handed out in. With
/// one of those as the secret of an HMAC, everybody could sign (CVE-2022-29217 and its kin).
fn is_key_document(secret: &[u8]) -> bool {
    let text = secret.trim_ascii_start();
    let is_text = ["-----BEGIN ", "ssh-", "ecdsa-sha2-", "sk-ssh-"]
        .iter()
        .any(|start| text.starts_with(start.as_bytes()));
    // A DER sequence of just this length, with a sequence or an integer first:
    // SubjectPublicKeyInfo, PKCS #1, PKCS #8. The shortest public key has 44 bytes; random keys of
    // 32 are never mistaken for one.
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
