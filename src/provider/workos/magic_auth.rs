//! The two requests of WorkOS's Magic Auth API, as methods of [`WorkOs`], and their checks.
//!
//! - The API key is in the `Authorization` header when a code is made, and in the body when one is
//!   redeemed. It is never in a URL, which proxies log.
//! - A code is redeemed with its address. It proves the address only if WorkOS verifies it by Magic
//!   Auth, not by another method.

use http::Method;
use serde_json::{Map, Value};

use super::{
    WorkOs,
    answer::{Answer, Cause},
    call::Call,
    code::{MagicAuth, MagicAuthAnswer, MagicAuthCredentials, NewMagicAuth},
    lacks,
    user::{Authentication, AuthenticationAnswer},
};
use crate::provider::workos::complaint::is_word;
use crate::provider::workos::operation::Operation;
use crate::{
    email::Email,
    provider::{
        Delivery, FinishCode, Identity, OneTimeCode, ProviderError, ProviderErrorKind,
        SignInMethod, StartCode, StartedCode,
    },
};

const GRANT_TYPE: &str = "urn:workos:oauth:grant-type:magic-auth:code";
const MAGIC_AUTH: &str = "MagicAuth";
/// WorkOS's codes have six digits. Longer input is not sent.
const LONGEST_CODE: usize = 16;

impl WorkOs {
    /// Makes a six-digit code for an address. WorkOS mails it if its dashboard says so; the answer
    /// holds the code in either case.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::Address`] when WorkOS does not accept the address,
    /// [`ProviderErrorKind::NotAllowed`] when sign-up is closed, [`ProviderErrorKind::RateLimited`]
    /// after three codes for one address within a minute, and the kinds of any call.
    pub async fn create_magic_auth(&self, new: &NewMagicAuth) -> Result<MagicAuth, ProviderError> {
        let (magic_auth, _) = self.make_code(new).await?;
        self.have_mailed(new, &magic_auth);
        Ok(magic_auth)
    }

    /// Redeems a code with the address that it was made for. A code works once, for ten minutes,
    /// and within a few tries.
    ///
    /// The caller must check whether the address is verified, and by which method.
    ///
    /// # Errors
    ///
    /// [`ProviderErrorKind::CodeWrong`], [`CodeExpired`](ProviderErrorKind::CodeExpired),
    /// [`CodeUsed`](ProviderErrorKind::CodeUsed) or
    /// [`TooManyTries`](ProviderErrorKind::TooManyTries) when the code is not valid,
    /// [`OrganizationRequired`](ProviderErrorKind::OrganizationRequired) when it is valid and the
    /// person must choose an organization,
    /// [`StepUpRequired`](ProviderErrorKind::StepUpRequired) when WorkOS requires another step, and
    /// the kinds of any call.
    pub async fn authenticate_with_magic_auth(
        &self,
        credentials: &MagicAuthCredentials,
    ) -> Result<Authentication, ProviderError> {
        let (authentication, _) = self.redeem(credentials).await?;
        Ok(authentication)
    }

    async fn make_code(&self, new: &NewMagicAuth) -> Result<(MagicAuth, Answer), ProviderError> {
        let call = Call {
            operation: Operation::CreateCode,
            method: Method::POST,
            path: "/user_management/magic_auth".to_owned(),
            authorization: Some(self.api_key.bearer.clone()),
            content: Some(("application/json", new.to_json())),
        };
        let deadline = self.caller.timeouts.deadline(call.operation);
        let answer = self.caller.call(&call, deadline).await?;
        let magic_auth = MagicAuth::from(answer.json::<MagicAuthAnswer>()?);
        Ok((magic_auth, answer))
    }

    async fn redeem(
        &self,
        credentials: &MagicAuthCredentials,
    ) -> Result<(Authentication, Answer), ProviderError> {
        if !is_code(credentials.code()) {
            return Err(ProviderError::new(ProviderErrorKind::CodeWrong)
                .with_source(Cause::Unsendable("code")));
        }
        let body = self.granting(GRANT_TYPE);
        let call = Call {
            operation: Operation::Authenticate,
            method: Method::POST,
            path: "/user_management/authenticate".to_owned(),
            // WorkOS authenticates this request by the client id and secret in the body.
            authorization: None,
            content: Some(("application/json", credentials.to_json(body))),
        };
        let deadline = self.caller.timeouts.deadline(call.operation);
        let answer = self.caller.call(&call, deadline).await?;
        let authentication = Authentication::from(answer.json::<AuthenticationAnswer>()?);
        Ok((authentication, answer))
    }

    /// Begins the body of an authentication: what identifies this client, and the grant.
    pub(super) fn granting(&self, grant_type: &str) -> Map<String, Value> {
        let mut body = Map::new();
        let mut set = |name: &str, value: &str| body.insert(name.to_owned(), value.into());
        set("client_id", &self.client_id);
        set("client_secret", &self.api_key.text);
        set("grant_type", grant_type);
        body
    }

    /// Has an emulator in this process mail a code. WorkOS itself mails by its dashboard.
    fn have_mailed(&self, new: &NewMagicAuth, made: &MagicAuth) {
        if let (Some(emulator), Some(code)) = (&self.emulator, made.code()) {
            emulator.mail_code(new.email(), code, made.lifetime());
        }
    }

    pub(super) async fn begin_code(
        &self,
        start: &StartCode<'_>,
    ) -> Result<StartedCode, ProviderError> {
        let new = NewMagicAuth::new(start.email.clone())
            .ip_address(start.attempt.client())
            .user_agent(start.attempt.user_agent());
        let (magic_auth, answer) = self.make_code(&new).await?;
        let lifetime = magic_auth.lifetime();
        match start.delivery {
            Delivery::Provider => {
                self.have_mailed(&new, &magic_auth);
                Ok(StartedCode::mailed(lifetime))
            }
            Delivery::Mailer => {
                // What WorkOS sends goes into a mail, so it must be a code and nothing else.
                let code = magic_auth.code().filter(|code| is_code(code)).cloned();
                code.map(|code| StartedCode::with_code(code, lifetime))
                    .ok_or_else(|| lacks(&answer, "a code"))
            }
        }
    }

    pub(super) async fn prove_by_code(
        &self,
        finish: &FinishCode<'_>,
    ) -> Result<Identity, ProviderError> {
        let credentials = MagicAuthCredentials::new(finish.email.clone(), finish.code.clone())
            .ip_address(finish.attempt.client())
            .user_agent(finish.attempt.user_agent());
        let (authentication, answer) = self.redeem(&credentials).await?;
        authentication.identity(&answer)
    }
}

impl Authentication {
    /// Returns the identity that a redeemed code, or the choice after it, has proven.
    pub(super) fn identity(&self, answer: &Answer) -> Result<Identity, ProviderError> {
        // An impersonation, or a future method, proves something else than this code does.
        let method = self.authentication_method();
        if method.is_some_and(|method| method != MAGIC_AUTH) {
            return Err(answer.error(ProviderErrorKind::WrongConnection));
        }
        let user = self.user();
        // The field may be absent, so that only an explicit `false` refuses.
        if user.email_verified() == Some(false) {
            return Err(answer
                .error(ProviderErrorKind::StepUpRequired)
                .with_code(Some("email_verification_required"))
                .with_source(Cause::Unverified));
        }
        // If every id were empty, everybody would share one account.
        if user.id().is_empty() {
            return Err(lacks(answer, "a user id"));
        }
        let email = Email::parse(user.email()).map_err(|_| lacks(answer, "an address"))?;
        Ok(Identity::new(user.id(), email)
            .with_method(SignInMethod::MagicAuth)
            .with_organization(self.organization_id().map(str::to_owned))
            .with_provider_session(self.session_id())
            .with_names(
                user.first_name().map(str::to_owned),
                user.last_name().map(str::to_owned),
            ))
    }
}

/// Says whether a text could be a code at all. One that could not is not sent, and costs no try.
fn is_code(code: &OneTimeCode) -> bool {
    code.expose().len() <= LONGEST_CODE && is_word(code.expose(), |b| b.is_ascii_alphanumeric())
}
