//! How an application has built the layer in: a line of the log, or what a route answers.

use std::time::Duration;

use axum::{Router, body::Body, extract::connect_info::MockConnectInfo, routing::get};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, PeerAddr, Session, SigningKey,
    testing::{ManualClock, StubProvider},
};

use crate::row::{Row, Value};

/// A layer of a public URL of its own, by which its lines of the log are known.
struct Site {
    public_url: &'static str,
    clock: ManualClock,
    layer: MagicLinkLayer,
}

impl Site {
    fn new(public_url: &'static str) -> Self {
        crate::secrets::listen();
        let clock = ManualClock::new();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(public_url)
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            public_url,
            clock,
            layer,
        }
    }

    fn row(
        &self,
        name: &'static str,
        (setting, value, cure): (&'static str, &'static str, &'static str),
    ) -> Row {
        let logged = crate::secrets::logged();
        let lines = logged.lines();
        let mut lines = lines.filter(|line| line.contains(self.public_url) && line.contains(cure));
        let read = lines.next().unwrap_or_default().to_owned();
        assert_eq!(lines.count(), 0, "{name}: it is said once");
        Row {
            name,
            read,
            setting,
            value: Value::Shown(value),
            cure,
        }
    }

    /// Has six browsers ask for a page, one after the other.
    async fn ask(&self, app: &Router, path: &str) {
        for _ in 0..6 {
            let request = Request::get(path).header("sec-fetch-mode", "navigate");
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(send(app, request).await.status(), 303, "{path}");
            self.clock.advance(Duration::from_secs(2));
        }
    }
}

async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

fn routes() -> Router {
    Router::new().route("/hello", get(async || "Hello."))
}

pub(super) async fn rows() -> Vec<Row> {
    let mut rows = unreached().await;
    rows.push(other_host().await);
    rows.push(nested().await);
    rows.extend(clients().await);
    rows.extend(handlers().await);
    rows
}

async fn unreached() -> Vec<Row> {
    let route_layer = Site::new("http://127.0.0.1:42101");
    let app = routes().route_layer(route_layer.layer.clone());
    route_layer.ask(&app, "/hello").await;
    let nest = Site::new("http://127.0.0.1:42102");
    let app = Router::new().nest("/app", routes().layer(nest.layer.clone()));
    nest.ask(&app, "/app/hello").await;
    let stripped = Site::new("http://127.0.0.1:42103");
    let inner = routes().layer(stripped.layer.clone());
    let app = Router::new().nest_service("/inner", inner);
    stripped.ask(&app, "/inner/hello").await;
    vec![
        route_layer.row(
            "a layer on routes alone",
            (
                ".route_layer(…)",
                "/auth/login",
                "call .layer(…) instead of .route_layer(…)",
            ),
        ),
        nest.row(
            "a nested router without a fallback",
            (
                "nested router",
                "/auth/login",
                "Give a nested router a .fallback(…)",
            ),
        ),
        stripped.row(
            "a mount below a prefix that is taken off",
            (".mount(", "/auth/login", "set .mount(\"/inner/auth\")"),
        ),
    ]
}

async fn other_host() -> Row {
    let site = Site::new("http://127.0.0.1:42104");
    let app = routes().layer(site.layer.clone());
    let request = Request::get("/auth/login").header("host", "localhost:42104");
    let request = request.header("accept", "text/html").body(Body::empty());
    assert_eq!(send(&app, request.unwrap()).await.status(), 200);
    site.row(
        "a page at another host",
        (
            "public_url",
            "localhost:42104",
            "set .public_url(\"http://localhost:42104\")",
        ),
    )
}

async fn nested() -> Row {
    let site = Site::new("http://127.0.0.1:42105");
    let app = routes().layer(site.layer.clone());
    let app = app.layer(site.layer.clone());
    let mut request = Request::get("/hello").body(Body::empty()).unwrap();
    site.layer.sign_in(&mut request, "ada@example.com");
    assert_eq!(send(&app, request).await.status(), 200);
    site.row(
        "two layers, one in the other",
        ("mount", "/auth", "Remove one of the two .layer(…)"),
    )
}

/// Asks for a mail, as the form does.
async fn ask_for_mail(app: &Router, origin: &str, (name, value): (&str, &str)) {
    let request = Request::post("/auth/login").header("origin", origin);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header(name, value);
    let request = request.body(Body::from("email=ada%40example.com")).unwrap();
    assert_eq!(send(app, request).await.status(), 303);
}

async fn clients() -> Vec<Row> {
    let unknown = Site::new("http://127.0.0.1:42106");
    let app = routes().layer(unknown.layer.clone());
    ask_for_mail(&app, unknown.public_url, ("accept", "text/html")).await;
    let proxied = Site::new("http://127.0.0.1:42107");
    let app = routes().layer(proxied.layer.clone());
    let peer: std::net::SocketAddr = "10.0.0.7:1".parse().unwrap();
    let app = app.layer(axum::Extension(PeerAddr::from(peer)));
    let app = app.layer(MockConnectInfo(peer));
    let field = ("x-forwarded-for", "198.51.100.7");
    ask_for_mail(&app, proxied.public_url, field).await;
    vec![
        unknown.row(
            "a server that does not say who connects",
            (
                "PeerAddr",
                "client address unknown",
                "into_make_service_with_connect_info",
            ),
        ),
        proxied.row(
            "a proxy that is not named",
            (
                "trusted_proxies",
                "x-forwarded-for",
                "add .trusted_proxies([\"10.0.0.7\"])",
            ),
        ),
    ]
}

async fn handlers() -> Vec<Row> {
    let site = Site::new("http://127.0.0.1:42108");
    let greet = async |session: Session| session.email().to_owned();
    let body = async |app: Router| {
        let request = Request::get("/me").body(Body::empty()).unwrap();
        let answer = send(&app, request).await;
        assert_eq!(answer.status(), 500);
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let row = |name, read, (setting, value, cure)| Row {
        name,
        read,
        setting,
        value: Value::Shown(value),
        cure,
    };
    let outside = Router::new().route("/me", get(greet));
    let recent = site.layer.require_recent(Duration::from_secs(600)).unwrap();
    let alone = outside.clone().layer(recent);
    vec![
        row(
            "a route that was added behind the layer",
            body(outside).await,
            (
                "MagicLinkLayer",
                "no session",
                "call .layer(…) after this .route(…)",
            ),
        ),
        row(
            "a step up without the layer",
            body(alone).await,
            (
                "RequireRecent",
                "not behind",
                "call .layer(…) with that one after this one",
            ),
        ),
    ]
}
