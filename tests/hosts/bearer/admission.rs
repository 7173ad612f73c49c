//! Which tokens admit a request, over every protocol.

use http::Method;
use http_body_util::Full;
use tonic::Code;
use tower_magic_link::testing::ManualClock;

use super::{bearer, cookie, on, token_of};
use crate::{
    greeter::{ONCE, STREAM, ask_with, greeting, heard},
    host::{Host, Kind},
    site::builder,
};

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
