//! What a key makes for one end is good for no other.

use super::*;
use crate::session::seal::Purpose;

/// Rows 35: what one key makes for different ends is good for its own end alone.
#[test]
fn nothing_that_a_key_makes_passes_for_anything_else_that_it_makes() {
    for key in kinds() {
        let keys = KeyRing::new(key.clone());
        let tokens = Tokens::new(keys.clone(), ORIGIN);
        let token = tokens.mint(&session()).unwrap();
        let is_browser = |text: &str| keys.browser_cookie_of(text, NOW).is_some();
        let browser = keys.browser_cookie(crate::random::bytes()).value(&[]);
        let plain = object(&good_claims());
        let sealed = Purpose::ALL.map(|purpose| {
            let sealed = keys.seal(purpose, plain.as_bytes(), crate::random::bytes());
            (purpose, sealed)
        });
        assert!(is_taken(&tokens, &token) && is_browser(&browser));

        assert!(!is_taken(&tokens, &browser));
        assert!(!is_browser(&token));
        for (sealed_for, sealed) in &sealed {
            assert!(!is_taken(&tokens, sealed), "{sealed_for:?}");
            assert!(!is_browser(sealed), "{sealed_for:?}");
            // As the payload, and as the signature, of a token.
            let (header, signature) = (key.prefix(), token.rsplit_once('.').unwrap().1);
            assert!(!is_taken(&tokens, &format!("{header}{sealed}.{signature}")));
            let (signed, _) = token.rsplit_once('.').unwrap();
            assert!(!is_taken(&tokens, &format!("{signed}.{sealed}")));
        }
        for opened_for in Purpose::ALL {
            for part in token.split('.').chain([token.as_str(), &browser]) {
                assert_eq!(
                    keys.open(opened_for, part, NOW),
                    None,
                    "{opened_for:?} {part}"
                );
            }
            for (sealed_for, sealed) in &sealed {
                let is_open = keys.open(opened_for, sealed, NOW).is_some();
                assert_eq!(is_open, opened_for == *sealed_for, "{sealed_for:?}");
            }
        }
    }
}

#[test]
fn a_secret_that_was_derived_from_a_key_signs_no_token() {
    let key = hs256();
    let tokens = tokens(key.clone());
    let token = tokens.mint(&session()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let own = URL_SAFE_NO_PAD.encode(hmac_sha256(test_keys::SECRET, signed));
    assert_eq!(own, signature);
    for label in [
        "key id",
        "match code",
        "same key",
        "seal: check page",
        "seal: mailed link",
        "seal: pass",
        "seal: return to",
        "seal: state",
        "tag: browser cookie",
        "throttle: code, everybody",
        "throttle: code, network",
        "throttle: mail, address",
        "throttle: mail, everybody",
        "throttle: mail, network",
        "throttle: try",
    ] {
        let derived = key.derived::<32>(label);
        let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(&derived, signed));
        assert!(
            !is_taken(&tokens, &format!("{signed}.{signature}")),
            "{label}"
        );
    }
}
