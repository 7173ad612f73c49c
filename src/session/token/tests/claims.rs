//! Every claim is checked, both its type and its value.

use super::*;

/// Returns the good claims with one of them replaced.
fn with(name: &'static str, json: &str) -> String {
    let mut claims = good_claims();
    claims.retain(|(other, _)| *other != name);
    claims.push((name, json.to_owned()));
    object(&claims)
}

fn without(name: &str) -> String {
    let mut claims = good_claims();
    claims.retain(|(other, _)| *other != name);
    object(&claims)
}

/// Returns the good claims with one of them repeated.
fn twice(name: &'static str) -> String {
    let mut claims = good_claims();
    let again = claims.iter().find(|(other, _)| *other == name).cloned();
    claims.extend(again);
    object(&claims)
}

fn verify(payload: impl AsRef<[u8]>) -> Result<Session, Fault> {
    let key = hs256();
    let token = forge(&key, &header_of(&key), payload);
    tokens(key).verify(&token, NOW)
}

#[test]
fn a_claim_of_another_kind_or_value_is_refused() {
    const TIMES: [&str; 4] = ["iat", "exp", "auth_time", "nbf"];
    let now = NOW.as_secs();
    let mut payloads = Vec::new();
    for name in TIMES {
        for (what, json) in [
            ("a string", format!("\"{now}\"")),
            // Some JWT libraries round these and go on.
            ("a fraction", format!("{now}.5")),
            ("a whole fraction", format!("{now}.0")),
            ("an exponent", "1e9".to_owned()),
            ("negative", format!("-{now}")),
            ("minus one", "-1".to_owned()),
            ("null", "null".to_owned()),
            ("true", "true".to_owned()),
            ("an array", format!("[{now}]")),
            ("an object", "{}".to_owned()),
            ("the largest 64-bit integer", u64::MAX.to_string()),
            ("the largest signed integer", i64::MAX.to_string()),
            ("beyond 64 bits", "18446744073709551616".to_owned()),
            ("beyond any float", "1e400".to_owned()),
        ] {
            payloads.push((format!("{name} {what}"), with(name, &json)));
        }
    }
    for name in ["iss", "aud"] {
        for (what, json) in [
            ("another origin", r#""https://evil.example""#),
            ("plain http", r#""http://app.example.com""#),
            ("another port", r#""https://app.example.com:8443""#),
            ("with a slash", r#""https://app.example.com/""#),
            ("in upper case", r#""HTTPS://APP.EXAMPLE.COM""#),
            ("with a space", r#"" https://app.example.com""#),
            // What passes where texts are compared by their beginning.
            ("a prefix of it", r#""https://app.example.co""#),
            ("longer", r#""https://app.example.com.evil.example""#),
            ("an array", r#"["https://app.example.com"]"#),
            ("an object", r#"{"0":"https://app.example.com"}"#),
            ("empty", r#""""#),
            ("null", "null"),
            ("a number", "0"),
        ] {
            payloads.push((format!("{name} {what}"), with(name, json)));
        }
    }
    for name in ["sub", "email"] {
        for (what, json) in [
            ("empty", r#""""#),
            ("null", "null"),
            ("a number", "0"),
            ("an array", r#"["prof_ada"]"#),
            ("half a surrogate pair", r#""\ud800""#),
            ("a bare control character", "\"a\nb\""),
        ] {
            payloads.push((format!("{name} {what}"), with(name, json)));
        }
    }
    for (what, json) in [
        ("empty", r#""""#),
        // One session has one text, or a revocation by the other one would miss it.
        ("short", r#""BwcHBwcHBwcHBwcHBwcHB""#),
        ("long", r#""BwcHBwcHBwcHBwcHBwcHBwc""#),
        ("padded", r#""BwcHBwcHBwcHBwcHBwcHBw==""#),
        ("with unused bits", r#""BwcHBwcHBwcHBwcHBwcHBx""#),
        ("standard base64", r#""++++++++++++++++++++++""#),
        ("a UUID", r#""07070707-0707-0707-0707-070707070707""#),
        ("with a space", r#"" BwcHBwcHBwcHBwcHBwcHBw""#),
        ("null", "null"),
        ("a number", "7"),
        ("an array", "[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7]"),
    ] {
        payloads.push((format!("sid {what}"), with("sid", json)));
    }
    for (name, _) in good_claims() {
        payloads.push((format!("no {name}"), without(name)));
        payloads.push((format!("{name} twice"), twice(name)));
    }
    for name in ["org", "conn", "given_name", "family_name"] {
        payloads.push((format!("{name} a number"), with(name, "7")));
        payloads.push((format!("{name} an array"), with(name, r#"["x"]"#)));
    }
    for (name, payload) in payloads {
        assert_eq!(
            verify(&payload).map(drop),
            Err(Fault::Invalid),
            "{name}: {payload}"
        );
    }
}

#[test]
fn times_that_contradict_each_other_are_refused() {
    let now = NOW.as_secs();
    let days = 400 * 24 * 60 * 60;
    let cases = [
        ("as it is", now, now, now + 3_600, Ok(())),
        ("renewed", now - 600, now, now + 3_600, Ok(())),
        ("the longest session", now, now, now + days, Ok(())),
        (
            "longer than any",
            now,
            now,
            now + days + 1,
            Err(Fault::Invalid),
        ),
        (
            "longer than any, renewed",
            now - 1,
            now,
            now + days,
            Err(Fault::Invalid),
        ),
        (
            "proven after it was minted",
            now + 1,
            now,
            now + 3_600,
            Err(Fault::Invalid),
        ),
        (
            "over before it was minted",
            now,
            now,
            now - 1,
            Err(Fault::Invalid),
        ),
        ("over as it was minted", now, now, now, Err(Fault::Invalid)),
        (
            "minted in the far future",
            now,
            now + 61,
            now + 3_600,
            Err(Fault::Invalid),
        ),
        ("minted a minute ahead", now, now + 60, now + 3_600, Ok(())),
        ("over", now - 60, now - 60, now - 1, Err(Fault::Expired)),
        ("at the beginning of time", 0, 0, 1, Err(Fault::Expired)),
    ];
    for (name, auth_time, iat, exp, want) in cases {
        let mut claims = good_claims();
        for (claim, value) in &mut claims {
            match *claim {
                "auth_time" => *value = auth_time.to_string(),
                "iat" => *value = iat.to_string(),
                "exp" => *value = exp.to_string(),
                _ => {}
            }
        }
        assert_eq!(verify(object(&claims)).map(drop), want, "{name}");
    }
}

#[test]
fn a_token_is_not_good_before_the_time_that_it_names() {
    let now = NOW.as_secs();
    let cases = [
        ("long ago", 0, Ok(())),
        ("a minute ahead", now + 60, Ok(())),
        ("a minute and a second ahead", now + 61, Err(Fault::Invalid)),
    ];
    for (name, nbf, want) in cases {
        let read = verify(with("nbf", &nbf.to_string()));
        assert_eq!(read.map(drop), want, "{name}");
    }
}

/// During a rolling deploy an older replica reads what a newer one has minted.
#[test]
fn claims_that_are_not_known_yet_are_passed_over() {
    let cases = [
        ("a text", r#""x""#),
        ("an object", r#"{"a":[1,{"b":null}]}"#),
        ("a large number", "1e400"),
        ("null", "null"),
    ];
    for (name, json) in cases {
        assert!(verify(with("roles", json)).is_ok(), "{name}");
        // Of another kind than ours is no reason to refuse a session: reading it fails.
        let read = verify(with("app", json)).unwrap();
        let claims = read.claims::<std::collections::HashMap<&str, bool>>();
        match json {
            "null" => assert_eq!(claims.unwrap(), None),
            _ => assert!(claims.is_err(), "{name}"),
        }
    }
    let read = verify(with("org", "null")).unwrap();
    assert_eq!(read.organization(), None);
}

#[test]
fn a_payload_that_is_no_object_of_claims_is_refused() {
    let good = object(&good_claims());
    let values: Vec<_> = [
        "iss",
        "aud",
        "sub",
        "sid",
        "iat",
        "exp",
        "auth_time",
        "email",
    ]
    .iter()
    .filter_map(|name| good_claims().into_iter().find(|(other, _)| other == name))
    .map(|(_, value)| value)
    .collect();
    let mut with_nbf = values.clone();
    with_nbf.insert(5, "0".to_owned());
    let mut not_utf8 = with("email", r#""?@example.com""#).into_bytes();
    let at = not_utf8.iter().position(|b| *b == b'?').unwrap();
    not_utf8[at] = 0xff;
    let cases: [(&str, Vec<u8>); 12] = [
        ("nothing", Vec::new()),
        ("an empty object", b"{}".to_vec()),
        ("null", b"null".to_vec()),
        ("a text", b"\"claims\"".to_vec()),
        (
            "an array of the values",
            format!("[{}]", values.join(",")).into(),
        ),
        (
            "an array of all values",
            format!("[{},null,null,null,null]", with_nbf.join(",")).into(),
        ),
        ("cut short", good.as_bytes()[..good.len() - 1].to_vec()),
        ("two objects", format!("{good}{good}").into()),
        ("something behind", format!("{good} x").into()),
        ("something before", format!("x{good}").into()),
        ("deeply nested", with("x", &"[".repeat(2_000)).into()),
        ("not UTF-8", not_utf8),
    ];
    assert!(verify(&good).is_ok());
    for (name, payload) in cases {
        assert_eq!(verify(payload).map(drop), Err(Fault::Invalid), "{name}");
    }
}

#[test]
fn a_payload_in_another_encoding_is_refused() {
    let key = hs256();
    let mut claims = good_claims();
    // The two alphabets write these bytes differently, and the length leaves unused bits.
    claims.push(("given_name", "\"~~~???>>>\"".to_owned()));
    let claims = (0..3)
        .map(|spaces| format!("{}{}", object(&claims), " ".repeat(spaces)))
        .find(|text| text.len() % 3 == 1)
        .unwrap();
    let encoded = URL_SAFE_NO_PAD.encode(&claims);
    let standard = STANDARD_NO_PAD.encode(&claims);
    assert_ne!(encoded, standard);
    let last = encoded.chars().last().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    let cases = [
        ("as it is", encoded.clone(), true),
        ("padded", URL_SAFE.encode(&claims), false),
        ("the other alphabet", standard, false),
        (
            "unused bits set",
            format!("{}{next}", &encoded[..encoded.len() - 1]),
            false,
        ),
        ("a space behind", format!("{encoded} "), false),
        (
            "a line break inside",
            format!("{}\n{}", &encoded[..8], &encoded[8..]),
            false,
        ),
        ("another part behind", format!("{encoded}.e30"), false),
        ("an empty part behind", format!("{encoded}."), false),
        ("an empty part before", format!(".{encoded}"), false),
        ("not encoded", claims, false),
    ];
    for (name, payload, want) in cases {
        let mut token = format!("{}{payload}", key.prefix());
        key.sign_onto(&mut token).unwrap();
        let read = tokens(key.clone()).verify(&token, NOW);
        assert_eq!(read.is_ok(), want, "{name}");
    }
}

/// A replica whose clock was never set back writes not a byte more for it.
#[test]
fn a_token_has_a_skew_and_whose_it_is_only_where_there_is_one() {
    let payload = |session: &Session| {
        let token = tokens(hs256()).mint(session).unwrap();
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, payload) = signed.rsplit_once('.').unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let level = payload(&session());
    for name in ["skew", "by", "askew", "aby"] {
        assert!(!level.contains(&format!("\"{name}\":")), "{level}");
    }
    let hour = Duration::from_secs(3_600);
    let ahead = session()
        .with_skew(Skew::new(hour, 7))
        .with_auth_skew(Skew::new(hour, 8));
    let more = r#","skew":3600,"by":7,"askew":3600,"aby":8}"#;
    let want = level.strip_suffix('}').unwrap().to_owned() + more;
    assert_eq!(payload(&ahead), want);
    let read = verify(want).unwrap();
    assert_eq!((read.skew().by(), read.auth_skew().by()), (7, 8));
    // Of a version that names nobody: it is nobody's here.
    let older = verify(with("skew", "3600")).unwrap();
    assert_eq!(older.skew(), Skew::new(hour, 0));
}
