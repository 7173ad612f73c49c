//! A refusal for a program: `application/problem+json` (RFC 9457), with a challenge that says where
//! to sign in.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use serde::Serialize;

use super::{own, way_back::asking_page};
use crate::{
    gate::Gate,
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    shared::Shared,
};

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    /// Why the application refuses, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<&'a String>,
    #[serde(flatten)]
    choices: Option<Choices<'a>>,
}

/// What a program needs to choose an organization: it posts `choice` and `organization` there.
#[derive(Serialize)]
pub(crate) struct Choices<'a> {
    pub(crate) choose_url: String,
    /// Sealed. It is good once, in the browser or jar that has proven the address.
    pub(crate) choice: &'a str,
    pub(crate) organizations: Vec<Choosable<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Choosable<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

impl Rejection {
    pub(crate) fn to_program(&self, shared: &Shared, head: &RequestHead<'_>) -> Response<Bytes> {
        let return_to = asking_page(shared, head);
        self.to_problem(
            shared,
            head,
            &shared.gate.login_path(return_to.as_ref()),
            None,
        )
    }

    pub(super) fn to_problem(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        login: &str,
        choices: Option<Choices<'_>>,
    ) -> Response<Bytes> {
        let login_url = shared.gate.absolute(login);
        let code = self.kind().code();
        let problem = Problem {
            kind: format!("urn:tower-magic-link:{code}"),
            title: self.kind().title(),
            status: self.kind().status().as_u16(),
            code,
            detail: self.reason(),
            // Only where it helps: a program that is sent to sign in because a store is out would
            // go in circles.
            login_url: self.kind().wants_sign_in().then_some(&login_url),
            choices,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = own(self.kind().status(), "application/problem+json", body);
        let headers = response.headers_mut();
        if self.kind().wants_sign_in() {
            self.challenge(shared, head, login, headers);
        }
        self.add_fields(&mut response);
        response
    }

    /// Says where to sign in: a 401 has to have a challenge (RFC 9110, section 15.5.2).
    pub(super) fn challenge(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        login: &str,
        headers: &mut HeaderMap,
    ) {
        let login_url = shared.gate.absolute(login);
        let challenge = format!(r#"MagicLink login_url="{login_url}""#);
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(challenge) = self.bearer_challenge(&shared.gate, head) {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
    }

    /// Offers bearer tokens, where they are accepted (RFC 6750, section 3): the scheme never stands
    /// alone, and no error is named to who brought no token. A good token of too old a sign-in has
    /// an error of its own (RFC 9470, section 3).
    pub(super) fn bearer_challenge(
        &self,
        gate: &Gate,
        head: &RequestHead<'_>,
    ) -> Option<HeaderValue> {
        if !gate.credentials.has_bearer() {
            return None;
        }
        let error = match (gate.is_bearer(head), self.kind()) {
            // Without a token there is no error to name (RFC 6750, section 3.1).
            (false, _) => "",
            (true, RejectionKind::RecentSignInRequired) => {
                // The error for a sign-in that is too old (RFC 9470, section 3).
                r#", error="insufficient_user_authentication""#
            }
            (true, _) => r#", error="invalid_token""#,
        };
        let realm = gate.public_url.origin();
        HeaderValue::try_from(format!(r#"Bearer realm="{realm}"{error}"#)).ok()
    }
}
