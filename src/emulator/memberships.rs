//! `Memberships`: the organizations of each address.

use std::collections::HashMap;

/// The grant that chooses one of several organizations.
pub(super) const GRANT_TYPE: &str = "urn:workos:oauth:grant-type:organization-selection";

/// The organizations of each address, in lower case: ids and names.
#[derive(Debug, Default)]
pub(super) struct Memberships(HashMap<String, Vec<(String, String)>>);

impl Memberships {
    pub(super) fn add(&mut self, address: &str, id: String, name: String) {
        let of = self.0.entry(address.to_ascii_lowercase());
        of.or_default().push((id, name));
    }

    pub(super) fn clear(&mut self, address: &str) {
        self.0.remove(&address.to_ascii_lowercase());
    }

    /// Ends an address's membership of one organization.
    pub(super) fn remove(&mut self, address: &str, organization: &str) {
        if let Some(of) = self.0.get_mut(&address.to_ascii_lowercase()) {
            of.retain(|(id, _)| id != organization);
        }
    }

    /// Ends the memberships of an organization.
    pub(super) fn remove_organization(&mut self, organization: &str) {
        for of in self.0.values_mut() {
            of.retain(|(id, _)| id != organization);
        }
    }

    /// Returns the addresses that have or had memberships.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn of(&self, address: &str) -> Vec<(String, String)> {
        let found = self.0.get(&address.to_ascii_lowercase());
        found.cloned().unwrap_or_default()
    }
}
