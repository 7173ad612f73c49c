//! `Grant`: what the application says of a person, in place of what the provider proved.
//!
//! - The provider's subject and organization stay in the session beside the application's own. Its
//!   webhook and the layer's list of organizations know the person by those.
//! - The claims are the application's alone: they travel as the JSON that it wrote, and are read
//!   only if a handler asks for them.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::{Field, Session};
use crate::email::masked_subject;

/// What the application says of a person who signs in: its own subject, organization, names and
/// claims.
///
/// What is not set stays as the provider has it. [`Builder::authorize`](crate::Builder::authorize)
/// answers with a grant, and so does [`Builder::reauthorize`](crate::Builder::reauthorize), which
/// renews it.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tower_magic_link::{ClaimsError, Grant, Session};
///
/// #[derive(Serialize, Deserialize)]
/// struct Access {
///     role: String,
/// }
///
/// fn grant(account: u64, tenant: &str, role: &str) -> Result<Grant, ClaimsError> {
///     Grant::new()
///         .subject(account.to_string())
///         .organization(tenant)
///         .claims(&Access { role: role.to_owned() })
/// }
///
/// fn is_admin(session: &Session) -> bool {
///     session.claims::<Access>().is_ok_and(|access| access.is_some_and(|a| a.role == "admin"))
/// }
/// # assert!(grant(7, "acme", "admin").is_ok());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Grant {
    subject: Option<String>,
    /// `Some(None)` is no organization, whatever the provider says.
    organization: Option<Option<String>>,
    names: Option<[String; 2]>,
    claims: Option<Box<str>>,
}

impl Grant {
    /// The most bytes of JSON that [`claims`](Self::claims) takes: 1,024.
    ///
    /// The claims are a part of the session's token, and a browser drops a cookie whose name and
    /// value have more than 4,096 bytes. The token is in base64, so that 1,024 bytes take 1,366 of
    /// these. The rest is for the names and ids of the session.
    pub const MOST_CLAIMS: usize = 1_024;

    /// Creates a grant that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id under which the application knows the person: [`Session::subject`]. It must not
    /// be empty, and should not change: "sign out everywhere" and an application's own orders find
    /// sessions by it.
    ///
    /// The provider's own stays in [`Session::provider_subject`].
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the organization, such as a tenant of the application's:
    /// [`Session::organization`].
    ///
    /// [`Builder::organization`](crate::Builder::organization) still holds for the provider's own,
    /// which stays in [`Session::provider_organization`].
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(Some(organization.into()));
        self
    }

    /// Has the session name no organization, whatever the provider says.
    ///
    /// ```
    /// use tower_magic_link::Grant;
    ///
    /// // An application with tenants of its own, for a person who is in none yet.
    /// let grant = Grant::new().subject("7").without_organization();
    /// # let _ = grant;
    /// ```
    pub fn without_organization(mut self) -> Self {
        self.organization = Some(None);
        self
    }

    /// Sets both names, in place of the provider's: [`Session::first_name`] and
    /// [`Session::last_name`].
    ///
    /// ```
    /// use tower_magic_link::Grant;
    ///
    /// let grant = Grant::new().names(Some("Ada".to_owned()), Some("Lovelace".to_owned()));
    /// # let _ = grant;
    /// ```
    pub fn names(mut self, first: Option<String>, last: Option<String>) -> Self {
        self.names = Some([first.unwrap_or_default(), last.unwrap_or_default()]);
        self
    }

    /// Sets the application's own claims: a struct or a map, which [`Session::claims`] reads back.
    ///
    /// The token is signed and not encrypted: the person can read the claims, and `/auth/session`
    /// shows them to the application's scripts. A role that was taken
    /// away holds until [`Builder::reauthorize`](crate::Builder::reauthorize) asks again, or until
    /// the session ends. [Revoke](crate::revocation) it where that is too late.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tower_magic_link::{ClaimsError, Grant};
    ///
    /// let long = HashMap::from([("a", "x".repeat(Grant::MOST_CLAIMS))]);
    /// let refused = Grant::new().claims(&long).unwrap_err();
    /// assert!(matches!(refused, ClaimsError::TooLarge { size: 1_032 }));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClaimsError::TooLarge`] if they have over [`MOST_CLAIMS`](Self::MOST_CLAIMS) bytes as
    /// JSON; [`ClaimsError::NotAnObject`] if they are no JSON object; [`ClaimsError::NotWritten`]
    /// if `serde` cannot write them.
    pub fn claims(mut self, claims: &(impl Serialize + ?Sized)) -> Result<Self, ClaimsError> {
        let json =
            serde_json::to_string(claims).map_err(|error| ClaimsError::NotWritten(error.into()))?;
        if !json.starts_with('{') {
            return Err(ClaimsError::NotAnObject);
        }
        if json.len() > Self::MOST_CLAIMS {
            let size = json.len();
            return Err(ClaimsError::TooLarge { size });
        }
        self.claims = Some(json.into());
        Ok(self)
    }

    /// Returns the subject that the grant sets.
    pub(crate) fn own_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Says whether the session is known by another subject or organization than the provider's.
    pub(crate) const fn renames(&self) -> bool {
        self.subject.is_some() || self.organization.is_some()
    }
}

/// Prints the ids, but neither names nor claims.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("subject", &self.subject.as_deref().map(masked_subject))
            .field("organization", &self.organization)
            .field("has_names", &self.names.is_some())
            .field("has_claims", &self.claims.is_some())
            .finish()
    }
}

/// Why claims cannot be granted or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// They are a text, a list or a number. Only an object can grow.
    #[error("the claims are no JSON object")]
    NotAnObject,
    /// The session's claims are not of the type that was asked for, such as those of an earlier
    /// version of the application. The source names the place, and may quote one value.
    #[error("the session's claims are of another type")]
    NotRead(#[source] Box<dyn Error + Send + Sync>),
    /// `serde` cannot write them as JSON.
    #[error("the claims cannot be written as JSON")]
    NotWritten(#[source] Box<dyn Error + Send + Sync>),
    /// They have more bytes as JSON than a session's cookie has room for.
    #[error("the claims have {size} bytes as JSON, over {}", Grant::MOST_CLAIMS)]
    TooLarge {
        /// The bytes that they have.
        size: usize,
    },
}

impl Session {
    /// Returns the session as a grant has it.
    pub(crate) fn granted(&self, grant: &Grant) -> Self {
        let subject = grant.subject.as_deref().unwrap_or(self.subject());
        let claims = grant.claims.as_deref().or(self.claims_json());
        let organization = match &grant.organization {
            Some(organization) => organization.as_deref(),
            None => self.organization(),
        };
        let proven = (self.provider_subject(), self.provider_organization());
        // Both or none: an empty organization beside a subject is the provider's having none.
        let (proven_subject, proven_organization) = match proven == (subject, organization) {
            true => ("", None),
            false => (proven.0, proven.1),
        };
        let [first, last] = match &grant.names {
            Some([first, last]) => [first.as_str(), last.as_str()],
            None => [Field::FirstName, Field::LastName].map(|field| self.field(field)),
        };
        let texts = Field::ALL.map(|field| match field {
            Field::Subject => subject,
            Field::Organization => organization.unwrap_or_default(),
            Field::FirstName => first,
            Field::LastName => last,
            Field::ProviderSubject => proven_subject,
            Field::ProviderOrganization => proven_organization.unwrap_or_default(),
            Field::Claims => claims.unwrap_or_default(),
            Field::Email | Field::Connection | Field::ProviderSession => self.field(field),
        });
        Self::with(self.0.facts, texts)
    }

    /// Returns the provider's stable id of the person, such as `prof_…` at WorkOS. It differs from
    /// [`subject`](Self::subject) if the application [granted](Grant) one of its own.
    #[must_use]
    pub fn provider_subject(&self) -> &str {
        self.proven()
            .map_or_else(|| self.subject(), |(subject, _)| subject)
    }

    /// Returns the provider's id of the organization, if it named one. It differs from
    /// [`organization`](Self::organization) if the application [granted](Grant) another.
    #[must_use]
    pub fn provider_organization(&self) -> Option<&str> {
        self.proven()
            .map_or_else(|| self.organization(), |(_, organization)| organization)
    }

    /// Returns the provider's subject and organization, if they are not the session's own.
    pub(crate) fn proven(&self) -> Option<(&str, Option<&str>)> {
        let subject = self.optional(Field::ProviderSubject)?;
        Some((subject, self.optional(Field::ProviderOrganization)))
    }

    /// Reads the claims that the application [granted](Grant::claims); `None` if it granted none.
    ///
    /// They are read at each call, and a request whose handler does not ask pays nothing for them.
    /// A value may borrow from the session: `claims::<HashMap<&str, u32>>()`.
    ///
    /// # Errors
    ///
    /// [`ClaimsError::NotRead`] if they are of another type. Give new fields a default, because the
    /// sessions of yesterday's version go on.
    pub fn claims<'s, T: Deserialize<'s>>(&'s self) -> Result<Option<T>, ClaimsError> {
        let claims = self.claims_json().map(serde_json::from_str);
        let claims = claims.transpose();
        claims.map_err(|error| ClaimsError::NotRead(error.into()))
    }

    /// Returns the claims as the application wrote them.
    pub(crate) fn claims_json(&self) -> Option<&str> {
        self.optional(Field::Claims)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        clock::Timestamp,
        provider::Identity,
        session::{SessionId, Times},
    };

    fn session() -> Session {
        let noon = Timestamp::from_secs(43_200);
        let times = Times {
            issued_at: noon,
            expires_at: noon,
            auth_time: noon,
        };
        let name = |name: &str| Some(name.to_owned());
        let identity = Identity::new("prof_ada", "ada@example.com".parse().unwrap())
            .with_organization(name("org_1"))
            .with_names(name("Ada"), name("Lovelace"));
        Session::new(&identity, SessionId::from_bytes([7; 16]), times)
    }

    #[test]
    fn claims_are_an_object_of_up_to_1024_bytes() {
        let of = |size: usize| Grant::new().claims(&json!({ "a": "x".repeat(size - 8) }));
        assert!(of(1_024).is_ok());
        let error = of(1_025).unwrap_err();
        assert!(matches!(error, ClaimsError::TooLarge { size: 1_025 }));
        let words = "the claims have 1025 bytes as JSON, over 1024";
        assert_eq!(error.to_string(), words);
        for other in [json!([1]), json!("a"), json!(1), json!(null), json!(true)] {
            let error = Grant::new().claims(&other).unwrap_err();
            assert!(matches!(error, ClaimsError::NotAnObject), "{other}");
        }
        let unwritable = std::collections::HashMap::from([(vec![1], 1)]);
        let error = Grant::new().claims(&unwritable).unwrap_err();
        assert!(matches!(error, ClaimsError::NotWritten(_)), "{error}");
    }

    #[test]
    fn what_a_grant_does_not_set_stays_as_it_is() {
        let session = session();
        assert_eq!(session.granted(&Grant::new()), session);
        let first = Grant::new().subject("7").claims(&json!({"a": 1})).unwrap();
        let first = session.granted(&first);
        // A later grant, as at a renewal: what the provider proved is not lost.
        let later = Grant::new().without_organization().names(None, None);
        let later = first.granted(&later);
        assert_eq!(later.subject(), "7");
        assert_eq!((later.organization(), later.first_name()), (None, None));
        assert_eq!(later.proven(), Some(("prof_ada", Some("org_1"))));
        assert_eq!(later.claims_json(), Some(r#"{"a":1}"#));
        // And back: what is as the provider has it is there once.
        let back = later.granted(&Grant::new().subject("prof_ada").organization("org_1"));
        assert_eq!(back.proven(), None);
        assert_eq!(back.provider_organization(), Some("org_1"));
    }

    #[test]
    fn no_debug_output_has_names_or_claims() {
        let grant = Grant::new()
            .names(Some("Augusta".to_owned()), None)
            .claims(&json!({ "role": "admin" }))
            .unwrap();
        for text in [
            format!("{grant:?}"),
            format!("{:?}", session().granted(&grant)),
        ] {
            assert!(
                !text.contains("admin") && !text.contains("Augusta"),
                "{text}"
            );
        }
    }
}
