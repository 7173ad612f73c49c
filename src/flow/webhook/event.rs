//! Events: which sessions each one ends, and which are too new for it.
//!
//! The table of the events is in the documentation of
//! [`Builder::webhook_secret`](crate::Builder::webhook_secret), and [`Received::targets`] follows
//! it.
//!
//! - An event ends the sessions that began before it, or within a minute after, because our clock
//!   and WorkOS's may differ. A late delivery ends none that began later. An event without a
//!   readable time ends those that began before its delivery.
//! - The revocations of an event that comes within two minutes are dated a minute after it: later
//!   than any that another machine gave before, so that none hides them. All that began before the
//!   delivery ends. A sign-in after it comes after the event, and stays. A second delivery has the
//!   same date, whatever the clock of the machine that takes it.
//! - Events are read leniently: `object` and `context` may be missing, an id may have any form, and
//!   unknown fields are ignored. An event of the table without its id is an error. WorkOS gets the
//!   error, and no part of the event is carried out. A user may have no address; then no address is
//!   revoked.
//! - A directory's users have addresses, but no id that a session knows. Their events end the
//!   sessions of an address in every organization, so a directory's administrator can force another
//!   organization's user to sign in again, and no more than that.

use serde_json::Value;

use crate::{
    clock::Timestamp,
    email::Email,
    revocation::{Revocation, Target},
};

/// The most bytes of an id or address. WorkOS's ids have 40 at most, addresses 254 (RFC 5321,
/// section 4.5.3.1.3).
const LONGEST_NAME: usize = 512;
/// The most addresses of one user that are read.
const MOST_ADDRESSES: usize = 16;

/// An event whose signature was good.
#[derive(Debug)]
pub(crate) struct Received {
    id: String,
    name: String,
    event: Value,
}

impl Received {
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(body).ok()?;
        Some(Self {
            id: text(&event, "id")?.to_owned(),
            name: text(&event, "event")?.to_owned(),
            event,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the moment of the event's revocations, which reach [`Revocation::LEEWAY`] further.
    pub(crate) fn at(&self, now: Timestamp) -> Timestamp {
        let made = text(&self.event, "created_at").and_then(Timestamp::of_rfc3339);
        let leeway = Revocation::LEEWAY;
        made.map_or(now, |made| match now < made + leeway + leeway {
            // Never of a time that is further ahead: nobody could sign in until then.
            true => made.min(now + leeway) + leeway,
            false => made,
        })
    }

    /// Returns whose sessions end, which most events leave empty. `None` if a required id is
    /// missing.
    pub(crate) fn targets(&self) -> Option<Vec<Target>> {
        let name = |field| self.datum(field).map(str::to_owned);
        Some(match self.name.as_str() {
            "connection.deactivated" | "connection.deleted" => {
                vec![Target::Connection(name("id")?)]
            }
            "dsync.user.deleted" => self.addresses(),
            "dsync.user.updated"
                if matches!(self.datum("state"), Some("inactive" | "suspended")) =>
            {
                self.addresses()
            }
            "organization.deleted" => vec![Target::Organization(name("id")?)],
            // In that organization alone. The person may well be a member of others.
            "organization_membership.deleted" => vec![self.membership()?],
            "organization_membership.updated" if self.datum("status") == Some("inactive") => {
                vec![self.membership()?]
            }
            // A session that began by a link has none at WorkOS, and no such event reaches it.
            "session.revoked" => vec![Target::ProviderSession(name("id")?)],
            "user.deleted" => {
                let mut targets = vec![Target::Subject(name("id")?)];
                targets.extend(self.addresses());
                targets
            }
            _ => Vec::new(),
        })
    }

    fn membership(&self) -> Option<Target> {
        Some(Target::Membership {
            subject: self.datum("user_id")?.to_owned(),
            organization: self.datum("organization_id")?.to_owned(),
        })
    }

    /// Returns every address of the user, as WorkOS writes it and as we write it.
    ///
    /// They are in `email`, and in `emails` of a directory user.
    fn addresses(&self) -> Vec<Target> {
        let data = self.event.get("data").unwrap_or(&Value::Null);
        let more = data.get("emails").and_then(Value::as_array);
        let more = more.into_iter().flatten();
        let all = text(data, "email")
            .into_iter()
            .chain(more.filter_map(|entry| text(entry, "value")));
        let mut addresses = Vec::new();
        for address in all.take(MOST_ADDRESSES) {
            let ours = Email::parse(address).ok();
            let ours = ours.map(|email| email.as_str().to_owned());
            // WorkOS may write a domain in other letters, and a session holds it in punycode.
            for form in [Some(address.to_ascii_lowercase()), ours] {
                addresses.extend(form.filter(|form| !addresses.contains(form)));
            }
        }
        addresses.into_iter().map(Target::Address).collect()
    }

    fn datum(&self, field: &str) -> Option<&str> {
        text(self.event.get("data")?, field)
    }
}

/// Returns a text field, unless it is empty or too long.
fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    let text = value.get(field)?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST_NAME).then_some(text)
}

#[cfg(test)]
mod tests;
