//! `ConfigError`: a configuration that cannot work, as the developer reads it.

use std::{borrow::Cow, fmt};

use crate::secret::may_be_secret;

/// A setting that cannot work. `build()`, or the constructor that takes the setting, returns it.
///
/// It carries the offending value, unless that is a secret or looks like one. `Debug` prints the
/// same as `Display`, so that a `main` that returns it prints a readable error.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting has a value that cannot work.
    #[error("{setting} {value:?} {problem}")]
    Invalid {
        /// The setting, named as its method or environment variable.
        setting: &'static str,
        /// The value that was given.
        value: String,
        /// What is wrong with it, as the end of a sentence that begins with the setting.
        problem: Cow<'static, str>,
    },
    /// A setting that has no default was not given.
    #[error("{setting} {}", missing(setting))]
    Missing {
        /// The setting, named as its method or environment variable.
        setting: &'static str,
    },
    /// A secret cannot work, or a value that looks like one. It is not shown.
    #[error("{setting} {problem}")]
    Secret {
        /// The setting, named as its method or environment variable.
        setting: &'static str,
        /// What is wrong with it, as the end of a sentence that begins with the setting.
        problem: Cow<'static, str>,
    },
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says how to get a missing value, as the end of a sentence that begins with the setting.
fn missing(setting: &str) -> &'static str {
    match setting {
        "MAGIC_LINK_KEY" => "is not set: `openssl rand -base64 32` prints a new one",
        "WORKOS_API_KEY" => "is not set: WorkOS's dashboard shows it under API Keys",
        "WORKOS_API_KEY and WORKOS_CLIENT_ID" => {
            "are not set: WorkOS's dashboard shows both under API Keys"
        }
        "WORKOS_CLIENT_ID" => "is not set: WorkOS's dashboard shows it under API Keys",
        "mailer" => {
            "is not set, and the provider mails nothing: add an SmtpMailer, a mailer of your own, or a \
             ConsoleMailer in development"
        }
        "public_url" => {
            "is not set: it is where browsers reach the application, such as https://app.example.com"
        }
        _ => "is not set",
    }
}

impl ConfigError {
    /// Refuses a value, and shows it unless it looks like a secret in the wrong place.
    pub(crate) fn invalid(
        setting: &'static str,
        value: impl Into<String>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        let value = value.into();
        match may_be_secret(&value) {
            true => Self::withheld(setting, problem),
            false => Self::shown(setting, value, problem),
        }
    }

    /// Refuses a value that is no secret, whatever it looks like, and shows it.
    pub(crate) fn shown(
        setting: &'static str,
        value: impl Into<String>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid {
            setting,
            value: value.into(),
            problem: problem.into(),
        }
    }

    /// Refuses a value that may be a secret where none belongs, and says that it is not shown.
    pub(crate) fn withheld(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        let problem = problem.into();
        Self::secret(setting, format!("{problem} (its value is not shown)"))
    }

    /// Refuses a text of any length, and shows its first 80 characters.
    pub(crate) fn beginning(
        setting: &'static str,
        text: &str,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        if may_be_secret(text) {
            return Self::withheld(setting, problem);
        }
        let shown = match text.char_indices().nth(80) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        };
        Self::shown(setting, shown, problem)
    }

    pub(crate) fn secret(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Secret {
            setting,
            problem: problem.into(),
        }
    }

    /// Refuses a URL, and shows it only if it can hold no password: the text before an `@` or
    /// after a `?` may be one.
    #[cfg(any(feature = "redis", feature = "smtp"))]
    pub(crate) fn url(setting: &'static str, text: &str, problem: &'static str) -> Self {
        if text.contains(['@', '?']) {
            Self::withheld(setting, problem)
        } else {
            Self::invalid(setting, text, problem)
        }
    }

    /// Returns the setting that cannot work.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Invalid { setting, .. }
            | Self::Missing { setting }
            | Self::Secret { setting, .. } => setting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_or_the_error_says_that_it_is_not() {
        let hidden = "x must be short (its value is not shown)";
        let cases = [
            ("/account", "x \"/account\" must be short"),
            (
                "https://social.example/@acme",
                "x \"https://social.example/@acme\" must be short",
            ),
            ("", "x \"\" must be short"),
            ("sk_test_hunter2", hidden),
            ("rediss://app:hunter2", hidden),
        ];
        for (value, want) in cases {
            let errors = [
                ConfigError::invalid("x", value, "must be short"),
                ConfigError::beginning("x", value, "must be short"),
            ];
            for error in errors {
                assert_eq!(error.to_string(), want, "{value}");
                assert_eq!(error.setting(), "x");
            }
        }
        // A secret in its own place needs no word on that.
        let secret = ConfigError::secret("x", "is not UTF-8").to_string();
        assert_eq!(secret, "x is not UTF-8");
        let long = format!("{} sk_test_hunter2", "a".repeat(80));
        let error = ConfigError::beginning("x", &long, "must be short");
        assert_eq!(error.to_string(), hidden, "beyond what is shown");
    }

    #[cfg(any(feature = "redis", feature = "smtp"))]
    #[test]
    fn a_url_that_may_hold_a_password_is_not_shown() {
        for text in [
            "redis://hunter2@h",
            "redis://h?hunter2",
            "redis://app:hunter2",
        ] {
            let error = ConfigError::url("x", text, "has no host").to_string();
            assert_eq!(error, "x has no host (its value is not shown)", "{text}");
        }
        let error = ConfigError::url("x", "redis://h", "has no host").to_string();
        assert_eq!(error, "x \"redis://h\" has no host");
    }
}
