//! `SettingsError`: a setting that cannot be, with the place where it stands.

use std::fmt;

use crate::{error::ConfigError, secret::may_be_secret};

/// A file, a variable or a flag that cannot work. It says which, the key, the value, and what is
/// expected. No secret is shown.
///
/// `Debug` prints the same as `Display`, so that a `main` that returns it prints a readable error.
#[derive(thiserror::Error)]
#[error("{text}")]
pub struct SettingsError {
    text: String,
    key: Option<String>,
}

impl SettingsError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            key: None,
        }
    }

    pub(super) fn of(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            key: Some(key.into()),
        }
    }

    /// As `of`, for a name that is no key. One that may be a secret is not kept.
    pub(super) fn unknown(name: &str, text: impl Into<String>) -> Self {
        match may_be_secret(name) {
            true => Self::new(text),
            false => Self::of(name, text),
        }
    }

    /// Returns the key that is at fault, if it is one. `None` if what stands in its place looks
    /// like a secret.
    ///
    /// ```
    /// use tower_magic_link::settings::Sources;
    ///
    /// let error = Sources::new().flags(["--session-lifetme", "12h"]).read().unwrap_err();
    /// assert_eq!(error.key(), Some("session_lifetme"));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "flag --session-lifetme is not known: do you mean --session-lifetime?"
    /// );
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl From<ConfigError> for SettingsError {
    fn from(error: ConfigError) -> Self {
        Self::of(error.setting(), error.to_string())
    }
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
