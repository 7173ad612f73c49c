//! What a browser says of its request: Fetch Metadata, and what stands in for it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{accept, names};

/// Says whether a person will see the response. Fetch metadata wins over `Accept`, which scripts
/// can set.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    // A service worker that makes a request of a page's anew does not send the mode `navigate`: no
    // script can (Fetch, the Request constructor, step 13). It keeps the page's `Accept`, which
    // names HTML. In the mode `cors` scripts do the same for a part of a page. Browsers alone send
    // `Upgrade-Insecure-Requests`, and for pages alone.
    let is_of_page = || {
        said(headers, &header::UPGRADE_INSECURE_REQUESTS, |value| {
            value == "1"
        })
    };
    let may_relay = |mode: &HeaderValue| {
        mode == "same-origin" || (mode == "cors" && is_of_page() == Some(true))
    };
    let navigates = |mode: &HeaderValue| {
        mode == "navigate" || (may_relay(mode) && accept::prefers_page(headers))
    };
    let is_shown = |destination: &HeaderValue| {
        let frames = ["document", "embed", "frame", "iframe", "object"];
        frames.into_iter().any(|frame| destination == frame)
    };
    // No script can set a field that begins with `Sec-` (Fetch, "forbidden request-header").
    said(headers, &names::SEC_FETCH_MODE, navigates)
        .or_else(|| said(headers, &names::SEC_FETCH_DEST, is_shown))
        .unwrap_or_else(|| accept::prefers_page(headers))
}

/// Says whether every field of a name passes. `None` if there is no such field.
pub(super) fn said(
    headers: &HeaderMap,
    name: &HeaderName,
    passes: impl Fn(&HeaderValue) -> bool,
) -> Option<bool> {
    let mut fields = headers.get_all(name).iter().peekable();
    fields.peek()?;
    Some(fields.all(passes))
}
