//! Signing in by a mailed code: what the port's `start_code` and `finish_code` take and return.
//!
//! - A code is short enough to guess, so it needs limits: one use, a few minutes, a few tries. The
//!   provider counts the tries of a code; the layer counts those of a browser and of an address.
//! - A code is redeemed together with the address that it was mailed to, so that a guess cannot
//!   match another person's code.

use std::{net::IpAddr, time::Duration};

use super::Delivery;
use crate::{email::Email, secret::secret_text};

/// A mailed six-digit code, not yet redeemed. `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

secret_text!(OneTimeCode, "code");

/// The request to make a code. `Debug` does not show the whole address.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StartCode<'a> {
    /// The address that the code is for.
    pub email: &'a Email,
    /// Whether the layer or the provider mails the code.
    pub delivery: Delivery,
    /// The client's IP address, if it is known, for the provider's own abuse rules.
    pub client: Option<IpAddr>,
    /// The `User-Agent` of the person's request, as it came.
    pub user_agent: Option<&'a str>,
}

impl<'a> StartCode<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        email: &'a Email,
        delivery: Delivery,
        client: Option<IpAddr>,
        user_agent: Option<&'a str>,
    ) -> Self {
        Self {
            email,
            delivery,
            client,
            user_agent,
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
    /// The code as the person typed it.
    pub code: &'a OneTimeCode,
    /// The address that the code was mailed to.
    pub email: &'a Email,
    /// The client's IP address, if it is known.
    pub client: Option<IpAddr>,
    /// The `User-Agent` of the person's request, as it came.
    pub user_agent: Option<&'a str>,
}

impl<'a> FinishCode<'a> {
    /// Creates a request, as the layer does. A provider's own tests need it too.
    #[must_use]
    pub const fn new(
        code: &'a OneTimeCode,
        email: &'a Email,
        client: Option<IpAddr>,
        user_agent: Option<&'a str>,
    ) -> Self {
        Self {
            code,
            email,
            client,
            user_agent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        AuthorizationCode, ErasedProvider, Identity, IdentityProvider, ProviderError,
        ProviderErrorKind, Start, Started,
    };

    /// A provider that has only links.
    struct Links;

    impl IdentityProvider for Links {
        async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
            Ok(Started::mailed())
        }

        async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
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
        let start = StartCode::new(&email, Delivery::Mailer, None, None);
        let error = links.start_code(&start).await.unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Unsupported);
        let finish = FinishCode::new(&code, &email, None, None);
        let error = links.finish_code(&finish).await.unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Unsupported);
    }

    #[test]
    fn what_is_printed_holds_no_code_and_no_whole_address() {
        let code = OneTimeCode::new("424242");
        let email = Email::parse("ada@example.com").unwrap();
        let client = Some(IpAddr::from([192, 0, 2, 1]));
        let printed = [
            format!("{code:?}"),
            format!("{:?}", StartedCode::with_code(code.clone(), Duration::ZERO)),
            format!("{:?}", FinishCode::new(&code, &email, client, Some("x/1"))),
            format!(
                "{:?}",
                StartCode::new(&email, Delivery::Mailer, client, None)
            ),
        ];
        for text in printed {
            assert!(!text.contains("424242") && !text.contains("ada@"), "{text}");
        }
    }
}
