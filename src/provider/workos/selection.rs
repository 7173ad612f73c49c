//! The choice of an organization at WorkOS, as a method of [`WorkOs`].
//!
//! - The pending token travels in the body, never in a URL.

use std::{fmt, net::IpAddr};

use http::Method;
use serde_json::{Map, Value};

use super::{
    WorkOs,
    answer::{Answer, Cause},
    call::Call,
    choice::{is_id, is_token},
    code::{Person, names_the_client},
    operation::Operation,
    user::{Authentication, AuthenticationAnswer},
};
use crate::provider::{FinishChoice, Identity, PendingToken, ProviderError, ProviderErrorKind};

const GRANT_TYPE: &str = "urn:workos:oauth:grant-type:organization-selection";

/// The choice of one of several organizations, after WorkOS has asked for it.
///
/// ```
/// use tower_magic_link::{
///     provider::{ProviderError, ProviderErrorKind},
///     workos::{Authentication, MagicAuthCredentials, OrganizationSelection, WorkOs},
/// };
///
/// /// Signs a person in to the first of their organizations.
/// async fn sign_in(
///     workos: &WorkOs,
///     credentials: &MagicAuthCredentials,
/// ) -> Result<Authentication, ProviderError> {
///     let error = match workos.authenticate_with_magic_auth(credentials).await {
///         Err(error) if error.kind() == ProviderErrorKind::OrganizationRequired => error,
///         authenticated => return authenticated,
///     };
///     let Some(choice) = error.choice() else { return Err(error) };
///     let Some(first) = choice.organizations().first() else { return Err(error) };
///     let selection = OrganizationSelection::new(choice.pending().clone(), first.id());
///     workos.authenticate_with_organization_selection(&selection).await
/// }
/// # let _ = sign_in;
/// ```
#[derive(Clone)]
#[must_use]
pub struct OrganizationSelection {
    pending: PendingToken,
    organization: String,
    person: Person,
}

impl OrganizationSelection {
    /// Chooses an organization by its id, `org_…`.
    pub fn new(pending: PendingToken, organization: impl Into<String>) -> Self {
        Self {
            pending,
            organization: organization.into(),
            person: Person::default(),
        }
    }

    fn to_json(&self, mut body: Map<String, Value>) -> String {
        let mut set = |name: &str, value: &str| body.insert(name.to_owned(), value.into());
        set("pending_authentication_token", self.pending.expose());
        set("organization_id", &self.organization);
        self.person.describe(&mut body);
        Value::Object(body).to_string()
    }
}

names_the_client!(OrganizationSelection, organization);

impl WorkOs {
    /// Finishes a sign-in in one of several organizations, after
    /// [`authenticate_with_magic_auth`](Self::authenticate_with_magic_auth) has failed with
    /// [`ProviderErrorKind::OrganizationRequired`].
    ///
    /// The caller must check whether the address is verified, by which method, and whether the
    /// answer names the organization.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the pending token is used, expired or unknown,
    /// [`NotAllowed`](ProviderErrorKind::NotAllowed) when the person does not belong to the
    /// organization, [`StepUpRequired`](ProviderErrorKind::StepUpRequired) when the organization
    /// asks for more, and the kinds of any call.
    pub async fn authenticate_with_organization_selection(
        &self,
        selection: &OrganizationSelection,
    ) -> Result<Authentication, ProviderError> {
        let (authentication, _) = self.select(selection).await?;
        Ok(authentication)
    }

    async fn select(
        &self,
        selection: &OrganizationSelection,
    ) -> Result<(Authentication, Answer), ProviderError> {
        if !is_token(selection.pending.expose()) {
            return Err(ProviderError::new(ProviderErrorKind::Refused)
                .with_source(Cause::Unsendable("pending token")));
        }
        if !is_id(&selection.organization) {
            return Err(ProviderError::new(ProviderErrorKind::NotAllowed)
                .with_source(Cause::Unsendable("organization id")));
        }
        let call = Call {
            operation: Operation::Select,
            method: Method::POST,
            path: "/user_management/authenticate".to_owned(),
            // WorkOS authenticates this request by the client id and secret in the body.
            authorization: None,
            content: Some((
                "application/json",
                selection.to_json(self.granting(GRANT_TYPE)),
            )),
        };
        let deadline = self.caller.timeouts.deadline(call.operation);
        let answer = self.caller.call(&call, deadline).await?;
        let authentication = Authentication::from(answer.json::<AuthenticationAnswer>()?);
        Ok((authentication, answer))
    }

    pub(super) async fn prove_by_choice(
        &self,
        finish: &FinishChoice<'_>,
    ) -> Result<Identity, ProviderError> {
        let selection = OrganizationSelection::new(finish.pending.clone(), finish.organization)
            .ip_address(finish.attempt.client())
            .user_agent(finish.attempt.user_agent());
        let (authentication, answer) = self.select(&selection).await?;
        authentication.identity(&answer)
    }
}
