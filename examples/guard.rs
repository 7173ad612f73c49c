//! A reverse proxy that puts email sign-in in front of any HTTP service, whatever it is written in.
//!
//! `UPSTREAM=http://127.0.0.1:8080 cargo run --example guard` asks for a sign-in on every path, and
//! names the person to the service in `X-Auth-Email` and related headers. The service must listen
//! where only the proxy can reach it. `PORT`, `WORKOS_API_KEY` and the rest work as in
//! `quickstart`.

#![expect(clippy::print_stdout, reason = "the link is read in the terminal")]

use std::{env, error::Error, net::SocketAddr};

use axum::{Router, body::Body, extract::Request, response::Response};
use futures_util::{future::OptionFuture, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header::*};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper_util::{client::legacy, rt::TokioExecutor, rt::TokioIo};
use tokio::{io::copy_bidirectional, net::TcpListener};
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, SessionGuard, SigningKey, workos::WorkOs,
};

type Client = legacy::Client<legacy::connect::HttpConnector, Body>;

/// The proxy. It protects every path, and names the signed-in person to the service.
pub(crate) fn app(
    builder: tower_magic_link::Builder,
    upstream: Uri,
) -> Result<Router, ConfigError> {
    let client: Client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let pass = move |request| pass(client.clone(), upstream.clone(), request);
    Ok(Router::new()
        .fallback(pass)
        .layer(builder.forward_identity().end_streams().build()?))
}

/// Sends a request to the service. Bodies stream both ways. A WebSocket becomes a tunnel, which
/// closes when its session ends.
async fn pass(client: Client, to: Uri, mut request: Request) -> Result<Response, StatusCode> {
    if request.method() == Method::CONNECT {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    let mut uri = to.into_parts();
    uri.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(uri).map_err(|_| StatusCode::BAD_REQUEST)?;
    keep_end_to_end(request.headers_mut());
    // The layer hands on no upgrade but a WebSocket's. A request without `Upgrade` gets no tunnel.
    let is_websocket = request.headers().contains_key(UPGRADE);
    let session = request.extensions().get::<SessionGuard>().cloned();
    let ended = session.clone();
    let ours = hyper::upgrade::on(&mut request);
    let answer = client.request(request).await;
    let mut answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    // Each connection has a version of its own (RFC 9110, section 6.2).
    *answer.version_mut() = Version::HTTP_11;
    keep_end_to_end(answer.headers_mut());
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let switched = answer.headers().get(UPGRADE).map(HeaderValue::as_bytes);
        if !is_websocket || !switched.is_some_and(|to| to.eq_ignore_ascii_case(b"websocket")) {
            return Err(StatusCode::BAD_GATEWAY);
        }
        let theirs = hyper::upgrade::on(&mut answer);
        tokio::spawn(async move {
            let (ours, theirs) = tokio::try_join!(ours, theirs)?;
            let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
            tokio::select! {
                // On a public path there may be no session to wait for.
                Some(()) = OptionFuture::from(session) => {}
                copied = copy_bidirectional(&mut ours, &mut theirs) => { copied?; }
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
    Ok(answer.map(|body| until(ended, body)))
}

/// Ends a body with an error when its session ends, so that no client takes half a download for the
/// whole.
fn until(ended: Option<SessionGuard>, body: Incoming) -> Body {
    let Some(ended) = ended else {
        return Body::new(body);
    };
    let frames = stream::unfold((ended, body), async |(mut ended, mut body)| {
        let frame = tokio::select! {
            () = &mut ended => Err(axum::Error::new("the session has ended")),
            frame = body.frame() => frame?.map_err(axum::Error::new),
        };
        Some((frame, (ended, body)))
    });
    Body::new(StreamBody::new(frames))
}

/// Removes the fields of a single connection (RFC 9110, section 7.6.1), but keeps its upgrade.
fn keep_end_to_end(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).into_iter();
    let named = named.flat_map(|list| list.as_bytes().split(|b| *b == b','));
    let named = named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    let mut gone: Vec<_> = named.collect();
    let upgrade = headers.remove(UPGRADE).filter(|_| gone.contains(&UPGRADE));
    gone.extend([CONNECTION, TE, TRAILER, TRANSFER_ENCODING]);
    gone.extend(["keep-alive", "proxy-connection"].map(HeaderName::from_static));
    for name in gone {
        headers.remove(name);
    }
    if let Some(upgrade) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, upgrade);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream: Uri = env::var("UPSTREAM")
        .map_err(|_| "UPSTREAM is not set")?
        .parse()?;
    let authority = upstream
        .authority()
        .map_or("@", |authority| authority.as_str());
    let is_origin = upstream.path() == "/" && upstream.query().is_none();
    if upstream.scheme_str() != Some("http") || !is_origin || authority.contains('@') {
        return Err("UPSTREAM must be an origin, such as http://127.0.0.1:8080".into());
    }
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without an API key, an emulator in this process prints what it mails. It stops when it is
    // dropped.
    let emulator = tower_magic_link::emulator::Emulator::builder()
        .on_mail(|mail| {
            let link = mail.link().unwrap_or_default();
            println!("sign-in link for {}: {link}", mail.address());
        })
        .build();
    let emulator = emulator.serve(0).await?;
    let workos = if env::var_os("WORKOS_API_KEY").is_some_and(|key| !key.is_empty()) {
        WorkOs::from_env()?
    } else {
        WorkOs::new("sk_emulator", "client_emulator")?.base_url(emulator.base_url())?
    };
    let builder = MagicLinkLayer::builder(workos, keys).public_url(&public_url);
    println!("listening on {public_url}");
    let app = app(builder, upstream)?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}
