//! `MagicLinkLayer`: one pointer to everything that the builder checked.

use std::{fmt, sync::Arc};

use tower_layer::Layer;

use self::service::MagicLink;
use crate::{flow::Flow, shared::Shared};

mod admit;
pub(crate) mod body;
pub(crate) mod future;
pub(crate) mod identity_headers;
pub(crate) mod once;
pub(crate) mod service;
mod stream;

pub(crate) use self::admit::Finish;
pub use self::stream::SessionGuard;

/// Puts email sign-in in front of a service. Clones share everything, and cost one reference count.
///
/// The same value goes onto an axum router, into a tonic server, and around a hyper service.
///
/// On an axum router, call `Router::layer` last, after every route and the fallback, because axum
/// wraps only those that exist by then. The layer's endpoints answer 404 with
/// `Router::route_layer`, if the fallback is added or another router is merged into this one later,
/// or on a nested router that has no fallback of its own. The log then warns once, after five
/// redirects to a form that no browser reaches. Nest such a router with `Router::nest_service`. The
/// mount is the path as browsers see it. The paths of rules are those that reach the layer, and
/// `Router::nest` removes its prefix from them.
///
/// axum writes the `Allow` field of a route outside `Router::layer`. So a stranger's `DELETE` is a
/// 401 with `Allow` on a path that has a route without `DELETE`, and one without `Allow` on a path
/// that has no route. If strangers must not learn which paths exist, wrap the whole router instead:
///
/// ```
/// # use axum::{Router, routing::get};
/// # use tower_magic_link::MagicLinkLayer;
/// use tower::Layer;
///
/// # fn app(layer: MagicLinkLayer) -> Router {
/// let routes = Router::new().route("/hello", get("Hello."));
/// let app = Router::new().fallback_service(layer.layer(routes));
/// # app
/// # }
/// ```
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey};
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
    flow: Arc<Flow>,
}

impl MagicLinkLayer {
    pub(crate) fn new(flow: Flow) -> Self {
        Self {
            flow: Arc::new(flow),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.flow.shared
    }

    pub(crate) const fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }
}

impl<S> Layer<S> for MagicLinkLayer {
    type Service = MagicLink<S>;

    fn layer(&self, inner: S) -> MagicLink<S> {
        MagicLink::new(inner, self.flow.clone())
    }
}

/// Prints the configuration, without any secret.
impl fmt::Debug for MagicLinkLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared();
        f.debug_struct("MagicLinkLayer")
            .field("gate", &shared.gate)
            .field("flow", &self.flow)
            .field("revocations", &shared.revocations)
            .field("has_identity_headers", &shared.gate.has_identity_headers)
            .field("proxies", &shared.proxies)
            .finish_non_exhaustive()
    }
}
