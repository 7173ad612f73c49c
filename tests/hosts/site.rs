//! A layer to test in this process: a clock that the test sets, and requests of each audience.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use tower::{Service, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SigningKey,
    testing::{ManualClock, StubProvider},
};

use crate::{
    greeter::greeting,
    names::{ADA, ORIGIN},
};

/// The layer's own endpoints, without the webhook, which is there only with a secret.
pub(crate) const ENDPOINTS: [&str; 8] = [
    "callback", "check", "choose", "code", "login", "logout", "open", "session",
];

pub(crate) const SESSION: &str = "__Host-magic-link";

/// Begins a layer with a clock of the test's and a fresh key.
pub(crate) fn builder(clock: &ManualClock) -> Builder {
    builder_with(clock, &keys())
}

/// Begins a layer with a clock and keys of the test's.
pub(crate) fn builder_with(clock: &ManualClock, keys: &KeyRing) -> Builder {
    MagicLinkLayer::builder(StubProvider::new(), keys.clone())
        .public_url(ORIGIN)
        .clock(clock.clone())
}

pub(crate) fn keys() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap())
}

/// Makes a request of a program.
pub(crate) fn program(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

/// Makes a request of a person's browser, navigating.
pub(crate) fn document(path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(path).header("sec-fetch-mode", "navigate");
    request.body(Full::default()).unwrap()
}

/// Makes a gRPC request.
pub(crate) fn grpc(path: &str) -> Request<Full<Bytes>> {
    let request = Request::post(path).header("content-type", "application/grpc");
    request.body(Full::default()).unwrap()
}

/// Returns the cookie pair of a session that begins now.
pub(crate) fn cookie_of(layer: &MagicLinkLayer) -> (String, Session) {
    let mut request = Request::new(());
    let session = layer.sign_in(&mut request, ADA);
    let cookie = request.headers()[header::COOKIE].to_str().unwrap();
    (cookie.to_owned(), session)
}

/// Gives a request a cookie pair.
pub(crate) fn with_cookie<B>(mut request: Request<B>, cookie: &str) -> Request<B> {
    let cookie = cookie.parse().unwrap();
    request.headers_mut().append(header::COOKIE, cookie);
    request
}

/// An application that greets whoever is signed in, and says that anybody may keep its answers.
pub(crate) fn application<B: Send + 'static>()
-> impl Service<Request<B>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(async |request: Request<B>| {
        let session = request.extensions().get::<Session>();
        let text = session.map_or("hello nobody".to_owned(), greeting);
        let mut response = Response::new(Full::from(text));
        let public = "public, max-age=3600".parse().unwrap();
        response.headers_mut().insert(header::CACHE_CONTROL, public);
        Ok(response)
    })
}
