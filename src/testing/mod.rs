//! What an application's tests need.
//!
//! - [`Browser`] keeps cookies, follows redirects and sends forms, so that a test signs in as a
//!   person does.
//! - [`TestAttempt`] is a sign-in for the tests of a provider of your own.
//! - [`StubProvider`] proves addresses without mail, and hands its links to the test.
//! - [`MagicLinkLayer::sign_in`](crate::MagicLinkLayer::sign_in) adds a session to one request,
//!   without a form or a mail.
//! - [`assert_protected`] fails if a path can be reached without a session.
//! - [`ManualClock`] is a clock that the test sets.
//! - [`suite`] checks a store, a provider or a mailer of your own.
//! - The layer answers a request for mail after a second, so that its time tells nothing.
//!   [`Builder::insecure_answer_when_sent`](crate::Builder::insecure_answer_when_sent) makes a test
//!   of many sign-ins fast.
//!
//! ```
//! use http::Request;
//! use tower::{Layer, Service, ServiceExt, service_fn};
//! use tower_magic_link::{KeyRing, MagicLinkLayer, Session, SigningKey};
//! use tower_magic_link::testing::{ManualClock, StubProvider};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = ManualClock::new();
//! let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
//!     .public_url("https://app.example.com")
//!     .clock(clock.clone())
//!     .build()?;
//! let service = layer.layer(service_fn(|request: Request<String>| async move {
//!     let session = request.extensions().get::<Session>().expect("the layer admitted it");
//!     Ok::<_, std::convert::Infallible>(http::Response::new(session.email().to_owned()))
//! }));
//!
//! let mut request = Request::new(String::new());
//! layer.sign_in(&mut request, "ada@example.com");
//! assert_eq!(service.oneshot(request).await?.status(), 200);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod attempt;
mod browser;
mod call;
mod clock;
mod protected;
mod sign_in;
mod stub;
pub mod suite;

pub use self::{
    attempt::TestAttempt,
    browser::{Browser, Visit},
    clock::ManualClock,
    protected::assert_protected,
    stub::StubProvider,
};
