//! What a bearer token does not do: it sets no cookie, proves no origin, is not passed on.

use std::time::Duration;

use http::{Request, header};
use http_body_util::Full;
use tower::Layer;
use tower_magic_link::{clock::Clock, testing::ManualClock};

use super::{HOUR, ask, bearer, cookie, on, token_of, with_field};
use crate::{
    answer::Answer,
    greeter::greeting,
    names::ORIGIN,
    script::{Act, Script},
    site::{SESSION, builder, document, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_session_that_came_by_bearer_token_sets_and_removes_no_cookie() {
    let cases = [
        ("renewal is due", 30 * MINUTE, Act::Active, 200),
        ("expired", HOUR, Act::Active, 401),
        ("revoked", MINUTE, Act::Revoked, 401),
    ];
    for (name, later, act, want) in cases {
        for store in [Script::settled(act), Script::pending(act)] {
            let clock = ManualClock::new();
            let layer = on(builder(&clock).revocations(store));
            let (token, _) = token_of(&layer);
            clock.advance(later);
            for path in ["/x", "/about"] {
                let plain = || with_field(program(path), &bearer(&token));
                let with_both = with_cookie(plain(), &cookie(&token));
                for request in [plain(), with_both] {
                    let answer = ask(&layer, request).await;
                    let want = if path == "/about" { 200 } else { want };
                    assert_eq!(answer.status(), want, "{name} {path}");
                    assert_eq!(answer.header("set-cookie"), "", "{name} {path}");
                }
            }
            let by_cookie = ask(&layer, with_cookie(document("/x"), &cookie(&token))).await;
            assert!(!by_cookie.cookies().is_empty(), "{name}, by cookie");
        }
    }
}

#[tokio::test]
async fn where_it_is_off_the_field_is_the_applications_own() {
    let clock = ManualClock::new();
    let layer = builder(&clock).build().unwrap();
    let (token, session) = token_of(&layer);
    let (other, _) = token_of(&layer);
    for field in [bearer(&other), "Bearer".into(), "Basic YTpi".into()] {
        let request = with_field(with_field(program("/x"), &field), &field);
        let answer = ask(&layer, with_cookie(request, &cookie(&token))).await;
        assert_eq!(answer.text(), greeting(&session), "{field}");
        assert_eq!(answer.header("vary"), "cookie", "{field}");
        let refused = ask(&layer, with_field(program("/x"), &field)).await;
        assert_eq!(refused.code(), "no_session", "{field}");
        assert_eq!(refused.header("vary"), "cookie", "{field}");
        let challenge = refused.header("www-authenticate");
        assert!(!challenge.contains("Bearer"), "{challenge}");
    }
    let spoilt = with_cookie(with_field(program("/x"), "Bearer x"), &cookie("a.b.c"));
    let answer = ask(&layer, spoilt).await;
    assert_eq!(answer.cookies()[SESSION], (String::new(), 0));
}

#[tokio::test]
async fn a_bearer_token_is_no_proof_of_origin_at_the_layers_own_endpoints() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, session) = token_of(&layer);
    let post = |path: &str| {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        with_field(
            request.body(Full::from("email=ada@example.com")).unwrap(),
            &bearer(&token),
        )
    };
    let from = |mut request: Request<Full<bytes::Bytes>>, origin: &str| {
        request
            .headers_mut()
            .insert(header::ORIGIN, origin.parse().unwrap());
        request
    };
    for path in ["/auth/login", "/auth/logout"] {
        for request in [post(path), from(post(path), "https://evil.example")] {
            let refused = ask(&layer, request).await;
            assert_eq!(
                (refused.status().as_u16(), refused.code()),
                (403, "cross_site".into()),
                "{path}"
            );
        }
    }
    let who = || with_field(program("/auth/session"), &bearer(&token));
    let answer = ask(&layer, who()).await;
    assert!(
        answer.text().contains(session.subject()),
        "{}",
        answer.text()
    );

    let (other, _) = token_of(&layer);
    let torn = with_cookie(from(post("/auth/logout"), ORIGIN), &cookie(&other));
    let refused = ask(&layer, torn).await;
    assert_eq!(
        (refused.status().as_u16(), refused.code()),
        (401, "conflicting_credentials".into())
    );
    assert_eq!(ask(&layer, who()).await.status(), 200, "nothing ended");

    let twice = format!("{}; {}", cookie(&other), cookie(&token));
    let torn = with_cookie(from(post("/auth/logout"), ORIGIN), &twice);
    let refused = ask(&layer, torn).await;
    assert_eq!(
        (refused.status().as_u16(), refused.code()),
        (401, "conflicting_cookies".into())
    );
    assert_eq!(refused.header("retry-after"), "", "it would fail again");
    assert_eq!(refused.header("set-cookie"), "");
    assert_eq!(ask(&layer, who()).await.status(), 200, "nothing ended");

    let ended = ask(&layer, from(post("/auth/logout"), ORIGIN)).await;
    assert_eq!(ended.location(), "/auth/logout");
    assert_eq!(ended.header("set-cookie"), "");
    assert_eq!(ask(&layer, who()).await.status(), 401);
    assert!(clock.now() < session.expires_at(), "not for its age");
}

/// Pins: the page said "You're signed out", and both sessions were good.
#[tokio::test]
async fn asking_to_sign_out_with_credentials_that_differ_leads_to_the_form() {
    let layer = on(builder(&ManualClock::new()));
    let [(token, _), (other, _)] = [token_of(&layer), token_of(&layer)];
    let asking = with_field(document("/auth/logout"), &bearer(&token));
    let answer = ask(&layer, with_cookie(asking, &cookie(&other))).await;
    assert_eq!(answer.location(), "/auth/login");
    assert_eq!(answer.header("set-cookie"), "");
    for token in [token, other] {
        let answer = ask(&layer, with_field(program("/x"), &bearer(&token))).await;
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_token_that_opened_the_way_goes_no_further_where_identity_is_forwarded() {
    let layer = on(builder(&ManualClock::new()).forward_identity());
    let (token, session) = token_of(&layer);
    let inner = tower::service_fn(|request: Request<Full<bytes::Bytes>>| async move {
        let field = |name| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let seen = format!("{:?} {:?}", field("authorization"), field("x-auth-subject"));
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::from(seen)))
    });
    let basic = "Basic YTpi";
    let cases = [
        (
            "bearer",
            with_field(program("/hello"), &bearer(&token)),
            None,
        ),
        (
            "cookie, and the application's own scheme",
            with_field(with_cookie(program("/hello"), &cookie(&token)), basic),
            Some(basic.to_owned()),
        ),
    ];
    for (name, request, authorization) in cases {
        let answer = Answer::of(layer.layer(inner), request).await;
        let want = format!("{authorization:?} {:?}", Some(session.subject()));
        assert_eq!(answer.text(), want, "{name}");
    }
}
