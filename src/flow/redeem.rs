//! The work of one exchange: the provider redeems the proof, and the layer checks what it proved.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::{
    attempt::Attempt,
    authorize::Authorization,
    browser,
    exchange::{self, Key, Proven},
    limits::{self, Charges, within},
    refusal::rejection_of_redemption,
    settings::Flow,
    step::Step,
};
use crate::{
    clock::Timestamp,
    email::Email,
    event::Event,
    provider::{AuthorizationCode, FinishCode, Identity, OneTimeCode, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
    session::{IssueError, Issued, Term},
};

/// How long a person waits for an exchange: longer than `WorkOs` and the application's rule take by
/// default, shorter than the minute after which proxies and some browsers give up.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a provider may take to redeem a proof: longer than the longest timeout of `WorkOs`.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(6 * 60);
/// How long the application's rule may take, while a person waits.
const AUTHORIZE_TIMEOUT: Duration = Duration::from_secs(10);

/// Redeems a proof, once for all requests that bring it.
pub(super) async fn granted(
    step: &Step,
    proof: Proof,
    state: &[u8],
    attempt: &Attempt,
) -> Result<Arc<Issued>, Rejection> {
    let charges = match &proof {
        // The throttle has already counted the typed code.
        Proof::Code { .. } => Vec::new(),
        Proof::Link(_) => limits::charges_of_exchange(step, attempt),
    };
    let redemption = Redemption {
        flow: step.flow.clone(),
        charges,
        proof,
        email: attempt.email.clone(),
        browser: browser::browser(step),
        term: attempt.term,
        now: step.now,
    };
    let granted = within(PATIENCE, redemption.join(state)).await;
    granted.unwrap_or_else(|| Err(still_running()))
}

/// Returns the session that this browser obtained within the last minute.
///
/// The browser may not have waited for the response that would have brought it.
pub(super) async fn granted_just_now(
    step: &Step,
    state: &[u8],
) -> Result<Option<Arc<Issued>>, Rejection> {
    let exchanges = &step.flow.exchanges;
    let browser = browser::browser(step);
    let run = browser.and_then(|browser| exchanges.rejoin(state, browser, step.now));
    let Some(run) = run else {
        return Ok(None);
    };
    let granted = within(PATIENCE, run).await;
    let Ok(granted) = granted.ok_or_else(still_running)? else {
        return Ok(None);
    };
    // The session may have been signed out since.
    let is_active = step
        .flow
        .shared
        .revocations
        .is_active(granted.session())
        .await;
    Ok(is_active.unwrap_or(false).then_some(granted))
}

/// Refuses for now: the exchange goes on, and the next try of the same proof joins it.
const fn still_running() -> Rejection {
    Rejection::new(RejectionKind::ProviderUnavailable)
}

/// What redeeming a proof needs. All of it is owned, because it may outlive the request that began
/// it.
pub(super) struct Redemption {
    pub(super) flow: Arc<Flow>,
    /// The throttle's charges. Empty if they were made before.
    pub(super) charges: Charges,
    pub(super) proof: Proof,
    pub(super) email: Email,
    /// The fingerprint of the cookie of the browser that redeems the proof.
    pub(super) browser: Option<[u8; 16]>,
    pub(super) term: Term,
    pub(super) now: Timestamp,
}

/// The proof that a person brings from their mail.
pub(super) enum Proof {
    /// A mailed code, and what the provider wants to know of the client.
    Code {
        code: OneTimeCode,
        client: Option<IpAddr>,
        user_agent: Option<String>,
    },
    /// The code with which the provider's link led back.
    Link(AuthorizationCode),
}

impl Proof {
    pub(super) fn expose(&self) -> &str {
        match self {
            Self::Code { code, .. } => code.expose(),
            Self::Link(code) => code.expose(),
        }
    }
}

impl Redemption {
    /// Joins the exchange of this state and proof, or begins it.
    pub(super) async fn join(self, state: &[u8]) -> Result<Arc<Issued>, Rejection> {
        let flow = self.flow.clone();
        let key = exchange::key(state, self.proof.expose());
        let visit = self.browser.map(|browser| exchange::visit(state, browser));
        let (now, clock) = (self.now, flow.clone());
        let ended = move || clock.shared.clock.now();
        let join = flow
            .exchanges
            .join(key, visit, now, || self.run(key), ended);
        join.await
    }

    async fn run(self, key: Key) -> Result<Arc<Issued>, Rejection> {
        let exchanges = &self.flow.exchanges;
        let proven = match exchanges.proven(&key, self.now) {
            Some(proven) => proven,
            None => {
                let (identity, at) = (self.prove().await?, self.now);
                let ended = self.flow.shared.clock.now();
                let proven = Arc::new(Proven {
                    identity,
                    at,
                    ended,
                });
                exchanges.keep(key, &proven);
                proven
            }
        };
        let identity = &proven.identity;
        self.accept(identity).await?;
        self.flow
            .shared
            .issue(identity, self.term, proven.at)
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

    /// Has the provider redeem the proof. That uses the proof up.
    async fn prove(&self) -> Result<Identity, Rejection> {
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
                within(PROVIDER_TIMEOUT, provider.finish_code(&finish)).await
            }
            Proof::Link(code) => within(PROVIDER_TIMEOUT, provider.finish(code)).await,
        };
        let late = || Err(ProviderErrorKind::TimedOut.into());
        proven.unwrap_or_else(late).map_err(|error| {
            self.flow
                .shared
                .listener
                .tell(&Event::of_provider_error(&error));
            rejection_of_redemption(&error)
        })
    }

    /// Checks that the proven address is that of this sign-in, and that the identity may sign in.
    async fn accept(&self, identity: &Identity) -> Result<(), Rejection> {
        let flow = &self.flow;
        // Code injection: an attacker brings the code of another sign-in (RFC 9700, section 4.5).
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
        let answer = within(AUTHORIZE_TIMEOUT, authorize.ask(identity.clone())).await;
        match answer.unwrap_or_else(|| {
            tracing::error!(target: "tower_magic_link", "authorize hook took too long");
            Err(())
        }) {
            Ok(Authorization::Allowed) => Ok(()),
            Ok(Authorization::Denied) => Err(Rejection::new(RejectionKind::NotAllowed)),
            Err(()) => Err(Rejection::new(RejectionKind::ProviderUnavailable)),
        }
    }
}
