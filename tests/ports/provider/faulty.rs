//! Providers, each broken in one way.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    Email,
    clock::{Clock, Timestamp},
    provider::{
        Delivery, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, Link, OneTimeCode,
        Organization, OrganizationChoice, PendingToken, ProviderError, ProviderErrorKind,
        SignInMethod, Start, StartCode, Started, StartedCode,
    },
    testing::{
        ManualClock,
        suite::{
            World,
            provider::{Mailed, Trial},
        },
    },
};

/// What is wrong with a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    BelievesTheAttempt,
    ChoicesAreGoodTwice,
    ChoicesNeverExpire,
    CodesAreGoodTwice,
    CodesEndEarly,
    CodesNeverExpire,
    DeniesHavingActed,
    DropsMail,
    ForgetsTheChoice,
    GivesTheFirstIdentity,
    HandsOverWhatItMailed,
    HasNoLimitOfTries,
    LinksAreGoodTwice,
    LinksNeverExpire,
    LosesTheState,
    MailsWhatTheLayerMails,
    MakesASubjectEachTime,
    None,
    PrintsCodes,
    ReadsTheCodeAlone,
    TakesAnyOrganization,
}

/// A provider in memory. Its links lead to the callback at once.
pub(crate) struct Faulty {
    fault: Fault,
    clock: ManualClock,
    loses_next_answer: AtomicBool,
    made: Mutex<Vec<Made>>,
    mails: Mutex<Vec<Mailed>>,
    /// Of everybody: only one person joins any in a case.
    organizations: Mutex<Vec<Organization>>,
    /// The choices, by their place.
    pending: Mutex<Vec<(Identity, Timestamp, bool)>>,
}

struct Made {
    code: String,
    identity: Identity,
    until: Timestamp,
    is_used: bool,
    wrong_tries: u32,
}

impl Faulty {
    pub(crate) fn new(fault: Fault, world: &World) -> Self {
        Self {
            fault,
            clock: world.clock(),
            loses_next_answer: AtomicBool::new(false),
            made: Mutex::default(),
            mails: Mutex::default(),
            organizations: Mutex::default(),
            pending: Mutex::default(),
        }
    }

    fn make(&self, code: String, email: &Email, method: SignInMethod, lifetime: Duration) {
        let mut made = self.made.lock().unwrap();
        let mut subject = email.as_str().to_ascii_lowercase();
        if self.fault == Fault::MakesASubjectEachTime {
            subject.push_str(&made.len().to_string());
        }
        let identity = match (self.fault, made.first()) {
            (Fault::GivesTheFirstIdentity, Some(first)) => first.identity.clone(),
            _ => Identity::new(subject, email.clone()),
        };
        made.push(Made {
            code,
            identity: identity.with_method(method),
            until: self.clock.now() + lifetime,
            is_used: false,
            wrong_tries: 0,
        });
    }

    /// Returns what was proven, unless the answer is to get lost.
    fn answer(&self, proven: Result<Identity, ProviderError>) -> Result<Identity, ProviderError> {
        if !self.loses_next_answer.swap(false, Ordering::SeqCst) {
            return proven;
        }
        let lost = ProviderError::new(ProviderErrorKind::Unavailable);
        Err(match self.fault {
            Fault::DeniesHavingActed => lost.before_acting(),
            _ => lost,
        })
    }

    /// Returns the identity, or asks for a choice.
    fn proven(&self, identity: &Identity) -> Result<Identity, ProviderError> {
        let organizations = self.organizations.lock().unwrap().clone();
        if organizations.is_empty() {
            return Ok(identity.clone());
        }
        let mut pending = self.pending.lock().unwrap();
        let token = PendingToken::new(format!("pending_{}", pending.len()));
        let until = self.clock.now() + Duration::from_secs(600);
        pending.push((identity.clone(), until, false));
        let choice = OrganizationChoice::new(token, organizations);
        Err(ProviderError::new(ProviderErrorKind::OrganizationRequired).with_choice(choice))
    }

    /// Mails, and returns whether what was mailed is handed over as well.
    fn deliver(&self, delivery: Delivery, mail: Mailed) -> bool {
        let is_mailed = delivery == Delivery::Provider;
        let is_sent = match self.fault {
            Fault::DropsMail => false,
            Fault::MailsWhatTheLayerMails => true,
            _ => is_mailed,
        };
        if is_sent {
            self.mails.lock().unwrap().push(mail);
        }
        !is_mailed || self.fault == Fault::HandsOverWhatItMailed
    }
}

impl IdentityProvider for Faulty {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        let code = format!("code_{}", self.made.lock().unwrap().len());
        let method = SignInMethod::MagicLink;
        self.make(code.clone(), start.email, method, start.link_lifetime);
        let state = match self.fault {
            Fault::LosesTheState => "",
            _ => start.state,
        };
        let link = Link::new(format!("{}?code={code}&state={state}", start.redirect_uri));
        let mail = Mailed::link(start.email.as_str(), link.clone());
        Ok(match self.deliver(start.delivery, mail) {
            true => Started::with_link(link),
            false => Started::mailed(),
        })
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let mut made = self.made.lock().unwrap();
        let refused = || {
            let error = ProviderError::new(ProviderErrorKind::Refused);
            match self.fault {
                Fault::PrintsCodes => {
                    error.with_source(format!("no code {}", finish.code.expose()))
                }
                _ => error,
            }
        };
        let known = made
            .iter_mut()
            .find(|made| made.code == finish.code.expose());
        let known = known.ok_or_else(refused)?;
        let is_over = known.until <= self.clock.now() && self.fault != Fault::LinksNeverExpire;
        if is_over || known.is_used && self.fault != Fault::LinksAreGoodTwice {
            return Err(refused());
        }
        known.is_used = true;
        if self.fault == Fault::BelievesTheAttempt {
            let subject = known.identity.subject();
            return Ok(Identity::new(subject, finish.email.clone()));
        }
        self.answer(self.proven(&known.identity))
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let code = format!("{:06}", 100_000 + 1_000 * self.made.lock().unwrap().len());
        let lifetime = match self.fault {
            Fault::CodesEndEarly => Duration::from_secs(300),
            _ => Duration::from_secs(600),
        };
        self.make(code.clone(), start.email, SignInMethod::MagicAuth, lifetime);
        let code = OneTimeCode::new(code);
        let mail = Mailed::code(start.email.as_str(), code.clone());
        Ok(match self.deliver(start.delivery, mail) {
            true => StartedCode::with_code(code, lifetime),
            false => StartedCode::mailed(lifetime),
        })
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let mut made = self.made.lock().unwrap();
        let known = made.iter_mut().rev().find(|made| {
            let is_address = made.identity.email() == finish.email;
            match self.fault {
                Fault::ReadsTheCodeAlone => made.code == finish.code.expose(),
                _ => is_address,
            }
        });
        let known = known.ok_or(ProviderErrorKind::CodeWrong)?;
        if known.wrong_tries >= 5 && self.fault != Fault::HasNoLimitOfTries {
            return Err(ProviderErrorKind::TooManyTries.into());
        }
        if known.code != finish.code.expose() {
            known.wrong_tries += 1;
            return Err(ProviderErrorKind::CodeWrong.into());
        }
        if known.is_used && self.fault != Fault::CodesAreGoodTwice {
            return Err(ProviderErrorKind::CodeUsed.into());
        }
        if known.until <= self.clock.now() && self.fault != Fault::CodesNeverExpire {
            return Err(ProviderErrorKind::CodeExpired.into());
        }
        known.is_used = true;
        self.answer(self.proven(&known.identity))
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        let mut pending = self.pending.lock().unwrap();
        let place = finish.pending.expose().strip_prefix("pending_");
        let place = place.and_then(|place| place.parse::<usize>().ok());
        let known = place.and_then(|place| pending.get_mut(place));
        let (identity, until, is_used) = known.ok_or(ProviderErrorKind::Refused)?;
        let is_over = *until <= self.clock.now() && self.fault != Fault::ChoicesNeverExpire;
        if is_over || *is_used && self.fault != Fault::ChoicesAreGoodTwice {
            return Err(ProviderErrorKind::Refused.into());
        }
        let organizations = self.organizations.lock().unwrap();
        let is_offered = |id: &str| organizations.iter().any(|offered| offered.id() == id);
        if !is_offered(finish.organization) && self.fault != Fault::TakesAnyOrganization {
            return Err(ProviderErrorKind::NotAllowed.into());
        }
        *is_used = true;
        let first = organizations.first().map(Organization::id);
        let organization = match (self.fault, first) {
            (Fault::ForgetsTheChoice, Some(first)) => first,
            _ => finish.organization,
        };
        let identity = identity.clone();
        self.answer(Ok(identity.with_organization(Some(organization.to_owned()))))
    }
}

/// A [`Faulty`] whose mails can be read.
pub(crate) struct Read(pub(crate) Faulty);

impl Trial for Read {
    type Provider = Faulty;

    fn provider(&self) -> &Faulty {
        &self.0
    }

    async fn outbox(&self) -> Option<Vec<Mailed>> {
        Some(self.0.mails.lock().unwrap().clone())
    }

    async fn lose_next_answer(&self) -> bool {
        self.0.loses_next_answer.store(true, Ordering::SeqCst);
        true
    }

    async fn join(&self, _: &Email, organization: Organization) -> Option<()> {
        self.0.organizations.lock().unwrap().push(organization);
        Some(())
    }
}
