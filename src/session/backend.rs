//! The crypto backend of key pairs, chosen by feature.
//!
//! - Feature `aws-lc-rs` (default): aws-lc-rs. It needs a C compiler, has no open advisory, is the
//!   default of rustls, and is the faster of the two. It is used if both are compiled in.
//! - Feature `rust-crypto`: RustCrypto, pure Rust. jsonwebtoken's feature of that name also
//!   compiles the `rsa` crate, which has RUSTSEC-2023-0071; nothing here calls it.
//! - The code never uses jsonwebtoken's process-wide provider, because that panics when another
//!   crate of the same binary has compiled in the other backend.

#[cfg(feature = "aws-lc-rs")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "aws-lc-rs"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, jwk::EllipticCurve};

/// Returns the public key of a private one, or `None` if it is not an Ed25519 key.
pub(super) fn ed25519_public(private: &EncodingKey) -> Option<Vec<u8>> {
    (DEFAULT_PROVIDER
        .key_utils
        .ed_pub_components_from_private_key)(private.as_bytes(), &EllipticCurve::Ed25519)
    .ok()
}

/// Returns the public point of a private key, or `None` if it is no P-256 key.
pub(super) fn p256_public(private: &EncodingKey) -> Option<(Vec<u8>, Vec<u8>)> {
    let components = DEFAULT_PROVIDER
        .key_utils
        .ec_pub_components_from_private_key;
    let (_, x, y) = components(private.as_bytes(), Algorithm::ES256).ok()?;
    Some((x, y))
}

pub(super) fn sign(algorithm: Algorithm, message: &[u8], key: &EncodingKey) -> Option<Vec<u8>> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).ok()?;
    signer.try_sign(message).ok()
}

pub(super) fn verify(
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
    key: &DecodingKey,
) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key)
        .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
}
