//! Endpoints that no request reaches.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::Request;
use tower::ServiceExt;
use tower_magic_link::Builder;

use super::site::Site;

/// After which redirects are no longer of one moment.
const MOMENT: Duration = Duration::from_secs(2);
const NAVIGATES: (&str, &str) = ("sec-fetch-mode", "navigate");

/// Returns the warnings of a site whose form is not reached.
fn warned(site: &Site) -> Vec<String> {
    site.warnings("endpoint has reached the layer")
}

impl Site {
    /// Asks for a path as many times, one moment after another.
    async fn ask(&self, app: &Router, path: &str, field: (&str, &str), times: u32) {
        for _ in 0..times {
            assert_eq!(redirected(app, path, field).await, 303, "{path}");
            self.clock.advance(MOMENT);
        }
    }
}

async fn redirected(app: &Router, path: &str, (name, value): (&str, &str)) -> u16 {
    let request = Request::get(path).header(name, value);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap().status().into()
}

fn routes() -> Router {
    Router::new().route("/hello", get(async || "Hello."))
}

#[tokio::test]
async fn five_redirects_to_a_form_that_nobody_reaches_are_one_warning_with_what_to_change() {
    let site = Site::new("http://127.0.0.1:41101", |builder| builder);
    let app = routes().route_layer(site.layer.clone());
    site.ask(&app, "/hello", NAVIGATES, 4).await;
    assert_eq!(warned(&site), [""; 0]);
    site.ask(&app, "/hello", NAVIGATES, 1).await;
    assert_eq!(warned(&site).len(), 1, "at the fifth");
    site.ask(&app, "/hello", NAVIGATES, 9).await;
    let lines = warned(&site);
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "/auth/login",
        ".layer(…) instead of .route_layer(…)",
        ".fallback(…)",
        ".mount(\"…\")",
    ] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}

#[tokio::test]
async fn the_mount_of_a_nested_router_is_named_as_browsers_see_it() {
    let cases = [
        ("http://127.0.0.1:41111", "/auth", ".mount(\"/app/auth\")"),
        ("http://127.0.0.1:41112", "/apple", ".mount(\"/app/apple\")"),
        ("http://127.0.0.1:41113", "/app/auth", ".mount(\"…\")"),
    ];
    for (public_url, mount, want) in cases {
        let site = Site::new(public_url, |builder| builder.mount(mount));
        let app = Router::new().nest("/app", routes().layer(site.layer.clone()));
        site.ask(&app, "/app/hello", NAVIGATES, 7).await;
        let lines = warned(&site);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(want), "{want}: {lines:?}");
        let login = format!("{mount}/login");
        assert!(lines[0].contains(&login), "{login}: {lines:?}");
    }
}

#[tokio::test]
async fn a_fallback_that_is_added_or_replaced_behind_the_layer_is_warned_of() {
    type Add = fn(Router) -> Router;
    let cases: [(&str, Add); 2] = [
        ("http://127.0.0.1:41121", |app| {
            app.fallback(async || "fallback")
        }),
        // axum then takes the other router's.
        ("http://127.0.0.1:41122", |app| app.merge(Router::new())),
    ];
    for (public_url, add) in cases {
        let site = Site::new(public_url, |builder| builder);
        let app = add(routes().layer(site.layer.clone()));
        site.ask(&app, "/hello", NAVIGATES, 7).await;
        assert_eq!(warned(&site).len(), 1, "{public_url}");
    }
}

#[tokio::test]
async fn nothing_is_warned_of_once_any_endpoint_was_reached() {
    for (public_url, path) in [
        ("http://127.0.0.1:41131", "/auth/login"),
        ("http://127.0.0.1:41132", "/auth/session"),
    ] {
        let site = Site::new(public_url, |builder| builder);
        let app = routes().layer(site.layer.clone());
        site.ask(&app, "/hello", NAVIGATES, 4).await;
        redirected(&app, path, NAVIGATES).await;
        site.ask(&app, "/hello", NAVIGATES, 20).await;
        assert_eq!(warned(&site), [""; 0], "{path}");
    }
}

/// A browser that opens its tabs again asks for all of them before it asks for the form.
#[tokio::test]
async fn redirects_of_one_moment_count_as_one() {
    let site = Site::new("http://127.0.0.1:41141", |builder| builder);
    let app = routes().layer(site.layer.clone());
    for _ in 0..20 {
        redirected(&app, "/hello", NAVIGATES).await;
    }
    site.clock.advance(MOMENT);
    site.ask(&app, "/hello", NAVIGATES, 3).await;
    assert_eq!(warned(&site), [""; 0], "four in all");
}

#[tokio::test]
async fn crawlers_scripts_and_layers_whose_form_is_at_another_host_are_not_warned_of() {
    let site = Site::new("http://127.0.0.1:41151", |builder| builder);
    let app = routes().route_layer(site.layer.clone());
    site.ask(&app, "/hello", ("accept", "text/html"), 20).await;
    assert_eq!(warned(&site), [""; 0], "crawlers");
    for _ in 0..20 {
        let mode = ("sec-fetch-mode", "cors");
        assert_eq!(redirected(&app, "/hello", mode).await, 401, "a script");
        site.clock.advance(MOMENT);
    }
    assert_eq!(warned(&site), [""; 0], "scripts");
    let wide = |builder: Builder| builder.cookie_domain("example.com");
    let site = Site::new("https://login-41152.example.com", wide);
    let app = routes().route_layer(site.layer.clone());
    site.ask(&app, "/hello", NAVIGATES, 20).await;
    assert_eq!(warned(&site), [""; 0], "a domain");
}
