//! The layer never interprets a token's header: with one byte changed, it is no key's header.

use super::*;

#[test]
fn a_header_that_is_not_the_keys_own_to_the_byte_is_refused() {
    let headers = [
        // No signature at all. Filters of the exact word have been got around by its case.
        r#"{"alg":"none","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"None","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"NONE","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"nOnE","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":null,"typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":0,"typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":["HS256"],"typ":"session+jwt","kid":"k"}"#,
        r#"{"typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"hs256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256 ","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256\u0000","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"\u0048S256","typ":"session+jwt","kid":"k"}"#,
        // Another algorithm under the same key (RFC 8725, section 3.1).
        r#"{"alg":"HS384","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS512","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"RS256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"ES256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"PS256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"EdDSA","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"Ed25519","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"dir","enc":"A256GCM","typ":"session+jwt","kid":"k"}"#,
        // A member twice: one parser takes the first, another the last.
        r#"{"alg":"HS256","alg":"none","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"none","alg":"HS256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"l"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":""}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":null}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":0}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":["k"]}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"K"}"#,
        // For a server that uses the id as a path, an address, a query or a command.
        r#"{"alg":"HS256","typ":"session+jwt","kid":"../../../../dev/null"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"./k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"https://evil.example/k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k' UNION SELECT 'x"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k|id"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k\u0000"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","kid":"l"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"l","kid":"k"}"#,
        // A key that the token brings itself (RFC 8725, section 3.10).
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","jku":"https://evil.example/jwks"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","x5u":"https://evil.example/x"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","x5c":["MIIB"]}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","x5t":"AAAA"}"#,
        // An extension that has to be understood (RFC 7515, section 4.1.11).
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","crit":[]}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","b64":false}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","zip":"DEF"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","cty":"JWT"}"#,
        // Another kind of token by the same key (RFC 8725, section 3.11).
        r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"application/session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"SESSION+JWT","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","typ":"JWT","kid":"k"}"#,
        r#"{"alg":"HS256","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k","x":1}"#,
        // The same members, in other bytes.
        r#"{"typ":"session+jwt","alg":"HS256","kid":"k"}"#,
        r#"{"alg": "HS256","typ":"session+jwt","kid":"k"}"#,
        r#" {"alg":"HS256","typ":"session+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k"} "#,
        "\u{feff}{\"alg\":\"HS256\",\"typ\":\"session+jwt\",\"kid\":\"k\"}",
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k"}{}"#,
        r#"["HS256","session+jwt","k"]"#,
        "{}",
        "",
    ];
    let key = hs256().with_id("k").unwrap();
    assert_eq!(
        header_of(&key),
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k"}"#
    );
    let claims = object(&good_claims());
    let good = forge(&key, &header_of(&key), &claims);
    let tokens = tokens(key.clone());
    assert!(tokens.verify(&good, NOW).is_ok());
    for header in headers {
        let signed = forge(&key, header, &claims);
        let unsigned = signed.rsplit_once('.').unwrap().0;
        for token in [&signed, &format!("{unsigned}."), unsigned] {
            let read = tokens.verify(token, NOW);
            assert_eq!(read.map(drop), Err(Fault::Invalid), "{header}: {token}");
        }
    }
}

#[test]
fn a_header_in_another_encoding_is_refused() {
    let key = hs256().with_id("kk").unwrap();
    let tokens = tokens(key.clone());
    let encoded = key.prefix().trim_end_matches('.');
    let payload = URL_SAFE_NO_PAD.encode(object(&good_claims()));
    // The header has 47 bytes, so its last character has unused bits.
    let last = encoded.chars().last().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    let loose_bits = format!("{}{next}", &encoded[..encoded.len() - 1]);
    let cases = [
        ("as it is", encoded.to_owned(), true),
        ("padded", URL_SAFE.encode(header_of(&key)), false),
        ("unused bits set", loose_bits, false),
        ("in upper case", encoded.to_ascii_uppercase(), false),
        ("a space behind", format!("{encoded} "), false),
        ("a space before", format!(" {encoded}"), false),
        ("a dot before", format!(".{encoded}"), false),
        ("another header before", format!("e30.{encoded}"), false),
        ("not encoded", header_of(&key), false),
        ("none", String::new(), false),
    ];
    for (name, header, want) in cases {
        let mut token = format!("{header}.{payload}");
        key.sign_onto(&mut token).unwrap();
        assert_eq!(tokens.verify(&token, NOW).is_ok(), want, "{name}");
    }
}

/// Row 32's confusion: a token whose algorithm asks us to use a public key, or an empty secret, as
/// an HMAC key.
#[test]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn a_public_key_used_as_a_shared_secret_signs_nothing() {
    let public = pem_body(test_keys::ED25519_PUBLIC);
    let raw = &public[public.len() - 32..];
    let key = SigningKey::ed25519_pem(test_keys::ED25519)
        .unwrap()
        .with_id("k")
        .unwrap();
    let headers = [
        header_of(&key),
        r#"{"alg":"HS256","typ":"session+jwt","kid":"k"}"#.to_owned(),
    ];
    let secrets: [(&str, &[u8]); 5] = [
        ("PEM", test_keys::ED25519_PUBLIC.as_bytes()),
        ("trimmed PEM", test_keys::ED25519_PUBLIC.trim().as_bytes()),
        ("DER", &public),
        ("raw", raw),
        ("empty", b""),
    ];
    let claims = object(&good_claims());
    let tokens = tokens(key.clone());
    assert!(
        tokens
            .verify(forge(&key, &headers[0], &claims), NOW)
            .is_ok()
    );
    for header in &headers {
        for (name, secret) in secrets {
            let text = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(&claims)
            );
            let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(secret, &text));
            let read = tokens.verify(format!("{text}.{signature}"), NOW);
            assert_eq!(read.map(drop), Err(Fault::Invalid), "{name} {header}");
        }
    }
}

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn pem_body(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(lines)
        .unwrap()
}
