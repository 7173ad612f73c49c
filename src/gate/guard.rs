//! What guards the layer's own endpoints.
//!
//! 1. The method must be one of the endpoint's, and nothing is prefetched.
//! 2. A post comes from the own origin. The webhook is signed instead.

use super::Gate;
use crate::{
    clock::Timestamp,
    gate::lost_cookie,
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    session::cookie::Jar,
    site::endpoint::Endpoint,
};

impl Gate {
    /// Returns the endpoint that a request names. Without a secret there is no webhook, and its
    /// path is any other.
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
        // What comes there is signed. It comes from no browser, and so has no origin and no cookie
        // to show.
        if endpoint == Endpoint::Webhook {
            return Ok(());
        }
        if head.is_prefetch() {
            return Err(Rejection::new(RejectionKind::Prefetch));
        }
        let has_browser_cookie = || self.browser_cookie(head, now).is_some();
        if !head.is_safe() && head.is_cross_site(self.public_url.origin(), has_browser_cookie) {
            // A person whose browser drops our cookie has nothing else to show that the form was
            // ours.
            return Err(match head.wants_page() && head.is_silent_on_site() {
                true => {
                    let name = self.cookies.name(Jar::Browser);
                    lost_cookie::rejection(head, &self.public_url, name)
                }
                false => Rejection::new(RejectionKind::CrossSite),
            });
        }
        Ok(())
    }
}
