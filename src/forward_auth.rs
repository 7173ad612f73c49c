//! `ForwardAuth`: answers a proxy that asks whether a request may pass: nginx `auth_request`, Traefik ForwardAuth, Caddy `forward_auth`.
//!
//! - What the client asked is what a trusted proxy says it asked, in the one pair of headers that this proxy writes. The other pair is
//!   the client's to send (CVE-2026-40575).
//! - From anybody else, or when the pair is not there exactly once, nothing is public and nobody is sent back to where they were.
//! - A refusal is never 2xx, in whichever language it is.
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
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Uri, header, request::Parts,
    uri::PathAndQuery,
};
use tower_service::Service;

use crate::{
    body::{ResponseBody, answer_to},
    clock::Timestamp,
    forward,
    future::Finish,
    gate::{Admission, Decision, Verdict},
    head::RequestHead,
    layer::{MagicLinkLayer, Shared},
    peer::PeerAddr,
    provider::BoxFuture,
    rejection::{Rejection, RejectionKind},
    revocation::Lookup,
    rules::Exposure,
    session::Session,
};

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
///
/// The headers are encoded as [`Builder::forward_identity`](crate::Builder::forward_identity) says. A `Set-Cookie` beside them renews the session.
///
/// # Whose word is taken
///
/// Traefik and Caddy write `X-Forwarded-Method` and `X-Forwarded-Uri`; nginx, by the configuration below, `X-Original-Method` and
/// `X-Original-URI`. They decide which path is public, and where a person goes after signing in. They are believed only from the addresses in
/// [`Builder::trusted_proxies`](crate::Builder::trusted_proxies), by what the host says of the connection: a [`PeerAddr`], or axum's `ConnectInfo<SocketAddr>`.
/// `X-Forwarded-Host` and `X-Forwarded-Proto` are not read: the form's address is made from `public_url`.
/// The layer's endpoints have to be at the same origin, and no client's copy of the four headers may get through the proxy.
///
/// # nginx
///
/// ```nginx
/// location /auth/ { proxy_pass http://127.0.0.1:3000; }
/// location = /.ask {
///     internal;
///     proxy_pass http://127.0.0.1:3000/ask;
///     proxy_pass_request_body off;
///     proxy_set_header Content-Length "";
///     proxy_set_header X-Original-Method $request_method;
///     proxy_set_header X-Original-URI $request_uri;
/// }
/// location @sign_in {
///     if ($sign_in) { return 303 $sign_in; }
///     return 401;
/// }
/// location / {
///     auth_request /.ask;
///     auth_request_set $sign_in $upstream_http_location;
///     error_page 401 = @sign_in;
///     auth_request_set $renewed $upstream_http_set_cookie;
///     add_header Set-Cookie $renewed;
///     auth_request_set $subject $upstream_http_x_auth_subject;
///     auth_request_set $email $upstream_http_x_auth_email;
///     auth_request_set $organization $upstream_http_x_auth_organization;
///     auth_request_set $session $upstream_http_x_auth_session;
///     proxy_set_header X-Auth-Subject $subject;
///     proxy_set_header X-Auth-Email $email;
///     proxy_set_header X-Auth-Organization $organization;
///     proxy_set_header X-Auth-Session $session;
///     proxy_http_version 1.1;
///     proxy_set_header Upgrade $http_upgrade;
///     proxy_set_header Connection upgrade;
///     proxy_pass http://127.0.0.1:8080;
/// }
/// ```
///
/// The cookies are the proxy's to hand on: the session cookie reaches the service, unless the proxy takes it out.
///
/// An empty value makes nginx leave the header out, the client's too; names with `_` or `.` it drops by itself, unless
/// `underscores_in_headers` or `ignore_invalid_headers` says otherwise. nginx answers 500 for what is neither 2xx, 401 nor 403.
///
/// # Traefik and Caddy
///
/// Traefik: `forwardAuth` with `address: http://127.0.0.1:3000/ask`, the four names in `authResponseHeaders`, the session cookie's in
/// `addAuthCookiesToResponse`, and no `trustForwardHeader`; a router for `/auth/` goes to the layer without it. Caddy: `request_header -X-Auth-*`, then
/// `forward_auth 127.0.0.1:3000 { uri /ask copy_headers … }` with the four names; `handle /auth/*` goes to the layer without it. Neither folds the spellings of
/// a name: behind them the service must not take `X_Auth_Email` for `X-Auth-Email`, as CGI and WSGI do.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct ForwardAuth {
    shared: Arc<Shared>,
    dialect: Dialect,
}

/// How a proxy says what was asked, and what it does with a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// `X-Forwarded-*`; a refusal goes to the client as it is.
    Forwarded,
    /// `X-Original-*`; only the status of a refusal, and what the configuration reads from its headers.
    Nginx,
}

impl MagicLinkLayer {
    /// Makes the service that a proxy asks whether a request may pass: Traefik's or Caddy's, unless [`ForwardAuth::for_nginx`] follows.
    ///
    /// ```
    /// use tower::{Service, ServiceExt};
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, PeerAddr, SigningKey, testing::StubProvider};
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
            shared: self.shared.clone(),
            dialect: Dialect::Forwarded,
        }
    }
}

impl ForwardAuth {
    /// Speaks to nginx's `auth_request`: `X-Original-Method` and `X-Original-URI`, and a 401 where others get a redirect.
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

/// The request that a proxy asks about.
struct Question {
    parts: Parts,
    /// The method and the address are what a trusted proxy says they were.
    is_vouched: bool,
}

impl Question {
    fn of(asked: Parts, dialect: Dialect, shared: &Shared) -> Self {
        let peer = PeerAddr::of(&asked.extensions);
        let is_trusted = peer.is_some_and(|peer| shared.proxies.has(peer));
        let target = is_trusted.then(|| dialect.target(&asked.headers)).flatten();
        // The extensions stay behind: they tell of the question, not of what is asked about.
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.headers = asked.headers;
        let is_vouched = target.is_some();
        if let Some((method, uri)) = target {
            (parts.method, parts.uri) = (method, uri);
        }
        Self { parts, is_vouched }
    }

    async fn answer(
        mut self,
        shared: &Arc<Shared>,
        dialect: Dialect,
        now: Timestamp,
    ) -> Response<Bytes> {
        let head = RequestHead::of_parts(&self.parts);
        let decision = if self.is_vouched {
            shared.gate.decide(&head, now)
        } else {
            // The address that we have is the question's own, and no rule is about that.
            shared.gate.protected(&head, now)
        };
        let verdict = match decision {
            Decision::Admit(admission) => settle(shared, admission, Exposure::Protected).await,
            Decision::Pass(exposure, Some(admission)) => settle(shared, admission, exposure).await,
            Decision::Pass(_, None) => Ok(None),
            Decision::Refuse(rejection) => Err(rejection),
            Decision::RefuseStep(_) | Decision::Step(_) => {
                Err(Rejection::new(RejectionKind::Malformed))
            }
        };
        match verdict {
            Ok(Some(admission)) => {
                let session = admission.session.clone();
                let (_, finish) = shared.admit(Request::new(()), admission, now);
                permit(Some(&session), finish)
            }
            Ok(None) => permit(None, Finish::default()),
            Err(rejection) => self.refuse(shared, dialect, rejection),
        }
    }

    fn refuse(
        &mut self,
        shared: &Shared,
        dialect: Dialect,
        rejection: Rejection,
    ) -> Response<Bytes> {
        // The answer to the proxy has a body, whatever the client asked with.
        if self.parts.method == Method::HEAD {
            self.parts.method = Method::GET;
        }
        let status = rejection.kind().status();
        let mut response = shared.refuse(rejection, &RequestHead::of_parts(&self.parts));
        // Traefik resolves a relative address against the one that it asked.
        let location = response.headers().get(header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok());
        let location = location.map(|path| shared.gate.absolute(path));
        if let Some(location) = location.and_then(|url| HeaderValue::try_from(url).ok()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        // gRPC hears a refusal under status 200, by which a proxy lets the request pass; nginx makes a failure of a redirect.
        let is_redirect = response.status().is_redirection();
        if response.status().is_success() || (is_redirect && dialect == Dialect::Nginx) {
            *response.status_mut() = status;
        }
        response
    }
}

impl Dialect {
    /// Returns what the client asked, where the proxy says it once and well.
    fn target(self, headers: &HeaderMap) -> Option<(Method, Uri)> {
        let [method, uri] = match self {
            Self::Forwarded => ["x-forwarded-method", "x-forwarded-uri"],
            Self::Nginx => ["x-original-method", "x-original-uri"],
        };
        let once = |name| {
            let mut values = headers.get_all(name).iter();
            values.next().filter(|_| values.next().is_none())
        };
        let method = Method::from_bytes(once(method)?.as_bytes()).ok()?;
        let path = once(uri)?.as_bytes();
        let path = path
            .starts_with(b"/")
            .then(|| PathAndQuery::try_from(path).ok())??;
        Some((method, Uri::from(path)))
    }
}

/// Asks the revocation store. `None` is a request that passes without its session.
async fn settle(
    shared: &Shared,
    admission: Admission,
    exposure: Exposure,
) -> Result<Option<Admission>, Rejection> {
    let standing = match shared.revocations.look_up(&admission.session) {
        Lookup::Settled(standing) => standing,
        Lookup::Pending(lookup) => shared.bounded(lookup).await,
    };
    let standing = shared.judge(standing);
    match exposure.settle(standing) {
        Verdict::Admit => Ok(Some(admission)),
        Verdict::Pass => Ok(None),
        Verdict::Refuse(rejection) => Err(rejection),
    }
}

fn permit(session: Option<&Session>, finish: Finish) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    finish.write_to(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(session) = session {
        forward::introduce(headers, session);
    }
    response
}
