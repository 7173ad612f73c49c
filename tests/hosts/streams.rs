//! Live connections end with the session: event streams, downloads, gRPC streams and WebSockets,
//! over real sockets.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
use futures_util::{FutureExt, SinkExt, Stream, StreamExt, stream};
use http::{Request, Response, header, uri::PathAndQuery};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};
use tonic::{
    Code, Status,
    client::{Grpc, GrpcService},
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_web::{GrpcWebClientLayer, GrpcWebLayer};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SessionGuard,
    clock::{Clock, Signal},
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use crate::{
    greeter::{ENDLESS, Greeter, Text, greeting},
    host::listen,
    names::{ADA, EVE},
    site::{builder, builder_with, keys, program, with_cookie},
};

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

async fn get_it(address: SocketAddr, path: &str, person: &SignedIn) -> reqwest::Response {
    let http = reqwest::Client::new();
    let request = http.get(format!("http://{address}{path}"));
    let request = request.header("cookie", &person.cookie);
    let response = soon(request.send()).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response
}

async fn chunk(response: &mut reqwest::Response) -> Result<Option<String>, ()> {
    let chunk = soon(response.chunk()).await.map_err(drop)?;
    Ok(chunk.map(|chunk| String::from_utf8(chunk.into()).unwrap()))
}

fn tick(number: u64) -> Result<Option<String>, ()> {
    Ok(Some(format!("data: {number}\n\n")))
}

#[tokio::test]
async fn an_event_stream_ends_with_its_session_and_another_persons_goes_on() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let (ada, eve) = site.people();
        let mut adas = get_it(address, "/events", &ada).await;
        let mut eves = get_it(address, "/events", &eve).await;
        assert_eq!(chunk(&mut adas).await, tick(0), "{end:?}");
        assert_eq!(chunk(&mut eves).await, tick(0), "{end:?}");
        site.settles_at(2, 2).await;

        site.end(&ada.session, end);
        assert_eq!(chunk(&mut adas).await, Ok(None), "{end:?}: a clean end");
        // The application's own stream is gone too.
        site.settles_at(1, 1).await;
        site.tick();
        assert_eq!(chunk(&mut eves).await, tick(1), "{end:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_what_the_same_session_has_open() {
    let site = Site::new();
    let address = site.serve().await;
    let (ada, eve) = site.people();
    let mut adas = get_it(address, "/events", &ada).await;
    let mut eves = get_it(address, "/events", &eve).await;
    site.settles_at(2, 2).await;
    let request = reqwest::Client::new().post(format!("http://{address}/auth/logout"));
    let request = request
        .header("cookie", &ada.cookie)
        .header("sec-fetch-site", "same-origin");
    request.send().await.unwrap();
    assert_eq!(chunk(&mut adas).await, tick(0));
    assert_eq!(chunk(&mut adas).await, Ok(None));
    assert_eq!(chunk(&mut eves).await, tick(0));
    site.settles_at(1, 1).await;
}

#[tokio::test]
async fn a_stream_ends_when_the_token_that_it_came_with_does_whatever_is_renewed_meanwhile() {
    let idle = Duration::from_secs(600);
    let site = Site::with(|builder| builder.idle_timeout(idle));
    let address = site.serve().await;
    let ada = site.person(ADA);
    let mut first = get_it(address, "/events", &ada).await;
    assert_eq!(chunk(&mut first).await, tick(0));
    site.clock.advance(idle / 2);
    // This one renews the cookie; it came with the old one all the same.
    let mut second = get_it(address, "/events", &ada).await;
    assert!(second.headers().contains_key("set-cookie"));
    let renewed = second.headers()["set-cookie"].to_str().unwrap();
    let renewed = SignedIn {
        cookie: renewed.split(';').next().unwrap().to_owned(),
        session: ada.session.clone(),
    };
    let mut third = get_it(address, "/events", &renewed).await;
    assert_eq!(chunk(&mut second).await, tick(0));
    assert_eq!(chunk(&mut third).await, tick(0));
    site.settles_at(3, 3).await;
    site.clock.advance(idle / 2);
    assert_eq!(chunk(&mut first).await, Ok(None));
    assert_eq!(chunk(&mut second).await, Ok(None));
    site.settles_at(1, 1).await;
    site.tick();
    assert_eq!(chunk(&mut third).await, tick(1));
}

/// Pinned: a stream went on to the end that the token was minted with.
#[tokio::test]
async fn a_stream_ends_by_the_lifetimes_of_today_where_they_are_shorter() {
    let keys = keys();
    let site = Site::with_keys(&keys, |builder| builder.session_lifetime(12 * HOUR));
    let ada = site.person(ADA);
    let today = Site {
        layer: builder_with(&site.clock, &keys)
            .session_lifetime(HOUR)
            .revocations(site.revocations.clone())
            .end_streams()
            .build()
            .unwrap(),
        ..site
    };
    let address = today.serve().await;
    let mut stream = get_it(address, "/events", &ada).await;
    assert_eq!(chunk(&mut stream).await, tick(0));
    today.settles_at(1, 1).await;
    today.clock.advance(HOUR - Duration::from_secs(1));
    today.tick();
    assert_eq!(chunk(&mut stream).await, tick(1));
    today.clock.advance(Duration::from_secs(1));
    assert_eq!(chunk(&mut stream).await, Ok(None));
    today.settles_at(0, 0).await;
}

#[tokio::test]
async fn a_download_that_is_cut_off_is_known_by_its_length() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let ada = site.person(ADA);
        let mut downloads = Vec::new();
        // Whether the client hears that it was cut off.
        for (path, want) in [("/sized", true), ("/unsized", false)] {
            for is_h2 in [false, true] {
                let mut http = Client::builder(TokioExecutor::new());
                let http = http.http2_only(is_h2).build_http();
                let request = Request::get(format!("http://{address}{path}"))
                    .header("cookie", &ada.cookie)
                    .body(Full::<Bytes>::default());
                let response = soon(http.request(request.unwrap())).await.unwrap();
                let mut body = response.into_body();
                assert!(soon(body.frame()).await.unwrap().is_ok(), "{path}");
                downloads.push((path, is_h2, want, body, http));
            }
        }
        site.settles_at(4, 4).await;
        site.end(&ada.session, end);
        for (path, is_h2, want, body, _http) in downloads {
            let rest = soon(body.collect()).await;
            assert_eq!(rest.is_err(), want, "{path}, h2: {is_h2}, {end:?}");
        }
        site.settles_at(0, 0).await;
    }
}

#[tokio::test]
async fn what_has_finished_or_hung_up_is_watched_no_more() {
    let site = Site::new();
    let address = site.serve().await;
    let ada = site.person(ADA);
    for _ in 0..10 {
        let short = get_it(address, "/short", &ada).await;
        assert_eq!(short.text().await.unwrap(), "short");
    }
    site.settles_at(0, 0).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut response = get_it(address, "/events", &ada).await;
        assert_eq!(chunk(&mut response).await, tick(0));
        open.push(response);
    }
    site.settles_at(10, 10).await;
    open.truncate(4);
    site.settles_at(4, 4).await;
    open.clear();
    site.settles_at(0, 0).await;
}

type Socket = WebSocketStream<TcpStream>;

async fn connect(address: SocketAddr, person: &SignedIn) -> Socket {
    let request =
        tungstenite::ClientRequestBuilder::new(format!("ws://{address}/socket").parse().unwrap())
            .with_header("cookie", &person.cookie);
    let stream = TcpStream::connect(address).await.unwrap();
    soon(client_async(request, stream)).await.unwrap().0
}

async fn say(socket: &mut Socket, text: &str) -> tungstenite::Message {
    socket.send(text.into()).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_websocket_handler_hears_the_end_of_the_session() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let (ada, eve) = site.people();
        let mut adas = connect(address, &ada).await;
        let mut eves = connect(address, &eve).await;
        assert_eq!(say(&mut adas, "a").await, "a".into(), "{end:?}");
        assert_eq!(say(&mut eves, "e").await, "e".into(), "{end:?}");
        site.settles_at(2, 0).await;
        site.end(&ada.session, end);
        let close = soon(adas.next()).await.unwrap().unwrap();
        let tungstenite::Message::Close(Some(close)) = close else {
            panic!("{end:?}: {close:?}");
        };
        assert_eq!(u16::from(close.code), 1008, "{end:?}");
        assert_eq!(say(&mut eves, "on").await, "on".into(), "{end:?}");
        site.settles_at(1, 0).await;
        drop(eves);
        site.settles_at(0, 0).await;
    }
}

/// Opens the endless stream, and returns its first message and the rest.
async fn endless<T>(client: &mut Grpc<T>, person: &SignedIn) -> (String, tonic::Streaming<String>)
where
    T: GrpcService<tonic::body::Body>,
    T::Error: std::fmt::Debug,
    T::ResponseBody: http_body::Body + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let mut request = tonic::Request::new("me".to_owned());
    let cookie = person.cookie.parse().unwrap();
    request.metadata_mut().append("cookie", cookie);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(ENDLESS);
    let stream = soon(client.server_streaming(request, path, Text)).await;
    let mut stream = stream.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    (first, stream)
}

fn ended(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn a_grpc_stream_ends_as_unauthenticated_after_its_messages() {
    for end in ENDS {
        let site = Site::new();
        let (listener, address) = listen().await;
        let mut server = Server::builder().layer(site.layer.clone());
        let server = server.add_service(Greeter);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap();
        let mut client = Grpc::new(channel.connect().await.unwrap());

        let (ada, eve) = site.people();
        let (first, mut adas) = endless(&mut client, &ada).await;
        assert_eq!(first, greeting(&ada.session), "{end:?}");
        let (_, mut eves) = endless(&mut client, &eve).await;
        site.settles_at(2, 0).await;
        site.end(&ada.session, end);
        let status = soon(adas.message()).await.unwrap_err();
        let want = (Code::Unauthenticated, "sign-in required");
        assert_eq!(ended(&status), want, "{end:?}");
        assert!(eves.message().now_or_never().is_none(), "{end:?}");
        site.settles_at(1, 0).await;
        drop(eves);
        site.settles_at(0, 0).await;
    }
}

#[tokio::test]
async fn a_grpc_web_stream_ends_with_the_frame_of_trailers() {
    for end in ENDS {
        let site = Site::new();
        let (listener, address) = listen().await;
        let server = Server::builder()
            .accept_http1(true)
            .layer(site.layer.clone())
            .layer(GrpcWebLayer::new())
            .add_service(Greeter);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let web = ServiceBuilder::new()
            .layer(GrpcWebClientLayer::new())
            .service(Client::builder(TokioExecutor::new()).build_http());
        let origin = format!("http://{address}").parse().unwrap();
        let mut client = Grpc::with_origin(web, origin);

        let ada = site.person(ADA);
        let (first, mut stream) = endless(&mut client, &ada).await;
        assert_eq!(first, greeting(&ada.session), "{end:?}");
        site.settles_at(1, 0).await;
        site.end(&ada.session, end);
        let status = soon(stream.message()).await.unwrap_err();
        let want = (Code::Unauthenticated, "sign-in required");
        assert_eq!(ended(&status), want, "{end:?}");
        site.settles_at(0, 0).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_never_at_a_loss_for_words_ends_too() {
    let site = Site::new();
    let alive = Arc::new(());
    let held = alive.clone();
    let service = site.layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let held = held.clone();
        let frames = stream::repeat_with(move || {
            let _held = &held;
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"x")))
        });
        std::future::ready(Ok::<_, Infallible>(Response::new(StreamBody::new(frames))))
    }));
    let ada = site.person(ADA);
    let request = with_cookie(program("/x"), &ada.cookie);
    let mut body = service.clone().oneshot(request).await.unwrap().into_body();
    for _ in 0..5 {
        assert!(body.frame().await.is_some());
    }
    assert_eq!(site.revocations.watchers(), 1);
    site.end(&ada.session, End::Revoked);
    assert!(body.frame().await.is_none());
    assert!(body.frame().await.is_none(), "it stays ended");
    // The service holds one; the application's stream is gone, though the body is not.
    assert_eq!(Arc::strong_count(&alive), 2);
    assert_eq!(site.revocations.watchers(), 0);
}

/// A handler that waits for the guard itself has an error to give, and the client hears that it was
/// cut off.
#[tokio::test]
async fn the_error_of_a_body_that_waits_for_the_guard_reaches_its_client() {
    let site = Site::new();
    let ada = site.person(ADA);
    let service = site
        .layer
        .layer(service_fn(async |request: Request<Full<Bytes>>| {
            let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
            let frames = stream::unfold((guard, true), async |(mut guard, is_first)| {
                if !is_first {
                    (&mut guard).await;
                    return Some((Err("cut off"), (guard, false)));
                }
                let frame = http_body::Frame::data(Bytes::from_static(b"half"));
                Some((Ok(frame), (guard, false)))
            });
            Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(frames))))
        }));
    for waits in [true, false] {
        let site_session = site.person(ADA);
        let request = with_cookie(program("/x"), &site_session.cookie);
        let answer = service.clone().oneshot(request).await.unwrap();
        let mut body = Box::pin(answer.into_body());
        assert!(body.frame().await.unwrap().is_ok());
        if waits {
            assert!(body.frame().now_or_never().is_none());
        }
        site.end(&site_session.session, End::Revoked);
        let last = body.frame().await.unwrap();
        assert_eq!(last.unwrap_err(), "cut off", "{waits}");
        assert!(body.frame().await.is_none());
    }
    drop(ada);
}

/// A store whose look-ups hang after the first, and that tells of an end at once.
#[derive(Debug)]
struct Hanging {
    asked: AtomicUsize,
    told: Arc<watch::Sender<bool>>,
}

impl Revocations for Hanging {
    fn look_up(&self, _: &Session) -> Lookup {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => Lookup::Settled(Ok(Standing::Active)),
            _ => Lookup::Pending(Box::pin(std::future::pending())),
        }
    }

    fn revoke<'a>(&'a self, _: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn watch(&self, _: &Session) -> Option<Signal> {
        let mut told = self.told.subscribe();
        Some(Box::pin(async move {
            let _ = told.wait_for(|told| *told).await;
        }))
    }
}

/// Pinned: while the store was asked, nobody heard what it told, nor that the token had ended.
#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_keeps_no_end_waiting() {
    for end in [End::Revoked, End::Expired] {
        let clock = ManualClock::new();
        let told = Arc::new(watch::Sender::new(false));
        let store = Hanging {
            asked: AtomicUsize::new(0),
            told: told.clone(),
        };
        let layer = builder(&clock)
            .session_lifetime(HOUR)
            .revocations(store)
            .revocation_timeout(Duration::from_secs(10))
            .end_streams()
            .build()
            .unwrap();
        let mut request = program("/x");
        let session = layer.sign_in(&mut request, ADA);
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(guard);
            Ok::<_, Infallible>(response)
        }));
        let response = service.oneshot(request).await.unwrap();
        let mut guard = response.extensions().get::<SessionGuard>().unwrap().clone();
        assert!((&mut guard).now_or_never().is_none());
        clock.advance(Duration::from_secs(30));
        assert!((&mut guard).now_or_never().is_none(), "it asks now");
        match end {
            End::Expired => clock.set(session.expires_at()),
            _ => drop(told.send_replace(true)),
        }
        assert!((&mut guard).now_or_never().is_some(), "{end:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_tell_is_asked_at_every_interval_and_an_outage_ends_nothing() {
    let every = Duration::from_secs(10);
    let (asked, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, answer) = (asked.clone(), act.clone());
    let clock = ManualClock::new();
    let look_up = move |_: Session| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = answer.load(Ordering::SeqCst);
        async move {
            match answer {
                0 => Ok(Standing::Active),
                1 => Err(StoreError::new(StoreErrorKind::Unavailable)),
                _ => Ok(Standing::Revoked),
            }
        }
    };
    let layer = builder(&clock)
        .revocations(look_up)
        .end_streams()
        .stream_look_up_interval(every)
        .build()
        .unwrap();
    let mut request = program("/x");
    layer.sign_in(&mut request, ADA);
    let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
        let guard = request.extensions().get::<SessionGuard>().unwrap().clone();
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(guard);
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    let mut guard = response.extensions().get::<SessionGuard>().unwrap().clone();
    let mut has_ended = || (&mut guard).now_or_never().is_some();

    let steps = [
        ("at once", 0, 0, 1, false),
        ("too early", 9, 0, 1, false),
        ("on time", 1, 0, 2, false),
        ("in an outage", 10, 1, 3, false),
        ("back again", 10, 0, 4, false),
        ("revoked, too early", 9, 2, 4, false),
        ("revoked", 1, 2, 5, true),
        ("after that", 100, 0, 5, true),
    ];
    for (name, seconds, says, want, is_over) in steps {
        act.store(says, Ordering::SeqCst);
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(has_ended(), is_over, "{name}");
        assert_eq!(asked.load(Ordering::SeqCst), want, "{name}");
    }
}

#[tokio::test]
async fn a_session_that_was_ended_before_anybody_watched_is_noticed() {
    let site = Site::new();
    let (ada, eve) = site.people();
    let watch = |person: &SignedIn| site.revocations.watch(&person.session).unwrap();
    let (mut late, mut other) = (watch(&ada), watch(&eve));
    site.end(&ada.session, End::Revoked);
    assert!((&mut late).now_or_never().is_some());
    assert!((&mut other).now_or_never().is_none());
    assert_eq!(site.revocations.watchers(), 2);
    drop((late, other));
    assert_eq!(site.revocations.watchers(), 0);
}

#[tokio::test]
async fn there_is_a_guard_only_for_a_session_and_only_where_it_was_asked_for() {
    let clock = ManualClock::new();
    let on = |is_on: bool| {
        let builder = builder(&clock).public_path("/about");
        let builder = if is_on {
            builder.end_streams()
        } else {
            builder
        };
        builder.build().unwrap()
    };
    let cases = [
        ("on, signed in", true, "/x", true, true),
        ("on, signed in, public", true, "/about", true, true),
        ("on, stranger, public", true, "/about", false, false),
        ("off, signed in", false, "/x", true, false),
    ];
    for (name, is_on, path, is_signed_in, want) in cases {
        let layer = on(is_on);
        let mut request = program(path);
        if is_signed_in {
            layer.sign_in(&mut request, ADA);
        }
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            let has_guard = request.extensions().get::<SessionGuard>().is_some();
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(has_guard.to_string())))
        }));
        let response = service.oneshot(request).await.unwrap();
        let kind = format!("{:?}", response.body());
        let want_kind = if want {
            "ResponseBody::Guarded"
        } else {
            "ResponseBody::Inner"
        };
        assert_eq!(kind, want_kind, "{name}");
        let length = u64::try_from(want.to_string().len()).ok();
        assert_eq!(response.body().size_hint().exact(), length, "{name}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, want.to_string(), "{name}");
    }
}

#[test]
fn an_interval_that_is_too_short_or_too_long_is_refused() {
    let cases = [(0, false), (1, true), (3_600, true), (3_601, false)];
    for (seconds, is_fine) in cases {
        let builder = builder(&ManualClock::new()).end_streams();
        let built = builder.stream_look_up_interval(Duration::from_secs(seconds));
        assert_eq!(built.build().is_ok(), is_fine, "{seconds}");
    }
}
