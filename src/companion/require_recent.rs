//! `RequireRecent`: routes that want a recent sign-in. Whoever signed in too long ago goes through
//! it again, and back.
//!
//! - It judges by the session's `auth_time` at the request's own moment. Only a new proof of the
//!   address moves that: neither a renewal nor a used link does.
//! - A refusal ends nothing: the session is good for every other route. The new sign-in ends it.
//! - Nothing is replayed: only a navigation by GET or HEAD comes back to where it wanted to go.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    error::ConfigError,
    layer::{MagicLinkLayer, body::ResponseBody},
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    session::passed::{self, NoLayer},
    shared::Shared,
};

/// Whoever has just signed in must pass: the clocks of replicas may be a minute apart, and a way
/// back takes its time.
const SHORTEST: Duration = Duration::from_secs(120);

/// Refuses whoever signed in too long ago on the routes that it is put on. Made by
/// [`MagicLinkLayer::require_recent`]. Clones share everything.
///
/// | audience | hears |
/// | --- | --- |
/// | document | 303 to the form, and after signing in back here; the form has their address already |
/// | program, any method but GET and HEAD, WebSocket | 401 problem, `code: "recent_sign_in_required"`, with `login_url` |
/// | htmx | the same, and `HX-Redirect` to the form |
/// | gRPC, gRPC-Web | `grpc-status: 16`, `recent sign-in required`: the credentials do not do for this call |
/// | prefetch | 503, nothing consumed |
///
/// A form that is posted is not posted again after signing in, so the page that shows it belongs
/// behind this too, with some time to fill it in.
///
/// A request without a session is answered like one behind the [`MagicLinkLayer`] on a protected
/// path, also where its path is public, and so is one whose session the revocation store cannot
/// tell of. One that has not come through that layer is answered 500: this must stand behind it,
/// and nothing in between may drop the request's extensions.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use tower_magic_link::{ConfigError, KeyRing, MagicLinkLayer, SigningKey};
/// # use tower_magic_link::provider::{
/// #     AuthorizationCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start,
/// #     Started,
/// # };
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
/// #         Err(ProviderErrorKind::Refused.into())
/// #     }
/// # }
///
/// # fn app() -> Result<Router, ConfigError> {
/// let layer = MagicLinkLayer::builder(Provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .build()?;
/// let recent = layer.require_recent(Duration::from_secs(10 * 60))?;
///
/// let app = Router::new()
///     .route("/delete-account", get("Really?").post(async || "Gone.").layer(recent))
///     .route("/", get("Hello."))
///     .layer(layer);
/// # Ok(app)
/// # }
/// # assert!(app().is_ok());
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequireRecent {
    shared: Arc<Shared>,
    within: Duration,
}

impl MagicLinkLayer {
    /// Returns a layer for routes behind this one that want a sign-in less than `within` ago: 2
    /// minutes to the longest session's lifetime.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is shorter, so that whoever has just signed in might be asked again,
    /// or longer, so that it would refuse nobody.
    pub fn require_recent(&self, within: Duration) -> Result<RequireRecent, ConfigError> {
        let longest = self.shared().gate.lifetimes.longest();
        if !(SHORTEST..=longest).contains(&within) {
            let problem = "must be 2 minutes to the longest session's lifetime";
            let value = format!("{within:?}");
            return Err(ConfigError::invalid("require_recent", value, problem));
        }
        Ok(RequireRecent {
            shared: self.shared().clone(),
            within,
        })
    }
}

impl<S> Layer<S> for RequireRecent {
    type Service = RecentOnly<S>;

    fn layer(&self, inner: S) -> RecentOnly<S> {
        RecentOnly {
            inner,
            recent: self.clone(),
        }
    }
}

impl fmt::Debug for RequireRecent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireRecent")
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

impl RequireRecent {
    /// Returns what a request hears that may not pass.
    fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        let head = RequestHead::of(request);
        let kind = match passed::session(request.extensions()) {
            Ok(Some(session)) if session.is_fresh(self.within) => return None,
            Ok(Some(_)) => RejectionKind::RecentSignInRequired,
            // The layer let it through, and it has no credentials to be judged by (Fetch,
            // "CORS-preflight fetch").
            Ok(None) if head.is_preflight() => return None,
            // Signing in would lead back here, and to the form again.
            Ok(None) if passed::is_unsettled(request.extensions()) => {
                RejectionKind::StoreUnavailable
            }
            Ok(None) => RejectionKind::NoSession,
            Err(NoLayer) => return Some(no_layer()),
        };
        Some(self.shared.refuse(Rejection::new(kind), &head))
    }
}

/// A mistake in the application, and not in the request.
fn no_layer() -> Response<Bytes> {
    const PROBLEM: &str = "RequireRecent: the route is not behind tower_magic_link::MagicLinkLayer";
    tracing::error!(target: "tower_magic_link", "{PROBLEM}");
    let mut response = Response::new(Bytes::from_static(PROBLEM.as_bytes()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// A service behind [`RequireRecent`].
#[derive(Clone, Debug)]
#[must_use = "services do nothing unless called"]
pub struct RecentOnly<S> {
    inner: S,
    recent: RequireRecent,
}

impl<S, B, R> Service<Request<B>> for RecentOnly<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = RecentFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> RecentFuture<S::Future> {
        let state = match self.recent.refusal(&request) {
            None => State::Forward(self.inner.call(request)),
            Some(response) => State::Refuse(Some(response)),
        };
        RecentFuture { state }
    }
}

/// The response of a [`RecentOnly`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct RecentFuture<F> {
    #[pin]
    state: State<F>,
}

#[pin_project(project = StateProj)]
enum State<F> {
    Forward(#[pin] F),
    Refuse(Option<Response<Bytes>>),
}

impl<F, R, E> Future for RecentFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Forward(inner) => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(response.map(|body| ResponseBody::inner(body, None))))
            }
            StateProj::Refuse(response) => {
                #[expect(
                    clippy::expect_used,
                    reason = "the Future contract: not polled after completion"
                )]
                let response = response.take().expect("polled after completion");
                Poll::Ready(Ok(response.map(ResponseBody::own)))
            }
        }
    }
}

impl<F> fmt::Debug for RecentFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Forward(_) => "RecentFuture::Forward",
            State::Refuse(_) => "RecentFuture::Refuse",
        })
    }
}
