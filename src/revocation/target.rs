//! `Target`: which sessions a revocation ends.

use std::{borrow::Cow, fmt};

use crate::{
    email::{Email, masked_subject},
    session::{Session, SessionId},
};

/// Which sessions a [`Revocation`](super::Revocation) ends.
///
/// If the application [granted](crate::Grant) a subject or an organization of its own, a session is
/// found by those, and by those of the provider too ([`Session::provider_subject`]).
///
/// A session began by a moment if [`Session::revocable_from`] is not later. That is up to
/// [`LEEWAY`](super::Revocation::LEEWAY) before the sign-in, because the machines' clocks differ.
///
/// `Debug` masks an address, and a subject that holds an `@`: `Address("a***@example.com")`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Every session of this address that began by [`at`](super::Revocation::at), whatever its
    /// subject. ASCII case does not matter.
    Address(String),
    /// Every session that this connection of the provider proved by [`at`](super::Revocation::at).
    Connection(String),
    /// Every session of this subject in this organization that began by
    /// [`at`](super::Revocation::at); none of the subject's in another.
    Membership {
        /// The person: [`Session::subject`], or [`Session::provider_subject`].
        subject: String,
        /// The organization that goes with it: [`Session::organization`], or
        /// [`Session::provider_organization`].
        organization: String,
    },
    /// Every session of this organization that began by [`at`](super::Revocation::at).
    Organization(String),
    /// Every session that began with this session of the provider's
    /// ([`Session::provider_session`]) by [`at`](super::Revocation::at).
    ProviderSession(String),
    /// The one session of this id.
    Session(SessionId),
    /// Every session of this subject that began by [`at`](super::Revocation::at).
    Subject(String),
}

impl Target {
    /// Says whether a session is one of those that the target names, whenever it began.
    #[must_use]
    pub fn names(&self, session: &Session) -> bool {
        match self {
            // An event of WorkOS's may spell the address with capitals; a session's is in lower
            // case.
            Self::Address(address) => session.email().eq_ignore_ascii_case(address),
            Self::Connection(id) => session.connection() == Some(id),
            Self::Membership {
                subject,
                organization,
            } => {
                let person = (subject.as_str(), Some(organization.as_str()));
                (session.subject(), session.organization()) == person
                    || session.proven() == Some(person)
            }
            Self::Organization(id) => {
                let id = Some(id.as_str());
                session.organization() == id || session.provider_organization() == id
            }
            Self::ProviderSession(id) => session.provider_session() == Some(id),
            Self::Session(id) => session.id() == *id,
            Self::Subject(subject) => {
                session.subject() == subject || session.provider_subject() == subject
            }
        }
    }

    /// Returns every target that [names](Self::names) a session, its id first. Only a revocation
    /// for one of these can [end](super::Revocation::ends) the session.
    ///
    /// For a store that finds revocations by their target: it then also finds the kinds of
    /// revocation that a later version of this crate adds.
    pub fn all_of(session: &Session) -> impl Iterator<Item = Self> + use<> {
        let subject = session.subject();
        let organization = session.organization();
        let named = |name: Option<&str>, target: fn(String) -> Self| {
            name.map(|name| target(name.to_owned()))
        };
        let membership = |subject: &str, organization: Option<&str>| {
            organization.map(|organization| Self::Membership {
                subject: subject.to_owned(),
                organization: organization.to_owned(),
            })
        };
        let proven = session.proven();
        let other = proven.and_then(|(_, other)| other.filter(|_| other != organization));
        let targets = [
            Some(Self::Session(session.id())),
            named(Some(session.email()), Self::Address),
            named(session.connection(), Self::Connection),
            membership(subject, organization),
            named(organization, Self::Organization),
            named(session.provider_session(), Self::ProviderSession),
            named(Some(subject), Self::Subject),
            // The provider's own, if the application granted others.
            proven.and_then(|(subject, organization)| membership(subject, organization)),
            named(other, Self::Organization),
            named(
                proven
                    .map(|(proven, _)| proven)
                    .filter(|proven| *proven != subject),
                Self::Subject,
            ),
        ];
        targets.into_iter().flatten()
    }

    /// Returns what the sessions have in common, in a word.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Connection(_) => "connection",
            Self::Membership { .. } => "membership",
            Self::Organization(_) => "organization",
            Self::ProviderSession(_) => "provider_session",
            Self::Session(_) => "session",
            Self::Subject(_) => "subject",
        }
    }

    /// Returns the id of that, for a log: an address is masked, and a subject that may hold one.
    pub(crate) fn id(&self) -> Cow<'_, str> {
        match self {
            Self::Address(address) => match Email::parse(address) {
                Ok(email) => email.masked().into(),
                Err(_) => "***".into(),
            },
            Self::Connection(id) | Self::Organization(id) | Self::ProviderSession(id) => id.into(),
            Self::Membership {
                subject,
                organization,
            } => format!("{} {organization}", masked_subject(subject)).into(),
            Self::Session(id) => id.to_string().into(),
            Self::Subject(subject) => masked_subject(subject),
        }
    }

    /// Returns a key to store a revocation under, such as `subject:user_1`. Two targets share a key
    /// only if they name the same sessions. The key stays the same in every version. It may hold an
    /// address, so keep it out of logs.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Address(address) => format!("address:{}", address.to_ascii_lowercase()),
            Self::Connection(id) => format!("connection:{id}"),
            Self::Membership {
                subject,
                organization,
            } => format!("membership:{}", membership(subject, organization)),
            Self::Organization(id) => format!("organization:{id}"),
            Self::ProviderSession(id) => format!("provider_session:{id}"),
            Self::Session(id) => format!("session:{id}"),
            Self::Subject(subject) => format!("subject:{subject}"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(_) => f.debug_tuple("Address").field(&self.id()).finish(),
            Self::Connection(id) => f.debug_tuple("Connection").field(id).finish(),
            Self::Membership {
                subject,
                organization,
            } => f
                .debug_struct("Membership")
                .field("subject", &masked_subject(subject))
                .field("organization", organization)
                .finish(),
            Self::Organization(id) => f.debug_tuple("Organization").field(id).finish(),
            Self::ProviderSession(id) => f.debug_tuple("ProviderSession").field(id).finish(),
            Self::Session(id) => f.debug_tuple("Session").field(id).finish(),
            Self::Subject(_) => f.debug_tuple("Subject").field(&self.id()).finish(),
        }
    }
}

/// Names a person in an organization. The length prefix keeps two pairs apart, whatever their ids
/// contain.
pub(super) fn membership(subject: &str, organization: &str) -> String {
    format!("{}:{subject}{organization}", subject.len())
}

/// Splits such a name into the subject and the organization.
pub(super) fn read_membership(name: &str) -> Option<(&str, &str)> {
    let (length, both) = name.split_once(':')?;
    both.split_at_checked(length.parse().ok()?)
}
