//! `RequireRecent`: who hears what, how recent is recent, and what it needs in front of it.

mod audiences;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::any};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, ConfigError, MagicLinkLayer, PathRule, Rejection, RejectionKind, Session,
    event::Event, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    names::{ADA, ORIGIN},
    script::{Act, Script},
    site::{
        application, builder, builder_with, cookie_of, document, grpc, keys, program, with_cookie,
    },
};

const MINUTE: Duration = Duration::from_secs(60);

/// A layer whose inner service sees the request, and one that keeps credentials from it.
const CONFIGURED: [fn(Builder) -> Builder; 2] = [|builder| builder, Builder::forward_identity];

/// A layer, and the cookie of a session whose sign-in is so long ago.
fn aged(age: Duration) -> (MagicLinkLayer, String, Session) {
    aged_at(age, |builder| builder)
}

/// The same for a layer that is configured further.
fn aged_at(
    age: Duration,
    configure: impl FnOnce(Builder) -> Builder,
) -> (MagicLinkLayer, String, Session) {
    let clock = ManualClock::new();
    let builder = builder(&clock).bearer_tokens().allow_preflight();
    let layer = configure(builder.public_path("/about")).build().unwrap();
    let (cookie, session) = cookie_of(&layer);
    clock.advance(age);
    (layer, cookie, session)
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<Bytes>>) -> Answer {
    let recent = layer.require_recent(10 * MINUTE).unwrap();
    Answer::of(layer.layer(recent.layer(application())), request).await
}

fn with(
    mut request: Request<Full<Bytes>>,
    fields: &[(&'static str, &'static str)],
) -> Request<Full<Bytes>> {
    for (name, value) in fields {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_sign_in_is_recent_until_the_second() {
    for (age, want) in [(0, 200), (599, 200), (600, 401), (6_000, 401)] {
        let (layer, cookie, session) = aged(Duration::from_secs(age));
        let answer = ask(&layer, with_cookie(program("/x"), &cookie)).await;
        assert_eq!(answer.status(), want, "{age}");
        if want == 200 {
            assert_eq!(answer.text(), greeting(&session), "{age}");
        }
    }
}

/// Pinned: on a public path a preflight passed that the layer does not let through.
#[tokio::test]
async fn a_preflight_passes_only_if_the_layer_lets_preflights_through() {
    let preflight = || {
        let mut request = program("/api");
        *request.method_mut() = Method::OPTIONS;
        let origin = ("origin", "https://other.example");
        with(request, &[origin, ("access-control-request-method", "PUT")])
    };
    for (is_let, want) in [(true, 200), (false, 401)] {
        let builder = builder(&ManualClock::new());
        let builder = builder.public_path(PathRule::any_method("/api"));
        let layer = match is_let {
            true => builder.allow_preflight().build().unwrap(),
            false => builder.build().unwrap(),
        };
        assert_eq!(ask(&layer, preflight()).await.status(), want, "{is_let}");
    }
}

/// Makes a request of a program that sends the token of a session's cookie as a bearer token.
fn by_bearer(path: &str, cookie: &str) -> Request<Full<Bytes>> {
    let token = cookie.split_once('=').unwrap().1;
    let field = format!("Bearer {token}").parse().unwrap();
    let mut request = program(path);
    request.headers_mut().insert("authorization", field);
    request
}

/// Pins: behind identity headers the token was gone, and no error of it was named.
#[tokio::test]
async fn the_problem_says_where_to_sign_in_and_what_a_bearer_token_lacks() {
    let layers = CONFIGURED.map(|configure| aged_at(60 * MINUTE, configure));
    let cases = layers.each_ref().map(|aged| {
        let by_cookie = with_cookie(program("/x"), &aged.1);
        let error = r#", error="insufficient_user_authentication""#;
        [
            ("cookie", aged, by_cookie, ""),
            ("bearer", aged, by_bearer("/x", &aged.1), error),
        ]
    });
    for (name, (layer, ..), request, error) in cases.into_iter().flatten() {
        let answer = ask(layer, request).await;
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let login = format!("{ORIGIN}/auth/login?return_to=/x");
        assert_eq!(
            problem["type"], "urn:tower-magic-link:recent_sign_in_required",
            "{name}"
        );
        assert_eq!(problem["title"], "Recent sign-in required", "{name}");
        assert_eq!(problem["status"], 401, "{name}");
        assert_eq!(problem["login_url"], login, "{name}");
        let challenge = format!(r#"MagicLink login_url="{login}", Bearer realm="{ORIGIN}"{error}"#);
        assert_eq!(answer.header("www-authenticate"), challenge, "{name}");
    }
}

#[tokio::test]
async fn on_a_public_path_a_token_that_is_no_longer_good_is_named_as_the_error() {
    for configure in CONFIGURED {
        // The token has expired.
        let (layer, cookie, _) = aged_at(13 * 60 * MINUTE, configure);
        let error = r#", error="invalid_token""#;
        let cases = [
            (by_bearer("/about", &cookie), true),
            (with_cookie(program("/about"), &cookie), false),
            (program("/about"), false),
        ];
        for (request, is_named) in cases {
            let answer = ask(&layer, request).await;
            assert_eq!(answer.code(), "no_session");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge.contains("error="), is_named, "{challenge}");
            assert_eq!(challenge.contains(error), is_named, "{challenge}");
        }
    }
}

/// Pins: the session of any layer passed, whatever its keys.
#[tokio::test]
async fn the_session_of_a_layer_with_other_keys_is_the_applications_mistake() {
    let (clock, keys) = (ManualClock::new(), keys());
    let layer = builder_with(&clock, &keys).build().unwrap();
    let twin = builder_with(&clock, &keys).build().unwrap();
    let other = builder(&clock).build().unwrap();
    let recent = layer.require_recent(10 * MINUTE).unwrap();
    for (name, around, want) in [("twin", twin, 200), ("other", other, 500)] {
        let (cookie, _) = cookie_of(&around);
        let behind = around.layer(recent.layer(application()));
        let answer = Answer::of(behind, with_cookie(program("/x"), &cookie)).await;
        assert_eq!(answer.status(), want, "{name}");
        let names_it = answer.text().contains("MagicLinkLayer with other keys");
        assert_eq!(names_it, want == 500, "{name}");
    }
}

/// The layer had admitted the request before: that is no other layer.
#[tokio::test]
async fn a_key_that_leaves_the_ring_during_a_request_is_not_of_another_layer() {
    let (clock, keys) = (ManualClock::new(), keys());
    let layer = builder_with(&clock, &keys).build().unwrap();
    let recent = layer.require_recent(10 * MINUTE).unwrap();
    let (cookie, _) = cookie_of(&layer);
    let behind = service_fn(move |request: Request<Full<Bytes>>| {
        keys.handle().replace(&crate::site::keys());
        recent.layer(application()).oneshot(request)
    });
    let answer = Answer::of(layer.layer(behind), with_cookie(program("/x"), &cookie)).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn without_a_session_it_asks_for_one_and_without_the_layer_it_names_it() {
    let (layer, cookie, session) = aged(Duration::ZERO);
    let stranger = ask(&layer, program("/about")).await;
    assert_eq!(stranger.code(), "no_session", "a public path");
    assert_eq!(
        ask(&layer, document("/about")).await.location(),
        "/auth/login?return_to=/about"
    );
    let known = ask(&layer, with_cookie(program("/about"), &cookie)).await;
    assert_eq!(known.text(), greeting(&session));
    assert_eq!(ask(&layer, program("/x")).await.code(), "no_session");

    let recent = layer.require_recent(10 * MINUTE).unwrap();
    for request in [document("/x"), with_cookie(program("/x"), &cookie)] {
        let alone = Answer::of(recent.layer(application()), request).await;
        assert_eq!(alone.status(), 500);
        let want = "RequireRecent: the route is not behind tower_magic_link::MagicLinkLayer: \
                    call .layer(…) with that one after this one";
        assert_eq!(alone.text(), want);
    }
}

/// Pinned: on a path that passes without a session, whoever was signed in was sent to the form and
/// back while the store was out.
#[tokio::test]
async fn while_the_store_is_out_it_says_so_and_sends_nobody_to_the_form() {
    for store in [Script::settled(Act::Fail), Script::pending(Act::Fail)] {
        let layer = builder(&ManualClock::new())
            .revocations(store)
            .public_path("/about")
            .optional_path("/news")
            .build()
            .unwrap();
        let (cookie, _) = cookie_of(&layer);
        for path in ["/about", "/news", "/x"] {
            let answer = ask(&layer, with_cookie(program(path), &cookie)).await;
            let told = (answer.status().as_u16(), answer.code());
            assert_eq!(told, (503, "store_unavailable".to_owned()), "{path}");
            assert_ne!(answer.header("retry-after"), "", "{path}");
            let page = ask(&layer, with_cookie(document(path), &cookie)).await;
            assert_eq!(page.status(), 503, "{path}");
            assert_eq!(page.header("set-cookie"), "", "{path}: the cookie stays");
            // Nobody's session is in doubt.
            let stranger = ask(&layer, program(path)).await;
            assert_eq!(stranger.code(), "no_session", "{path}");
        }
    }
    let revoked = Script::settled(Act::Revoked);
    let builder = builder(&ManualClock::new()).revocations(revoked);
    let layer = builder.public_path("/about").build().unwrap();
    let (cookie, _) = cookie_of(&layer);
    let answer = ask(&layer, with_cookie(program("/about"), &cookie)).await;
    assert_eq!(answer.code(), "no_session", "the store can tell");
}

#[tokio::test]
async fn it_guards_the_routes_of_a_router_that_it_is_put_on_and_knows_their_whole_path() {
    let clock = ManualClock::new();
    let layer = builder(&clock).build().unwrap();
    let recent = layer.require_recent(10 * MINUTE).unwrap();
    let admin = Router::new()
        .route(
            "/keys",
            any(async |session: Session| session.email().to_owned()),
        )
        .layer(recent);
    let app = Router::new()
        .nest("/admin", admin)
        .route("/", any(async || "home"))
        .layer(layer.clone());
    let (cookie, _) = cookie_of(&layer);
    let ask = async |path: &str, method: Method| {
        let mut request = with_cookie(document(path), &cookie).map(axum::body::Body::new);
        *request.method_mut() = method;
        Answer::read(app.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(ask("/admin/keys", Method::GET).await.text(), ADA);
    clock.advance(10 * MINUTE);
    let refused = ask("/admin/keys?all=1", Method::GET).await;
    assert_eq!(
        refused.location(),
        "/auth/login?return_to=/admin/keys%3Fall%3D1"
    );
    let refused = ask("/admin/keys", Method::HEAD).await;
    assert_eq!(refused.location(), "/auth/login?return_to=/admin/keys");
    assert_eq!(ask("/", Method::GET).await.text(), "home");
}

#[test]
fn a_time_in_which_nobody_or_everybody_passes_is_refused_with_its_value() {
    let month = 30 * 24 * 60 * MINUTE;
    let usual = builder(&ManualClock::new()).build().unwrap();
    let remembering = builder(&ManualClock::new())
        .remember_me(month)
        .build()
        .unwrap();
    let cases = [
        ("nothing", &usual, Duration::ZERO, false),
        ("a second short", &usual, Duration::from_secs(119), false),
        ("shortest", &usual, 2 * MINUTE, true),
        ("longest", &usual, 12 * 60 * MINUTE, true),
        ("longer", &usual, 12 * 60 * MINUTE + MINUTE, false),
        ("a remembered session's", &remembering, month, true),
        ("longer than that", &remembering, month + MINUTE, false),
        ("for ever", &usual, Duration::MAX, false),
    ];
    for (name, layer, within, want) in cases {
        let got = layer.require_recent(within);
        assert_eq!(got.is_ok(), want, "{name}");
        if let Err(error) = got {
            assert!(matches!(error, ConfigError::Invalid { .. }), "{name}");
            assert_eq!(error.setting(), "require_recent", "{name}");
            assert!(
                error.to_string().contains(&format!("{within:?}")),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_of() {
    for configure in CONFIGURED {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ears = told.clone();
        let (layer, cookie, session) = aged_at(11 * MINUTE, |builder| {
            configure(builder).on_event(move |event, context| {
                if let Event::Refused { kind } = event {
                    ears.lock().unwrap().push((*kind, context.session()));
                }
            })
        });
        ask(&layer, with_cookie(program("/x"), &cookie)).await;
        let refused = (RejectionKind::RecentSignInRequired, Some(session.id()));
        assert_eq!(*told.lock().unwrap(), [refused]);
    }
}
