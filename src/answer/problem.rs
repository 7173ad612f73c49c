//! A refusal for a program: `application/problem+json` (RFC 9457), with a challenge that says where
//! to sign in.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use serde::{Serialize, Serializer};

use super::{own, way_back::asking_page};
use crate::{
    gate::Gate,
    rejection::{Rejection, RejectionKind},
    request::{head::RequestHead, said::Said},
    shared::Shared,
};

/// Few problems are longer.
const USUAL_LENGTH: usize = 512;

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: Joined<'a>,
    title: &'static str,
    status: u16,
    code: &'static str,
    /// Why the application refuses, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<Joined<'a>>,
    #[serde(flatten)]
    choices: Option<Choices<'a>>,
}

/// Two texts that are written as one. A stranger's request costs fewer allocations that way.
struct Joined<'a>(&'a str, &'a str);

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}{}", self.0, self.1))
    }
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
    pub(crate) fn to_program(
        &self,
        shared: &Shared,
        head: &RequestHead<'_>,
        said: &Said<'_>,
    ) -> Response<Bytes> {
        let return_to = asking_page(shared, head, said);
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
        let code = self.kind().code();
        let is_for_sign_in = self.kind().wants_sign_in();
        let problem = Problem {
            kind: Joined("urn:tower-magic-link:", code),
            title: self.kind().title(),
            status: self.kind().status().as_u16(),
            code,
            detail: self.reason(),
            // Only where it helps: a program that is sent to sign in because a store is out would
            // go in circles.
            login_url: is_for_sign_in.then_some(Joined(shared.gate.public_url.origin(), login)),
            choices,
        };
        let mut body = Vec::with_capacity(USUAL_LENGTH);
        // Writing to memory does not fail.
        if serde_json::to_writer(&mut body, &problem).is_err() {
            body.clear();
        }
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
        let origin = shared.gate.public_url.origin();
        let challenge = ["MagicLink login_url=\"", origin, login, "\""].concat();
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
