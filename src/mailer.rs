//! The mailer port: who carries the link, when the application mails it itself.
//!
//! - What is mailed is a link of ours ([`Mail::link`]), with the provider's single-use link sealed inside: visiting it
//!   from another browser than the one that began uses nothing up.
//! - Without a mailer the provider mails its own link.

use std::{error::Error, fmt, future::Future, time::Duration};

use crate::{
    email::Email,
    provider::{BoxFuture, Link},
};

/// Sends mail. Implementers write plain `async fn`.
///
/// An implementation must send to [`Mail::to`] alone, must not log the link, and must not rewrite it for tracking.
///
/// ```
/// use tower_magic_link::{Mail, MailError, Mailer};
///
/// /// Prints the mail, for development.
/// struct Console;
///
/// impl Mailer for Console {
///     async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
///         println!("sign-in link for {}: {}", mail.to().as_str(), mail.link().expose());
///         Ok(())
///     }
/// }
/// ```
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail.
    ///
    /// # Errors
    ///
    /// When the mail was not taken. The person reads so, and can try again.
    fn send(&self, mail: &Mail<'_>) -> impl Future<Output = Result<(), MailError>> + Send;
}

/// What is to be mailed. `Debug` shows neither the link nor the whole address.
#[derive(Debug)]
pub struct Mail<'a> {
    to: &'a Email,
    link: &'a Link,
    lifetime: Duration,
}

impl<'a> Mail<'a> {
    /// Makes a mail with a link that is good for `lifetime`.
    #[must_use]
    pub const fn new(to: &'a Email, link: &'a Link, lifetime: Duration) -> Self {
        Self { to, link, lifetime }
    }

    /// Returns the one recipient.
    #[must_use]
    pub const fn to(&self) -> &'a Email {
        self.to
    }

    /// Returns the link that signs the recipient in.
    #[must_use]
    pub const fn link(&self) -> &'a Link {
        self.link
    }

    /// Returns how long the link is good.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// A mail that was not taken.
#[derive(Debug, thiserror::Error)]
#[error("mail not sent")]
pub struct MailError {
    source: Box<dyn Error + Send + Sync>,
}

impl MailError {
    /// Makes an error from its cause, whose text must hold no link and no address.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}

/// [`Mailer`] as the layer stores it.
pub(crate) trait ErasedMailer: Send + Sync {
    fn send<'a>(&'a self, mail: &'a Mail<'a>) -> BoxFuture<'a, Result<(), MailError>>;
}

impl<M: Mailer> ErasedMailer for M {
    fn send<'a>(&'a self, mail: &'a Mail<'a>) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(Mailer::send(self, mail))
    }
}

impl fmt::Debug for dyn ErasedMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}
