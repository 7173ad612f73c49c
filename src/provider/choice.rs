//! The choice of an organization: what a provider asks for it with, and what the port's
//! `finish_choice` takes.
//!
//! - A provider asks after the proof is good: by [`ProviderErrorKind::OrganizationRequired`] and
//!   [`ProviderError::with_choice`]. A provider that never asks needs nothing of this.
//! - The pending token stands for what was proven. It is a credential: the layer seals it into the
//!   page of the choice, and no log, URL or page shows it.
//!
//! [`ProviderErrorKind::OrganizationRequired`]: super::ProviderErrorKind::OrganizationRequired
//! [`ProviderError::with_choice`]: super::ProviderError::with_choice

use std::fmt;

use super::Attempt;
use crate::secret::secret_text;

/// A token that stands for a proven address until an organization is chosen. `Debug` prints
/// `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingToken(String);

secret_text!(PendingToken, "token");

/// An organization that a person belongs to. `Debug` does not show its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Organization {
    id: String,
    name: String,
}

impl Organization {
    /// Creates an organization from the provider's id and the name that people know. An empty name
    /// stands for the id.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }

    /// Returns the provider's id: `org_…` at WorkOS.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name that people know, or the id if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

impl fmt::Debug for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organization")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The organizations that a person may sign in to, and the token to go on with.
///
/// ```
/// use tower_magic_link::provider::{
///     Organization, OrganizationChoice, PendingToken, ProviderError, ProviderErrorKind,
/// };
///
/// let organizations = [Organization::new("org_01", "Acme"), Organization::new("org_02", "Globex")];
/// let choice = OrganizationChoice::new(PendingToken::new("pending_01"), organizations);
/// let error = ProviderError::new(ProviderErrorKind::OrganizationRequired).with_choice(choice);
/// assert_eq!(error.choice().map(|choice| choice.organizations().len()), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationChoice {
    pending: PendingToken,
    organizations: Vec<Organization>,
}

impl OrganizationChoice {
    /// Creates a choice among organizations. The layer offers at most 100 of them, in this order.
    #[must_use]
    pub fn new(
        pending: PendingToken,
        organizations: impl IntoIterator<Item = Organization>,
    ) -> Self {
        Self {
            pending,
            organizations: organizations.into_iter().collect(),
        }
    }

    /// Returns the token to go on with.
    #[must_use]
    pub const fn pending(&self) -> &PendingToken {
        &self.pending
    }

    /// Returns the organizations that the person belongs to.
    #[must_use]
    pub fn organizations(&self) -> &[Organization] {
        &self.organizations
    }
}

/// The request to finish a sign-in in the organization that was chosen. `Debug` does not show the
/// token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FinishChoice<'a> {
    /// The sign-in that it belongs to.
    pub attempt: Attempt<'a>,
    /// The token of the choice.
    pub pending: &'a PendingToken,
    /// The id of an organization of the choice.
    pub organization: &'a str,
}

impl<'a> FinishChoice<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        attempt: Attempt<'a>,
        pending: &'a PendingToken,
        organization: &'a str,
    ) -> Self {
        Self {
            attempt,
            pending,
            organization,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{ProviderError, ProviderErrorKind, attempt::Shown};

    #[test]
    fn what_is_printed_holds_no_pending_token_and_no_name() {
        let pending = PendingToken::new("pending_secret");
        let shown = Shown::default();
        let finish = FinishChoice::new(shown.attempt(), &pending, "org_1");
        let finish = format!("{finish:?}");
        let choice = OrganizationChoice::new(pending, [Organization::new("org_1", "Acme")]);
        let error = ProviderError::new(ProviderErrorKind::OrganizationRequired).with_choice(choice);
        for text in [finish, format!("{error:?}"), error.to_string()] {
            let is_told = text.contains("pending_secret") || text.contains("Acme");
            assert!(!is_told, "{text}");
        }
    }

    #[test]
    fn an_organization_without_a_name_is_called_by_its_id() {
        assert_eq!(Organization::new("org_1", "").name(), "org_1");
        assert_eq!(Organization::new("org_1", "Acme").name(), "Acme");
    }
}
