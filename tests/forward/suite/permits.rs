//! What a permitted request becomes at the service, and its answer at the client.

use http::Method;

use super::{Stage, list};
use crate::{exchange::exchange, front::Front, names::ADA, person::location, site::as_gateway};

pub(super) async fn signing_in_and_out_works_through_it(stage: &Stage) {
    let person = stage.person().await;
    let page = person.get("/page", &[]).await;
    assert_eq!(page.status(), 200);
    assert_eq!(list(&page, "x-auth-email"), "", "identity is the service's");
    assert_eq!(list(&page, "x-auth-decision"), "");
    let reached = stage.reached.take();
    let [head] = reached.as_slice() else {
        panic!("{reached:?}");
    };
    let told = as_gateway(&head.fields);
    let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X_AUTH_EMAIL", "X_AUTH_SESSION", "X_AUTH_SUBJECT"]);
    assert_eq!(head.values("x-auth-email"), [ADA]);
    assert_eq!(head.values("x-auth-decision"), [""; 0]);

    let out = person.sign_out("").await;
    assert_eq!(out.status(), 303);
    assert!(list(&out, "set-cookie").contains("magic-link=;"));
    assert!(location(&out).contains("/auth/"), "{}", location(&out));
    // The cookie was kept, and is good for nothing.
    assert_eq!(person.get("/page", &[]).await.status(), 303);
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn a_bearer_token_passes(stage: &Stage) {
    let person = stage.person().await;
    let (_, token) = person.cookie.split_once("magic-link=").unwrap();
    let token = token.split(';').next().unwrap();
    let api = stage
        .stranger()
        .request(Method::GET, "/api")
        .bearer_auth(token);
    assert_eq!(api.send().await.unwrap().status(), 200);
    assert_eq!(stage.reached.take()[0].values("x-auth-email"), [ADA]);
}

pub(super) async fn a_public_path_passes_without_identity(stage: &Stage) {
    assert_eq!(stage.stranger().get("/about", &[]).await.status(), 200);
    let reached = stage.reached.take();
    assert_eq!(reached.len(), 1);
    assert_eq!(as_gateway(&reached[0].fields), []);
}

pub(super) async fn a_target_arrives_as_it_was_asked_about(stage: &Stage) {
    let person = stage.person().await;
    let targets = [
        "/page?x=%2F;y//z",
        "//a/%2e%2E/./b/..;/%2f?q=/../%00&%20",
        "/page?",
        "/%E9?%5c",
    ];
    for target in targets {
        stage.forget();
        let line = format!("PATCH {target} HTTP/1.1");
        let fields = format!("Cookie: {}\r\nContent-Length: 5\r\n", person.cookie);
        let answer = exchange(stage.running.authority(), &line, &fields, "hello").await;
        assert_eq!(answer.status, 200, "{target}");
        let (asked, reached) = (stage.running.asked.take(), stage.reached.take());
        assert_eq!(reached[0].method, Method::PATCH);
        let kind = match stage.front {
            Front::Nginx => "original",
            _ => "forwarded",
        };
        assert_eq!(asked[0].values(&format!("x-{kind}-method")), ["PATCH"]);
        let about = asked[0].values(&format!("x-{kind}-uri")).join(", ");
        assert_eq!(about, reached[0].target, "{target}");
        // Traefik cleans paths before it asks.
        if stage.front != Front::Traefik {
            assert_eq!(reached[0].target, target);
        }
    }
}

pub(super) async fn bodies_arrive_whole_and_the_question_has_none(stage: &Stage) {
    let person = stage.person().await;
    let large = "z".repeat(900_000);
    let answer = person.request(Method::POST, "/length").body(large);
    let answer = answer.send().await.unwrap().text().await.unwrap();
    assert_eq!(answer, "900000");
    let fields = format!(
        "Cookie: {}\r\nTransfer-Encoding: chunked\r\n",
        person.cookie
    );
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    let line = "POST /length HTTP/1.1";
    let answer = exchange(stage.running.authority(), line, &fields, chunks).await;
    assert!(answer.body.contains('5'), "{answer:?}");
    for head in stage.running.asked.take() {
        assert_eq!(head.values("transfer-encoding"), [""; 0]);
        assert!(matches!(*head.values("content-length"), [] | ["0"]));
    }
}

pub(super) async fn the_services_own_errors_arrive_as_they_are(stage: &Stage) {
    let person = stage.person().await;
    let answers = [
        ("/broken", 500),
        ("/theirs", 401),
        ("/forbidden", 403),
        ("/missing", 404),
    ];
    for (path, status) in answers {
        let answer = person.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(list(&answer, "www-authenticate"), "", "{path}");
        assert_eq!(answer.text().await.unwrap(), "theirs", "{path}");
    }
}

pub(super) async fn no_answer_colours_the_next_one_on_its_connection(stage: &Stage) {
    let mut person = stage.person_to_renew().await;
    let renewed = person.get("/page", &[]).await;
    assert!(list(&renewed, "set-cookie").contains("magic-link="));
    drop(renewed.bytes().await);
    person.cookie.clear();
    let answer = person.get("/about", &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(list(&answer, "set-cookie"), "");
    assert!(!list(&answer, "cache-control").contains("no-store"));
    drop(answer.bytes().await);
    let reached = stage.reached.take();
    assert_eq!(as_gateway(&reached[1].fields), []);
    assert_eq!(person.get("/page", &[]).await.status(), 303);
}

pub(super) async fn the_question_is_not_a_clients_to_ask(stage: &Stage) {
    let stranger = stage.stranger();
    for path in ["/.ask", "/ask", "/refuse"] {
        let fields = [
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", "/about"),
            ("x-original-method", "GET"),
            ("x-original-uri", "/about"),
        ];
        let answer = stranger.get(path, &fields).await;
        let is_internal = stage.front == Front::Nginx && path == "/.ask";
        let status = if is_internal { 404 } else { 303 };
        assert_eq!(answer.status(), status, "{path}");
    }
}

/// Pinned: see `crowd`. Caddy says so when it will not keep a connection.
pub(super) async fn a_caddy_pools_no_connection_of_the_question(stage: &Stage) {
    let person = stage.person().await;
    assert_eq!(person.get("/page", &[]).await.status(), 200);
    if matches!(stage.front, Front::Caddy | Front::NewCaddy) {
        assert_eq!(
            stage.running.asked.take()[0].values("connection"),
            ["close"]
        );
    }
}
