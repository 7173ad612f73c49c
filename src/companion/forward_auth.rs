//! `ForwardAuth`: answers a proxy that asks whether a request may pass: nginx `auth_request`,
//! Traefik ForwardAuth, Caddy `forward_auth`, HAProxy by Lua, Envoy `ext_authz`.
//!
//! - The client's method and target are those that a trusted proxy states, in the pair of headers
//!   that this kind of proxy writes. A client could send the other pair itself (CVE-2026-40575).
//! - If another peer asks, or a header of the pair is missing, every path is protected and no
//!   refusal leads back to a path. A header that is there twice is refused.
//! - It takes no step of signing in or out.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower_service::Service;

use self::question::{Dialect, Purpose, Question};
use crate::{
    answer::answer_to,
    layer::{MagicLinkLayer, body::ResponseBody},
    shared::Shared,
};

mod question;

/// Answers a proxy that asks whether a request may pass. [`MagicLinkLayer::forward_auth`] makes it.
///
/// | the request that the proxy asks about | answer |
/// | --- | --- |
/// | has a valid session | 200 with `X-Auth-Decision: permit`, `X-Auth-Subject`, `-Email`, `-Session` and, where there is one, `-Organization` |
/// | is for a public path, without a session | 200 with `X-Auth-Decision: permit` alone |
/// | is a navigation | 303 to the login form; for nginx 401, with the form's address as `Location` |
/// | is anything else | 401, as the layer's own refusals |
/// | has a session, but the revocation store is down | 503 with `Retry-After` |
/// | is for one of the layer's own endpoints | 400: the proxy has to send those straight to the layer |
/// | has a target that is not in origin-form (RFC 9112, section 3.2.1); or one that readers may understand differently: with `#`, a space, `"` in the query, `<`, `>`, a control character or a byte above `0x7e`, or with a backslash or a backtick in the path; or several targets | 400, even with a session: browsers encode these characters |
/// | asks to upgrade its connection to anything but a WebSocket | 400, even with a session |
///
/// The headers are encoded as [`Builder::forward_identity`](crate::Builder::forward_identity) says.
/// A `Set-Cookie` beside them renews the session.
///
/// # Which headers are trusted
///
/// nginx, by its configuration in the guide, writes `X-Original-Method` and `X-Original-URI`. The
/// other proxies write `X-Forwarded-Method` and `X-Forwarded-Uri`. These decide whether the path is
/// public, and where a person goes after signing in. The layer believes them only from the
/// addresses in [`Builder::trusted_proxies`](crate::Builder::trusted_proxies). The host states the
/// peer's address: in a [`PeerAddr`](crate::PeerAddr), or in axum's `ConnectInfo<SocketAddr>`. The
/// layer does not read `X-Forwarded-Host` and `X-Forwarded-Proto`: it makes the form's address from
/// `public_url`. The layer's endpoints must be at the same origin, and the proxy must drop a
/// client's own copies of the four headers.
///
/// # Which answers are permits
///
/// A permit is a 200 with `X-Auth-Decision: permit`. A proxy should demand both: if its question
/// reaches another server, such as the guarded one, that server's 200 must let nobody in.
///
/// # Which requests become tunnels
///
/// The proxy itself opens the tunnel of an upgraded connection, and nothing checks what passes
/// through it. Inside an h2c tunnel a client could send any identity header. So a proxy must hand
/// on no upgrade but a WebSocket's, whatever the layer answers: most proxies do not show the
/// upgrade in their question. A WebSocket outlives its session there: the service must end it.
///
/// # Configurations
///
/// The guide [Behind a proxy](crate::guide::behind_a_proxy) has one for each of nginx, Caddy,
/// Traefik, HAProxy and Envoy, with what each proxy cannot do. They are the files that the tests
/// run. `examples/forward_auth.rs` is the service that they ask.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct ForwardAuth {
    shared: Arc<Shared>,
    dialect: Dialect,
    purpose: Purpose,
}

impl MagicLinkLayer {
    /// Makes the service that a proxy asks whether a request may pass.
    ///
    /// It speaks to Caddy, Traefik, HAProxy and Envoy. For nginx, call
    /// [`ForwardAuth::for_nginx`] on it.
    ///
    /// ```
    /// use tower::{Service, ServiceExt};
    /// # use tower_magic_link::{
    /// #     KeyRing, MagicLinkLayer, PeerAddr, SigningKey, testing::StubProvider,
    /// # };
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    ///     .public_url("https://app.example.com")
    ///     .trusted_proxies(["10.0.0.7"])
    ///     .build()?;
    ///
    /// let question = http::Request::get("/ask")
    ///     .extension(PeerAddr::from(std::net::SocketAddr::from(([10, 0, 0, 7], 41_000))))
    ///     .header("x-forwarded-method", "GET")
    ///     .header("x-forwarded-uri", "/reports")
    ///     .header("accept", "text/html")
    ///     .body(http_body_util::Empty::<bytes::Bytes>::new())?;
    /// let answer = layer.forward_auth().oneshot(question).await?;
    /// assert_eq!(answer.status(), 303);
    /// assert_eq!(answer.headers()["location"], "https://app.example.com/auth/login?return_to=/reports");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn forward_auth(&self) -> ForwardAuth {
        ForwardAuth {
            shared: self.shared().clone(),
            dialect: Dialect::Forwarded,
            purpose: Purpose::Decide,
        }
    }
}

impl ForwardAuth {
    /// Speaks to nginx's `auth_request` instead.
    ///
    /// It reads `X-Original-Method` and `X-Original-URI`. It answers 401 in place of a redirect,
    /// and 403 in place of a 400, which nginx would turn into a 500.
    ///
    /// ```
    /// use tower::{Service, ServiceExt};
    /// # use tower_magic_link::{
    /// #     KeyRing, MagicLinkLayer, PeerAddr, SigningKey, testing::StubProvider,
    /// # };
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    /// #     .public_url("https://app.example.com")
    /// #     .trusted_proxies(["10.0.0.7"])
    /// #     .build()?;
    /// let question = http::Request::get("/ask")
    ///     .extension(PeerAddr::from(std::net::SocketAddr::from(([10, 0, 0, 7], 41_000))))
    ///     .header("x-original-method", "GET")
    ///     .header("x-original-uri", "/reports")
    ///     .header("accept", "text/html")
    ///     .body(http_body_util::Empty::<bytes::Bytes>::new())?;
    /// let answer = layer.forward_auth().for_nginx().oneshot(question).await?;
    /// assert_eq!(answer.status(), 401);
    /// assert_eq!(answer.headers()["location"], "https://app.example.com/auth/login?return_to=/reports");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn for_nginx(mut self) -> Self {
        self.dialect = Dialect::Nginx;
        self
    }

    /// Only ever refuses, in the words and with the status that the client itself gets.
    ///
    /// Of a refusal, nginx's `auth_request` keeps the status and what its configuration reads. So
    /// nginx asks this service for the whole answer once it has refused a request: a redirect, a
    /// page, or a problem document with every `WWW-Authenticate`. The answer is never 2xx. If the
    /// session is good by now, it is 503 with `Retry-After`: the client's request was not
    /// delivered. As a rule the first question has reported the refusal to
    /// [`Builder::on_event`](crate::Builder::on_event) and counted it, so this one does neither. If
    /// the first did not arrive, nobody has.
    ///
    /// ```
    /// use tower::{Service, ServiceExt};
    /// # use tower_magic_link::{
    /// #     KeyRing, MagicLinkLayer, PeerAddr, SigningKey, testing::StubProvider,
    /// # };
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    /// #     .public_url("https://app.example.com")
    /// #     .trusted_proxies(["10.0.0.7"])
    /// #     .build()?;
    /// let question = http::Request::get("/refuse")
    ///     .extension(PeerAddr::from(std::net::SocketAddr::from(([10, 0, 0, 7], 41_000))))
    ///     .header("x-original-method", "GET")
    ///     .header("x-original-uri", "/reports")
    ///     .header("accept", "text/html")
    ///     .body(http_body_util::Empty::<bytes::Bytes>::new())?;
    /// let answer = layer.forward_auth().for_nginx().refusing().oneshot(question).await?;
    /// assert_eq!(answer.status(), 303);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn refusing(mut self) -> Self {
        self.purpose = Purpose::Refuse;
        self
    }
}

impl<B> Service<Request<B>> for ForwardAuth {
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = ForwardAuthFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ForwardAuthFuture<B> {
        // The body is dropped unread: the question is in the head alone.
        let (parts, _) = request.into_parts();
        let (shared, dialect, purpose) = (self.shared.clone(), self.dialect, self.purpose);
        let now = shared.clock.now();
        ForwardAuthFuture {
            answer: Box::pin(async move {
                let method = parts.method.clone();
                let question = Question::of(parts, dialect, &shared);
                let answer = question.answer(&shared, dialect, purpose, now).await;
                answer_to(&method, answer)
            }),
            body: PhantomData,
        }
    }
}

impl fmt::Debug for ForwardAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardAuth")
            .field("dialect", &self.dialect)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

/// The answer of a [`ForwardAuth`].
#[must_use = "futures do nothing unless polled"]
pub struct ForwardAuthFuture<B> {
    answer: BoxFuture<'static, Response<Bytes>>,
    body: PhantomData<fn() -> B>,
}

impl<B> Future for ForwardAuthFuture<B> {
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.answer.as_mut().poll(cx));
        Poll::Ready(Ok(answer.map(ResponseBody::own)))
    }
}

impl<B> fmt::Debug for ForwardAuthFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardAuthFuture")
    }
}
