use super::*;

fn lifetime(created_at: &str, expires_at: &str) -> u64 {
    let answer =
        serde_json::json!({ "id": "m", "created_at": created_at, "expires_at": expires_at });
    let answer: MagicAuthAnswer = serde_json::from_value(answer).unwrap();
    MagicAuth(answer).lifetime().as_secs()
}

#[test]
fn a_code_is_good_from_its_first_moment_to_its_last_or_ten_minutes() {
    let cases = [
        (
            "over midnight",
            "2024-05-02T23:50:29.479Z",
            "2024-05-03T00:00:29.528Z",
            600,
        ),
        (
            "five minutes",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:05:00.000Z",
            300,
        ),
        (
            "no fraction",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:20:00Z",
            1_200,
        ),
        (
            "over a leap day",
            "2024-02-29T23:59:00.000Z",
            "2024-03-01T00:02:00.000Z",
            180,
        ),
        (
            "over no leap day",
            "2023-02-28T23:59:00.000Z",
            "2023-03-01T00:02:00.000Z",
            180,
        ),
        (
            "over a year",
            "2025-12-31T23:59:00.000Z",
            "2026-01-01T00:02:00.000Z",
            180,
        ),
        (
            "an hour",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T01:00:00.000Z",
            3_600,
        ),
        (
            "too long",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T01:00:01.000Z",
            600,
        ),
        (
            "backwards",
            "2026-01-01T00:05:00.000Z",
            "2026-01-01T00:00:00.000Z",
            600,
        ),
        (
            "no time at all",
            "2026-01-01T00:05:00.000Z",
            "2026-01-01T00:05:00.000Z",
            600,
        ),
        (
            "another zone",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01T00:05:00+00:00",
            600,
        ),
        (
            "no such month",
            "2026-13-01T00:00:00Z",
            "2026-13-01T00:05:00Z",
            600,
        ),
        ("signs", "2026-01-01T00:+0:00Z", "2026-01-01T00:+5:00Z", 600),
        (
            "too many parts",
            "2026-01-01-01T00:00:00Z",
            "2026-01-01-01T00:05:00Z",
            600,
        ),
        ("empty", "", "", 600),
    ];
    for (name, created_at, expires_at, want) in cases {
        assert_eq!(lifetime(created_at, expires_at), want, "{name}");
    }
}

#[test]
fn only_what_can_be_told_of_the_person_is_told() {
    let long = "x".repeat(513);
    let cases = [
        (
            "a browser",
            Some("Mozilla/5.0 (X11)"),
            Some("Mozilla/5.0 (X11)"),
        ),
        ("the longest", Some(&long[..512]), Some(&long[..512])),
        ("too long", Some(&long), None),
        ("empty", Some(""), None),
        ("a line break", Some("a\nb"), None),
        ("beyond ascii", Some("caf\u{e9}"), None),
        ("none", None, None),
    ];
    let ip: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    for (name, user_agent, want) in cases {
        let email = Email::parse("ada@example.com").unwrap();
        let new = NewMagicAuth::new(email.clone())
            .ip_address(ip)
            .user_agent(user_agent);
        let credentials = MagicAuthCredentials::new(email, OneTimeCode::new("424242"));
        let credentials = credentials.ip_address(ip).user_agent(user_agent);
        for body in [new.to_json(), credentials.to_json(Map::new())] {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                body.get("user_agent").and_then(Value::as_str),
                want,
                "{name}"
            );
            assert_eq!(body["ip_address"], "192.0.2.1", "{name}");
        }
        let printed = format!("{new:?} {credentials:?}");
        assert!(
            !printed.contains("424242") && !printed.contains("ada@"),
            "{printed}"
        );
    }
}
