//! `Trial`: a mailer under test.

use std::future::{self, Future};

use crate::mailer::Mailer;

/// A mailer under test, and where its mails arrive.
pub trait Trial {
    /// The mailer.
    type Mailer: Mailer;

    /// Returns the mailer.
    fn mailer(&self) -> &Self::Mailer;

    /// Returns all mails that were delivered so far, the oldest first, once there are `count` of
    /// them or it is clear that no more will come.
    fn delivered(&self, count: usize) -> impl Future<Output = Vec<Delivered>>;

    /// Makes sending fail, as if the mail server refused the mails, or succeed again. Returns
    /// whether the trial can do that. Default: it cannot.
    fn fail(&self, failure: Failure) -> impl Future<Output = bool> {
        let _ = failure;
        future::ready(false)
    }
}

/// Whether the mailer fails to send the next mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a mail is accepted or not")]
pub enum Failure {
    /// From now on, mails are not accepted.
    Begins,
    /// From now on, mails are accepted again.
    Ends,
}

/// A mail that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub(super) recipients: Vec<String>,
    pub(super) text: String,
}

impl Delivered {
    /// Describes a mail by all its recipients and its text: the decoded body, or its parts one
    /// after the other.
    #[must_use]
    pub fn new(
        recipients: impl IntoIterator<Item = impl Into<String>>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            recipients: recipients.into_iter().map(Into::into).collect(),
            text: text.into(),
        }
    }
}
