//! In axum's routers: the extractor, and where in a router the layer stands.

use axum::{Router, routing::get};
use http::Uri;
use tower::{Layer, Service};
use tower_magic_link::{MagicLinkLayer, Session, testing::ManualClock};

use crate::{
    answer::Answer,
    greeter::greeting,
    site::{builder, cookie_of, document, program, with_cookie},
};

fn layer_at(mount: &str) -> MagicLinkLayer {
    let builder = builder(&ManualClock::new()).mount(mount);
    builder.public_path("/about").build().unwrap()
}

fn layer() -> MagicLinkLayer {
    layer_at("/auth")
}

/// A router with a protected and a public route.
fn routes() -> Router {
    Router::new()
        .route("/hello", get(async |session: Session| greeting(&session)))
        .route(
            "/about",
            get(async |session: Option<Session>| {
                session.map_or("nobody".to_owned(), |session| greeting(&session))
            }),
        )
}

async fn ask(app: &Router, request: http::Request<http_body_util::Full<bytes::Bytes>>) -> Answer {
    let mut app = app.clone();
    let request = request.map(axum::body::Body::new);
    Answer::read(app.as_service().call(request).await.unwrap()).await
}

#[tokio::test]
async fn a_handler_gets_the_session_and_on_a_public_path_perhaps_one() {
    let layer = layer();
    let app = routes().layer(layer.clone());
    let (cookie, session) = cookie_of(&layer);
    let greeting = greeting(&session);
    let cases = [
        (
            "protected",
            with_cookie(program("/hello"), &cookie),
            greeting.as_str(),
        ),
        ("public", with_cookie(program("/about"), &cookie), &greeting),
        ("public, a stranger", program("/about"), "nobody"),
    ];
    for (name, request, want) in cases {
        assert_eq!(ask(&app, request).await.text(), want, "{name}");
    }
}

#[tokio::test]
async fn a_handler_without_the_layer_in_front_is_a_500_that_names_it() {
    let app = routes();
    for path in ["/hello", "/about"] {
        let answer = ask(&app, program(path)).await;
        assert_eq!(answer.status(), 500, "{path}");
        let text = answer.text();
        assert!(
            text.contains("not behind tower_magic_link::MagicLinkLayer"),
            "{path}: {text}"
        );
    }
}

#[tokio::test]
async fn a_protected_handler_on_a_public_path_is_a_500_for_strangers_and_not_an_open_door() {
    let layer = layer();
    let hello = get(async |session: Session| greeting(&session));
    let app = Router::new().route("/about", hello).layer(layer);
    let answer = ask(&app, program("/about")).await;
    assert_eq!(answer.status(), 500);
    assert!(
        answer.text().contains("take an Option<Session>"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn an_unknown_path_and_an_unknown_method_are_refused_and_not_404_or_405() {
    let layer = layer();
    let app = routes().layer(layer.clone());
    let fallback = Router::new()
        .fallback(async || "fallback")
        .layer(layer.clone());
    let (cookie, _) = cookie_of(&layer);
    for (app, signed_in) in [(app, "404 "), (fallback, "200 fallback")] {
        let answer = ask(&app, document("/secret")).await;
        assert_eq!(answer.location(), "/auth/login?return_to=/secret");
        assert_eq!(ask(&app, program("/secret")).await.code(), "no_session");
        // Not a 405, although axum adds the `Allow` of one.
        let mut delete = program("/hello");
        *delete.method_mut() = http::Method::DELETE;
        let answer = ask(&app, delete).await;
        assert_eq!(answer.code(), "no_session");
        assert_eq!(answer.header("allow").is_empty(), signed_in != "404 ");
        let answer = ask(&app, with_cookie(program("/secret"), &cookie)).await;
        assert_eq!(
            format!("{} {}", answer.status().as_u16(), answer.text()),
            signed_in
        );
    }
}

/// Returns all of an answer that a stranger can tell from another one's.
fn told(answer: &Answer) -> String {
    let mut fields: Vec<_> = answer.head.headers.iter().collect();
    fields.sort_by_key(|(name, _)| name.as_str());
    format!("{} {fields:?} {}", answer.status(), answer.text())
}

/// Pinned: axum writes `Allow` outside every `Router::layer`, so a stranger tells routes from other
/// paths by a method that they do not take. Around the router the layer has the last word.
#[tokio::test]
async fn which_paths_are_routes_is_told_to_strangers_behind_a_router_layer_and_not_around_it() {
    let layer = layer();
    let delete = |path| {
        let mut request = program(path).map(axum::body::Body::new);
        *request.method_mut() = http::Method::DELETE;
        request
    };
    // Paths of one length, and programs that are led back to neither.
    let paths = ["/hello", "/nobody"];
    let inside = routes().layer(layer.clone());
    let around = layer.layer(routes());
    let mut by_router = Vec::new();
    let mut by_service = Vec::new();
    for path in paths {
        by_router.push(Answer::of(inside.clone(), delete(path)).await);
        by_service.push(Answer::of(around.clone(), delete(path)).await);
    }
    assert_eq!(by_router[0].header("allow"), "GET,HEAD", "by axum");
    assert_eq!(by_router[1].header("allow"), "");
    let [known, unknown] = [&by_service[0], &by_service[1]].map(told);
    assert!(!known.contains("allow"), "{known}");
    assert_eq!(known, unknown);
    // As a router's own fallback, which is how the documentation has it.
    let outer = Router::new().fallback_service(layer.layer(routes()));
    let mut by_outer = Vec::new();
    for path in paths {
        by_outer.push(told(&Answer::of(outer.clone(), delete(path)).await));
    }
    assert_eq!(by_outer[0], by_outer[1]);
    assert!(!by_outer[0].contains("allow"), "{}", by_outer[0]);
    // Whoever is signed in still learns what the route takes.
    let (cookie, _) = cookie_of(&layer);
    let answer = Answer::of(around, with_cookie(delete("/hello"), &cookie)).await;
    assert_eq!(
        (answer.status().as_u16(), answer.header("allow")),
        (405, "GET,HEAD".to_owned())
    );
}

/// Walks through a router whose routes are nested below `/app`: refusal, endpoints, admission.
async fn walk_nested(name: &str, app: &Router, layer: &MagicLinkLayer, mount: &str) {
    let refused = ask(app, document("/app/hello?x=1")).await;
    let login = format!("{mount}/login?return_to=/app/hello%3Fx%3D1");
    assert_eq!(refused.location(), login, "{name}");
    let form = ask(app, document(&login)).await;
    assert_eq!(form.status(), 200, "{name}");
    let action = format!("action=\"{login}\"");
    assert!(form.text().contains(&action), "{name}: {}", form.text());
    let (cookie, session) = cookie_of(layer);
    let answer = ask(app, with_cookie(program("/app/hello"), &cookie)).await;
    assert_eq!(answer.text(), greeting(&session), "{name}");
    let unknown = ask(app, document("/app/secret")).await;
    let login = format!("{mount}/login?return_to=/app/secret");
    assert_eq!(unknown.location(), login, "{name}");
}

#[tokio::test]
async fn the_layer_works_inside_a_nested_router_and_outside_it() {
    let not_found = async |uri: Uri| format!("no {uri}");
    let inside = layer_at("/app/auth");
    let protected = routes().fallback(not_found).layer(inside.clone());
    let app = Router::new().nest("/app", protected);
    walk_nested("inside, with a fallback", &app, &inside, "/app/auth").await;
    let other = ask(&app, document("/elsewhere")).await;
    assert_eq!(other.status(), 404, "what is not nested is not protected");

    let app = Router::new().nest_service("/app", routes().layer(inside.clone()));
    walk_nested("inside, as a service", &app, &inside, "/app/auth").await;

    let twice = Router::new().nest_service("/p", routes().layer(inside.clone()));
    let answer = ask(&twice, document("/p/hello")).await;
    assert_eq!(answer.location(), "/app/auth/login?return_to=/p/hello");

    let outside = layer();
    let app = Router::new().nest("/app", routes()).layer(outside.clone());
    walk_nested("outside", &app, &outside, "/auth").await;

    let around = layer();
    let app = Router::new().nest("/app", routes());
    let service = around.layer(app);
    let answer = Answer::of(service, document("/app/hello").map(axum::body::Body::new)).await;
    assert_eq!(answer.location(), "/auth/login?return_to=/app/hello");
}

#[tokio::test]
async fn a_public_path_inside_a_nested_router_is_named_as_the_layer_is_handed_it() {
    let layer = layer_at("/app/auth");
    let protected = routes().fallback(async || "").layer(layer);
    let app = Router::new().nest("/app", protected);
    assert_eq!(ask(&app, program("/app/about")).await.text(), "nobody");
}

#[tokio::test]
async fn a_path_named_as_browsers_see_it_opens_nothing_inside_a_nested_router() {
    // Of two routers that hold the same layer, each hands it its own view of the path.
    let builder = builder(&ManualClock::new()).mount("/app/auth");
    let layer = builder
        .public_path("/app/about")
        .optional_prefix("/app/about")
        .build()
        .unwrap();
    let inside = || routes().fallback(async || "").layer(layer.clone());
    let app = Router::new().nest("/app", inside());
    assert_eq!(ask(&app, program("/app/about")).await.status(), 401);
    let fallback = Router::new().fallback_service(routes().layer(layer.clone()));
    assert_eq!(ask(&fallback, program("/about")).await.status(), 401);
    let twice = Router::new().nest("/x", Router::new().nest("/app", inside()));
    assert_eq!(ask(&twice, program("/x/app/about")).await.status(), 401);
    let captured = Router::new().nest("/{tenant}", routes().layer(layer.clone()));
    assert_eq!(ask(&captured, program("/app/about")).await.status(), 401);
    let outside = Router::new().nest("/app", routes()).layer(layer);
    assert_eq!(ask(&outside, program("/app/about")).await.text(), "nobody");
}

#[tokio::test]
async fn inside_a_nested_router_without_a_fallback_of_its_own_the_endpoints_are_out_of_reach() {
    let layer = layer_at("/app/auth");
    let app = Router::new().nest("/app", routes().layer(layer));
    // axum drops the default fallback of a nested router, and the layer on it: what is no route
    // never comes by.
    assert_eq!(ask(&app, document("/app/auth/login")).await.status(), 404);
    assert_eq!(ask(&app, document("/app/hello")).await.status(), 303);
}

#[tokio::test]
async fn on_a_route_layer_the_routes_are_protected_and_the_endpoints_out_of_reach() {
    let app = routes().route_layer(layer());
    assert_eq!(ask(&app, document("/hello")).await.status(), 303);
    assert_eq!(ask(&app, document("/auth/login")).await.status(), 404);
    assert_eq!(ask(&app, document("/secret")).await.status(), 404);
}

#[tokio::test]
async fn a_protected_router_that_is_merged_brings_its_endpoints_and_refuses_unknown_paths() {
    let layer = layer();
    let open = || Router::new().route("/open", get(async || "open"));
    let protected = || routes().layer(layer.clone());
    let orders = [open().merge(protected()), protected().merge(open())];
    for app in orders {
        assert_eq!(ask(&app, document("/open")).await.text(), "open");
        assert_eq!(ask(&app, document("/hello")).await.status(), 303);
    }
    let app = open().merge(protected());
    assert_eq!(ask(&app, document("/auth/login")).await.status(), 200);
    assert_eq!(ask(&app, document("/secret")).await.status(), 303);
}

#[tokio::test]
async fn a_fallback_that_is_added_behind_the_layer_stands_outside_it() {
    let app = routes().layer(layer()).fallback(async || "fallback");
    assert_eq!(ask(&app, document("/hello")).await.status(), 303);
    assert_eq!(ask(&app, document("/secret")).await.text(), "fallback");
    assert_eq!(ask(&app, document("/auth/login")).await.text(), "fallback");
}
