//! Proves that the crate works beside any user of jsonwebtoken: both backends compiled in, one, or
//! none.
//!
//! - Where jsonwebtoken's own choice of a backend panics, ours does not ask for it.
//! - Sessions are minted and verified through the layer, with every kind of key that is compiled
//!   in.
//! - An EdDSA token of ours is read by each backend that is there.

use std::{convert::Infallible, panic};

use http::{Request, Response, StatusCode, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{KeyRing, MagicLinkLayer, Session, SigningKey, testing::{ManualClock, StubProvider}};

const HAS_AWS_LC_RS: bool = cfg!(any(
    feature = "ours-aws-lc-rs",
    feature = "theirs-aws-lc-rs"
));
const HAS_RUST_CRYPTO: bool = cfg!(any(
    feature = "ours-rust-crypto",
    feature = "theirs-rust-crypto"
));

fn main() {
    sessions_work_with("HS256", &SigningKey::generate().expect("a random key"));
    #[cfg(any(feature = "ours-aws-lc-rs", feature = "ours-rust-crypto"))]
    eddsa::works();
    // Last: it settles jsonwebtoken's choice for the rest of the process.
    let panics = jsonwebtoken_panics();
    assert_eq!(panics, HAS_AWS_LC_RS == HAS_RUST_CRYPTO);
    println!(
        "jsonwebtoken's own choice {}",
        if panics { "panics" } else { "works" }
    );
}

/// Says whether jsonwebtoken, asked to choose a backend by itself, panics.
fn jsonwebtoken_panics() -> bool {
    use jsonwebtoken::{EncodingKey, Header, encode};

    panic::set_hook(Box::new(|_| {}));
    let encoded = panic::catch_unwind(|| {
        let key = EncodingKey::from_secret(b"anything at all");
        encode(&Header::default(), &[("sub", "ada")], &key).is_ok()
    });
    drop(panic::take_hook());
    !matches!(encoded, Ok(true))
}

/// Signs a request in, has it admitted, and has every altered one refused.
fn sessions_work_with(kind: &str, key: &SigningKey) -> String {
    assert_eq!(key.algorithm(), kind);
    let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(key.clone()))
        .public_url("https://app.example.com")
        .clock(ManualClock::new())
        .build()
        .expect("a layer");
    let mut request = Request::new(String::new());
    layer.sign_in(&mut request, "ada@example.com");
    let cookie = request.headers()[header::COOKIE]
        .to_str()
        .expect("ASCII")
        .to_owned();
    let answers = |cookie: &str| {
        let service = layer.layer(service_fn(|request: Request<String>| async move {
            let is_ada = request.extensions().get::<Session>().map(Session::email)
                == Some("ada@example.com");
            let status = if is_ada {
                StatusCode::OK
            } else {
                StatusCode::IM_A_TEAPOT
            };
            Ok::<_, Infallible>(
                Response::builder()
                    .status(status)
                    .body(String::new())
                    .expect("a response"),
            )
        }));
        let request = Request::builder()
            .header(header::COOKIE, cookie)
            .body(String::new());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let Ok(response) = runtime.block_on(service.oneshot(request.expect("a request")));
        response.status()
    };
    assert_eq!(answers(&cookie), StatusCode::OK, "{kind}");
    let value = cookie.find('=').expect("a pair") + 1;
    for at in value..cookie.len() {
        let other = if &cookie[at..=at] == "A" { "B" } else { "A" };
        let altered = format!("{}{other}{}", &cookie[..at], &cookie[at + 1..]);
        assert_eq!(
            answers(&altered),
            StatusCode::UNAUTHORIZED,
            "{kind} at {at}"
        );
    }
    println!("{kind} sessions work");
    cookie[value..].to_owned()
}

#[cfg(any(feature = "ours-aws-lc-rs", feature = "ours-rust-crypto"))]
mod eddsa {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Algorithm, DecodingKey, crypto::CryptoProvider};
    use tower_magic_link::SigningKey;

    /// `openssl genpkey -algorithm ed25519`, made for this file and used nowhere else.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAciicQ7evupQK3i9arFTmeepXu8j+c8W3ohtSf8r5Bu
-----END PRIVATE KEY-----
";
    /// The same with its public half behind it: PKCS #8, version 2.
    const PRIVATE_WITH_PUBLIC: &str = "-----BEGIN PRIVATE KEY-----
MFECAQEwBQYDK2VwBCIEIAciicQ7evupQK3i9arFTmeepXu8j+c8W3ohtSf8r5Bu
gSEAnJXrO4v7FkYiaLeOJQJ+b6Ez/vMYZOm2cJD9zCr4DhA=
-----END PRIVATE KEY-----
";
    /// `openssl pkey -pubout`.
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAnJXrO4v7FkYiaLeOJQJ+b6Ez/vMYZOm2cJD9zCr4DhA=
-----END PUBLIC KEY-----
";

    pub(super) fn works() {
        let key = SigningKey::ed25519_pem(PRIVATE).expect("a key");
        let token = super::sessions_work_with("EdDSA", &key);
        let same = SigningKey::ed25519_pem(PRIVATE_WITH_PUBLIC).expect("a key");
        assert_eq!(key.id(), same.id());
        super::sessions_work_with("EdDSA", &same);
        assert!(SigningKey::ed25519_pem(PUBLIC).is_err());

        #[cfg(any(feature = "ours-aws-lc-rs", feature = "theirs-aws-lc-rs"))]
        read_by(
            "aws-lc-rs",
            &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
            &token,
        );
        #[cfg(any(feature = "ours-rust-crypto", feature = "theirs-rust-crypto"))]
        read_by(
            "rust-crypto",
            &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
            &token,
        );
    }

    fn read_by(backend: &str, provider: &CryptoProvider, token: &str) {
        let public = DecodingKey::from_ed_pem(PUBLIC.as_bytes()).expect("a public key");
        let verifier = (provider.verifier_factory)(&Algorithm::EdDSA, &public).expect("a verifier");
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        assert!(
            verifier.verify(signed.as_bytes(), &signature).is_ok(),
            "{backend}"
        );
        signature[7] ^= 1;
        assert!(
            verifier.verify(signed.as_bytes(), &signature).is_err(),
            "{backend}"
        );
        println!("{backend} reads our EdDSA token");
    }
}
