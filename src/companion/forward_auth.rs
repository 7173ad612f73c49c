//! `ForwardAuth`: answers a proxy that asks whether a request may pass: nginx `auth_request`, Traefik ForwardAuth, Caddy `forward_auth`.
//!
//! - What the client asked is what a trusted proxy says it asked, in the one pair of headers that this proxy writes. The other pair is
//!   the client's to send (CVE-2026-40575).
//! - From anybody else, or when the pair is not there exactly once, nothing is public and nobody is sent back to where they were.
//! - The proxy hands on the target that it was asked for, byte for byte. So a target is decided on only if its parsed form has the same
//!   bytes, and no reader can take it for another one; any other is refused, and so are two targets.
//! - The proxy opens a tunnel that nobody looks into. So a question that shows an upgrade to anything but a WebSocket is refused.
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
use futures_util::future::BoxFuture;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts,
    uri::PathAndQuery,
};
use tower_service::Service;

use crate::{
    answer::answer_to,
    clock::Timestamp,
    gate::Decision,
    layer::{Finish, MagicLinkLayer, Settled, body::ResponseBody, identity_headers},
    rejection::{Rejection, RejectionKind},
    request::{head::RequestHead, peer::PeerAddr, upgrade::Upgrade},
    revocation::Lookup,
    session::Session,
    shared::Shared,
    site::rules::Exposure,
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
/// | has a target that is not origin-form (RFC 9112, section 3.2.1), or that readers may take for different ones: with `#`, a space, `"` in the query, `<`, `>`, a control character or a byte above `0x7e`, or with a backslash or a backtick in the path; or several targets | 400, with a session too: browsers encode these |
/// | wants its connection to become anything but a WebSocket | 400, with a session too |
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
/// # Which requests become tunnels
///
/// A proxy opens the tunnel of an upgraded connection itself, and nobody looks into it: inside an h2c tunnel a client would write the identity
/// headers of its choice. So a proxy must hand on the upgrade to a WebSocket alone, whatever the answer to its question is, since most proxies do
/// not show the wish for an upgrade when they ask. The configurations below do so, and `tests/run` drives each of them in front of a server that takes
/// other upgrades. A WebSocket outlives its session there: the service must end it.
///
/// Each of them also drops a client's own identity headers, in the spellings with `_` and `.` too, and keeps a client's `Connection` from
/// naming ours. The cookies are the proxy's to hand on: the session cookie reaches the service, unless the proxy takes it out.
///
/// # nginx
///
#[doc = "```nginx"]
#[doc = include_str!("../../examples/proxies/nginx.conf")]
#[doc = "```"]
///
/// An empty value makes nginx leave the header out, the client's too; names with `_` or `.` it drops by itself, unless
/// `underscores_in_headers` or `ignore_invalid_headers` says otherwise. nginx answers 500 for what is neither 2xx, 401 nor 403.
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
/// Traefik writes the cookies of a response anew when the session's is renewed: attributes that it does not know get lost. It does not renew the
/// session on the response that opens a WebSocket. Of two `Upgrade` fields it keeps the first.
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
    /// `X-Original-*`; of a refusal only the status, 401 or 403, and what the configuration reads from its headers.
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
            shared: self.shared().clone(),
            dialect: Dialect::Forwarded,
        }
    }
}

impl ForwardAuth {
    /// Speaks to nginx's `auth_request`: `X-Original-Method` and `X-Original-URI`, a 401 where others get a redirect, and a 403 where they get a
    /// 400, since nginx makes a 500 of that.
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
    said: Said,
}

/// What a proxy says of the request that it asks about.
#[derive(Debug, PartialEq)]
enum Said {
    /// Nothing, or nothing that is believed: no rule is about the address that the question itself has.
    Nothing,
    /// The method and the target.
    Target(Method, Uri),
    /// A target that the service behind may read differently, or several.
    Unclear,
}

impl Question {
    fn of(asked: Parts, dialect: Dialect, shared: &Shared) -> Self {
        let peer = PeerAddr::of(&asked.extensions);
        let is_trusted = peer.is_some_and(|peer| shared.proxies.has(peer));
        let mut said = Said::Nothing;
        if is_trusted {
            said = dialect.said(&asked.headers);
        }
        // The extensions stay behind: they tell of the question, not of what is asked about.
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.headers = asked.headers;
        if let Said::Target(method, uri) = &said {
            (parts.method, parts.uri) = (method.clone(), uri.clone());
        }
        Self { parts, said }
    }

    /// Says what to do with the request.
    fn decide(&self, shared: &Shared, now: Timestamp) -> Decision {
        let head = RequestHead::of_parts(&self.parts);
        let upgrade = Upgrade::shown(head.method(), head.headers());
        match self.said {
            _ if upgrade == Upgrade::Other => refuse_ambiguous(),
            Said::Nothing => shared.gate.protected(&head, now),
            Said::Target(..) => shared.gate.decide(&head, now),
            Said::Unclear => refuse_ambiguous(),
        }
    }

    async fn answer(
        mut self,
        shared: &Arc<Shared>,
        dialect: Dialect,
        now: Timestamp,
    ) -> Response<Bytes> {
        let (admission, exposure) = match self.decide(shared, now) {
            Decision::Admit(admission) => (admission, Exposure::Protected),
            Decision::Pass(exposure, Some(admission)) => (admission, exposure),
            Decision::Pass(_, None) => return permit(None, Finish::default()),
            Decision::Refuse(rejection) => return self.refuse(shared, dialect, rejection),
            Decision::RefuseStep(_) | Decision::Step(_) => {
                let rejection = Rejection::new(RejectionKind::Malformed);
                return self.refuse(shared, dialect, rejection);
            }
        };
        let answer = match shared.revocations.look_up(&admission.session) {
            Lookup::Settled(answer) => answer,
            Lookup::Pending(lookup) => shared.revocations.bounded(lookup).await,
        };
        // What is settled is a request that goes nowhere: the proxy hands on the real one.
        match shared.settle(Request::new(()), admission, exposure, answer, now) {
            Settled::Forward(request, finish) => permit(request.extensions().get(), finish),
            Settled::Refuse(_, rejection) => self.refuse(shared, dialect, rejection),
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
        if response.status() == StatusCode::BAD_REQUEST && dialect == Dialect::Nginx {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        response
    }
}

impl Dialect {
    /// Reads what the client asked.
    fn said(self, headers: &HeaderMap) -> Said {
        let [method, uri] = match self {
            Self::Forwarded => ["x-forwarded-method", "x-forwarded-uri"],
            Self::Nginx => ["x-original-method", "x-original-uri"],
        };
        let fields = |name| headers.get_all(name).iter();
        let (mut methods, mut targets) = (fields(method), fields(uri));
        match (methods.next(), targets.next()) {
            (Some(method), Some(target)) => {
                let is_one = methods.next().is_none() && targets.next().is_none();
                let method = Method::from_bytes(method.as_bytes()).ok();
                let uri = origin_form(target.as_bytes()).filter(|_| is_one);
                method
                    .zip(uri)
                    .map_or(Said::Unclear, |(method, uri)| Said::Target(method, uri))
            }
            _ => Said::Nothing,
        }
    }
}

fn refuse_ambiguous() -> Decision {
    Decision::Refuse(Rejection::new(RejectionKind::AmbiguousRequest))
}

/// Reads a target in origin-form (RFC 9112, section 3.2.1) that every reader takes for the same one. `None` is any other.
///
/// A parser cuts a target at `#`, and another one does not; one turns a backslash in the path into a slash; blanks, controls and bytes beyond
/// ASCII are dropped, trimmed or decoded as each likes. The query is where the first `?` is, for all of them.
fn origin_form(target: &[u8]) -> Option<Uri> {
    let is_visible = target.iter().all(u8::is_ascii_graphic);
    let path = target.split(|b| *b == b'?').next().unwrap_or_default();
    if !path.starts_with(b"/") || !is_visible || target.contains(&b'#') || path.contains(&b'\\') {
        return None;
    }
    let parsed = PathAndQuery::try_from(target).ok()?;
    (parsed.as_str().as_bytes() == target).then(|| Uri::from(parsed))
}

fn permit(session: Option<&Session>, finish: Finish) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    finish.write_to(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(session) = session {
        identity_headers::introduce(headers, session);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_where_every_reader_reads_the_same() {
        let taken = [
            "/",
            "/about",
            "/a//b/../c/.;x",
            "/%23%2f%5c%00",
            "/a?",
            "/a?b=C:\\d&e=?/../#".trim_end_matches('#'),
            "/!$&'()*+,-.:=@_~[]^|{}\"",
        ];
        for target in taken {
            let uri = origin_form(target.as_bytes()).expect(target);
            assert_eq!(uri.path_and_query().map(PathAndQuery::as_str), Some(target));
            assert!(uri.authority().is_none(), "{target}");
        }
        let refused: [&[u8]; 22] = [
            b"",
            b"about",
            b"*",
            b"#",
            b"/about#",
            b"/about#/../private",
            b"/about?#",
            b"/a b",
            b"/a?b c",
            b" /",
            b"/ ",
            b"/a\t",
            b"/a?\t",
            b"/a\0",
            b"/a\x7f",
            b"/a?\x7f",
            b"/a\xe9",
            b"/a?\xe9",
            b"/a\\b",
            b"\\a",
            b"?a",
            b"https://app.example.com/a",
        ];
        for target in refused {
            let text = String::from_utf8_lossy(target);
            assert_eq!(origin_form(target), None, "{text:?}");
        }
        // Every byte, in the path and in the query: what is taken comes out as it went in.
        for byte in 0..=u8::MAX {
            for target in [
                [&b"/a"[..], &[byte]].concat(),
                [&b"/a?b"[..], &[byte]].concat(),
            ] {
                let Some(uri) = origin_form(&target) else {
                    continue;
                };
                let parsed = uri
                    .path_and_query()
                    .map(|parsed| parsed.as_str().as_bytes());
                assert_eq!(parsed, Some(target.as_slice()), "{byte}");
                assert!(byte.is_ascii_graphic() && byte != b'#', "{byte}");
            }
        }
    }
}
