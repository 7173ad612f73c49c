//! Settings that cannot work, and what is shown of them.

use std::time::Duration;

use tower_magic_link::workos::WorkOs;

use crate::{KEY, is_marked};

#[test]
fn settings_that_cannot_work_are_refused_and_no_secret_is_shown() {
    let new = || WorkOs::new(KEY, "client_01").unwrap();
    let cases = [
        ("no key", WorkOs::new("", "client_01"), "api_key"),
        (
            "a key of two lines",
            WorkOs::new("sk_Hunter2\nx", "client_01"),
            "api_key",
        ),
        (
            "a key beyond ascii",
            WorkOs::new("sk_Hunter2é", "client_01"),
            "api_key",
        ),
        (
            "a client id for a key",
            WorkOs::new("client_01", "client_01"),
            "api_key",
        ),
        ("no client id", WorkOs::new(KEY, ""), "client_id"),
        (
            "a spaced client id",
            WorkOs::new(KEY, " client_01"),
            "client_id",
        ),
        ("a key for a client id", WorkOs::new(KEY, KEY), "client_id"),
        (
            "plain http",
            new().base_url("http://api.workos.com"),
            "base_url",
        ),
        (
            "a password",
            new().base_url("https://a:Hunter2@workos.example"),
            "base_url",
        ),
        ("no time", new().timeout(Duration::ZERO), "timeout"),
        ("all time", new().timeout(Duration::MAX), "timeout"),
        (
            "no time to redeem",
            new().exchange_timeout(Duration::ZERO),
            "exchange_timeout",
        ),
        (
            "all time to redeem",
            new().exchange_timeout(Duration::MAX),
            "exchange_timeout",
        ),
        (
            "no time to connect",
            new().connect_timeout(Duration::ZERO),
            "connect_timeout",
        ),
        (
            "all time to connect",
            new().connect_timeout(Duration::MAX),
            "connect_timeout",
        ),
    ];
    for (name, got, setting) in cases {
        let error = got.expect_err(name);
        assert_eq!(error.setting(), setting, "{name}");
        let text = format!("{error} {error:?}");
        assert!(!is_marked(&text), "{name}: {text}");
    }
}

#[test]
fn what_a_client_shows_of_itself_has_no_key() {
    let workos = WorkOs::new(KEY, "client_01").unwrap();
    assert_eq!(
        format!("{workos:?}"),
        "WorkOs { client_id: \"client_01\", caller: Caller { base: \"https://api.workos.com\", \
         connect_timeout: 5s, timeout: 10s, exchange_timeout: 30s, .. }, connection_types: [\"MagicLink\"], .. }",
    );
}
