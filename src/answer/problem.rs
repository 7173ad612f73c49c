//! A refusal for a program: `application/problem+json` (RFC 9457), with a challenge that says where
//! to sign in.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use serde::Serialize;

use super::{own, way_back::asking_page};
use crate::{
    gate::Gate,
    rejection::{Rejection, RejectionKind},
    request::{head::RequestHead, said::Said},
    session::passed,
    shared::Shared,
};

/// What a program needs to choose an organization: it posts `choice` and `organization` there.
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
        // Only where it helps: a program that is sent to sign in because a store is out would go in
        // circles.
        let login_url = match self.kind().wants_sign_in() {
            true => Some((shared.gate.public_url.origin(), login)),
            false => None,
        };
        let body = self.problem(login_url, choices);
        let mut response = own(self.kind().status(), "application/problem+json", body);
        let headers = response.headers_mut();
        if self.kind().wants_sign_in() {
            self.challenge(shared, head, login, headers);
        }
        self.add_fields(&mut response);
        response
    }

    /// Writes the problem (RFC 9457), in one room of the right size: a stranger can ask for it as
    /// often as they like.
    fn problem(&self, login_url: Option<(&str, &str)>, choices: Option<Choices<'_>>) -> String {
        let code = self.kind().code();
        let status = self.kind().status();
        // Why the application refuses, in its own words.
        let detail = self.reason().map(json);
        let choices = choices.map(|choices| {
            [
                r#","choose_url":"#,
                &json(&choices.choose_url),
                r#","choice":"#,
                &json(&choices.choice),
                r#","organizations":"#,
                &json(&choices.organizations),
            ]
            .concat()
        });
        let (origin, path) = login_url.map_or_else(Default::default, |(origin, path)| {
            (within(origin), within(path))
        });
        [
            r#"{"type":"urn:tower-magic-link:"#,
            code,
            r#"","title":""#,
            &within(self.kind().title()),
            r#"","status":"#,
            status.as_str(),
            r#","code":""#,
            code,
            r#"""#,
            match self.has_begun() {
                true => r#","begun":true"#,
                false => "",
            },
            detail.as_ref().map_or("", |_| r#","detail":"#),
            detail.as_deref().unwrap_or_default(),
            login_url.map_or("", |_| r#","login_url":""#),
            &origin,
            &path,
            login_url.map_or("", |_| r#"""#),
            choices.as_deref().unwrap_or_default(),
            "}",
        ]
        .concat()
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
        // Behind identity headers a request may not show its token any more.
        let ring = gate.tokens.keys().id();
        let is_bearer = gate.is_bearer(head) || passed::is_bearer(head.extensions(), ring);
        let error = match (is_bearer, self.kind()) {
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

/// Writes a value as JSON.
fn json(value: &(impl Serialize + ?Sized)) -> String {
    // Texts and lists of texts always are.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Returns a text as it stands within the quotes of a JSON string. Few have to be rewritten.
fn within(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
    // Without an early exit: a processor then looks at many bytes at a time.
    if text.bytes().fold(true, |is, byte| is & is_plain(byte)) {
        return text.into();
    }
    let text = json(text);
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or_default().to_owned().into()
}

#[cfg(test)]
mod tests;
