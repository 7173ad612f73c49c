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
        AuthorizationCode, Delivery, FinishCode, Identity, IdentityProvider, Link, OneTimeCode,
        ProviderError, ProviderErrorKind, SignInMethod, Start, StartCode, Started, StartedCode,
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
    CodesAreGoodTwice,
    CodesNeverExpire,
    DeniesHavingActed,
    DropsMail,
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
}

/// A provider in memory. Its links lead to the callback at once.
pub(crate) struct Faulty {
    fault: Fault,
    clock: ManualClock,
    loses_next_answer: AtomicBool,
    made: Mutex<Vec<Made>>,
    mails: Mutex<Vec<Mailed>>,
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
    fn answer(&self, identity: &Identity) -> Result<Identity, ProviderError> {
        if !self.loses_next_answer.swap(false, Ordering::SeqCst) {
            return Ok(identity.clone());
        }
        let lost = ProviderError::new(ProviderErrorKind::Unavailable);
        Err(match self.fault {
            Fault::DeniesHavingActed => lost.before_acting(),
            _ => lost,
        })
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

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        let mut made = self.made.lock().unwrap();
        let refused = || {
            let error = ProviderError::new(ProviderErrorKind::Refused);
            match self.fault {
                Fault::PrintsCodes => error.with_source(format!("no code {}", code.expose())),
                _ => error,
            }
        };
        let known = made.iter_mut().find(|made| made.code == code.expose());
        let known = known.ok_or_else(refused)?;
        let is_over = known.until <= self.clock.now() && self.fault != Fault::LinksNeverExpire;
        if is_over || known.is_used && self.fault != Fault::LinksAreGoodTwice {
            return Err(refused());
        }
        known.is_used = true;
        self.answer(&known.identity)
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let code = format!("{:06}", 100_000 + 1_000 * self.made.lock().unwrap().len());
        let lifetime = Duration::from_secs(600);
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
        self.answer(&known.identity)
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
}
