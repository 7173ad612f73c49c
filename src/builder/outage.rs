//! The builder's setting of what happens when the revocation store is out.

use super::Builder;

impl Builder {
    /// Admits sessions while the revocation store cannot tell whether they were ended.
    ///
    /// By default what is protected is answered 503 with `Retry-After` meanwhile, and the cookie
    /// stays. With this setting a session that was ended works again while the store is out, for
    /// anybody who holds it. Use it if your application would rather admit a revoked session than
    /// nobody.
    ///
    /// [`Event::StoreLost`](crate::event::Event::StoreLost) tells when it begins, and
    /// [`Event::StoreRecovered`](crate::event::Event::StoreRecovered) when it is over. A sign-out
    /// that the store does not take is told to the person all the same.
    pub fn insecure_admit_on_outage(mut self) -> Self {
        self.admits_on_outage = true;
        self
    }
}
