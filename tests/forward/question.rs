//! `forward_auth`: what a proxy is told, and whose word is taken for what was asked.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::ServiceExt;
use tower_magic_link::{
    Builder, MagicLinkLayer, PathRule, PeerAddr, ResponseBody, testing::ManualClock,
};

use crate::site::builder;

mod refusals;
mod session;
mod targets;

const PROXY: &str = "10.0.0.7:40000";
const STRANGER: &str = "203.0.113.9:40000";

type Answer = Response<ResponseBody<Full<Bytes>>>;

fn configured() -> Builder {
    builder(&ManualClock::new())
        .trusted_proxies(["10.0.0.0/8"])
        .public_prefix("/docs")
        .public_path(PathRule::any_method("/open"))
}

fn layer() -> MagicLinkLayer {
    configured().build().unwrap()
}

/// Asks as a proxy does: `method` and `target` in the headers of its kind.
fn question(kind: &str, peer: &str, method: &str, target: &str) -> http::request::Builder {
    let peer: SocketAddr = peer.parse().unwrap();
    Request::get("/ask")
        .extension(PeerAddr::from(peer))
        .header(format!("x-{kind}-method"), method)
        .header(format!("x-{kind}-uri"), target)
}

async fn ask(layer: &MagicLinkLayer, kind: &str, request: http::request::Builder) -> Answer {
    let service = match kind {
        "original" => layer.forward_auth().for_nginx(),
        _ => layer.forward_auth(),
    };
    let request = request.body(Full::default()).unwrap();
    service.oneshot(request).await.unwrap()
}
