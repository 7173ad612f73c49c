//! What arrives at the webhook's path: by which method, of which type and size, from where. None of
//! the answers is a page.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider,
};

use crate::{
    names::ORIGIN,
    site::{Answer, SECRET, Site, WEBHOOK, empty, full, signed},
};

const DATA: &str = r#"{"id":"conn_1"}"#;

fn assert_is_problem(answer: &Answer, status: u16, code: &str, name: &str) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{name}"
    );
    assert!(
        answer.text.contains(&format!(r#""code":"{code}""#)),
        "{name}: {}",
        answer.text
    );
    assert_eq!(answer.header("set-cookie"), None, "{name}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
}

#[tokio::test]
async fn another_method_is_refused_to_a_browser_too() {
    let site = Site::new();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for accept in ["text/html", "*/*"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = Request::builder().method(&method).uri(WEBHOOK);
            let request = request
                .header("accept", accept)
                .header("sec-fetch-mode", "navigate");
            let answer = site.ask(request.body(empty()).unwrap()).await;
            assert_is_problem(&answer, 405, "method_not_allowed", method.as_str());
            assert_eq!(answer.header("allow"), Some("POST"), "{method}");
        }
    }
    let head = Request::head(WEBHOOK).body(empty()).unwrap();
    let answer = site.ask(head).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (405, ""));
}

#[tokio::test]
async fn it_matters_who_signed_and_not_where_a_request_comes_from() {
    let site = Site::new();
    let fields: [&[(&str, &str)]; 6] = [
        &[],
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[("cookie", "__Host-magic-link=x; __Host-magic-link=y")],
        &[("sec-purpose", "prefetch")],
        &[("accept", "text/html"), ("sec-fetch-mode", "navigate")],
        &[("content-type", "application/json; charset=utf-8")],
    ];
    for fields in fields {
        let add = |mut request: http::request::Builder| {
            for (name, value) in fields {
                let headers = request.headers_mut().unwrap();
                headers.insert(*name, value.parse().unwrap());
            }
            request
        };
        let event = site.webhook().event("connection.deleted", DATA);
        let request = add(signed(event.signature()));
        let answer = site.ask(request.body(full(event.body())).unwrap()).await;
        assert_eq!(answer.status, 200, "{fields:?}: {}", answer.text);
        assert_eq!(answer.text, "{}", "{fields:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{fields:?}"
        );
        assert_eq!(answer.header("set-cookie"), None, "{fields:?}");
        let request = add(signed("t=1, v1=0"));
        let answer = site.ask(request.body(full(event.body())).unwrap()).await;
        assert_is_problem(&answer, 400, "webhook_signature", &format!("{fields:?}"));
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    let types = [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/html"),
        Some("text/json"),
    ];
    for kind in types {
        let mut request = Request::post(WEBHOOK)
            .header("workos-signature", event.signature())
            .header("accept", "text/html");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = site.ask(request.body(full(event.body())).unwrap()).await;
        assert_is_problem(
            &answer,
            415,
            "unsupported_media_type",
            kind.unwrap_or("none"),
        );
    }
    assert_eq!(site.store.revocations(), 0);
}

#[tokio::test]
async fn a_signature_that_is_out_of_time_says_so() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    site.clock.advance(Duration::from_secs(181));
    assert_is_problem(&site.take(&event).await, 400, "webhook_untimely", "old");
    let strict = Site::with(|builder| {
        builder
            .webhook_secret(SECRET)
            .webhook_tolerance(Duration::from_secs(60))
    });
    let event = strict.webhook().event("connection.deleted", DATA);
    strict.clock.advance(Duration::from_secs(61));
    assert_is_problem(
        &strict.take(&event).await,
        400,
        "webhook_untimely",
        "strict",
    );
}

#[tokio::test]
async fn the_largest_event_is_taken_and_one_byte_more_is_not() {
    let site = Site::new();
    let bare = site.webhook().event("x", r#"{"x":""}"#).body().len();
    for (size, status) in [(256 * 1_024, 200), (256 * 1_024 + 1, 413)] {
        let data = format!(r#"{{"x":"{}"}}"#, "a".repeat(size - bare));
        let event = site.webhook().event("x", &data);
        assert_eq!(event.body().len(), size);
        assert_eq!(site.take(&event).await.status, status, "{size}");
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_read() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    let declared = signed(event.signature()).header("content-length", "104857600");
    let answer = site.ask(declared.body(empty()).unwrap()).await;
    assert_is_problem(&answer, 413, "too_large", "declared");

    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let pieces = stream::iter((0..1_600).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b' '; 64 * 1_024])))
    }));
    let body = BodyExt::boxed(StreamBody::new(pieces));
    let answer = site
        .ask(signed(event.signature()).body(body).unwrap())
        .await;
    assert_is_problem(&answer, 413, "too_large", "streamed");
    assert!(
        read.load(Ordering::SeqCst) <= 5,
        "{read:?} pieces of 64 KiB"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_waited_for_ten_seconds() {
    let site = Site::new();
    let event = site.webhook().event("connection.deleted", DATA);
    let begun = tokio::time::Instant::now();
    let body = BodyExt::boxed(StreamBody::new(stream::pending::<
        Result<Frame<Bytes>, Infallible>,
    >()));
    let answer = site
        .ask(signed(event.signature()).body(body).unwrap())
        .await;
    assert_is_problem(&answer, 408, "too_slow", "slow");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn without_a_secret_the_path_is_the_applications_own() {
    let protected = Site::with(|builder| builder);
    let event = protected.webhook().event("connection.deleted", DATA);
    let answer = protected.take(&event).await;
    assert_is_problem(&answer, 401, "no_session", "protected");
    assert_eq!(protected.store.revocations(), 0);

    let elsewhere = Site::with(|builder| builder.webhook_secret(SECRET).mount("/in"));
    assert_eq!(elsewhere.take(&event).await.status, 401);
    let event = elsewhere.webhook().event("connection.deleted", DATA);
    let request = signed(event.signature()).uri("/in/webhook");
    let answer = elsewhere
        .ask(request.body(full(event.body())).unwrap())
        .await;
    assert_eq!(answer.status, 200);
}

#[test]
fn a_secret_or_a_tolerance_that_cannot_work_is_an_error() {
    let build = |configure: fn(Builder) -> Builder| {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
        let built = configure(builder.public_url(ORIGIN)).build();
        built.map(drop).map_err(|error| (error.setting(), error))
    };
    type Case = (&'static str, fn(Builder) -> Builder, Option<&'static str>);
    let cases: [Case; 7] = [
        ("good", |b| b.webhook_secret("x"), None),
        ("empty", |b| b.webhook_secret(""), Some("webhook_secret")),
        (
            "a line",
            |b| b.webhook_secret("marker\n"),
            Some("webhook_secret"),
        ),
        (
            "one of two",
            |b| b.webhook_secret("x").webhook_secret(" "),
            Some("webhook_secret"),
        ),
        (
            "a minute",
            |b| b.webhook_tolerance(Duration::from_secs(60)),
            None,
        ),
        (
            "short",
            |b| b.webhook_tolerance(Duration::from_secs(59)),
            Some("webhook_tolerance"),
        ),
        (
            "long",
            |b| b.webhook_tolerance(Duration::from_secs(601)),
            Some("webhook_tolerance"),
        ),
    ];
    for (name, configure, want) in cases {
        let built = build(configure);
        let got = built.as_ref().err().map(|(setting, _)| *setting);
        assert_eq!(got, want, "{name}");
        if let Err((_, error)) = built {
            assert!(!format!("{error} {error:?}").contains("marker"), "{name}");
            assert!(matches!(
                error,
                ConfigError::Secret { .. } | ConfigError::Invalid { .. }
            ));
        }
    }
}
