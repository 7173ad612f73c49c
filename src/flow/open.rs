//! The endpoint of the link that we mail, which has the provider's link or code sealed inside.

use bytes::Bytes;
use http::{Method, Response};
use url::{Origin, Url};

use super::{
    attempt::{Attempt, Leads},
    browser, elsewhere, finish, refusal, sealed,
    step::Step,
};
use crate::{
    answer::redirect,
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
    site::endpoint::Endpoint,
};

/// Redirects the browser that began the sign-in to the provider or to the callback, on GET. Any
/// other browser must first answer, by POST; until then nothing is used up.
pub(super) async fn open(step: &Step) -> Response<Bytes> {
    let attempt = match sealed::attempt_in_link(step) {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return refusal::refuse(step, RejectionKind::Malformed),
        Err(kind) => return refusal::refuse(step, kind),
    };
    let (lifetime, late) = (step.flow.link_lifetime, RejectionKind::LinkExpired);
    if let Some(kind) = attempt.over(lifetime, late, step.now) {
        return finish::too_late(step, &attempt, Rejection::new(kind)).await;
    }
    let Some((link, origin)) = leads_to(step, &attempt) else {
        return refusal::refuse(step, RejectionKind::ProviderFailed);
    };
    if browser::may_finish(step, &attempt) {
        return redirect(&link);
    }
    if step.parts.method != Method::POST {
        return elsewhere::show_elsewhere(step, &attempt, origin.as_deref(), None);
    }
    match elsewhere::answer_elsewhere(step, &attempt, origin.as_deref()).await {
        Ok(permit) => {
            let mut response = redirect(&link);
            permit.keep(&mut response);
            response
        }
        Err(response) => *response,
    }
}

/// Returns where the link leads, and the origin if that is not ours.
fn leads_to(step: &Step, attempt: &Attempt) -> Option<(String, Option<String>)> {
    if attempt.leads == Leads::ToCallback {
        // The state is sealed only now: a mail that holds it would be longer than mail takes.
        let (bare, nonce) = (attempt.with_link(""), crate::random::bytes());
        let (state, _) = sealed::seal_or_shorten(&step.flow, &bare, Purpose::State, nonce);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &attempt.link)
            .append_pair("state", &state)
            .finish();
        return Some((format!("{}?{query}", step.path(Endpoint::Callback)), None));
    }
    // Parsed again, because another version of the layer may have sealed something else than a URL.
    let link = Url::parse(&attempt.link).ok()?;
    // A link with an application's own scheme has no origin that a policy could name.
    let origin = Some(link.origin()).filter(Origin::is_tuple);
    let origin = origin.map(|origin| origin.ascii_serialization());
    // In the parsed form. What was sealed as text could read differently to a browser.
    Some((link.into(), origin))
}
