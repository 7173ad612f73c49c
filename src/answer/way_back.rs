//! Where a page of ours leads back to.

use crate::{
    request::head::RequestHead,
    shared::Shared,
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

/// Returns the way back to the link that a request came by, or to the field for the code: nothing
/// has used them up. By GET it does nothing that the link would not.
pub(crate) fn proof_again(shared: &Shared, head: &RequestHead<'_>) -> Option<String> {
    let gate = &shared.gate;
    let query = head.original_uri().query()?;
    let back = match gate.endpoint(head)? {
        Endpoint::Code => Endpoint::Check,
        link @ (Endpoint::Callback | Endpoint::Open) => link,
        _ => return None,
    };
    Some(format!("{}?{query}", gate.path(back)))
}

/// Returns the page that htmx drives, as it names it: one on our own origin, without the fragment.
pub(crate) fn driven_page(shared: &Shared, head: &RequestHead<'_>) -> Option<ReturnTo> {
    let gate = &shared.gate;
    let url = head.headers().get("hx-current-url")?.to_str().ok()?;
    let page = url.strip_prefix(gate.public_url.origin())?;
    ReturnTo::parse(page.split('#').next().unwrap_or_default(), &gate.mount)
}
