//! What a refused client gets is what the layer says, whole.

use http::Method;
use serde_json::Value;

use super::{Stage, list};
use crate::{exchange::exchange, front::Front, person::location};

pub(super) async fn a_stranger_is_led_to_the_form(stage: &Stage) {
    let origin = &stage.running.origin;
    let answer = stage.stranger().get("/page?a=b&c=d", &[]).await;
    let form = format!("{origin}/auth/login?return_to=/page%3Fa%3Db%26c%3Dd");
    assert_eq!(answer.status(), 303);
    assert_eq!(location(&answer), form);
    assert_eq!(list(&answer, "cache-control"), "no-store");
    assert!(list(&answer, "vary").contains("cookie"));
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn a_program_gets_the_whole_problem_by_every_method(stage: &Stage) {
    for method in [Method::GET, Method::POST, Method::DELETE, Method::PATCH] {
        let answer = stage.stranger().request(method.clone(), "/api");
        let answer = answer.header("accept", "application/json");
        let answer = answer.body("a body").send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(list(&answer, "cache-control"), "no-store", "{method}");
        assert!(list(&answer, "vary").contains("cookie"), "{method}");
        let challenges = list(&answer, "www-authenticate");
        for scheme in ["MagicLink", "Bearer"] {
            assert!(challenges.contains(scheme), "{method}: {challenges}");
        }
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "no_session", "{method}");
        let login = problem["login_url"].as_str().unwrap();
        let form = format!("{}/auth/login", stage.running.origin);
        assert!(login.starts_with(&form), "{method}: {login}");
    }
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn a_head_request_is_refused_without_a_body(stage: &Stage) {
    let answer = exchange(stage.running.authority(), "HEAD /api HTTP/1.1", "", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (401, ""));
}

pub(super) async fn htmx_is_led_to_the_form(stage: &Stage) {
    let page = format!("{}/reports", stage.running.origin);
    let answer = stage.stranger().request(Method::GET, "/part");
    let answer = answer.header("hx-request", "true");
    let answer = answer.header("hx-current-url", page).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let to = list(&answer, "hx-redirect");
    assert!(to.ends_with("/auth/login?return_to=/reports"), "{to:?}");
}

pub(super) async fn grpc_gets_its_own_status(stage: &Stage) {
    let answer = stage.stranger().request(Method::POST, "/acme.Echo/Say");
    let answer = answer.header("content-type", "application/grpc");
    let answer = answer.header("te", "trailers").send().await.unwrap();
    // Envoy makes gRPC's own status of it.
    let status = if stage.front == Front::Envoy {
        200
    } else {
        401
    };
    assert_eq!(answer.status(), status);
    assert_eq!(list(&answer, "grpc-status"), "16");
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn a_dead_cookie_is_removed(stage: &Stage) {
    let mut person = stage.stranger();
    person.cookie = "magic-link=dead".to_owned();
    let page = person.get("/page", &[]).await;
    let api = person.request(Method::GET, "/api").send().await.unwrap();
    for (answer, status) in [(page, 303), (api, 401)] {
        assert_eq!(answer.status(), status);
        let cookies = list(&answer, "set-cookie");
        assert!(cookies.contains("magic-link=;"), "{status}: {cookies:?}");
    }
}

pub(super) async fn a_store_that_is_out_is_a_503_and_nobody_passes(stage: &Stage) {
    let person = stage.person().await;
    stage.set_store_out();
    let answer = person.request(Method::GET, "/api").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(list(&answer, "set-cookie"), "");
    assert!(!list(&answer, "retry-after").is_empty());
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    // Envoy drops what a 5xx says, and speaks for itself.
    let code = match stage.front {
        Front::Envoy => "unavailable",
        _ => "store_unavailable",
    };
    assert_eq!(problem["code"], code);
    assert!(stage.reached.take().is_empty());
    stage.set_store_back();
    let answer = person.request(Method::GET, "/api").send().await.unwrap();
    assert_eq!(answer.status(), 200, "the cookie stays");
}

pub(super) async fn a_refusal_speaks_the_browsers_language(stage: &Stage) {
    let form = stage.stranger().request(Method::POST, "/page");
    let form = form.header("accept", "text/html");
    let form = form.header("sec-fetch-mode", "navigate");
    let form = form.header("sec-fetch-dest", "document");
    let answer = form.header("accept-language", "de-AT, en;q=0.5");
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(list(&answer, "content-language"), "de");
    let page = answer.text().await.unwrap();
    assert!(page.contains("<html lang=\"de\""), "{page}");
}

pub(super) async fn a_target_that_readers_differ_on_reaches_nobody_or_both_alike(stage: &Stage) {
    let person = stage.person().await;
    for target in ["/about#/../private", "/about<x>", "/a\\b"] {
        stage.forget();
        let line = format!("GET {target} HTTP/1.1");
        let cookie = format!("Cookie: {}\r\n", person.cookie);
        let answer = exchange(stage.running.authority(), &line, &cookie, "").await;
        let reached = stage.reached.take();
        // Caddy and Traefik encode such characters before they ask.
        let encodes = matches!(stage.front, Front::Caddy | Front::NewCaddy | Front::Traefik);
        match reached.as_slice() {
            [] => assert_eq!(answer.status, 400, "{target}"),
            [head] => {
                assert!(encodes, "{target}: {}", head.target);
                assert!(!head.target.contains(['#', '<', '\\']), "{target}");
                let asked = stage.running.asked.take();
                assert_eq!(asked[0].values("x-forwarded-uri"), [&head.target]);
            }
            _ => panic!("{target}: {reached:?}"),
        }
    }
}
