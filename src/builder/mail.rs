//! Settings of what people see: pages, and the layer's own mail.

use std::time::Duration;

use super::{Builder, MINUTE, greeting::name_of};
use crate::{
    error::ConfigError,
    flow::{Answering, Mailing},
    mailer::{BoundedMailer, ErasedMailer, Mailer},
    page::Pages,
};

/// Long enough for any company, short enough for a subject.
const LONGEST_NAME: usize = 80;
/// A person who waits longer thinks that the form is broken.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// The settings of mail.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) mailer: Option<Box<dyn ErasedMailer>>,
    application_name: Option<String>,
    timeout: Duration,
    answering: Answering,
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            mailer: None,
            application_name: None,
            timeout: Duration::from_secs(15),
            answering: Answering::After(Duration::from_secs(1)),
        }
    }

    pub(super) fn application_name(&self) -> Result<Option<String>, ConfigError> {
        let Some(name) = &self.application_name else {
            return Ok(None);
        };
        let is_bounded = (1..=LONGEST_NAME).contains(&name.chars().count());
        // It stands in the subject of mails, where a control character could begin another header
        // field.
        if is_bounded && !name.chars().any(char::is_control) && name.trim() == name {
            return Ok(Some(name.clone()));
        }
        let problem =
            "must be 1 to 80 characters, without control characters or surrounding spaces";
        // The name may be very long, so the error shows only its beginning.
        let shown: String = name.chars().take(LONGEST_NAME + 1).collect();
        Err(ConfigError::invalid("application_name", shown, problem))
    }

    pub(super) fn mailing(&self) -> Result<Mailing, ConfigError> {
        match self.answering {
            Answering::After(time) if time > LONGEST_ANSWER => Err(ConfigError::invalid(
                "answer_after",
                format!("{time:?}"),
                "must be at most 10 seconds",
            )),
            answering => Ok(Mailing::new(answering)),
        }
    }

    pub(super) fn mailer(self) -> Result<Option<BoundedMailer>, ConfigError> {
        let timeout = self.timeout;
        if timeout.is_zero() || timeout > MINUTE {
            let problem = "must be more than zero and at most 1 minute";
            return Err(ConfigError::invalid(
                "mailer_timeout",
                format!("{timeout:?}"),
                problem,
            ));
        }
        Ok(self.mailer.map(|mailer| BoundedMailer { mailer, timeout }))
    }
}

/// # Pages and mail
///
/// What people see, and what they are sent.
impl Builder {
    /// Sets the pages that people see. Default: [`DefaultPages`](crate::page::DefaultPages), with
    /// the name that [`Builder::application_name`] sets.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// use tower_magic_link::{RejectionKind, page::{DefaultPages, Page, Pages}};
    ///
    /// struct OurPages(DefaultPages);
    ///
    /// impl Pages for OurPages {
    ///     fn render(&self, page: &Page<'_>) -> String {
    ///         match page {
    ///             Page::Trouble(page) if page.kind() == RejectionKind::NotAllowed => {
    ///                 "<!doctype html><html lang=\"en\"><title>Acme</title>\
    ///                  <p>Ask your team's owner to invite you.</p></html>"
    ///                     .to_owned()
    ///             }
    ///             page => self.0.render(page),
    ///         }
    ///     }
    ///
    ///     // Without it the browser refuses the styles of the default pages.
    ///     fn sources(&self) -> tower_magic_link::page::PageSources {
    ///         self.0.sources()
    ///     }
    /// }
    ///
    /// builder.pages(OurPages(DefaultPages::new()))
    /// # }
    /// ```
    pub fn pages(mut self, pages: impl Pages) -> Self {
        self.pages = Some(Box::new(pages));
        self
    }

    /// Sets the mailer for the layer's own mails. Default: the provider sends its own mails.
    ///
    /// The mail has a link that no scanner can use up, or a code, as [`Builder::sign_in`] says. The
    /// guide [compares it with the provider's](crate::guide::mail_scanners).
    pub fn mailer<M: Mailer>(mut self, mailer: M) -> Self {
        self.names.mailer = Some(name_of::<M>());
        self.mail.mailer = Some(Box::new(mailer));
        self
    }

    /// Sets the name of what people sign in to: 1 to 80 characters. Default: none.
    ///
    /// The subject of the layer's own mail contains it, and every page shows it above its heading
    /// and in its title. If [`Builder::pages`] is set, only the form for an address does, and the
    /// others show the name that those pages have
    /// ([`DefaultPages::application_name`](crate::page::DefaultPages::application_name)).
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.mail.application_name = Some(name.into());
        self
    }

    /// Sets how long the layer waits for the [`Mailer`]: up to 1 minute.
    /// Default: 15 seconds.
    ///
    /// After that, the layer drops the mailer's future, and reports an
    /// [`Event::MailFailed`](crate::event::Event::MailFailed). The layer needs a tokio runtime with
    /// its timer enabled.
    pub fn mailer_timeout(mut self, timeout: Duration) -> Self {
        self.mail.timeout = timeout;
        self
    }

    /// Sets how long after a request for mail the layer answers it: up to 10 seconds. Default: 1
    /// second.
    ///
    /// Who asks for mail must not learn whether the address may sign in. So the answer has the same
    /// bytes and comes at the same time for a good address, one whose domain is not taken
    /// ([`Builder::email_domains`]), one that WorkOS refuses or whose mail it limits, and one that
    /// its mail server refuses. What takes longer goes on in the background, and an
    /// [`Event`](crate::event::Event) says how it ended.
    ///
    /// An outage of WorkOS or of the mailer is the same for every address, so the page says so: if
    /// it shows within this time, or if a sign-in has shown it in the last five minutes. With zero,
    /// only the latter. The first request of an outage may therefore differ from one for an address
    /// that gets no mail. What may be about one address alone, such as a 422 of WorkOS for a reason
    /// that the layer does not know, counts as an outage once mail to a second domain has met it
    /// too (to a second address, if [`Builder::email_domains`] names one domain). Until then only
    /// whoever asked is told, if it shows within this time. The layer needs a tokio runtime with
    /// its timer enabled.
    ///
    /// ```
    /// # fn example(builder: tower_magic_link::Builder) -> tower_magic_link::Builder {
    /// use std::time::Duration;
    ///
    /// // A mail server far away: most outages show within two seconds.
    /// builder.answer_after(Duration::from_secs(2))
    /// # }
    /// ```
    pub fn answer_after(mut self, time: Duration) -> Self {
        self.mail.answering = Answering::After(time);
        self
    }

    /// Answers a request for mail when the mail is sent, or was not. For tests that must be fast,
    /// and for development. [`Builder::answer_after`] switches it off again.
    ///
    /// **The time of the answer then tells a stranger which addresses get a mail.** The work begins
    /// in the request's own task: a mailer that blocks its thread blocks that one.
    pub fn insecure_answer_when_sent(mut self) -> Self {
        self.mail.answering = Answering::WhenDone;
        self
    }
}
