//! A Tower layer that puts email sign-in in front of any service: an axum router, a tonic server, a
//! hyper service.
//!
//! [`MagicLinkLayer`] redirects unauthenticated requests to a login form. WorkOS, or another
//! [`IdentityProvider`](provider::IdentityProvider), then proves the address by a magic link. The
//! layer handles the callback and issues its own signed session cookie.
//!
//! ```
//! use std::time::Duration;
//! use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, revocation::MemoryRevocations};
//! # use tower_magic_link::{
//! #     ConfigError,
//! #     provider::{AuthorizationCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started},
//! # };
//! # struct Provider;
//! # impl IdentityProvider for Provider {
//! #     async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
//! #     async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
//! #         Err(ProviderErrorKind::Refused.into())
//! #     }
//! # }
//! # let workos = Provider; // WorkOs::from_env()?
//!
//! let layer = MagicLinkLayer::builder(workos, KeyRing::new(SigningKey::generate()?))
//!     .public_url("https://app.example.com")
//!     .session_lifetime(Duration::from_secs(12 * 60 * 60))
//!     .revocations(MemoryRevocations::default())
//!     .public_path("/healthz")
//!     .build()?;
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! The limits of sign-ins count by the client's network, so the host has to say who is at the other
//! end of a connection. With axum that is
//!
//! ```no_run
//! # #[cfg(feature = "axum")]
//! # async fn serve(router: axum::Router, layer: tower_magic_link::MagicLinkLayer) -> std::io::Result<()> {
//! use std::net::SocketAddr;
//!
//! let app = router.layer(layer);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! # }
//! ```
//!
//! and elsewhere a [`PeerAddr`] in each request's extensions; behind a proxy
//! [`Builder::trusted_proxies`] too. Where it is not known, a warning says so once.
//!
//! # The walk of a request
//!
//! ```text
//! hyper / axum / tonic
//!    │ Request<ReqBody>
//!    ▼
//! MagicLink::call        the clock is read, once
//!    ▼
//! Gate::decide           pure: the head and the time are arguments
//!    │   own endpoint? ── wrong method, another site's post? ──► Refuse
//!    │   public or optional path? ─────────────────────────────► Pass
//!    │   session token verifies? ──────────────────────────────► Admit, if not revoked
//!    │   otherwise     ────────────────────────────────────────► Refuse
//!    ▼
//! ResponseFuture         Forward   the inner service's own future: no box, no clone
//!    │                   Wait      the store's look-up is pending, then Forward or Refuse
//!    │                   Collect   a form of at most 16 KiB, an event of at most 256
//!    │                   Flow      one boxed step of signing in or out
//!    │                   Refuse    a ready response
//!    ▼
//! ResponseBody<B>        the inner body, until its session ends if `end_streams` is on; or one of the layer's
//! ```
//!
//! Signing in: `login` takes an address and has a link mailed; `check` says so; the link comes back
//! to `callback`, which exchanges its code and sets the session cookie; `logout` ends the session.
//! `session` tells scripts who is signed in, `open` is where links of a [`Mailer`](mailer::Mailer)
//! of your own land, `code` takes a code from a mail, and `webhook` takes WorkOS's events, where
//! [`Builder::webhook_secret`] gives it a secret. All of them are below `/auth`, or where
//! [`Builder::mount`] says. What scanners and other devices meet is on a page of its own:
//! [`guide::mail_scanners`].
//!
//! # Who hears what
//!
//! | audience | recognised by | answer without a session |
//! | --- | --- | --- |
//! | document | GET or HEAD navigation (`Sec-Fetch-Mode`, else `Accept` prefers HTML) | 303 to the form |
//! | fetch, API, any other method | everything else on plain HTTP | 401 `application/problem+json` with `login_url` |
//! | htmx | `HX-Request: true` | 401 and `HX-Redirect` |
//! | gRPC, gRPC-Web | `Content-Type: application/grpc…` | `grpc-status: 16`, trailers-only |
//! | WebSocket | `Upgrade: websocket` | 401 |
//! | prefetch, prerender | `Sec-Purpose`, `Purpose` | 503, nothing consumed, no cookie |
//! | CORS preflight | `OPTIONS`, `Origin`, `Access-Control-Request-Method` | 401, unless [`Builder::allow_preflight`] |
//!
//! [`Audience::of`] tells them apart.
//!
//! # Callers that are no browser, and sign-ins that are no mail
//!
//! | what | by |
//! | --- | --- |
//! | a program sends its session token as `Authorization: Bearer …`, or as gRPC metadata | [`Builder::bearer_tokens`] |
//! | a sibling service verifies the token by public keys alone | [`Jwks`](companion::Jwks), from [`MagicLinkLayer::jwks`] |
//! | a handler signs in whom it has recognised by other means, and signs out | [`SessionIssuer`](companion::SessionIssuer), from [`MagicLinkLayer::issuer`] |
//! | a route wants a recent sign-in | [`RequireRecent`](companion::RequireRecent), from [`MagicLinkLayer::require_recent`] |
//! | a handler signs in through the jar of `tower_cookies` | [`SessionIssuer`](companion::SessionIssuer), feature `tower-cookies` |
//!
//! # When something fails
//!
//! | fails | answer |
//! | --- | --- |
//! | token malformed, of an unknown key, badly signed, expired | refused as above, and the cookie is removed |
//! | revocation store unreachable or slow | 503 with `Retry-After`; the cookie stays; public and optional paths stay open; [`Builder::insecure_admit_on_outage`] admits instead |
//! | WorkOS unreachable, slow, 5xx, 429 | a page with 502, 503 or 429 and a way to try again; the sign-in stays good; who is signed in notices nothing |
//! | WorkOS says no: code used, link expired | a page that says so and offers a new link. A browser with a live session of the same address goes on to the page that it wanted. In the browser that began, the answer comes a second later, because another visit from it may be signing in |
//! | mailer fails, or is not done in 15 seconds | a page with 502 that says so and a way to try again |
//! | link opened in another browser | a page that asks for the match code, or for a click, or says to go back ([`Builder::cross_device`]); nothing is used up |
//! | wrong code typed | the page again, five times; then a page that offers a new mail. In the browser that began the link goes on working |
//! | the browser drops the layer's cookie | a page that names the cookie and the likeliest reason, and an [`Event::CookieLost`](event::Event::CookieLost); no redirect loop |
//! | mail asked for, codes typed, or links brought back, more often than [`Limits`](throttle::Limits) says | 429 with `Retry-After`, the same for every address |
//! | the client is not known: the host leaves no [`PeerAddr`] | mail and codes are limited by address and for everybody alone, and a warning in the log says what to do, once |
//! | throttle unreachable or slow | mail goes out, with an [`Event::ThrottleFailed`](event::Event::ThrottleFailed); a code is not compared: 503 |
//! | revocation store does not take what a webhook's event ends | 503 with `Retry-After`: WorkOS delivers the event again |
//! | organization, domain or [`Builder::authorize`] says no | 403 |
//! | clock set back | the layer's time does not go back. It stays at its latest reading until the clock has passed it, so what has expired stays expired |
//! | layer missing, extractor used | 500 that names the layer |
//! | sign-in too old for a route behind [`RequireRecent`](companion::RequireRecent) | as without a session: to the form and back; the session lives on |
//! | configuration wrong | [`ConfigError`] from `build()`, with the offending value |
//!
//! # Promises
//!
//! - **The cookie.** `__Host-` (but for [`Builder::cookie_domain`]), `Secure`, `HttpOnly`,
//!   `SameSite=Lax`; found by its exact bytes over all `Cookie` fields. An encoded or padded name
//!   is not ours; two different values are no session.
//! - **The bearer token**, where it is switched on: in the one `Authorization` field, byte-exact.
//!   Beside a cookie that differs it is no session. It proves no origin, and sets no cookie.
//! - **The token.** Its key is chosen by the exact bytes of the header that the key mints, so
//!   nothing in a header from outside is interpreted; the signature is checked before anything is
//!   parsed; `iss`, `aud`, `exp`, `iat` and `auth_time` are checked against the layer's own clock,
//!   without leeway for `exp`.
//! - **The sign-in.** The state is sealed (XChaCha20-Poly1305), names the address and the browser
//!   that began, and ends with the link and its code. The layer exchanges a code only for the
//!   browser that began, known by its cookie, or for another browser that gave the right answer.
//!   The exchange must prove the same address, by a Magic Link connection.
//! - **One link, one session.** Callbacks with the same state and code share one exchange, for a
//!   minute, at one replica. A session that was there before ends when a new one begins.
//! - **Ways back** stay on the origin: an allow rule, tried against the WHATWG parser.
//! - **Posts** to the layer's endpoints come from the own origin (`Sec-Fetch-Site`, else `Origin`,
//!   else the browser cookie).
//! - **Events** from WorkOS end sessions and begin none. Nothing in one is read, and no store
//!   asked, before its signature over the bytes that came is checked; it has one shape, and its
//!   time counts in both directions.
//! - **Nothing leaks.** No key, token, code, link or whole address in a log, an event, a `Debug`,
//!   an error or, unless it is sealed, in a URL of ours. Pages are not cached, framed or named as
//!   referrer, and run no script but the few that their policy names by hash.
//! - **The inner service** is never called unready, and its error and request body types are its
//!   own.
//!
//! What is *not* promised: that the person at the other end is more than a reader of the mail.
//! Email is no out-of-band authenticator (NIST SP 800-63B-4), and WorkOS's own mail holds a link
//! that a mail scanner can use up: [`Builder::mailer`] mails one that it cannot.
//!
//! # Cryptography
//!
//! | what | by | why |
//! | --- | --- | --- |
//! | HS256 tokens | RustCrypto's `hmac` and `sha2`, the key schedule computed once | for one short token the fastest there is; always there |
//! | EdDSA, ES256 tokens | feature `aws-lc-rs` (default): aws-lc-rs | needs a C compiler; no open advisory; also rustls's default; verifies faster |
//! | | feature `rust-crypto`: RustCrypto | pure Rust; compiles the `rsa` crate in, which has RUSTSEC-2023-0071 and is never called |
//! | TLS to WorkOS | rustls over aws-lc-rs | one backend for both, by default |
//! | sealing | `chacha20poly1305`, keys derived by HKDF | |
//!
//! The backend is named explicitly and jsonwebtoken's process-wide choice is never asked: a binary
//! in which another crate has compiled in the other backend, both, or none, works all the same.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod builder;
pub mod clock;
pub mod companion;
mod email;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
pub mod event;
mod flow;
mod gate;
pub mod guide;
mod layer;
pub mod mailer;
pub mod page;
pub mod provider;
mod random;
mod rejection;
mod request;
pub mod revocation;
mod secret;
mod session;
mod shared;
mod site;
pub mod store;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod testing;
pub mod throttle;

/// Keys that change while the application runs: a file of them, a handle, retired ones.
///
/// With several replicas a change has [three steps](KeyRing#changing-the-key), each taken
/// everywhere before the next:
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{KeyRing, SigningKey, clock::Timestamp, keys::RetiredKey};
///
/// let (old, new) = (SigningKey::generate()?.with_id("1")?, SigningKey::generate()?.with_id("2")?);
/// let keys = KeyRing::new(old.clone());
/// let handle = keys.handle();
/// // MagicLinkLayer::builder(provider, keys) …
///
/// // 1. The new key verifies.
/// handle.replace(&KeyRing::new(old.clone()).announce(new.clone())?);
/// // 2. The new key mints; what the old one has minted stays good until the longest session ends.
/// let now = Timestamp::from_secs(1_767_225_600);
/// let retired = RetiredKey::new(old).since(now).until(now + Duration::from_secs(12 * 60 * 60));
/// handle.replace(&KeyRing::new(new.clone()).retire(retired)?);
/// // 3. The old key is gone. For a key that leaked this is the first step and the last.
/// handle.replace(&KeyRing::new(new));
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
pub mod keys {
    pub use crate::session::{KeyFile, KeyHandle, RetiredKey};
}

/// WorkOS: the provider that proves addresses by its magic links and codes, and its client by
/// itself.
///
/// The client makes and redeems a six-digit code without the layer, here at an emulated WorkOS:
///
/// ```
/// use tower_magic_link::{
///     Email,
///     workos::{MagicAuthCredentials, NewMagicAuth, WorkOs},
/// };
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let emulator = tower_magic_link::emulator::Emulator::new().serve(0).await?;
///
/// let workos = WorkOs::new("sk_test_a2V5", "client_01EXAMPLE")?.base_url(emulator.base_url())?;
/// let ada = Email::parse("ada@example.com")?;
///
/// let made = workos.create_magic_auth(&NewMagicAuth::new(ada.clone())).await?;
/// let typed = made.code().expect("WorkOS answers with the code").clone();
///
/// let credentials = MagicAuthCredentials::new(ada, typed)
///     .ip_address(std::net::IpAddr::from([192, 0, 2, 1]))
///     .user_agent("Mozilla/5.0");
/// let authentication = workos.authenticate_with_magic_auth(&credentials).await?;
/// // Without the layer, this is yours to check: the method, and whether the address is verified.
/// assert_eq!(authentication.authentication_method(), Some("MagicAuth"));
/// let user = authentication.into_user();
/// assert_eq!((user.email(), user.email_verified()), ("ada@example.com", Some(true)));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[cfg(feature = "workos")]
#[cfg_attr(docsrs, doc(cfg(feature = "workos")))]
pub mod workos {
    pub use crate::provider::workos::{
        AccessToken, Authentication, MagicAuth, MagicAuthCredentials, NewMagicAuth,
        NewPasswordlessSession, PasswordlessSession, Profile, ProfileAndToken, RefreshToken, User,
        WorkOs,
    };
}

pub use self::{
    builder::Builder,
    email::{Email, InvalidEmail},
    error::ConfigError,
    flow::{
        SignIn,
        authorize::{Authorization, IntoAuthorization},
    },
    layer::{
        MagicLinkLayer, SessionGuard, body::ResponseBody, future::ResponseFuture,
        service::MagicLink,
    },
    rejection::{Rejection, RejectionKind},
    request::{audience::Audience, client::ForwardedField, peer::PeerAddr},
    session::{InvalidSessionId, KeyRing, Session, SessionId, SigningKey},
    site::rules::{Exposure, PathRule, Rule},
};

/// The README's code, compiled and run as its readers would.
#[cfg(all(doctest, feature = "axum", feature = "workos"))]
#[doc = include_str!("../README.md")]
struct Readme;
