//! The mailer port: how an application mails the link itself.
//!
//! - The mail holds a link of the layer's own ([`Mail::link`]), with the provider's single-use link
//!   sealed inside. Opening it in another browser than the one that began uses nothing up.
//! - Without a mailer the provider mails its own link.
//! - The layer waits for a mailer for a bounded time. If the mailer fails, hangs or panics, an
//!   event says so, and so does a page if that is not the recipient's doing.
//!
//! [`ConsoleMailer`] prints; `SmtpMailer` (feature `smtp`) mails.

use std::{error::Error, fmt, future::Future};

use futures_util::future::BoxFuture;

use crate::{
    check::{Checking, Line},
    clock::Timestamp,
    trace::Failure,
};

mod bounded;
mod console;
mod html;
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
/// not rewrite the link for tracking. It should give each mail a `References` field of its own:
/// Gmail otherwise may show several mails as one conversation, and hide the newest link. It may
/// render the mail in its own way, for example in [`Mail::language`], or use [`Mail::subject`],
/// [`Mail::text`] and [`Mail::html`]. It runs in a task of its own, and goes on if the person
/// leaves. The layer drops its future when
/// [`Builder::mailer_timeout`](crate::Builder::mailer_timeout) has passed, and the runtime when the
/// process ends.
///
/// It must say when it was the recipient that failed ([`MailError::of_recipient`]): the page then
/// does not reveal that. A panic is a failure that says nothing of the recipient.
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
    /// [`MailError`] if the mail was not accepted. An event says so. A page says so too, unless the
    /// error is one of the recipient.
    fn send(&self, mail: &Mail<'_>) -> impl Future<Output = Result<(), MailError>> + Send;

    /// Checks whether mail could be sent, for
    /// [`MagicLinkLayer::check`](crate::MagicLinkLayer::check). It must send none, and has as long
    /// as a mail has. `now` is the layer's time. Default: no line, so that the report says that it
    /// was not checked.
    fn check(&self, now: Timestamp) -> impl Future<Output = Vec<Line>> + Send {
        let _ = now;
        async { Vec::new() }
    }
}

/// A mail that was not accepted.
///
/// The layer logs only its [reason](Self::reason), a fixed text, and its [status](Self::status).
/// Mail servers often repeat the address in their replies, so neither the log nor `Debug` shows the
/// source.
#[derive(thiserror::Error)]
#[error("mail not sent")]
pub struct MailError {
    reason: &'static str,
    status: Option<u16>,
    /// Whether the recipient is the reason. `None`: the reply code tells.
    is_of_recipient: Option<bool>,
    /// Whether it is the recipient or the server, and nothing tells which.
    is_in_doubt: bool,
    may_have_left: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure for MailError {
    fn kind_name(&self) -> &'static str {
        self.reason
    }
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

    /// Makes an error from a reason that may be logged.
    #[must_use]
    pub const fn because(reason: &'static str) -> Self {
        Self {
            reason,
            status: None,
            is_of_recipient: None,
            is_in_doubt: false,
            may_have_left: false,
            source: None,
        }
    }

    /// States that the recipient is the reason: the mailbox is unknown or full, or its server
    /// refuses it. Another recipient's mail may be accepted.
    ///
    /// The page then looks as if the mail was sent, since it must not reveal which addresses there
    /// are. Default: it is the recipient if the [status](Self::with_status) is one by which mail
    /// servers refuse a mailbox or a mail: 450 to 452, 550 to 554 (RFC 5321, section 4.2.3), and
    /// 556 for a domain that takes none (RFC 7504).
    ///
    /// ```
    /// use tower_magic_link::mailer::MailError;
    ///
    /// /// A service over HTTP has refused a mail.
    /// fn refused(code: &str) -> MailError {
    ///     match code {
    ///         "recipient_suppressed" => MailError::because("the recipient is suppressed").of_recipient(),
    ///         _ => MailError::because("the mail service refused the mail"),
    ///     }
    /// }
    ///
    /// assert!(refused("recipient_suppressed").is_of_recipient());
    /// assert!(!refused("quota_exceeded").is_of_recipient());
    /// ```
    #[must_use]
    pub const fn of_recipient(mut self) -> Self {
        self.is_of_recipient = Some(true);
        self
    }

    /// States that the server is the reason, whatever its reply code.
    #[cfg(feature = "smtp")]
    pub(crate) const fn of_server(mut self) -> Self {
        self.is_of_recipient = Some(false);
        self
    }

    /// States that the recipient or the server is the reason, whatever the reply code, and that
    /// nothing tells which.
    #[cfg(feature = "smtp")]
    pub(crate) const fn in_doubt(mut self) -> Self {
        self.is_in_doubt = true;
        self
    }

    /// Says whether nothing tells if the recipient or the server is the reason.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Says whether the server is the reason, whoever the recipient is.
    pub(crate) const fn is_of_server(&self) -> bool {
        !self.is_in_doubt && matches!(self.is_of_recipient, Some(false))
    }

    /// Adds the mail server's reply code, such as SMTP's 550.
    ///
    /// A code that does not say whose fault it is, such as 454, counts against the limits of the
    /// address. Others read of an outage only once mail to a second domain has met one. 421 is an
    /// outage at once, because the server closes its connections then.
    #[must_use]
    pub fn with_status(mut self, status: impl Into<Option<u16>>) -> Self {
        self.status = status.into();
        self
    }

    /// States that the mail may have left although it was not confirmed: the mail server took it
    /// and did not answer in time. Default: it has not left.
    ///
    /// A mail that has not left does not count against the [limits](crate::throttle::Limits) of its
    /// address.
    ///
    /// ```
    /// use tower_magic_link::mailer::MailError;
    ///
    /// let error = MailError::because("no answer to DATA").after_sending();
    /// assert!(error.may_have_left());
    /// ```
    #[must_use]
    pub const fn after_sending(mut self) -> Self {
        self.may_have_left = true;
        self
    }

    /// Says whether the mail may have left although it was not confirmed.
    #[must_use]
    pub const fn may_have_left(&self) -> bool {
        self.may_have_left
    }

    /// Returns the reason that is logged.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the mail server's reply code, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// Says whether the recipient is the reason, and another recipient's mail may be accepted.
    #[must_use]
    pub const fn is_of_recipient(&self) -> bool {
        match self.is_of_recipient {
            _ if self.is_in_doubt => false,
            Some(is_of_recipient) => is_of_recipient,
            None => matches!(self.status, Some(450..=452 | 550..=554 | 556)),
        }
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
    fn check(&self, now: Timestamp) -> Checking<'_>;
}

impl<M: Mailer> ErasedMailer for M {
    fn send<'a>(&'a self, mail: &'a Mail<'a>) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(Mailer::send(self, mail))
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        Box::pin(Mailer::check(self, now))
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
    fn the_recipient_is_the_reason_by_a_reply_code_or_where_that_is_stated() {
        let failed = || MailError::because("x");
        assert!(!failed().is_of_recipient() && failed().of_recipient().is_of_recipient());
        for (status, want) in [
            (421, false),
            (450, true),
            (452, true),
            (454, false),
            (530, false),
            (535, false),
            (550, true),
            (552, true),
            (554, true),
            (555, false),
            (556, true),
        ] {
            let error = failed().with_status(status);
            assert_eq!(error.is_of_recipient(), want, "{status}");
        }
        #[cfg(feature = "smtp")]
        {
            assert!(!failed().with_status(554).of_server().is_of_recipient());
            let doubted = failed().with_status(554).in_doubt();
            assert!(!doubted.is_of_recipient() && !doubted.is_of_server());
        }
    }

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
