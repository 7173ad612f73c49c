//! `Jwks`: serves the public halves of the layer's keys, so that a sibling service verifies its
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
    answer::answer_to,
    layer::{MagicLinkLayer, body::ResponseBody},
    shared::Shared,
};

/// Serves the layer's public keys as a JWK Set (RFC 7517, section 5). [`MagicLinkLayer::jwks`]
/// makes it.
///
/// It answers GET and HEAD, whatever the path, with `application/jwk-set+json` and `Cache-Control:
/// public`; anything else with 405. It stands beside the layer, or behind it at a public path. A
/// ring of HS256 keys alone has no public keys: the set is empty then.
///
/// # What a sibling checks
///
/// | part of the token | must be |
/// | --- | --- |
/// | `kid` in the header | that of a key in the set; fetch the set again once when it is not, but not oftener than once a minute |
/// | `alg` in the header | the key's own `alg`: `EdDSA` or `ES256` |
/// | `typ` in the header | `session+jwt` |
/// | `iss` and `aud` | both the origin in [`Builder::public_url`](crate::Builder::public_url) |
/// | `exp` | later than now |
/// | `iat`, `auth_time` | not later than now, but for a minute of clock skew |
///
/// `sub` is the person, `sid` the session, `email` the proven address; `auth_time` says when it was
/// proven.
///
/// The token is the application's own session, so its audience is the application: a sibling that
/// accepts it acts as a part of it. And whoever is handed the token can use it at the application,
/// as a cookie: send it to nobody whom you would not trust with the session. A sibling does not
/// learn that a session was ended early, nor when a key retired: it accepts a token until its
/// `exp`, and a retired key for as long as the set has it.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Jwks {
    shared: Arc<Shared>,
}

impl Jwks {
    /// How long the set may be kept by caches: `max-age`. So long before it mints a new key has to
    /// be in the ring ([`KeyRing::announce`](crate::KeyRing::announce)), unless siblings fetch the
    /// set again for a `kid` that they do not know.
    pub const MAX_AGE: Duration = Duration::from_secs(5 * 60);
}

impl MagicLinkLayer {
    /// Makes a service that hands out the public halves of the layer's keys, for siblings that
    /// verify session tokens without its secret.
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
        let mut response = Response::new(Bytes::new());
        if method != Method::GET && method != Method::HEAD {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allow);
            return response;
        }
        let set = self.shared.gate.tokens.keys().jwks(self.shared.clock.now());
        *response.body_mut() = Bytes::from(set);
        let fields = [
            (header::CONTENT_TYPE, "application/jwk-set+json"),
            (header::CACHE_CONTROL, "public, max-age=300"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        for (name, value) in fields {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
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
