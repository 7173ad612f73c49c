//! tower-http's layers around the layer, and inside it, in axum over a real socket.

use std::time::Duration;

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer, csrf::CsrfLayer,
    timeout::TimeoutLayer, trace::TraceLayer,
};
use tower_magic_link::{
    MagicLinkLayer, Session,
    testing::{ManualClock, StubProvider},
};

use crate::{
    answer::Answer,
    browser::HostBrowser,
    host::{Host, Kind, listen},
    names::{ADA, ORIGIN},
    site::{SESSION, keys, program},
};

const SIDES: [Side; 2] = [Side::Around, Side::Inside];

/// Where tower-http's layers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Around,
    Inside,
}

fn app(side: Side, layer: &MagicLinkLayer) -> Router {
    let (router, layer) = (Router::new(), layer.clone());
    let router = router
        .route("/", get(async |who: Session| who.email().repeat(100)))
        .route("/form", axum::routing::post(async || "taken"))
        .route("/never", get(std::future::pending::<&'static str>))
        .route("/panic", get(panic));
    let theirs = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(30),
        ))
        .layer(CompressionLayer::new())
        .layer(CsrfLayer::new());
    match side {
        Side::Around => router.layer(theirs.layer(layer)),
        Side::Inside => router.layer(ServiceBuilder::new().layer(layer).layer(theirs)),
    }
}

async fn panic() -> &'static str {
    panic!("the handler panics")
}

fn layer() -> (MagicLinkLayer, StubProvider) {
    let provider = StubProvider::new();
    let builder = MagicLinkLayer::builder(provider.clone(), keys()).public_url(ORIGIN);
    let layer = builder.clock(ManualClock::new()).build().unwrap();
    (layer, provider)
}

/// Puts the application on a port.
async fn serve(side: Side, layer: &MagicLinkLayer) -> Host {
    let (listener, address) = listen().await;
    let app = app(side, layer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Host::new(Kind::Axum, address)
}

#[tokio::test]
async fn signing_in_works_with_tower_https_layers_on_either_side() {
    for side in SIDES {
        let (layer, provider) = layer();
        let host = serve(side, &layer).await;
        let mut browser = HostBrowser::default();
        let login = browser.get(&host, "/").await.location();
        assert_eq!(login, "/auth/login?return_to=/", "{side:?}");
        let refused = browser.ask(&host, Method::GET, "/", &[], "").await;
        assert_eq!(refused.code(), "no_session", "{side:?}");

        assert_eq!(browser.get(&host, &login).await.status(), 200, "{side:?}");
        let check = browser.post(&host, &login, "email=ada%40example.com");
        let check = check.await.location();
        assert_eq!(browser.get(&host, &check).await.status(), 200, "{side:?}");
        let link = provider.last_link().unwrap();
        let callback = link.expose().strip_prefix(ORIGIN).unwrap();
        assert_eq!(
            browser.get(&host, callback).await.location(),
            "/",
            "{side:?}"
        );
        assert!(browser.jar.contains_key(SESSION), "{side:?}");

        assert_eq!(
            browser.get(&host, "/").await.text(),
            ADA.repeat(100),
            "{side:?}"
        );
        let zipped = [("accept-encoding", "gzip")];
        let answer = browser.ask(&host, Method::GET, "/", &zipped, "").await;
        assert_eq!(answer.header("content-encoding"), "gzip", "{side:?}");
        for name in ["cookie", "accept-encoding"] {
            assert!(answer.header("vary").contains(name), "{side:?}: {name}");
        }
        assert_eq!(browser.get(&host, "/panic").await.status(), 500, "{side:?}");
        assert_eq!(browser.get(&host, "/").await.status(), 200, "{side:?}");

        let out = browser.post(&host, "/auth/logout", "").await;
        assert_eq!(out.location(), "/auth/logout", "{side:?}");
        browser.jar.remove(SESSION);
        assert_eq!(browser.get(&host, "/").await.location(), login, "{side:?}");
    }
}

#[tokio::test]
async fn a_post_from_another_site_is_refused_by_one_or_the_other() {
    for side in SIDES {
        let (layer, _) = layer();
        let host = serve(side, &layer).await;
        let mut browser = HostBrowser::default();
        let (cookie, _) = crate::site::cookie_of(&layer);
        let (name, value) = cookie.split_once('=').unwrap();
        browser.jar.insert(name.to_owned(), value.to_owned());
        for (path, site, want) in [
            ("/form", "same-origin", 200),
            ("/form", "cross-site", 403),
            ("/auth/logout", "cross-site", 403),
        ] {
            let answer = browser.post_from(&host, site, path, "").await;
            assert_eq!(answer.status(), want, "{side:?} {path} {site}");
        }
        assert_eq!(
            browser.get(&host, "/").await.status(),
            200,
            "still signed in"
        );
    }
}

/// A layer inside ours answers only those who may pass.
#[tokio::test]
async fn a_preflight_reaches_a_cors_layer_only_around_the_layer() {
    for (side, status, allowed) in [(Side::Around, 200, "*"), (Side::Inside, 401, "")] {
        let host = serve(side, &layer().0).await;
        let mut browser = HostBrowser::default();
        let fields = [
            ("origin", "https://other.example"),
            ("access-control-request-method", "PUT"),
        ];
        let answer = browser.ask(&host, Method::OPTIONS, "/", &fields, "").await;
        assert_eq!(answer.status(), status, "{side:?}");
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, allowed, "{side:?}");
    }
}

/// `allow_preflight` lets the question through, and the answer to a stranger has no field of CORS.
#[tokio::test]
async fn a_refusal_is_readable_from_elsewhere_only_with_a_cors_layer_around_the_layer() {
    for (side, readable) in [(Side::Around, "*"), (Side::Inside, "")] {
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys()).public_url(ORIGIN);
        let host = serve(side, &builder.allow_preflight().build().unwrap()).await;
        let mut browser = HostBrowser::default();
        let fields = [
            ("origin", "https://other.example"),
            ("access-control-request-method", "PUT"),
        ];
        let answer = browser.ask(&host, Method::OPTIONS, "/", &fields, "").await;
        assert_eq!(answer.status(), 200, "{side:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "*",
            "{side:?}"
        );
        let refused = browser.ask(&host, Method::GET, "/", &fields[..1], "").await;
        assert_eq!(refused.status(), 401, "{side:?}");
        let origin = refused.header("access-control-allow-origin");
        assert_eq!(origin, readable, "{side:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_ends_a_handler_that_never_answers_and_nothing_of_the_layers() {
    for side in SIDES {
        let (layer, _) = layer();
        let app = app(side, &layer);
        let mut request = program("/never");
        layer.sign_in(&mut request, ADA);
        let request: Request<Full<Bytes>> = request;
        let answer = Answer::read(app.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(answer.status(), 504, "{side:?}");
        let answer = Answer::read(app.oneshot(program("/")).await.unwrap()).await;
        assert_eq!(answer.status(), 401, "{side:?}");
    }
}
