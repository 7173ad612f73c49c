//! `Mail`: a mail that the emulator has put into its outbox.
//!
//! - A mail has a recipient, a subject and a text. WorkOS does not document its wording, so the
//!   words are ours.
//! - The text holds the link or code once, and a link on a line of its own, where a mail scanner
//!   finds it too.

use std::{collections::VecDeque, fmt, time::Duration};

use crate::provider::{Link, OneTimeCode};

/// How many mails the outbox holds. A full one drops the oldest.
const LIMIT: usize = 1_024;

pub(super) type Outbox = VecDeque<Mail>;

/// A mail with a sign-in link, or with a six-digit code. `Debug` shows neither, nor the address.
#[derive(Clone)]
pub struct Mail {
    address: String,
    proof: Proof,
    lifetime: Duration,
}

/// The credential in a mail.
#[derive(Clone, Debug)]
enum Proof {
    Code(OneTimeCode),
    Link(Link),
}

impl Mail {
    pub(super) const fn with_code(address: String, code: OneTimeCode, lifetime: Duration) -> Self {
        Self {
            address,
            proof: Proof::Code(code),
            lifetime,
        }
    }

    pub(super) const fn with_link(address: String, link: Link, lifetime: Duration) -> Self {
        Self {
            address,
            proof: Proof::Link(link),
            lifetime,
        }
    }

    /// Returns the recipient, spelled as in the request for the session or code.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the six-digit code, if the mail has one. Do not log it, except on a development
    /// machine.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.proof {
            Proof::Code(code) => Some(code.expose()),
            Proof::Link(_) => None,
        }
    }

    /// Returns the single-use link, if the mail has one. Do not log it, except on a development
    /// machine.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match &self.proof {
            Proof::Code(_) => None,
            Proof::Link(link) => Some(link.expose()),
        }
    }

    /// Returns the subject. It holds neither the link nor the code.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        match &self.proof {
            Proof::Code(_) => "Your sign-in code",
            Proof::Link(_) => "Your sign-in link",
        }
    }

    /// Returns the text, with the link or the code.
    #[must_use]
    pub fn text(&self) -> String {
        let minutes = self.lifetime.as_secs().div_ceil(60);
        let good = format!(
            "It works once, within {minutes} minutes. If you did not ask for it, you can ignore this mail."
        );
        match &self.proof {
            Proof::Code(code) => format!("Your sign-in code is {}.\n\n{good}\n", code.expose()),
            Proof::Link(link) => format!(
                "Open this link to sign in:\n\n{}\n\n{good}\n",
                link.expose()
            ),
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

pub(super) fn put(outbox: &mut Outbox, mail: Mail) {
    if outbox.len() == LIMIT {
        outbox.pop_front();
    }
    outbox.push_back(mail);
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    #[test]
    fn past_its_limit_the_outbox_forgets_the_oldest_mail() {
        let mut outbox = Outbox::new();
        for n in 0..=LIMIT {
            let mail = Mail::with_link(n.to_string(), Link::new(""), QUARTER);
            put(&mut outbox, mail);
        }
        assert_eq!(outbox.len(), LIMIT);
        assert_eq!(outbox.front().unwrap().address(), "1");
    }

    #[test]
    fn a_mail_is_whole_and_shows_its_secret_in_the_text_alone() {
        let ada = || "ada@example.com".to_owned();
        let link = Mail::with_link(ada(), Link::new("http://secret/x"), QUARTER);
        let code = Mail::with_code(ada(), OneTimeCode::new("424242"), Duration::from_secs(541));
        assert_eq!((link.link(), link.code()), (Some("http://secret/x"), None));
        assert_eq!((code.link(), code.code()), (None, Some("424242")));
        assert!(link.text().lines().any(|line| line == "http://secret/x"));
        assert!(link.text().contains("within 15 minutes"), "{}", link.text());
        assert!(code.text().contains("code is 424242."), "{}", code.text());
        assert!(code.text().contains("within 10 minutes"), "{}", code.text());
        assert_eq!(link.subject(), "Your sign-in link");
        assert_eq!(code.subject(), "Your sign-in code");
        assert_eq!(format!("{link:?}"), "Mail { proof: Link([redacted]), .. }");
        assert_eq!(format!("{code:?}"), "Mail { proof: Code([redacted]), .. }");
    }
}
