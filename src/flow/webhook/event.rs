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
//!   unknown fields are skipped, whatever JSON they hold ([`members`]). A field of another type
//!   counts as missing. An event of the table without its id is an error. WorkOS gets the error,
//!   and no part of the event is carried out. A user may have no address; then no address is
//!   revoked.
//! - A directory's user has addresses in `email`, and more in a list. The list is in
//!   `custom_attributes`: WorkOS empties the one beside `email` on 15 April 2026
//!   (workos.com/docs/deprecations/raw-attributes). An update that replaces an address names the
//!   old one in `previous_attributes`, and ends its sessions, too.
//! - A directory's users have addresses, but no id that a session knows. Their events end the
//!   sessions of an address in every organization, so a directory's administrator can force another
//!   organization's user to sign in again, and no more than that.

use self::members::Unread;
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

/// What is read of an event whose signature was good.
pub(crate) struct Received {
    id: String,
    name: String,
    made: Option<Timestamp>,
    data: Data,
}

/// What is read of an event's `data`.
#[derive(Default)]
struct Data {
    id: Option<String>,
    addresses: Vec<String>,
    state: Option<String>,
    status: Option<String>,
    user_id: Option<String>,
    organization_id: Option<String>,
}

impl Received {
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        // JSON is UTF-8 (RFC 8259, section 8.1).
        let event = Unread::of(std::str::from_utf8(body).ok()?);
        let [id, name, made, data] = event.members(["id", "event", "created_at", "data"])?;
        Some(Self {
            id: text(id)?,
            name: text(name)?,
            made: text(made).and_then(|made| Timestamp::of_rfc3339(&made)),
            data: data.and_then(Data::read).unwrap_or_default(),
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
        let (made, leeway) = (self.made, Revocation::LEEWAY);
        made.map_or(now, |made| match now < made + leeway + leeway {
            // Never of a time that is further ahead: nobody could sign in until then.
            true => made.min(now + leeway) + leeway,
            false => made,
        })
    }

    /// Returns whose sessions end, which most events leave empty. `None` if a required id is
    /// missing.
    pub(crate) fn targets(&self) -> Option<Vec<Target>> {
        let data = &self.data;
        let id = || data.id.clone();
        Some(match self.name.as_str() {
            "connection.deactivated" | "connection.deleted" => {
                vec![Target::Connection(id()?)]
            }
            "dsync.user.deleted" => data.addresses(),
            "dsync.user.updated"
                if matches!(data.state.as_deref(), Some("inactive" | "suspended")) =>
            {
                data.addresses()
            }
            "organization.deleted" => vec![Target::Organization(id()?)],
            // In that organization alone. The person may well be a member of others.
            "organization_membership.deleted" => vec![data.membership()?],
            "organization_membership.updated" if data.status.as_deref() == Some("inactive") => {
                vec![data.membership()?]
            }
            // A session that began by a link has none at WorkOS, and no such event reaches it.
            "session.revoked" => vec![Target::ProviderSession(id()?)],
            "user.deleted" => {
                let mut targets = vec![Target::Subject(id()?)];
                targets.extend(data.addresses());
                targets
            }
            _ => Vec::new(),
        })
    }
}

impl Data {
    fn read(data: Unread<'_>) -> Option<Self> {
        let [id, state, status, user_id, organization_id, previous] = data.members([
            "id",
            "state",
            "status",
            "user_id",
            "organization_id",
            "previous_attributes",
        ])?;
        // Only of the update that took the person out. If they were out before, their former
        // address may be another person's by now.
        let took_out =
            |previous: &Unread<'_>| matches!(previous.members(["state"]), Some([Some(_)]));
        let users = [Some(data), previous.filter(took_out)]
            .into_iter()
            .flatten();
        let mut addresses: Vec<String> = Vec::new();
        for address in users.flat_map(addresses_in) {
            if addresses.len() == MOST_ADDRESSES {
                break;
            }
            let is_known = |known: &String| known.eq_ignore_ascii_case(&address);
            if !addresses.iter().any(is_known) {
                addresses.push(address);
            }
        }
        Some(Self {
            id: text(id),
            addresses,
            state: text(state),
            status: text(status),
            user_id: text(user_id),
            organization_id: text(organization_id),
        })
    }

    fn membership(&self) -> Option<Target> {
        Some(Target::Membership {
            subject: self.user_id.clone()?,
            organization: self.organization_id.clone()?,
        })
    }

    /// Returns every address of the user, as WorkOS writes it and as we write it.
    fn addresses(&self) -> Vec<Target> {
        let mut addresses = Vec::new();
        for address in &self.addresses {
            let ours = Email::parse(address).ok();
            let ours = ours.map(|email| email.as_str().to_owned());
            // WorkOS may write a domain in other letters, and a session holds it in punycode.
            for form in [Some(address.to_ascii_lowercase()), ours] {
                addresses.extend(form.filter(|form| !addresses.contains(form)));
            }
        }
        addresses.into_iter().map(Target::Address).collect()
    }
}

/// Returns the addresses of a user, or those that an update has replaced.
fn addresses_in(user: Unread<'_>) -> impl Iterator<Item = String> {
    let members = user.members(["email", "emails", "custom_attributes"]);
    let [email, emails, custom] = members.unwrap_or_default();
    let custom = custom.and_then(|custom| custom.members(["emails"]));
    let [custom] = custom.unwrap_or_default();
    let lists = [emails, custom].into_iter().flatten();
    let entries = lists.filter_map(Unread::list).flatten();
    text(email)
        .into_iter()
        .chain(entries.filter_map(address_of))
}

/// Returns the address of an entry in a list: an object's `value`, or a plain text.
fn address_of(entry: Unread<'_>) -> Option<String> {
    match entry.members(["value"]) {
        Some([address]) => text(address),
        None => text(Some(entry)).filter(|text| text.contains('@')),
    }
}

/// Returns a text field, unless it is empty or too long.
fn text(value: Option<Unread<'_>>) -> Option<String> {
    let text = value?.text()?;
    (!text.is_empty() && text.len() <= LONGEST_NAME).then_some(text)
}

mod members;

#[cfg(test)]
mod tests;
