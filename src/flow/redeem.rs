//! The work of one exchange: the provider redeems the proof, and the layer checks what it proved.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

pub(super) use self::{choice::Offered, proof::Proof};
use super::{
    asked::Asked,
    attempt::Attempt,
    browser,
    comes_after::{self, Given},
    exchange::{Granted, Key, Kind, Offer, Person, Proven, State},
    lend,
    limits::{self, Charges, Try, within},
    refusal::{is_an_outage, rejection_of_redemption},
    settings::Flow,
    step::Step,
};
use crate::{
    clock::Timestamp,
    event::{Context, Event},
    provider::{
        self, Finish, FinishCode, Identity, ProviderError, ProviderErrorKind,
        attempt::{Caller, Newest},
    },
    rejection::{Rejection, RejectionKind},
    session::{Grant, IssueError, SessionId, issued::Of},
};

mod choice;
mod proof;
mod rule;

/// How long a person waits for an exchange: longer than one call to `WorkOs` and the application's
/// rule take by default, shorter than the minute after which proxies and some browsers give up. If
/// the layer takes the one allowed organization, there are two calls, and the next try joins them.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a provider may take for one call: longer than the longest timeout of `WorkOs`.
pub(super) const PROVIDER_TIMEOUT: Duration = Duration::from_secs(6 * 60);
/// How long the application's rule may take, while a person waits.
const AUTHORIZE_TIMEOUT: Duration = Duration::from_secs(10);

/// Redeems a proof, once for all requests that bring it.
pub(super) async fn granted(
    step: &Step,
    proof: Proof,
    state: State,
    attempt: &Arc<Attempt>,
) -> Result<Arc<Granted>, Rejection> {
    let charges = match &proof {
        // The throttle has already counted the typed code.
        Proof::Code(_) => Charges::default(),
        Proof::Choice { .. } | Proof::Link(_) => limits::charges_of_exchange(step, attempt),
    };
    let redemption = Redemption {
        flow: step.flow.clone(),
        asked: Asked::of(step, attempt),
        proof,
        attempt: attempt.clone(),
        newest: browser::newest(step, attempt),
        caller: lend::caller(step, step.language().tag),
        now: step.now,
    };
    // Without its cookie, a browser's visit is not told from another's.
    let visit = step.browser().map(|_| state);
    let join = redemption.join(charges, &step.flow, (state, visit));
    let granted = within(PATIENCE, pin!(join)).await;
    granted.unwrap_or_else(|| Err(still_running()))
}

/// Returns the name under which the visits of this browser with a link of an attempt share one
/// exchange.
///
/// It is not the sealed state: our own link is sealed anew at each visit. Two browsers share none,
/// because a session belongs to one.
pub(super) fn visited(step: &Step, attempt: &Attempt) -> State {
    let browser = step.browser().unwrap_or_default();
    State::of([&attempt.name(), &browser])
}

/// Returns the session, or the question, that this browser obtained within the last minute.
///
/// The browser may not have waited for the response that would have brought it.
pub(super) async fn granted_just_now(
    step: &Step,
    visited: State,
) -> Result<Option<Arc<Granted>>, Rejection> {
    let exchanges = &step.flow.exchanges;
    let browser = step.browser();
    let Some(run) = browser.and_then(|_| exchanges.rejoin(visited, step.now)) else {
        return Ok(None);
    };
    let granted = within(PATIENCE, pin!(run)).await;
    let Ok(granted) = granted.ok_or_else(still_running)? else {
        return Ok(None);
    };
    // The session may have been signed out since.
    let is_active = match &*granted {
        Granted::Choice(_) => Ok(true),
        Granted::Session(issued, _) => {
            let revocations = &step.flow.shared.revocations;
            revocations.is_active(issued.session()).await
        }
    };
    Ok(is_active?.then_some(granted))
}

/// Refuses for now: the exchange goes on, and the next try of the same proof joins it.
const fn still_running() -> Rejection {
    Rejection::new(RejectionKind::ProviderUnavailable)
}

/// What redeeming a proof needs. All of it is owned, because it may outlive the request that began
/// it.
pub(super) struct Redemption {
    pub(super) flow: Arc<Flow>,
    /// The request that began it, for events.
    pub(super) asked: Asked,
    pub(super) proof: Proof,
    pub(super) attempt: Arc<Attempt>,
    /// Whether the browser that redeems the proof has asked for another mail since.
    pub(super) newest: Newest,
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
}

impl Redemption {
    /// Joins the exchange of this state and proof, or begins it. The throttle's charges are made
    /// with it, unless they were made before.
    fn join(
        self,
        mut charges: Charges,
        flow: &Flow,
        (state, visit): (State, Option<State>),
    ) -> impl Future<Output = Result<Arc<Granted>, Rejection>> {
        let key = state.key(&self.proof.expose());
        let (now, clock) = (self.now, self.flow.clone());
        let ended = move || clock.shared.clock.now();
        let work = move || async move { self.run(&mut charges, key).await };
        flow.exchanges.join(key, visit, now, work, ended)
    }

    async fn run(&self, charges: &mut Charges, key: Key) -> Result<Arc<Granted>, Rejection> {
        let at = match self.proof {
            Proof::Choice { at, .. } => at,
            Proof::Code(_) | Proof::Link(_) => self.now,
        };
        let mut proven = self.once(key, at, pin!(self.prove(charges))).await?;
        if let Person::Choosing(choice) = &proven.person {
            let choice = self.acceptable(choice)?;
            // Where the layer accepts one of them alone, nothing is left to choose.
            let [only] = choice.organizations() else {
                return Ok(Arc::new(Granted::Choice(Offer { choice, at })));
            };
            if self.flow.shared.gate.allowed.organizations.is_empty() {
                return Ok(Arc::new(Granted::Choice(Offer { choice, at })));
            }
            let mut calls = limits::charges_of_further_call(&self.flow, &key);
            let key = State::of([&key]).key(only.id());
            let chosen = async {
                let (flow, calls) = (&self.flow, &mut calls);
                let _ = limits::charge(flow, calls, None, self.context(), self.now).await?;
                self.choose(choice.pending(), only.id()).await
            };
            proven = self.once(key, proven.at, pin!(chosen)).await?;
        }
        let Person::Identified(identity) = &proven.person else {
            return Err(Rejection::new(RejectionKind::StepUpRequired));
        };
        // At once after the proof, and before the application's rule, which may take long: a
        // revocation that comes meanwhile ends the session.
        let given = match self.proof {
            Proof::Choice { .. } => Given::Earlier,
            Proof::Code(_) | Proof::Link(_) => Given::Now,
        };
        let mut after = comes_after::of(&self.flow, identity, &proven, given).await;
        let asked = self.flow.shared.clock.now();
        let grant = self.accept(identity).await?;
        if let Some(grant) = &grant {
            let (granted, proof) = ((identity, grant), (&*proven, given));
            after = comes_after::of_granted(&self.flow, granted, proof, after, asked).await;
        }
        let ended = self.end_choice(key).await?;
        let person = (identity, grant.as_ref());
        self.issue(person, proven.at, after, ended).await
    }

    /// Makes the session of a proven identity that may sign in. A choice that has `ended` with it
    /// has not, if no session can be made.
    async fn issue(
        &self,
        (identity, grant): (&Identity, Option<&Grant>),
        at: Timestamp,
        after: Timestamp,
        ended: Option<Try>,
    ) -> Result<Arc<Granted>, Rejection> {
        let shared = &self.flow.shared;
        let (id, kind) = self.session_of(identity);
        let (person, term) = ((identity, grant), self.attempt.term);
        if kind == Kind::OfAttempt && shared.has_ended(person, id, term, at, after).await {
            return Err(Rejection::new(self.used()));
        }
        let of = (Of::SignIn(self.attempt.sealed_by), self.context());
        let error = match shared.issue_after(person, (id, term), of, at, after) {
            Ok(issued) => return Ok(Arc::new(Granted::Session(Box::new(issued), kind))),
            Err(error) => error,
        };
        if let Some(ended) = ended {
            ended.give_back().await;
        }
        Err(Rejection::new(match error {
            IssueError::Ended => RejectionKind::AttemptExpired,
            IssueError::NoSubject => {
                // The provider's: the rule has refused an empty one of the application's.
                self.failed(&ProviderErrorKind::InvalidAnswer.into());
                RejectionKind::ProviderFailed
            }
            IssueError::NotAllowed => RejectionKind::NotAllowed,
            IssueError::NotSigned | IssueError::TooLarge { .. } => RejectionKind::SessionTooLarge,
        }))
    }

    /// Returns what is known of this key already, or has the work find it out and keeps that. The
    /// work uses something up, and what follows it may fail. It is pinned by the caller, as for
    /// [`within`].
    async fn once(
        &self,
        key: Key,
        at: Timestamp,
        work: impl Future<Output = Result<Person, Rejection>> + Unpin,
    ) -> Result<Arc<Proven>, Rejection> {
        let exchanges = &self.flow.exchanges;
        if let Some(proven) = exchanges.proven(&key, self.now) {
            return Ok(proven);
        }
        let person = work.await?;
        let ended = self.flow.shared.clock.now();
        let proven = Arc::new(Proven { person, at, ended });
        // At once: the proof is used up, and what follows may fail and be tried again.
        exchanges.keep(key, &proven);
        Ok(proven)
    }

    /// Has the provider redeem the proof. That uses the proof up.
    async fn prove(&self, charges: &mut Charges) -> Result<Person, Rejection> {
        let spent = limits::charge(&self.flow, charges, None, self.context(), self.now).await?;
        let proven = self.ask_provider().await;
        if proven.as_ref().is_err_and(is_an_outage) {
            spent.give_back(&self.flow).await;
        }
        proven
    }

    async fn ask_provider(&self) -> Result<Person, Rejection> {
        let provider = &self.flow.provider;
        let proven = match &self.proof {
            Proof::Choice {
                pending,
                until,
                organization,
                ..
            } => {
                let offered = Offered {
                    pending,
                    until: *until,
                };
                return self.choose_once(&offered, organization).await;
            }
            Proof::Code(code) => {
                let finish = FinishCode::new(self.shown(), code, &self.attempt.email);
                within(PROVIDER_TIMEOUT, provider.finish_code(&finish)).await
            }
            Proof::Link(code) => {
                let (email, lifetime) = (&self.attempt.email, self.flow.link_lifetime);
                let finish = Finish::new(self.shown(), code, email, lifetime);
                within(PROVIDER_TIMEOUT, provider.finish(&finish)).await
            }
        };
        match proven.unwrap_or_else(late) {
            Ok(identity) => Ok(Person::Identified(identity)),
            Err(error) => match error.choice() {
                Some(choice) if error.kind() == ProviderErrorKind::OrganizationRequired => {
                    Ok(Person::Choosing(choice.clone()))
                }
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// Returns the context of the events of this work.
    fn context(&self) -> Context<'_> {
        self.asked.context_of(&self.flow, &self.attempt.email)
    }

    /// Returns the attempt as the provider is shown it.
    fn shown(&self) -> provider::Attempt<'_> {
        let (flow, attempt) = (&self.flow, &self.attempt);
        lend::show(flow, attempt, self.newest, &self.caller, self.now)
    }

    /// Returns the id of the session that an identity gets: of the attempt's one, or of a new one.
    fn session_of(&self, identity: &Identity) -> (SessionId, Kind) {
        match identity.has_session_of_attempt() {
            true => (self.attempt.session_id(), Kind::OfAttempt),
            false => (SessionId::from_bytes(crate::random::bytes()), Kind::New),
        }
    }

    /// Returns what the proof is called when its session has ended.
    const fn used(&self) -> RejectionKind {
        match self.proof {
            Proof::Choice { .. } => RejectionKind::ChoiceExpired,
            Proof::Code(_) => RejectionKind::CodeUsed,
            Proof::Link(_) => RejectionKind::LinkUsed,
        }
    }

    /// Reports a provider's failure, and returns the rejection for it.
    fn failed(&self, error: &ProviderError) -> Rejection {
        let event = Event::of_provider_error(error);
        self.asked.tell_of(&self.flow, &self.attempt, &event);
        rejection_of_redemption(error)
    }

    /// Checks that the proven address is that of this sign-in, and that the identity may sign in.
    /// Returns what the application grants.
    async fn accept(&self, identity: &Identity) -> Result<Option<Grant>, Rejection> {
        let flow = &self.flow;
        // Code injection: an attacker brings the code of another sign-in (RFC 9700, section 4.5).
        if *identity.email() != self.attempt.email {
            return Err(Rejection::new(RejectionKind::OtherAddress));
        }
        // Checked on what the provider has proven, whatever the form or the link said.
        let allowed = &flow.shared.gate.allowed;
        if !allowed.has_domain(identity.email().domain()) {
            return Err(Rejection::new(RejectionKind::NotAllowed));
        }
        if !allowed.has_organization(identity.organization()) {
            return Err(Rejection::new(self.not_allowed()));
        }
        self.ask_rule(identity).await
    }
}

/// A provider of the application's may have no limit of its own. An exchange is shared by all who
/// wait, and a mail holds its place.
pub(super) fn late<T>() -> Result<T, ProviderError> {
    Err(ProviderErrorKind::TimedOut.into())
}
