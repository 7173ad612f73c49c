//! Passwordless sessions in the JSON of WorkOS's API.
//!
//! - An answer must have its `id`. Every other field is optional, and unknown fields are ignored.
//! - The link is a credential: no `Debug` prints it.

use std::{fmt, ops::RangeInclusive, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{email::Email, error::ConfigError, provider::Link};

/// How long a link of WorkOS may be valid.
pub(super) const LIFETIMES: RangeInclusive<Duration> =
    Duration::from_secs(900)..=Duration::from_secs(86_400);

/// The request for a passwordless session.
///
/// ```
/// use std::time::Duration;
/// use tower_magic_link::{Email, workos::NewPasswordlessSession};
///
/// let new = NewPasswordlessSession::new(Email::parse("ada@example.com")?)
///     .redirect_uri("https://app.example.com/callback")
///     .state("dj1kUXc0dzlXZ1hjUQ")
///     .expires_in(Duration::from_secs(3_600))?;
/// # let _ = new;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewPasswordlessSession {
    email: Email,
    redirect_uri: Option<String>,
    state: Option<String>,
    expires_in: Option<Duration>,
}

impl NewPasswordlessSession {
    /// Asks for a link for an address.
    pub const fn new(email: Email) -> Self {
        Self {
            email,
            redirect_uri: None,
            state: None,
            expires_in: None,
        }
    }

    /// Sets where the link leads, in place of the dashboard's default. WorkOS's dashboard must list
    /// it.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(redirect_uri.into());
        self
    }

    /// Sets the state, which comes back unchanged with the code. WorkOS documents no maximum
    /// length.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Sets how long the link is valid, in whole seconds, rounded down: 15 minutes to 24 hours.
    /// Default: WorkOS's, 15 minutes.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn expires_in(mut self, expires_in: Duration) -> Result<Self, ConfigError> {
        if !LIFETIMES.contains(&expires_in) {
            return Err(ConfigError::invalid(
                "expires_in",
                format!("{expires_in:?}"),
                "is not between 15 minutes and 24 hours",
            ));
        }
        self.expires_in = Some(expires_in);
        Ok(self)
    }

    pub(super) fn to_json(&self) -> String {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("type", "MagicLink".into());
        set("email", self.email.as_str().into());
        if let Some(redirect_uri) = &self.redirect_uri {
            set("redirect_uri", redirect_uri.as_str().into());
        }
        if let Some(state) = &self.state {
            set("state", state.as_str().into());
        }
        if let Some(expires_in) = self.expires_in {
            set("expires_in", expires_in.as_secs().into());
        }
        Value::Object(body).to_string()
    }
}

impl fmt::Debug for NewPasswordlessSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPasswordlessSession")
            .field("email", &self.email)
            .field("redirect_uri", &self.redirect_uri)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// A passwordless session that WorkOS has made. `Debug` shows only its id and expiry.
#[derive(Clone)]
pub struct PasswordlessSession {
    id: String,
    email: Option<String>,
    expires_at: Option<String>,
    link: Option<Link>,
}

#[derive(Deserialize)]
pub(super) struct PasswordlessSessionAnswer {
    id: String,
    email: Option<String>,
    expires_at: Option<String>,
    link: Option<String>,
}

impl PasswordlessSession {
    /// Returns the session's id, `passwordless_session_…`, which
    /// [`WorkOs::send_session`](super::WorkOs::send_session) takes.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the address as WorkOS writes it.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Returns when the link expires, as WorkOS writes it: ISO 8601 in UTC,
    /// `2026-09-16T15:44:08.475Z`.
    #[must_use]
    pub fn expires_at(&self) -> Option<&str> {
        self.expires_at.as_deref()
    }

    /// Returns the single-use link, for an application that mails it itself.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    pub(super) fn into_link(self) -> Option<Link> {
        self.link
    }
}

impl From<PasswordlessSessionAnswer> for PasswordlessSession {
    fn from(answer: PasswordlessSessionAnswer) -> Self {
        Self {
            id: answer.id,
            email: answer.email,
            expires_at: answer.expires_at,
            link: answer.link.map(Link::new),
        }
    }
}

impl fmt::Debug for PasswordlessSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordlessSession")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// WorkOS's answer to the request for a mail.
#[derive(Deserialize)]
pub(super) struct SendAnswer {
    pub(super) success: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_fifteen_minutes_to_a_day() {
        let cases = [
            ("below", Duration::from_millis(899_999), false),
            ("least", Duration::from_secs(900), true),
            ("most", Duration::from_secs(86_400), true),
            ("above", Duration::from_millis(86_400_001), false),
            ("zero", Duration::ZERO, false),
            ("endless", Duration::MAX, false),
        ];
        for (name, expires_in, want) in cases {
            let email = Email::parse("ada@example.com").unwrap();
            let got = NewPasswordlessSession::new(email).expires_in(expires_in);
            assert_eq!(got.is_ok(), want, "{name}");
        }
    }
}
