//! A provider of an application's own: the layer mails links and digits, and the application knows
//! whose account an address is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tower_magic_link::{
    Email,
    provider::{
        Abilities, Attempt, AuthorizationCode, Finish, FinishCode, Identity, IdentityProvider,
        OneTimeCode, ProviderError as Error, ProviderErrorKind as Kind, SignInMethod, Start,
        StartCode, Started, StartedCode,
    },
    store::StoreError,
};

const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// How long a link that was opened in time takes to come back.
const REDIRECT: Duration = Duration::from_secs(60);

/// The accounts of the application: their names, by address.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<HashMap<Email, String>>);

impl Accounts {
    fn name_of(&self, email: &Email) -> String {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = format!("account-{}", names.len());
        names.entry(email.clone()).or_insert(next).clone()
    }
}

/// Stores nothing but accounts: link and digits follow from the attempt.
#[derive(Debug, Default)]
pub struct OurAccounts(Accounts);

impl OurAccounts {
    async fn once(&self, of: &Attempt<'_>, email: &Email, used: Kind) -> Result<Identity, Error> {
        match of.take_try("sign-in", 1).await.map_err(unknown)? {
            true => Ok(Identity::new(self.0.name_of(email), email.clone())),
            false => Err(used.into()),
        }
    }
}

impl IdentityProvider for OurAccounts {
    fn abilities(&self) -> Abilities {
        Abilities::new().without_mail()
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, Error> {
        Ok(Started::with_code(code(&start.attempt)))
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, Error> {
        let Finish { attempt, email, .. } = finish;
        if *finish.code != code(attempt) || age(attempt) > finish.link_lifetime + REDIRECT {
            return Err(Kind::Refused.into());
        }
        self.once(attempt, email, Kind::Refused).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, Error> {
        let digits = digits(&start.attempt, start.email);
        Ok(StartedCode::with_code(digits, CODE_LIFETIME))
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, Error> {
        let FinishCode { attempt, email, .. } = finish;
        if !attempt.take_try("guess", 5).await.map_err(unknown)? {
            return Err(Kind::TooManyTries.into());
        }
        if *finish.code != digits(attempt, email) {
            return Err(Kind::CodeWrong.into());
        }
        if age(attempt) >= CODE_LIFETIME || !attempt.is_newest() {
            return Err(Kind::CodeExpired.into());
        }
        let identity = self.once(attempt, email, Kind::CodeUsed).await?;
        Ok(identity.with_method(SignInMethod::MagicAuth))
    }
}

fn code(attempt: &Attempt<'_>) -> AuthorizationCode {
    let drawn = u128::from_be_bytes(attempt.secret("link"));
    AuthorizationCode::new(format!("{drawn:032x}"))
}

fn digits(attempt: &Attempt<'_>, email: &Email) -> OneTimeCode {
    let drawn = u128::from_be_bytes(attempt.secret(&format!("digits for {}", email.as_str())));
    OneTimeCode::new(format!("{:06}", drawn % 1_000_000))
}

fn age(attempt: &Attempt<'_>) -> Duration {
    attempt.begun_at().until(attempt.now())
}

/// The count is away, and nothing is used up: the person tries again.
fn unknown(error: StoreError) -> Error {
    let unknown = Error::new(Kind::Unavailable).before_acting();
    unknown.with_source(error)
}
