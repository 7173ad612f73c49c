use http::HeaderValue;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::*;

const SECRET: &str = "secret";
const BODY: &[u8] = br#"{"id":"event_1"}"#;
const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn verifier(secrets: &[&str]) -> Verifier {
    let secrets = secrets.iter().map(|text| Secret::new(text).unwrap());
    Verifier::new(secrets.collect(), Duration::from_secs(180))
}

fn mac(secret: &str, time: &str, body: &[u8]) -> String {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac.chain_update(time).chain_update(".").chain_update(body);
    let mac = mac.finalize().into_bytes();
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed(time: &str) -> String {
    format!("t={time}, v1={}", mac(SECRET, time, BODY))
}

fn verify(field: &[u8], body: &[u8]) -> Result<(), RejectionKind> {
    let mut headers = HeaderMap::new();
    headers.insert(FIELD, HeaderValue::from_bytes(field).unwrap());
    verifier(&[SECRET]).verify(&headers, body, NOW)
}

#[test]
fn a_signature_of_the_official_python_sdk_is_good() {
    // workos 10.8.0: workos.actions._compute_signature('1700000000000.{"id":"event_1"}', "secret").
    let field =
        "t=1700000000000, v1=003628bf3f5ef01f29414cfdc03fbca6ea9700c60645a01743a702a69d395af8";
    assert_eq!(verify(field.as_bytes(), BODY), Ok(()));
    assert_eq!(field, signed("1700000000000"));
}

#[test]
fn a_signature_has_one_shape() {
    let time = "1700000000000";
    let good = signed(time);
    let mac = mac(SECRET, time, BODY);
    let other = "0".repeat(64);
    let cases = [
        ("empty", String::new()),
        ("the MAC alone", format!("v1={mac}")),
        ("no time", format!("t=, v1={mac}")),
        ("no MAC", format!("t={time}, v1=")),
        ("no v1", format!("t={time}")),
        ("no space", format!("t={time},v1={mac}")),
        ("two spaces", format!("t={time},  v1={mac}")),
        ("a tab", format!("t={time},\tv1={mac}")),
        ("blank before", format!(" {good}")),
        ("blank behind", format!("{good} ")),
        ("other order", format!("v1={mac}, t={time}")),
        ("v2 behind", format!("{good}, v2={other}")),
        ("v0 behind", format!("{good}, v0={mac}")),
        ("v2 between", format!("t={time}, v2={other}, v1={mac}")),
        ("v2 before", format!("v2={other}, {good}")),
        ("v2 instead", format!("t={time}, v2={mac}")),
        ("unknown part", format!("{good}, x=1")),
        ("comma behind", format!("{good},")),
        ("two v1", format!("{good}, v1={mac}")),
        (
            "a wrong v1 before",
            format!("t={time}, v1={other}, v1={mac}"),
        ),
        ("two t", format!("t={time}, t={time}, v1={mac}")),
        ("two fields in one", format!("{good}, {good}")),
        (
            "upper-case hex",
            format!("t={time}, v1={}", mac.to_uppercase()),
        ),
        ("upper-case names", format!("T={time}, V1={mac}")),
        ("no hex", format!("t={time}, v1={}", "g".repeat(64))),
        ("short MAC", format!("t={time}, v1={}", &mac[..62])),
        ("odd MAC", format!("t={time}, v1={}", &mac[..63])),
        ("long MAC", format!("t={time}, v1={mac}00")),
        ("signed time", signed("+1700000000000")),
        ("negative time", signed("-1700000000000")),
        ("fractional time", signed("1700000000000.0")),
        ("hex time", signed("0x18bcfe56800")),
        ("time with a blank", signed(" 1700000000000")),
        ("time with many zeros", signed("0000000001700000000000")),
        ("huge time", signed("99999999999999999999")),
        (
            "other secret",
            format!("t={time}, v1={}", self::mac("other", time, BODY)),
        ),
        (
            "empty secret",
            format!("t={time}, v1={}", self::mac("", time, BODY)),
        ),
        (
            "body alone",
            format!("t={time}, v1={}", self::mac(SECRET, "", BODY)),
        ),
        (
            "other body",
            format!("t={time}, v1={}", self::mac(SECRET, time, b"{}")),
        ),
        ("zeros", format!("t={time}, v1={other}")),
    ];
    for (name, field) in cases {
        let want = Err(RejectionKind::WebhookSignature);
        assert_eq!(verify(field.as_bytes(), BODY), want, "{name}: {field}");
    }
    assert_eq!(verify(good.as_bytes(), BODY), Ok(()));
}

#[test]
fn there_is_one_field() {
    let (good, mut headers) = (signed("1700000000000"), HeaderMap::new());
    let verifier = verifier(&[SECRET]);
    let want = Err(RejectionKind::WebhookSignature);
    assert_eq!(verifier.verify(&headers, BODY, NOW), want, "none");
    headers.append(FIELD, good.parse().unwrap());
    assert_eq!(verifier.verify(&headers, BODY, NOW), Ok(()), "one");
    headers.append(FIELD, good.parse().unwrap());
    assert_eq!(verifier.verify(&headers, BODY, NOW), want, "two");
}

#[test]
fn the_time_counts_in_both_directions_and_in_milliseconds() {
    let untimely = Err(RejectionKind::WebhookUntimely);
    let cases = [
        ("now", "1700000000000", Ok(())),
        ("a moment ahead", "1700000000999", Ok(())),
        ("as old as it may be", "1699999820000", Ok(())),
        ("too old", "1699999819999", untimely),
        ("as far ahead as it may be", "1700000180999", Ok(())),
        ("too far ahead", "1700000181000", untimely),
        ("ten minutes ahead", "1700000600000", untimely),
        ("in seconds", "1700000000", untimely),
        ("in microseconds", "17000000000000", untimely),
        ("zero", "0", untimely),
        ("the last of all", "99999999999999", untimely),
    ];
    for (name, time, want) in cases {
        assert_eq!(verify(signed(time).as_bytes(), BODY), want, "{name}");
    }
}

#[test]
fn no_byte_of_body_time_or_mac_can_be_changed() {
    let good = signed("1700000000000");
    let mut runner = TestRunner::new(Config::with_cases(4_096));
    let change = (any::<bool>(), any::<prop::sample::Index>(), 1_u8..=255);
    let outcome = runner.run(&change, |(in_body, index, flip)| {
        let (mut field, mut body) = (good.clone().into_bytes(), BODY.to_vec());
        let bytes = if in_body { &mut body } else { &mut field };
        let index = index.index(bytes.len());
        bytes[index] ^= flip;
        if HeaderValue::from_bytes(&field).is_ok() {
            prop_assert!(verify(&field, &body).is_err());
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn nothing_can_be_put_in_or_taken_out() {
    let good = signed("1700000000000").into_bytes();
    for at in 0..=good.len() {
        for byte in b' '..=b'~' {
            let mut field = good.clone();
            field.insert(at, byte);
            assert!(verify(&field, BODY).is_err(), "{byte} at {at}");
        }
        if at < good.len() {
            let mut field = good.clone();
            field.remove(at);
            assert!(verify(&field, BODY).is_err(), "without {at}");
        }
    }
    for length in 0..BODY.len() {
        assert!(verify(&good, &BODY[..length]).is_err(), "{length}");
    }
    assert!(verify(&good, &[BODY, b"\n"].concat()).is_err());
}

#[test]
fn each_of_several_secrets_is_good() {
    let verifier = verifier(&["old", "new"]);
    for (secret, is_good) in [("old", true), ("new", true), ("older", false)] {
        let time = "1700000000000";
        let field = format!("t={time}, v1={}", mac(secret, time, BODY));
        let mut headers = HeaderMap::new();
        headers.insert(FIELD, field.parse().unwrap());
        assert_eq!(
            verifier.verify(&headers, BODY, NOW).is_ok(),
            is_good,
            "{secret}"
        );
    }
}

#[test]
fn a_secret_is_not_printed_and_has_no_blanks_around_it() {
    assert_eq!(
        format!("{:?}", Secret::new("marker").unwrap()),
        "[redacted]"
    );
    for secret in ["", " ", "secret\n", "\tsecret", "secret "] {
        assert!(Secret::new(secret).is_none(), "{secret:?}");
    }
    assert!(Secret::new("two words").is_some());
}
