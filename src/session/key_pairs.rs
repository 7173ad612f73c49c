//! Signing keys that are key pairs: for EdDSA and ES256.

use super::{
    keys::{Material, SigningKey},
    pair::Pair,
};
use crate::error::ConfigError;

#[cfg_attr(docsrs, doc(cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))))]
impl SigningKey {
    /// Generates a fresh Ed25519 key for EdDSA. Its sessions end with the process, and no other
    /// replica knows it.
    ///
    /// # Errors
    ///
    /// In practice never: any 32 bytes are an Ed25519 private key.
    pub fn generate_ed25519() -> Result<Self, ConfigError> {
        let (pair, seed) = Pair::ed25519_of(crate::random::bytes())
            .ok_or_else(|| ConfigError::secret("signing key", "is not accepted by the backend"))?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }

    /// Reads an Ed25519 private key for EdDSA, in PKCS #8 PEM: `openssl genpkey -algorithm
    /// ed25519`.
    ///
    /// # Errors
    ///
    /// When the text is not such a key.
    pub fn ed25519_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let invalid = || {
            ConfigError::secret(
                "signing key",
                "is not an Ed25519 private key in PKCS #8 PEM",
            )
        };
        let (pair, seed) = Pair::ed25519(pem.as_ref()).ok_or_else(invalid)?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }

    /// Reads a P-256 private key for ES256, in PKCS #8 PEM: `openssl genpkey -algorithm EC -pkeyopt
    /// ec_paramgen_curve:P-256`.
    ///
    /// Prefer EdDSA if every sibling service supports it. It is faster, and needs no random number
    /// to sign. A token also has only one EdDSA signature, while anyone can turn an ECDSA signature
    /// into a second valid one.
    ///
    /// # Errors
    ///
    /// When the text is not such a key.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let invalid =
            || ConfigError::secret("signing key", "is not a P-256 private key in PKCS #8 PEM");
        let (pair, seed) = Pair::p256(pem.as_ref()).ok_or_else(invalid)?;
        Self::assemble(Material::Pair(Box::new(pair)), &seed)
    }
}
