//! `MagicLinkLayer::sessions_of`: the live sessions of a person, for an account page.

use crate::{
    layer::MagicLinkLayer,
    sessions::ListedSession,
    store::{StoreError, StoreErrorKind},
};

impl MagicLinkLayer {
    /// Returns the live sessions of a subject, as [`Session::subject`](crate::Session::subject) has
    /// it, the one renewed last first, from the index
    /// ([`Builder::session_index`](crate::Builder::session_index)). Without an index, none.
    ///
    /// A session that was ended early is not among them, and one whose note was lost may be
    /// missing: the list is for a person to look at, and no proof that nobody else is signed in. A
    /// person may have [two subjects](crate::provider::Identity#what-to-key-accounts-on), each with
    /// sessions of its own. The index and the revocation store each have 2 seconds or
    /// [their own limit](crate::Builder::revocation_timeout).
    ///
    /// ```
    /// use tower_magic_link::{MagicLinkLayer, Session, revocation::Target, store::StoreError};
    ///
    /// /// "Sign out all others."
    /// async fn keep_only(layer: &MagicLinkLayer, session: &Session) -> Result<(), StoreError> {
    ///     for listed in layer.sessions_of(session.subject()).await? {
    ///         if listed.id() != session.id() {
    ///             layer.end_sessions(Target::Session(listed.id())).await?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the index does not answer, or the revocation store cannot tell which of
    /// the sessions have ended.
    pub async fn sessions_of(&self, subject: &str) -> Result<Vec<ListedSession>, StoreError> {
        let shared = self.shared();
        let Some(index) = &shared.index else {
            return Ok(Vec::new());
        };
        let mut live = Vec::new();
        for listed in index.list(subject, shared.clock.now()).await? {
            let standing = shared.revocations.is_active(listed.session()).await;
            // The refusal is of a request; its cause is that the store does not answer.
            let unknown = |_| StoreError::new(StoreErrorKind::Unavailable);
            if standing.map_err(unknown)? {
                live.push(listed);
            } else {
                index.forget(listed.session());
            }
        }
        live.sort_by_key(|listed| std::cmp::Reverse((listed.renewed_at(), listed.id())));
        Ok(live)
    }
}
