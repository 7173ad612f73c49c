//! A response that has not begun ends with the session: long polls, uploads and client-streaming
//! calls, over real sockets.
//!
//! Pinned: the session was first asked about when the body began, so that a long poll answered
//! whoever had signed out meanwhile.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower_magic_link::ResponseBody;

use crate::streams::SignedIn;

mod audiences;
mod handlers;
mod sockets;
pub(crate) mod stored;

type Answer = Response<ResponseBody<Full<Bytes>>>;
type Http<B> = Client<hyper_util::client::legacy::connect::HttpConnector, B>;

fn http<B>(is_h2: bool) -> Http<B>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let mut http = Client::builder(TokioExecutor::new());
    http.http2_only(is_h2).build_http()
}

fn request(address: SocketAddr, path: &str, person: &SignedIn) -> http::request::Builder {
    Request::builder()
        .uri(format!("http://{address}{path}"))
        .header("cookie", &person.cookie)
}

async fn text(answer: Answer) -> Bytes {
    answer.into_body().collect().await.unwrap().to_bytes()
}
