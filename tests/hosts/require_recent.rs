//! `RequireRecent`: who hears what, how recent is recent, and what it needs in front of it.

mod audiences;

use std::time::Duration;

use axum::{Router, routing::any};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_magic_link::{
    ConfigError, MagicLinkLayer, PathRule, Rejection, RejectionKind, Session, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    names::{ADA, ORIGIN},
    script::{Act, Script},
    site::{application, builder, cookie_of, document, grpc, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A layer, and the cookie of a session whose sign-in is so long ago.
fn aged(age: Duration) -> (MagicLinkLayer, String, Session) {
    let clock = ManualClock::new();
    let builder = builder(&clock).bearer_tokens().allow_preflight();
    let layer = builder.public_path("/about").build().unwrap();
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

#[tokio::test]
async fn the_problem_says_where_to_sign_in_and_what_a_bearer_token_lacks() {
    let (layer, cookie, _) = aged(60 * MINUTE);
    let token = cookie.split_once('=').unwrap().1;
    let cases = [
        ("cookie", with_cookie(program("/x"), &cookie), String::new()),
        (
            "bearer",
            {
                let mut request = program("/x");
                let field = format!("Bearer {token}").parse().unwrap();
                request.headers_mut().insert("authorization", field);
                request
            },
            r#", error="insufficient_user_authentication""#.to_owned(),
        ),
    ];
    for (name, request, error) in cases {
        let answer = ask(&layer, request).await;
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
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let ears = told.clone();
    let clock = ManualClock::new();
    let layer = builder(&clock)
        .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
        .build()
        .unwrap();
    let (cookie, _) = cookie_of(&layer);
    clock.advance(11 * MINUTE);
    ask(&layer, with_cookie(program("/x"), &cookie)).await;
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("RecentSignInRequired"), "{told}");
}
