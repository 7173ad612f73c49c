//! `EmulatedProfile`: the profile that a code yields.
//!
//! - Without edits it is what WorkOS answers for a Magic Link connection that it made by itself: no
//!   names, no organization, and the address as `idp_id`.
//! - An address always has the same profile id, and a domain the same connection id, regardless of
//!   case.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use super::{id, person::person};

/// The profile that a code yields. `Debug` shows ids, not the address or names.
#[derive(Clone)]
#[must_use]
pub struct EmulatedProfile {
    id: String,
    email: String,
    connection_id: String,
    connection_type: String,
    idp_id: String,
    organization_id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    role: Option<String>,
    groups: Option<Vec<String>>,
    custom_attributes: BTreeMap<String, String>,
    raw_attributes: BTreeMap<String, String>,
}

impl EmulatedProfile {
    /// Creates the profile of an address from a Magic Link connection.
    pub fn of(email: impl Into<String>) -> Self {
        let email = email.into();
        let name = email.to_ascii_lowercase();
        let domain = name.rsplit('@').next().unwrap_or_default();
        Self {
            id: id::stable("prof_", &name),
            connection_id: id::stable("conn_", domain),
            connection_type: "MagicLink".to_owned(),
            idp_id: email.clone(),
            email,
            organization_id: None,
            first_name: None,
            last_name: None,
            role: None,
            groups: None,
            custom_attributes: BTreeMap::new(),
            raw_attributes: BTreeMap::new(),
        }
    }

    /// Changes the connection's id: `conn_…`.
    pub fn with_connection(mut self, id: impl Into<String>) -> Self {
        self.connection_id = id.into();
        self
    }

    /// Changes the kind of connection, for instance to `GoogleOAuth`.
    pub fn with_connection_type(mut self, connection_type: impl Into<String>) -> Self {
        self.connection_type = connection_type.into();
        self
    }

    /// Changes the person's id at the connection's identity provider.
    pub fn with_idp_id(mut self, idp_id: impl Into<String>) -> Self {
        self.idp_id = idp_id.into();
        self
    }

    /// Adds the organization's id: `org_…`.
    pub fn with_organization(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// Adds the role, by its slug.
    pub fn with_role(mut self, slug: impl Into<String>) -> Self {
        self.role = Some(slug.into());
        self
    }

    /// Adds a group.
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.groups.get_or_insert_default().push(group.into());
        self
    }

    /// Adds an attribute that the dashboard maps, under `custom_attributes`.
    pub fn with_custom_attribute(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.custom_attributes.insert(name.into(), value.into());
        self
    }

    /// Adds an attribute as the identity provider sent it, under `raw_attributes`.
    pub fn with_raw_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw_attributes.insert(name.into(), value.into());
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let role = self.role.as_ref().map(|slug| json!({ "slug": slug }));
        json!({
            "object": "profile",
            "id": self.id,
            "organization_id": self.organization_id,
            "connection_id": self.connection_id,
            "connection_type": self.connection_type,
            "idp_id": self.idp_id,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "name": self.whole_name(),
            "role": role,
            "roles": role.as_ref().map(|role| [role]),
            "groups": self.groups,
            "custom_attributes": self.custom_attributes,
            "raw_attributes": self.raw_attributes,
        })
    }
}

person!(EmulatedProfile, "prof_");

impl fmt::Debug for EmulatedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedProfile")
            .field("id", &self.id)
            .field("connection_type", &self.connection_type)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_belong_to_the_address_and_the_domain_without_case() {
        let ada = EmulatedProfile::of("ada@example.com");
        let shouted = EmulatedProfile::of("ADA@EXAMPLE.COM");
        let eve = EmulatedProfile::of("eve@example.com");
        assert_eq!(ada.id, shouted.id);
        assert_ne!(ada.id, eve.id);
        assert_eq!(ada.connection_id, eve.connection_id);
        assert_ne!(
            ada.connection_id,
            EmulatedProfile::of("ada@example.org").connection_id
        );
        assert!(ada.id.starts_with("prof_01") && ada.connection_id.starts_with("conn_01"));
    }

    #[test]
    fn debug_shows_no_address() {
        let debug = format!(
            "{:?}",
            EmulatedProfile::of("ada@example.com").with_names("Ada", "L")
        );
        assert!(!debug.contains("ada") && !debug.contains("Ada"), "{debug}");
    }
}
