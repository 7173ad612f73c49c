//! `Identity`: whom a provider has proven.

use crate::email::Email;

/// Somebody, as a provider has proven them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    subject: String,
    email: Email,
    organization: Option<String>,
    connection: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

impl Identity {
    /// Makes an identity from the provider's stable id and the proven address.
    #[must_use]
    pub fn new(subject: impl Into<String>, email: Email) -> Self {
        Self {
            subject: subject.into(),
            email,
            organization: None,
            connection: None,
            first_name: None,
            last_name: None,
        }
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

    /// Adds the person's names.
    #[must_use]
    pub fn with_names(mut self, first: Option<String>, last: Option<String>) -> Self {
        self.first_name = first;
        self.last_name = last;
        self
    }

    /// Returns the provider's stable id: `prof_…` at WorkOS.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the proven address.
    #[must_use]
    pub const fn email(&self) -> &Email {
        &self.email
    }

    /// Returns the organization's id. WorkOS has none for a Magic Link connection that it made by itself.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// Returns the id of the connection that proved the address.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
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
