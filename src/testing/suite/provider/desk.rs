//! `Desk`: a case's provider, and the steps from a mail to an identity.

use std::time::Duration;

use super::trial::{Mailed, Trial};
use crate::{
    email::Email,
    provider::{
        AuthorizationCode, Delivery, Finish, FinishCode, Identity, IdentityProvider, Link,
        OneTimeCode, ProviderError, ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    testing::{
        TestAttempt,
        suite::{
            World, email,
            report::{Miss, Outcome, same},
        },
    },
};

const REDIRECT_URI: &str = "https://app.example.com/auth/callback";
pub(super) const LIFETIME: Duration = Duration::from_secs(900);
/// The longest code of [`Started::with_code`].
const LONGEST_CODE: usize = 200;
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

/// A link that the layer would mail.
pub(super) struct Linked {
    attempt: TestAttempt,
    email: Email,
    leads: Leads,
}

enum Leads {
    /// To the callback, with this code: it is the layer's own.
    ByCode(AuthorizationCode),
    ByLink(Link),
}

/// What came back to the callback.
pub(super) struct Proof {
    attempt: TestAttempt,
    email: Email,
    pub(super) code: AuthorizationCode,
}

/// Six digits that the layer would mail.
pub(super) struct Digits {
    pub(super) attempt: TestAttempt,
    pub(super) code: OneTimeCode,
    pub(super) lifetime: Duration,
}

impl<T: Trial> Desk<T> {
    /// Begins an attempt.
    pub(super) fn attempt(&self) -> TestAttempt {
        TestAttempt::new(&self.world.clock)
    }

    pub(super) async fn start(
        &self,
        attempt: &TestAttempt,
        email: &Email,
        delivery: Delivery,
    ) -> Outcome<Started> {
        let state = state();
        let shown = attempt.show();
        let start = Start::new(shown, email, REDIRECT_URI, &state, LIFETIME, delivery);
        let started = self.trial.provider().start(&start).await;
        started.map_err(|error| failed("a sign-in that begins", &error))
    }

    /// Has a link made that the layer would mail.
    pub(super) async fn link(&self, email: &Email) -> Outcome<Linked> {
        let attempt = self.attempt();
        let started = self.start(&attempt, email, Delivery::Mailer).await?;
        let leads = match (started.link(), started.code()) {
            (Some(link), _) => Leads::ByLink(link.clone()),
            (None, Some(code)) => Leads::ByCode(code.clone()),
            (None, None) => return Err(Miss::failed("a link for the layer to mail", "none")),
        };
        let email = email.clone();
        Ok(Linked {
            attempt,
            email,
            leads,
        })
    }

    /// Opens a link, and returns what comes back to the callback, if anything does.
    pub(super) async fn follow(&self, linked: &Linked) -> Outcome<Option<Proof>> {
        let code = match &linked.leads {
            Leads::ByCode(code) => {
                let code = code.expose();
                let is_visible = code.bytes().all(|byte| byte.is_ascii_graphic());
                same("a code of visible ASCII", &is_visible, &true)?;
                let has_room = (1..=LONGEST_CODE).contains(&code.len());
                same("a code that a link has room for", &has_room, &true)?;
                // The layer refuses its own link after its lifetime.
                let age = linked.attempt.show().begun_at().until(self.world.now());
                Some(AuthorizationCode::new(code)).filter(|_| age < LIFETIME)
            }
            Leads::ByLink(link) => self.code_behind(link).await?,
        };
        Ok(code.map(|code| Proof {
            attempt: linked.attempt.clone(),
            email: linked.email.clone(),
            code,
        }))
    }

    /// Follows a link of the provider's, and returns the code with which that leads back, if it
    /// does with one.
    async fn code_behind(&self, link: &Link) -> Outcome<Option<AuthorizationCode>> {
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

    /// Returns what a mail of the provider's own, of this attempt, leads back with.
    pub(super) async fn follow_mailed(
        &self,
        attempt: TestAttempt,
        email: Email,
        link: Link,
    ) -> Outcome<Option<Proof>> {
        let leads = Leads::ByLink(link);
        self.follow(&Linked {
            attempt,
            email,
            leads,
        })
        .await
    }

    /// Has a link made and opens it.
    pub(super) async fn proof(&self, email: &Email) -> Outcome<Proof> {
        let link = self.link(email).await?;
        let proof = self.follow(&link).await?;
        proof.ok_or(Miss::failed("a code", "none"))
    }

    /// Returns a code that was never made, in an attempt of a person.
    pub(super) fn invented(&self, email: Email) -> Proof {
        Proof {
            attempt: self.attempt(),
            email,
            code: AuthorizationCode::new("a_code_that_was_never_made"),
        }
    }

    /// Returns the same code, in another attempt at an address.
    pub(super) fn in_attempt_of(&self, proof: &Proof, email: Email) -> Proof {
        Proof {
            attempt: self.attempt(),
            email,
            code: proof.code.clone(),
        }
    }

    pub(super) async fn redeem(&self, proof: &Proof) -> Result<Identity, ProviderError> {
        let shown = proof.attempt.show();
        let finish = Finish::new(shown, &proof.code, &proof.email, LIFETIME);
        self.trial.provider().finish(&finish).await
    }

    pub(super) async fn finish(&self, proof: &Proof) -> Result<Identity, ProviderErrorKind> {
        self.redeem(proof).await.map_err(|error| error.kind())
    }

    pub(super) async fn finished(&self, proof: &Proof) -> Outcome<Identity> {
        let identity = self.finish(proof).await;
        identity.map_err(|kind| Miss::failed("an identity", kind))
    }

    /// Has six digits made, unless the provider has none.
    pub(super) async fn start_code(
        &self,
        attempt: &TestAttempt,
        email: &Email,
        delivery: Delivery,
    ) -> Outcome<StartedCode> {
        let start = StartCode::new(attempt.show(), email, delivery);
        let started = self.trial.provider().start_code(&start).await;
        started.map_err(|error| match error.kind() {
            ProviderErrorKind::Unsupported => Miss::Skipped("the provider has no codes"),
            _ => failed("a code that is made", &error),
        })
    }

    /// Returns how long a typed code lives, as the provider says beforehand.
    pub(super) fn code_lifetime(&self) -> Duration {
        self.trial.provider().abilities().code_lifetime()
    }

    /// Has six digits made that the layer would mail.
    pub(super) async fn digits(&self, email: &Email) -> Outcome<Digits> {
        let attempt = self.attempt();
        let started = self.start_code(&attempt, email, Delivery::Mailer).await?;
        let code = started.code().cloned();
        let code = code.ok_or(Miss::failed("a code for the layer to mail", "none"))?;
        let lifetime = started.lifetime();
        Ok(Digits {
            attempt,
            code,
            lifetime,
        })
    }

    pub(super) async fn typed(
        &self,
        attempt: &TestAttempt,
        email: &Email,
        code: &OneTimeCode,
    ) -> Result<Identity, ProviderError> {
        let finish = FinishCode::new(attempt.show(), code, email);
        self.trial.provider().finish_code(&finish).await
    }

    /// Types a code, which is refused as one that is not good.
    pub(super) async fn typed_in_vain(
        &self,
        what: &str,
        attempt: &TestAttempt,
        email: &Email,
        code: &OneTimeCode,
    ) -> Outcome {
        match self.typed(attempt, email, code).await {
            Err(error) if NOT_GOOD.contains(&error.kind()) => Ok(()),
            Err(error) => Err(failed(&format!("{what} to be refused as such"), &error)),
            Ok(_) => Err(Miss::failed(
                &format!("{what} to be refused"),
                "an identity",
            )),
        }
    }

    /// Skips a case of the provider's own mails, where it has none.
    pub(super) fn mails(&self) -> Outcome {
        match self.trial.provider().abilities().mails() {
            true => Ok(()),
            false => Err(Miss::Skipped("the provider mails nothing")),
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
