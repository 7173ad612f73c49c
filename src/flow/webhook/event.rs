//! Events: which sessions each one ends, and from when.
//!
//! | event | ends the sessions of |
//! | --- | --- |
//! | `connection.deactivated`, `connection.deleted` | the connection `data.id` |
//! | `organization.deleted` | the organization `data.id` |
//! | `user.deleted` | the subject `data.id`, and the address `data.email` |
//! | `dsync.user.deleted`; `dsync.user.updated` with state `inactive` or `suspended` | each address of `data` |
//! | `organization_membership.deleted`; `….updated` with status `inactive` | the subject `data.user_id` in the organization `data.organization_id`, and in no other |
//! | `session.revoked` | the provider's session `data.id` |
//!
//! - They end what began before the event, or within a minute after: our clock and WorkOS's are
//!   two. A late delivery does not end what began since. An event without a time that can be read
//!   ends what began before its delivery.
//! - Read leniently: `object` and `context` may be missing, an id may look like anything, and
//!   fields may be added. But an event of these names without the id that it must name is an error,
//!   which WorkOS is told, and never half done. A person may have no address: then there is none to
//!   end.
//! - A directory's users have addresses, and no id that a session knows: their events end the
//!   sessions of an address in every organization. So whoever runs a directory can have somebody
//!   else sign in again, and no more than that.

use std::time::Duration;

use serde_json::Value;

use crate::{clock::Timestamp, email::Email, revocation::Target};

/// How far WorkOS's clock may be behind ours.
const LEEWAY: Duration = Duration::from_secs(60);
/// The most bytes of an id or address. WorkOS's ids have 40 at most, addresses 254 (RFC 5321,
/// section 4.5.3.1.3).
const LONGEST_NAME: usize = 512;
/// The most addresses of one person that are read.
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

    /// Returns the last moment at which a session that the event ends can have begun.
    pub(crate) fn at(&self, now: Timestamp) -> Timestamp {
        let made = text(&self.event, "created_at").and_then(Timestamp::of_rfc3339);
        made.map_or(now, |made| now.min(made + LEEWAY))
    }

    /// Returns whose sessions end; nobody's, for most events. `None` if the event does not say what
    /// it must.
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
            "organization_membership.deleted" => vec![self.membership()?],
            "organization_membership.updated" if self.datum("status") == Some("inactive") => {
                vec![self.membership()?]
            }
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

    /// Returns every address of the person: `email`, and `emails` of a directory user. Each as it
    /// is written and as we write it.
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
            let ours = ours
                .as_ref()
                .map(|email| email.as_str().to_ascii_lowercase());
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

/// Returns a text that says something.
fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    let text = value.get(field)?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST_NAME).then_some(text)
}

#[cfg(test)]
mod tests;
