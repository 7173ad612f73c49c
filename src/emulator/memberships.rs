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

    pub(super) fn of(&self, address: &str) -> Vec<(String, String)> {
        let found = self.0.get(&address.to_ascii_lowercase());
        found.cloned().unwrap_or_default()
    }
}
