//! Live connections end with the session: event streams, downloads, gRPC streams and WebSockets,
//! over real sockets.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::IntoResponse,
    routing::{any, get},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{Request, header};
use http_body_util::BodyExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{sync::watch, time::timeout};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SessionGuard,
    clock::Clock,
    revocation::{MemoryRevocations, Revocation, Target},
    testing::ManualClock,
};

use crate::{
    host::listen,
    names::{ADA, EVE},
    site::{builder_with, keys},
};

mod early;
mod grpc;
mod guard;
mod over_http;
mod store;
mod websocket;

const HOUR: Duration = Duration::from_secs(3_600);

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Expired,
    Revoked,
    RevokedEverywhere,
}

pub(crate) const ENDS: [End; 3] = [End::Expired, End::Revoked, End::RevokedEverywhere];

/// Somebody who is signed in.
pub(crate) struct SignedIn {
    pub(crate) cookie: String,
    pub(crate) session: Session,
}

/// An application whose responses go on, behind the layer.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) layer: MagicLinkLayer,
    pub(crate) revocations: MemoryRevocations,
    /// Every stream says how often it ticked.
    ticks: Arc<watch::Sender<u64>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::with_keys(&keys(), configure)
    }

    fn with_keys(keys: &KeyRing, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, revocations) = (ManualClock::new(), MemoryRevocations::default());
        let builder = builder_with(&clock, keys)
            .session_lifetime(HOUR)
            .revocations(revocations.clone())
            .end_streams();
        Self {
            layer: configure(builder).build().unwrap(),
            clock,
            revocations,
            ticks: Arc::new(watch::Sender::new(0)),
        }
    }

    pub(crate) fn person(&self, email: &str) -> SignedIn {
        let mut request = Request::new(());
        let session = self.layer.sign_in(&mut request, email);
        let cookie = request.headers()[header::COOKIE].to_str().unwrap();
        SignedIn {
            cookie: cookie.to_owned(),
            session,
        }
    }

    /// Signs Ada in, and half an hour later Eve: one's session ends before the other's.
    pub(crate) fn people(&self) -> (SignedIn, SignedIn) {
        let ada = self.person(ADA);
        self.clock.advance(HOUR / 2);
        (ada, self.person(EVE))
    }

    pub(crate) fn end(&self, session: &Session, end: End) {
        let target = match end {
            End::Expired => return self.clock.set(session.expires_at()),
            End::Revoked => Target::Session(session.id()),
            End::RevokedEverywhere => Target::Subject(session.subject().to_owned()),
        };
        let until = session.expires_at();
        let order = Revocation::new(target, self.clock.now(), until);
        self.revocations.record(&order);
    }

    pub(crate) fn tick(&self) {
        self.ticks.send_modify(|ticks| *ticks += 1);
    }

    /// Waits until this many live connections are watched, and this many streams run.
    pub(crate) async fn settles_at(&self, watchers: usize, streams: usize) {
        let state = || (self.revocations.watchers(), self.ticks.receiver_count());
        let settle = async {
            while state() != (watchers, streams) {
                tokio::task::yield_now().await;
            }
        };
        let settled = timeout(Duration::from_secs(5), settle).await;
        assert!(settled.is_ok(), "{:?}", state());
    }

    /// Serves the application over HTTP/1.1 and HTTP/2.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let app = Router::new()
            .route("/events", get(events))
            .route("/sized", get(sized))
            .route("/unsized", get(events))
            .route("/short", get(async || "short"))
            .route("/socket", get(socket))
            .route("/poll", any(poll))
            .route("/upload", any(upload))
            .with_state(self.ticks.clone())
            .layer(self.layer.clone());
        let service = TowerToHyperService::new(app);
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let stream = TokioIo::new(stream);
                    server.serve_connection_with_upgrades(stream, service).await
                });
            }
        });
        address
    }
}

type Ticks = Arc<watch::Sender<u64>>;

fn ticks(sender: &Ticks) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    stream::unfold((sender.subscribe(), true), async |(mut ticks, is_first)| {
        if !is_first {
            ticks.changed().await.ok()?;
        }
        let text = format!("data: {}\n\n", *ticks.borrow_and_update());
        Some((Ok(Bytes::from(text)), (ticks, false)))
    })
}

async fn events(State(sender): State<Ticks>) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    (headers, Body::from_stream(ticks(&sender)))
}

async fn sized(State(sender): State<Ticks>) -> impl IntoResponse {
    let headers = [(header::CONTENT_LENGTH, "1000000")];
    (headers, Body::from_stream(ticks(&sender)))
}

/// Answers with the first tick after the request.
async fn poll(State(sender): State<Ticks>) -> String {
    let mut ticks = sender.subscribe();
    let _ = ticks.changed().await;
    format!("tick {}", *ticks.borrow())
}

/// Answers once the whole body is there.
async fn upload(State(sender): State<Ticks>, body: Body) -> String {
    let _ticks = sender.subscribe();
    let body = body.collect().await.map(|body| body.to_bytes().len());
    format!("{body:?}")
}

/// Echoes, until the session ends.
async fn socket(
    upgrade: WebSocketUpgrade,
    Extension(guard): Extension<SessionGuard>,
) -> impl IntoResponse {
    upgrade.on_upgrade(|socket| echo(socket, guard))
}

async fn echo(mut socket: WebSocket, mut guard: SessionGuard) {
    loop {
        let message = tokio::select! {
            () = &mut guard => break,
            message = socket.recv() => message,
        };
        let Some(Ok(message)) = message else { return };
        if socket.send(message).await.is_err() {
            return;
        }
    }
    let close = CloseFrame {
        code: 1008,
        reason: "session ended".into(),
    };
    let _ = socket.send(Message::Close(Some(close))).await;
}

/// Waits, but no longer than a stream may go on after its session's end.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let in_time = timeout(Duration::from_secs(1), future).await;
    in_time.expect("an answer within a second")
}

fn tick(number: u64) -> Result<Option<String>, ()> {
    Ok(Some(format!("data: {number}\n\n")))
}
