//! A layer inside another one.

use axum::{Router, body::Body, routing::get};
use http::Request;
use tower::ServiceExt;
use tower_magic_link::{Builder, MagicLinkLayer};

use super::site::Site;
use crate::names::ADA;

/// Returns the warnings of a site whose layer is inside another.
fn warned(site: &Site) -> usize {
    site.warnings("one MagicLinkLayer into another").len()
}

fn open(builder: Builder) -> Builder {
    builder.public_path("/about").optional_path("/home")
}

fn routes() -> Router {
    let answer = || get(async || "Hello.");
    let routes = Router::new().route("/hello", answer());
    routes.route("/about", answer()).route("/home", answer())
}

/// Asks for a path, signed in at each of the layers.
async fn ask(app: &Router, path: &str, layers: &[&MagicLinkLayer]) -> u16 {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for layer in layers {
        layer.sign_in(&mut request, ADA);
    }
    app.clone().oneshot(request).await.unwrap().status().into()
}

#[tokio::test]
async fn a_layer_that_is_there_twice_is_warned_of_once() {
    let cases = [
        ("http://127.0.0.1:41201", "/hello", true),
        ("http://127.0.0.1:41202", "/about", false),
        ("http://127.0.0.1:41203", "/about", true),
        ("http://127.0.0.1:41204", "/home", false),
    ];
    for (public_url, path, is_signed_in) in cases {
        let site = Site::new(public_url, open);
        let once = routes().layer(site.layer.clone());
        let app = once.clone().layer(site.layer.clone());
        let layers = if is_signed_in {
            vec![&site.layer]
        } else {
            vec![]
        };
        for _ in 0..3 {
            assert_eq!(ask(&once, path, &layers).await, 200, "{path}");
        }
        assert_eq!(warned(&site), 0, "{path}: one layer");
        for _ in 0..3 {
            assert_eq!(ask(&app, path, &layers).await, 200, "{path}");
        }
        assert_eq!(warned(&site), 1, "{path}, signed in: {is_signed_in}");
    }
}

#[tokio::test]
async fn a_layer_inside_another_with_other_keys_is_warned_of_where_it_refuses_and_at_its_endpoints()
{
    for (inner, outer, path, want) in [
        (
            "http://127.0.0.1:41211",
            "http://127.0.0.1:41212",
            "/hello",
            401,
        ),
        (
            "http://127.0.0.1:41213",
            "http://127.0.0.1:41214",
            "/inner/login",
            200,
        ),
        (
            "http://127.0.0.1:41215",
            "http://127.0.0.1:41216",
            "/inner/check",
            303,
        ),
    ] {
        let inner = Site::new(inner, |builder| {
            builder.mount("/inner").cookie_name("inner")
        });
        let outer = Site::new(outer, open);
        let app = routes().layer(inner.layer.clone());
        let app = app.layer(outer.layer.clone());
        assert_eq!(ask(&app, path, &[]).await, 401, "{path}");
        assert_eq!(warned(&inner), 0, "{path}: the outer one refused it");
        for _ in 0..3 {
            assert_eq!(ask(&app, path, &[&outer.layer]).await, want, "{path}");
        }
        assert_eq!(warned(&inner), 1, "{path}");
        assert_eq!(warned(&outer), 0, "{path}");
    }
}

#[tokio::test]
async fn layers_side_by_side_are_not_warned_of() {
    let one = Site::new("http://127.0.0.1:41221", |builder| {
        builder.mount("/one/auth").cookie_name("one")
    });
    let two = Site::new("http://127.0.0.1:41222", |builder| {
        builder.mount("/two/auth").cookie_name("two")
    });
    let app = Router::new()
        .nest_service("/one", routes().layer(one.layer.clone()))
        .nest_service("/two", routes().layer(two.layer.clone()));
    let both = [&one.layer, &two.layer];
    for (path, layers, want) in [
        ("/one/hello", &both[..], 200),
        ("/two/hello", &both[..], 200),
        ("/one/hello", &both[1..], 401),
        ("/two/hello", &both[..1], 401),
        ("/one/auth/login", &both[..], 200),
        ("/two/auth/login", &both[..], 200),
    ] {
        assert_eq!(ask(&app, path, layers).await, want, "{path}");
    }
    assert_eq!((warned(&one), warned(&two)), (0, 0));
    // Two halves that are merged into one router.
    let site = Site::new("http://127.0.0.1:41223", open);
    let other = Router::new().route("/other", get(async || "Other."));
    let other = other.route_layer(site.layer.clone());
    let app = other.merge(routes().layer(site.layer.clone()));
    for (path, want) in [("/hello", 200), ("/other", 200), ("/auth/login", 200)] {
        assert_eq!(ask(&app, path, &[&site.layer]).await, want, "{path}");
    }
    assert_eq!(ask(&app, "/other", &[]).await, 401);
    assert_eq!(warned(&site), 0);
}
