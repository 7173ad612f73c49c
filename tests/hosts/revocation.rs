//! The revocation hook in the middle of a request.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::time::Instant;
use tower::Layer;
use tower_magic_link::{
    Builder, MagicLinkLayer, Rejection, RejectionKind, Session, revocation::Standing,
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    names::{ADA, EVE},
    script::{Act, Script},
    site::{
        SESSION, application, builder, builder_with, cookie_of, document, grpc, keys, program,
        with_cookie,
    },
    unanswered::stored::CutOff,
};

fn layer(configure: impl FnOnce(Builder) -> Builder) -> MagicLinkLayer {
    let builder = builder(&ManualClock::new()).public_path("/about");
    configure(builder).build().unwrap()
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<Bytes>>) -> Answer {
    Answer::of(layer.layer(application()), request).await
}

fn sign_out() -> Request<Full<Bytes>> {
    let request = Request::post("/auth/logout")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(Full::default()).unwrap()
}

/// Every way in which a store can answer, and those of them that need no wait.
fn stores() -> Vec<(Act, Script)> {
    let settled = [Act::Active, Act::Revoked, Act::Fail].map(|act| (act, Script::settled(act)));
    let pending = [Act::Active, Act::Revoked, Act::Fail, Act::Hang];
    let pending = pending.map(|act| (act, Script::pending(act)));
    settled.into_iter().chain(pending).collect()
}

#[tokio::test(start_paused = true)]
async fn a_protected_request_hears_what_the_store_says() {
    for (act, store) in stores() {
        let layer = layer(|builder| builder.revocations(store.clone()));
        let (cookie, session) = cookie_of(&layer);
        let answer = ask(&layer, with_cookie(program("/x"), &cookie)).await;
        match act {
            Act::Active => assert_eq!(answer.text(), greeting(&session), "{store:?}"),
            Act::Revoked => {
                assert_eq!(answer.status(), 401, "{store:?}");
                assert_eq!(answer.code(), "revoked_session", "{store:?}");
                assert!(answer.cookies().is_empty(), "{store:?}");
            }
            Act::Fail | Act::Hang => {
                assert_eq!(answer.status(), 503, "{store:?}");
                assert_eq!(answer.code(), "store_unavailable", "{store:?}");
                assert!(answer.cookies().is_empty(), "{store:?}");
            }
        }
        assert_eq!(store.asked(), 1, "{store:?}");
        if act == Act::Revoked {
            let page = ask(&layer, with_cookie(document("/x"), &cookie)).await;
            assert_eq!(page.cookies()[SESSION], (String::new(), 0), "{store:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_public_path_stays_open_and_gets_the_session_only_while_the_store_vouches_for_it() {
    for (act, store) in stores() {
        let layer = layer(|builder| builder.revocations(store.clone()));
        let (cookie, session) = cookie_of(&layer);
        let answer = ask(&layer, with_cookie(document("/about"), &cookie)).await;
        let want = match act {
            Act::Active => greeting(&session),
            Act::Revoked | Act::Fail | Act::Hang => "hello nobody".to_owned(),
        };
        assert_eq!(answer.text(), want, "{store:?}");
        assert!(answer.cookies().is_empty(), "{store:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_out_is_a_503_for_every_audience_and_the_cookie_stays() {
    for store in stores() {
        let (Act::Fail | Act::Hang, store) = store else {
            continue;
        };
        let told = Arc::new(Mutex::new(Vec::new()));
        let ears = told.clone();
        let layer = layer(|builder| {
            builder
                .revocations(store.clone())
                .on_event(move |event, _| ears.lock().unwrap().push(format!("{event:?}")))
        });
        let (cookie, _) = cookie_of(&layer);
        let cases = [
            (
                "document",
                document("/x?y=1"),
                503,
                "text/html; charset=utf-8",
            ),
            ("program", program("/x"), 503, "application/problem+json"),
            ("grpc", grpc("/a.B/C"), 200, "application/grpc"),
            (
                "endpoint",
                program("/auth/session"),
                503,
                "application/problem+json",
            ),
        ];
        for (name, request, status, kind) in cases {
            let answer = ask(&layer, with_cookie(request, &cookie)).await;
            assert_eq!(answer.status(), status, "{name} {store:?}");
            assert_eq!(answer.header("content-type"), kind, "{name} {store:?}");
            assert_eq!(answer.header("set-cookie"), "", "{name} {store:?}");
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
            assert_eq!(answer.header("location"), "", "{name}");
            let (retry_after, grpc_status) =
                (answer.header("retry-after"), answer.header("grpc-status"));
            match name {
                "grpc" => assert_eq!(grpc_status, "14", "{store:?}"),
                _ => assert_eq!(retry_after, "5", "{name} {store:?}"),
            }
            match name {
                "document" => assert!(
                    answer.text().contains("href=\"/x?y=1\""),
                    "{}",
                    answer.text()
                ),
                "program" => assert_eq!(answer.code(), "store_unavailable"),
                _ => {}
            }
            if name != "endpoint" {
                let rejection = answer.head.extensions.get::<Rejection>().unwrap();
                assert_eq!(rejection.kind(), RejectionKind::StoreUnavailable, "{name}");
            }
        }
        let told = told.lock().unwrap().join("\n");
        assert_eq!(told.matches("StoreFailed").count(), 4, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_store_as_long_as_the_timeout_and_no_longer() {
    for timeout in [Duration::from_millis(250), Duration::from_secs(7)] {
        let store = Script::pending(Act::Hang);
        let layer = layer(|builder| builder.revocations(store).revocation_timeout(timeout));
        let (cookie, _) = cookie_of(&layer);
        for request in [program("/x"), document("/about"), program("/auth/session")] {
            let begun = Instant::now();
            ask(&layer, with_cookie(request, &cookie)).await;
            assert_eq!(begun.elapsed(), timeout);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_in_time_counts() {
    let layer = layer(|builder| {
        builder.revocations(|_: Session| async {
            tokio::time::sleep(Duration::from_millis(1_999)).await;
            Standing::Active
        })
    });
    let (cookie, session) = cookie_of(&layer);
    let answer = ask(&layer, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(answer.text(), greeting(&session));
}

#[tokio::test]
async fn a_closure_is_a_store() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let layer = layer(|builder| {
        builder.revocations(move |session: Session| {
            let count = count.clone();
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<_, std::io::Error>(match session.email() {
                    EVE => Standing::Revoked,
                    _ => Standing::Active,
                })
            }
        })
    });
    let request_of = |email| {
        let mut request = program("/x");
        let session = layer.sign_in(&mut request, email);
        (request, session)
    };
    let (request, session) = request_of(ADA);
    assert_eq!(ask(&layer, request).await.text(), greeting(&session));
    let (request, _) = request_of(EVE);
    assert_eq!(ask(&layer, request).await.code(), "revoked_session");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_closure_that_fails_closes_what_is_protected() {
    let out = || Err::<Standing, _>(std::io::Error::other("marker: the store is out"));
    let layer = layer(|builder| builder.revocations(move |_: Session| async move { out() }));
    let (cookie, _) = cookie_of(&layer);
    let answer = ask(&layer, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(
        (answer.status().as_u16(), answer.code().as_str()),
        (503, "store_unavailable")
    );
    assert!(!answer.text().contains("marker"), "{}", answer.text());
}

#[tokio::test]
async fn a_sign_out_here_holds_although_a_closure_does_not_know_of_it() {
    let layer = layer(|builder| builder.revocations(|_: Session| async { Standing::Active }));
    let (cookie, _) = cookie_of(&layer);
    let out = ask(&layer, with_cookie(sign_out(), &cookie)).await;
    assert_eq!(out.location(), "/auth/logout");
    let answer = ask(&layer, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(answer.code(), "revoked_session");
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_that_the_store_does_not_take_is_owned_up_to_and_the_cookie_goes() {
    for act in [Act::Fail, Act::Hang] {
        let layer = layer(|builder| builder.revocations(Script::pending(act)));
        let (cookie, _) = cookie_of(&layer);
        let begun = Instant::now();
        let out = ask(&layer, with_cookie(sign_out(), &cookie)).await;
        assert_eq!(out.status(), 503, "{act:?}");
        assert_eq!(out.code(), "sign_out_not_recorded", "{act:?}");
        assert_eq!(out.cookies()[SESSION], (String::new(), 0), "{act:?}");
        let waited = match act {
            Act::Hang => Duration::from_secs(2),
            _ => Duration::ZERO,
        };
        assert_eq!(begun.elapsed(), waited, "{act:?}");
    }
}

/// A program keeps its token: another try ends what this one did not.
#[tokio::test]
async fn a_bearers_sign_out_that_the_store_does_not_take_is_to_be_tried_again() {
    let store = Script::pending(Act::Fail);
    let layer = layer(|builder| builder.bearer_tokens().revocations(store));
    let (cookie, _) = cookie_of(&layer);
    let (_, token) = cookie.split_once('=').unwrap();
    let mut request = sign_out();
    let bearer = format!("Bearer {token}").try_into().unwrap();
    request
        .headers_mut()
        .insert(http::header::AUTHORIZATION, bearer);
    let out = ask(&layer, request).await;
    assert_eq!(out.code(), "sign_out_not_recorded");
    assert_eq!(out.header("retry-after"), "5");
    let out = ask(&layer, with_cookie(sign_out(), &cookie)).await;
    assert_eq!(out.code(), "sign_out_not_recorded");
    assert_eq!(out.header("retry-after"), "", "the cookie is gone");
}

/// A try that follows is answered as the first, though the store knows of the end here. One to sign
/// out everywhere is that of a session that has ended, and no other try is asked for.
#[tokio::test]
async fn a_sign_out_that_only_this_replica_knows_of_is_never_called_recorded() {
    let lost = ("sign_out_not_recorded", "5");
    for (form, answers) in [
        ("", [lost, lost, lost]),
        (
            "everywhere=true",
            [
                ("sign_out_not_recorded", ""),
                ("no_session", ""),
                ("no_session", ""),
            ],
        ),
    ] {
        let layer = layer(|builder| builder.bearer_tokens().revocations(CutOff::default()));
        let (cookie, _) = cookie_of(&layer);
        let (_, token) = cookie.split_once('=').unwrap();
        for want in answers {
            let (mut parts, _) = sign_out().into_parts();
            let bearer = format!("Bearer {token}").try_into().unwrap();
            parts.headers.insert(http::header::AUTHORIZATION, bearer);
            let request = Request::from_parts(parts, Full::from(form));
            let out = ask(&layer, request).await;
            assert_eq!(
                (&*out.code(), &*out.header("retry-after")),
                want,
                "{form:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_stranger_never_reaches_the_store() {
    let store = Script::pending(Act::Active);
    let clock = ManualClock::new();
    let keys = keys();
    let layer = |keys| {
        let builder = builder_with(&clock, keys).revocations(store.clone());
        builder.public_path("/about").build().unwrap()
    };
    let (layer, strange) = (layer(&keys), layer(&crate::site::keys()));
    let (expired, _) = cookie_of(&layer);
    clock.advance(Duration::from_secs(12 * 60 * 60));
    let (good, _) = cookie_of(&layer);
    let (foreign, _) = cookie_of(&strange);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}.{flipped}{}", &signature[1..]);
    let unsigned = format!("{head}.");
    let cookies = [
        ("no cookie", "theme=dark".to_owned(), "no_session"),
        ("empty", format!("{SESSION}="), "invalid_session"),
        ("no token", format!("{SESSION}=x"), "invalid_session"),
        ("forged", forged, "invalid_session"),
        ("unsigned", unsigned, "invalid_session"),
        ("of another key", foreign.clone(), "invalid_session"),
        ("expired", expired, "expired_session"),
        (
            "two sessions",
            format!("{good}; {foreign}"),
            "conflicting_cookies",
        ),
    ];
    for (name, cookie, want) in &cookies {
        let answer = ask(&layer, with_cookie(program("/x"), cookie)).await;
        assert_eq!(answer.code(), *want, "{name}");
        let open = ask(&layer, with_cookie(document("/about"), cookie)).await;
        assert_eq!(open.text(), "hello nobody", "{name}");
        for path in ["/auth/login", "/auth/logout", "/auth/session"] {
            ask(&layer, with_cookie(document(path), cookie)).await;
        }
        assert_eq!(store.asked(), 0, "{name}");
    }
    ask(&layer, with_cookie(program("/x"), &good)).await;
    assert_eq!(store.asked(), 1);
}
