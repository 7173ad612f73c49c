//! The guard of the layer's own endpoints.
//!
//! 1. The method must be one of the endpoint's, and a prefetch is refused.
//! 2. A POST must come from the layer's own origin. The webhook's events are signed instead.

use super::Gate;
use crate::{
    clock::Timestamp,
    gate::lost_cookie,
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    session::cookie::CookieName,
    site::endpoint::Endpoint,
};

impl Gate {
    /// Returns the endpoint that a request names. Without a webhook secret, the webhook's path is
    /// an ordinary path.
    pub(crate) fn endpoint(&self, head: &RequestHead<'_>) -> Option<Endpoint> {
        let endpoint = Endpoint::named_by(head, &self.mount);
        endpoint.filter(|endpoint| self.takes_webhooks || *endpoint != Endpoint::Webhook)
    }

    pub(super) fn guard(
        &self,
        endpoint: Endpoint,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        if !endpoint.takes(head.method()) {
            return Err(Rejection::method_not_allowed(endpoint.allow()));
        }
        // An event is signed. It comes from no browser, so it has neither an origin nor a cookie.
        if endpoint == Endpoint::Webhook {
            return Ok(());
        }
        // A prefetch carries cookies, and nobody has clicked yet.
        if head.is_prefetch() {
            return Err(Rejection::new(RejectionKind::Prefetch));
        }
        let has_browser_cookie = || self.browser_cookie(head, now).is_some();
        if !head.is_safe() && head.is_cross_site(self.public_url.origin(), has_browser_cookie) {
            // Without `Sec-Fetch-Site` and an origin, our cookie alone can show that the form was
            // ours. If the browser dropped it, the page says so instead of naming another site.
            return Err(match head.wants_page() && head.is_silent_on_site() {
                true => {
                    let name = self.cookies.name(CookieName::Browser);
                    lost_cookie::rejection(head, &self.public_url, name)
                }
                false => Rejection::new(RejectionKind::CrossSite),
            });
        }
        Ok(())
    }
}
