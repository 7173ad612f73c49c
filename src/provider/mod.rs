//! The provider port: who proves that an address is somebody's.
//!
//! - [`IdentityProvider::start`] begins a sign-in and has a single-use link made for it.
//! - Following the link leads to the layer's callback with a code, which
//!   [`IdentityProvider::finish`] redeems.
//! - [`IdentityProvider::start_code`] and [`IdentityProvider::finish_code`] are the same by a code
//!   that the person types. A provider without codes leaves both as they are.
//! - What it yields is an [`Identity`]. The layer, not the provider, binds it to the browser and to
//!   the address that the sign-in was begun for.
//!
//! `WorkOs` (feature `workos`) is the provider that ships with the crate.

use std::{
    fmt,
    future::{self, Future},
    time::Duration,
};

use futures_util::future::BoxFuture;

use crate::email::Email;

mod code;
mod error;
mod identity;
#[cfg(feature = "workos")]
pub(crate) mod workos;

pub use self::{
    code::{FinishCode, OneTimeCode, StartCode, StartedCode},
    error::{ProviderError, ProviderErrorKind},
    identity::{Identity, SignInMethod},
};

/// Sends links and redeems what comes back. Implementers write plain `async fn`.
///
/// The suite in `testing::suite::provider` (feature `test-util`) checks an implementation.
///
/// ```
/// use tower_magic_link::{
///     Email,
///     provider::{AuthorizationCode, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started},
/// };
///
/// /// Mails nothing: its code is the address.
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
    /// Begins a sign-in for [`Start::email`]: makes a single-use link that leads to
    /// [`Start::redirect_uri`] with a `code` and the unchanged `state` in its query, and mails it
    /// when [`Start::delivery`] says so.
    ///
    /// # Errors
    ///
    /// When no link could be made or mailed. The person can try again.
    fn start(
        &self,
        start: &Start<'_>,
    ) -> impl Future<Output = Result<Started, ProviderError>> + Send;

    /// Redeems a code from the callback. A code must be good for one redemption only.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the code is used, expired or unknown; other kinds when
    /// it could not be told whether it is good.
    fn finish(
        &self,
        code: &AuthorizationCode,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send;

    /// Makes a six-digit code for [`StartCode::email`], and mails it when [`StartCode::delivery`]
    /// says so. Unless it is overridden, the provider has no codes.
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

    /// Redeems a code that was typed. The provider must accept a code once only, for minutes only,
    /// after a few tries at most, and only for the address that it was made for.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::CodeWrong`], [`CodeExpired`](ProviderErrorKind::CodeExpired),
    /// [`CodeUsed`](ProviderErrorKind::CodeUsed) or
    /// [`TooManyTries`](ProviderErrorKind::TooManyTries) when the code is not good;
    /// [`StepUpRequired`](ProviderErrorKind::StepUpRequired) when it is and is not enough; other
    /// kinds when that could not be told.
    fn finish_code(
        &self,
        finish: &FinishCode<'_>,
    ) -> impl Future<Output = Result<Identity, ProviderError>> + Send {
        let _ = finish;
        future::ready(Err(ProviderErrorKind::Unsupported.into()))
    }
}

/// What a provider gets to begin a sign-in with. `Debug` shows neither the state nor the whole
/// address.
#[non_exhaustive]
pub struct Start<'a> {
    /// Who the link is for.
    pub email: &'a Email,
    /// Where the link leads: the layer's callback, below the public URL. It has no query.
    pub redirect_uri: &'a str,
    /// What must come back unchanged with the code: base64url, under 1,000 bytes.
    pub state: &'a str,
    /// How long the link is good: 15 minutes to 24 hours.
    pub link_lifetime: Duration,
    /// Who mails the link.
    pub delivery: Delivery,
}

impl<'a> Start<'a> {
    /// Puts together what a provider gets, as the layer does and as the test of a provider must.
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

/// Who mails the link or the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The layer's own mailer: the provider returns the link or code and mails nothing.
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
    /// Says that the provider mailed the link.
    #[must_use]
    pub const fn mailed() -> Self {
        Self { link: None }
    }

    /// Hands the link over, for the layer to mail.
    #[must_use]
    pub const fn with_link(link: Link) -> Self {
        Self { link: Some(link) }
    }

    /// Returns the link, where the layer is to mail it.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    pub(crate) fn into_link(self) -> Option<Link> {
        self.link
    }
}

/// A single-use sign-in link. Whoever follows it is signed in, so `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// Wraps a link.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Returns the link itself. It must not reach a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A code from the callback, not yet redeemed. `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationCode(String);

impl AuthorizationCode {
    /// Wraps a code.
    #[must_use]
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// Returns the code itself. It must not reach a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

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
}
