//! Tokens that are made by hand with the ring's own key, so that each is refused for its one fault.

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{stated::LEEWAY, *};
use crate::{
    clock::{Skew, Timestamp},
    session::{SessionId, SigningKey, Term, test_keys},
};

mod after;
mod ahead;
mod claims;
mod cost;
mod header;
mod hot;
mod peers;
mod plain;
mod purposes;
mod signature;

const ORIGIN: &str = "https://app.example.com";
const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
const HOUR: Duration = Duration::from_secs(3_600);

fn hs256() -> SigningKey {
    SigningKey::hs256(test_keys::SECRET).unwrap()
}

/// One key of each kind that is compiled in.
fn kinds() -> Vec<SigningKey> {
    vec![
        hs256(),
        #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
        SigningKey::ed25519_pem(test_keys::ED25519).unwrap(),
        #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
        SigningKey::es256_pem(test_keys::P256).unwrap(),
    ]
}

fn tokens(key: SigningKey) -> Tokens {
    Tokens::new(KeyRing::new(key), ORIGIN)
}

fn session() -> Session {
    session_of([
        "prof_ada",
        "ada@example.com",
        "org_1",
        "conn_1",
        "Ada",
        "Lovelace",
    ])
}

fn session_of([subject, email, organization, connection, first, last]: [&str; 6]) -> Session {
    let [psid, psub, porg, app] = [""; 4];
    let fields = [
        subject,
        email,
        organization,
        connection,
        first,
        last,
        psid,
        psub,
        porg,
        app,
    ];
    session_by(fields, SignInMethod::MagicLink)
}

fn session_by(fields: [&str; 10], method: SignInMethod) -> Session {
    session_at(NOW, fields, method)
}

fn session_at(begun: Timestamp, fields: [&str; 10], method: SignInMethod) -> Session {
    let times = Times {
        issued_at: begun,
        expires_at: begun + HOUR,
        auth_time: begun,
    };
    let facts = Facts {
        id: SessionId::from_bytes([7; 16]),
        method,
        term: Term::Usual,
        times,
        skew: Skew::default(),
        auth_skew: Skew::default(),
        after: Timestamp::from_secs(0),
        as_of: NOW,
        key: KeyMark::default(),
    };
    Session::with(facts, fields)
}

/// A session without what it need not have.
fn plainest() -> Session {
    session_of(["prof_ada", "ada@example.com", "", "", "", ""])
}

/// A session with all that one can have, none of it as in others.
fn fullest() -> Session {
    let fields = [
        "prof_ada",
        "ada@example.com",
        "org_1",
        "conn_1",
        "Ada",
        "Lovelacé",
        "session_1",
        "prof_own",
        "org_own",
        r#"{"role":"admin","teams":[{"id":1},{}],"}":null}"#,
    ];
    session_by(fields, SignInMethod::MagicAuth)
        .with_term(Term::Remembered)
        .with_skew(Skew::new(Duration::from_secs(5), 1))
        .with_auth_skew(Skew::new(Duration::from_secs(7), u32::MAX))
        .with_after(NOW)
}

fn is_taken(tokens: &Tokens, token: &str) -> bool {
    tokens.verify(token, NOW).is_ok()
}

/// Returns the header that a key mints.
fn header_of(key: &SigningKey) -> String {
    let encoded = key.prefix().trim_end_matches('.');
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

/// Returns the claims of a good token, each with its JSON.
fn good_claims() -> Vec<(&'static str, String)> {
    let text = |text: &str| format!("\"{text}\"");
    vec![
        ("iss", text(ORIGIN)),
        ("aud", text(ORIGIN)),
        ("sub", text("prof_ada")),
        ("sid", text(&SessionId::from_bytes([7; 16]).to_string())),
        ("iat", NOW.as_secs().to_string()),
        ("exp", (NOW + HOUR).as_secs().to_string()),
        ("auth_time", NOW.as_secs().to_string()),
        ("email", text("ada@example.com")),
    ]
}

fn object(claims: &[(&str, String)]) -> String {
    let members: Vec<_> = claims
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Writes and signs a token of any header and payload.
fn forge(key: &SigningKey, header: &str, payload: impl AsRef<[u8]>) -> String {
    let header = URL_SAFE_NO_PAD.encode(header);
    let mut token = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    key.sign_onto(&mut token).unwrap();
    token
}

fn hmac_sha256(secret: &[u8], text: &str) -> Vec<u8> {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(secret).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

#[test]
fn a_session_comes_back_as_it_was_minted() {
    let every = [
        session(),
        session().with_after(NOW),
        session_of(["prof_ada", "ada@example.com", "", "", "", ""]),
        session_of([
            "prof_ada",
            "ada@example.com",
            "org_1",
            "",
            "Ãda \u{1f9ee}",
            "Čapek-李",
        ]),
        session_of([
            "a\"b\\c\n\t\u{1}\u{7f}",
            "o'brien+\"@example.com",
            "",
            "</script>",
            "\u{2028}",
            "{\"sub\":\"eve\"}",
        ]),
    ];
    for key in kinds() {
        let tokens = tokens(key);
        for session in &every {
            let token = tokens.mint(session).unwrap();
            let read = tokens.verify(&token, NOW).unwrap();
            assert!(read == *session, "{read:?} {session:?}");
        }
    }
}

#[test]
fn a_token_made_by_hand_as_the_layer_makes_them_is_taken() {
    for key in kinds() {
        let token = forge(&key, &header_of(&key), object(&good_claims()));
        let read = tokens(key).verify(&token, NOW).unwrap();
        assert_eq!(
            (read.subject(), read.email()),
            ("prof_ada", "ada@example.com")
        );
    }
}

#[test]
fn a_token_is_good_until_the_second_it_expires() {
    let end = (NOW + HOUR).as_secs();
    let cases = [
        ("at once", NOW.as_secs(), Ok(())),
        ("one second early", end - 1, Ok(())),
        ("on the second", end, Err(Fault::Expired)),
        ("long after", end + 1_000_000, Err(Fault::Expired)),
        ("at the end of time", u64::MAX, Err(Fault::Expired)),
    ];
    let tokens = tokens(hs256());
    let token = tokens.mint(&session()).unwrap();
    for (name, now, want) in cases {
        let read = tokens.verify(&token, Timestamp::from_secs(now));
        assert_eq!(read.map(drop), want, "{name}");
    }
}

#[test]
fn a_token_from_the_future_is_refused_beyond_a_minute_of_clock_skew() {
    let cases = [
        ("the same clock", 0, Ok(())),
        ("a minute ahead", 60, Ok(())),
        ("a minute and a second ahead", 61, Err(Fault::Invalid)),
        ("an hour ahead", 3_600, Err(Fault::Invalid)),
    ];
    let tokens = tokens(hs256());
    let token = tokens.mint(&session()).unwrap();
    for (name, behind, want) in cases {
        let read = tokens.verify(&token, NOW - Duration::from_secs(behind));
        assert_eq!(read.map(drop), want, "{name}");
    }
}

#[test]
fn a_retired_key_verifies_and_a_dropped_one_does_not() {
    let new = || SigningKey::generate().unwrap().with_id("new").unwrap();
    for old in kinds() {
        let token = tokens(old.clone()).mint(&session()).unwrap();
        let rotated = KeyRing::new(new()).retire(old).unwrap();
        let rotated = Tokens::new(rotated, ORIGIN);
        assert!(rotated.verify(&token, NOW).is_ok());
        let renewed = rotated.mint(&session()).unwrap();
        assert!(
            renewed.starts_with(new().prefix()),
            "the new key mints, the old one no more"
        );
        assert_eq!(
            tokens(new()).verify(&token, NOW).unwrap_err(),
            Fault::Invalid
        );
    }
}

#[test]
fn a_retired_key_verifies_what_it_minted_before_and_until_its_end() {
    use crate::session::RetiredKey;

    let at = |secs: i64| Timestamp::from_secs(NOW.as_secs().checked_add_signed(secs).unwrap());
    // The token is minted at NOW and read ten minutes later.
    let now = at(600);
    let since = |secs| RetiredKey::new(hs256()).since(at(secs));
    let until = |secs| RetiredKey::new(hs256()).until(at(secs));
    let cases = [
        ("a bare key", RetiredKey::new(hs256()), Ok(())),
        ("retired later", since(1), Ok(())),
        ("retired as it was minted", since(0), Ok(())),
        ("a minute before", since(-60), Ok(())),
        (
            "a minute and a second before",
            since(-61),
            Err(Fault::Invalid),
        ),
        ("long before", since(-86_400), Err(Fault::Invalid)),
        ("until a second later", until(601), Ok(())),
        ("until now", until(600), Err(Fault::Invalid)),
        ("until before", until(1), Err(Fault::Invalid)),
        ("both good", since(0).until(at(601)), Ok(())),
        (
            "over, though minted before",
            since(0).until(now),
            Err(Fault::Invalid),
        ),
        (
            "minted after, though not over",
            since(-61).until(at(601)),
            Err(Fault::Invalid),
        ),
    ];
    let token = tokens(hs256()).mint(&session()).unwrap();
    for (name, old, want) in cases {
        let ring = KeyRing::new(SigningKey::generate().unwrap());
        let tokens = Tokens::new(ring.retire(old).unwrap(), ORIGIN);
        assert_eq!(tokens.verify(&token, now).map(drop), want, "{name}");
    }
}

/// Two replicas during a change of keys: each accepts the other's tokens.
#[test]
fn a_key_can_be_changed_without_signing_anyone_out() {
    let (old, new) = (hs256(), SigningKey::generate().unwrap());
    let before = KeyRing::new(old.clone()).retire(new.clone()).unwrap();
    let after = KeyRing::new(new).retire(old).unwrap();
    let (before, after) = (Tokens::new(before, ORIGIN), Tokens::new(after, ORIGIN));
    for (mints, reads) in [(&before, &after), (&after, &before)] {
        let token = mints.mint(&session()).unwrap();
        assert!(reads.verify(&token, NOW).is_ok());
    }
}

#[test]
fn a_token_that_no_cookie_holds_is_refused_unread() {
    let key = hs256();
    let long = "x".repeat(LONGEST);
    let mut claims = good_claims();
    claims.push(("extra", format!("\"{long}\"")));
    let token = forge(&key, &header_of(&key), object(&claims));
    assert_eq!(tokens(key).verify(&token, NOW).unwrap_err(), Fault::Invalid);
}

#[test]
fn how_a_session_began_comes_back_from_its_token() {
    let tokens = tokens(SigningKey::hs256(test_keys::SECRET).unwrap());
    let fields = [
        "user_ada",
        "ada@example.com",
        "",
        "",
        "",
        "",
        "session_1",
        "",
        "",
        "",
    ];
    let by_code = session_by(fields, SignInMethod::MagicAuth);
    let read = tokens.verify(tokens.mint(&by_code).unwrap(), NOW).unwrap();
    assert_eq!(read, by_code);
    assert_eq!(read.provider_session(), Some("session_1"));
    assert_eq!(read.method(), SignInMethod::MagicAuth);
    let by_link = tokens
        .verify(tokens.mint(&session()).unwrap(), NOW)
        .unwrap();
    assert_eq!(by_link.provider_session(), None);
    assert_eq!(by_link.method(), SignInMethod::MagicLink);
}
