//! `Flow`: what signing in needs, on top of the state that all services share.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;

use super::{authorize::Authorize, exchange::Exchanges, mailing::Mailing, webhook::Webhook};
use crate::{
    mailer::BoundedMailer,
    page::{CrossDevice, Sent},
    provider::ErasedProvider,
    shared::Shared,
    throttle::Throttling,
};

/// How long the code that a followed link yields is valid: 10 minutes at WorkOS (Magic Link guide).
pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How people sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// By a six-digit code that they type in the browser where they began: WorkOS's Magic Auth, or
    /// digits of the layer's own mail.
    Code,
    /// By a link: WorkOS's Magic Link, or one of the layer's own mail.
    #[default]
    Link,
    /// By a link or a code, both in one mail.
    ///
    /// The link is for the device where they began, the code for when they read the mail on
    /// another.
    LinkAndCode,
}

/// What signing in needs, on top of what the gate has.
pub(crate) struct Flow {
    pub(crate) shared: Arc<Shared>,
    pub(crate) provider: Box<dyn ErasedProvider>,
    /// The value of `Clear-Site-Data` at sign-out.
    pub(crate) clear_site_data: Option<HeaderValue>,
    pub(crate) cross_device: CrossDevice,
    pub(crate) sign_in: SignIn,
    pub(crate) mailer: Option<BoundedMailer>,
    pub(crate) mailing: Mailing,
    pub(crate) application_name: Option<String>,
    pub(crate) authorize: Option<Box<dyn Authorize>>,
    pub(crate) link_lifetime: Duration,
    /// How long a typed code is good at this provider.
    pub(crate) code_lifetime: Duration,
    pub(crate) exchanges: Exchanges,
    pub(crate) throttling: Throttling,
    /// Set only with a webhook secret.
    pub(crate) webhook: Option<Webhook>,
}

impl Flow {
    /// Returns how long an attempt lives.
    ///
    /// It lives as long as its link and the code that the link yields, or as long as a mailed code
    /// if that is longer.
    pub(crate) fn attempt_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => self.code_lifetime,
            SignIn::Link => self.link_lifetime + CODE_LIFETIME,
            SignIn::LinkAndCode => self.code_lifetime.max(self.link_lifetime + CODE_LIFETIME),
        }
    }

    /// Returns how long the mailed link or code is valid.
    pub(crate) fn mail_lifetime(&self) -> Duration {
        match self.sign_in {
            SignIn::Code => self.code_lifetime,
            SignIn::Link | SignIn::LinkAndCode => self.link_lifetime,
        }
    }

    /// Returns what the pages say was mailed.
    pub(crate) fn sent(&self) -> Sent {
        match self.sign_in {
            SignIn::Code => Sent::Code,
            SignIn::Link => Sent::Link,
            SignIn::LinkAndCode => Sent::LinkAndCode,
        }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("clear_site_data", &self.clear_site_data)
            .field("cross_device", &self.cross_device)
            .field("has_mailer", &self.mailer.is_some())
            .field("has_authorize", &self.authorize.is_some())
            .field("allowed", &self.shared.gate.allowed)
            .field("link_lifetime", &self.link_lifetime)
            .field("code_lifetime", &self.code_lifetime)
            .field("mailing", &self.mailing)
            .field("sign_in", &self.sign_in)
            .field("throttling", &self.throttling)
            .finish_non_exhaustive()
    }
}
