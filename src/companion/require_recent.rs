//! `RequireRecent`: routes that need a recent sign-in. A person whose sign-in is too old goes
//! through the form again, and back to the route.
//!
//! - It compares the session's `auth_time` with the time of the request. Only a new proof of the
//!   address changes `auth_time`; a renewal or a used link does not.
//! - A refusal does not end the session, which stays good for every other route. The new sign-in
//!   ends it.
//! - No request is replayed. Only a GET or HEAD navigation comes back to its own address.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use pin_project::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    answer::own,
    error::ConfigError,
    layer::{MagicLinkLayer, body::ResponseBody, once::once},
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    session::{
        Session,
        passed::{self, NoLayer},
    },
    shared::Shared,
};

/// The shortest limit. A person who has just signed in must pass, although replicas' clocks may be
/// a minute apart and the way back takes time.
const SHORTEST: Duration = Duration::from_secs(120);

const NO_LAYER: &str = "RequireRecent: the route is not behind tower_magic_link::MagicLinkLayer: \
                        call .layer(…) with that one after this one";
const OTHER_LAYER: &str = "RequireRecent: the route is behind a tower_magic_link::MagicLinkLayer \
                           with other keys: call .layer(…) with the one that made this one";

/// Refuses requests whose sign-in is too old, on the routes that it wraps.
///
/// [`MagicLinkLayer::require_recent`] makes it. Clones share everything.
///
/// Each [`Audience`](crate::Audience) gets the answer that it gets without a session, except that
/// the form already holds the address. The `code` of a problem is `recent_sign_in_required`, and a
/// gRPC client reads `recent sign-in required`.
///
/// A posted form is not posted again after signing in. So put the page that shows the form behind
/// this layer too, and leave time to fill it in.
///
/// A request without a session is refused as on a protected path of the [`MagicLinkLayer`], even if
/// its path is public. If the revocation store cannot tell whether the session was ended, the
/// refusal is [`RejectionKind::StoreUnavailable`].
///
/// A request that has not come through that layer gets a 500: put this layer behind that one, and
/// let nothing in between drop the request's extensions. So does a request whose session is of
/// another layer with other keys. A session of another layer with the same keys is taken, if its
/// person may pass by the rules of this one. Give both layers clones of one
/// [`KeyRing`](crate::KeyRing): two rings of the same keys differ for a while in each rotation.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use tower_magic_link::{ConfigError, KeyRing, MagicLinkLayer, SigningKey};
/// # use tower_magic_link::provider::{
/// #     Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start,
/// #     Started,
/// # };
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
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
    /// Returns a layer for routes behind this one that need a sign-in less than `within` ago.
    ///
    /// The range is 2 minutes to the longest session's lifetime.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `within` is out of that range. A shorter one might refuse a person who
    /// has just signed in; a longer one would refuse nobody.
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
    /// Returns the refusal, if the request may not pass.
    fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        let head = RequestHead::of(request);
        let kind = match passed::session(request.extensions()) {
            Ok(Some(session)) if self.is_of_other_keys(session) => {
                return Some(misplaced(OTHER_LAYER));
            }
            // Another layer, with wider lists, may have admitted it.
            Ok(Some(session)) if !self.shared.gate.allowed.has_session(session) => {
                RejectionKind::NotAllowed
            }
            Ok(Some(session)) if session.is_fresh(self.within) => return None,
            Ok(Some(session)) => {
                // A kind of its own, so that the session's cookie is not removed: it is good
                // elsewhere.
                let rejection = Rejection::new(RejectionKind::RecentSignInRequired);
                // Behind identity headers the request does not say any more whose it is.
                return Some(self.shared.refuse_of(Some(session), rejection, &head));
            }
            // As on a protected path: a preflight never carries credentials (Fetch, "CORS-preflight
            // fetch").
            Ok(None) if self.shared.gate.allows_preflight && head.is_preflight() => return None,
            // Not `NoSession`: a new sign-in would lead back here, and to the form again.
            Ok(None) if passed::is_unsettled(request.extensions()) => {
                RejectionKind::StoreUnavailable
            }
            Ok(None) => RejectionKind::NoSession,
            Err(NoLayer) => return Some(misplaced(NO_LAYER)),
        };
        Some(self.shared.refuse(Rejection::new(kind), &head))
    }

    /// Says whether a session was read by another ring, with a key that this layer does not have.
    /// A key that has left this layer's own ring since is not such a one.
    fn is_of_other_keys(&self, session: &Session) -> bool {
        let (clock, tokens) = (&self.shared.clock, &self.shared.gate.tokens);
        // Every session of another ring stands.
        !tokens.knows(session) && tokens.stands(session, clock.at(clock.now()))
    }
}

/// Returns a 500: the mistake is the application's, not the request's.
fn misplaced(problem: &'static str) -> Response<Bytes> {
    tracing::error!(target: "tower_magic_link", "{problem}");
    own(
        StatusCode::INTERNAL_SERVER_ERROR,
        "text/plain; charset=utf-8",
        problem,
    )
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
                // Without an end of its own: the outer layer guards the stream already.
                Poll::Ready(Ok(response.map(|body| ResponseBody::inner(body, None))))
            }
            StateProj::Refuse(response) => Poll::Ready(Ok(once(response).map(ResponseBody::own))),
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
