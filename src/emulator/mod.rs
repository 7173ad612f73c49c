//! An emulator of WorkOS in this process, for tests, examples and work without a network.
//!
//! It implements the part of WorkOS's API that magic links and codes need, closely enough for
//! WorkOS's own SDKs:
//!
//! - `POST /passwordless/sessions` makes a single-use link; `POST /passwordless/sessions/{id}/send`
//!   puts it into the outbox, in place of a mail.
//! - `GET /passwordless/{token}/confirm`, the link, redirects with a code. The first GET (or HEAD)
//!   uses it up. A used or expired link redirects with `error=access_denied`. What WorkOS does with
//!   a HEAD or a used link is not known.
//! - `POST /sso/token` takes a form or JSON and redeems a code once, within 10 minutes; `GET
//!   /sso/profile` accepts the access token for another 10.
//! - `POST /user_management/magic_auth` makes a six-digit code, `GET
//!   /user_management/magic_auth/{id}` reads it again, and `POST /user_management/authenticate`
//!   redeems it, once, within 10 minutes. The same endpoint takes the choice of an organization,
//!   for an address with [several memberships](Emulator::add_membership).
//! - [`Emulator::webhook`] delivers signed events, such as a deleted connection or a revoked
//!   session.
//! - It accepts any API key that begins with `sk_`, and any client id that is not empty.
//! - Its time comes from a [`Clock`], so that a test can expire a link without waiting. The `Date`
//!   of its answers does, too.
//! - A test can order [`Fault`]s per endpoint, and change the profiles and users of an address.
//! - It checks nothing, so anyone can sign in as any person. Never use it in production.
//!
//! An [`Emulator`] is a `tower_service::Service`, and [`Emulator::serve`] puts it on a loopback
//! port.
//!
//! ```
//! use tower_magic_link::emulator::{Emulator, Endpoint, Fault};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::new();
//! let server = emulator.serve(0).await?;
//! let create = reqwest::Client::new()
//!     .post(format!("{}/passwordless/sessions", server.base_url()))
//!     .bearer_auth("sk_test_key")
//!     .json(&serde_json::json!({ "email": "ada@example.com", "type": "MagicLink" }));
//!
//! emulator.order(Endpoint::Create, Fault::Status(http::StatusCode::SERVICE_UNAVAILABLE));
//! let refused = create.try_clone().ok_or("a body that streams")?.send().await?;
//! assert_eq!(refused.status(), 503);
//!
//! assert_eq!(create.send().await?.status(), 201);
//! assert_eq!(emulator.count(Endpoint::Create), 2);
//! # Ok(())
//! # }
//! ```

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::clock::{Clock, Timestamp};

mod answer;
mod builder;
mod call;
mod code;
#[cfg(feature = "workos")]
mod development;
mod edits;
mod endpoint;
mod fault;
mod id;
mod log;
mod magic_auth;
mod mail;
mod memberships;
mod organization;
mod passwordless;
mod person;
mod profile;
mod refusal;
mod server;
mod service;
mod sessions;
mod shelf;
mod sso;
mod user;
mod users;
mod webhook;

pub use self::{
    answer::{AnswerBody, ConnectionCut},
    builder::EmulatorBuilder,
    endpoint::Endpoint,
    fault::{Fault, Hold},
    log::SeenRequest,
    mail::Mail,
    profile::EmulatedProfile,
    server::EmulatorServer,
    user::EmulatedUser,
    webhook::{EmulatedEvent, EmulatedWebhook, WebhookDelivery},
};

use self::{
    code::{CodeSettings, Codes},
    edits::Edits,
    fault::Orders,
    log::Log,
    mail::Outbox,
    memberships::Memberships,
    sessions::Sessions,
    shelf::Shelf,
    users::Users,
};

/// An emulator of WorkOS in this process. Clones share everything.
///
/// As a service, its only error is [`ConnectionCut`], and only if a test ordered it.
///
/// ```
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_magic_link::emulator::Emulator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::new();
/// let create = Request::post("/passwordless/sessions")
///     .header("authorization", "Bearer sk_test_key")
///     .header("content-type", "application/json")
///     .body(r#"{"email":"ada@example.com","type":"MagicLink"}"#.to_owned())?;
///
/// let response = emulator.clone().oneshot(create).await?;
/// assert_eq!(response.status(), StatusCode::CREATED);
/// assert!(emulator.outbox().is_empty(), "nothing is mailed before it is sent");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Emulator {
    shared: Arc<Shared>,
    base_url: Arc<str>,
    is_base_url_fixed: bool,
}

type MailHook = Box<dyn Fn(&Mail) + Send + Sync>;

/// What all clones of an emulator share. No two of its locks are ever held at once.
struct Shared {
    clock: Arc<dyn Clock>,
    redirect_uris: Vec<String>,
    on_mail: Option<MailHook>,
    code_settings: CodeSettings,
    one_time_codes: Mutex<Codes>,
    sessions: Mutex<Sessions>,
    codes: Mutex<Shelf<EmulatedProfile>>,
    access_tokens: Mutex<Shelf<EmulatedProfile>>,
    memberships: Mutex<Memberships>,
    users: Mutex<Users>,
    /// The users who must choose an organization, and since when they are users.
    pending: Mutex<Shelf<(EmulatedUser, Timestamp)>>,
    outbox: Mutex<Outbox>,
    edits: Mutex<Edits<EmulatedProfile>>,
    user_edits: Mutex<Edits<EmulatedUser>>,
    orders: Mutex<Orders>,
    log: Mutex<Log>,
}

impl Emulator {
    /// Creates an emulator that uses the machine's clock and accepts any redirect URI.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns the base URL of links, without a slash at its end. [`EmulatorServer::base_url`]
    /// returns a port's.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the mails that were sent, oldest first: the last 1,024.
    #[must_use]
    pub fn outbox(&self) -> Vec<Mail> {
        lock(&self.shared.outbox).iter().cloned().collect()
    }

    /// Empties the outbox and returns what was in it, oldest first.
    #[must_use]
    pub fn take_outbox(&self) -> Vec<Mail> {
        mem::take(&mut *lock(&self.shared.outbox)).into()
    }

    /// Returns the link of the last mail to an address that has one. ASCII case does not matter.
    #[must_use]
    pub fn last_link_to(&self, address: &str) -> Option<String> {
        let outbox = lock(&self.shared.outbox);
        let mails = outbox.iter().rev();
        let mut mails = mails.filter(|mail| mail.address().eq_ignore_ascii_case(address));
        mails.find_map(|mail| mail.link().map(str::to_owned))
    }

    /// Returns the requests that came in, oldest first: the last 512, valid or not.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.shared.log).requests()
    }

    /// Returns how many requests came to an endpoint, valid or not.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        lock(&self.shared.log).count(endpoint)
    }

    /// Orders a fault for the next request to an endpoint. Orders form a queue, and each request
    /// takes the first.
    pub fn order(&self, endpoint: Endpoint, fault: Fault) {
        self.order_times(endpoint, 1, fault);
    }

    /// Orders a fault for a number of requests to an endpoint.
    pub fn order_times(&self, endpoint: Endpoint, times: usize, fault: Fault) {
        lock(&self.shared.orders).push(endpoint, fault, Some(times));
    }

    /// Orders a fault for all further requests to an endpoint, until [`Emulator::clear_orders`].
    ///
    /// ```
    /// use tower_magic_link::{
    ///     Email,
    ///     emulator::{Emulator, Endpoint, Fault},
    ///     provider::ProviderErrorKind,
    ///     workos::{NewMagicAuth, WorkOs},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::new();
    /// let server = emulator.serve(0).await?;
    /// let workos = WorkOs::new("sk_test_key", "client_test")?.base_url(server.base_url())?;
    /// let ada = NewMagicAuth::new(Email::parse("ada@example.com")?);
    ///
    /// let refusal = Fault::refusal(http::StatusCode::BAD_REQUEST, "email_domain_not_deliverable");
    /// emulator.order_always(Endpoint::MagicAuthCreate, refusal);
    /// let error = workos.create_magic_auth(&ada).await.unwrap_err();
    /// assert_eq!(error.kind(), ProviderErrorKind::Address);
    ///
    /// emulator.clear_orders(Endpoint::MagicAuthCreate);
    /// assert!(workos.create_magic_auth(&ada).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn order_always(&self, endpoint: Endpoint, fault: Fault) {
        lock(&self.shared.orders).push(endpoint, fault, None);
    }

    /// Cancels all orders for an endpoint. A request that one of them already holds stays held.
    pub fn clear_orders(&self, endpoint: Endpoint) {
        lock(&self.shared.orders).clear(endpoint);
    }

    /// Changes the profile that the next code yields. The edit is applied when the link is
    /// followed, not when the code is redeemed. Edits form a queue, and each code takes the first.
    ///
    /// ```
    /// # use tower_magic_link::emulator::{EmulatedProfile, Emulator};
    /// let emulator = Emulator::new();
    /// emulator.next_profile(|profile| profile.with_organization("org_01"));
    /// emulator.next_profile(|_| EmulatedProfile::of("eve@example.com"));
    /// ```
    pub fn next_profile(
        &self,
        edit: impl FnOnce(EmulatedProfile) -> EmulatedProfile + Send + 'static,
    ) {
        lock(&self.shared.edits).push(Box::new(edit));
    }

    /// Changes the profile of every code from now on, before [`Emulator::next_profile`] changes it.
    /// The last call wins.
    pub fn every_profile(
        &self,
        edit: impl Fn(EmulatedProfile) -> EmulatedProfile + Send + Sync + 'static,
    ) {
        lock(&self.shared.edits).set_every(Arc::new(edit));
    }

    /// Returns a clone with the base URL of a port.
    fn at(&self, base_url: String) -> Self {
        let mut emulator = self.clone();
        // A test that has named an address behind a proxy keeps it.
        if !self.is_base_url_fixed {
            emulator.base_url = base_url.into();
        }
        emulator
    }

    /// Puts a mail into the outbox and calls the hook.
    fn put_into_mail(&self, mail: &Mail) {
        mail::put(&mut lock(&self.shared.outbox), mail.clone());
        if let Some(hook) = &self.shared.on_mail {
            // Outside the lock, because the hook is a test's own and may read the outbox.
            hook(mail);
        }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// Locks, even after a panic elsewhere: no lock is held while a test's code runs, so no state is
/// half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
