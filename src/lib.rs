//! A Tower layer that puts email sign-in in front of any service: an axum router, a tonic server, a
//! hyper service.
//!
//! [`MagicLinkLayer`] redirects unauthenticated requests to a login form. WorkOS, the layer's own
//! mail ([`MailedLinks`](provider::MailedLinks)) or another
//! [`IdentityProvider`](provider::IdentityProvider) then proves the address by a magic link. The
//! layer handles the callback, issues its own signed session cookie, and hands each request on with
//! its [`Session`].
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "workos"))]
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! use std::net::SocketAddr;
//! use axum::{Router, routing::get};
//! use tower_magic_link::{KeyRing, MagicLinkLayer, Session, workos::WorkOs};
//!
//! let layer = MagicLinkLayer::builder(WorkOs::from_env()?, KeyRing::from_env()?)
//!     .public_url("https://app.example.com")
//!     .build()?;
//! let app = Router::new()
//!     .route("/", get(async |session: Session| format!("hello {}", session.email())))
//!     .layer(layer);
//!
//! // Serve with connect info: sign-in limits are counted per client network.
//! let app = app.into_make_service_with_connect_info::<SocketAddr>();
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await?;
//! # Ok(()) }
//! ```
//!
//! This needs the feature `axum`. The environment holds `WORKOS_API_KEY`, `WORKOS_CLIENT_ID`, and
//! `MAGIC_LINK_KEY`: 32 random bytes in base64 (`openssl rand -base64 32`). Register
//! `https://app.example.com/auth/callback` as a redirect URI with WorkOS.
//!
//! A host other than axum puts a [`PeerAddr`] into each request's extensions. Behind a proxy, call
//! [`Builder::trusted_proxies`] too. If the layer does not know a client's address, it logs one
//! warning.
//!
//! # What each client gets
//!
//! The layer refuses a request in its client's own protocol. [`Audience::of`] makes the same
//! distinction for an application's own answers.
//!
#![doc = include_str!("request/audiences.md")]
//!
//! [`guide::failures`] says what the layer answers when a store, WorkOS or a mailer fails.
//!
//! # Endpoints
//!
//! The layer's own endpoints are below `/auth`, or below the path that [`Builder::mount`] sets.
//!
//! | endpoint | what it does |
//! | --- | --- |
//! | `login` | takes an address and has a link or a code mailed |
//! | `check` | tells the person to check the mail |
//! | `callback` | takes the provider's code and sets the session cookie |
//! | `open` | takes the link from a mail of your own ([`Builder::mailer`]) |
//! | `code` | takes a code that the person types |
//! | `choose` | takes the choice of one of several organizations |
//! | `session` | tells scripts who is signed in |
//! | `logout` | ends the session |
//! | `webhook` | takes WorkOS's events, if [`Builder::webhook_secret`] is set |
//!
//! # Where to look next
//!
//! | to | see |
//! | --- | --- |
//! | come from axum-login, oauth2-proxy or a middleware of your own | [`guide::moving_from`] |
//! | leave paths open, set lifetimes, decide who gets in | [`Builder`] |
//! | understand mail scanners, links on other devices, and codes | [`guide::mail_scanners`] |
//! | know what caches keep, and what Back shows after sign-out | [`guide::caches_and_back`] |
//! | guard the application's own posts, and add CORS and a log | [`guide::the_application_behind`] |
//! | write a single-page application | [`guide::single_page_applications`] |
//! | run several replicas | `guide::running_more_than_one` (feature `redis`) |
//! | know what holds, and which cryptography it rests on | [`guide::promises`] |
//! | end sessions early | [`revocation`] |
//! | limit mails, codes and links | [`throttle`] |
//! | mail the link yourself | [`mailer`]; `SmtpMailer` (feature `smtp`) |
//! | change what people see | [`page`] |
//! | change keys while the application runs | [`keys`] |
//! | let programs and gRPC clients send the session token | [`Builder::bearer_tokens`], [`guide::terminal_clients`] |
//! | let a sibling service verify tokens by public keys alone | [`Jwks`](companion::Jwks), from [`MagicLinkLayer::jwks`] |
//! | sign in a person whom a handler recognised by other means | [`SessionIssuer`](companion::SessionIssuer), from [`MagicLinkLayer::issuer`]; through the jar of `tower_cookies` with feature `tower-cookies` |
//! | require a recent sign-in on a route | [`RequireRecent`](companion::RequireRecent), from [`MagicLinkLayer::require_recent`] |
//! | answer nginx, Traefik or Caddy | [`ForwardAuth`](companion::ForwardAuth), from [`MagicLinkLayer::forward_auth`] |
//! | log and count what happens, and know what to alert on | [`event`], [`guide::operations`] |
//! | set up WorkOS, and find out why it fails | `guide::workos_set_up` (feature `workos`) |
//! | sign in by the layer's own mail, without WorkOS | [`provider::MailedLinks`] |
//! | use another provider | [`provider`] |
//! | develop without a WorkOS account | `emulator` (feature `emulator`) |
//! | test your application | `testing` (feature `test-util`); `guide::testing_your_application` (with feature `emulator`) |
//!
//! The [README](https://docs.rs/crate/tower-magic-link) lists every feature.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod ascii;
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
pub mod sessions;
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
        NewPasswordlessSession, OrganizationSelection, PasswordlessSession, Profile,
        ProfileAndToken, RefreshToken, User, WorkOs,
    };
}

pub use self::{
    builder::Builder,
    email::{Email, InvalidEmail},
    error::ConfigError,
    flow::{
        SignIn,
        authorize::{Authorization, IntoAuthorization},
        denial::Denial,
    },
    layer::{
        MagicLinkLayer, SessionGuard, body::ResponseBody, future::ResponseFuture,
        service::MagicLink,
    },
    rejection::{Rejection, RejectionKind},
    request::{audience::Audience, client::ForwardedField, peer::PeerAddr},
    session::{ClaimsError, Grant, InvalidSessionId, KeyRing, Session, SessionId, SigningKey},
    site::rules::{Exposure, PathRule, Rule},
};

/// The README's code, compiled and run as its readers would.
#[cfg(all(doctest, feature = "axum", feature = "workos"))]
#[doc = include_str!("../README.md")]
struct Readme;
