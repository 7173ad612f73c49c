//! `EmulatedUser`: the user that a six-digit code yields.
//!
//! - Without edits it is what WorkOS answers for a user that it created with the code: no names, no
//!   organization.
//! - An address always has the same user id, regardless of case. It differs from the id of the
//!   address's profile.

use std::fmt;

use serde_json::{Value, json};

use super::{Emulator, id, lock, person::person};
use crate::clock::Timestamp;

/// The user that a six-digit code yields. `Debug` shows ids, not the address or names.
#[derive(Clone)]
#[must_use]
pub struct EmulatedUser {
    id: String,
    email: String,
    is_email_verified: bool,
    method: String,
    organization_id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    external_id: Option<String>,
}

impl EmulatedUser {
    /// Creates the user of an address.
    pub fn of(email: impl Into<String>) -> Self {
        let email = email.into();
        Self {
            id: id::stable("user_", &email.to_ascii_lowercase()),
            email,
            is_email_verified: true,
            method: "MagicAuth".to_owned(),
            organization_id: None,
            first_name: None,
            last_name: None,
            external_id: None,
        }
    }

    /// Marks the address as not verified by WorkOS.
    pub fn with_unverified_email(mut self) -> Self {
        self.is_email_verified = false;
        self
    }

    /// Changes the authentication method in the answer, for instance to `Impersonation`.
    pub fn with_authentication_method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Adds the id of the organization that the person signs in to: `org_…`.
    pub fn with_organization(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// Adds the application's own id.
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    pub(super) fn organization_id(&self) -> Option<&str> {
        self.organization_id.as_deref()
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn to_json(&self, made: Timestamp, now: Timestamp) -> Value {
        json!({
            "object": "user",
            "id": self.id,
            "email": self.email,
            "email_verified": self.is_email_verified,
            "name": self.whole_name(),
            "first_name": self.first_name,
            "last_name": self.last_name,
            "profile_picture_url": null,
            "last_sign_in_at": id::iso8601(now),
            "external_id": self.external_id,
            "metadata": {},
            "locale": null,
            "created_at": id::iso8601(made),
            "updated_at": id::iso8601(now),
        })
    }
}

person!(EmulatedUser, "user_");

impl fmt::Debug for EmulatedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedUser")
            .field("id", &self.id)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Changes the user that the next six-digit code yields. The edit is applied when the code is
    /// redeemed. Edits form a queue, and each successful redemption takes the first.
    ///
    /// ```
    /// # use tower_magic_link::emulator::{EmulatedUser, Emulator};
    /// let emulator = Emulator::new();
    /// emulator.next_user(|user| user.with_organization("org_01"));
    /// emulator.next_user(|_| EmulatedUser::of("eve@example.com"));
    /// ```
    pub fn next_user(&self, edit: impl FnOnce(EmulatedUser) -> EmulatedUser + Send + 'static) {
        lock(&self.shared.user_edits).push(Box::new(edit));
    }

    /// Changes the user of every six-digit code from now on, before [`Emulator::next_user`] changes
    /// it. The last call wins.
    pub fn every_user(&self, edit: impl Fn(EmulatedUser) -> EmulatedUser + Send + Sync + 'static) {
        lock(&self.shared.user_edits).set_every(std::sync::Arc::new(edit));
    }

    /// Returns the user of an address, without the edit of the next code.
    pub(super) fn user_of(&self, address: &str) -> EmulatedUser {
        let edit = lock(&self.shared.user_edits).every();
        edit(EmulatedUser::of(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_the_address_without_case_and_debug_shows_none() {
        let ada = EmulatedUser::of("ada@example.com").with_names("Ada", "L");
        assert_eq!(ada.id, EmulatedUser::of("ADA@example.com").id);
        assert_ne!(ada.id, EmulatedUser::of("eve@example.com").id);
        assert!(ada.id.starts_with("user_01"), "{}", ada.id);
        let debug = format!("{ada:?}");
        assert!(!debug.contains("ada@") && !debug.contains("Ada"), "{debug}");
    }
}
