//! `Identity`: the person that a provider has proven, and by which method.

use std::fmt;

use crate::email::{Email, masked_subject};

/// A person whose address a provider has proven.
///
/// # What to key accounts on
///
/// At WorkOS the two methods yield different identities:
///
/// | | [`SignInMethod::MagicLink`] | [`SignInMethod::MagicAuth`] |
/// | --- | --- | --- |
/// | [`subject`](Self::subject) | a profile's: `prof_…` | a user's: `user_…` |
/// | [`connection`](Self::connection) | `conn_…` | none |
/// | [`organization`](Self::organization) | if the connection belongs to one | if the person belongs to one; the chosen one, if to several |
/// | [`provider_session`](Self::provider_session) | none: WorkOS keeps none | `session_…` |
///
/// In an application that accepts both methods, one person therefore has two subjects. Key accounts
/// on the proven address there, as [`Email::as_str`] in lower case: addresses that differ only in
/// case are equal here. An application that accepts only one method should key accounts on the
/// subject, which stays the same when the address changes. With
/// [`MailedLinks`](super::MailedLinks) both methods yield one subject, that of the address. If the
/// layer has a list of organizations, it refuses every identity that has none.
///
/// `Debug` masks the address, and a subject that holds an `@`.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    subject: String,
    email: Email,
    method: SignInMethod,
    organization: Option<String>,
    connection: Option<String>,
    provider_session: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    has_session_of_attempt: bool,
    proven_by: Option<String>,
}

/// How an address was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignInMethod {
    /// By a code from a mail: WorkOS's Magic Auth.
    MagicAuth,
    /// By a link from a mail.
    MagicLink,
}

impl Identity {
    /// Creates an identity from the provider's stable id and the address, proven by a link.
    #[must_use]
    pub fn new(subject: impl Into<String>, email: Email) -> Self {
        Self {
            subject: subject.into(),
            email,
            method: SignInMethod::MagicLink,
            organization: None,
            connection: None,
            provider_session: None,
            first_name: None,
            last_name: None,
            has_session_of_attempt: false,
            proven_by: None,
        }
    }

    /// Sets how the address was proven.
    #[must_use]
    pub const fn with_method(mut self, method: SignInMethod) -> Self {
        self.method = method;
        self
    }

    /// Adds the provider's id of the organization.
    #[must_use]
    pub fn with_organization(mut self, organization: Option<String>) -> Self {
        self.organization = organization;
        self
    }

    /// Adds the provider's id of the connection that proved the address.
    #[must_use]
    pub fn with_connection(mut self, connection: Option<String>) -> Self {
        self.connection = connection;
        self
    }

    /// Adds the id of the session that the provider keeps beside ours. It must be new at each
    /// sign-in: a revocation of it ends each session that began with it before, or within a minute
    /// after.
    #[must_use]
    pub fn with_provider_session(mut self, session: Option<String>) -> Self {
        self.provider_session = session;
        self
    }

    /// Adds the person's names.
    #[must_use]
    pub fn with_names(mut self, first: Option<String>, last: Option<String>) -> Self {
        self.first_name = first;
        self.last_name = last;
        self
    }

    /// Binds the session to the [`Attempt`](super::Attempt): if the attempt is redeemed again, it
    /// yields the session of the first time, and no other. Once that session has ended, it yields
    /// none. Default: each redemption yields a session of its own.
    ///
    /// It is for a provider that counts by [`Attempt::take_try`](super::Attempt::take_try), so that
    /// a count that was away or lost lets nobody sign in twice.
    ///
    /// ```
    /// use tower_magic_link::{Email, provider::Identity};
    ///
    /// let ada = Identity::new("account-7", Email::parse("ada@example.com")?).with_session_of_attempt();
    /// # Ok::<(), tower_magic_link::InvalidEmail>(())
    /// ```
    #[must_use]
    pub const fn with_session_of_attempt(mut self) -> Self {
        self.has_session_of_attempt = true;
        self
    }

    pub(crate) const fn has_session_of_attempt(&self) -> bool {
        self.has_session_of_attempt
    }

    /// Adds the name of the provider that proved the address, where there are several.
    #[must_use]
    pub fn with_proven_by(mut self, provider: impl Into<String>) -> Self {
        self.proven_by = Some(provider.into());
        self
    }

    /// Returns which provider proved the address, if there are two
    /// ([`TwoProviders`](super::TwoProviders)). It is for
    /// [`Builder::authorize`](crate::Builder::authorize); the session does not keep it.
    #[must_use]
    pub fn proven_by(&self) -> Option<&str> {
        self.proven_by.as_deref()
    }

    /// Returns the provider's stable id: `prof_…` or `user_…` at WorkOS.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the proven address. One mailbox has one spelling: it is in lower case.
    #[must_use]
    pub const fn email(&self) -> &Email {
        &self.email
    }

    /// Returns how the address was proven.
    #[must_use]
    pub const fn method(&self) -> SignInMethod {
        self.method
    }

    /// Returns the organization's id. A Magic Link connection that WorkOS made by itself has none.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// Returns the id of the connection that proved the address.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    /// Returns the id of the session that the provider keeps beside ours: `session_…` for WorkOS's
    /// Magic Auth.
    ///
    /// It is an id, not a credential. Signing out here does not end that session at WorkOS.
    /// Revoking it at WorkOS ends ours only if the layer receives WorkOS's webhook.
    #[must_use]
    pub fn provider_session(&self) -> Option<&str> {
        self.provider_session.as_deref()
    }

    /// Returns the person's first name.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.first_name.as_deref()
    }

    /// Returns the person's last name.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.last_name.as_deref()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &masked_subject(&self.subject))
            .field("email", &self.email)
            .field("method", &self.method)
            .field("organization", &self.organization)
            .field("connection", &self.connection)
            .field("provider_session", &self.provider_session)
            .field("first_name", &self.first_name)
            .field("last_name", &self.last_name)
            .field("has_session_of_attempt", &self.has_session_of_attempt)
            .field("proven_by", &self.proven_by)
            .finish()
    }
}
