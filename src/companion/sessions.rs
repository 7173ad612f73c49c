//! `MagicLinkLayer::sessions_of`: the live sessions of a person, for an account page.

use futures_util::future::join_all;

use crate::{
    layer::MagicLinkLayer, revocation::Standing, sessions::ListedSession, store::StoreError,
};

impl MagicLinkLayer {
    /// Returns the live sessions of a subject, as [`Session::subject`](crate::Session::subject) has
    /// it, the one renewed last first, from the index
    /// ([`Builder::session_index`](crate::Builder::session_index)). Without an index, none.
    ///
    /// A session that was ended early is not among them, nor is one that the layer's lifetimes or
    /// lists no longer admit. One whose note was lost may be missing, and one whose key has left
    /// the ring stays until it would have expired: the list is for a person to look at, and no
    /// proof that nobody else is signed in. A person may have
    /// [two subjects](crate::provider::Identity#what-to-key-accounts-on), each with sessions of its
    /// own. The index and the revocation store each have 2 seconds or
    /// [their own limit](crate::Builder::revocation_timeout).
    ///
    /// ```
    /// use tower_magic_link::{MagicLinkLayer, Session, revocation::Target, store::StoreError};
    ///
    /// /// "Sign out all others."
    /// async fn keep_only(layer: &MagicLinkLayer, session: &Session) -> Result<(), StoreError> {
    ///     let mut all = Ok(());
    ///     for listed in layer.sessions_of(session.subject()).await? {
    ///         if listed.id() != session.id() {
    ///             // Each, even if another order fails.
    ///             let ended = layer.end_sessions(Target::Session(listed.id())).await;
    ///             all = all.and(ended);
    ///         }
    ///     }
    ///     all
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the index does not answer, or the revocation store cannot tell which of
    /// the sessions have ended, even if the layer
    /// [admits people meanwhile](crate::Builder::insecure_admit_on_outage).
    pub async fn sessions_of(&self, subject: &str) -> Result<Vec<ListedSession>, StoreError> {
        let shared = self.shared();
        let Some(index) = &shared.index else {
            return Ok(Vec::new());
        };
        let reading = shared.clock.at(shared.clock.now());
        // What the clock was behind when it was dated may have its end before this date, and live.
        let date = reading.date() - reading.most_ahead();
        let mut listed = index.list(subject, date).await?;
        // An index may compare subjects loosely, such as without regard to case, and the list is
        // shown to this person. Entries of another person stay in the index.
        listed.retain(|listed| listed.subject() == subject);
        // All at once, so that together they take no longer than one may.
        let asked = listed.iter();
        let asked = asked.map(|listed| shared.revocations.standing(listed.session()));
        let answers = join_all(asked).await;
        let mut live = Vec::new();
        for (listed, answer) in listed.into_iter().zip(answers) {
            // Told as an outage, and not judged as one: a layer that admits people meanwhile does
            // not know either who has ended.
            match answer.map_err(|error| shared.revocations.tell_outage(error))? {
                Standing::Active if shared.gate.takes(listed.session(), reading) => {
                    live.push(listed)
                }
                // Under other settings it is live again.
                Standing::Active => {}
                Standing::Revoked => index.forget(listed.session()),
            }
        }
        live.sort_by_key(|listed| std::cmp::Reverse((listed.renewed_at(), listed.id())));
        Ok(live)
    }
}
