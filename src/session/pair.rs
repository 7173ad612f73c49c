//! Key pairs: the private key signs and stays here, the public key verifies and may be published.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use super::backend;

/// A private key, and the public one that belongs to it.
#[derive(Clone)]
pub(super) struct Pair {
    private: EncodingKey,
    public: DecodingKey,
    curve: Curve,
}

/// The public key, by its curve.
#[derive(Clone)]
enum Curve {
    Ed25519 { x: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
}

impl Pair {
    /// What is wrong with a PEM that is no key of ours.
    pub(super) const NO_PEM: &'static str = "is not an Ed25519 or P-256 private key in PKCS #8 PEM: `openssl genpkey -algorithm ed25519` prints one";

    /// Reads an Ed25519 key, and returns its secret bytes too.
    pub(super) fn ed25519(pem: &[u8]) -> Option<(Self, Vec<u8>)> {
        Self::ed25519_in(EncodingKey::from_ed_der(&document(pem)?))
    }

    /// Makes an Ed25519 key from its secret bytes.
    pub(super) fn ed25519_of(secret: [u8; 32]) -> Option<(Self, Vec<u8>)> {
        // The bytes before the secret in PKCS #8, version 1 (RFC 8410, section 10.3).
        const BEFORE: &[u8] = &[
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        Self::ed25519_in(EncodingKey::from_ed_der(&[BEFORE, &secret].concat()))
    }

    fn ed25519_in(private: EncodingKey) -> Option<(Self, Vec<u8>)> {
        // An octet string of 34 bytes that holds an octet string of 32 (RFC 8410, section 7).
        const TAGS: &[u8] = &[0x04, 0x22, 0x04, 0x20];
        let x = backend::ed25519_public(&private)?;
        let public = DecodingKey::from_ed_der(&x);
        Self::of(private, public, Curve::Ed25519 { x }, TAGS)
    }

    /// Reads a P-256 key, and returns its secret bytes too.
    pub(super) fn p256(pem: &[u8]) -> Option<(Self, Vec<u8>)> {
        // Version 1, and an octet string of 32 bytes (RFC 5915, section 3).
        const TAGS: &[u8] = &[0x02, 0x01, 0x01, 0x04, 0x20];
        // The uncompressed form of a point (SEC 1, section 2.3.3).
        const UNCOMPRESSED: &[u8] = &[0x04];
        let private = EncodingKey::from_ec_der(&document(pem)?);
        let (x, y) = backend::p256_public(&private)?;
        let public = DecodingKey::from_ec_der(&[UNCOMPRESSED, &x, &y].concat());
        Self::of(private, public, Curve::P256 { x, y }, TAGS)
    }

    /// Joins the halves, and returns the secret bytes behind these tags of the private one too.
    fn of(
        private: EncodingKey,
        public: DecodingKey,
        curve: Curve,
        tags: &[u8],
    ) -> Option<(Self, Vec<u8>)> {
        let secret = secret_behind(tags, private.as_bytes())?;
        let pair = Self {
            private,
            public,
            curve,
        };
        Some((pair, secret))
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        match self.curve {
            Curve::Ed25519 { .. } => "EdDSA",
            Curve::P256 { .. } => "ES256",
        }
    }

    /// Returns the JWK members of the public key (RFC 8037, section 2, and RFC 7518, section
    /// 6.2.1). No value has a character that JSON escapes.
    pub(super) fn public_jwk(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.curve {
            Curve::Ed25519 { x } => {
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, text(x))
            }
            Curve::P256 { x, y } => {
                let (x, y) = (text(x), text(y));
                format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#)
            }
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        backend::sign(self.backend_algorithm(), message, &self.private)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        backend::verify(self.backend_algorithm(), message, signature, &self.public)
    }

    const fn backend_algorithm(&self) -> Algorithm {
        match self.curve {
            Curve::Ed25519 { .. } => Algorithm::EdDSA,
            Curve::P256 { .. } => Algorithm::ES256,
        }
    }
}

/// Returns the PKCS #8 document of a private key in PEM (RFC 7468, section 10). The backend judges
/// what is in it.
fn document(pem: &[u8]) -> Option<Vec<u8>> {
    let block = pem::parse(pem).ok()?;
    (block.tag() == "PRIVATE KEY").then(|| block.into_contents())
}

/// Finds the 32 secret bytes in a PKCS #8 document. The key's id and secrets are derived from these
/// alone, so a document with the public half and one without give the same key.
fn secret_behind(tags: &[u8], document: &[u8]) -> Option<Vec<u8>> {
    let at = document
        .windows(tags.len())
        .position(|window| window == tags)?;
    let secret = document.get(at + tags.len()..)?.get(..32)?;
    Some(secret.to_vec())
}
