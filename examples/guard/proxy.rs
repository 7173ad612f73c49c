//! One request to the service, and its answer back.
//!
//! - Bodies stream both ways. The connection to the service speaks HTTP/1.1, whatever the client's
//!   speaks; to an origin of the scheme `h2c` it speaks HTTP/2, which gRPC needs. There is no
//!   WebSocket then (501), and `:authority` is the service's own: `X-Forwarded-Host` has the host
//!   that people know.
//! - As many requests may be with the service as descriptors were put aside for: one connection of
//!   HTTP/2 brings a hundred, and each needs a descriptor to a service of HTTP/1.1. One more is a
//!   503, so that the guard still has some for the rest.
//! - A body that the client breaks is 400, and one that it does not go on with 408: neither says
//!   anything of the service. A service that cannot be reached, answers in no HTTP, or switches to
//!   a protocol that nobody asked for, is 502. One that takes no more of the body and does not
//!   begin its answer is 504. Both are logged.
//!
//! `axum-reverse-proxy` (2.4) is well kept and does most of this. It has no trusted proxies,
//! though: it keeps the `X-Forwarded-Host`, `-Proto`, chain and `Forwarded` that any client sends.
//! Where a client broke its body it logs an error and answers 502. `hyper-reverse-proxy` (0.5)
//! needs hyper 0.14.

use std::{error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request},
    response::Response,
};
use http::{
    HeaderValue, Method, StatusCode, Uri, Version,
    header::{CONTENT_TYPE, HOST, UPGRADE},
    uri::Scheme,
};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error as ClientError, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tower_magic_link::SessionGuard;

use super::{
    forwarded::{Trusted, Word},
    hop,
    host::Public,
    serve::{Limits, OverTls, Slot},
    tunnel::{self, AsStated},
    upload::{Progress, Stage, Upload},
};

/// How long to keep an idle connection to the service: servers close theirs after 2 seconds
/// (gunicorn) and more, and a request on a connection that is just being closed is lost.
const POOLED: Duration = Duration::from_secs(1);

/// How many bytes of an answer over HTTP/2 may wait for its client, and of all answers together:
/// the most that there may be.
const WINDOW: u32 = 256 * 1_024;
const SHARED_WINDOW: u32 = (1 << 31) - 1;

/// A service, and how to speak to it.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    client: Client<HttpConnector, Upload>,
    upstream: Uri,
    version: Version,
    trusted: Trusted,
    public: Option<Arc<Public>>,
    patience: Duration,
    places: Arc<Semaphore>,
}

impl Proxy {
    /// Passes requests on to an origin of the scheme `http` or `h2c`.
    pub(crate) fn to(upstream: Uri) -> Self {
        let version = match upstream.scheme_str() {
            Some("h2c") => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOLED)
            .http2_only(version == Version::HTTP_2)
            // One client that does not take its answer must not use up what all of them share.
            .http2_initial_connection_window_size(SHARED_WINDOW)
            .http2_initial_stream_window_size(WINDOW)
            .build(connector);
        Self {
            client,
            upstream,
            version,
            trusted: Trusted::default(),
            public: None,
            patience: Duration::from_secs(60),
            places: Arc::new(Semaphore::new(Limits::default().requests())),
        }
    }

    /// Asks the service for so many things at once. Default: [`Limits::requests`] of the default
    /// limits.
    pub(crate) fn at_most(mut self, requests: usize) -> Self {
        self.places = Arc::new(Semaphore::new(requests));
        self
    }

    /// Believes these proxies in front of it. Default: none.
    pub(crate) fn trusting(mut self, trusted: Trusted) -> Self {
        self.trusted = trusted;
        self
    }

    /// Names no other host to the service than a public one. Default: the one that was asked for.
    pub(crate) fn known_as(mut self, public: Option<Public>) -> Self {
        self.public = public.map(Arc::new);
        self
    }

    /// Waits so long for a body to get on, and for an answer to begin. Default: 60 seconds. An
    /// answer that has begun has no limit.
    pub(crate) fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a request to the service. A WebSocket becomes a tunnel, which closes when its session
    /// ends.
    pub(crate) async fn pass(self, mut request: Request) -> Result<Response, StatusCode> {
        if request.method() == Method::CONNECT {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
        let mut uri = self.upstream.clone().into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(uri).map_err(|_| StatusCode::BAD_REQUEST)?;
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| *peer);
        let version = request.version();
        let spoken = match request.extensions().get::<OverTls>() {
            Some(OverTls) => "https",
            None => "http",
        };
        let mut word = Word::of(request.headers(), peer, &self.trusted, spoken);
        if let Some(public) = &self.public {
            word.at(public, request.headers());
        }
        hop::request(request.headers_mut(), version, self.version);
        // Behind that, so that a client's `Connection` cannot take it out.
        word.write(request.headers_mut());
        // Each connection has a version of its own (RFC 9110, section 6.2).
        *request.version_mut() = self.version;
        // The layer hands on no upgrade but a WebSocket's. A request without `Upgrade` gets no
        // tunnel.
        let is_websocket = request.headers().contains_key(UPGRADE);
        if self.version == Version::HTTP_2 {
            if is_websocket {
                return Err(StatusCode::NOT_IMPLEMENTED);
            }
            // The address has an `:authority`, and no `Host` may say another (RFC 9113, section
            // 8.3.1).
            request.headers_mut().remove(HOST);
        } else {
            hop::chunk(&mut request);
        }
        let place = match self.version {
            // All of them share a descriptor.
            Version::HTTP_2 => None,
            _ => Some(Arc::new(self.place()?)),
        };
        let session = request.extensions().get::<SessionGuard>().cloned();
        let slot = request.extensions().get::<Slot>().cloned();
        let ours = hyper::upgrade::on(&mut request);
        let mut answer = self.answer(request).await?;
        // The answer may renew the session, and then lives by the new end.
        let session = session.map(|session| session.for_response());
        let version = answer.version();
        *answer.version_mut() = Version::HTTP_11;
        hop::response(answer.headers_mut(), version);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let switched = answer.headers().get(UPGRADE).map(HeaderValue::as_bytes);
            if !is_websocket || !switched.is_some_and(|to| to.eq_ignore_ascii_case(b"websocket")) {
                tracing::error!(
                    target: "guard",
                    "the service failed: it switches to a protocol that nobody asked for"
                );
                return Err(StatusCode::BAD_GATEWAY);
            }
            let theirs = hyper::upgrade::on(&mut answer);
            tunnel::open(ours, theirs, session.clone(), (slot, place.clone()));
        }
        let kind = answer.headers().get(CONTENT_TYPE);
        let is_grpc = kind.is_some_and(|kind| is_grpc(kind.as_bytes()));
        let body = |body| tunnel::until(session, is_grpc, AsStated::new(body, place));
        Ok(answer.map(body))
    }

    /// Takes a place with the service.
    fn place(&self) -> Result<OwnedSemaphorePermit, StatusCode> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| {
            tracing::error!(target: "guard", "too many requests are with the service");
            StatusCode::SERVICE_UNAVAILABLE
        })
    }

    /// Waits until the service begins its answer.
    async fn answer(&self, request: Request) -> Result<http::Response<Incoming>, StatusCode> {
        let (head, body) = request.into_parts();
        let (upload, mut progress) = Upload::new(body);
        let request = http::Request::from_parts(head, upload);
        let mut answer = pin!(self.client.request(request));
        loop {
            tokio::select! {
                // The answer first: one that is there when the time is up is handed on.
                biased;
                answer = &mut answer => return answer.map_err(|error| blame(&error, &progress)),
                moved = timeout(self.patience, progress.moved()) => if moved.is_err() {
                    return Err(too_slow(&progress));
                }
            }
        }
    }
}

/// Says whether a body of this type is one of gRPC or gRPC-Web.
fn is_grpc(kind: &[u8]) -> bool {
    let start = kind.get(..b"application/grpc".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"))
}

/// Says whose fault a failed exchange is.
fn blame(error: &ClientError, progress: &Progress) -> StatusCode {
    if progress.stage() == Stage::Broken {
        return StatusCode::BAD_REQUEST;
    }
    let cause = error.source().map(ToString::to_string);
    let cause = cause.unwrap_or_default();
    tracing::error!(target: "guard", "the service failed: {error}: {cause}");
    StatusCode::BAD_GATEWAY
}

fn too_slow(progress: &Progress) -> StatusCode {
    if progress.stage() == Stage::AtClient {
        return StatusCode::REQUEST_TIMEOUT;
    }
    tracing::error!(target: "guard", "the service does not answer");
    StatusCode::GATEWAY_TIMEOUT
}
