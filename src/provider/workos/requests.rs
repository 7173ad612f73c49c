//! The four requests of WorkOS's Magic Link API, as methods of [`WorkOs`].
//!
//! - The API key is in the `Authorization` header or in the form of the exchange. It is never in a
//!   URL, which proxies log.
//! - An id becomes one percent-encoded path segment, so that no id can lead to another endpoint.

use form_urlencoded::Serializer;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use super::{
    WorkOs,
    answer::{Answer, Cause},
    call::Call,
    credentials::bearer,
    lacks,
    profile::{AccessToken, Profile, ProfileAndToken, ProfileAnswer, TokenAnswer},
    wire::{NewPasswordlessSession, PasswordlessSession, PasswordlessSessionAnswer, SendAnswer},
};
use crate::provider::workos::operation::Operation;
use crate::provider::{AuthorizationCode, ProviderError, ProviderErrorKind};

/// The characters to encode in a path segment: all but the unreserved ones (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl WorkOs {
    /// Makes a passwordless session with a single-use link. WorkOS mails nothing yet.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Address`] when WorkOS does not accept the address, and the kinds of any
    /// call.
    pub async fn create_session(
        &self,
        new: &NewPasswordlessSession,
    ) -> Result<PasswordlessSession, ProviderError> {
        let deadline = self.caller.timeouts.deadline(Operation::Create);
        let (session, _) = self.create(new, deadline).await?;
        Ok(session)
    }

    /// Has WorkOS mail the link of a passwordless session.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Unavailable`], with the status 404 or 422, when the session is expired
    /// or unknown, and the kinds of any call.
    pub async fn send_session(&self, id: &str) -> Result<(), ProviderError> {
        let deadline = self.caller.timeouts.deadline(Operation::Send);
        self.send(id, deadline).await
    }

    /// Exchanges the code of a callback for a profile and a token. A code works once, for ten
    /// minutes.
    ///
    /// The caller must check the profile's connection type, organization and address.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the code is used, expired or unknown, and the kinds of
    /// any call.
    pub async fn profile_and_token(
        &self,
        code: &AuthorizationCode,
    ) -> Result<ProfileAndToken, ProviderError> {
        let (answer, _) = self.exchange(code).await?;
        Ok(answer)
    }

    /// Reads a profile with an access token. The exchange has returned the same profile already.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Refused`] when the token is expired or unknown, and the kinds of any
    /// call.
    pub async fn profile(&self, access_token: &AccessToken) -> Result<Profile, ProviderError> {
        let authorization = bearer(access_token.expose())
            .filter(|_| !access_token.expose().is_empty())
            .ok_or_else(|| unsendable("access token"))?;
        let call = Call {
            operation: Operation::Profile,
            method: Method::GET,
            path: "/sso/profile".to_owned(),
            authorization: Some(authorization),
            content: None,
        };
        let deadline = self.caller.timeouts.deadline(call.operation);
        let answer = self.caller.call(&call, deadline).await?;
        answer.json::<ProfileAnswer>().map(Profile::from)
    }

    pub(super) async fn create(
        &self,
        new: &NewPasswordlessSession,
        deadline: Instant,
    ) -> Result<(PasswordlessSession, Answer), ProviderError> {
        let call = Call {
            operation: Operation::Create,
            method: Method::POST,
            path: "/passwordless/sessions".to_owned(),
            authorization: Some(self.api_key.bearer.clone()),
            content: Some(("application/json", new.to_json())),
        };
        let answer = self.caller.call(&call, deadline).await?;
        let session = PasswordlessSession::from(answer.json::<PasswordlessSessionAnswer>()?);
        // The id becomes part of the next request's path.
        if segment(session.id()).is_none() {
            return Err(lacks(&answer, "a session id"));
        }
        Ok((session, answer))
    }

    pub(super) async fn send(&self, id: &str, deadline: Instant) -> Result<(), ProviderError> {
        let id = segment(id).ok_or_else(|| unsendable("session id"))?;
        let call = Call {
            operation: Operation::Send,
            method: Method::POST,
            path: format!("/passwordless/sessions/{id}/send"),
            authorization: Some(self.api_key.bearer.clone()),
            // WorkOS needs no body, but some proxies refuse a POST without a length.
            content: Some(("application/json", "{}".to_owned())),
        };
        let answer = self.caller.call(&call, deadline).await?;
        // WorkOS's SDKs treat both of the answer's fields as optional.
        if answer.has_body() && answer.json::<SendAnswer>()?.success == Some(false) {
            return Err(lacks(&answer, "success"));
        }
        Ok(())
    }

    pub(super) async fn exchange(
        &self,
        code: &AuthorizationCode,
    ) -> Result<(ProfileAndToken, Answer), ProviderError> {
        if code.expose().is_empty() {
            return Err(unsendable("code"));
        }
        let call = self.exchange_of(code);
        let deadline = self.caller.timeouts.deadline(call.operation);
        let answer = self.caller.call(&call, deadline).await?;
        let token = answer.json::<TokenAnswer>()?;
        Ok((token.into(), answer))
    }
}

impl WorkOs {
    /// Makes the request that exchanges a code.
    pub(super) fn exchange_of(&self, code: &AuthorizationCode) -> Call {
        let form = Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", &self.api_key.text)
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code.expose())
            .finish();
        Call {
            operation: Operation::Exchange,
            method: Method::POST,
            path: "/sso/token".to_owned(),
            // WorkOS authenticates this request by the client id and secret in the form.
            authorization: None,
            content: Some(("application/x-www-form-urlencoded", form)),
        }
    }
}

/// Encodes an id as one path segment. Rejects dot segments, because URL parsers resolve them.
fn segment(id: &str) -> Option<String> {
    // Encoding leaves dots as they are, and a URL parser would fold a segment of dots into another
    // path.
    (!matches!(id, "" | "." | "..")).then(|| utf8_percent_encode(id, SEGMENT).to_string())
}

fn unsendable(what: &'static str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Refused).with_source(Cause::Unsendable(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_or_none() {
        let cases = [
            ("passwordless_session_01", Some("passwordless_session_01")),
            ("a/b", Some("a%2Fb")),
            ("../../sso/token", Some("..%2F..%2Fsso%2Ftoken")),
            ("%2e%2e", Some("%252e%252e")),
            ("a?b#c", Some("a%3Fb%23c")),
            ("a\r\nb", Some("a%0D%0Ab")),
            ("a\\b", Some("a%5Cb")),
            ("...", Some("...")),
            ("", None),
            (".", None),
            ("..", None),
        ];
        for (id, want) in cases {
            assert_eq!(segment(id).as_deref(), want, "{id:?}");
        }
    }
}
