//! jsonwebtoken reads the tokens that we mint, and we judge the vectors of Project Wycheproof.

use super::*;

/// Reads a token as another service would.
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn read_by_jsonwebtoken(
    token: &str,
    key: &jsonwebtoken::DecodingKey,
    algorithm: jsonwebtoken::Algorithm,
) -> jsonwebtoken::errors::Result<serde_json::Value> {
    use jsonwebtoken::Validation;

    install_backend();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[ORIGIN]);
    validation.set_issuer(&[ORIGIN]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // jsonwebtoken would read the system clock, but these tests have their own time.
    validation.validate_exp = false;
    jsonwebtoken::decode(token, key, &validation).map(|token| token.claims)
}

/// jsonwebtoken panics if both of its backends are compiled in and none was chosen.
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn install_backend() {
    #[cfg(feature = "aws-lc-rs")]
    use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(not(feature = "aws-lc-rs"))]
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    // Fails in the second test of this process, which finds a backend installed.
    DEFAULT_PROVIDER.install_default().ok();
}

#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn another_implementation_reads_our_tokens_and_refuses_altered_ones() {
    use jsonwebtoken::{Algorithm, DecodingKey};

    let readers = [
        (
            DecodingKey::from_secret(test_keys::SECRET),
            Algorithm::HS256,
        ),
        (
            DecodingKey::from_ed_pem(test_keys::ED25519_PUBLIC.as_bytes()).unwrap(),
            Algorithm::EdDSA,
        ),
        (
            DecodingKey::from_ec_pem(test_keys::P256_PUBLIC.as_bytes()).unwrap(),
            Algorithm::ES256,
        ),
    ];
    for (key, (reader, algorithm)) in kinds().into_iter().zip(readers) {
        let id = key.id().to_owned();
        let tokens = tokens(key);
        let session = session_of(["prof_ada", "ada@example.com", "org_1", "", "Ãda \"A\"", ""]);
        let token = tokens.mint(&session).unwrap();
        let claims = read_by_jsonwebtoken(&token, &reader, algorithm).unwrap();
        let want = serde_json::json!({
            "iss": ORIGIN,
            "aud": ORIGIN,
            "sub": "prof_ada",
            "sid": session.id().to_string(),
            "iat": NOW.as_secs(),
            "exp": (NOW + HOUR).as_secs(),
            "auth_time": NOW.as_secs(),
            "email": "ada@example.com",
            "org": "org_1",
            "given_name": "Ãda \"A\"",
        });
        assert_eq!(claims, want);
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.alg, algorithm);
        assert_eq!(header.kid.as_deref(), Some(id.as_str()));
        assert_eq!(header.typ.as_deref(), Some("session+jwt"));
        let payload = token.find('.').unwrap() + 9;
        for at in [5, payload, token.len() - 9] {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            let altered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(read_by_jsonwebtoken(&altered, &reader, algorithm).is_err());
        }
    }
}

/// Another program may sign with our secret. `typ` keeps its tokens apart from ours, as does every
/// other byte of the header.
#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn a_token_of_another_implementation_with_our_secret_is_refused() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};

    install_backend();
    let key = hs256();
    let claims: serde_json::Value = serde_json::from_str(&object(&good_claims())).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    for (typ, kid) in [
        (Some("JWT"), None),
        (Some("JWT"), Some(key.id())),
        (Some("session+jwt"), Some(key.id())),
    ] {
        header.typ = typ.map(str::to_owned);
        header.kid = kid.map(str::to_owned);
        let secret = EncodingKey::from_secret(test_keys::SECRET);
        let token = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
        let read = tokens(key.clone()).verify(&token, NOW);
        assert_eq!(read.map(drop), Err(Fault::Invalid), "{typ:?} {kid:?}");
    }
}

/// Runs Project Wycheproof's JWS vectors with an HMAC-SHA256 key from the token to its signed
/// payload. The keys of a group have the headers of its valid vectors, because a header chooses its
/// key by its bytes.
#[test]
#[ignore = "needs CORPORA; run by tests/run"]
fn corpora_wycheproof_agrees_on_every_hs256_vector() {
    /// The vectors that differ: 367 and 370 are invalid there, but equal the valid 357 byte for
    /// byte; 372 and 373 need lenient base64.
    const CONTRADICTORY: [u64; 4] = [367, 370, 372, 373];
    let corpora = std::env::var("CORPORA").expect("CORPORA names the folder of test data");
    let path = format!("{corpora}/wycheproof-json_web_signature_test.json");
    let file = std::fs::read_to_string(path).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let mut judged = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = &group["private"];
        if jwk["alg"] != "HS256" {
            continue;
        }
        let secret = URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap()).unwrap();
        let id = |vector: &serde_json::Value| vector["tcId"].as_u64().unwrap();
        let mut vectors = group["tests"].as_array().unwrap().clone();
        vectors.retain(|vector| !CONTRADICTORY.contains(&id(vector)));
        let is_valid = |vector: &serde_json::Value| vector["result"] == "valid";
        let mut headers: Vec<_> = vectors
            .iter()
            .filter(|vector| is_valid(vector))
            .map(|vector| vector["jws"].as_str().unwrap().split('.').next().unwrap())
            .collect();
        headers.sort_unstable();
        headers.dedup();
        // A ring has a secret once.
        let rings: Vec<_> = headers
            .iter()
            .map(|header| tokens(SigningKey::with_header(&secret, header)))
            .collect();
        for vector in &vectors {
            let jws = vector["jws"].as_str().unwrap();
            let is_signed = rings.iter().any(|tokens| tokens.has_signed(jws));
            assert_eq!(is_signed, is_valid(vector), "{vector}");
            judged += 1;
        }
    }
    assert_eq!(judged, 36);
}
