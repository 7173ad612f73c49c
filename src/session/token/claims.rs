//! The claims of a token, as serde reads them, whatever their order.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::stated::{BY_CODE, Stated, always};
use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
    session::{SessionId, Term, record::Field},
};

#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Claims<'a> {
    #[serde(borrow)]
    pub(super) iss: Text<'a>,
    #[serde(borrow)]
    pub(super) aud: Text<'a>,
    #[serde(borrow)]
    pub(super) sub: Text<'a>,
    pub(super) sid: Id,
    pub(super) iat: Timestamp,
    /// Never minted, but honoured if a token has one (RFC 7519, section 4.1.5).
    #[serde(default = "always", skip_serializing)]
    pub(super) nbf: Timestamp,
    pub(super) exp: Timestamp,
    pub(super) auth_time: Timestamp,
    #[serde(borrow)]
    pub(super) email: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) org: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) conn: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) given_name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) family_name: Option<Text<'a>>,
    /// The provider's own session.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) psid: Option<Text<'a>>,
    /// The provider's subject, if the application granted another subject or organization.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) psub: Option<Text<'a>>,
    /// The provider's organization then, if it named one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) porg: Option<Text<'a>>,
    /// How the address was proven; absent for a link.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) via: Option<Text<'a>>,
    /// Whether the session is remembered, which gives it a lifetime of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) rem: bool,
    /// By how many seconds the minting replica's time was ahead of `iat`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) skew: u64,
    /// The mark of that replica's time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) by: u32,
    /// By how many seconds the time of the replica that began the session was ahead of
    /// `auth_time`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) askew: u64,
    /// The mark of that replica's time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) aby: u32,
    /// The moment of the latest revocation that was known when the person signed in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) after: u64,
    /// The application's own claims, as it wrote them.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) app: Option<&'a RawValue>,
}

impl Claims<'_> {
    pub(super) fn stated(&self, issuer: &str) -> Stated {
        Stated {
            is_ours: self.iss.0 == issuer && self.aud.0 == issuer,
            has_person: !self.sub.0.is_empty() && !self.email.0.is_empty(),
            sid: self.sid.0,
            iat: self.iat,
            nbf: self.nbf,
            exp: self.exp,
            auth_time: self.auth_time,
            method: match optional(self.via.as_ref()) {
                BY_CODE => SignInMethod::MagicAuth,
                _ => SignInMethod::MagicLink,
            },
            term: match self.rem {
                true => Term::Remembered,
                false => Term::Usual,
            },
            skew: Skew::new(Duration::from_secs(self.skew), self.by),
            auth_skew: Skew::new(Duration::from_secs(self.askew), self.aby),
            after: Timestamp::from_secs(self.after),
        }
    }

    pub(super) fn texts(&self) -> [&str; Field::COUNT] {
        [
            &self.sub.0,
            &self.email.0,
            optional(self.org.as_ref()),
            optional(self.conn.as_ref()),
            optional(self.given_name.as_ref()),
            optional(self.family_name.as_ref()),
            optional(self.psid.as_ref()),
            optional(self.psub.as_ref()),
            optional(self.porg.as_ref()),
            self.app.map_or("", RawValue::get),
        ]
    }
}

#[cfg(test)]
fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

fn optional<'t>(text: Option<&'t Text<'_>>) -> &'t str {
    text.map_or("", |text| &text.0)
}

/// A JSON string that is borrowed from the token unless it has escapes.
///
/// serde borrows a bare `Cow`, but not one inside an `Option`.
#[cfg_attr(test, derive(serde::Serialize), serde(transparent))]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

pub(super) struct Id(pub(super) SessionId);

#[cfg(test)]
impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        SessionId::parse(&text.0)
            .map(Self)
            .ok_or_else(|| de::Error::custom("not a session id"))
    }
}
