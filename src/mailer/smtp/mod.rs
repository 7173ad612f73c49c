//! `SmtpMailer`: mails through an SMTP server, with lettre and rustls.
//!
//! - It uses TLS unless the server is this machine: `smtps://` from the first byte,
//!   `smtp+starttls://` before it signs in or sends mail.
//! - One deadline bounds a send: waiting for a connection, DNS, TLS, sign-in and the conversation.
//! - An error holds a fixed reason and the server's reply code. The reply's text is dropped,
//!   because it may repeat the address.

use std::{fmt, time::Duration};

use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{client::Certificate, extension::ClientId},
};
use tokio::time::Instant;

use self::{connections::Connections, server::Server};
use super::{Mail, MailError, Mailer};
use crate::{check::Line, clock::Timestamp, email::Email, error::ConfigError};

mod check;
mod connections;
mod conversation;
mod failure;
mod letter;
mod message;
mod plaintext;
mod server;

pub use self::letter::Letter;

const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(60);
const POOL_SIZES: std::ops::RangeInclusive<usize> = 1..=100;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

type Letters = dyn Fn(&Mail<'_>) -> Letter + Send + Sync;

/// Mails through an SMTP server: a relay, or the submission service of a mail provider.
///
/// | URL | connection | port by default |
/// | --- | --- | --- |
/// | `smtps://user:password@mail.example.com` | TLS from the first byte (RFC 8314 prefers it) | 465 |
/// | `smtp+starttls://user:password@mail.example.com` | STARTTLS, or nothing is sent | 587 |
/// | `smtp://127.0.0.1:2525` | plaintext, to this machine alone: `localhost`, `127.0.0.0/8`, `[::1]` | 25 |
///
/// The user name and the password are percent-encoded (`%40` for `@`) and optional. The server's
/// certificate must be trusted by the machine, and issued for the name in the URL.
///
/// Each mail has one recipient, a text and an HTML part, a `Date`, a `Message-ID` at the sender's
/// domain, and `Auto-Submitted: auto-generated` (RFC 3834), so that no vacation reply comes back.
/// Each has a `References` of its own, so that Gmail does not fold two mails into one conversation,
/// with the newest link hidden. A connection is used again within a minute. The first mail after
/// that closes it. If the server takes no more mail over such a connection, the mail goes out over
/// a new one. The mailer needs a tokio runtime with its IO and its timer enabled.
///
/// The server may refuse the sender, or have no room. That is not the recipient's fault
/// ([`MailError::is_of_recipient`]), so the page tells it as an outage. The command that the server
/// answers shows whose fault it is, or the enhanced code of the reply (RFC 3463). If the code shows
/// neither, as `454 4.7.1 Relay access denied` does, the page tells it to the person who asked, and
/// to others only once mail to a second domain has met it. If the server refuses the sender only
/// when it has the recipient, as Postfix does, and with a code by which it refuses recipients too,
/// such as `553 5.7.1`, the log alone tells.
///
/// lettre's feature `tracing` logs whole conversations, including links and passwords. It is off
/// unless another crate switches it on.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::mailer::SmtpMailer;
///
/// let mailer = SmtpMailer::new("smtps://acme:p%40ss@mail.example.com", "Acme <sign-in@acme.example>")?
///     .timeout(Duration::from_secs(5))?
///     .pool_size(4)?;
/// assert!(!format!("{mailer:?}").contains("p@ss"));
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
pub struct SmtpMailer {
    connections: Connections,
    from: Mailbox,
    letters: Option<Box<Letters>>,
    timeout: Duration,
}

impl SmtpMailer {
    /// Makes a mailer from the server's URL and the sender: `sign-in@acme.example`, or `Acme
    /// <sign-in@acme.example>`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one of them does not have that form, if an `smtp` URL leads to another
    /// machine, or if this machine has no root certificates. A URL that holds an `@` or a `?` is
    /// not shown: it may hold a password.
    pub fn new(url: impl AsRef<str>, from: impl AsRef<str>) -> Result<Self, ConfigError> {
        let server = Server::parse(url.as_ref())?;
        if server.is_plain() && !server.is_loopback() {
            // The letter holds a link that signs in, and anyone who reads it on the way could use
            // it.
            let problem = "is plaintext to another machine; use smtps:// or smtp+starttls://";
            let shown = format!("smtp://{}:{}", server.host, server.port);
            return Err(ConfigError::invalid("smtp_url", shown, problem));
        }
        Self::with_server(server, from.as_ref())
    }

    /// Makes a mailer as [`new`](Self::new) does, but accepts an `smtp` URL of any machine.
    ///
    /// Anyone on the network path can then read the links and the password.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), but an `smtp` URL may lead to another machine.
    pub fn insecure_plaintext(
        url: impl AsRef<str>,
        from: impl AsRef<str>,
    ) -> Result<Self, ConfigError> {
        Self::with_server(Server::parse(url.as_ref())?, from.as_ref())
    }

    /// Sets how long a mail may take in all: 1 to 60 seconds. Default: 10 seconds.
    ///
    /// If the server has several addresses, they are tried in turn. Each has a third of the time
    /// that is left to accept a connection, and at least 1.5 seconds; so has a single one.
    ///
    /// It should be less than [`Builder::mailer_timeout`](crate::Builder::mailer_timeout), so that
    /// the log blames the mail server and not the mailer.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        if !TIMEOUTS.contains(&timeout) {
            let problem = "must be 1 to 60 seconds";
            return Err(ConfigError::invalid(
                "timeout",
                format!("{timeout:?}"),
                problem,
            ));
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// Sets how many connections there are at once: 1 to 100. Default: 10. A mail that finds none
    /// free waits for one, within its timeout.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn pool_size(mut self, size: usize) -> Result<Self, ConfigError> {
        if !POOL_SIZES.contains(&size) {
            return Err(ConfigError::invalid(
                "pool_size",
                size.to_string(),
                "must be 1 to 100",
            ));
        }
        self.connections.resize(size);
        Ok(self)
    }

    /// Trusts the certificates in a PEM file too.
    ///
    /// It is for a mail server with its own certificate authority.
    ///
    /// It may be called for several files.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Secret`] when the text holds no certificate, or one that cannot be read.
    pub fn root_certificate(mut self, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let pem = pem.as_ref();
        let unreadable = || ConfigError::secret("root_certificate", "holds no certificate in PEM");
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(unreadable());
        }
        let certificate = Certificate::from_pem(pem).map_err(|_| unreadable())?;
        self.connections.trust(certificate)?;
        Ok(self)
    }

    /// Sets how a mail is rendered. Default: [`Mail::subject`], [`Mail::text`] and [`Mail::html`].
    ///
    /// ```
    /// use tower_magic_link::mailer::{Letter, SmtpMailer};
    ///
    /// let mailer = SmtpMailer::new("smtp://127.0.0.1:2525", "sign-in@acme.example")?.letters(|mail| {
    ///     let tag = mail.language().unwrap_or_default().to_ascii_lowercase();
    ///     if tag.split('-').next() != Some("de") {
    ///         return Letter::of(mail);
    ///     }
    ///     // A mail has a link, a code or both: see `SignIn`.
    ///     let mut text = String::new();
    ///     if let Some(link) = mail.link() {
    ///         text += &format!("Ihr Link:\n\n{}\n\n", link.expose());
    ///     }
    ///     if let Some(code) = mail.code() {
    ///         text += &format!("Ihr Code: {}\n", code.expose());
    ///     }
    ///     Letter::new("Anmelden bei Acme", text)
    /// });
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    #[must_use]
    pub fn letters(
        mut self,
        letters: impl Fn(&Mail<'_>) -> Letter + Send + Sync + 'static,
    ) -> Self {
        self.letters = Some(Box::new(letters));
        self
    }

    fn with_server(server: Server, from: &str) -> Result<Self, ConfigError> {
        let (from, domain) = sender(from)?;
        // EHLO does not reveal the machine's name: a submission server accepts any.
        let hello = ClientId::Domain(domain);
        Ok(Self {
            connections: Connections::new(server, hello)?,
            from,
            letters: None,
            timeout: Duration::from_secs(10),
        })
    }
}

impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let letter = match &self.letters {
            Some(letters) => letters(mail),
            None => Letter::of(mail),
        };
        // Composed before a connection is taken: what cannot be composed must not hold one.
        let message = message::message(&self.from, mail, letter, crate::random::bytes())?;
        let wire = message.formatted();
        let deadline = Instant::now() + self.timeout;
        self.connections
            .send(message.envelope(), &wire, deadline)
            .await
    }

    async fn check(&self, _now: Timestamp) -> Vec<Line> {
        vec![check::check(&self.connections, self.timeout).await]
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("connections", &self.connections)
            .field("from", &self.from.to_string())
            .field("timeout", &self.timeout)
            .field("has_letters", &self.letters.is_some())
            .finish()
    }
}

/// Parses `address` or `Name <address>`. Returns the address's domain too.
fn sender(text: &str) -> Result<(Mailbox, String), ConfigError> {
    let wrong = || {
        let problem = "must be an address, or a name and an address in angle brackets";
        ConfigError::invalid("from", text, problem)
    };
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')), address),
        None => (None, text),
    };
    if name.is_some_and(|name| name.contains(|c: char| c.is_control() || c == '"')) {
        return Err(wrong());
    }
    let email = Email::parse(address).map_err(|_| wrong())?;
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    let address = self::address(&email).ok_or_else(wrong)?;
    Ok((Mailbox::new(name, address), email.domain().to_owned()))
}

fn address(email: &Email) -> Option<Address> {
    let (local, domain) = email.as_str().rsplit_once('@')?;
    Address::new(local, domain).ok()
}

#[cfg(test)]
mod tests;
