//! `Trial`: a provider under test.

use std::future::{self, Future};

use crate::{
    email::Email,
    provider::{IdentityProvider, Link, OneTimeCode, Organization},
};

/// A provider under test, and what a person does with its mails. Every provider is a trial of
/// itself, with the defaults.
pub trait Trial {
    /// The provider.
    type Provider: IdentityProvider;

    /// Returns the provider.
    fn provider(&self) -> &Self::Provider;

    /// Follows a link as a person's browser does, and returns the URL of the callback to which it
    /// leads, with its query, without requesting that URL. Default: the link is that URL.
    fn follow(&self, link: &Link) -> impl Future<Output = String> {
        future::ready(link.expose().to_owned())
    }

    /// Returns the mails that the provider has sent itself, the oldest first. Default: `None`,
    /// because the test cannot read them.
    fn outbox(&self) -> impl Future<Output = Option<Vec<Mailed>>> {
        future::ready(None)
    }

    /// Has the next redemption reach the provider and its answer get lost, as when a connection
    /// breaks, and returns whether it can. Default: `false`.
    fn lose_next_answer(&self) -> impl Future<Output = bool> {
        future::ready(false)
    }

    /// Makes a person a member of an organization at the provider. Default: `None`, because the
    /// provider has no organizations, or the test cannot arrange it.
    fn join(&self, email: &Email, organization: Organization) -> impl Future<Output = Option<()>> {
        let _ = (email, organization);
        future::ready(None)
    }
}

impl<P: IdentityProvider> Trial for P {
    type Provider = P;

    fn provider(&self) -> &P {
        self
    }
}

/// A mail that a provider has sent by itself.
#[derive(Clone, Debug)]
pub struct Mailed {
    pub(super) to: String,
    pub(super) link: Option<Link>,
    pub(super) code: Option<OneTimeCode>,
}

impl Mailed {
    /// Describes a mail with a link.
    #[must_use]
    pub fn link(to: impl Into<String>, link: Link) -> Self {
        Self {
            to: to.into(),
            link: Some(link),
            code: None,
        }
    }

    /// Describes a mail with a code.
    #[must_use]
    pub fn code(to: impl Into<String>, code: OneTimeCode) -> Self {
        Self {
            to: to.into(),
            link: None,
            code: Some(code),
        }
    }
}
