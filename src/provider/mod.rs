//! The provider port: how an address is proven to belong to a person.
//!
//! - [`IdentityProvider::start`] begins a sign-in. It makes a single-use link that leads to the
//!   layer's callback with a code, or the code alone, for the layer's own mailed link.
//! - [`IdentityProvider::finish`] redeems the code that comes back.
//! - [`IdentityProvider::start_code`] and [`IdentityProvider::finish_code`] do the same with a code
//!   that the person types. A provider without codes keeps the default methods.
//! - If the person belongs to several organizations, either may ask for a choice, which
//!   [`IdentityProvider::finish_choice`] redeems. A provider that never asks keeps the default.
//! - Each call brings its [`Attempt`]: the layer's time, what is known of the client, secrets to
//!   derive codes from, and a place to count.
//! - The result is an [`Identity`]. The layer, not the provider, binds it to the browser and the
//!   address that began the sign-in.
//!
//! Two providers ship with the crate: `WorkOs` (feature `workos`), and [`MailedLinks`], which needs
//! nobody but the layer's own mailer.

use std::future::{self, Future};

use crate::{check::Line, clock::Timestamp};

mod abilities;
pub(crate) mod attempt;
mod choice;
mod code;
mod erased;
mod error;
mod identity;
mod link;
mod mailed_links;
mod two;
#[cfg(feature = "workos")]
pub(crate) mod workos;

pub use self::{
    abilities::Abilities,
    attempt::{Attempt, AttemptId},
    choice::{FinishChoice, Organization, OrganizationChoice, PendingToken},
    code::{FinishCode, OneTimeCode, StartCode, StartedCode},
    error::{ProviderError, ProviderErrorKind},
    identity::{Identity, SignInMethod},
    link::{AuthorizationCode, Delivery, Finish, Link, Start, Started},
    mailed_links::MailedLinks,
    two::TwoProviders,
};
pub(crate) use self::{erased::ErasedProvider, link::Made};

/// Makes links and codes, and redeems them. Implementers write plain `async fn`.
///
/// The layer waits six minutes for each call, and takes a later answer for
/// [`ProviderErrorKind::TimedOut`]. A limit of your own should be far shorter: at most 2,048 mails
/// are under way, and further people get none.
///
/// The suite in `testing::suite::provider` (feature `test-util`) checks an implementation. This one
/// passes it:
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{
///     Email,
///     provider::{
///         Abilities, Attempt, AuthorizationCode, Finish, FinishCode, Identity, IdentityProvider, OneTimeCode,
///         ProviderError, ProviderErrorKind as Kind, SignInMethod, Start, StartCode, Started, StartedCode,
///     },
/// };
/// # struct Accounts;
/// # impl Accounts {
/// #     async fn id_of(&self, email: &Email) -> Result<String, std::io::Error> { Ok(format!("account-{}", email.as_str().bytes().map(u64::from).sum::<u64>())) }
/// # }
///
/// const CODE_LIFETIME: Duration = Duration::from_secs(600);
///
/// /// The layer mails its links and digits. It stores nothing but accounts, by address.
/// struct OurAccounts(Accounts);
///
/// impl OurAccounts {
///     fn code(attempt: &Attempt<'_>) -> AuthorizationCode {
///         AuthorizationCode::new(format!("{:032x}", u128::from_be_bytes(attempt.secret("link"))))
///     }
///
///     fn digits(attempt: &Attempt<'_>, email: &Email) -> OneTimeCode {
///         let drawn = attempt.secret(&format!("digits for {}", email.as_str()));
///         OneTimeCode::new(format!("{:06}", u128::from_be_bytes(drawn) % 1_000_000))
///     }
///
///     /// The attempt signs in once. An outage of the count is no answer: the person tries again.
///     async fn once(&self, attempt: &Attempt<'_>, email: &Email, used: Kind) -> Result<Identity, ProviderError> {
///         let unknown = |error| ProviderError::new(Kind::Unavailable).before_acting().with_source(error);
///         let account = self.0.id_of(email).await.map_err(|_| Kind::Unavailable)?;
///         match attempt.take_try("sign-in", 1).await.map_err(unknown)? {
///             true => Ok(Identity::new(account, email.clone())),
///             false => Err(used.into()),
///         }
///     }
/// }
///
/// impl IdentityProvider for OurAccounts {
///     fn abilities(&self) -> Abilities {
///         Abilities::new().without_mail()
///     }
///
///     async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
///         Ok(Started::with_code(Self::code(&start.attempt)))
///     }
///
///     async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
///         // The layer opens no link after its lifetime. The code has a minute more, for the redirect.
///         let age = finish.attempt.begun_at().until(finish.attempt.now());
///         let is_late = age > finish.link_lifetime + Duration::from_secs(60);
///         if *finish.code != Self::code(&finish.attempt) || is_late {
///             return Err(Kind::Refused.into());
///         }
///         self.once(&finish.attempt, finish.email, Kind::Refused).await
///     }
///
///     async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
///         Ok(StartedCode::with_code(Self::digits(&start.attempt, start.email), CODE_LIFETIME))
///     }
///
///     async fn finish_code(&self, FinishCode { attempt, code, email, .. }: &FinishCode<'_>) -> Result<Identity, ProviderError> {
///         let unknown = |error| ProviderError::new(Kind::Unavailable).before_acting().with_source(error);
///         if !attempt.take_try("guess", 5).await.map_err(unknown)? {
///             return Err(Kind::TooManyTries.into());
///         }
///         if **code != Self::digits(attempt, email) {
///             return Err(Kind::CodeWrong.into());
///         }
///         if attempt.begun_at().until(attempt.now()) >= CODE_LIFETIME || !attempt.is_newest() {
///             return Err(Kind::CodeExpired.into());
///         }
///         let identity = self.once(attempt, email, Kind::CodeUsed).await?;
///         Ok(identity.with_method(SignInMethod::MagicAuth))
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # tower_magic_link::testing::suite::provider::run(async |world| { let _ = world.clock(); OurAccounts(Accounts) }).await.assert();
/// # }
/// ```
pub trait IdentityProvider: Send + Sync + 'static {
    /// Says what the provider can do, when the layer is built. Default: [`Abilities::new`].
    fn abilities(&self) -> Abilities {
        Abilities::new()
    }

    /// Begins a sign-in for [`Start::email`]. It makes a single-use link that leads to
    /// [`Start::redirect_uri`] with a `code` and the unchanged `state` in its query, and mails the
    /// link if [`Start::delivery`] says so. A provider without a site makes the code alone
    /// ([`Started::with_code`]).
    ///
    /// # Errors
    ///
    /// When no link could be made or mailed. The person can try again.
    fn start(
        &self,
        start: &Start<'_>,
    ) -> impl Future<Output = Result<Started, ProviderError>> + Send;

    /// Redeems a code from the callback. A code must work only once, and prove the address that it
    /// was made for: whoever visits the callback chooses which code comes with which attempt.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the code is used, expired or unknown; other kinds when
    /// the provider could not decide. If the code was certainly not redeemed, say so by
    /// [`ProviderError::before_acting`]: the person then tries it again, and needs no new mail.
    fn finish(
        &self,
        finish: &Finish<'_>,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send;

    /// Makes a six-digit code for [`StartCode::email`], and mails it if [`StartCode::delivery`]
    /// says so. The default is a provider without codes.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Unsupported`] when the provider has no codes; other kinds when no code
    /// could be made or mailed.
    fn start_code(
        &self,
        start: &StartCode<'_>,
    ) -> impl Future<Output = Result<StartedCode, ProviderError>> + Send {
        let _ = start;
        future::ready(Err(ProviderErrorKind::Unsupported.into()))
    }

    /// Redeems a code that a person typed. The provider must accept a code only once, for a few
    /// minutes, within a few tries, and for the address that it was made for.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::CodeWrong`], [`CodeExpired`](ProviderErrorKind::CodeExpired),
    /// [`CodeUsed`](ProviderErrorKind::CodeUsed) or
    /// [`TooManyTries`](ProviderErrorKind::TooManyTries) when the code is not good;
    /// [`StepUpRequired`](ProviderErrorKind::StepUpRequired) when it is good but not enough; other
    /// kinds when the provider could not decide, with [`ProviderError::before_acting`] as in
    /// [`finish`](Self::finish).
    fn finish_code(
        &self,
        finish: &FinishCode<'_>,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send {
        let _ = finish;
        future::ready(Err(ProviderErrorKind::Unsupported.into()))
    }

    /// Finishes a sign-in in the organization that was chosen, after [`finish`](Self::finish) or
    /// [`finish_code`](Self::finish_code) has asked for that with
    /// [`ProviderErrorKind::OrganizationRequired`]. The provider must accept a token only once, for
    /// a few minutes, and for the organizations of its choice. The identity must name the
    /// organization: the layer refuses any other. The default is a provider that never asks.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the token is used, expired or unknown;
    /// [`NotAllowed`](ProviderErrorKind::NotAllowed) when the person does not belong to the
    /// organization; [`StepUpRequired`](ProviderErrorKind::StepUpRequired) when the organization
    /// asks for more; other kinds when the provider could not decide. If the token was certainly
    /// not used, say so by [`ProviderError::before_acting`]: the page then asks again, and the
    /// person needs no new mail.
    fn finish_choice(
        &self,
        finish: &FinishChoice<'_>,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send {
        let _ = finish;
        future::ready(Err(ProviderErrorKind::Unsupported.into()))
    }

    /// Checks whether the provider can be reached and takes our credentials, for
    /// [`MagicLinkLayer::check`](crate::MagicLinkLayer::check). It must send no mail and change
    /// nothing, and has 30 seconds. `now` is the layer's time when the check began. Default: no
    /// line, so that the report says that it was not checked.
    fn check(&self, now: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        let _ = now;
        future::ready(Vec::new())
    }
}
