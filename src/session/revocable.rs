//! Which revocations end a session, by their time.
//!
//! - The clocks of the machines that share a store differ. A revocation therefore reaches
//!   [`LEEWAY`] ahead: it also ends a sign-in that a machine has dated later, because its clock is
//!   ahead.
//! - A sign-in states the latest revocation that was known of its person (`after`). It comes after
//!   that one, whatever the clocks say. Otherwise a person who signs in again at once, or at a
//!   machine whose clock is behind, would get a session that has ended already.

use std::time::Duration;

use super::Session;
use crate::clock::Timestamp;

/// How far a revocation reaches ahead of its moment.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// How far ahead of a sign-in the latest revocation is looked for that it comes after. The clock of
/// the machine that gave it may be a minute ahead, and WorkOS's events reach two.
pub(crate) const LATEST_AFTER: Duration = Duration::from_secs(240);

impl Session {
    /// Returns the earliest moment of a revocation that ends this session, if the revocation is not
    /// for the session's id alone: its [`at`](crate::revocation::Revocation::at) is then at this
    /// moment or later.
    ///
    /// For a store that compares moments itself, such as in SQL. It is a minute
    /// ([`Revocation::LEEWAY`](crate::revocation::Revocation::LEEWAY)) before
    /// [`Session::auth_time`], or later if the person signed in after a revocation that was known
    /// then. Renewal does not move it.
    ///
    /// ```
    /// use tower_magic_link::{Session, revocation::Revocation};
    ///
    /// fn is_ended(revocation: &Revocation, session: &Session) -> bool {
    ///     revocation.at() >= session.revocable_from() && revocation.target().names(session)
    /// }
    /// ```
    #[must_use]
    pub fn revocable_from(&self) -> Timestamp {
        let next = Timestamp::from_secs(self.0.facts.after.as_secs().saturating_add(1));
        next.max(self.auth_time() - LEEWAY)
    }

    /// Returns the latest revocation that was known when the person signed in; 1970 if none was.
    pub(crate) fn after(&self) -> Timestamp {
        self.0.facts.after
    }

    /// Returns the session of a sign-in that comes after a revocation of this moment.
    pub(crate) fn with_after(self, after: Timestamp) -> Self {
        if self.0.facts.after == after {
            return self;
        }
        self.changed(|facts| facts.after = after)
    }
}
