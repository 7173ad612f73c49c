//! `Denial`: why the application refuses a sign-in, in its own words.

use std::fmt;

use crate::email::is_invisible;

/// The most characters of a reason.
const LONGEST: usize = 300;

/// Why the application refuses a sign-in, in its own words.
///
/// The page of the refusal says it in place of the usual sentence, and the problem that a program
/// gets has it as its `detail`. Both come only after the person has proven the address. It is text
/// and no markup: the page escapes it. Keep secrets and addresses out of it, because
/// [`Rejection`](crate::Rejection), which an application may log, holds it.
///
/// ```
/// use tower_magic_link::{Authorization, Builder, Denial, Grant, provider::Identity};
///
/// fn configured(builder: Builder) -> Builder {
///     builder.authorize(|identity: Identity| async move {
///         match identity.email().domain() {
///             "example.com" => Authorization::Granted(Grant::new().organization("acme")),
///             _ => Authorization::Refused(Denial::because("Your trial has ended.")),
///         }
///     })
/// }
/// # let _ = configured;
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Denial {
    reason: String,
}

impl Denial {
    /// Refuses for a reason, in one or two whole sentences of up to 300 characters. The layer cuts
    /// a longer text, and writes a blank for each control or invisible character. Of an empty text
    /// the usual sentence comes.
    pub fn because(reason: impl AsRef<str>) -> Self {
        let seen = |c: char| {
            if c.is_control() || is_invisible(c) {
                ' '
            } else {
                c
            }
        };
        let reason: String = reason.as_ref().chars().map(seen).take(LONGEST).collect();
        Self {
            reason: reason.trim().to_owned(),
        }
    }

    /// Returns the reason, unless it is empty.
    pub(super) fn into_reason(self) -> Option<String> {
        Some(self.reason).filter(|reason| !reason.is_empty())
    }
}

impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Denial").field(&self.reason).finish()
    }
}
