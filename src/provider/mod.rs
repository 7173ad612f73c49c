//! The provider port: how an address is proven to belong to a person.
//!
//! - [`IdentityProvider::start`] begins a sign-in and makes a single-use link for it.
//! - Following the link leads to the layer's callback with a code, which
//!   [`IdentityProvider::finish`] redeems.
//! - [`IdentityProvider::start_code`] and [`IdentityProvider::finish_code`] do the same with a code
//!   that the person types. A provider without codes keeps the default methods.
//! - If the person belongs to several organizations, either may ask for a choice, which
//!   [`IdentityProvider::finish_choice`] redeems. A provider that never asks keeps the default.
//! - The result is an [`Identity`]. The layer, not the provider, binds it to the browser and the
//!   address that began the sign-in.
//!
//! `WorkOs` (feature `workos`) is the provider that ships with the crate.

use std::{
    fmt,
    future::{self, Future},
    time::Duration,
};

use futures_util::future::BoxFuture;

use crate::{email::Email, secret::secret_text};

mod choice;
mod code;
mod error;
mod identity;
mod two;
#[cfg(feature = "workos")]
pub(crate) mod workos;

pub use self::{
    choice::{FinishChoice, Organization, OrganizationChoice, PendingToken},
    code::{FinishCode, OneTimeCode, StartCode, StartedCode},
    error::{ProviderError, ProviderErrorKind},
    identity::{Identity, SignInMethod},
    two::TwoProviders,
};

/// Makes links and codes, and redeems them. Implementers write plain `async fn`.
///
/// The suite in `testing::suite::provider` (feature `test-util`) checks an implementation.
///
/// ```
/// use tower_magic_link::{
///     Email,
///     provider::{AuthorizationCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started},
/// };
///
/// /// Mails nothing: its code is the address itself.
/// struct TrustsEverybody;
///
/// impl IdentityProvider for TrustsEverybody {
///     async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
///         println!("{}?code={}&state={}", start.redirect_uri, start.email.as_str(), start.state);
///         Ok(Started::mailed())
///     }
///
///     async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
///         let email = Email::parse(code.expose())
///             .map_err(|error| ProviderError::new(ProviderErrorKind::Refused).with_source(error))?;
///         Ok(Identity::new(email.as_str().to_owned(), email))
///     }
/// }
/// ```
pub trait IdentityProvider: Send + Sync + 'static {
    /// Begins a sign-in for [`Start::email`]. It makes a single-use link that leads to
    /// [`Start::redirect_uri`] with a `code` and the unchanged `state` in its query, and mails the
    /// link if [`Start::delivery`] says so.
    ///
    /// # Errors
    ///
    /// When no link could be made or mailed. The person can try again.
    fn start(
        &self,
        start: &Start<'_>,
    ) -> impl Future<Output = Result<Started, ProviderError>> + Send;

    /// Redeems a code from the callback. A code must work only once.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the code is used, expired or unknown; other kinds when
    /// the provider could not decide. If the code was certainly not redeemed, say so by
    /// [`ProviderError::before_acting`]: the person then tries it again, and needs no new mail.
    fn finish(
        &self,
        code: &AuthorizationCode,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send;

    /// Makes a six-digit code for [`StartCode::email`], and mails it if [`StartCode::delivery`]
    /// says so. The default is a provider without codes.
    ///
    /// ```
    /// use std::{collections::HashMap, sync::Mutex, time::Duration};
    /// use tower_magic_link::provider::{
    ///     FinishCode, Identity, IdentityProvider, OneTimeCode, ProviderError, ProviderErrorKind,
    ///     StartCode, StartedCode,
    /// };
    /// # use tower_magic_link::provider::{AuthorizationCode, Delivery, Start, Started};
    /// # use tower_magic_link::Email;
    ///
    /// /// Knows the newest code of each address; the layer's mailer mails it. A real one also counts
    /// /// tries, forgets codes after ten minutes, and draws them from a random source.
    /// #[derive(Default)]
    /// struct Codes(Mutex<HashMap<String, OneTimeCode>>);
    ///
    /// impl IdentityProvider for Codes {
    /// #   async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> { Ok(Started::mailed()) }
    /// #   async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
    /// #       Err(ProviderErrorKind::Refused.into())
    /// #   }
    ///     async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
    ///         let code = OneTimeCode::new("424242");
    ///         let address = start.email.as_str().to_owned();
    ///         self.0.lock().unwrap().insert(address, code.clone());
    ///         Ok(StartedCode::with_code(code, Duration::from_secs(600)))
    ///     }
    ///
    ///     async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
    ///         let address = finish.email.as_str();
    ///         // A code is good once, for its address alone.
    ///         match self.0.lock().unwrap().remove(address) {
    ///             Some(code) if code == *finish.code => Ok(Identity::new(address, finish.email.clone())),
    ///             _ => Err(ProviderErrorKind::CodeWrong.into()),
    ///         }
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// // The test of a provider puts together what the layer would.
    /// let (codes, ada) = (Codes::default(), Email::parse("ada@example.com")?);
    /// let started = codes.start_code(&StartCode::new(&ada, Delivery::Mailer, None, None)).await?;
    /// let code = started.code().expect("a code for the mailer");
    /// let identity = codes.finish_code(&FinishCode::new(code, &ada, None, None)).await?;
    /// assert_eq!(identity.email(), &ada);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
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
}

/// The request to begin a sign-in. `Debug` shows neither the state nor the whole address.
#[non_exhaustive]
pub struct Start<'a> {
    /// The address that the link is for.
    pub email: &'a Email,
    /// Where the link leads: the layer's callback, under the public URL. It has no query.
    pub redirect_uri: &'a str,
    /// The state, which must come back unchanged with the code: base64url, under 1,000 bytes.
    pub state: &'a str,
    /// How long the link is valid: 15 minutes to 24 hours.
    pub link_lifetime: Duration,
    /// Whether the layer or the provider mails the link.
    pub delivery: Delivery,
}

impl<'a> Start<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        email: &'a Email,
        redirect_uri: &'a str,
        state: &'a str,
        link_lifetime: Duration,
        delivery: Delivery,
    ) -> Self {
        Self {
            email,
            redirect_uri,
            state,
            link_lifetime,
            delivery,
        }
    }
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("email", &self.email)
            .field("redirect_uri", &self.redirect_uri)
            .field("link_lifetime", &self.link_lifetime)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// The sender of the link or the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The layer's own mailer. The provider returns the link or code and mails nothing.
    Mailer,
    /// The provider mails it.
    Provider,
}

/// A sign-in that a provider has begun.
#[derive(Debug)]
pub struct Started {
    link: Option<Link>,
}

impl Started {
    /// Creates the answer of a provider that mailed the link itself.
    #[must_use]
    pub const fn mailed() -> Self {
        Self { link: None }
    }

    /// Creates the answer of a provider that leaves the link to the layer's mailer.
    #[must_use]
    pub const fn with_link(link: Link) -> Self {
        Self { link: Some(link) }
    }

    /// Returns the link, if the layer is to mail it.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    pub(crate) fn into_link(self) -> Option<Link> {
        self.link
    }
}

/// A single-use sign-in link. It is a credential: `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(String);

secret_text!(Link, "link");

/// A code from the callback, not yet redeemed. `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationCode(String);

secret_text!(AuthorizationCode, "code");

/// [`IdentityProvider`] as the layer stores it: one box per sign-in, no type parameter.
pub(crate) trait ErasedProvider: Send + Sync {
    fn start<'a>(&'a self, start: &'a Start<'a>) -> BoxFuture<'a, Result<Started, ProviderError>>;
    fn finish<'a>(
        &'a self,
        code: &'a AuthorizationCode,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
    fn start_code<'a>(
        &'a self,
        start: &'a StartCode<'a>,
    ) -> BoxFuture<'a, Result<StartedCode, ProviderError>>;
    fn finish_code<'a>(
        &'a self,
        finish: &'a FinishCode<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
    fn finish_choice<'a>(
        &'a self,
        finish: &'a FinishChoice<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>>;
}

impl<P: IdentityProvider> ErasedProvider for P {
    fn start<'a>(&'a self, start: &'a Start<'a>) -> BoxFuture<'a, Result<Started, ProviderError>> {
        Box::pin(IdentityProvider::start(self, start))
    }

    fn finish<'a>(
        &'a self,
        code: &'a AuthorizationCode,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish(self, code))
    }

    fn start_code<'a>(
        &'a self,
        start: &'a StartCode<'a>,
    ) -> BoxFuture<'a, Result<StartedCode, ProviderError>> {
        Box::pin(IdentityProvider::start_code(self, start))
    }

    fn finish_code<'a>(
        &'a self,
        finish: &'a FinishCode<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish_code(self, finish))
    }

    fn finish_choice<'a>(
        &'a self,
        finish: &'a FinishChoice<'a>,
    ) -> BoxFuture<'a, Result<Identity, ProviderError>> {
        Box::pin(IdentityProvider::finish_choice(self, finish))
    }
}
