//! Where the link that we mail lands: our link, with the provider's inside.

use bytes::Bytes;
use http::Response;

use super::Step;
use crate::{
    rejection::{Rejection, RejectionKind, redirect},
    session::seal::Purpose,
};

impl Step {
    /// GET: hands the browser that began the sign-in on to the provider. Any other uses nothing up.
    pub(super) fn open(&self) -> Response<Bytes> {
        let attempt = match self.attempt_in_query(Purpose::Open) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return self.refuse(RejectionKind::Malformed),
            Err(kind) => return self.refuse(kind),
        };
        let is_ours = self.is_ours(&attempt);
        if attempt.is_over(self.shared.flow.link_lifetime, self.now) {
            let rejection = Rejection::new(RejectionKind::AttemptExpired);
            // The tail is the provider's link; as a way back it would not parse, and so is never offered.
            return self.answer(rejection, Some(&attempt).filter(|_| is_ours));
        }
        if !is_ours {
            return self.refuse(RejectionKind::AnotherBrowser);
        }
        redirect(&attempt.tail)
    }
}
