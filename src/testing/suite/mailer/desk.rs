//! `Desk`: a case's mailer, and mails to send by it.

use std::time::Duration;

use super::trial::{Delivered, Trial};
use crate::{
    email::Email,
    mailer::{Mail, MailError, Mailer},
    provider::{Link, OneTimeCode},
    testing::suite::{
        NOON, World, email,
        report::{Miss, Outcome, same},
    },
};

const LIFETIME: Duration = Duration::from_secs(900);

pub(super) struct Desk<T>(pub(super) T);

impl<T> From<(World, T)> for Desk<T> {
    fn from((_, trial): (World, T)) -> Self {
        Self(trial)
    }
}

/// A mail that a case sends.
#[derive(Clone)]
pub(super) struct Letter {
    pub(super) to: Email,
    pub(super) link: Option<Link>,
    pub(super) code: Option<OneTimeCode>,
}

impl Letter {
    /// Returns a mail to one of many recipients, with a link and a code of its own.
    pub(super) fn numbered(number: u32) -> Self {
        // What a mailer that rewrites links, or decodes them, would change.
        let link = format!(
            "https://app.example.com/auth/open?t=Secret-{number}_a%2Fb%20c&x=1;y=~z#{number}-end"
        );
        Self {
            to: email(&format!("person{number}@example.com")),
            link: Some(Link::new(link)),
            code: Some(OneTimeCode::new(format!("{:06}", 427_500 + number))),
        }
    }

    /// Returns this mail, without its code.
    pub(super) fn with_link_alone(self) -> Self {
        Self { code: None, ..self }
    }

    /// Returns this mail, without its link.
    pub(super) fn with_code_alone(self) -> Self {
        Self { link: None, ..self }
    }

    pub(super) fn mail(&self) -> Mail<'_> {
        let mut mail = Mail::new(&self.to, NOON).with_application("Acme & Söhne");
        if let Some(link) = &self.link {
            mail = mail.with_link(link, LIFETIME);
        }
        if let Some(code) = &self.code {
            mail = mail.with_code(code, LIFETIME);
        }
        mail
    }

    /// Returns what has to be in the mail, and must not be in a log.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let link = self.link.as_ref().map(Link::expose);
        link.into_iter()
            .chain(self.code.as_ref().map(OneTimeCode::expose))
    }

    pub(super) fn is_in(&self, delivered: &Delivered) -> bool {
        self.secrets().all(|secret| delivered.text.contains(secret))
    }

    pub(super) fn is_for(&self, delivered: &Delivered) -> bool {
        let [recipient] = delivered.recipients.as_slice() else {
            return false;
        };
        recipient.eq_ignore_ascii_case(self.to.as_str())
    }
}

impl<T: Trial> Desk<T> {
    pub(super) async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        self.0.mailer().send(&letter.mail()).await
    }

    pub(super) async fn sent(&self, letter: &Letter) -> Outcome {
        let sent = self.send(letter).await;
        sent.map_err(|error| Miss::failed("a mail that is taken", error.reason()))
    }

    /// Returns what was delivered, of which there have to be so many.
    pub(super) async fn delivered(&self, count: usize) -> Outcome<Vec<Delivered>> {
        let delivered = self.0.delivered(count).await;
        same("how many mails are delivered", &delivered.len(), &count)?;
        Ok(delivered)
    }

    /// Sends one mail, and returns what of it arrives.
    pub(super) async fn arrives(&self, letter: &Letter) -> Outcome<Delivered> {
        self.sent(letter).await?;
        let delivered = self.delivered(1).await?;
        let first = delivered.into_iter().next();
        first.ok_or(Miss::failed("a mail", "none"))
    }
}
