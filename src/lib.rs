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
//! This needs the feature `axum`. `WorkOs::from_env` and [`KeyRing::from_env`] say which variables
//! they read. Register `https://app.example.com/auth/callback` as a redirect URI with WorkOS.
//! [`guide::getting_started`] has the same layer in tonic and hyper.
//!
//! Every path asks for a session, unless a rule of the [`Builder`] says otherwise. The layer
//! refuses a request in its client's own protocol: a browser that navigates is redirected to the
//! form, a program gets a 401 as JSON, a gRPC client `grpc-status: 16`. [`Audience`] has the whole
//! table, and [`Audience::of`] makes the same distinction for an application's own answers.
//!
//! # Endpoints
//!
//! The layer's own endpoints are below `/auth`, or below the path that [`Builder::mount`] sets.
//!
//! | endpoint | methods | what it does |
//! | --- | --- | --- |
//! | `login` | GET, POST | shows the form; on POST, has a link or a code mailed to the address |
//! | `check` | GET | tells the person to check the mail |
//! | `callback` | GET, POST | takes the provider's code and sets the session cookie |
//! | `open` | GET, POST | takes the link of the layer's own mail ([`Builder::mailer`]) |
//! | `code` | GET, POST | takes the code that the person types |
//! | `choose` | GET, POST | takes the choice of one of several organizations |
//! | `session` | GET | tells scripts who is signed in |
//! | `logout` | GET, POST | shows a button; on POST, ends the session, or with `everywhere=true` all of the person's |
//! | `webhook` | POST | takes WorkOS's events, if [`Builder::webhook_secret`] is set |
//!
//! HEAD is taken wherever GET is. Another method gets 405. A GET changes nothing, except that a
//! link which is opened in the browser that began the sign-in finishes it. `callback` and `open`
//! take a POST from the page that they show to any other browser.
//!
//! `session` answers with 200 and this, for example:
//!
//! ```json
//! {
//!   "subject": "prof_01EXAMPLE",
//!   "email": "ada@example.com",
//!   "organization": null,
//!   "first_name": "Ada",
//!   "last_name": null,
//!   "auth_time": 1767225600,
//!   "expires_at": 1767268800
//! }
//! ```
//!
//! `auth_time` is when the person signed in and `expires_at` when the session ends by today's
//! settings, in seconds since 1970. What [`Grant::claims`] added stands in a field `claims`.
//! Without a session the answer is 401, with a session whose person may not pass 403, and 503 while
//! the revocation store does not answer: always a problem document (RFC 9457).
//!
//! # Where to look next
//!
//! | to | see |
//! | --- | --- |
//! | begin, and choose a host | [`guide::getting_started`] |
//! | come from axum-login, oauth2-proxy or a middleware of your own | [`guide::moving_from`] |
//! | leave paths open, with the session if there is one | [`Builder::public_path`] and the settings beside it; [`MagicLinkLayer::explain`] says which rule applies to a request |
//! | decide who gets in | [`Builder::organization`], [`Builder::email_domains`], [`Builder::authorize`] |
//! | know people by accounts, tenants and roles of your own | a [`Grant`] from [`Builder::authorize`]; [`Session::claims`]; [`Builder::reauthorize`] for roles that change |
//! | set lifetimes, and know what ends a session | [`guide::sessions_and_revocation`]; [`Builder::session_lifetime`] and the settings beside it |
//! | write a single-page application | [`guide::single_page_applications`] |
//! | let programs and gRPC clients send the session token | [`Builder::bearer_tokens`], [`guide::terminal_clients`] |
//! | require a recent sign-in on a route | [`RequireRecent`](companion::RequireRecent), from [`MagicLinkLayer::require_recent`] |
//! | sign in a person whom a handler recognised by other means | [`SessionIssuer`](companion::SessionIssuer), from [`MagicLinkLayer::issuer`]; through the jar of `tower_cookies` with feature `tower-cookies` |
//! | set up WorkOS, and find out why it fails | `guide::workos_set_up` (feature `workos`) |
//! | sign in by the layer's own mail, without WorkOS | [`provider::MailedLinks`] |
//! | use another provider, or two | [`provider`]; [`TwoProviders`](provider::TwoProviders); [`guide::moving_off_workos`] |
//! | mail the link yourself | [`mailer`]; `SmtpMailer` (feature `smtp`) |
//! | change what people see | [`page`]; [`DefaultPages`](page::DefaultPages) takes your name, logo, colour, style sheet and contact |
//! | speak the languages of your people | [`language`]; [`Builder::languages`]; [`guide::look_and_language`] |
//! | understand mail scanners, links on other devices, and codes | [`guide::mail_scanners`] |
//! | limit mails, codes and links | [`throttle`], which is on by default |
//! | end sessions early | [`revocation`]; [`MagicLinkLayer::end_sessions`]; [`Builder::webhook_secret`] for what WorkOS deletes |
//! | list a person's devices | [`sessions`] |
//! | end event streams, gRPC streams and WebSockets with their session | [`Builder::end_streams`], [`SessionGuard`] |
//! | run several replicas | `guide::running_more_than_one` (feature `redis`) |
//! | change keys while the application runs | [`keys`] |
//! | let a sibling service verify tokens by public keys alone | [`Jwks`](companion::Jwks), from [`MagicLinkLayer::jwks`] |
//! | answer nginx, Caddy, Traefik, HAProxy or Envoy | [`ForwardAuth`](companion::ForwardAuth), from [`MagicLinkLayer::forward_auth`]; [`guide::behind_a_proxy`] |
//! | pass the identity to a service that is not Rust | [`Builder::forward_identity`]; `examples/guard` is a reverse proxy that does it: [`guide::guard`] |
//! | know what caches keep, and what Back shows after sign-out | [`guide::caches_and_back`]; [`Builder::no_store`] |
//! | guard the application's own posts, and add CORS and a log | [`guide::the_application_behind`] |
//! | know what an attacker can and cannot do | [`guide::security_model`] |
//! | know what holds, and which cryptography it rests on | [`guide::promises`] |
//! | know what the layer answers when a store, WorkOS or a mailer fails | [`guide::failures`] |
//! | log and count what happens, and know what to alert on | [`event`]; [`guide::operations`] |
//! | configure a layer from a file, the environment and flags | `settings` (feature `settings`) |
//! | find out at start-up whether keys, WorkOS, the mail server and Redis work | [`MagicLinkLayer::check`]; [`check`] |
//! | develop without a WorkOS account | `guide::developing_without_an_account` and `emulator` (feature `emulator`) |
//! | test your application | `testing` (feature `test-util`); `guide::testing_your_application` (with feature `emulator`) |
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `workos` (default) | `workos`, the client and the provider |
//! | `aws-lc-rs` (default), `rust-crypto` | the constructors of [`SigningKey`] for EdDSA and ES256 |
//! | `axum` | [`Session`] and `Option<Session>` as extractors |
//! | `tower-cookies` | `SessionIssuer` for `tower_cookies::Cookies` |
//! | `smtp` | `mailer::SmtpMailer` |
//! | `redis` | `store::Redis`, and what it shares among replicas: `RedisRevocations`, `RedisThrottle`, `RedisSessions` |
//! | `metrics` | [counters and histograms](guide::operations#metrics) by the crate `metrics` |
//! | `settings` | `settings`, a layer from a TOML file, the environment and flags |
//! | `emulator` | `emulator`, a WorkOS in the process |
//! | `test-util` | `testing` |
//!
//! The [README](https://docs.rs/crate/tower-magic-link) says what each needs, and compares the
//! crate with its alternatives.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod ascii;
mod builder;
pub mod check;
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
pub mod language;
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
#[cfg(feature = "settings")]
#[cfg_attr(docsrs, doc(cfg(feature = "settings")))]
pub mod settings;
mod shared;
mod site;
pub mod store;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod testing;
pub mod throttle;
mod trace;

/// Keys that change while the application runs: a file of them, a handle, retired ones.
///
/// With several replicas, or with siblings that read the public keys, a change has [three
/// steps](KeyRing#changing-the-key), each taken everywhere before the next:
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
/// // 3. The old key is gone. For a current key that leaked this is the only step at the layer.
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
