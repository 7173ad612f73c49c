//! The mailer port: who carries the link, when the application mails it itself.
//!
//! - What is mailed is a link of ours ([`Mail::link`]), with the provider's single-use link sealed
//!   inside: visiting it from another browser than the one that began uses nothing up.
//! - Without a mailer the provider mails its own link.
//! - The flow waits for a mailer for a bounded time. One that fails or hangs is a page that says
//!   so, and the sign-in can be tried again.
//!
//! [`ConsoleMailer`] prints; `SmtpMailer` (feature `smtp`) mails.

use std::{error::Error, fmt, future::Future};

use futures_util::future::BoxFuture;

mod bounded;
mod console;
mod html;
pub(crate) mod language;
mod mail;
#[cfg(feature = "smtp")]
mod smtp;
mod text;

pub(crate) use self::bounded::BoundedMailer;
#[cfg(feature = "smtp")]
pub use self::smtp::{Letter, SmtpMailer};
pub use self::{console::ConsoleMailer, mail::Mail};

/// Sends mail. Implementers write plain `async fn`.
///
/// An implementation must send to [`Mail::to`] alone, must not log the link or the code, and must
/// not rewrite the link for tracking. It may render the mail as it likes, in [`Mail::language`] for
/// one, or take [`Mail::subject`], [`Mail::text`] and [`Mail::html`]. It may be dropped before it
/// is done, when the person leaves or [`Builder::mailer_timeout`](crate::Builder::mailer_timeout)
/// has passed.
///
/// The suite in `testing::suite::mailer` (feature `test-util`) checks an implementation.
///
/// ```
/// use tower_magic_link::mailer::{Mail, MailError, Mailer};
///
/// /// Hands mails to a service over HTTP.
/// struct Courier;
///
/// impl Mailer for Courier {
///     async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
///         let letter = [mail.to().as_str(), &mail.subject(), &mail.text(), &mail.html()];
///         post(letter).await.map_err(MailError::new)
///     }
/// }
/// # async fn post(_: [&str; 4]) -> Result<(), std::io::Error> { Ok(()) }
/// ```
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail.
    ///
    /// # Errors
    ///
    /// When the mail was not taken. The person reads so, and can try again.
    fn send(&self, mail: &Mail<'_>) -> impl Future<Output = Result<(), MailError>> + Send;
}

/// A mail that was not taken.
///
/// What is logged of it is its [reason](Self::reason), which is written in the program, and its
/// [status](Self::status). Servers love to repeat the address in what they say, so the source
/// stands in no log of ours, and not in `Debug`.
#[derive(thiserror::Error)]
#[error("mail not sent")]
pub struct MailError {
    reason: &'static str,
    status: Option<u16>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl MailError {
    /// Makes an error from its cause.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::because("the mailer failed")
        }
    }

    /// Makes an error from a reason that can stand in a log.
    #[must_use]
    pub const fn because(reason: &'static str) -> Self {
        Self {
            reason,
            status: None,
            source: None,
        }
    }

    /// Adds the code that the mail server answered with, such as 550 of SMTP.
    #[must_use]
    pub fn with_status(mut self, status: impl Into<Option<u16>>) -> Self {
        self.status = status.into();
        self
    }

    /// Returns why, as it is logged.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the code that the mail server answered with.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }
}

impl fmt::Debug for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailError")
            .field("reason", &self.reason)
            .field("status", &self.status)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_source_and_shows_its_reason_alone() {
        let error = MailError::new("550 no such user: ada@example.com").with_status(550);
        assert_eq!(error.to_string(), "mail not sent");
        assert!(error.source().unwrap().to_string().contains("ada@"));
        assert_eq!(
            format!("{error:?}"),
            "MailError { reason: \"the mailer failed\", status: Some(550), .. }"
        );
    }
}
