//! Settings that cannot work are refused by `build()` with their value; what passes, holds.

use std::time::Duration;

use http::{Method, Request, header};
use tower_magic_link::{
    Builder, ConfigError, Email, KeyRing, MagicLinkLayer, PathRule, SigningKey,
    page::{DefaultPages, Page, PageSources, Pages},
    provider::Identity,
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, KEY, World, app_of},
};

const SECRET: &[u8; 32] = b"dj7fH2-marker-kwo1pqzm4vb8xn6rty";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::hs256(SECRET).unwrap())
}

fn builder(provider: StubProvider) -> Builder {
    MagicLinkLayer::builder(provider, keys())
        .public_url(ORIGIN)
        .clock(ManualClock::new())
}

/// Pages that load what the test says.
struct Loading(PageSources);

impl Pages for Loading {
    fn render(&self, page: &Page<'_>) -> String {
        DefaultPages::new().render(page)
    }

    fn sources(&self) -> PageSources {
        self.0.clone()
    }
}

/// Builds, and expects the refusal of one setting with its value.
fn is_refused(
    setting: &str,
    value: &str,
    problem: &str,
    configure: impl FnOnce(Builder) -> Builder,
) {
    let error = configure(builder(StubProvider::new())).build();
    let error = error.expect_err(&format!("{setting} {value}"));
    let text = error.to_string();
    assert!(matches!(error, ConfigError::Invalid { .. }), "{error:?}");
    assert_eq!(error.setting(), setting, "{value}: {text}");
    assert!(
        text.starts_with(&format!("{setting} \"{value}")),
        "{value}: {text}"
    );
    assert!(text.contains(problem), "{value}: {text}");
}

#[test]
fn a_text_that_cannot_work_is_refused_with_its_value() {
    type Set = fn(Builder, &'static str) -> Builder;
    type Cases = &'static [(&'static str, &'static str)];
    let settings: [(&str, Set, Cases); 11] = [
        (
            "public_url",
            |builder, url| builder.public_url(url),
            &[
                ("http://app.example.com", "must be https"),
                ("http://127.0.0.1.example.com", "must be https"),
                ("http://0.0.0.0:3000", "must be https"),
                ("http://192.168.0.1", "must be https"),
                ("ws://app.example.com", "must be https"),
                ("https://app.example.com/app", "without a path"),
                ("https://app.example.com?a=b", "without a path"),
                ("https://app.example.com/?", "without a path"),
                ("https://app.example.com/#top", "without a path"),
                ("https://*.example.com", "wildcard"),
                ("app.example.com", "is not a URL"),
                ("https://", "is not a URL"),
                ("", "is not a URL"),
            ],
        ),
        (
            "mount",
            |builder, mount| builder.mount(mount),
            &[
                ("auth", "must be a path"),
                ("/auth/", "no slash at its end"),
                ("/", "must be a path"),
                ("", "must be a path"),
                ("/auth?tenant=1", "no redirect URI with one"),
                ("/auth#top", "must be a path"),
                ("/a/../auth", "dot segment"),
                ("/./auth", "dot segment"),
                ("//evil.example", "'//'"),
                ("/%61uth", "'%'"),
                ("/auth;a", "';'"),
                ("/é", "must be a path"),
                ("https://app.example.com/auth", "must be a path"),
            ],
        ),
        (
            "cookie_name",
            |builder, name| builder.cookie_name(name),
            &[
                ("", "1 to 64 letters"),
                ("my app", "1 to 64 letters"),
                ("a=b", "1 to 64 letters"),
                ("a;b", "1 to 64 letters"),
                ("é", "1 to 64 letters"),
                ("%5f%5fHost-a", "1 to 64 letters"),
                ("__Host-app", "adds the prefix itself"),
                ("__SECURE-app", "adds the prefix itself"),
            ],
        ),
        (
            "public_path",
            |builder, path| builder.public_path(path),
            &[
                ("about", "must begin with '/'"),
                ("/about?x", "no query"),
                ("/a%2fb", "'%'"),
                ("/é", "must begin with '/'"),
                ("/auth", "collides with the mount \"/auth\""),
                ("/auth/login", "collides with the mount \"/auth\""),
            ],
        ),
        (
            "optional_path",
            |builder, path| builder.optional_path(path),
            &[
                ("/about?x", "no query"),
                ("/a%2fb", "'%'"),
                ("/auth/login", "collides with the mount \"/auth\""),
            ],
        ),
        (
            "optional_prefix",
            |builder, path| builder.public_prefix("/docs").optional_prefix(path),
            &[
                ("/", "collides with the mount \"/auth\""),
                ("/docs/../x", "dot segment"),
                ("/docs", "contradicts public_prefix /docs (GET, HEAD)"),
            ],
        ),
        (
            "protected_prefix",
            |builder, path| builder.public_prefix("/docs").protected_prefix(path),
            &[
                ("docs", "must begin with '/'"),
                ("/docs/%2e", "'%'"),
                ("/Docs", "contradicts public_prefix /docs (GET, HEAD)"),
            ],
        ),
        (
            "public_prefix",
            |builder, path| builder.public_prefix(PathRule::any_method(path)),
            &[
                ("/", "collides with the mount \"/auth\""),
                ("/auth", "collides with the mount \"/auth\""),
                ("/auth/login", "collides with the mount \"/auth\""),
                ("/docs/..", "dot segment"),
                ("/docs//", "'//'"),
            ],
        ),
        (
            "organization",
            |builder, id| builder.organization("org_1").organization(id),
            &[
                ("", "is not an organization id"),
                ("Example Corp", "is not an organization id"),
                ("örg_1", "is not an organization id"),
            ],
        ),
        (
            "email_domains",
            |builder, domain| builder.email_domains(["example.com", domain]),
            &[
                ("", "is not a domain"),
                ("localhost", "is not a domain"),
                ("*.example.com", "is not a domain"),
                (".example.com", "is not a domain"),
                ("@example.com", "is not a domain"),
                (ADA, "is not a domain"),
                ("https://example.com", "is not a domain"),
                ("example.com,example.org", "is not a domain"),
                ("example.com ", "is not a domain"),
            ],
        ),
        (
            "pages",
            |builder, source| builder.pages(Loading(PageSources::new().style(source))),
            &[
                ("'unsafe-inline'", "'unsafe-"),
                ("'unsafe-hashes'", "'unsafe-"),
                ("'self'; script-src *", ""),
            ],
        ),
    ];
    for (setting, set, cases) in settings {
        for &(value, problem) in cases {
            is_refused(setting, value, problem, |builder| set(builder, value));
        }
    }
}

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
                (0, "as long as session_lifetime"),
                (12 * 3_600 - 1, "as long as session_lifetime"),
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
fn settings_that_contradict_each_other_or_a_browser_are_refused() {
    let collision = "collides with the mount \"/a/b\"";
    is_refused("public_prefix", "/a\"", collision, |builder| {
        builder.public_prefix("/a/").mount("/a/b")
    });
    // A split of an empty variable: it must not let everybody in.
    is_refused("email_domains", "\"", "names no domain", |builder| {
        builder.email_domains("".split_terminator(','))
    });
    let name = "c".repeat(65);
    is_refused("cookie_name", &name, "1 to 64 letters", |builder| {
        builder.cookie_name(&name)
    });
    is_refused("cookie_name", "a\\r\\nb\"", "1 to 64 letters", |builder| {
        builder.cookie_name("a\r\nb")
    });
    let mount = format!("/{}", "a".repeat(128));
    is_refused("mount", &mount, "at most 128 bytes", |builder| {
        builder.mount(&mount)
    });
}

/// Of what the layer is told, only these two can make a cookie too large: ids and the longest
/// address leave half of it empty.
#[test]
fn cookies_that_no_browser_would_keep_are_refused() {
    let problem = "drop those over 4096";
    is_refused("cookie", "__Host-magic-link\"", problem, |builder| {
        let long = format!("org_{}", "1".repeat(3_000));
        builder.organization("org_1").organization(long)
    });
    is_refused("cookie", "__Host-magic-link\"", problem, |builder| {
        builder.public_url(format!("https://{}example.com", "label.".repeat(300)))
    });
}

#[test]
fn the_public_url_has_no_default_and_its_password_is_not_shown() {
    let missing = MagicLinkLayer::builder(StubProvider::new(), keys()).build();
    let missing = missing.unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { .. }));
    let want = "public_url is not set: it is where browsers reach the application, such as https://app.example.com";
    assert_eq!(missing.to_string(), want);
    assert_eq!(
        format!("{missing:?}"),
        want,
        "a main that returns it is readable"
    );

    let builder = builder(StubProvider::new()).public_url("https://ada:hunter2@app.example.com");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = builder.build().unwrap_err();
    assert_eq!(error.setting(), "public_url");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
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

/// Signs in at a layer whose provider is a stub, and returns every cookie that was set on the way,
/// and at the sign-out.
async fn cookies_of(origin: &'static str) -> Vec<String> {
    let provider = StubProvider::new();
    let layer = builder(provider.clone())
        .public_url(origin)
        .build()
        .unwrap();
    let mut browser = Browser::new(app_of(&layer), origin);
    let mut answers: Vec<Answer> = Vec::new();
    answers.push(browser.get("/auth/login").await);
    answers.push(browser.post("/auth/login", "email=ada%40example.com").await);
    let link = provider.last_link().unwrap();
    let callback = link.expose().strip_prefix(origin).unwrap().to_owned();
    answers.push(browser.get(&callback).await);
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
    answers.push(browser.post("/auth/logout", "").await);
    answers.iter().flat_map(Answer::set_cookies).collect()
}

#[tokio::test]
async fn cookies_are_secure_and_bound_to_their_host_except_on_plain_http_loopback() {
    let cases = [
        (ORIGIN, true),
        ("https://app.example.com:8443", true),
        ("https://localhost", true),
        ("https://localhost:3000", true),
        ("https://127.0.0.1:3000", true),
        ("http://localhost:3000", false),
        ("http://app.localhost:3000", false),
        ("http://127.0.0.1:3000", false),
        ("http://127.1.2.3", false),
        ("http://[::1]:3000", false),
    ];
    for (origin, is_secure) in cases {
        let cookies = cookies_of(origin).await;
        assert!(cookies.len() >= 3, "{origin}: {cookies:?}");
        for cookie in cookies {
            let attributes: Vec<_> = cookie.split("; ").collect();
            assert_eq!(
                attributes.contains(&"Secure"),
                is_secure,
                "{origin}: {cookie}"
            );
            assert_eq!(
                cookie.starts_with("__Host-magic-link"),
                is_secure,
                "{origin}: {cookie}"
            );
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(attributes.contains(&attribute), "{origin}: {cookie}");
            }
            assert!(!cookie.contains("Domain"), "{origin}: {cookie}");
        }
    }
}

/// Returns the `Cookie` pair of somebody who is signed in at a layer.
fn pair_of(layer: &MagicLinkLayer) -> (String, String) {
    let mut request = Request::new(());
    layer.sign_in(&mut request, ADA);
    let cookie = request.headers()[header::COOKIE].to_str().unwrap();
    let (name, token) = cookie.split_once('=').unwrap();
    (name.to_owned(), token.to_owned())
}

#[tokio::test]
async fn a_session_of_one_deployment_is_none_of_anothers() {
    let of = |origin: &str| {
        builder(StubProvider::new())
            .public_url(origin)
            .build()
            .unwrap()
    };
    let (ours, theirs) = (of(ORIGIN), of("https://staging.example.com"));
    let (plain, other_keys) = (
        of("http://localhost:3000"),
        MagicLinkLayer::builder(
            StubProvider::new(),
            KeyRing::new(SigningKey::generate().unwrap()),
        )
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .build()
        .unwrap(),
    );
    let (name, token) = pair_of(&ours);
    let cases = [
        ("its own", &name, token.clone(), "/ for ada@example.com"),
        (
            "another origin's, with the same keys",
            &name,
            pair_of(&theirs).1,
            "invalid_session",
        ),
        (
            "plain http's, with the same keys",
            &name,
            pair_of(&plain).1,
            "invalid_session",
        ),
        (
            "other keys', of the same origin",
            &name,
            pair_of(&other_keys).1,
            "invalid_session",
        ),
        (
            "its own in a cookie without the prefix",
            &"magic-link".to_owned(),
            token.clone(),
            "no_session",
        ),
        (
            "its own in the browser cookie",
            &"__Host-magic-link-browser".to_owned(),
            token,
            "no_session",
        ),
    ];
    for (case, name, token, want) in cases {
        let mut browser = Browser::new(app_of(&ours), ORIGIN);
        browser.jar.insert(name.clone(), token);
        let answer = browser
            .send(Request::get("/").body("".into()).unwrap())
            .await;
        assert!(answer.text().contains(want), "{case}: {}", answer.text());
    }
}

/// Signs in with a first name of so many bytes, up to the answer to the callback.
async fn sign_in_as(world: &World, browser: &mut Browser, name: usize) -> Answer {
    let name = "n".repeat(name);
    world
        .emulator()
        .next_profile(|profile| profile.with_names(name, "L"));
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await
}

fn session_cookie(browser: &Browser) -> Option<usize> {
    let (name, token) = browser.jar.get_key_value("__Host-magic-link")?;
    Some(name.len() + token.len())
}

#[tokio::test]
async fn a_session_too_large_for_a_cookie_is_a_page_and_an_event_and_the_next_one_is_none_the_worse()
 {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = sign_in_as(&world, &mut browser, 4_000).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(
        answer.set_cookies().is_empty(),
        "{:?}",
        answer.set_cookies()
    );
    assert!(!answer.text().contains("nnnn"), "{}", answer.text());
    assert_eq!(session_cookie(&browser), None);
    assert!(
        world.heard().contains("SessionTooLarge"),
        "{}",
        world.heard()
    );
    assert!(!world.heard().contains("SignedIn"), "{}", world.heard());
    assert_eq!(browser.get("/reports").await.status(), 303);

    let answer = sign_in_as(&world, &mut browser, 3).await;
    assert_eq!(answer.location(), "/reports");
    assert_eq!(
        browser.follow(answer).await.text(),
        "/reports for ada@example.com"
    );
}

#[tokio::test]
async fn a_program_is_told_that_its_session_is_too_large() {
    let world = World::new().await;
    let mut browser = world.browser();
    world
        .emulator()
        .next_profile(|profile| profile.with_organization("o".repeat(5_000)));
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let request = Request::get(callback)
        .header(header::ACCEPT, "application/json")
        .body("".into())
        .unwrap();
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status().as_u16(), answer.code().as_str()),
        (502, "session_too_large")
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.set_cookies().is_empty());
}

#[tokio::test]
async fn whoever_is_signed_in_stays_so_when_a_new_session_is_too_large() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(sign_in_as(&world, &mut browser, 4_000).await.status(), 502);
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
}

/// A browser takes name and value of 4,096 octets together; three letters more in the name are four
/// in the cookie.
#[tokio::test]
async fn a_cookie_may_be_as_large_as_a_browser_takes_and_no_larger() {
    let world = World::new().await;
    let mut browser = world.browser();
    sign_in_as(&world, &mut browser, 900).await;
    let size = session_cookie(&browser).unwrap();
    let largest = 900 + (4_096 - size) / 4 * 3;
    assert_eq!(
        sign_in_as(&world, &mut browser, largest).await.status(),
        303
    );
    assert!((4_093..=4_096).contains(&session_cookie(&browser).unwrap()));
    assert_eq!(browser.get("/").await.text(), "/ for ada@example.com");
    assert_eq!(
        sign_in_as(&world, &mut browser, largest + 3).await.status(),
        502
    );
}

/// The keys were changed for one with a longer name, under which the renewed token is a little too
/// large.
#[tokio::test]
async fn a_session_that_has_become_too_large_to_renew_lives_on_unrenewed() {
    let (provider, clock) = (StubProvider::new(), ManualClock::new());
    let layer_of = |keys: KeyRing| {
        MagicLinkLayer::builder(provider.clone(), keys)
            .public_url(ORIGIN)
            .clock(clock.clone())
            .idle_timeout(HOUR)
            .build()
            .unwrap()
    };
    let mut browser = Browser::new(app_of(&layer_of(keys())), ORIGIN);
    browser.ask_for_link(ADA, "/").await;
    let link = provider.last_link().unwrap();
    let (_, state) = link.expose().split_once("&state=").unwrap();
    let identity = Identity::new("prof_ada", Email::parse(ADA).unwrap());
    let code = provider.code_for(identity.with_names(Some("n".repeat(2_740)), None));
    let callback = format!("/auth/callback?code={code}&state={state}");
    assert_eq!(browser.get(&callback).await.status(), 303);
    let size = session_cookie(&browser).unwrap();
    assert!((4_040..=4_096).contains(&size), "{size}");

    clock.advance(20 * MINUTE);
    for (id, is_renewed) in [("k".repeat(64), false), ("k".to_owned(), true)] {
        let key = SigningKey::generate().unwrap().with_id(id).unwrap();
        let old = SigningKey::hs256(SECRET).unwrap();
        let layer = layer_of(KeyRing::new(key).retire(old).unwrap());
        let mut later = Browser::new(app_of(&layer), ORIGIN);
        later.jar.clone_from(&browser.jar);
        let answer = later.get("/").await;
        assert_eq!(answer.text(), "/ for ada@example.com");
        assert_eq!(answer.set_cookies().len(), usize::from(is_renewed));
    }
}

#[tokio::test]
async fn no_debug_output_has_a_secret_a_token_or_a_whole_address() {
    let configure = |builder: Builder| builder.email_domains(["example.com"]).organization("org_1");
    let world = World::with(configure).await;
    world.emulator().every_profile(|profile| {
        let profile = profile.with_organization("org_1");
        profile.with_names("Augusta", "Lovelace")
    });
    let mut browser = world.signed_in(ADA).await;
    let token = browser.jar["__Host-magic-link"].clone();
    browser.post("/auth/logout", "everywhere=true").await;

    let ring = keys().retire(SigningKey::generate().unwrap()).unwrap();
    let builder = builder(StubProvider::new())
        .on_event(|_| {})
        .authorize(|_: Identity| async { true });
    let seen = format!("{:?} {builder:?} {ring:?} {}", world.layer, world.heard(),);
    for shown in [
        "SigningKey",
        "[redacted]",
        "HS256",
        ORIGIN,
        "/auth",
        "SignedIn",
        "org_1",
    ] {
        assert!(seen.contains(shown), "{shown} is not in {seen}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for hidden in ["marker", KEY, ADA, "Augusta", "Lovelace", signature] {
        assert!(!seen.contains(hidden), "{hidden} is in {seen}");
    }
}
