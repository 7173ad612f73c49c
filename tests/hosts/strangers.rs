//! Whoever has no session, whatever else is sent: arbitrary heads, every method, preflights.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use proptest::prelude::*;
use tower::{Layer, service_fn};
use tower_magic_link::{Audience, MagicLinkLayer, Session, testing::ManualClock};

use self::heads::{METHODS, heads};
use crate::{
    answer::Answer,
    site::{ENDPOINTS, SESSION, builder, cookie_of, with_cookie},
};

mod heads;

fn is_safe(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_head_is_too_odd_for_an_audience_and_a_document_is_asked_for(head in heads()) {
        if Audience::of(&head) == Audience::Document {
            let asks = ["sec-fetch-mode", "sec-fetch-dest", "accept"];
            prop_assert!(asks.iter().any(|field| head.headers.contains_key(*field)));
        }
    }
}

/// A layer around a service that counts who reaches it, and how many of these had a session.
struct Door {
    layer: MagicLinkLayer,
    reached: AtomicUsize,
    known: AtomicUsize,
}

impl Door {
    fn of(layer: MagicLinkLayer) -> Self {
        let (reached, known) = Default::default();
        Self {
            layer,
            reached,
            known,
        }
    }

    /// Sends a request. Says whether it reached the inner service.
    async fn try_with(&self, request: Request<Full<Bytes>>) -> (Answer, bool) {
        let before = self.reached.load(Ordering::SeqCst);
        let service = self.layer.layer(service_fn(async |request: Request<_>| {
            self.reached.fetch_add(1, Ordering::SeqCst);
            let session = request.extensions().get::<Session>();
            self.known
                .fetch_add(usize::from(session.is_some()), Ordering::SeqCst);
            drop::<Request<Full<Bytes>>>(request);
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let answer = Answer::of(service, request).await;
        (answer, self.reached.load(Ordering::SeqCst) > before)
    }
}

#[test]
fn no_stranger_reaches_what_is_protected_or_is_redirected_but_by_get_and_head() {
    let protected = Door::of(builder(&ManualClock::new()).build().unwrap());
    let preflights = builder(&ManualClock::new()).allow_preflight().build();
    let preflights = Door::of(preflights.unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    proptest!(ProptestConfig::with_cases(2_000), |(head in heads())| {
        let path = head.uri.path();
        let is_own = ENDPOINTS.iter().any(|name| path == format!("/auth/{name}"));
        let is_preflight = head.method == Method::OPTIONS
            && head.headers.contains_key(header::ORIGIN)
            && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let request = || Request::from_parts(head.clone(), Full::default());

        let (answer, is_reached) = runtime.block_on(protected.try_with(request()));
        prop_assert!(!is_reached);
        // A posted form is answered 303 by the layer's own endpoints.
        let may_move = is_safe(&head.method) || is_own;
        prop_assert!(may_move || !answer.status().is_redirection());
        prop_assert!(!answer.status().is_redirection() || answer.status() == StatusCode::SEE_OTHER);

        let (_, is_reached) = runtime.block_on(preflights.try_with(request()));
        prop_assert_eq!(is_reached, is_preflight && !is_own);
        prop_assert_eq!(Audience::of(&head) == Audience::Preflight, is_preflight);
    });
    assert_eq!(preflights.known.load(Ordering::SeqCst), 0);
    assert!(
        preflights.reached.load(Ordering::SeqCst) > 0,
        "some were preflights"
    );
}

#[tokio::test]
async fn the_method_is_the_requests_own_whatever_a_field_or_the_query_says() {
    let layer = builder(&ManualClock::new()).public_path("/about").build();
    let door = Door::of(layer.unwrap());
    let overrides = [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-other",
    ];
    for name in METHODS {
        let method = Method::from_bytes(name.as_bytes()).unwrap();
        for path in [
            "/about",
            "/about?_method=GET",
            "/hello",
            "/hello?_method=GET",
        ] {
            for field in overrides {
                let request = Request::builder()
                    .method(&method)
                    .uri(path)
                    .header(field, "GET");
                let request = request.header("sec-fetch-mode", "navigate");
                let request = request.body(Full::default()).unwrap();
                let (answer, is_reached) = door.try_with(request).await;
                let want = is_safe(&method) && path.starts_with("/about");
                assert_eq!(is_reached, want, "{name} {path} {field}");
                let want = match (want, is_safe(&method)) {
                    (true, _) => 200,
                    (false, true) => 303,
                    (false, false) => 401,
                };
                assert_eq!(answer.status(), want, "{name} {path} {field}");
            }
        }
    }
}

#[tokio::test]
async fn a_preflight_is_protected_unless_it_is_allowed_and_then_has_no_session() {
    let protected = Door::of(builder(&ManualClock::new()).build().unwrap());
    let allowed = builder(&ManualClock::new()).allow_preflight().build();
    let allowed = Door::of(allowed.unwrap());
    let whole = [
        ("origin", "https://other.example"),
        ("access-control-request-method", "PUT"),
    ];
    let cases = [
        ("a preflight", Method::OPTIONS, "/hello", &whole[..], true),
        (
            "without an origin",
            Method::OPTIONS,
            "/hello",
            &whole[1..],
            false,
        ),
        (
            "that asks for nothing",
            Method::OPTIONS,
            "/hello",
            &whole[..1],
            false,
        ),
        (
            "by another method",
            Method::POST,
            "/hello",
            &whole[..],
            false,
        ),
        (
            "of the layer's own",
            Method::OPTIONS,
            "/auth/login",
            &whole[..],
            false,
        ),
    ];
    for (name, method, path, fields, passes) in cases {
        let request = || {
            let mut request = Request::builder().method(&method).uri(path);
            for (field, value) in fields {
                request = request.header(*field, *value);
            }
            request.body(Full::default()).unwrap()
        };
        let (answer, is_reached) = protected.try_with(request()).await;
        assert!(!is_reached && answer.status().is_client_error(), "{name}");
        let (_, is_reached) = allowed.try_with(request()).await;
        assert_eq!(is_reached, passes, "{name}");
        if passes {
            let (cookie, _) = cookie_of(&allowed.layer);
            assert!(cookie.starts_with(SESSION));
            let (_, is_reached) = allowed.try_with(with_cookie(request(), &cookie)).await;
            assert!(is_reached, "{name}, signed in");
        }
    }
    assert_eq!(allowed.known.load(Ordering::SeqCst), 0);
}
