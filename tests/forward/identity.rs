//! `forward_identity`: who is signed in arrives in our words alone, and our cookies do not.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, MagicLinkLayer, Session, revocation::Standing, testing::ManualClock,
};

use crate::site::builder;

mod cookies;
mod headers;
mod tokens;
mod upgrades;

fn forwarding() -> Builder {
    builder(&ManualClock::new()).forward_identity()
}

/// A revocation store that has to wait.
fn waiting(builder: Builder) -> Builder {
    builder.revocations(|_: Session| async {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(Standing::Active)
    })
}

/// Sends a request through the layer, and returns what the inner service was handed.
async fn handed_on(layer: &MagicLinkLayer, request: Request<String>) -> HeaderMap {
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let service = layer.layer(service_fn(move |request: Request<String>| {
        *sink.lock().unwrap() = Some(request.headers().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    seen.lock().unwrap().take().expect("it was handed on")
}

fn request(path: &str, fields: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::get(path).body(String::new()).unwrap();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().append(name, value);
    }
    request
}
