//! How long calls may take, as settings of [`WorkOs`].

use std::time::Duration;

use super::{WorkOs, timeouts::validated};
use crate::error::ConfigError;

impl WorkOs {
    /// Sets how long connecting may take, including DNS and TLS: 1 ms to 5 minutes. Default: 5
    /// seconds.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn connect_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        let connect = validated("connect_timeout", timeout)?;
        self.caller = self.caller.with_connect_timeout(connect)?;
        Ok(self)
    }

    /// Sets how long redeeming a link's or a typed code may take in total, including retries and
    /// the answer's body: 1 ms to 5 minutes. Default: 30 seconds. [`timeout`](Self::timeout) is for
    /// every other call.
    ///
    /// WorkOS may redeem a code and answer late. If the client gives up before that, the code is
    /// used up, and the person needs a new mail. If the person gives up before that, the layer goes
    /// on waiting, and the next press of the same link or code finds the session. The layer keeps a
    /// person waiting for 45 seconds at most, and offers to try again after that: a longer timeout
    /// than 30 seconds only gives WorkOS more time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_magic_link::workos::WorkOs;
    ///
    /// let workos = WorkOs::new("sk_test_a2V5", "client_01EXAMPLE")?
    ///     .exchange_timeout(Duration::from_secs(60))?;
    /// # let _ = workos;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn exchange_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        self.caller.timeouts.exchange = validated("exchange_timeout", timeout)?;
        Ok(self)
    }

    /// Sets how long a call may take in total, including retries and the answer's body: 1 ms to 5
    /// minutes. Beginning a sign-in is one call, although it may take two requests. Default: 10
    /// seconds. Redeeming a code has its own: [`exchange_timeout`](Self::exchange_timeout).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when it is out of that range.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        self.caller.timeouts.call = validated("timeout", timeout)?;
        Ok(self)
    }
}
