//! Session tokens as bearer tokens: for callers that keep no cookies, over every protocol, and only
//! where they are switched on.

use std::time::Duration;

use http::{Method, Request, header};
use http_body_util::Full;
use tonic::Code;
use tower::Layer;
use tower_magic_link::{
    Builder, MagicLinkLayer, RejectionKind, Session, clock::Clock, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::{ONCE, STREAM, ask_with, greeting, heard},
    host::{Host, Kind},
    names::ORIGIN,
    script::{Act, Script},
    site::{SESSION, application, builder, cookie_of, document, grpc, program, with_cookie},
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// A layer that takes bearer tokens. Its sessions end after an idle hour.
fn on(builder: Builder) -> MagicLinkLayer {
    let builder = builder.idle_timeout(HOUR).public_path("/about");
    builder.bearer_tokens().build().unwrap()
}

/// Returns the token of a session that begins now.
fn token_of(layer: &MagicLinkLayer) -> (String, Session) {
    let (cookie, session) = cookie_of(layer);
    let token = cookie.split_once('=').unwrap().1.to_owned();
    (token, session)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn cookie(token: &str) -> String {
    format!("{SESSION}={token}")
}

/// Gives a request an `Authorization` field.
fn with_field<B>(mut request: Request<B>, field: &str) -> Request<B> {
    let field = field.parse().unwrap();
    request.headers_mut().append(header::AUTHORIZATION, field);
    request
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<bytes::Bytes>>) -> Answer {
    Answer::of(layer.layer(application()), request).await
}

#[tokio::test]
async fn every_host_takes_a_bearer_token_when_it_is_switched_on_and_none_otherwise() {
    let clock = ManualClock::new();
    let (on, off) = (on(builder(&clock)), builder(&clock).build().unwrap());
    for (layer, is_on) in [(on, true), (off, false)] {
        let (token, session) = token_of(&layer);
        for host in Host::all(&layer).await {
            if host.kind == Kind::Tonic {
                continue;
            }
            let request = host
                .request(Method::GET, "/hello")
                .header("accept", "application/json")
                .header("authorization", bearer(&token));
            let answer = host.send(request.body(Full::default()).unwrap()).await;
            if is_on {
                assert_eq!(answer.text(), greeting(&session), "{host:?}");
                assert_eq!(answer.header("vary"), "cookie, authorization");
                assert!(answer.cookies().is_empty(), "{host:?}");
            } else {
                assert_eq!(answer.code(), "no_session", "{host:?}");
                assert_eq!(answer.header("vary"), "cookie", "{host:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_grpc_client_is_served_by_the_token_in_its_metadata() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let [.., host] = Host::all(&layer).await;
    let mut client = host.grpc_client().await;
    let (token, session) = token_of(&layer);
    let (other, _) = token_of(&layer);
    let field = |value: String| ("authorization", value);
    let crumb = |value: String| ("cookie", value);
    let served: [(&str, Vec<_>); 4] = [
        ("bearer", vec![field(bearer(&token))]),
        ("lower case", vec![field(format!("bearer {token}"))]),
        (
            "equal cookie among crumbs",
            vec![
                crumb("a=1".into()),
                crumb(cookie(&token)),
                crumb("b=2".into()),
                field(bearer(&token)),
            ],
        ),
        (
            "basic beside the cookie",
            vec![field("Basic YTpi".into()), crumb(cookie(&token))],
        ),
    ];
    let refused: [(&str, Vec<_>); 6] = [
        ("forged", vec![field(bearer(&format!("{token}x")))]),
        (
            "other cookie among crumbs",
            vec![
                crumb("a=1".into()),
                crumb(cookie(&other)),
                field(bearer(&token)),
            ],
        ),
        (
            "no token, good cookie",
            vec![field("Bearer".into()), crumb(cookie(&token))],
        ),
        ("twice", vec![field(bearer(&token)), field(bearer(&token))]),
        (
            "basic and bearer",
            vec![field("Basic YTpi".into()), field(bearer(&token))],
        ),
        ("basic alone", vec![field("Basic YTpi".into())]),
    ];
    for (method, times) in [(ONCE, 1), (STREAM, 2)] {
        for (name, metadata) in &served {
            let greetings = ask_with(&mut client, method, metadata).await.unwrap();
            let want = vec![greeting(&session); times];
            assert_eq!(greetings, want, "{method} {name}");
        }
        for (name, metadata) in &refused {
            let status = ask_with(&mut client, method, metadata).await.unwrap_err();
            let want = (Code::Unauthenticated, "sign-in required");
            assert_eq!(heard(&status), want, "{method} {name}");
        }
    }
}

#[tokio::test]
async fn cookie_and_bearer_token_are_read_over_all_fields_of_both_protocols_and_must_agree() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, session) = token_of(&layer);
    let (other, _) = token_of(&layer);
    for host in Host::all(&layer).await {
        if host.kind == Kind::Tonic {
            continue;
        }
        for (name, in_cookie, want) in [
            ("equal", &token, Ok(())),
            ("different", &other, Err("conflicting_credentials")),
        ] {
            let request = host
                .request(Method::GET, "/hello")
                .header("cookie", "a=\u{e9}")
                .header("authorization", bearer(&token))
                .header("cookie", cookie(in_cookie))
                .header("cookie", "b=2");
            let answer = host.send(request.body(Full::default()).unwrap()).await;
            match want {
                Ok(()) => assert_eq!(answer.text(), greeting(&session), "{host:?} {name}"),
                Err(code) => assert_eq!(answer.code(), code, "{host:?} {name}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_exactly_one_good_token_is_refused_and_the_cookie_is_not_taken_instead() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, session) = token_of(&layer);
    let (other, _) = token_of(&layer);
    let own = bearer(&token);
    let (conflict, invalid) = (
        Err(RejectionKind::ConflictingCredentials),
        Err(RejectionKind::InvalidSession),
    );
    let none = Err(RejectionKind::NoSession);
    let basic = || "Basic YTpi".to_owned();
    // Beside a good cookie, and without any.
    type Case = (&'static str, Vec<String>, Outcome, Outcome);
    type Outcome = Result<(), RejectionKind>;
    let cases: [Case; 15] = [
        ("plain", vec![own.clone()], Ok(()), Ok(())),
        ("none", vec![], Ok(()), none),
        ("basic", vec![basic()], Ok(()), none),
        (
            "two spaces",
            vec![format!("Bearer  {token}")],
            conflict,
            invalid,
        ),
        ("tab", vec![format!("Bearer\t{token}")], conflict, invalid),
        ("space behind", vec![format!("{own} ")], conflict, invalid),
        (
            "quoted",
            vec![format!("Bearer \"{token}\"")],
            conflict,
            invalid,
        ),
        ("padded", vec![format!("{own}=")], conflict, invalid),
        (
            "list",
            vec![format!("{own}, {}", basic())],
            conflict,
            invalid,
        ),
        ("no token", vec!["Bearer ".into()], conflict, invalid),
        ("scheme alone", vec!["Bearer".into()], conflict, invalid),
        ("forged", vec!["Bearer a.b.c".into()], conflict, invalid),
        ("twice", vec![own.clone(), own.clone()], conflict, conflict),
        (
            "basic and bearer",
            vec![basic(), own.clone()],
            conflict,
            conflict,
        ),
        ("another session", vec![bearer(&other)], conflict, Ok(())),
    ];
    for (name, fields, beside, alone) in cases {
        for (has_cookie, want) in [(true, beside), (false, alone)] {
            let name = format!("{name}, cookie: {has_cookie}");
            let mut request = program("/x");
            for field in &fields {
                request = with_field(request, field);
            }
            if has_cookie {
                request = with_cookie(request, &cookie(&token));
            }
            let answer = ask(&layer, request).await;
            if let Err(kind) = want {
                let got = (answer.status().as_u16(), answer.code());
                assert_eq!(got, (401, kind.to_string()), "{name}");
                assert_eq!(answer.header("set-cookie"), "", "{name}");
            } else {
                assert!(answer.text().starts_with("hello ada@"), "{name}");
            }
        }
    }
    let request = with_field(program("/about"), "Bearer a.b.c");
    let request = with_cookie(request, &cookie(&token));
    assert_eq!(ask(&layer, request).await.text(), "hello nobody");
    let request = with_field(program("/about"), &own);
    let answer = ask(&layer, request).await;
    assert_eq!(answer.text(), greeting(&session));
    assert_eq!(answer.header("vary"), "cookie, authorization");
}

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
            let by_cookie = ask(&layer, with_cookie(program("/x"), &cookie(&token))).await;
            assert!(!by_cookie.cookies().is_empty(), "{name}, by cookie");
        }
    }
}

#[tokio::test]
async fn a_refusal_offers_bearer_and_names_an_error_only_to_who_brought_a_token() {
    let clock = ManualClock::new();
    let layer = on(builder(&clock));
    let (token, _) = token_of(&layer);
    let offer = r#"Bearer realm="https://app.example.com""#;
    let error = format!(r#"{offer}, error="invalid_token""#);
    let cases = [
        ("nothing", program("/x"), offer),
        ("basic", with_field(program("/x"), "Basic YTpi"), offer),
        (
            "bad cookie",
            with_cookie(program("/x"), &cookie("a.b.c")),
            offer,
        ),
        (
            "bad token",
            with_field(program("/x"), "Bearer a.b.c"),
            &error,
        ),
        ("no token", with_field(program("/x"), "Bearer"), &error),
        (
            "conflict",
            with_cookie(with_field(program("/x"), &bearer(&token)), &cookie("a.b.c")),
            &error,
        ),
        (
            "own endpoint",
            with_field(program("/auth/session"), "Bearer a.b.c"),
            &error,
        ),
    ];
    for (name, request, want) in cases {
        let answer = ask(&layer, request).await;
        let challenges = answer.head.headers.get_all("www-authenticate").iter();
        let challenges: Vec<_> = challenges.map(|it| it.to_str().unwrap()).collect();
        assert_eq!(answer.status(), 401, "{name}");
        assert_eq!(answer.header("vary"), "cookie, authorization", "{name}");
        assert_eq!(challenges.len(), 2, "{name}");
        assert!(challenges[0].starts_with("MagicLink login_url="), "{name}");
        assert_eq!(challenges[1], want, "{name}");
    }
    let refused = ask(&layer, with_field(document("/x"), "Bearer a.b.c")).await;
    assert_eq!(refused.location(), "/auth/login?return_to=/x");
    assert_eq!(refused.header("set-cookie"), "");
    let refused = ask(&layer, with_field(grpc(ONCE), "Bearer a.b.c")).await;
    assert_eq!(refused.header("grpc-status"), "16");
    assert_eq!(refused.header("www-authenticate"), "");
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
    assert_eq!(refused.header("set-cookie"), "");
    assert_eq!(ask(&layer, who()).await.status(), 200, "nothing ended");

    let ended = ask(&layer, from(post("/auth/logout"), ORIGIN)).await;
    assert_eq!(ended.location(), "/auth/logout");
    assert_eq!(ended.header("set-cookie"), "");
    assert_eq!(ask(&layer, who()).await.status(), 401);
    assert!(clock.now() < session.expires_at(), "not for its age");
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
