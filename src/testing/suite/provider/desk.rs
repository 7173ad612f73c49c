//! `Desk`: a case's provider, and the steps from a mail to an identity.

use std::time::Duration;

use super::trial::{Mailed, Trial};
use crate::{
    email::Email,
    provider::{
        AuthorizationCode, Delivery, FinishCode, Identity, IdentityProvider, Link, OneTimeCode,
        ProviderError, ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    testing::suite::{
        World, email,
        report::{Miss, Outcome, same},
    },
};

const REDIRECT_URI: &str = "https://app.example.com/auth/callback";
pub(super) const LIFETIME: Duration = Duration::from_secs(900);
/// Kinds of a code that was typed and is not good.
pub(super) const NOT_GOOD: [ProviderErrorKind; 4] = [
    ProviderErrorKind::CodeExpired,
    ProviderErrorKind::CodeUsed,
    ProviderErrorKind::CodeWrong,
    ProviderErrorKind::TooManyTries,
];

pub(super) struct Desk<T> {
    pub(super) world: World,
    pub(super) trial: T,
}

impl<T> From<(World, T)> for Desk<T> {
    fn from((world, trial): (World, T)) -> Self {
        Self { world, trial }
    }
}

pub(super) fn ada() -> Email {
    email("ada@example.com")
}

pub(super) fn eve() -> Email {
    email("eve@example.com")
}

/// Every character of base64url, and nearly the longest that a state may be.
fn state() -> String {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".repeat(15)
}

fn failed(what: &str, error: &ProviderError) -> Miss {
    Miss::failed(what, error)
}

impl<T: Trial> Desk<T> {
    pub(super) async fn start(&self, email: &Email, delivery: Delivery) -> Outcome<Started> {
        let state = state();
        let start = Start::new(email, REDIRECT_URI, &state, LIFETIME, delivery);
        let started = self.trial.provider().start(&start).await;
        started.map_err(|error| failed("a sign-in that begins", &error))
    }

    /// Has a link made that the layer would mail.
    pub(super) async fn link(&self, email: &Email) -> Outcome<Link> {
        let started = self.start(email, Delivery::Mailer).await?;
        let link = started.link().cloned();
        link.ok_or(Miss::failed("a link for the layer to mail", "none"))
    }

    /// Follows a link, and returns the code with which that leads back, if it does with one.
    pub(super) async fn follow(&self, link: &Link) -> Outcome<Option<AuthorizationCode>> {
        let callback = self.trial.follow(link).await;
        let (place, query) = callback.split_once('?').unwrap_or((&callback, ""));
        same("where a link leads", &place, &REDIRECT_URI)?;
        let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let named = |name: &str| {
            let fields = fields.iter().filter(|(field, _)| field == name);
            fields
                .map(|(_, value)| value.as_ref())
                .collect::<Vec<&str>>()
        };
        same("the state", &named("state"), &vec![state().as_str()])?;
        match named("code").as_slice() {
            [] => Ok(None),
            [code] => Ok(Some(AuthorizationCode::new(*code))),
            codes => Err(Miss::failed("one code", codes.len())),
        }
    }

    /// Has a link made and follows it.
    pub(super) async fn code(&self, email: &Email) -> Outcome<AuthorizationCode> {
        let link = self.link(email).await?;
        let code = self.follow(&link).await?;
        code.ok_or(Miss::failed("a code", "none"))
    }

    pub(super) async fn finish(
        &self,
        code: &AuthorizationCode,
    ) -> Result<Identity, ProviderErrorKind> {
        let identity = self.trial.provider().finish(code).await;
        identity.map_err(|error| error.kind())
    }

    pub(super) async fn finished(&self, code: &AuthorizationCode) -> Outcome<Identity> {
        let identity = self.finish(code).await;
        identity.map_err(|kind| Miss::failed("an identity", kind))
    }

    /// Has six digits made, unless the provider has none.
    pub(super) async fn start_code(
        &self,
        email: &Email,
        delivery: Delivery,
    ) -> Outcome<StartedCode> {
        let start = StartCode::new(email, delivery, None, None);
        let started = self.trial.provider().start_code(&start).await;
        started.map_err(|error| match error.kind() {
            ProviderErrorKind::Unsupported => Miss::Skipped("the provider has no codes"),
            _ => failed("a code that is made", &error),
        })
    }

    /// Has six digits made that the layer would mail.
    pub(super) async fn digits(&self, email: &Email) -> Outcome<(OneTimeCode, Duration)> {
        let started = self.start_code(email, Delivery::Mailer).await?;
        let code = started.code().cloned();
        let code = code.ok_or(Miss::failed("a code for the layer to mail", "none"))?;
        Ok((code, started.lifetime()))
    }

    pub(super) async fn typed(
        &self,
        email: &Email,
        code: &OneTimeCode,
    ) -> Result<Identity, ProviderError> {
        let finish = FinishCode::new(code, email, None, None);
        self.trial.provider().finish_code(&finish).await
    }

    /// Types a code, which is refused as one that is not good.
    pub(super) async fn typed_in_vain(
        &self,
        what: &str,
        email: &Email,
        code: &OneTimeCode,
    ) -> Outcome {
        match self.typed(email, code).await {
            Err(error) if NOT_GOOD.contains(&error.kind()) => Ok(()),
            Err(error) => Err(failed(&format!("{what} to be refused as such"), &error)),
            Ok(_) => Err(Miss::failed(
                &format!("{what} to be refused"),
                "an identity",
            )),
        }
    }

    /// Returns the mails of the provider, where the test can read them.
    pub(super) async fn outbox(&self) -> Outcome<Vec<Mailed>> {
        let mails = self.trial.outbox().await;
        mails.ok_or(Miss::Skipped("the trial has no outbox"))
    }

    /// Returns the one mail that was sent to an address.
    pub(super) async fn mail_to(&self, email: &Email) -> Outcome<Mailed> {
        let mails = self.outbox().await?;
        let [mail] = mails.as_slice() else {
            return Err(Miss::failed("one mail", mails.len()));
        };
        if !mail.to.eq_ignore_ascii_case(email.as_str()) {
            return Err(Miss::failed("a mail to its address", "one to another"));
        }
        Ok(mail.clone())
    }

    /// Has the next answer get lost, where the trial can do that.
    pub(super) async fn lose_next_answer(&self) -> Outcome {
        match self.trial.lose_next_answer().await {
            true => Ok(()),
            false => Err(Miss::Skipped("the trial cannot lose an answer")),
        }
    }

    /// Lets time pass, where the provider goes by the clock of its world.
    pub(super) fn pass(&self, time: Duration) -> Outcome {
        if !self.world.is_clock_taken() {
            return Err(Miss::Skipped("the factory did not take the clock"));
        }
        self.world.advance(time);
        Ok(())
    }
}
