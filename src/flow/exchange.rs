//! The exchange of a code for a session, once for however many callbacks bring it.
//!
//! - Callbacks with the same state and code share one exchange while it runs, and its session for a minute after: a double
//!   click, a reload or two tabs sign in once.
//! - An exchange belongs to none of its callers. If one hangs up, another, or the same browser's next try, carries it on.
//! - The provider may call a link used whose first visit was called off by a second click: that browser's next try is joined to the
//!   exchange of the first.
//! - Only success is remembered: after a failure, or a panic of the provider's or the application's, the next try asks again.

use std::{
    any::Any,
    fmt,
    future::Future,
    net::IpAddr,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    future::BoxFuture,
    future::{FutureExt, Shared as SharedFuture},
};
use sha2::{Digest, Sha256};

use self::runs::{Key, Runs};
use super::{
    Flow,
    limits::{self, Charges},
    rejection_of,
};
use crate::{
    clock::Timestamp,
    email::Email,
    event::Event,
    flow::authorize::Authorization,
    provider::{AuthorizationCode, FinishCode, Identity, OneTimeCode},
    rejection::{Rejection, RejectionKind},
    session::{IssueError, Issued, Term},
};

mod runs;
mod sync;

type Outcome = Result<Arc<Issued>, Failure>;

/// Why an exchange yielded nothing.
#[derive(Clone)]
enum Failure {
    /// It panicked. One of its callers panics on.
    Panicked(Arc<Mutex<Option<Panic>>>),
    Refused(Rejection),
}

/// An exchange that several callers wait for.
type Run = SharedFuture<BoxFuture<'static, Outcome>>;
type Panic = Box<dyn Any + Send>;

/// What an exchange needs, owned: it may outlive the request that began it.
pub(super) struct Exchange {
    pub(super) flow: Arc<Flow>,
    /// What it is charged to. Nothing, where that was done before.
    pub(super) charges: Charges,
    pub(super) proof: Proof,
    pub(super) email: Email,
    /// The fingerprint of the cookie of the browser that redeems the proof.
    pub(super) browser: Option<[u8; 16]>,
    pub(super) term: Term,
    pub(super) now: Timestamp,
}

/// What a person brings from their mail.
pub(super) enum Proof {
    /// A code that was mailed, and what the provider wants to know of who typed it.
    Code {
        code: OneTimeCode,
        client: Option<IpAddr>,
        user_agent: Option<String>,
    },
    /// The code that the provider's link came back with.
    Link(AuthorizationCode),
}

impl Proof {
    fn expose(&self) -> &str {
        match self {
            Self::Code { code, .. } => code.expose(),
            Self::Link(code) => code.expose(),
        }
    }
}

/// The exchanges that run, and those that succeeded a moment ago.
pub(crate) struct Exchanges {
    runs: Runs<Run>,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self {
            runs: Runs::new(|run: &Run| run.peek().is_some()),
        }
    }
}

impl Exchanges {
    /// Joins the exchange of this state and code, or begins it.
    pub(super) fn join(
        &self,
        state: &[u8],
        exchange: Exchange,
    ) -> impl Future<Output = Result<Arc<Issued>, Rejection>> + Send {
        let key = key(state, &exchange.proof);
        let of = exchange.browser.map(|browser| visit(state, browser));
        let now = exchange.now;
        let run = self.runs.join(key, of, || exchange.begin(), now);
        async move { self.outcome(key, run).await }
    }

    /// Joins the exchange of this state, whatever its proof, that the same browser began a moment ago.
    pub(super) fn rejoin(
        &self,
        state: &[u8],
        browser: [u8; 16],
        now: Timestamp,
    ) -> Option<impl Future<Output = Result<Arc<Issued>, Rejection>> + Send> {
        let (key, run) = self.runs.of(visit(state, browser), now)?;
        Some(async move { self.outcome(key, run).await })
    }

    async fn outcome(&self, key: Key, run: Run) -> Result<Arc<Issued>, Rejection> {
        let outcome = run.clone().await;
        if outcome.is_err() {
            self.runs.forget(key, |known| known.ptr_eq(&run));
        }
        outcome.map_err(Failure::into_rejection)
    }

    /// Says whether an exchange of this state and proof runs, or succeeded a moment ago.
    pub(super) fn knows(&self, state: &[u8], proof: &Proof, now: Timestamp) -> bool {
        self.runs.knows(&key(state, proof), now)
    }
}

impl fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanges").finish_non_exhaustive()
    }
}

impl Failure {
    /// Returns what a caller hears; the first caller of a panic panics on.
    fn into_rejection(self) -> Rejection {
        match self {
            Self::Panicked(panic) => {
                let panic = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(panic) = panic {
                    resume_unwind(panic);
                }
                Rejection::new(RejectionKind::ProviderUnavailable)
            }
            Self::Refused(rejection) => rejection,
        }
    }
}

impl Exchange {
    fn begin(self) -> Run {
        // A panic would leave a shared future that never wakes its other callers, and fails whoever joins it later.
        let run = AssertUnwindSafe(self.run()).catch_unwind();
        let run = run.map(|outcome| match outcome {
            Ok(outcome) => outcome.map_err(Failure::Refused),
            Err(panic) => Err(Failure::Panicked(Arc::new(Mutex::new(Some(panic))))),
        });
        let run: BoxFuture<'static, Outcome> = Box::pin(run);
        run.shared()
    }

    async fn run(self) -> Result<Arc<Issued>, Rejection> {
        if !self.charges.is_empty() {
            limits::charge(&self.flow, &self.charges, None, self.now).await?;
        }
        let provider = &self.flow.provider;
        let proven = match &self.proof {
            Proof::Code {
                code,
                client,
                user_agent,
            } => {
                let finish = FinishCode::new(code, &self.email, *client, user_agent.as_deref());
                provider.finish_code(&finish).await
            }
            Proof::Link(code) => provider.finish(code).await,
        };
        let identity = proven.map_err(|error| {
            self.flow
                .shared
                .listener
                .tell(&Event::of_provider_error(&error));
            rejection_of(&error)
        })?;
        self.check(&identity).await?;
        self.flow
            .shared
            .issue(&identity, self.term, self.now)
            .map(Arc::new)
            .map_err(|error| {
                Rejection::new(match error {
                    IssueError::NoSubject => RejectionKind::ProviderFailed,
                    IssueError::NotSigned | IssueError::TooLarge { .. } => {
                        RejectionKind::SessionTooLarge
                    }
                })
            })
    }

    /// Checks that the code proved what this sign-in was begun for, and that whoever it proved may come in.
    async fn check(&self, identity: &Identity) -> Result<(), Rejection> {
        let flow = &self.flow;
        // A code from another sign-in, slipped into this one (RFC 9700, section 4.5).
        if *identity.email() != self.email {
            return Err(Rejection::new(RejectionKind::OtherAddress));
        }
        let in_organization = flow.organizations.is_empty()
            || identity
                .organization()
                .is_some_and(|id| flow.organizations.iter().any(|taken| taken == id));
        if !in_organization || !flow.takes_domain(identity.email().domain()) {
            return Err(Rejection::new(RejectionKind::NotAllowed));
        }
        let Some(authorize) = &flow.authorize else {
            return Ok(());
        };
        match authorize.ask(identity.clone()).await {
            Ok(Authorization::Allowed) => Ok(()),
            Ok(Authorization::Denied) => Err(Rejection::new(RejectionKind::NotAllowed)),
            Err(()) => Err(Rejection::new(RejectionKind::ProviderUnavailable)),
        }
    }
}

/// Names the sign-in that a browser is at.
fn visit(state: &[u8], browser: [u8; 16]) -> Key {
    let state = Sha256::digest(state);
    Sha256::new()
        .chain_update(state)
        .chain_update(browser)
        .finalize()
        .into()
}

/// A state or code in a key would be a secret in memory; and their lengths differ.
fn key(state: &[u8], proof: &Proof) -> Key {
    Sha256::new()
        .chain_update(Sha256::digest(state))
        .chain_update(proof.expose())
        .finalize()
        .into()
}
