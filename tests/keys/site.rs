//! A layer whose keys the test changes.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    testing::{ManualClock, StubProvider},
};

use crate::names::ORIGIN;

pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

pub(crate) fn layer(keys: &KeyRing, clock: &ManualClock) -> MagicLinkLayer {
    MagicLinkLayer::builder(StubProvider::new(), keys.clone())
        .public_url(ORIGIN)
        .session_lifetime(LIFETIME)
        .clock(clock.clone())
        .build()
        .unwrap()
}

pub(crate) fn named(id: impl Into<String>) -> SigningKey {
    SigningKey::generate().unwrap().with_id(id).unwrap()
}

/// Returns the cookie pair of a session that begins now.
pub(crate) fn sign_in(layer: &MagicLinkLayer, email: &str) -> String {
    let mut request = Request::new(());
    layer.sign_in(&mut request, email);
    request.headers()[header::COOKIE]
        .to_str()
        .unwrap()
        .to_owned()
}

/// Asks with a cookie pair, and returns the status and the cookie pair that was set, where there
/// was one.
pub(crate) async fn ask(layer: &MagicLinkLayer, cookie: &str) -> (StatusCode, Option<String>) {
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let mut service = layer.layer(inner);
    let request = Request::get("/").header(header::COOKIE, cookie);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let answer = service.ready().await.unwrap().call(request).await.unwrap();
    let set = answer.headers().get(header::SET_COOKIE).map(|value| {
        let pair = value.to_str().unwrap().split(';').next().unwrap();
        pair.to_owned()
    });
    (answer.status(), set)
}
