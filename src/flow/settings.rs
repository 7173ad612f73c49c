//! `Flow`: what signing in needs beside the state that all services share.

use std::{fmt, sync::Arc, time::Duration};

use super::{authorize::Authorize, exchange::Exchanges, webhook::Webhook};
use crate::{
    mailer::BoundedMailer,
    page::{CrossDevice, Sent},
    provider::ErasedProvider,
    shared::Shared,
    throttle::Throttling,
};

/// WorkOS's codes are good for 10 minutes: the one that a followed link yields (Magic Link guide),
/// and the one in a mail (Magic Auth reference).
pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What people sign in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// A six-digit code, which they type where they began: WorkOS's Magic Auth.
    Code,
    /// A link: WorkOS's Magic Link.
    #[default]
    Link,
    /// Either, in one mail: the link on the device where they began, the code where the mail is
    /// read on another.
    LinkAndCode,
}

/// What signing in needs beside the gate.
pub(crate) struct Flow {
    pub(crate) shared: Arc<Shared>,
    pub(crate) provider: Box<dyn ErasedProvider>,
    pub(crate) cross_device: CrossDevice,
    pub(crate) sign_in: SignIn,
    pub(crate) mailer: Option<BoundedMailer>,
    pub(crate) application_name: Option<String>,
    pub(crate) authorize: Option<Box<dyn Authorize>>,
    /// Empty: any, and none.
    pub(crate) organizations: Vec<String>,
    /// Empty: any.
    pub(crate) email_domains: Vec<String>,
    pub(crate) link_lifetime: Duration,
    pub(crate) exchanges: Exchanges,
    pub(crate) throttling: Throttling,
    /// There is one only with a secret.
    pub(crate) webhook: Option<Webhook>,
}

impl Flow {
    /// An attempt lives as long as its link, and the code that the link yields; or as long as the
    /// code that was mailed.
    pub(crate) fn attempt_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => CODE_LIFETIME,
            SignIn::Link | SignIn::LinkAndCode => self.link_lifetime + CODE_LIFETIME,
        }
    }

    /// How long what was mailed is good.
    pub(crate) fn mail_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => CODE_LIFETIME,
            SignIn::Link | SignIn::LinkAndCode => self.link_lifetime,
        }
    }

    /// What people are told is mailed.
    pub(crate) fn sent(&self) -> Sent {
        match self.sign_in {
            SignIn::Code => Sent::Code,
            SignIn::Link => Sent::Link,
            SignIn::LinkAndCode => Sent::LinkAndCode,
        }
    }

    pub(crate) fn takes_domain(&self, domain: &str) -> bool {
        self.email_domains.is_empty() || self.email_domains.iter().any(|taken| taken == domain)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("cross_device", &self.cross_device)
            .field("has_mailer", &self.mailer.is_some())
            .field("has_authorize", &self.authorize.is_some())
            .field("organizations", &self.organizations)
            .field("email_domains", &self.email_domains)
            .field("link_lifetime", &self.link_lifetime)
            .field("sign_in", &self.sign_in)
            .field("throttling", &self.throttling)
            .finish_non_exhaustive()
    }
}
