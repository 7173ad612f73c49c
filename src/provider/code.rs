//! Signing in by a mailed code: what the port's `start_code` and `finish_code` take and return.
//!
//! - A code is short enough to guess, so it needs limits: one use, a few minutes, a few tries. The
//!   provider counts the tries of a code; the layer counts those of a browser and of an address.
//! - A code is redeemed together with the address that it was mailed to, so that a guess cannot
//!   match another person's code.

use std::time::Duration;

use super::{Attempt, Delivery};
use crate::{
    email::Email,
    secret::{compared_in_constant_time, secret_text},
};

/// A mailed six-digit code, not yet redeemed. `Debug` prints `[redacted]`. Two codes of one length
/// are compared in constant time.
#[derive(Clone)]
pub struct OneTimeCode(String);

secret_text!(OneTimeCode, "code");
compared_in_constant_time!(OneTimeCode);

/// The request to make a code. `Debug` does not show the whole address.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StartCode<'a> {
    /// The sign-in that it belongs to.
    pub attempt: Attempt<'a>,
    /// The address that the code is for.
    pub email: &'a Email,
    /// Whether the layer or the provider mails the code.
    pub delivery: Delivery,
}

impl<'a> StartCode<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(attempt: Attempt<'a>, email: &'a Email, delivery: Delivery) -> Self {
        Self {
            attempt,
            email,
            delivery,
        }
    }
}

/// A code that a provider has made.
#[derive(Clone, Debug)]
pub struct StartedCode {
    code: Option<OneTimeCode>,
    lifetime: Duration,
}

impl StartedCode {
    /// Creates the answer of a provider that mailed the code itself. `lifetime` counts from now.
    #[must_use]
    pub const fn mailed(lifetime: Duration) -> Self {
        Self {
            code: None,
            lifetime,
        }
    }

    /// Creates the answer of a provider that leaves the code to the layer's mailer. `lifetime`
    /// counts from now.
    #[must_use]
    pub const fn with_code(code: OneTimeCode, lifetime: Duration) -> Self {
        Self {
            code: Some(code),
            lifetime,
        }
    }

    /// Returns the code, if the layer is to mail it.
    #[must_use]
    pub const fn code(&self) -> Option<&OneTimeCode> {
        self.code.as_ref()
    }

    /// Returns how long the code is valid, counted from when it was made: ten minutes at WorkOS.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// The request to redeem a code. `Debug` shows neither the code nor the whole address.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FinishCode<'a> {
    /// The sign-in in whose page the code was typed.
    pub attempt: Attempt<'a>,
    /// The code as the person typed it.
    pub code: &'a OneTimeCode,
    /// The address that the code was mailed to.
    pub email: &'a Email,
}

impl<'a> FinishCode<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(attempt: Attempt<'a>, code: &'a OneTimeCode, email: &'a Email) -> Self {
        Self {
            attempt,
            code,
            email,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        ErasedProvider, Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind,
        Start, Started, attempt::Shown,
    };

    /// A provider that has only links.
    struct Links;

    impl IdentityProvider for Links {
        async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
            Ok(Started::mailed())
        }

        async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
            Err(ProviderErrorKind::Refused.into())
        }
    }

    #[tokio::test]
    async fn a_provider_of_links_alone_says_that_it_has_no_codes() {
        let (code, email) = (
            OneTimeCode::new("424242"),
            Email::parse("ada@example.com").unwrap(),
        );
        let links: &dyn ErasedProvider = &Links;
        let shown = Shown::default();
        let start = StartCode::new(shown.attempt(), &email, Delivery::Mailer);
        let error = links.start_code(&start).await.unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Unsupported);
        let finish = FinishCode::new(shown.attempt(), &code, &email);
        let error = links.finish_code(&finish).await.unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Unsupported);
    }

    #[test]
    fn what_is_printed_holds_no_code_and_no_whole_address() {
        let code = OneTimeCode::new("424242");
        let email = Email::parse("ada@example.com").unwrap();
        let shown = Shown::default();
        let attempt = shown.attempt();
        let printed = [
            format!("{code:?}"),
            format!("{:?}", StartedCode::with_code(code.clone(), Duration::ZERO)),
            format!("{:?}", FinishCode::new(attempt, &code, &email)),
            format!("{:?}", StartCode::new(attempt, &email, Delivery::Mailer)),
        ];
        for text in printed {
            assert!(!text.contains("424242") && !text.contains("ada@"), "{text}");
        }
    }
}
