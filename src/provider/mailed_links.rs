//! `MailedLinks`: proves an address by the layer's own mail, and needs nobody else.
//!
//! - It stores nothing. Code and digits follow from the attempt's secret, which travels sealed.
//! - An attempt signs in once, by its link or by its digits. That is counted in the layer's
//!   throttle, and its session follows from the attempt, so that a count that is lost makes no
//!   second session.
//! - Digits are compared in constant time, and each guess takes one of five tries before it is.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{
    Abilities, Attempt, AuthorizationCode, Delivery, Finish, FinishCode, Identity,
    IdentityProvider, OneTimeCode, ProviderError, ProviderErrorKind, SignInMethod, Start,
    StartCode, Started, StartedCode,
};
use crate::{check::Line, clock::Timestamp, email::Email, error::ConfigError, secret::redacted};

/// How long digits are good.
const DIGITS_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// How long after the end of its link a code still comes back: the link was opened in time.
const HOP: Duration = Duration::from_secs(60);
/// How many guesses digits have.
const MOST_GUESSES: u32 = 5;
const GUESS: &str = "guess";
const SIGN_IN: &str = "sign-in";
/// RFC 2104, section 3: a key is at least as long as the output of the hash.
const SHORTEST_KEY: usize = 32;

/// A provider that needs nobody: it proves an address by the layer's own mail. The layer needs a
/// [mailer](crate::Builder::mailer). Nothing else is asked over the network.
///
/// [`Builder::sign_in`](crate::Builder::sign_in) says what the mail holds: a link, six digits, or
/// both. [`Builder::link_lifetime`](crate::Builder::link_lifetime) takes 1 minute to 24 hours.
///
/// ```
/// use tower_magic_link::{
///     KeyRing, MagicLinkLayer, SignIn, SigningKey,
///     mailer::ConsoleMailer,
///     provider::MailedLinks,
/// };
///
/// let layer = MagicLinkLayer::builder(MailedLinks::new(), KeyRing::new(SigningKey::generate()?))
///     .public_url("https://app.example.com")
///     .mailer(ConsoleMailer::new())
///     .sign_in(SignIn::LinkAndCode)
///     .build()?;
/// # Ok::<(), tower_magic_link::ConfigError>(())
/// ```
///
/// # One mail, one sign-in
///
/// A mail signs in once, by its link or by its digits, in one browser. A second visit in that
/// browser finds its session. After signing out, and in any other browser, the link is used.
///
/// That is counted in the layer's throttle ([`Builder::throttle`](crate::Builder::throttle)). The
/// default counts in this process: several replicas need a shared one, such as `RedisThrottle`.
/// While that count is away or lost, the person still gets in:
///
/// | away or lost | what holds |
/// | --- | --- |
/// | `RedisThrottle` | Each replica counts by itself: a link could sign in once at each. All of them have the same session |
/// | a throttle that fails | Links sign in, and all visits to one link have the same session. Digits are refused, because their guesses could not be counted |
/// | both stores in memory, by a restart | A link that was used signs in again, also after signing out, until it expires: 15 minutes by default. With a `RedisRevocations`, or another store that lasts, it does not after signing out |
///
/// Signing out ends that session wherever it is, and the link then signs in nobody as long as the
/// count or the revocation store remembers. A session that ends from elsewhere, by "sign out
/// everywhere" in another browser or by
/// [`end_sessions`](crate::MagicLinkLayer::end_sessions), ends as well. The count alone then keeps
/// its link used. If you raise `link_lifetime`, a used link that is older than the former lifetime
/// works once more.
///
/// # Digits
///
/// Six digits, each number as likely as any other. They are good for ten minutes, for five guesses,
/// and in the page that their mail was asked for from, until its browser asks for another mail to
/// the same address. The browser remembers the newest mail of one address. A mail that somebody
/// else asks for does not end them. All networks together have as many guesses at an address as
/// [`Limits`](crate::throttle::Limits) says.
///
/// # Subjects
///
/// [`Session::subject`](crate::Session::subject) is `mail_` and 43 characters of base64url without
/// padding: the SHA-256 hash of the text `tower-magic-link: subject`, a zero byte, and the address
/// as [`Email::as_str`] has it. It is the same for link and digits, and at every replica. It does
/// not depend on the layer's keys, and outlives their changes. There is one for each [`Email`]: the
/// case of the address does not matter, and `ada+x@example.com` is somebody else than
/// `ada@example.com`.
///
/// Such a hash keeps addresses out of logs and databases, but an attacker who guesses an address
/// finds its subject, and two applications have the same subjects. If that matters, set a key of
/// the subjects' own: [`with_subject_key`](Self::with_subject_key).
#[derive(Clone, Default)]
pub struct MailedLinks {
    subject_key: Option<SubjectKey>,
}

/// The key of the subjects.
#[derive(Clone)]
struct SubjectKey(Hmac<Sha256>);

redacted!(SubjectKey);

impl MailedLinks {
    /// Creates the provider.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key for the subjects: 32 random bytes or more. Default: none, a hash without a key.
    ///
    /// Subjects then are HMACs (SHA-256) of the same bytes, which nobody without the key can find.
    /// The key must never change: with another one every person has another subject. It is not one
    /// of the layer's keys, because those do change.
    ///
    /// # Errors
    ///
    /// When the key has fewer than 32 bytes.
    ///
    /// ```
    /// use tower_magic_link::provider::MailedLinks;
    ///
    /// # fn read(_: &str) -> Vec<u8> { vec![7; 32] }
    /// let provider = MailedLinks::new().with_subject_key(read("/run/secrets/subject-key"))?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn with_subject_key(mut self, key: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let key = key.as_ref();
        let mac = Hmac::new_from_slice(key).ok();
        let mac = mac.filter(|_| key.len() >= SHORTEST_KEY);
        let mac = mac.ok_or_else(|| {
            ConfigError::secret("subject key", "has fewer than 32 bytes, and can be guessed")
        })?;
        self.subject_key = Some(SubjectKey(mac));
        Ok(self)
    }

    /// Returns the subject of an address. It must never change: applications key accounts on it.
    fn subject(&self, email: &Email) -> String {
        const LABEL: &str = "tower-magic-link: subject\0";
        let address = email.as_str();
        let hash = match &self.subject_key {
            Some(SubjectKey(mac)) => {
                let mac = mac.clone().chain_update(LABEL).chain_update(address);
                mac.finalize().into_bytes()
            }
            None => Sha256::new()
                .chain_update(LABEL)
                .chain_update(address)
                .finalize(),
        };
        format!("mail_{}", URL_SAFE_NO_PAD.encode(hash))
    }

    /// Signs an attempt in, if it has not signed in before.
    async fn once(
        &self,
        attempt: &Attempt<'_>,
        email: &Email,
        used: ProviderErrorKind,
    ) -> Result<Identity, ProviderError> {
        // If the count is away, the person gets in: the layer makes no second session of the
        // attempt, and none that has ended. It reports the failure.
        if matches!(attempt.take_try(SIGN_IN, 1).await, Ok(false)) {
            return Err(used.into());
        }
        let identity = Identity::new(self.subject(email), email.clone());
        Ok(identity.with_session_of_attempt())
    }
}

impl IdentityProvider for MailedLinks {
    fn abilities(&self) -> Abilities {
        Abilities::new().without_mail()
    }

    async fn check(&self, _now: Timestamp) -> Vec<Line> {
        let why = "it needs nobody but the mailer";
        vec![Line::not_checked("the layer's own links", why)]
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        left_to_the_layer(start.delivery)?;
        Ok(Started::with_code(code(&start.attempt, start.email)))
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        let Finish { attempt, email, .. } = finish;
        let age = attempt.begun_at().until(attempt.now());
        if *finish.code != code(attempt, email) || age >= finish.link_lifetime + HOP {
            return Err(ProviderErrorKind::Refused.into());
        }
        self.once(attempt, email, ProviderErrorKind::Refused).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        left_to_the_layer(start.delivery)?;
        let digits = digits(&start.attempt, start.email);
        Ok(StartedCode::with_code(digits, DIGITS_LIFETIME))
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let FinishCode { attempt, email, .. } = finish;
        // Before the comparison, so that guesses at once have no more tries than guesses in turn.
        let is_counted = attempt.take_try(GUESS, MOST_GUESSES).await;
        match is_counted {
            Ok(true) => {}
            Ok(false) => return Err(ProviderErrorKind::TooManyTries.into()),
            Err(error) => {
                let unknown = ProviderError::new(ProviderErrorKind::Unavailable).before_acting();
                return Err(unknown.with_source(error));
            }
        }
        if *finish.code != digits(attempt, email) {
            return Err(ProviderErrorKind::CodeWrong.into());
        }
        attempt.give_try_back(GUESS).await;
        let age = attempt.begun_at().until(attempt.now());
        // Only after the comparison: who guesses learns nothing from it.
        if age >= DIGITS_LIFETIME || !attempt.is_newest() {
            return Err(ProviderErrorKind::CodeExpired.into());
        }
        let identity = self.once(attempt, email, ProviderErrorKind::CodeUsed);
        Ok(identity.await?.with_method(SignInMethod::MagicAuth))
    }
}

impl fmt::Debug for MailedLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailedLinks")
            .field("has_subject_key", &self.subject_key.is_some())
            .finish()
    }
}

fn left_to_the_layer(delivery: Delivery) -> Result<(), ProviderError> {
    match delivery {
        Delivery::Mailer => Ok(()),
        Delivery::Provider => Err(ProviderErrorKind::Unsupported.into()),
    }
}

/// Returns the code with which the link of an attempt leads back: 128 bits.
fn code(attempt: &Attempt<'_>, email: &Email) -> AuthorizationCode {
    let secret = attempt.secret(&format!("link for {}", email.as_str()));
    AuthorizationCode::new(URL_SAFE_NO_PAD.encode(secret))
}

/// Returns the digits of an attempt.
fn digits(attempt: &Attempt<'_>, email: &Email) -> OneTimeCode {
    let secret = attempt.secret(&format!("digits for {}", email.as_str()));
    // A 128-bit number makes the bias of this remainder negligible.
    let number = u128::from_be_bytes(secret) % 1_000_000;
    OneTimeCode::new(format!("{number:06}"))
}
