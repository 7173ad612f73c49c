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

    /// Has mails fail, as where the mail server refuses them, or taken again. Returns whether it
    /// could. Default: it cannot.
    fn fail(&self, failure: Failure) -> impl Future<Output = bool> {
        let _ = failure;
        future::ready(false)
    }
}

/// What becomes of the next mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "mail is taken or it is not")]
pub enum Failure {
    /// They are not taken.
    Begins,
    /// They are taken again.
    Ends,
}

/// A mail that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub(super) recipients: Vec<String>,
    pub(super) text: String,
}

impl Delivered {
    /// Describes a mail by everybody that it went to, and its text: the decoded body, or each of
    /// its parts in turn.
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
