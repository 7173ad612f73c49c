//! Times and shares are refused outside their range and accepted at its edges.

use std::time::Duration;

use http::Method;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey, page::PageSources, testing::StubProvider,
};

use super::{HOUR, Loading, MINUTE, SECRET, builder, is_refused};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[test]
fn a_time_out_of_its_range_is_refused_with_its_value() {
    const DAYS: u64 = 24 * 3_600;
    type Set = fn(Builder, Duration) -> Builder;
    type Cases = &'static [(u64, &'static str)];
    let settings: [(&str, Set, Cases); 5] = [
        (
            "session_lifetime",
            |builder, time| builder.session_lifetime(time),
            &[
                (0, "1 minute to 400 days"),
                (59, "1 minute to 400 days"),
                (400 * DAYS + 1, "1 minute to 400 days"),
                (u64::MAX, "1 minute to 400 days"),
            ],
        ),
        (
            "idle_timeout",
            |builder, time| builder.idle_timeout(time).session_lifetime(HOUR),
            &[
                (0, "1 minute or more"),
                (59, "1 minute or more"),
                (3_601, "longer than session_lifetime"),
            ],
        ),
        (
            "remember_me",
            |builder, time| builder.remember_me(time),
            &[
                (0, "at least session_lifetime"),
                (12 * 3_600 - 1, "at least session_lifetime"),
                (400 * DAYS + 1, "at most 400 days"),
                (u64::MAX, "at most 400 days"),
            ],
        ),
        (
            "link_lifetime",
            |builder, time| builder.link_lifetime(time),
            &[
                (0, "15 minutes to 24 hours"),
                (899, "15 minutes to 24 hours"),
                (DAYS + 1, "15 minutes to 24 hours"),
            ],
        ),
        (
            "revocation_timeout",
            |builder, time| builder.revocation_timeout(time),
            &[(0, "at most 1 minute"), (61, "at most 1 minute")],
        ),
    ];
    for (setting, set, cases) in settings {
        for &(seconds, problem) in cases {
            let time = Duration::from_secs(seconds);
            let value = format!("{time:?}\"");
            is_refused(setting, &value, problem, |builder| set(builder, time));
        }
    }
    let default = "longer than session_lifetime";
    is_refused("idle_timeout", "43201s", default, |builder| {
        builder.idle_timeout(12 * HOUR + Duration::from_secs(1))
    });
}

#[test]
fn a_share_out_of_its_range_is_refused_with_its_value() {
    let shares = [
        0.0,
        -0.25,
        0.049,
        0.901,
        1.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for share in shares {
        let value = format!("{share}\"");
        is_refused("renew_after", &value, "0.05 to 0.9", |builder| {
            builder.renew_after(share)
        });
    }
}

#[test]
fn a_setting_at_the_edge_of_its_range_is_taken() {
    type Case = (&'static str, fn(Builder) -> Builder);
    let cases: [Case; 28] = [
        ("nothing but what is needed", |b| b),
        ("a slash behind", |b| {
            b.public_url("https://app.example.com/")
        }),
        ("a port", |b| b.public_url("https://app.example.com:8443")),
        ("an international host", |b| {
            b.public_url("https://bücher.example")
        }),
        ("loopback", |b| b.public_url("http://127.0.0.1:3000")),
        ("a deep mount", |b| b.mount("/a/b-c_d.e~f")),
        ("the shortest session", |b| b.session_lifetime(MINUTE)),
        ("the longest session", |b| b.session_lifetime(400 * DAY)),
        ("the shortest idle time", |b| b.idle_timeout(MINUTE)),
        ("the longest idle time", |b| b.idle_timeout(12 * HOUR)),
        ("the smallest share", |b| b.renew_after(0.05)),
        ("the largest share", |b| b.renew_after(0.9)),
        ("remembered no longer", |b| b.remember_me(12 * HOUR)),
        ("remembered for longest", |b| b.remember_me(400 * DAY)),
        ("the host as the cookies' domain", |b| {
            b.cookie_domain("app.example.com")
        }),
        ("its parent as the cookies' domain", |b| {
            b.cookie_domain("example.com")
        }),
        ("the shortest link", |b| b.link_lifetime(15 * MINUTE)),
        ("the longest link", |b| b.link_lifetime(DAY)),
        ("the shortest wait", |b| {
            b.revocation_timeout(Duration::from_millis(1))
        }),
        ("the longest wait", |b| b.revocation_timeout(MINUTE)),
        ("a short cookie name", |b| b.cookie_name("s")),
        ("a name with an underscore first", |b| b.cookie_name("_s.1")),
        ("paths beside the mount", |b| {
            b.public_path("/").public_prefix("/author")
        }),
        ("an exception of a prefix, and one of that", |b| {
            b.public_prefix("/docs")
                .protected_prefix("/docs/internal")
                .optional_path("/docs/internal/notice")
        }),
        ("one path, public to read and optional to post", |b| {
            b.public_path("/form")
                .optional_path((Method::POST, "/form"))
        }),
        ("organizations", |b| {
            b.organization("org_1").organization("org_2")
        }),
        ("domains", |b| {
            b.email_domains(["bücher.example", "EXAMPLE.com"])
        }),
        ("pages", |b| {
            b.pages(Loading(PageSources::new().style("'self'")))
        }),
    ];
    for (name, configure) in cases {
        let built = configure(builder(StubProvider::new())).build();
        assert!(built.is_ok(), "{name}: {:?}", built.err());
    }
}

#[test]
fn the_longest_of_all_that_is_in_a_cookie_fits_together() {
    let key = SigningKey::hs256(SECRET).unwrap();
    let keys = KeyRing::new(key.with_id("k".repeat(64)).unwrap());
    let label = |letter: &str| letter.repeat(62);
    let host = [
        label("a"),
        label("b"),
        label("c"),
        label("d"),
        "e".to_owned(),
    ]
    .join(".");
    assert_eq!(host.len(), 253);
    let built = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(format!("https://{host}"))
        .cookie_name("c".repeat(64))
        .organization(format!("org_{}", "1".repeat(60)))
        .build();
    assert!(built.is_ok(), "{:?}", built.err());
}
