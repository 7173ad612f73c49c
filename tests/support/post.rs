//! A mailer that keeps what it is given.

use std::sync::{Arc, Mutex};

use tower_magic_link::{
    clock::Timestamp,
    mailer::{Mail, MailError, Mailer},
};

use crate::names::ORIGIN;

/// Keeps the mails; fails when told to.
#[derive(Clone, Default)]
pub(crate) struct Post {
    letters: Arc<Mutex<Vec<Letter>>>,
    is_down: Arc<Mutex<bool>>,
}

/// What a mail holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) link: Option<String>,
    pub(crate) code: Option<String>,
    /// When what it holds ends.
    pub(crate) expires_at: Timestamp,
}

impl Post {
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Letter {
        let letters = self.letters.lock().unwrap();
        letters.last().cloned().expect("a mail")
    }

    /// Returns the path of the last link: it is on our own origin.
    pub(crate) fn link(&self) -> String {
        let link = self.last().link.expect("a link");
        link.strip_prefix(ORIGIN).expect("our origin").to_owned()
    }

    pub(crate) fn code(&self) -> String {
        self.last().code.expect("a code")
    }

    pub(crate) fn is_down(&self, is_down: bool) {
        *self.is_down.lock().unwrap() = is_down;
    }
}

impl Mailer for Post {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        if *self.is_down.lock().unwrap() {
            // As a mail server's reply, it repeats what must not be logged.
            let (to, link) = (mail.to().as_str(), mail.link().map(|link| link.expose()));
            let code = mail.code().map(|code| code.expose());
            return Err(MailError::new(format!("{to} {link:?} {code:?}")));
        }
        self.letters.lock().unwrap().push(Letter {
            to: mail.to().as_str().to_owned(),
            link: mail.link().map(|link| link.expose().to_owned()),
            code: mail.code().map(|code| code.expose().to_owned()),
            expires_at: mail.expires_at(),
        });
        Ok(())
    }
}
