//! The page on which a person chooses one of several organizations.

use std::fmt;

use super::{content::Hidden, parts::has_words};
use crate::language::{Words, default_words};

/// The address is proven, and belongs to several organizations: the person chooses one.
///
/// The form posts two fields to [`action`](Self::action): the hidden `choice`, with
/// [that value](Self::choice), and `organization`, with the id of the one that was chosen. A button
/// that posts `answer=no` in place of `organization` cancels the sign-in.
#[derive(Clone, Debug)]
pub struct ChoosePage<'a> {
    action: Hidden<'a>,
    choice: Hidden<'a>,
    email: Hidden<'a>,
    organizations: Vec<OfferedOrganization<'a>>,
    problem: Option<&'a str>,
    words: Option<&'a Words>,
}

/// An organization that a person may choose. `Debug` does not show its name.
#[derive(Clone, Copy)]
pub struct OfferedOrganization<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> OfferedOrganization<'a> {
    /// Makes an entry of the page. The name may be any text.
    #[must_use]
    pub const fn new(id: &'a str, name: &'a str) -> Self {
        Self { id, name }
    }

    /// Returns the value of the field `organization`.
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// Returns the name that people know. Two organizations may have the same one.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }
}

impl fmt::Debug for OfferedOrganization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedOrganization")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<'a> ChoosePage<'a> {
    /// Makes the page for the address that was proven. Its form posts `choice` to `action`.
    #[must_use]
    pub fn new(
        action: &'a str,
        choice: &'a str,
        email: &'a str,
        organizations: impl IntoIterator<Item = OfferedOrganization<'a>>,
    ) -> Self {
        Self {
            action: Hidden(action),
            choice: Hidden(choice),
            email: Hidden(email),
            organizations: organizations.into_iter().collect(),
            problem: None,
            words: None,
        }
    }

    /// Adds why the last choice did not work, for the person. The person may choose again, the same
    /// organization or another.
    #[must_use]
    pub fn with_problem(mut self, problem: impl Into<Option<&'a str>>) -> Self {
        self.problem = problem.into();
        self
    }

    /// Returns where the form posts to.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action.0
    }

    /// Returns the value of the hidden field `choice`: sealed, at most 16 KiB of base64url.
    #[must_use]
    pub const fn choice(&self) -> &'a str {
        self.choice.0
    }

    /// Returns the address that was proven.
    #[must_use]
    pub const fn email(&self) -> &'a str {
        self.email.0
    }

    /// Returns the organizations, at least one, in the order of the provider.
    #[must_use]
    pub fn organizations(&self) -> &[OfferedOrganization<'a>] {
        &self.organizations
    }

    /// Returns what a person reads of why the last choice did not work.
    #[must_use]
    pub const fn problem(&self) -> Option<&'a str> {
        self.problem
    }
}

has_words!(ChoosePage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_address_name_or_sealed_choice() {
        let organization = OfferedOrganization::new("org_1", "secret");
        let page = ChoosePage::new("/auth/choose?secret", "secret", "secret", [organization]);
        let debug = format!("{page:?}");
        assert!(
            !debug.contains("secret") && debug.contains("org_1"),
            "{debug}"
        );
    }
}
