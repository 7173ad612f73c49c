use super::*;

#[test]
fn a_base_url_is_https_or_on_this_machine() {
    let cases = [
        (
            "workos",
            "https://api.workos.com",
            Some("https://api.workos.com"),
        ),
        (
            "trailing slash",
            "https://api.workos.com/",
            Some("https://api.workos.com"),
        ),
        (
            "a path",
            "https://proxy.example/workos/",
            Some("https://proxy.example/workos"),
        ),
        (
            "a port",
            "https://auth.example:8443",
            Some("https://auth.example:8443"),
        ),
        (
            "ipv4 loopback",
            "http://127.0.0.1:4200",
            Some("http://127.0.0.1:4200"),
        ),
        (
            "ipv6 loopback",
            "http://[::1]:4200/",
            Some("http://[::1]:4200"),
        ),
        (
            "localhost",
            "http://LOCALHOST:4200",
            Some("http://localhost:4200"),
        ),
        ("plain http", "http://api.workos.com", None),
        ("looks like loopback", "http://127.0.0.1.evil.example", None),
        (
            "looks like localhost",
            "http://localhost.evil.example",
            None,
        ),
        ("a query", "https://api.workos.com?a=b", None),
        ("an empty query", "https://api.workos.com?", None),
        ("a fragment", "https://api.workos.com#a", None),
        ("a password", "https://user:hunter2@api.workos.com", None),
        ("a user", "http://localhost@evil.example", None),
        ("another scheme", "ftp://127.0.0.1", None),
        ("no host", "data:text/plain,x", None),
        ("no scheme", "api.workos.com", None),
        ("empty", "", None),
    ];
    for (name, text, want) in cases {
        let got = BaseUrl::parse("base_url", text);
        assert_eq!(
            got.as_ref().map(|base| base.text.as_str()).ok(),
            want,
            "{name}"
        );
        if let Err(error) = got {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{name}");
        }
    }
}

#[test]
fn a_call_is_repeated_only_where_that_does_no_harm() {
    use Operation::{Authenticate, Create, CreateCode, Exchange, Profile, Send};
    let all = [Authenticate, Create, CreateCode, Exchange, Profile, Send];
    let cases = [
        ("no connection", None, true, None, all.to_vec()),
        ("cut after sending", None, false, None, vec![]),
        (
            "429",
            Some(429),
            false,
            None,
            vec![Create, Exchange, Profile],
        ),
        ("429 with a second", Some(429), false, Some(1), all.to_vec()),
        ("429 with two", Some(429), false, Some(2), all.to_vec()),
        ("429 with three", Some(429), false, Some(3), vec![]),
        ("500", Some(500), false, None, vec![Create, Profile]),
        (
            "503 with a second",
            Some(503),
            false,
            Some(1),
            vec![Create, Profile],
        ),
        ("503 with a minute", Some(503), false, Some(60), vec![]),
        ("400", Some(400), false, Some(1), vec![]),
        ("401", Some(401), false, None, vec![]),
        ("408", Some(408), false, None, vec![]),
        ("200, cut", Some(200), false, None, vec![]),
    ];
    for (name, status, is_unsent, asked, want) in cases {
        for operation in all {
            let error = ProviderError::new(ProviderErrorKind::Unavailable)
                .with_retry_after(asked.map(Duration::from_secs));
            let error = match status {
                Some(status) => error.with_status(status),
                None => error,
            };
            let failure = Failure { error, is_unsent };
            let wait = failure.wait(operation, 0, 0);
            assert_eq!(
                wait.is_some(),
                want.contains(&operation),
                "{name}, {operation:?}"
            );
            assert_eq!(failure.wait(operation, 2, 0), None, "{name}, {operation:?}");
            if let (Some(wait), Some(asked)) = (wait, asked) {
                assert_eq!(wait, Duration::from_secs(asked), "{name}, {operation:?}");
            }
        }
    }
}

#[test]
fn waits_double_and_half_of_each_is_random() {
    let failure = Failure {
        error: ProviderError::new(ProviderErrorKind::Unavailable)
            .with_retry_after(Some(Duration::ZERO)),
        is_unsent: true,
    };
    let cases = [
        (0, 0, 25),
        (0, u32::MAX, 50),
        (1, 0, 50),
        (1, u32::MAX, 100),
    ];
    for (repetitions, random, millis) in cases {
        let got = failure.wait(Operation::Create, repetitions, random);
        assert_eq!(
            got,
            Some(Duration::from_millis(millis)),
            "{repetitions}, {random}"
        );
    }
}
