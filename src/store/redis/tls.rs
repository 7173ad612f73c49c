//! The settings of `Redis` for TLS.

use super::{Redis, place::Place};
use crate::error::ConfigError;

impl Redis {
    /// Verifies the servers' certificates against these CAs in PEM, and no longer against the
    /// system's trust store. Every call adds some. All URLs must begin with `rediss://`.
    ///
    /// ```no_run
    /// use tower_magic_link::store::Redis;
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let redis = Redis::new("rediss://redis.internal")?
    ///     .ca_certificates(std::fs::read("ca.pem")?)?
    ///     .client_certificate(std::fs::read("app.pem")?, std::fs::read("app.key")?)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the text holds no certificate of a CA, or a URL is without TLS.
    pub fn ca_certificates(mut self, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        self.terms.trust.add_roots(pem.as_ref())?;
        self.with_tls("ca_certificates")
    }

    /// Shows the servers a certificate (mutual TLS). Both texts are PEM: the certificate, followed
    /// by those between it and its CA, and its private key. All URLs must begin with `rediss://`.
    ///
    /// # Errors
    ///
    /// When a text cannot be read, the key is not the certificate's, or a URL is without TLS. The
    /// error shows nothing of the key.
    pub fn client_certificate(
        mut self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, ConfigError> {
        self.terms.trust.show(chain.as_ref(), key.as_ref())?;
        self.with_tls("client_certificate")
    }

    /// Refuses a URL that would make no use of the certificates.
    pub(super) fn with_tls(self, setting: &'static str) -> Result<Self, ConfigError> {
        if self.terms.trust.is_own() && self.places.iter().any(Place::is_plain) {
            let problem = "is for TLS alone; every URL must begin with rediss://";
            return Err(ConfigError::secret(setting, problem));
        }
        Ok(self)
    }
}
