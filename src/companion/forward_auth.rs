//! `ForwardAuth`: answers a proxy that asks whether a request may pass: nginx `auth_request`,
//! Traefik ForwardAuth, Caddy `forward_auth`.
//!
//! - What the client asked is what a trusted proxy says it asked, in the one pair of headers that
//!   this proxy writes. The other pair is the client's to send (CVE-2026-40575).
//! - From anybody else, or when the pair is not there exactly once, nothing is public and nobody is
//!   sent back to where they were.
//! - No step of signing in is taken here.

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

use self::question::{Dialect, Question};
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
/// | has a session that stands | 200 with `X-Auth-Subject`, `-Email`, `-Session` and, where there is one, `-Organization` |
/// | is for a public path, without a session | 200 without them |
/// | is a navigation | 303 to the login form; for nginx 401, with the form's address as `Location` |
/// | is anything else | 401, as the layer's own refusals |
/// | cannot be decided, for the revocation store is down | 503 with `Retry-After` |
/// | is for an endpoint of the layer's own | 400: the proxy has to send those to the layer, without asking |
/// | has a target that is not origin-form (RFC 9112, section 3.2.1), or that readers may take for different ones: with `#`, a space, `"` in the query, `<`, `>`, a control character or a byte above `0x7e`, or with a backslash or a backtick in the path; or several targets | 400, with a session too: browsers encode these |
/// | wants its connection to become anything but a WebSocket | 400, with a session too |
///
/// The headers are encoded as [`Builder::forward_identity`](crate::Builder::forward_identity) says.
/// A `Set-Cookie` beside them renews the session.
///
/// # Whose word is taken
///
/// Traefik and Caddy write `X-Forwarded-Method` and `X-Forwarded-Uri`; nginx, by the configuration
/// below, `X-Original-Method` and `X-Original-URI`. They decide which path is public, and where a
/// person goes after signing in. They are believed only from the addresses in
/// [`Builder::trusted_proxies`](crate::Builder::trusted_proxies), by what the host says of the
/// connection: a [`PeerAddr`](crate::PeerAddr), or axum's `ConnectInfo<SocketAddr>`.
/// `X-Forwarded-Host` and `X-Forwarded-Proto` are not read: the form's address is made from
/// `public_url`. The layer's endpoints have to be at the same origin, and no client's copy of the
/// four headers may get through the proxy.
///
/// # Which requests become tunnels
///
/// A proxy opens the tunnel of an upgraded connection itself, and nobody looks into it: inside an
/// h2c tunnel a client would write the identity headers of its choice. So a proxy must hand on the
/// upgrade to a WebSocket alone, whatever the answer to its question is, since most proxies do not
/// show the wish for an upgrade when they ask. The configurations below do so, and `tests/run`
/// drives each of them in front of a server that takes other upgrades. A WebSocket outlives its
/// session there: the service must end it.
///
/// Each of them also drops a client's own identity headers, in the spellings with `_` and `.` too,
/// and keeps a client's `Connection` from naming ours. The cookies are the proxy's to hand on: the
/// session cookie reaches the service, unless the proxy takes it out.
///
/// # nginx
///
#[doc = "```nginx"]
#[doc = include_str!("../../examples/proxies/nginx.conf")]
#[doc = "```"]
///
/// An empty value makes nginx leave the header out, the client's too; names with `_` or `.` it
/// drops by itself, unless `underscores_in_headers` or `ignore_invalid_headers` says otherwise.
/// nginx answers 500 for what is neither 2xx, 401 nor 403.
///
/// # Caddy
///
#[doc = "```caddyfile"]
#[doc = include_str!("../../examples/proxies/Caddyfile")]
#[doc = "```"]
///
/// # Traefik
///
#[doc = "```yaml"]
#[doc = include_str!("../../examples/proxies/traefik/traefik.yaml")]
#[doc = "```"]
///
/// And the dynamic configuration:
///
#[doc = "```yaml"]
#[doc = include_str!("../../examples/proxies/traefik/dynamic.yaml")]
#[doc = "```"]
///
/// Traefik writes the cookies of a response anew when the session's is renewed: attributes that it
/// does not know get lost. It does not renew the session on the response that opens a WebSocket. Of
/// two `Upgrade` fields it keeps the first.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct ForwardAuth {
    shared: Arc<Shared>,
    dialect: Dialect,
}

impl MagicLinkLayer {
    /// Makes the service that a proxy asks whether a request may pass: Traefik's or Caddy's, unless
    /// [`ForwardAuth::for_nginx`] follows.
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
        }
    }
}

impl ForwardAuth {
    /// Speaks to nginx's `auth_request`: `X-Original-Method` and `X-Original-URI`, a 401 where
    /// others get a redirect, and a 403 where they get a 400, since nginx makes a 500 of that.
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
}

impl<B> Service<Request<B>> for ForwardAuth {
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = ForwardAuthFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ForwardAuthFuture<B> {
        let (parts, _) = request.into_parts();
        let (shared, dialect) = (self.shared.clone(), self.dialect);
        let now = shared.clock.now();
        ForwardAuthFuture {
            answer: Box::pin(async move {
                let method = parts.method.clone();
                let question = Question::of(parts, dialect, &shared);
                answer_to(&method, question.answer(&shared, dialect, now).await)
            }),
            body: PhantomData,
        }
    }
}

impl fmt::Debug for ForwardAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardAuth")
            .field("dialect", &self.dialect)
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
