//! Browsers that have signed in here before. They have a share of their own of what is for
//! everybody, for mail, codes and exchanges of their person, and of their person's mail, so that no
//! number of strangers keeps them out.
//!
//! - The cookie `Known` is set at each sign-in and lasts 180 days from the last one. It is sealed,
//!   and holds a random id, a hash of the mailbox and the time. A retired key opens it until that
//!   key's end, and each sign-in seals it with the current one.
//! - It proves nothing but that. It is no session and finishes no sign-in: it only counts the
//!   browser elsewhere, for its own person. A thief of it can have the person mailed a
//!   few times, and reads none of it.
//! - It stays at sign-out, also everywhere: the next thing that its person needs is a mail. Another
//!   person who signs in replaces it.

use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::{browser, mailbox::mailbox_of, step::Step};
use crate::{
    clock::Timestamp,
    email::Email,
    session::{
        Session,
        cookie::CookieName,
        seal::{self, Purpose},
    },
};

/// How long a browser is known from its last sign-in: longer than a long absence. No setting: the
/// cookie gives no access that an earlier end could take away.
const LIFETIME: Duration = Duration::from_secs(180 * 24 * 60 * 60);
const VERSION: u8 = 1;

/// A browser in which the person of an address has signed in before.
pub(super) struct KnownBrowser {
    /// Random, and the same from one sign-in of this person here to the next.
    pub(super) id: [u8; 16],
    mailbox: [u8; 16],
}

impl KnownBrowser {
    /// Returns this browser, if the person of this address has signed in here before.
    pub(super) fn of(step: &Step, email: &Email) -> Option<Self> {
        let gate = &step.flow.shared.gate;
        let head = step.head();
        let sealed = head.cookie(gate.cookies.name(CookieName::Known)).one()?;
        let keys = gate.tokens.keys();
        let plain = keys.open(Purpose::Known, sealed, step.reading())?;
        let rest = plain.strip_prefix(&[VERSION])?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (mailbox, rest) = rest.split_first_chunk::<16>()?;
        let since = Timestamp::from_secs(u64::from_be_bytes(rest.try_into().ok()?));
        let is_known = *mailbox == hash_of(email) && step.reading().date() < since + LIFETIME;
        is_known.then_some(Self {
            id: *id,
            mailbox: *mailbox,
        })
    }

    /// Returns the name of the person, for a count of all their browsers.
    pub(super) fn person(&self) -> [u8; 17] {
        // One octet longer than an id, so that no id is a person's name.
        let mut name = [0; 17];
        name.iter_mut()
            .zip(self.mailbox)
            .for_each(|(to, from)| *to = from);
        name
    }
}

/// Records that the person of an address has signed in here. Without limits it is of no use, and is
/// not set.
pub(super) fn record(
    step: &Step,
    session: &Session,
    email: &Email,
    response: &mut Response<Bytes>,
) {
    if step.flow.throttling.limits.is_none() {
        return;
    }
    let keys = step.flow.shared.gate.tokens.keys();
    // The callers of one exchange set the same cookies, so nothing here is drawn anew.
    let id = KnownBrowser::of(step, email).map_or_else(
        || {
            let mut room = [0; 22];
            let session = session.id().text(&mut room);
            keys.pseudonym("known browser: id", session.as_bytes())
        },
        |known| known.id,
    );
    let mut plain = Vec::with_capacity(1 + 16 + 16 + 8);
    plain.push(VERSION);
    plain.extend(id);
    plain.extend(hash_of(email));
    plain.extend(session.auth_time().as_secs().to_be_bytes());
    let sealed = keys.seal_alike(session, Purpose::Known, &plain);
    if let Some(sealed) = sealed {
        browser::keep(step, response, CookieName::Known, &sealed, LIFETIME);
    }
}

/// Returns the hash of an address's mailbox. Sealed: addresses can be guessed, and their hashes
/// found again.
fn hash_of(email: &Email) -> [u8; 16] {
    seal::fingerprint(&mailbox_of(email))
}
