//! `MagicLinkLayer::end_sessions`: the application's own order to end sessions.

use crate::{layer::MagicLinkLayer, revocation::Target, store::StoreError};

impl MagicLinkLayer {
    /// Ends every session that the target names and that has begun by now, on every replica that
    /// shares the revocation store.
    ///
    /// For an account that is closed, a person who leaves an organization, or a device that is
    /// lost. The moments of the order come from the layer's own clock and lifetimes: a session that
    /// begins after it is not ended, unless the target is one session's id. To keep a person out,
    /// refuse the sign-in ([`Builder::authorize`](crate::Builder::authorize)).
    ///
    /// One person may have [two subjects](crate::provider::Identity#what-to-key-accounts-on), so
    /// end the sessions of the address too.
    ///
    /// It reports [`Event::SessionsEnded`](crate::event::Event::SessionsEnded), also if the store
    /// fails. It asks the store what it knows of the target, and then waits for the
    /// order for at most [`Builder::revocation_timeout`](crate::Builder::revocation_timeout). A
    /// store that waits for each look-up may be asked ten times. It needs a tokio runtime with its
    /// timer enabled.
    ///
    /// ```
    /// # use tower_magic_link::{Email, KeyRing, SigningKey, provider::Identity, testing::StubProvider};
    /// use tower_magic_link::{
    ///     MagicLinkLayer,
    ///     revocation::{Lookup, MemoryRevocations, Revocations, Standing, Target},
    ///     store::StoreError,
    /// };
    ///
    /// async fn close_account(layer: &MagicLinkLayer, subject: &str, email: &str) -> Result<(), StoreError> {
    ///     layer.end_sessions(Target::Subject(subject.to_owned())).await?;
    ///     layer.end_sessions(Target::Address(email.to_owned())).await
    /// }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let ended = MemoryRevocations::default();
    /// # let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    /// #     .public_url("https://app.example.com")
    /// #     .revocations(ended.clone())
    /// #     .build()?;
    /// # let issued = layer.issuer().issue(&Identity::new("user-1", Email::parse("ada@example.com")?))?;
    ///
    /// close_account(&layer, "user-1", "ada@example.com").await?;
    /// assert!(matches!(ended.look_up(issued.session()), Lookup::Settled(Ok(Standing::Revoked))));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store did not record the order. The sessions may then work until they
    /// expire. To repeat the order is harmless.
    pub async fn end_sessions(&self, target: Target) -> Result<(), StoreError> {
        self.shared().end_for_application(target).await
    }
}
