//! `MagicLinkLayer`: one pointer to all that the builder checked.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Request, Response, StatusCode, header};
use tower_layer::Layer;

use crate::{
    builder::Builder,
    clock::{Steady, Timestamp},
    event::{Event, Listener},
    flow::Flow,
    gate::{Admission, Gate},
    issuer::SessionIssuer,
    layer::{
        body::answer_to,
        future::{Finish, Renewal},
        service::MagicLink,
        stream::{SessionGuard, Streams, Unanswered},
    },
    outage::Outage,
    page::{Page, Pages, Policy},
    passed,
    provider::{BoxFuture, IdentityProvider},
    rejection::{Rejection, RejectionKind},
    request::{head::RequestHead, peer::Proxies},
    revocation::{Lookup, Revocation, Revocations, Standing},
    session::{KeyRing, Session, cookie::Jar},
    site::rules::Exposure,
    store::{StoreError, StoreErrorKind, StoreFuture},
    webhook::Webhook,
};

pub(crate) mod body;
pub(crate) mod future;
pub(crate) mod identity_headers;
pub(crate) mod service;
pub(crate) mod stream;

/// Puts email sign-in in front of a service. Clones share everything; cloning costs a counter.
///
/// The same value goes onto an axum router, into a tonic server, and around a hyper service.
///
/// On an axum router it goes last, with `Router::layer`, behind every route and the fallback: the router hands it only what these take.
/// With `Router::route_layer`, before a fallback, or on a nested router that has no fallback of its own, the layer's endpoints are 404; such a router
/// can be nested with `Router::nest_service`. The mount is named as browsers see it, the paths of rules as the layer is handed them.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey};
/// # use tower_magic_link::{AuthorizationCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started};
/// # struct Provider;
/// # impl IdentityProvider for Provider {
/// #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
/// #     async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
/// #         Err(ProviderErrorKind::Refused.into())
/// #     }
/// # }
/// # let provider = Provider;
///
/// let layer = MagicLinkLayer::builder(provider, KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .session_lifetime(Duration::from_secs(12 * 60 * 60))
///     .public_path("/healthz")
///     .build()?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct MagicLinkLayer {
    pub(crate) shared: Arc<Shared>,
}

/// What every service of a layer shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Steady,
    pub(crate) flow: Flow,
    pub(crate) gate: Gate,
    pub(crate) listener: Listener,
    pub(crate) outage: Outage,
    pub(crate) pages: PageSet,
    pub(crate) proxies: Proxies,
    pub(crate) revocations: Box<dyn Revocations>,
    pub(crate) revocation_timeout: Duration,
    pub(crate) streams: Streams,
    /// There is one only with a secret.
    pub(crate) webhook: Option<Webhook>,
}

/// The pages, and the headers that they are served with.
pub(crate) struct PageSet {
    pub(crate) pages: Box<dyn Pages>,
    pub(crate) policy: Policy,
}

impl fmt::Debug for PageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

impl MagicLinkLayer {
    /// Begins to configure a layer from what has no default: who proves addresses, and the keys that sign sessions.
    pub fn builder(provider: impl IdentityProvider, keys: KeyRing) -> Builder {
        Builder::new(provider, keys)
    }

    /// Returns what makes and ends sessions for people whom the application signs in by other means.
    #[must_use]
    pub fn issuer(&self) -> SessionIssuer {
        SessionIssuer::new(self.shared.clone())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl<S> Layer<S> for MagicLinkLayer {
    type Service = MagicLink<S>;

    fn layer(&self, inner: S) -> MagicLink<S> {
        MagicLink::new(inner, self.shared.clone())
    }
}

/// Prints the configuration, without any secret.
impl fmt::Debug for MagicLinkLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MagicLinkLayer")
            .field("gate", &self.shared.gate)
            .field("flow", &self.shared.flow)
            .field("revocations", &self.shared.revocations)
            .field("forwards_identity", &self.shared.gate.forwards_identity)
            .field("proxies", &self.shared.proxies)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Renders a page, with the headers that every page has.
    pub(crate) fn page(&self, status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
        let html = self.pages.pages.render(page);
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = status;
        self.pages.policy.write_to(response.headers_mut());
        response
    }

    /// Renders a page whose form may lead to one more origin.
    pub(crate) fn page_leading_to(
        &self,
        status: StatusCode,
        page: &Page<'_>,
        origin: Option<&str>,
    ) -> Response<Bytes> {
        let mut response = self.page(status, page);
        // An origin that no policy can name is left out: then the browser stops there.
        if let Some(Ok(policy)) = origin.map(|origin| self.pages.policy.leading_to(origin)) {
            policy.write_to(response.headers_mut());
        }
        response
    }

    /// Puts the session into a request, and prepares the renewed cookie for its response.
    pub(crate) fn admit<B>(
        self: &Arc<Self>,
        mut request: Request<B>,
        admission: Admission,
        exposure: Exposure,
        now: Timestamp,
    ) -> (Request<B>, Finish) {
        let Admission { session, renewed } = admission;
        let renewed = renewed.and_then(|renewed| {
            let cookie = self.session_cookie(&renewed, now)?;
            Some((renewed, cookie))
        });
        let watch = |session: &Session| SessionGuard::new(self.clone(), session.clone(), now);
        let guard = self.streams.are_ended.then(|| watch(&session));
        let is_protected = exposure == Exposure::Protected;
        let unanswered = guard.as_ref().filter(|_| is_protected).map(|guard| {
            let renewed = renewed.as_ref().map(|(renewed, _)| watch(renewed));
            let until = renewed.unwrap_or_else(|| guard.clone());
            let head = RequestHead::of(&request);
            Box::new(Unanswered::new(self.clone(), session.clone(), until, &head))
        });
        if let Some(guard) = &guard {
            request.extensions_mut().insert(guard.clone());
        }
        let finish = Finish {
            depends_on_session: true,
            takes_bearer: self.gate.takes_bearer,
            renewal: renewed.map(|(_, cookie)| Renewal {
                cookie,
                session: session.clone(),
                shared: self.clone(),
            }),
            forwarded: self.forwarded(),
            guard,
            unanswered,
        };
        if self.gate.forwards_identity {
            let is_bearer = self.gate.is_bearer(&RequestHead::of(&request));
            // A credential that the inner service must not see, like the cookie.
            if is_bearer {
                request.headers_mut().remove(header::AUTHORIZATION);
            }
            identity_headers::rewrite(&mut request, Some(&session), &self.gate.cookies);
        }
        request.extensions_mut().insert(session);
        (request, finish)
    }

    /// Prepares a request that goes on without a session, and what its response gets.
    pub(crate) fn pass<B>(
        self: &Arc<Self>,
        mut request: Request<B>,
        exposure: Exposure,
    ) -> (Request<B>, Finish) {
        if self.gate.forwards_identity {
            identity_headers::rewrite(&mut request, None, &self.gate.cookies);
        }
        passed::mark(request.extensions_mut());
        let finish = Finish {
            depends_on_session: exposure == Exposure::Optional,
            takes_bearer: self.gate.takes_bearer,
            renewal: None,
            forwarded: self.forwarded(),
            guard: None,
            unanswered: None,
        };
        (request, finish)
    }

    /// Returns what watches over the answer to a request that was forwarded with identity headers.
    fn forwarded(self: &Arc<Self>) -> Option<Arc<Self>> {
        self.gate.forwards_identity.then(|| self.clone())
    }

    /// Returns the cookie of a renewed session. Under another key it may have become too large for one: then the old one lives on.
    fn session_cookie(&self, session: &Session, now: Timestamp) -> Option<HeaderValue> {
        let gate = &self.gate;
        let token = gate.tokens.mint(session)?;
        gate.cookies
            .fits(Jar::Session, &token)
            .then(|| gate.session_cookie(session, &token, now))
    }

    /// Answers a request that may not pass.
    pub(crate) fn refuse(&self, rejection: Rejection, head: &RequestHead<'_>) -> Response<Bytes> {
        self.listener.tell(&Event::Refused {
            kind: rejection.kind(),
        });
        answer_to(head.method(), rejection.respond(self, head))
    }

    /// Says whether a session was not ended early. A store that does not answer is a refusal, not an end.
    pub(crate) async fn is_active(&self, session: &Session) -> Result<bool, Rejection> {
        let standing = match self.revocations.look_up(session) {
            Lookup::Settled(standing) => standing,
            Lookup::Pending(lookup) => self.bounded(lookup).await,
        };
        Ok(self.judge(standing)? == Standing::Active)
    }

    /// Has the store remember an end.
    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let taken = self.bounded(self.revocations.revoke(revocation)).await;
        taken.inspect_err(|error| {
            self.store_failed(error);
        })
    }

    /// Has the store remember several ends that were ordered at once. Each is given, whatever becomes of another: what a store does by itself - end it
    /// here, try again - it does with all. The error is the first one's.
    pub(crate) async fn revoke_all(&self, orders: &[Revocation]) -> Result<(), StoreError> {
        let taken = join_all(orders.iter().map(|order| self.revoke(order))).await;
        taken.into_iter().collect()
    }

    /// Waits for a store, but not for ever.
    pub(crate) fn bounded<'a, T: Send + 'a>(
        &self,
        answer: StoreFuture<'a, T>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let limit = self.revocation_timeout;
        Box::pin(async move {
            tokio::time::timeout(limit, answer)
                .await
                .unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut)))
        })
    }

    /// Tells of a store's failure, and returns what the request hears of it.
    pub(crate) fn store_failed(&self, error: &StoreError) -> Rejection {
        self.listener
            .tell(&Event::StoreFailed { kind: error.kind() });
        Rejection::new(RejectionKind::StoreUnavailable)
    }
}
