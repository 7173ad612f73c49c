//! The application's rule as a part of an exchange: may this identity sign in, and as whom?

use super::Redemption;
use crate::{
    flow::{authorize::Authorization, limits::within},
    provider::Identity,
    rejection::{Rejection, RejectionKind},
    session::Grant,
};

impl Redemption {
    /// Asks the application's rule, if there is one. `None` if it grants nothing of its own.
    pub(super) async fn ask_rule(&self, identity: &Identity) -> Result<Option<Grant>, Rejection> {
        let Some(authorize) = &self.flow.authorize else {
            return Ok(None);
        };
        let answer = within(super::AUTHORIZE_TIMEOUT, authorize.ask(identity.clone())).await;
        let answer = answer.unwrap_or_else(|| {
            tracing::error!(target: "tower_magic_link", "authorize hook took too long");
            Err(())
        });
        let denied = || Rejection::new(self.not_allowed());
        match answer {
            Ok(Authorization::Allowed) => Ok(None),
            Ok(Authorization::Denied) => Err(denied()),
            Ok(Authorization::Granted(grant)) if grant.own_subject() == Some("") => {
                tracing::error!(target: "tower_magic_link", "authorize hook granted an empty subject");
                // No wait mends that.
                Err(Rejection::new(RejectionKind::ProviderMisconfigured))
            }
            Ok(Authorization::Granted(grant)) => Ok(Some(grant)),
            Ok(Authorization::Refused(denial)) => Err(match denial.into_reason() {
                Some(reason) => denied().with_reason(reason),
                None => denied(),
            }),
            // A rule that fails has not said no: the person may try again, and the proof is kept.
            Err(()) => Err(Rejection::new(RejectionKind::ProviderUnavailable)),
        }
    }
}
