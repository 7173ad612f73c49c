//! What is judged of a hot token is the same as of a cold one.

use super::{signature::other_pair, *};
use crate::session::{KeyRing, RetiredKey, token::Verifying};

/// Verifies a token often enough for it to be hot.
fn heat(tokens: &Tokens, token: &str) {
    for _ in 0..3 {
        assert_eq!(tokens.verify(token, NOW), Ok(session()));
    }
}

fn pairs() -> impl Iterator<Item = SigningKey> {
    kinds().into_iter().filter(SigningKey::is_pair)
}

fn is_hot(tokens: &Tokens, token: &str) -> bool {
    let keys = tokens.keys.load();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let mut hot = keys.iter().filter_map(Entry::hot);
    hot.any(|hot| hot.find(token, signature).is_some())
}

/// Says what a token is read as, and of what key and moment.
fn told(tokens: &Tokens, token: &str, at: Timestamp) -> Result<(Session, [u64; 2], usize), Fault> {
    tokens.verify(token, at).map(|session| {
        let Facts { as_of, key, .. } = *session.facts();
        (session, [as_of.as_secs(), key.key], key.ring)
    })
}

#[test]
fn a_hot_token_states_all_that_a_cold_one_states() {
    for key in pairs() {
        let ring = KeyRing::new(key);
        let hot = Tokens::new(ring.clone(), ORIGIN);
        let cold = Tokens::new(ring, ORIGIN).verifying(Verifying::Always);
        let many = session_of(["prof_ada", "ada@example.com", &"o".repeat(300), "", "", ""]);
        for session in [session(), plainest(), fullest(), many] {
            let token = hot.mint(&session).unwrap();
            for minute in 0..6 {
                let at = NOW + Duration::from_secs(minute * 60);
                let want = told(&cold, &token, at);
                assert_eq!(told(&hot, &token, at), want, "{minute}");
                let read = want.map(|(read, ..)| read);
                assert_eq!(read.as_ref(), Ok(&session));
            }
            let keys = hot.keys.load();
            let signed = hot.signed(&keys, token.as_bytes()).unwrap();
            assert!(signed.kept().is_some(), "it was read again each time");
            let signed = cold.signed(&keys, token.as_bytes()).unwrap();
            assert!(signed.kept().is_none());
        }
    }
}

#[test]
fn a_hot_token_still_ends_with_its_time() {
    for key in pairs() {
        let tokens = tokens(key);
        let session = session();
        let token = tokens.mint(&session).unwrap();
        heat(&tokens, &token);
        assert!(is_hot(&tokens, &token));
        let end = session.expires_at();
        let before = tokens.verify(&token, end - Duration::from_secs(1));
        assert_eq!(before, Ok(session));
        assert_eq!(tokens.verify(&token, end), Err(Fault::Expired));
        assert_eq!(tokens.verify(&token, NOW - HOUR), Err(Fault::Invalid));
    }
}

#[test]
fn a_hot_token_ends_with_its_key() {
    for key in pairs() {
        let ring = KeyRing::new(key.clone());
        let tokens = Tokens::new(ring.clone(), ORIGIN);
        let token = tokens.mint(&session()).unwrap();
        heat(&tokens, &token);
        // Retired: it verifies until its end, and not on it.
        let until = NOW + Duration::from_secs(60);
        let new = SigningKey::generate().unwrap().with_id("new").unwrap();
        ring.handle().rotate(&new, until, NOW).unwrap();
        heat(&tokens, &token);
        assert_eq!(tokens.verify(&token, until), Err(Fault::Invalid));
        // Another key under the same id.
        let other = other_pair(key.algorithm()).unwrap();
        let other = other.with_id(key.id()).unwrap();
        ring.handle().replace(&KeyRing::new(other));
        assert_eq!(tokens.verify(&token, NOW), Err(Fault::Invalid));
        // Back again, minted after it retired.
        let retired = RetiredKey::new(key).since(NOW - HOUR);
        let keys = KeyRing::new(new).retire(retired).unwrap();
        ring.handle().replace(&keys);
        assert_eq!(tokens.verify(&token, NOW), Err(Fault::Invalid));
    }
}

#[test]
fn a_token_of_a_key_that_has_ended_does_not_become_hot() {
    for key in pairs() {
        let token = tokens(key.clone()).mint(&session()).unwrap();
        let new = SigningKey::generate().unwrap().with_id("new").unwrap();
        let ended = RetiredKey::new(key).until(NOW);
        let tokens = Tokens::new(KeyRing::new(new).retire(ended).unwrap(), ORIGIN);
        for _ in 0..3 {
            assert_eq!(tokens.verify(&token, NOW), Err(Fault::Invalid));
        }
        assert!(!is_hot(&tokens, &token));
    }
}

#[test]
fn a_change_of_any_byte_of_a_hot_token_is_refused() {
    for key in pairs() {
        let tokens = tokens(key);
        let token = tokens.mint(&session()).unwrap();
        heat(&tokens, &token);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.verify(&changed, NOW), Err(Fault::Invalid), "{at}");
        }
        for changed in [&token[1..], &token[..token.len() - 1]] {
            assert_eq!(tokens.verify(changed, NOW), Err(Fault::Invalid));
        }
        assert_eq!(tokens.verify(format!("{token}A"), NOW), Err(Fault::Invalid));
    }
}

#[test]
fn a_hot_token_of_one_issuer_is_refused_by_another() {
    for key in pairs() {
        for other_is_first in [false, true] {
            let ring = KeyRing::new(key.clone());
            let tokens = Tokens::new(ring.clone(), ORIGIN);
            let other = Tokens::new(ring, "https://other.example.com");
            let token = tokens.mint(&session()).unwrap();
            if other_is_first {
                assert_eq!(other.verify(&token, NOW), Err(Fault::Invalid));
            }
            heat(&tokens, &token);
            assert!(is_hot(&tokens, &token));
            assert_eq!(other.verify(&token, NOW), Err(Fault::Invalid));
        }
    }
}

/// No session says the `nbf` of its token, so nothing is kept of what such a token states.
#[test]
fn a_hot_token_is_not_good_before_the_time_that_it_names() {
    for key in pairs() {
        let tokens = tokens(key.clone());
        let begun = (NOW - HOUR).as_secs().to_string();
        let mut claims = good_claims();
        for (name, value) in &mut claims {
            if matches!(*name, "iat" | "auth_time") {
                value.clone_from(&begun);
            }
        }
        claims.push(("nbf", NOW.as_secs().to_string()));
        let token = forge(&key, &header_of(&key), object(&claims));
        for _ in 0..3 {
            assert!(is_taken(&tokens, &token));
        }
        assert!(is_hot(&tokens, &token));
        let early = tokens.verify(&token, NOW - LEEWAY - Duration::from_secs(1));
        assert_eq!(early, Err(Fault::Invalid));
    }
}

/// Each request has a session of its own: what one does to it is not seen by the next.
#[test]
fn the_request_of_a_hot_token_that_ends_its_session_leaves_no_trace_in_the_next() {
    for key in pairs() {
        let tokens = tokens(key);
        let token = tokens.mint(&session()).unwrap();
        for _ in 0..4 {
            let read = tokens.verify(&token, NOW).unwrap();
            assert!(!read.is_left() && !read.runs_on());
            read.leave();
            read.count_order();
        }
        assert!(is_hot(&tokens, &token));
    }
}

#[test]
fn a_forged_token_never_becomes_hot() {
    for key in pairs() {
        let other = other_pair(key.algorithm()).unwrap();
        let other = other.with_id(key.id()).unwrap();
        let forged = Tokens::new(KeyRing::new(other), ORIGIN).mint(&session());
        let (forged, tokens) = (forged.unwrap(), tokens(key));
        for _ in 0..4 {
            assert_eq!(tokens.verify(&forged, NOW), Err(Fault::Invalid));
        }
        assert!(!is_hot(&tokens, &forged));
    }
}

#[test]
fn nothing_is_remembered_of_a_shared_secret_nor_where_that_is_turned_off() {
    let tokens = tokens(hs256());
    heat(&tokens, &tokens.mint(&session()).unwrap());
    assert!(tokens.keys.load().iter().all(|entry| entry.hot().is_none()));
    for key in pairs() {
        let tokens = Tokens::new(KeyRing::new(key), ORIGIN).verifying(Verifying::Always);
        let token = tokens.mint(&session()).unwrap();
        heat(&tokens, &token);
        assert!(!is_hot(&tokens, &token));
    }
}
