//! The two ways of reading claims agree, on payloads that `mint` writes and on any change of them.

use proptest::prelude::*;

use super::{super::plain, *};
use crate::session::{KeyRing, record::Places, token::Verifying};

/// Returns the claims in the order in which `mint` writes them, each with its JSON.
fn claims() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let text = || {
        prop_oneof![
            4 => "[ -~]{0,12}",
            1 => Just(ORIGIN.to_owned()),
            1 => "\\PC{0,6}",
        ]
        .prop_map(|text| serde_json::to_string(&text).unwrap())
    };
    let ours = || {
        prop_oneof![
            8 => Just(format!("\"{ORIGIN}\"")),
            1 => text(),
        ]
    };
    let id = || {
        prop_oneof![
            8 => Just(format!("\"{}\"", SessionId::from_bytes([7; 16]))),
            1 => text(),
        ]
    };
    let time = || {
        let near = NOW.as_secs() - 4_000..NOW.as_secs() + 4_000;
        prop_oneof![
            8 => near.prop_map(|secs| secs.to_string()),
            1 => any::<u64>().prop_map(|secs| secs.to_string()),
            1 => "(0[0-9]|-1|1e9|1.0|null|true|18446744073709551616)",
        ]
    };
    let app = || {
        prop_oneof![
            4 => "\\{\"a\":(\\{\\}|\\[1,\\{\"b\":\"[ -~&&[^\"\\\\]]{0,4}\"\\}\\]|-?[0-9]{1,3}|\"\\}\"|null)\\}",
            1 => Just("{}".to_owned()),
            1 => text(),
            1 => Just("{\"a\":{}} ".to_owned()),
            1 => "[ {}\\[\\]:,\"a0]{0,8}",
        ]
    };
    let maybe = |name: &'static str, value: BoxedStrategy<String>| {
        proptest::option::of(value.prop_map(move |value| (name, value))).boxed()
    };
    let needed = (
        (ours(), ours(), text(), id()),
        (time(), time(), time(), text()),
    );
    let others = [
        maybe("org", text().boxed()),
        maybe("conn", text().boxed()),
        maybe("given_name", text().boxed()),
        maybe("family_name", text().boxed()),
        maybe("psid", text().boxed()),
        maybe("psub", text().boxed()),
        maybe("porg", text().boxed()),
        maybe(
            "via",
            prop_oneof![Just("\"code\"".to_owned()), text()].boxed(),
        ),
        maybe(
            "rem",
            prop_oneof![Just("true"), Just("false"), Just("1")]
                .prop_map(str::to_owned)
                .boxed(),
        ),
        maybe(
            "skew",
            (0..200_u64).prop_map(|secs| secs.to_string()).boxed(),
        ),
        maybe("by", time().boxed()),
        maybe("askew", time().boxed()),
        maybe("aby", time().boxed()),
        maybe("after", time().boxed()),
        maybe("app", app().boxed()),
    ];
    (needed, others.to_vec()).prop_map(
        |(((iss, aud, sub, sid), (iat, exp, auth, email)), others)| {
            let mut claims = vec![
                ("iss", iss),
                ("aud", aud),
                ("sub", sub),
                ("sid", sid),
                ("iat", iat),
                ("exp", exp),
                ("auth_time", auth),
                ("email", email),
            ];
            claims.extend(others.into_iter().flatten());
            claims
        },
    )
}

/// A change of a payload: nothing, two claims exchanged, one twice, one gone, or a byte replaced.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    Exchange(usize, usize),
    Twice(usize),
    Gone(usize),
    Byte(usize, u8),
    Insert(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0..400_usize;
    let byte = || {
        prop_oneof![
            Just(b' '),
            Just(b'"'),
            Just(b'\\'),
            Just(b'}'),
            Just(b','),
            any::<u8>()
        ]
    };
    prop_oneof![
        3 => Just(Change::Nothing),
        1 => (at(), at()).prop_map(|(one, other)| Change::Exchange(one, other)),
        1 => at().prop_map(Change::Twice),
        1 => at().prop_map(Change::Gone),
        2 => (at(), byte()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => (at(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
    ]
}

fn payload(mut claims: Vec<(&'static str, String)>, change: &Change) -> Vec<u8> {
    let many = claims.len();
    match *change {
        Change::Exchange(one, other) => claims.swap(one % many, other % many),
        Change::Twice(at) => claims.push(claims[at % many].clone()),
        Change::Gone(at) => drop(claims.remove(at % many)),
        _ => {}
    }
    let mut payload = object(&claims).into_bytes();
    match *change {
        Change::Byte(at, byte) => {
            let at = at % payload.len();
            payload[at] = byte;
        }
        Change::Insert(at, byte) => payload.insert(at % payload.len(), byte),
        _ => {}
    }
    payload
}

/// Reads a payload by serde alone, as every payload was read before there was another way.
fn by_serde(tokens: &Tokens, payload: &[u8]) -> Result<Session, Fault> {
    let keys = tokens.keys.load();
    let entry = keys.iter().next().unwrap();
    let payload = std::str::from_utf8(payload).map_err(|_| Fault::Invalid)?;
    if !payload.starts_with('{') {
        return Err(Fault::Invalid);
    }
    let claims: Claims<'_> = serde_json::from_str(payload).map_err(|_| Fault::Invalid)?;
    let (stated, reading) = (claims.stated(&tokens.issuer), NOW.into());
    judge(&stated, entry, reading)?;
    let facts = tokens.facts(&stated, entry, reading);
    Ok(Session::with(facts, claims.texts()))
}

/// How many payloads are compared: `PAYLOADS` in the environment, or some thousands.
fn many() -> u32 {
    let wanted = std::env::var("PAYLOADS").ok();
    wanted.and_then(|many| many.parse().ok()).unwrap_or(4_096)
}

#[test]
fn both_ways_of_reading_claims_agree_on_every_payload() {
    let key = hs256();
    let header = header_of(&key);
    let tokens = tokens(key.clone());
    let config = ProptestConfig::with_cases(many());
    proptest!(config, |(claims in claims(), change in change())| {
        let payload = payload(claims, &change);
        let token = forge(&key, &header, &payload);
        let read = tokens.verify(&token, NOW);
        prop_assert_eq!(read, by_serde(&tokens, &payload));
    });
}

/// A hot token's claims are not read again. Whatever they are, it is judged as one that is read.
#[test]
fn a_hot_token_states_what_a_cold_one_states_at_any_time_and_to_any_issuer() {
    let pairs = || kinds().into_iter().filter(SigningKey::is_pair);
    let issuers = [ORIGIN, "https://other.example.com"];
    for key in pairs() {
        let header = header_of(&key);
        let ring = KeyRing::new(key.clone());
        let layer = |issuer| Tokens::new(ring.clone(), issuer);
        let hot = issuers.map(layer);
        let cold = issuers.map(|issuer| layer(issuer).verifying(Verifying::Always));
        // One of them has the opening.
        let first = hot[0].mint(&session()).unwrap();
        assert!(is_taken(&hot[0], &first));
        let config = ProptestConfig::with_cases(many() / 16);
        proptest!(config, |(claims in claims(), change in change(), ahead in 0..100_u64)| {
            let token = forge(&key, &header, payload(claims, &change));
            let moments = [NOW, NOW + HOUR, NOW - Duration::from_secs(ahead), NOW + HOUR * 30];
            for at in [NOW; 3].into_iter().chain(moments) {
                for (hot, cold) in hot.iter().zip(&cold) {
                    let told = |tokens: &Tokens| {
                        let read = tokens.verify(&token, at);
                        let judged = read.as_ref().ok().map(|session| {
                            let facts = session.facts();
                            (facts.as_of, facts.key.ring, facts.key.key)
                        });
                        (read, judged)
                    };
                    prop_assert_eq!(told(hot), told(cold));
                }
            }
        });
    }
}

#[test]
fn what_we_mint_is_read_without_serde() {
    let tokens = tokens(hs256());
    for session in [session(), plainest(), fullest()] {
        let token = tokens.mint(&session).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let (known, mut places) = (Known::Nothing(ORIGIN), Places::default());
        let read = plain::read(payload.as_bytes(), known, &mut places);
        assert!(read.is_some(), "{payload}");
        assert_eq!(tokens.verify(&token, NOW), Ok(session));
    }
}
