//! Row 35, from a sibling's side: it has our public keys, and takes our tokens and no others.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, JwkSet},
};
use serde_json::Value;
use tower::ServiceExt;
use tower_magic_link::{KeyRing, SigningKey, companion::Jwks, testing::ManualClock};

use crate::{
    names::{ADA, ORIGIN},
    site::{layer, named, sign_in},
};

async fn set_of(jwks: Jwks) -> JwkSet {
    let request = Request::get("/").body(Full::<Bytes>::default()).unwrap();
    let answer = jwks.oneshot(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

fn read(token: &str, key: &Jwk, algorithm: Algorithm, audience: &str) -> Option<Value> {
    #[cfg(feature = "aws-lc-rs")]
    use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(not(feature = "aws-lc-rs"))]
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    // A second test of this process finds it installed.
    DEFAULT_PROVIDER.install_default().ok();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[ORIGIN]);
    // It would read the system clock.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).ok()?;
    let read = jsonwebtoken::decode::<Value>(token, &key, &validation);
    read.ok().map(|read| read.claims)
}

#[tokio::test]
async fn a_sibling_reads_a_token_with_the_key_of_its_kid_and_no_other() {
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let p256 = SigningKey::es256_pem(p256.serialize_pem()).unwrap();
    let ed25519 = SigningKey::generate_ed25519().unwrap();
    for (key, algorithm) in [(ed25519, Algorithm::EdDSA), (p256, Algorithm::ES256)] {
        let other = SigningKey::generate_ed25519().unwrap();
        let keys = KeyRing::new(key.clone())
            .announce(other.clone())
            .and_then(|keys| keys.retire(named("shared")))
            .unwrap();
        let layer = layer(&keys, &ManualClock::new());
        let cookie = sign_in(&layer, ADA);
        let (_, token) = cookie.split_once('=').unwrap();

        let set = set_of(layer.jwks()).await;
        assert_eq!(set.keys.len(), 2, "the shared secret is not in it");
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        assert_eq!(kid, key.id());
        let named = set.find(&kid).unwrap();
        let claims = read(token, named, algorithm, ORIGIN).unwrap();
        assert_eq!(claims["email"], ADA);

        assert_eq!(read(token, named, algorithm, "https://other.example"), None);
        let foreign = set.find(other.id()).unwrap();
        assert_eq!(read(token, foreign, Algorithm::EdDSA, ORIGIN), None);
        let at = token.find('.').unwrap() + 9;
        let altered = if token.get(at..=at) == Some("A") {
            "B"
        } else {
            "A"
        };
        let altered = format!("{}{altered}{}", &token[..at], &token[at + 1..]);
        assert_eq!(read(&altered, named, algorithm, ORIGIN), None);
    }
}

#[tokio::test]
async fn a_set_changes_with_the_ring() {
    let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
    let clock = ManualClock::new();
    let jwks = layer(&keys, &clock).jwks();
    let before = set_of(jwks.clone()).await;
    let now = tower_magic_link::clock::Clock::now(&clock);
    let new = SigningKey::generate_ed25519().unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    keys.handle().rotate(&new, now + hour, now).unwrap();
    let during = set_of(jwks.clone()).await;
    assert_eq!(during.keys.len(), 2);
    assert!(during.keys.contains(&before.keys[0]));
    clock.advance(hour);
    let after = set_of(jwks.clone()).await;
    assert_eq!(after.keys, during.keys[..1]);
    keys.handle().replace(&KeyRing::new(named("shared")));
    assert_eq!(set_of(jwks).await.keys, []);
}

/// Pins: the end of a key is a date, and was compared with the layer's time, which stays ahead of a
/// clock that was set back. The set lost a key whose tokens were still good.
#[tokio::test]
async fn a_set_has_a_retired_key_until_its_end_though_the_clock_was_set_back() {
    let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
    let clock = ManualClock::new();
    let jwks = layer(&keys, &clock).jwks();
    let now = tower_magic_link::clock::Clock::now(&clock);
    let hour = std::time::Duration::from_secs(3_600);
    let second = std::time::Duration::from_secs(1);
    clock.set(now + 2 * hour);
    set_of(jwks.clone()).await;
    clock.set(now);
    let new = SigningKey::generate_ed25519().unwrap();
    keys.handle().rotate(&new, now + hour, now).unwrap();
    let cases = [
        ("at once", now, 2),
        ("a second before", now + hour - second, 2),
        ("on its end", now + hour, 1),
    ];
    for (name, now, want) in cases {
        clock.set(now);
        assert_eq!(set_of(jwks.clone()).await.keys.len(), want, "{name}");
    }
}

#[tokio::test]
async fn a_set_is_read_only_and_says_how_long_it_may_be_kept() {
    let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
    let jwks = layer(&keys, &ManualClock::new()).jwks();
    let ask = async |method: Method| {
        let request = Request::builder()
            .method(method)
            .uri("/.well-known/jwks.json");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let (head, body) = jwks.clone().oneshot(request).await.unwrap().into_parts();
        (head, body.collect().await.unwrap().to_bytes())
    };
    let (head, body) = ask(Method::GET).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "application/jwk-set+json");
    assert_eq!(head.headers["x-content-type-options"], "nosniff");
    let kept = format!("public, max-age={}", Jwks::MAX_AGE.as_secs());
    assert_eq!(head.headers["cache-control"], kept);
    let (same, none) = ask(Method::HEAD).await;
    assert_eq!((same.status, none.len()), (StatusCode::OK, 0));
    assert_eq!(same.headers["content-length"], body.len().to_string());
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let (head, body) = ask(method.clone()).await;
        assert_eq!(head.status, 405, "{method}");
        assert_eq!(head.headers["allow"], "GET, HEAD", "{method}");
        assert!(body.is_empty(), "{method}");
    }
}

/// Beside the routes of an axum application, behind the layer at a public path; and as a hyper
/// service of its own.
#[tokio::test]
async fn a_set_is_served_by_axum_and_by_hyper() {
    let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
    let layer = tower_magic_link::MagicLinkLayer::builder(
        tower_magic_link::testing::StubProvider::new(),
        keys.clone(),
    )
    .public_url(ORIGIN)
    .public_path("/.well-known/jwks.json")
    .build()
    .unwrap();
    let app: axum::Router = axum::Router::new()
        .route_service("/.well-known/jwks.json", layer.jwks())
        .layer(layer.clone());
    let axum = listen(async |listener| axum::serve(listener, app).await.unwrap()).await;
    let jwks = layer.jwks();
    let hyper = listen(async move |listener| {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(jwks.clone());
            let connection = TokioIo::new(connection);
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(connection, service),
            );
        }
    })
    .await;
    let want: Value =
        serde_json::from_str(&keys.jwks(tower_magic_link::clock::Timestamp::from_secs(0))).unwrap();
    for address in [axum, hyper] {
        let url = format!("http://{address}/.well-known/jwks.json");
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>().await.unwrap(), want);
    }
}

async fn listen<F>(serve: impl FnOnce(tokio::net::TcpListener) -> F) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener));
    address
}
