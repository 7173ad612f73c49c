//! `StubProvider`: proves addresses without mail.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    email::Email,
    provider::{
        Abilities, Delivery, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, Link,
        OneTimeCode, Organization, OrganizationChoice, PendingToken, ProviderError,
        ProviderErrorKind, SignInMethod, Start, StartCode, Started, StartedCode,
    },
    session::SessionId,
};

/// The lifetime that the stub states for its six digits. They never expire.
const STUB_CODE_LIFETIME: Duration = Duration::from_secs(600);
/// Those of WorkOS.
const LINK_LIFETIMES: RangeInclusive<Duration> =
    Duration::from_secs(900)..=Duration::from_secs(86_400);
/// As many wrong tries as the emulator of WorkOS accepts.
const MOST_WRONG_TRIES: u32 = 10;

/// A provider that sends no mail. The test takes the link from [`StubProvider::last_link`], which
/// leads straight to the callback, or types the six digits of [`StubProvider::last_code`].
///
/// Each code is good once. Six digits are good only for the address that they were made for, until
/// newer ones are made, or until ten wrong ones are typed. A person of several organizations is
/// asked which one it is. Clones are the same provider.
#[derive(Clone, Debug, Default)]
pub struct StubProvider(Arc<Stub>);

#[derive(Debug, Default)]
struct Stub {
    started: AtomicUsize,
    finished: AtomicUsize,
    loses_next_answer: AtomicBool,
    codes: Mutex<HashMap<String, Identity>>,
    last_link: Mutex<Option<Link>>,
    last_code: Mutex<Option<OneTimeCode>>,
    /// By address in lower case. Redeemed digits stay.
    digits: Mutex<HashMap<String, Digits>>,
    /// By address in lower case.
    memberships: Mutex<HashMap<String, Vec<Organization>>>,
    /// By pending token.
    pending: Mutex<HashMap<String, Identity>>,
}

#[derive(Debug)]
struct Digits {
    code: OneTimeCode,
    is_used: bool,
    wrong_tries: u32,
}

impl StubProvider {
    /// Makes a provider that has begun no sign-in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns where the last link leads: the callback, with its code and state.
    #[must_use]
    pub fn last_link(&self) -> Option<Link> {
        lock(&self.0.last_link).clone()
    }

    /// Returns the newest six digits.
    #[must_use]
    pub fn last_code(&self) -> Option<OneTimeCode> {
        lock(&self.0.last_code).clone()
    }

    /// Makes a code that yields an identity.
    pub fn code_for(&self, identity: Identity) -> String {
        let mut codes = lock(&self.0.codes);
        let id = SessionId::from_bytes(crate::random::bytes()).to_string();
        let code = ["code_", &id].concat();
        codes.insert(code.clone(), identity);
        code
    }

    /// Has the next good code or choice be redeemed and its answer get lost, as when a connection
    /// breaks: the person is then offered a new mail.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_magic_link::{
    ///     Email,
    ///     provider::{AuthorizationCode, Finish, Identity, IdentityProvider, ProviderErrorKind},
    ///     testing::{ManualClock, StubProvider, TestAttempt},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let provider = StubProvider::new();
    /// let email = Email::parse("ada@example.com")?;
    /// let code = provider.code_for(Identity::new("user_1", email.clone()));
    /// let code = AuthorizationCode::new(code);
    /// let attempt = TestAttempt::new(&ManualClock::new());
    /// let finish = Finish::new(attempt.show(), &code, &email, Duration::from_secs(900));
    /// provider.lose_next_answer();
    /// let lost = provider.finish(&finish).await.unwrap_err();
    /// assert!(lost.may_have_acted());
    /// let used = provider.finish(&finish).await.unwrap_err();
    /// assert_eq!(used.kind(), ProviderErrorKind::Refused);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lose_next_answer(&self) {
        self.0.loses_next_answer.store(true, Ordering::SeqCst);
    }

    /// Makes a person a member of an organization. A member of one signs in to it; a member of
    /// several is asked which one, by a link as by six digits.
    pub fn add_membership(&self, email: &Email, organization: Organization) {
        let mut memberships = lock(&self.0.memberships);
        let address = email.as_str().to_ascii_lowercase();
        memberships.entry(address).or_default().push(organization);
    }

    /// Returns the identity, or asks for a choice.
    fn proven(&self, identity: Identity) -> Result<Identity, ProviderError> {
        let memberships = lock(&self.0.memberships);
        let address = identity.email().as_str().to_ascii_lowercase();
        let organizations = memberships.get(&address).map(Vec::as_slice);
        match organizations.unwrap_or_default() {
            [] => Ok(identity),
            [only] => Ok(identity.with_organization(Some(only.id().to_owned()))),
            several => {
                let token = SessionId::from_bytes(crate::random::bytes());
                let token = PendingToken::new(format!("pending_{token}"));
                let mut pending = lock(&self.0.pending);
                pending.insert(token.expose().to_owned(), identity);
                let choice = OrganizationChoice::new(token, several.iter().cloned());
                let error = ProviderError::new(ProviderErrorKind::OrganizationRequired);
                Err(error.with_choice(choice))
            }
        }
    }

    /// Returns how many sign-ins were begun.
    #[must_use]
    pub fn started(&self) -> usize {
        self.0.started.load(Ordering::SeqCst)
    }

    /// Returns how many codes and choices came back, good or not.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.0.finished.load(Ordering::SeqCst)
    }

    /// Returns what was proven, unless the answer is to get lost.
    fn answer(&self, proven: Result<Identity, ProviderError>) -> Result<Identity, ProviderError> {
        match self.0.loses_next_answer.swap(false, Ordering::SeqCst) {
            true => Err(ProviderErrorKind::Unavailable.into()),
            false => proven,
        }
    }
}

impl IdentityProvider for StubProvider {
    fn abilities(&self) -> Abilities {
        Abilities::new().with_link_lifetimes(LINK_LIFETIMES)
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.started.fetch_add(1, Ordering::SeqCst);
        let identity = identity_of(start.email.clone());
        let code = self.code_for(identity);
        let parts = [start.redirect_uri, "?code=", &code, "&state=", start.state];
        let link = Link::new(parts.concat());
        *lock(&self.0.last_link) = Some(link.clone());
        Ok(match start.delivery {
            Delivery::Mailer => Started::with_link(link),
            Delivery::Provider => Started::mailed(),
        })
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        // Removed under the lock, so that of several redemptions at once one succeeds.
        let identity = lock(&self.0.codes).remove(finish.code.expose());
        let proven = self.proven(identity.ok_or(ProviderErrorKind::Refused)?);
        self.answer(proven)
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.0.started.fetch_add(1, Ordering::SeqCst);
        let number = u32::from_be_bytes(crate::random::bytes()) % 1_000_000;
        let code = OneTimeCode::new(format!("{number:06}"));
        let address = start.email.as_str().to_ascii_lowercase();
        let digits = Digits {
            code: code.clone(),
            is_used: false,
            wrong_tries: 0,
        };
        lock(&self.0.digits).insert(address, digits);
        *lock(&self.0.last_code) = Some(code.clone());
        Ok(match start.delivery {
            Delivery::Mailer => StartedCode::with_code(code, STUB_CODE_LIFETIME),
            Delivery::Provider => StartedCode::mailed(STUB_CODE_LIFETIME),
        })
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        let address = finish.email.as_str().to_ascii_lowercase();
        let mut digits = lock(&self.0.digits);
        let Some(known) = digits.get_mut(&address) else {
            return Err(ProviderErrorKind::CodeWrong.into());
        };
        if known.wrong_tries >= MOST_WRONG_TRIES {
            return Err(ProviderErrorKind::TooManyTries.into());
        }
        if known.code != *finish.code {
            known.wrong_tries += 1;
            return Err(ProviderErrorKind::CodeWrong.into());
        }
        if known.is_used {
            return Err(ProviderErrorKind::CodeUsed.into());
        }
        known.is_used = true;
        let subject = id_of("user", finish.email);
        let identity = Identity::new(subject, finish.email.clone());
        let proven = self.proven(identity.with_method(SignInMethod::MagicAuth));
        self.answer(proven)
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        let mut pending = lock(&self.0.pending);
        let token = finish.pending.expose();
        let identity = pending.get(token).ok_or(ProviderErrorKind::Refused)?;
        let memberships = lock(&self.0.memberships);
        let address = identity.email().as_str().to_ascii_lowercase();
        let organizations = memberships.get(&address).map(Vec::as_slice);
        let mut organizations = organizations.unwrap_or_default().iter();
        if !organizations.any(|organization| organization.id() == finish.organization) {
            return Err(ProviderErrorKind::NotAllowed.into());
        }
        let identity = pending.remove(token).ok_or(ProviderErrorKind::Refused)?;
        self.answer(Ok(
            identity.with_organization(Some(finish.organization.to_owned()))
        ))
    }
}

/// Returns the identity that the stub proves for an address. Each address has one subject, which
/// does not reveal it.
pub(super) fn identity_of(email: Email) -> Identity {
    Identity::new(id_of("prof", &email), email)
}

fn id_of(kind: &str, email: &Email) -> String {
    let hash = Sha256::digest(email.as_str().to_ascii_lowercase());
    let id = hash.first_chunk::<16>().copied().unwrap_or_default();
    [kind, "_", &SessionId::from_bytes(id).to_string()].concat()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualClock, TestAttempt};

    #[tokio::test]
    async fn a_stub_takes_six_digits_once_and_for_their_address_alone() {
        let provider = StubProvider::new();
        let ada = Email::parse("ada@example.com").unwrap();
        let eve = Email::parse("eve@example.com").unwrap();
        let attempt = TestAttempt::new(&ManualClock::new());
        let start = StartCode::new(attempt.show(), &ada, Delivery::Mailer);
        let older = provider.start_code(&start).await.unwrap();
        let older = older.code().unwrap().clone();
        let mut started = provider.start_code(&start).await.unwrap();
        while started.code() == Some(&older) {
            started = provider.start_code(&start).await.unwrap();
        }
        let code = started.code().unwrap().clone();
        assert_eq!(provider.last_code().as_ref(), Some(&code));

        let finish = async |email: &Email, code: &OneTimeCode| {
            let finish = FinishCode::new(attempt.show(), code, email);
            let got = provider.finish_code(&finish).await;
            got.map_err(|error| error.kind())
        };
        let wrong = Err(ProviderErrorKind::CodeWrong);
        assert_eq!(finish(&eve, &code).await, wrong, "another's");
        assert_eq!(finish(&ada, &older).await, wrong, "an older one");
        let identity = finish(&ada, &code).await.unwrap();
        assert_eq!(identity.method(), SignInMethod::MagicAuth);
        assert!(identity.subject().starts_with("user_"));
        assert_eq!(identity.email(), &ada);
        assert_eq!(finish(&ada, &code).await, Err(ProviderErrorKind::CodeUsed));
    }
}
