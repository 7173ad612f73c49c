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
    /// end the sessions of the address too. The address may be in any spelling that
    /// [`Email::parse`](crate::Email::parse) reads. The order is recorded for the text as given,
    /// and for the address as [`Session::email`](crate::Session::email) has it if that differs.
    ///
    /// It reports one [`Event::SessionsEnded`](crate::event::Event::SessionsEnded), also if the
    /// store fails. Once the future has been polled, the order goes on by itself, even if a browser
    /// leaves and the handler that waits here is dropped. What the handler does next is dropped
    /// with it: several orders belong into a task of their own (`tokio::spawn`), if none may be
    /// missing.
    ///
    /// It asks the store what it knows of the target, and then waits for the order for at most
    /// [`Builder::revocation_timeout`](crate::Builder::revocation_timeout). A store that waits for
    /// each look-up may be asked ten times. It needs a tokio runtime with its timer enabled.
    ///
    /// ```
    /// # use tower_magic_link::{
    /// #     Email, KeyRing, Session, SigningKey, provider::Identity, revocation::Revocation,
    /// #     store::{StoreErrorKind, StoreFuture}, testing::StubProvider,
    /// # };
    /// use tower_magic_link::{
    ///     MagicLinkLayer,
    ///     revocation::{Lookup, MemoryRevocations, Revocations, Standing, Target},
    ///     store::StoreError,
    /// };
    ///
    /// async fn close_account(layer: &MagicLinkLayer, subject: &str, email: &str) -> Result<(), StoreError> {
    ///     // Both, even if the first order fails.
    ///     let of_subject = layer.end_sessions(Target::Subject(subject.to_owned())).await;
    ///     let of_address = layer.end_sessions(Target::Address(email.to_owned())).await;
    ///     of_subject.and(of_address)
    /// }
    /// # /// Takes no order for a subject.
    /// # #[derive(Clone, Debug)]
    /// # struct NoSubjects(MemoryRevocations);
    /// # impl Revocations for NoSubjects {
    /// #     fn look_up(&self, session: &Session) -> Lookup { self.0.look_up(session) }
    /// #     fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
    /// #         match revocation.target() {
    /// #             Target::Subject(_) => Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) }),
    /// #             _ => self.0.revoke(revocation),
    /// #         }
    /// #     }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let ended = MemoryRevocations::default();
    /// # let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    /// #     .public_url("https://app.example.com")
    /// #     .revocations(ended.clone())
    /// #     .build()?;
    /// # let ada = Identity::new("user-1", Email::parse("ada@example.com")?);
    /// # let issued = layer.issuer().issue(&ada)?;
    ///
    /// close_account(&layer, "user-1", "ada@example.com").await?;
    /// assert!(matches!(ended.look_up(issued.session()), Lookup::Settled(Ok(Standing::Revoked))));
    /// # let ended = NoSubjects(MemoryRevocations::default());
    /// # let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
    /// #     .public_url("https://app.example.com")
    /// #     .revocations(ended.clone())
    /// #     .build()?;
    /// # let issued = layer.issuer().issue(&ada)?;
    /// # assert!(close_account(&layer, "user-1", "ada@example.com").await.is_err());
    /// # assert!(matches!(ended.look_up(issued.session()), Lookup::Settled(Ok(Standing::Revoked))));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store did not record all of the order. The sessions may then work
    /// until they expire. To repeat the order is harmless.
    pub async fn end_sessions(&self, target: Target) -> Result<(), StoreError> {
        self.shared().end_for_application(target).await
    }
}
