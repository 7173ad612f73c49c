//! Where the link that we mail lands: our link, with the provider's inside.

use bytes::Bytes;
use http::{Method, Response};
use url::{Origin, Url};

use super::{attempt::Attempt, browser, elsewhere, refusal, sealed, step::Step};
use crate::{
    answer::redirect,
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
};

/// GET: hands the browser that began the sign-in on to the provider. Any other uses nothing up
/// before it has answered, by POST.
pub(super) async fn open(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_query(step, Purpose::Open) {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return refusal::refuse(step, RejectionKind::Malformed),
        Err(kind) => return refusal::refuse(step, kind),
    };
    if let Some(response) = too_late(step, &attempt) {
        return response;
    }
    // Parsed again: what another version of the layer has sealed need not be a URL.
    let Ok(link) = Url::parse(&attempt.link) else {
        return refusal::refuse(step, RejectionKind::ProviderFailed);
    };
    if browser::may_finish(step, &attempt) {
        return redirect(link.as_str());
    }
    // The link to an application has no origin that a browser compares with.
    let origin = Some(link.origin()).filter(Origin::is_tuple);
    let origin = origin.map(|origin| origin.ascii_serialization());
    if step.parts.method != Method::POST {
        return elsewhere::show_elsewhere(step, &attempt, origin.as_deref(), None);
    }
    match elsewhere::answer_elsewhere(step, &attempt, origin.as_deref()).await {
        Ok(leave) => {
            let mut response = redirect(link.as_str());
            leave.keep(&mut response);
            response
        }
        Err(response) => *response,
    }
}

fn too_late(step: &Step, attempt: &Attempt) -> Option<Response<Bytes>> {
    if !attempt.is_over(step.flow.link_lifetime, step.now) {
        return None;
    }
    let kind = match attempt.is_ahead(step.now) {
        true => RejectionKind::ClockWrong,
        false => RejectionKind::LinkExpired,
    };
    let is_ours = browser::is_ours(step, attempt);
    Some(refusal::answer(
        step,
        Rejection::new(kind),
        Some(attempt).filter(|_| is_ours),
    ))
}
