//! `Groups`: revocations that end many sessions, by what those sessions share.

use std::borrow::Cow;

use super::names::{Before, Names};
use crate::{
    revocation::{
        Revocation,
        target::{Target, membership, read_membership},
    },
    session::Session,
};

/// How many lists the names of one kind are spread over. Each revocation copies one list.
const NAME_SHARDS: usize = 64;

/// Revocations that end many sessions, by what those sessions share.
pub(super) struct Groups {
    /// In lower case.
    addresses: Names,
    connections: Names,
    /// By [`membership`].
    memberships: Names,
    organizations: Names,
    provider_sessions: Names,
    subjects: Names,
}

/// The revocations of one kind, and the target that their names stand for.
pub(super) type Kind<'a> = (&'a Names, fn(String) -> Target);

impl Default for Groups {
    fn default() -> Self {
        let names = || Names::new(NAME_SHARDS);
        Self {
            addresses: names(),
            connections: names(),
            memberships: names(),
            organizations: names(),
            provider_sessions: names(),
            subjects: names(),
        }
    }
}

impl Groups {
    pub(super) fn all(&self) -> [Kind<'_>; 6] {
        [
            (&self.addresses, Target::Address),
            (&self.connections, Target::Connection),
            (&self.memberships, member),
            (&self.organizations, Target::Organization),
            (&self.provider_sessions, Target::ProviderSession),
            (&self.subjects, Target::Subject),
        ]
    }

    /// Returns where revocations for a target are kept, and under which name. `None` for one
    /// session's id.
    pub(super) fn named<'a>(&self, target: &'a Target) -> Option<(&Names, Cow<'a, str>)> {
        Some(match target {
            Target::Address(address) => (&self.addresses, address.to_ascii_lowercase().into()),
            Target::Connection(id) => (&self.connections, id.into()),
            Target::Membership {
                subject,
                organization,
            } => (&self.memberships, membership(subject, organization).into()),
            Target::Organization(id) => (&self.organizations, id.into()),
            Target::ProviderSession(id) => (&self.provider_sessions, id.into()),
            Target::Session(_) => return None,
            Target::Subject(subject) => (&self.subjects, subject.into()),
        })
    }

    /// Returns the remembered revocations of one shard of one kind: `None` past the last.
    pub(super) fn part(&self, number: usize) -> Option<Vec<Revocation>> {
        let kinds = self.all();
        let (names, target) = kinds.get(number / NAME_SHARDS)?;
        let entries = names.part(number % NAME_SHARDS)?.into_iter();
        let revocations = entries.map(|(name, Before { at, until })| {
            Revocation::new(target(String::from(&*name)), at, until)
        });
        Some(revocations.collect())
    }

    pub(super) fn len(&self) -> usize {
        self.all().iter().map(|(names, _)| names.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn ends(&self, session: &Session) -> bool {
        let ends = |names: &Names, name: Option<&str>| {
            // The count first: most stores hold no order of most kinds, and then no name is hashed.
            names.len() > 0 && name.is_some_and(|name| names.ends(name, session.revocable_from()))
        };
        let ends_person = |(subject, organization): (&str, Option<&str>)| {
            ends(&self.subjects, Some(subject))
                || ends(&self.organizations, organization)
                || self.memberships.len() > 0
                    && organization.is_some_and(|organization| {
                        let name = membership(subject, organization);
                        ends(&self.memberships, Some(&name))
                    })
        };
        ends_person((session.subject(), session.organization()))
            // The provider knows the person by these, if the application granted others.
            || session.proven().is_some_and(ends_person)
            || ends(&self.connections, session.connection())
            || ends(&self.provider_sessions, session.provider_session())
            || self.addresses.len() > 0
                && ends(&self.addresses, Some(&session.email().to_ascii_lowercase()))
    }
}

/// Turns a name of a membership, which this file wrote, back into its target.
#[expect(
    clippy::needless_pass_by_value,
    reason = "made of a name as the other targets are"
)]
fn member(name: String) -> Target {
    let (subject, organization) = read_membership(&name).unwrap_or_default();
    Target::Membership {
        subject: subject.to_owned(),
        organization: organization.to_owned(),
    }
}
