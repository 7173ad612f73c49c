//! The organizations of an address, and the choice among them.
//!
//! WorkOS documents only the requests and answers here. This is the likeliest behaviour and, among
//! alternatives, the worst case for a client:
//!
//! - A person of one organization signs in to it. A person of several must choose: the code is
//!   redeemed by then, and a pending token stands for it.
//! - A pending token is good once, for ten minutes. Choosing an organization of somebody else
//!   leaves it as it is.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::{
    EmulatedUser, Emulator,
    answer::{self, Answer},
    call::Call,
    lock,
    magic_auth::{Granting, client_of},
    refusal::{refuse, refuse_oauth},
};
use crate::clock::Timestamp;

const LIFETIME: Duration = Duration::from_secs(600);

impl Emulator {
    /// Makes an address a member of an organization, with the id and the name of it. ASCII case
    /// does not matter.
    ///
    /// A person of one organization signs in to it by a six-digit code. With several, the code is
    /// answered with `organization_selection_required`, unless [`next_user`](Self::next_user) or
    /// [`every_user`](Self::every_user) has set an organization.
    ///
    /// ```
    /// # use tower_magic_link::emulator::Emulator;
    /// let emulator = Emulator::new();
    /// emulator.add_membership("ada@example.com", "org_01", "Acme");
    /// emulator.add_membership("ada@example.com", "org_02", "Globex");
    /// ```
    pub fn add_membership(&self, address: &str, id: impl Into<String>, name: impl Into<String>) {
        let mut memberships = lock(&self.shared.memberships);
        memberships.add(address, id.into(), name.into());
    }

    /// Ends all memberships of an address. A choice that was asked for before fails then.
    pub fn clear_memberships(&self, address: &str) {
        let mut memberships = lock(&self.shared.memberships);
        memberships.clear(address);
    }

    /// Ends a user's membership of an organization.
    pub(super) fn leave(&self, user: &str, organization: &str) {
        let addresses = lock(&self.shared.memberships).addresses();
        for address in addresses {
            // Outside the lock, because an edit is a test's own code.
            if self.user_of(&address).id() == user {
                lock(&self.shared.memberships).remove(&address, organization);
            }
        }
    }

    /// Signs a user in to the one organization, or asks which of several.
    pub(super) fn in_organization(
        &self,
        user: EmulatedUser,
        granting: &Granting<'_>,
        made: Timestamp,
    ) -> Answer {
        let organizations = lock(&self.shared.memberships).of(user.email());
        match organizations.as_slice() {
            _ if user.organization_id().is_some() => self.signed_in(&user, granting, made),
            [] => self.signed_in(&user, granting, made),
            [(id, _)] => self.signed_in(&user.with_organization(id), granting, made),
            several => {
                let now = self.now();
                let token = format!("pending_{}", granting.refresh_token);
                let user_json = user.to_json(made, now);
                lock(&self.shared.pending).put(token.clone(), (user, made), now + LIFETIME, now);
                let several = several
                    .iter()
                    .map(|(id, name)| json!({ "id": id, "name": name }));
                let body = json!({
                    "code": "organization_selection_required",
                    "message": "The user must choose an organization to finish their authentication.",
                    "pending_authentication_token": token,
                    "user": user_json,
                    "organizations": several.collect::<Vec<_>>(),
                });
                answer::json(StatusCode::FORBIDDEN, &body)
            }
        }
    }

    pub(super) fn select_organization(&self, call: &Call<'_>) -> Answer {
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(bad) => return bad.answer(),
        };
        let names = ["pending_authentication_token", "organization_id"];
        let ([token, organization], granting) = match client_of(&fields, names) {
            Ok(read) => read,
            Err(refused) => return *refused,
        };
        let now = self.now();
        let found = lock(&self.shared.pending).find(token, now).cloned();
        let Some((user, made)) = found else {
            return refuse(
                "invalid_pending_authentication_token",
                "The pending authentication token is invalid or has expired.",
            );
        };
        let organizations = lock(&self.shared.memberships).of(user.email());
        if !organizations.iter().any(|(id, _)| id == organization) {
            return refuse("invalid_organization_id", "The organization is not valid.");
        }
        // Of two choices at once, the first takes it.
        if lock(&self.shared.pending).take(token, now).is_none() {
            return refuse_oauth("invalid_grant", "The token has been used.");
        }
        let user = user.with_organization(organization);
        self.signed_in(&user, &granting, made)
    }
}
