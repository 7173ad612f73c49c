//! `Jwks`: serves the public halves of the layer's keys, so that a sibling service can verify its
//! tokens.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower_service::Service;

use crate::{
    answer::{answer_to, own},
    layer::{MagicLinkLayer, body::ResponseBody},
    shared::Shared,
};

/// Serves the layer's public keys as a JWK Set (RFC 7517, section 5). [`MagicLinkLayer::jwks`]
/// makes it.
///
/// It answers GET and HEAD, whatever the path, with `application/jwk-set+json` and `Cache-Control:
/// public`. Other methods get a 405. Put it beside the layer, or behind the layer at a public path.
/// A ring with only HS256 keys has no public keys, so its set is empty.
///
/// # What a sibling checks
///
/// | part of the token | must be |
/// | --- | --- |
/// | `kid` in the header | the `kid` of a key in the set; if it is not, fetch the set again with `Cache-Control: no-cache`, at most once a minute |
/// | `alg` in the header | the key's own `alg`: `EdDSA` or `ES256` |
/// | `typ` in the header | `session+jwt` |
/// | `iss` and `aud` | both the origin in [`Builder::public_url`](crate::Builder::public_url) |
/// | `exp` | later than now |
/// | `iat`, `auth_time` | not later than now, allowing a minute of clock skew |
///
/// Most libraries have one leeway for all times, and look at `auth_time` not at all: set theirs to
/// zero (in Envoy to 1 second: its 0 means 60), switch their check of `iat` off, and compare these
/// two yourself. Otherwise a token is accepted after its `exp`, or refused right after it was made.
///
/// `sub` is the person, `sid` the session, `email` the proven address; `auth_time` says when it was
/// proven.
///
/// The token is the application's own session, so its audience is the application. A sibling that
/// accepts it acts as a part of the application. Any service that receives the token can use it at
/// the application, as a cookie: send it only to services that you would trust with the session.
///
/// A sibling does not learn that a session was ended early, or that a key has retired or was
/// dropped. It accepts a token until its `exp`, and a key for as long as its own copy of the set
/// contains it. Nor does it learn the layer's lifetimes, organizations and domains: if it must, it
/// checks `email` and the provider's organization itself. That is `porg` if the token has `psub`
/// (and none if it has `psub` alone), and `org` otherwise: the application may have granted another
/// `org`.
///
/// # How old a sibling's copy may be
///
/// Many verifiers keep the set for a time of their own, whatever `Cache-Control` says, and do not
/// fetch it for an unknown `kid`: Envoy's `jwt_authn` for `cache_duration` (10 minutes by default),
/// Istio for `PILOT_JWT_PUB_KEY_REFRESH_INTERVAL` (20 minutes). [`MAX_AGE`](Self::MAX_AGE) comes on
/// top, if a cache stands between. A change of keys has to wait for both together: an unknown key
/// is refused until then, and a key that leaked is accepted until then.
///
/// After a leak, replace the key on every replica. Then purge the caches between. Then restart
/// whatever holds a copy: the sibling, its Envoy, or `istiod`. Give a new key a new id, because a
/// verifier that knows a `kid` does not fetch the set again.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Jwks {
    shared: Arc<Shared>,
}

impl Jwks {
    /// How long caches may keep the set (`max-age`): 5 minutes.
    ///
    /// [Announce](crate::KeyRing::announce) a new key at least this long before it mints tokens,
    /// and longer by what [siblings keep](Self#how-old-a-siblings-copy-may-be), unless they fetch
    /// the set again for an unknown `kid`. That one request needs `Cache-Control: no-cache` (RFC
    /// 9111, section 5.2.1.4): otherwise a cache on its way answers with the old set for as long as
    /// this.
    pub const MAX_AGE: Duration = Duration::from_secs(5 * 60);
}

impl MagicLinkLayer {
    /// Makes a service that serves the public halves of the layer's keys.
    ///
    /// With them, siblings verify session tokens without the layer's secret.
    ///
    /// ```
    /// use tower::{Service, ServiceExt};
    /// use tower_magic_link::companion::Jwks;
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))] {
    /// # let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIP0j6buctMGYgkdXFbCMDhKf3ORlW+4MxNCjLT0Ln4aS\n-----END PRIVATE KEY-----\n";
    /// let keys = KeyRing::new(SigningKey::ed25519_pem(pem)?.with_id("2026-11")?);
    /// let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
    ///     .public_url("https://app.example.com")
    ///     .public_path("/.well-known/jwks.json")
    ///     .build()?;
    ///
    /// let request = http::Request::get("/.well-known/jwks.json").body(http_body_util::Empty::<bytes::Bytes>::new())?;
    /// let answer = layer.jwks().oneshot(request).await?;
    /// assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    ///
    /// let max_age = format!("public, max-age={}", Jwks::MAX_AGE.as_secs());
    /// assert_eq!(answer.headers()["cache-control"], max_age);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn jwks(&self) -> Jwks {
        Jwks {
            shared: self.shared().clone(),
        }
    }
}

impl<B> Service<Request<B>> for Jwks {
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = answer_to(request.method(), self.answer(request.method()));
        ready(Ok(answer.map(ResponseBody::own)))
    }
}

impl Jwks {
    fn answer(&self, method: &Method) -> Response<Bytes> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allow);
            return response;
        }
        let clock = &self.shared.clock;
        let keys = self.shared.gate.tokens.keys();
        let set = keys.jwks_by(clock.at(clock.now()));
        let mut response = own(StatusCode::OK, "application/jwk-set+json", set);
        // `MAX_AGE`, in seconds.
        let max_age = HeaderValue::from_static("public, max-age=300");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, max_age);
        response
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("keys", self.shared.gate.tokens.keys())
            .finish_non_exhaustive()
    }
}
