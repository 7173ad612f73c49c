//! The steps of signing in, beside a provider that answers at once.

use std::{net::SocketAddr, time::Duration};

use axum::extract::OriginalUri;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, PeerAddr, SigningKey,
    testing::{ManualClock, StubProvider},
    throttle::{Limits, Rate},
};

use crate::{answer, answer_to, browser};

const ORIGIN: &str = "https://app.example.com";
const FORM: &str = "/auth/login?return_to=/reports/2026%3Fmonth%3D11";

/// How far a sign-in goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// A person posts an address.
    Begin,
    /// The link leads back to the layer.
    Callback,
}

/// Begins so many sign-ins, and finishes each if it is to go so far.
pub(crate) fn play(until: Until, count: u32) {
    let provider = StubProvider::new();
    let layer = layer(&provider);
    let mut service = layer.layer(service_fn(answer));
    let (post, back) = (post(), at("/", "seen=1"));
    for _ in 0..count {
        let begun = see_other(&mut service, post.clone(), "/auth/check?t=");
        if until == Until::Begin {
            continue;
        }
        let cookie = begun.headers().get(header::SET_COOKIE).unwrap();
        let (cookie, _attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
        let link = provider.last_link().unwrap();
        let path = link.expose().strip_prefix(ORIGIN).unwrap();
        let mut back = back.clone();
        *back.uri_mut() = path.parse().unwrap();
        let uri = OriginalUri(back.uri().clone());
        back.extensions_mut().insert(uri);
        let cookie = HeaderValue::try_from(cookie).unwrap();
        back.headers_mut().insert(header::COOKIE, cookie);
        see_other(&mut service, back, "/reports/2026?month=11");
    }
}

fn layer(provider: &StubProvider) -> MagicLinkLayer {
    // The limits are counted as everywhere, and are as wide as they may be.
    let wide = Rate::new(1_000_000, Duration::from_millis(1));
    let limits = Limits::default()
        .mails_per_address(wide)
        .mails_per_address_and_network(wide)
        .mails_per_network(wide)
        .mails(wide)
        .exchanges_per_network(wide);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    MagicLinkLayer::builder(provider.clone(), keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .limits(limits)
        .insecure_answer_when_sent()
        .build()
        .unwrap()
}

fn see_other<S, R>(service: &mut S, request: Request<String>, to: &str) -> Response<R>
where
    S: Service<Request<String>, Response = Response<R>, Error = std::convert::Infallible>,
{
    let response = answer_to(service, request);
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers().get(header::LOCATION).unwrap();
    assert!(location.as_bytes().starts_with(to.as_bytes()));
    response
}

fn post() -> Request<String> {
    let mut request = at(FORM, "seen=1");
    *request.method_mut() = Method::POST;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form);
    "email=ada%40example.com".clone_into(request.body_mut());
    request
}

fn at(path: &str, cookie: &str) -> Request<String> {
    let mut request = browser(path, cookie);
    let peer = PeerAddr::from(SocketAddr::from(([203, 0, 113, 9], 50_000)));
    request.extensions_mut().insert(peer);
    request
}
