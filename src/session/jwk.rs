//! The public halves of keys, as JSON (RFC 7517).

use super::SigningKey;

/// Writes a JWK Set of the key pairs among some keys. A shared secret has no public half, so it is
/// left out.
pub(super) fn set<'k>(keys: impl Iterator<Item = &'k SigningKey>) -> String {
    let keys: Vec<_> = keys.filter_map(write).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// Writes one JWK. No value has a character that JSON escapes, because ids are restricted.
fn write(key: &SigningKey) -> Option<String> {
    let public = key.public_jwk()?;
    let (id, algorithm) = (key.id(), key.algorithm());
    Some(format!(
        r#"{{{public},"kid":"{id}","alg":"{algorithm}","use":"sig"}}"#
    ))
}

#[cfg(test)]
mod tests {
    use crate::{
        clock::Timestamp,
        session::{KeyRing, SigningKey},
    };

    const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

    #[test]
    fn a_ring_of_shared_secrets_gives_an_empty_set() {
        let key = |id| SigningKey::generate().unwrap().with_id(id).unwrap();
        let ring = KeyRing::new(key("1")).retire(key("2")).unwrap();
        assert_eq!(ring.jwks(NOW), r#"{"keys":[]}"#);
    }

    #[test]
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    fn a_set_has_the_public_halves_that_still_verify_and_nothing_else() {
        use crate::session::{RetiredKey, test_keys};

        let ed25519 = SigningKey::ed25519_pem(test_keys::ED25519).unwrap();
        let p256 = SigningKey::es256_pem(test_keys::P256).unwrap();
        let ring = KeyRing::new(ed25519.with_id("a").unwrap())
            .retire(SigningKey::hs256(test_keys::SECRET).unwrap())
            .and_then(|ring| ring.announce(p256.with_id("b.c_d-e").unwrap()))
            .and_then(|ring| {
                let other = SigningKey::ed25519_pem(test_keys::OTHER_ED25519)?;
                ring.retire(RetiredKey::new(other.with_id("old")?).since(NOW).until(NOW))
            })
            .unwrap();
        // The bytes in the two `…_PUBLIC` of the test keys, as openssl writes them.
        let want = concat!(
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"nJXrO4v7FkYiaLeOJQJ-b6Ez_vMYZOm2cJD9zCr4DhA","#,
            r#""kid":"a","alg":"EdDSA","use":"sig"},"#,
            r#"{"kty":"EC","crv":"P-256","x":"oHcT6vaDxtEfL4zb1MA_OXR-3_D9AcrTLbJGYuUZ6Lg","#,
            r#""y":"wXWA2mlVB3uXQlcudosYKIyhRtnssta4_wUlX424NiU","kid":"b.c_d-e","alg":"ES256","use":"sig"}]}"#,
        );
        let set = ring.jwks(NOW);
        let is_old = |set: &str| set.contains(r#""kid":"old""#);
        assert!(!is_old(&set) && is_old(&ring.jwks(NOW - std::time::Duration::from_secs(1))));
        let parsed: serde_json::Value = serde_json::from_str(&set).unwrap();
        let want: serde_json::Value = serde_json::from_str(want).unwrap();
        assert_eq!(parsed, want);
    }
}
