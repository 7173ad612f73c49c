//! `Mail`: what the emulator would have mailed.

use std::{collections::VecDeque, fmt};

use crate::provider::Link;

/// How many mails the outbox holds before it forgets the oldest.
const LIMIT: usize = 1_024;

pub(super) type Outbox = VecDeque<Mail>;

/// A mail with a sign-in link. `Debug` shows neither the link nor the address.
#[derive(Clone)]
pub struct Mail {
    address: String,
    link: Link,
}

impl Mail {
    pub(super) fn new(address: String, link: Link) -> Self {
        Self { address, link }
    }

    /// Returns the address as the session was made for it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the single-use link. It must not reach a log, except that of a machine where nothing is real.
    #[must_use]
    pub fn link(&self) -> &str {
        self.link.expose()
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("link", &self.link)
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

    #[test]
    fn past_its_limit_the_outbox_forgets_the_oldest_mail() {
        let mut outbox = Outbox::new();
        for n in 0..=LIMIT {
            put(&mut outbox, Mail::new(n.to_string(), Link::new("")));
        }
        assert_eq!(outbox.len(), LIMIT);
        assert_eq!(outbox.front().unwrap().address(), "1");
    }

    #[test]
    fn debug_shows_neither_link_nor_address() {
        let mail = Mail::new("ada@example.com".to_owned(), Link::new("http://secret"));
        assert_eq!(format!("{mail:?}"), "Mail { link: [redacted], .. }");
    }
}
