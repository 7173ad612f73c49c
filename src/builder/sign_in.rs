//! Settings of how people sign in.

use super::Builder;
use crate::{error::ConfigError, flow::SignIn, page::CrossDevice};

/// The settings of how people sign in.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) sign_in: SignIn,
    pub(super) cross_device: CrossDevice,
}

impl Builder {
    /// Sets what people sign in with. Default: [`SignIn::Link`].
    ///
    /// A code needs a provider that has codes, as `WorkOs` has (Magic Auth) and `MailedLinks`. With
    /// [`Builder::mailer`] the layer mails the code: switch WorkOS's own mail of it off in the
    /// WorkOS dashboard. Without a mailer, WorkOS mails it. [`SignIn::LinkAndCode`] needs a mailer,
    /// because WorkOS would send two mails.
    ///
    /// At WorkOS the two methods yield different subjects for one person: see
    /// [`Identity::method`](crate::provider::Identity::method).
    pub fn sign_in(mut self, sign_in: SignIn) -> Self {
        self.sign_in.sign_in = sign_in;
        self
    }

    /// Sets what happens if the link is opened in another browser than the one that began. Default:
    /// [`CrossDevice::MatchCode`].
    ///
    /// In the browser that began, the link signs in at once, whatever is set here.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// use tower_magic_link::page::CrossDevice;
    ///
    /// // People here read their mail on the machine that they sign in with.
    /// let layer = builder.cross_device(CrossDevice::Refuse).build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn cross_device(mut self, cross_device: CrossDevice) -> Self {
        self.sign_in.cross_device = cross_device;
        self
    }

    pub(super) fn validate_sign_in(&self) -> Result<(), ConfigError> {
        if self.mail.mailer.is_none() && !self.provider.abilities().mails() {
            // The provider mails nothing.
            return Err(ConfigError::Missing { setting: "mailer" });
        }
        // Here and not in the setter: the mailer may be set later than this.
        if self.sign_in.sign_in != SignIn::LinkAndCode || self.mail.mailer.is_some() {
            return Ok(());
        }
        let problem = "needs a mailer: WorkOS would send the link and the code in two mails";
        Err(ConfigError::invalid("sign_in", "LinkAndCode", problem))
    }
}
