//! What a developer gets when the configuration cannot work.

use std::borrow::Cow;

/// A setting that cannot work, found by `build()` or by the constructor that took it.
///
/// It carries the offending value, except where that is a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting has a value that cannot work.
    #[error("{setting} {value:?} {problem}")]
    Invalid {
        /// The setting, as its method or environment variable is called.
        setting: &'static str,
        /// The value that was given.
        value: String,
        /// What is wrong with it, as the end of a sentence that begins with the setting.
        problem: Cow<'static, str>,
    },
    /// A setting that has no default was not given.
    #[error("{setting} is not set")]
    Missing {
        /// The setting, as its method or environment variable is called.
        setting: &'static str,
    },
    /// A secret cannot work. Its value is not shown.
    #[error("{setting} {problem}")]
    Secret {
        /// The setting, as its method or environment variable is called.
        setting: &'static str,
        /// What is wrong with it, as the end of a sentence that begins with the setting.
        problem: Cow<'static, str>,
    },
}

impl ConfigError {
    pub(crate) fn invalid(
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

    pub(crate) fn secret(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Secret {
            setting,
            problem: problem.into(),
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
