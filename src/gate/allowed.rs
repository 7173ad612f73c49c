//! Whom the layer admits: members of its organizations, with addresses of its domains.
//!
//! - The rule holds for a sign-in and for every request with a session. A rule that was narrowed
//!   therefore holds at once, also for sessions that began under a wider one, here or at another
//!   layer with the same keys.
//! - A session without an organization is of none: under configured organizations it is refused.
//! - A refusal keeps the cookie. A wider layer of the same host may still admit the session.

use super::Gate;
use crate::{rejection::RejectionKind, session::Session};

/// Whom the layer admits.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    /// If empty, members of any organization, or of none.
    pub(crate) organizations: Vec<String>,
    /// In lower case and punycode. If empty, addresses of any domain.
    pub(crate) email_domains: Vec<String>,
}

impl Allowed {
    /// Says whether a person of this organization and domain may pass.
    pub(crate) fn has(&self, organization: Option<&str>, domain: &str) -> bool {
        self.has_organization(organization) && self.has_domain(domain)
    }

    /// Says whether a member of this organization, or of none, may pass.
    pub(crate) fn has_organization(&self, id: Option<&str>) -> bool {
        let mut taken = self.organizations.iter();
        self.organizations.is_empty() || id.is_some_and(|id| taken.any(|taken| taken == id))
    }

    /// Says whether a person with an address of this domain may begin to sign in.
    pub(crate) fn has_domain(&self, domain: &str) -> bool {
        self.email_domains.is_empty() || self.email_domains.iter().any(|taken| taken == domain)
    }

    /// Says whether the person of a session may pass.
    pub(crate) fn has_session(&self, session: &Session) -> bool {
        if self.organizations.is_empty() && self.email_domains.is_empty() {
            return true;
        }
        let domain = session.email().rsplit_once('@');
        self.has(
            // The list is of the provider's organizations, whatever the application granted.
            session.provider_organization(),
            domain.map_or("", |(_, domain)| domain),
        )
    }
}

impl Gate {
    /// Refuses a valid session whose person may not pass.
    pub(super) fn allow(&self, session: Session) -> Result<Session, RejectionKind> {
        if self.allowed.has_session(&session) {
            Ok(session)
        } else {
            Err(RejectionKind::NotAllowed)
        }
    }
}
