//! Users and authentications in the JSON of WorkOS's API.
//!
//! - A user must have its `id` and `email`, an authentication its user and access token. Every
//!   other field may be null or absent; an empty text counts as absent.
//! - The access token is a JWT straight from WorkOS over TLS, so its `sid` is read without
//!   verifying the signature. Nothing else of it is read, and it decides nothing.
//! - `Debug` shows only ids: the rest is personal data or a credential.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::profile::{AccessToken, names, present, texts};
use crate::{provider::workos::complaint::is_word, secret::secret_text};

/// A person, as WorkOS knows them through AuthKit's methods, of which Magic Auth is one.
#[derive(Clone)]
pub struct User(UserAnswer);

#[derive(Clone, Deserialize)]
struct UserAnswer {
    id: String,
    email: String,
    email_verified: Option<bool>,
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    external_id: Option<String>,
    locale: Option<String>,
    metadata: Option<Box<RawValue>>,
    profile_picture_url: Option<String>,
    last_sign_in_at: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl User {
    /// Returns the user's id, `user_…`: the key to store for an account. A profile of the same
    /// person has another id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the address as WorkOS writes it.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.0.email
    }

    /// Says whether WorkOS considers the address proven. After a Magic Auth it does.
    #[must_use]
    pub const fn email_verified(&self) -> Option<bool> {
        self.0.email_verified
    }

    /// Returns the application's metadata for the user at WorkOS, as the text of a JSON object:
    /// `{}` if there is none.
    #[must_use]
    pub fn metadata(&self) -> &str {
        self.0.metadata.as_deref().map_or("{}", RawValue::get)
    }
}

texts! {
    User,
    /// Returns the application's own id for the user, if it gave WorkOS one.
    external_id,
    /// Returns the language that the user prefers.
    locale,
    /// Returns the URL of the user's picture.
    profile_picture_url,
    /// Returns when the user last signed in, as WorkOS writes it: ISO 8601 in UTC.
    last_sign_in_at,
    /// Returns when the user was created.
    created_at,
    /// Returns when the user was last changed.
    updated_at,
}

names!(User);

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.0.id)
            .field("email_verified", &self.0.email_verified)
            .finish_non_exhaustive()
    }
}

/// A token that gets new access tokens for one session at WorkOS. `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

secret_text!(RefreshToken, "token");

/// The result of redeeming a Magic Auth code. `Debug` shows only ids.
#[derive(Clone)]
pub struct Authentication {
    user: User,
    organization_id: Option<String>,
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    method: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AuthenticationAnswer {
    user: UserAnswer,
    access_token: String,
    refresh_token: Option<String>,
    organization_id: Option<String>,
    authentication_method: Option<String>,
}

impl Authentication {
    /// Returns the code's owner.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// Converts this into the user.
    #[must_use]
    pub fn into_user(self) -> User {
        self.user
    }

    /// Returns the id of the organization that the person signed in to, `org_…`.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        present(self.organization_id.as_deref())
    }

    /// Returns the person's credential at WorkOS: a JWT.
    #[must_use]
    pub const fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// Returns the token that gets new access tokens.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// Returns how the person signed in, as WorkOS writes it: `MagicAuth`. Older answers lack it.
    #[must_use]
    pub fn authentication_method(&self) -> Option<&str> {
        present(self.method.as_deref())
    }

    /// Returns the id of the session that WorkOS keeps, `session_…`. It is the `sid` of the access
    /// token, whose signature is not verified, because it comes from WorkOS itself. `None` if the
    /// token has no valid `sid`.
    #[must_use]
    pub fn session_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Claims {
            sid: String,
        }
        // Three parts and no more are a JWT in its compact form (RFC 7515, section 7.1).
        let mut parts = self.access_token.expose().split('.');
        let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        // It travels in our token and names revocations, so only a short plain id is accepted.
        is_word(&claims.sid, |b| b.is_ascii_alphanumeric() || b == b'_').then_some(claims.sid)
    }
}

impl From<AuthenticationAnswer> for Authentication {
    fn from(answer: AuthenticationAnswer) -> Self {
        Self {
            user: User(answer.user),
            organization_id: answer.organization_id,
            access_token: AccessToken::new(answer.access_token),
            refresh_token: answer.refresh_token.map(RefreshToken),
            method: answer.authentication_method,
        }
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication")
            .field("user", &self.user)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_read_from_the_token_where_it_is_one() {
        let long = format!(r#"{{"sid":"{}"}}"#, "s".repeat(65));
        let cases = [
            (
                "a session",
                r#"{"sid":"session_01","sub":"user_01"}"#,
                Some("session_01"),
            ),
            ("none", r#"{"sub":"user_01"}"#, None),
            ("null", r#"{"sid":null}"#, None),
            ("a number", r#"{"sid":1}"#, None),
            ("empty", r#"{"sid":""}"#, None),
            ("a sentence", r#"{"sid":"a b"}"#, None),
            ("a line break", r#"{"sid":"a\nb"}"#, None),
            ("too long", &long, None),
            ("no object", "[]", None),
            ("no json", "{", None),
        ];
        let read = |token: String| {
            let answer =
                serde_json::json!({ "user": { "id": "u", "email": "e" }, "access_token": token });
            let answer: AuthenticationAnswer = serde_json::from_str(&answer.to_string()).unwrap();
            Authentication::from(answer).session_id()
        };
        for (name, claims, want) in cases {
            let claims = URL_SAFE_NO_PAD.encode(claims);
            assert_eq!(read(format!("e30.{claims}.x")).as_deref(), want, "{name}");
        }
        for token in [
            "",
            "opaque",
            "a.b",
            "..",
            "e30.%.x",
            "e30.eyJzaWQiOiJzIn0=.x",
        ] {
            assert_eq!(read(token.to_owned()), None, "{token}");
        }
    }
}
