//! The changes at WorkOS that end sessions, each as a webhook event. The data has the fields that
//! WorkOS's SDKs require.

use serde_json::{Value, json};

use super::{EmulatedUser, EmulatedWebhook, WebhookDelivery, id};
use crate::emulator::lock;

/// Changes at WorkOS. Each method returns once its event is delivered or given up.
///
/// Memberships of [`add_membership`](super::Emulator::add_membership) that an event takes away end
/// in the emulator, too, before it is sent, and a deleted user begins anew. Nothing else changes
/// here: after a deactivated connection, a link still signs in.
impl EmulatedWebhook {
    /// Deactivates a connection: `connection.deactivated`.
    pub async fn deactivate_connection(&self, id: &str) -> WebhookDelivery {
        let data = self.connection(id, "inactive", "unlinked");
        self.tell("connection.deactivated", &data).await
    }

    /// Deletes a connection: `connection.deleted`.
    pub async fn delete_connection(&self, id: &str) -> WebhookDelivery {
        // WorkOS sends the state before the deletion.
        let data = self.connection(id, "active", "linked");
        self.tell("connection.deleted", &data).await
    }

    /// Deletes an organization: `organization.deleted`. Its memberships end.
    pub async fn delete_organization(&self, id: &str) -> WebhookDelivery {
        lock(&self.emulator.shared.memberships).remove_organization(id);
        let now = self.moment();
        let data = json!({
            "object": "organization",
            "id": id,
            "name": id,
            "domains": [],
            "metadata": {},
            "external_id": null,
            "allow_profiles_outside_organization": false,
            "created_at": now,
            "updated_at": now,
        });
        self.tell("organization.deleted", &data).await
    }

    /// Deletes a user of Magic Auth: `user.deleted`. Their memberships end.
    ///
    /// The next code of the address makes a new user. It has the same id here, and most likely
    /// another one at WorkOS. A code that was made before stays good here.
    pub async fn delete_user(&self, user: &EmulatedUser) -> WebhookDelivery {
        let now = self.emulator.now();
        self.emulator.clear_memberships(user.email());
        let since = lock(&self.emulator.shared.users).delete(user.email());
        let data = user.to_json(since.unwrap_or(now), now);
        self.tell("user.deleted", &data).await
    }

    /// Deletes a directory user by address: `dsync.user.deleted`.
    pub async fn delete_directory_user(&self, email: &str) -> WebhookDelivery {
        let data = self.directory_user(email, "active");
        self.tell("dsync.user.deleted", &data).await
    }

    /// Sets a directory user's state to `active`, `inactive` or `suspended`: `dsync.user.updated`.
    pub async fn update_directory_user(&self, email: &str, state: &str) -> WebhookDelivery {
        let mut data = self.directory_user(email, state);
        if let Value::Object(fields) = &mut data {
            let before = json!({ "state": "active" });
            fields.insert("previous_attributes".to_owned(), before);
        }
        self.tell("dsync.user.updated", &data).await
    }

    /// Removes a user from an organization: `organization_membership.deleted`. The membership ends,
    /// if the id is the one that [`every_user`](super::Emulator::every_user) gives the address, or
    /// without such an edit that of [`EmulatedUser::of`].
    pub async fn delete_membership(&self, user: &str, organization: &str) -> WebhookDelivery {
        self.emulator.leave(user, organization);
        let now = self.moment();
        let data = json!({
            "object": "organization_membership",
            "id": id::stable("om_", &format!("{user} {organization}")),
            "user_id": user,
            "organization_id": organization,
            "organization_name": organization,
            "status": "active",
            "directory_managed": false,
            "custom_attributes": {},
            "role": { "slug": "member" },
            "roles": [{ "slug": "member" }],
            "created_at": now,
            "updated_at": now,
        });
        self.tell("organization_membership.deleted", &data).await
    }

    /// Revokes a session that WorkOS keeps for a user of Magic Auth: `session.revoked`.
    pub async fn revoke_session(&self, id: &str, user: &str) -> WebhookDelivery {
        let now = self.moment();
        let data = json!({
            "object": "session",
            "id": id,
            "user_id": user,
            "organization_id": null,
            "auth_method": "magic_code",
            "ip_address": null,
            "user_agent": null,
            "status": "revoked",
            "expires_at": now,
            "ended_at": now,
            "created_at": now,
            "updated_at": now,
        });
        self.tell("session.revoked", &data).await
    }

    fn connection(&self, id: &str, state: &str, status: &str) -> Value {
        let now = self.moment();
        json!({
            "object": "connection",
            "id": id,
            "name": id,
            "organization_id": null,
            "connection_type": "MagicLink",
            "external_key": id,
            "state": state,
            "status": status,
            "domains": [],
            "created_at": now,
            "updated_at": now,
        })
    }

    /// A directory user as from 15 April 2026, when WorkOS empties `emails` and `username`. The
    /// predefined attributes of these names have them instead.
    fn directory_user(&self, email: &str, state: &str) -> Value {
        let now = self.moment();
        json!({
            "object": "directory_user",
            "id": id::stable("directory_user_", email),
            "directory_id": id::stable("directory_", "directory"),
            "organization_id": id::stable("org_", "directory"),
            "idp_id": email,
            "email": email,
            "emails": [],
            "job_title": null,
            "username": null,
            "first_name": null,
            "last_name": null,
            "state": state,
            "custom_attributes": {
                "emails": [{ "primary": true, "type": "work", "value": email }],
                "username": email,
            },
            "raw_attributes": {},
            "created_at": now,
            "updated_at": now,
        })
    }

    fn moment(&self) -> String {
        id::iso8601(self.emulator.now())
    }

    async fn tell(&self, name: &str, data: &Value) -> WebhookDelivery {
        self.send(name, &data.to_string()).await
    }
}
