//! Where the link that we mail lands: our link, with the provider's inside.

use bytes::Bytes;
use http::{Method, Response};
use url::{Origin, Url};

use super::{Step, attempt::Attempt};
use crate::{
    answer::redirect,
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
};

impl Step {
    /// GET: hands the browser that began the sign-in on to the provider. Any other uses nothing up before it has answered, by POST.
    pub(super) async fn open(&self) -> Response<Bytes> {
        let attempt = match self.attempt_in_query(Purpose::Open) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return self.refuse(RejectionKind::Malformed),
            Err(kind) => return self.refuse(kind),
        };
        if let Some(response) = self.too_late(&attempt) {
            return response;
        }
        // Parsed again: what another version of the layer has sealed need not be a URL.
        let Ok(link) = Url::parse(&attempt.link) else {
            return self.refuse(RejectionKind::ProviderFailed);
        };
        if self.may_finish(&attempt) {
            return redirect(link.as_str());
        }
        // The link to an application has no origin that a browser compares with.
        let origin = Some(link.origin()).filter(Origin::is_tuple);
        let origin = origin.map(|origin| origin.ascii_serialization());
        if self.parts.method != Method::POST {
            return self.show_elsewhere(&attempt, origin.as_deref(), None);
        }
        match self.answer_elsewhere(&attempt, origin.as_deref()).await {
            Ok(leave) => {
                let mut response = redirect(link.as_str());
                leave.keep(&mut response);
                response
            }
            Err(response) => *response,
        }
    }

    fn too_late(&self, attempt: &Attempt) -> Option<Response<Bytes>> {
        if !attempt.is_over(self.flow.link_lifetime, self.now) {
            return None;
        }
        let kind = match attempt.is_ahead(self.now) {
            true => RejectionKind::ClockWrong,
            false => RejectionKind::LinkExpired,
        };
        let is_ours = self.is_ours(attempt);
        Some(self.answer(Rejection::new(kind), Some(attempt).filter(|_| is_ours)))
    }
}
