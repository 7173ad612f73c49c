//! A service that knows nothing of the layer: it says what it was sent, sends bodies back as they
//! come, and speaks WebSocket.

use axum::{Router, body::Body, extract::Request, response::Response};
use futures_util::{SinkExt, StreamExt};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use crate::{
    guard_program::{self, Door, Limits},
    heads::Heads,
};

/// What a service says that wants its pages cached.
const CACHEABLE: [(&str, &str); 7] = [
    ("cache-control", "public, max-age=600"),
    ("cdn-cache-control", "max-age=600"),
    ("cloudflare-cdn-cache-control", "max-age=600"),
    ("edge-control", "max-age=600"),
    ("surrogate-control", "max-age=600"),
    ("x-accel-expires", "600"),
    ("vary", "accept-encoding"),
];

/// Starts the service, and returns its origin.
pub(crate) async fn serve() -> String {
    serve_noting(&Heads::default()).await
}

/// Starts the service, and notes what it is sent.
pub(crate) async fn serve_noting(heads: &Heads) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = heads.before(Router::new().fallback(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

/// Starts the service so that it speaks HTTP/2 too, and returns its origin for the guard.
pub(crate) async fn serve_http2() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("h2c://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer);
    tokio::spawn(guard_program::serve(
        listener,
        app,
        Limits::default(),
        Door::default(),
    ));
    origin
}

async fn answer(mut request: Request) -> Response {
    if let Some(key) = request.headers().get("sec-websocket-key").cloned() {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let stream = TokioIo::new(upgrade.await.unwrap());
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
            while let Some(Ok(message)) = socket.next().await {
                let _ = socket.send(message).await;
            }
        });
        return Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header("sec-websocket-accept", derive_accept_key(key.as_bytes()))
            .body(Body::empty())
            .unwrap();
    }
    match request.uri().path() {
        "/echo" => Response::new(request.into_body()),
        "/endless" => {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>("first")]);
            Response::new(Body::from_stream(
                first.chain(futures_util::stream::pending()),
            ))
        }
        // The next piece is always there.
        "/torrent" => {
            let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("piece"));
            Response::new(Body::from_stream(pieces))
        }
        "/cacheable" => cacheable(StatusCode::OK),
        "/missing" => cacheable(StatusCode::NOT_FOUND),
        "/broken" => cacheable(StatusCode::INTERNAL_SERVER_ERROR),
        "/theirs" => cacheable(StatusCode::UNAUTHORIZED),
        "/forbidden" => cacheable(StatusCode::FORBIDDEN),
        "/length" => {
            let body = request.into_body().collect().await.unwrap();
            Response::new(Body::from(body.to_bytes().len().to_string()))
        }
        // The trailers of the request.
        "/trailers" => {
            let body = request.into_body().collect().await.unwrap();
            let trailers = format!("trailers: {:?}", body.trailers());
            Response::new(Body::from(trailers))
        }
        "/steal" => Response::builder()
            .header(
                "set-cookie",
                format!("{}=theirs; Path=/", cookie_name(&request)),
            )
            .header("set-cookie", "theirs=1")
            .body(Body::empty())
            .unwrap(),
        _ => {
            let fields = request.headers().iter();
            let lines = fields.map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                format!("{name}: {value}\n")
            });
            let first = format!("{} {}\n", request.method(), request.uri());
            Response::new(Body::from(first + &lines.collect::<String>()))
        }
    }
}

fn cacheable(status: StatusCode) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in CACHEABLE {
        response = response.header(name, value);
    }
    response.body(Body::from("theirs")).unwrap()
}

/// Reads what the service was sent back into fields.
pub(crate) fn fields_of(text: &str) -> http::HeaderMap {
    let lines = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, value.parse().unwrap())
        })
        .collect()
}

/// Returns the name of the session cookie of the guard that asks: it has the port of its origin.
fn cookie_name<B>(request: &Request<B>) -> String {
    let host = request.headers()["host"].to_str().unwrap();
    format!("magic-link-{}", host.rsplit(':').next().unwrap())
}
