//! A request is refused after the inner service has taken it as it would be refused before: byte
//! for byte, whatever fields it has.

use std::{
    collections::HashSet,
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{Audience, PeerAddr, Rejection, RejectionKind, language::Words};

use super::{Answer, text};
use crate::{
    names::{ADA, ORIGIN},
    site::with_cookie,
    streams::{End, Site},
};

/// Each field that a refusal depends on, with the values that change it.
const FIELDS: [(&str, &str); 20] = [
    ("accept", "text/html"),
    ("accept", "application/json"),
    ("accept-language", "de"),
    ("access-control-request-method", "PUT"),
    ("content-type", "application/grpc"),
    ("content-type", "application/grpc-web"),
    ("content-type", "application/grpc-web-text"),
    ("hx-current-url", "https://app.example.com/board#top"),
    ("hx-request", "true"),
    ("origin", ORIGIN),
    ("purpose", "prefetch"),
    ("referer", "https://app.example.com/reports?year=2026"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-dest", "iframe"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("sec-purpose", "prefetch"),
    ("upgrade", "websocket"),
    ("upgrade-insecure-requests", "1"),
];

type Sent = Request<Full<Bytes>>;

/// What a request brings its session by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Bearer,
    Cookie,
}

fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Sent {
    let mut request = Request::new(Full::default());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = path.parse().unwrap();
    for (name, value) in fields {
        let name = HeaderName::try_from(*name).unwrap();
        let value = HeaderValue::try_from(*value).unwrap();
        request.headers_mut().append(name, value);
    }
    request
}

/// Asks a service that never answers.
fn ask(site: &Site, request: Sent) -> impl Future<Output = Answer> + use<> {
    let service = site
        .layer
        .layer(service_fn(|_: Sent| pending::<Result<_, Infallible>>()));
    service.oneshot(request).map(Result::unwrap)
}

/// Everything of a refusal but the cookies that it removes.
async fn whole(mut answer: Answer) -> (RejectionKind, u16, HeaderMap, Bytes) {
    answer.headers_mut().remove(header::SET_COOKIE);
    let kind = answer.extensions().get::<Rejection>().unwrap().kind();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (kind, status, headers, text(answer).await)
}

/// Sends a request, ends its session, and sends it again. Returns its audience.
async fn is_refused_alike(site: &Site, sent: Sent, by: By) -> Audience {
    let ada = site.person(ADA);
    let sent = if by == By::Cookie {
        with_cookie(sent, &ada.cookie)
    } else {
        let (_, token) = ada.cookie.split_once('=').unwrap();
        let mut sent = sent;
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        sent.headers_mut().insert(header::AUTHORIZATION, bearer);
        sent
    };
    let name = format!("{sent:?}");
    let mut taken = Box::pin(ask(site, sent.clone()));
    assert!((&mut taken).now_or_never().is_none(), "{name}");
    site.end(&ada.session, End::Revoked);
    let taken = whole(taken.now_or_never().unwrap()).await;
    assert_eq!(taken.0, RejectionKind::RevokedSession, "{name}");
    let head = sent.clone().into_parts().0;
    let mut direct = whole(ask(site, sent).now_or_never().unwrap()).await;
    let mut taken = taken;
    let may_save = head.method != "GET" && head.method != "HEAD";
    if may_save && taken.3 != direct.3 {
        // It may have been saved, and the refusal says so. All else is the same.
        let text = String::from_utf8_lossy(&taken.3).into_owned();
        let says = [
            "may or may not have been saved",
            "vielleicht auch nicht",
            r#","begun":true"#,
        ];
        assert!(
            says.iter().any(|says| text.contains(says)),
            "{name}: {text}"
        );
        assert!(!text.contains("nothing that was sent"), "{name}: {text}");
        for answer in [&mut taken, &mut direct] {
            answer.2.remove(header::CONTENT_LENGTH);
            answer.3 = Bytes::new();
        }
    }
    assert_eq!(taken, direct, "{name}");
    Audience::of(&head)
}

#[tokio::test]
async fn a_request_that_was_taken_is_refused_as_one_that_was_not() {
    let site = Site::with(|builder| {
        let languages = [Words::english(), Words::german()];
        builder.bearer_tokens().languages(languages)
    });
    let mut seen = HashSet::new();
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        for (place, first) in FIELDS.iter().enumerate() {
            for second in &FIELDS[place..] {
                let sent = request(method, "/orders?page=2", &[*first, *second]);
                seen.insert(is_refused_alike(&site, sent, By::Cookie).await);
            }
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}

/// What two fields do not show: service workers, frames, forms, tokens, odd targets.
#[tokio::test]
async fn what_only_many_fields_show_is_kept_too() {
    let site = Site::with(|builder| builder.bearer_tokens());
    let fetch = [
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
        ("referer", "https://app.example.com/reports"),
    ];
    let worker = [
        &fetch[..3],
        &[("upgrade-insecure-requests", "1"), ("accept", "text/html")],
    ]
    .concat();
    let framed = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
        ("referer", "https://app.example.com/reports"),
    ];
    let twice = [("accept", "application/json"), ("accept", "text/html;q=2")];
    let too_long = format!("/{}", "x".repeat(4_000));
    type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)]);
    let cases: [Case<'_>; 8] = [
        ("GET", "/orders", &fetch),
        ("GET", "/orders", &worker),
        ("GET", "/orders", &framed),
        ("POST", "/orders", &framed),
        ("GET", &too_long, &framed[..1]),
        ("GET", "//other.example/x", &framed[..1]),
        ("GET", "https://other.example/orders", &framed[..1]),
        ("GET", "/orders", &twice),
    ];
    for (method, path, fields) in cases {
        for by in [By::Cookie, By::Bearer] {
            let sent = request(method, path, fields);
            is_refused_alike(&site, sent, by).await;
        }
    }
    // A router's prefix, which the layer does not see.
    let mut sent = request("GET", "/orders", &framed[..1]);
    let whole = axum::extract::OriginalUri("/shop/orders".parse().unwrap());
    sent.extensions_mut().insert(whole);
    is_refused_alike(&site, sent, By::Cookie).await;
}

/// The application's hook may read anything, and a listener is told who asked.
#[tokio::test]
async fn a_hook_that_chooses_the_language_and_a_listener_know_the_request_all_the_same() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let site = Site::with(|builder| {
        builder
            .languages([Words::english(), Words::german()])
            .language(|head| {
                head.headers()
                    .get("x-tongue")?
                    .to_str()
                    .ok()
                    .map(str::to_owned)
            })
            .on_event(move |event, context| {
                if event.name() == "refused" {
                    let fields = context
                        .fields()
                        .map(|(name, value)| format!("{name}={value}"));
                    heard.lock().unwrap().push(fields.collect::<Vec<_>>());
                }
            })
    });
    let fields = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("user-agent", "telephone/1"),
        ("x-request-id", "r-1"),
        ("x-tongue", "de"),
    ];
    let mut sent = request("POST", "/orders", &fields);
    let peer = SocketAddr::from(([192, 0, 2, 1], 4000));
    sent.extensions_mut().insert(PeerAddr::from(peer));
    is_refused_alike(&site, sent.clone(), By::Cookie).await;
    let told = told.lock().unwrap().clone();
    let [taken, direct] = &*told else {
        panic!("{told:?}")
    };
    assert_eq!(taken, direct);
    for known in [
        "client.address=192.0.2.1",
        "http.request.header.x-request-id=r-1",
        "session.id=",
        "trace_id=4bf92f",
        "user.id=",
        "user_agent.original=telephone/1",
    ] {
        assert!(
            taken.iter().any(|field| field.starts_with(known)),
            "{known} {taken:?}"
        );
    }
}
