//! Profiles and access tokens in the JSON of WorkOS's API.
//!
//! - A profile must have its `id`, `email` and `connection_type`. Every other field may be null or
//!   absent, as for a Magic Link connection that WorkOS made by itself. An empty text counts as
//!   absent.
//! - Attributes of any shape are returned as WorkOS's own JSON text. No number loses a digit, and
//!   no JSON crate's type is in the public API.
//! - `Debug` shows only ids: the rest is personal data.

use std::{fmt, time::Duration};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::secret::secret_text;

/// A person, as WorkOS knows them through one connection.
#[derive(Clone)]
pub struct Profile(ProfileAnswer);

#[derive(Clone, Deserialize)]
pub(super) struct ProfileAnswer {
    id: String,
    email: String,
    connection_type: String,
    connection_id: Option<String>,
    organization_id: Option<String>,
    idp_id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    role: Option<Role>,
    roles: Option<Vec<Role>>,
    groups: Option<Vec<String>>,
    custom_attributes: Option<Box<RawValue>>,
    raw_attributes: Option<Box<RawValue>>,
}

#[derive(Clone, Deserialize)]
struct Role {
    slug: String,
}

/// Gives an answer the getters of texts that WorkOS may leave out, or leave empty.
macro_rules! texts {
    ($answer:ident, $($(#[$returns:meta])+ $field:ident,)+) => {
        impl $answer {
            $(
                $(#[$returns])+
                #[must_use]
                pub fn $field(&self) -> Option<&str> {
                    present(self.0.$field.as_deref())
                }
            )+
        }
    };
}

/// Gives a profile or a user the person's names.
macro_rules! names {
    ($person:ident) => {
        texts! {
            $person,
            /// Returns the first name.
            first_name,
            /// Returns the last name.
            last_name,
            /// Returns the whole name. Older answers lack it.
            name,
        }
    };
}

pub(super) use {names, texts};

impl Profile {
    /// Returns the profile's id, `prof_…`: the key to store for an account.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the address as WorkOS writes it.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.0.email
    }

    /// Returns the connection's type as WorkOS writes it: `MagicLink`, `GoogleOAuth` and about
    /// fifty more.
    #[must_use]
    pub fn connection_type(&self) -> &str {
        &self.0.connection_type
    }

    /// Returns the slug of the role in the organization.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.0.role.as_ref().map(|role| role.slug.as_str())
    }

    /// Returns the slugs of all roles in the organization.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().flatten().map(|role| role.slug.as_str())
    }

    /// Returns the groups that the identity provider names.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        self.0.groups.as_deref().unwrap_or_default()
    }

    /// Returns the attributes that WorkOS's dashboard maps, as the text of a JSON object: `{}` if
    /// there are none.
    #[must_use]
    pub fn custom_attributes(&self) -> &str {
        self.0
            .custom_attributes
            .as_deref()
            .map_or("{}", RawValue::get)
    }

    /// Returns the identity provider's attributes, unchanged, as the text of a JSON object: `{}` if
    /// there are none.
    #[must_use]
    pub fn raw_attributes(&self) -> &str {
        self.0.raw_attributes.as_deref().map_or("{}", RawValue::get)
    }
}

impl From<ProfileAnswer> for Profile {
    fn from(answer: ProfileAnswer) -> Self {
        Self(answer)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("id", &self.0.id)
            .field("connection_type", &self.0.connection_type)
            .field("connection_id", &self.0.connection_id)
            .field("organization_id", &self.0.organization_id)
            .finish_non_exhaustive()
    }
}

texts! {
    Profile,
    /// Returns the id of the connection, `conn_…`.
    connection_id,
    /// Returns the organization's id, `org_…`. A Magic Link connection that WorkOS made by itself
    /// has none.
    organization_id,
    /// Returns the person's id at the identity provider. For a Magic Link it is the address or
    /// absent, so it is no key to store.
    idp_id,
}

names!(Profile);

pub(super) fn present(text: Option<&str>) -> Option<&str> {
    // An absent value comes as null, as an empty text or not at all.
    text.filter(|text| !text.is_empty())
}

/// A credential for one person at WorkOS, valid for a few minutes. It reads a profile, or is the
/// JWT of a Magic Auth. `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

secret_text!(AccessToken, "token");

/// The result of exchanging a code.
#[derive(Clone, Debug)]
pub struct ProfileAndToken {
    profile: Profile,
    access_token: AccessToken,
    token_type: Option<String>,
    expires_in: Option<Duration>,
}

#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    profile: ProfileAnswer,
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<u64>,
}

impl ProfileAndToken {
    /// Returns the profile of the code's owner.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Converts this into the profile.
    #[must_use]
    pub fn into_profile(self) -> Profile {
        self.profile
    }

    /// Returns the token that can read the profile again.
    #[must_use]
    pub const fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// Returns the token's type, `Bearer`. Older answers lack it.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// Returns how long the token is valid, counted from the answer: 10 minutes. Older answers lack
    /// it.
    #[must_use]
    pub const fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }
}

impl From<TokenAnswer> for ProfileAndToken {
    fn from(answer: TokenAnswer) -> Self {
        Self {
            profile: answer.profile.into(),
            access_token: AccessToken(answer.access_token),
            token_type: answer.token_type,
            expires_in: answer.expires_in.map(Duration::from_secs),
        }
    }
}
