//! Where a page of ours leads back to.

use http::{HeaderValue, header};

use crate::{
    request::{head::RequestHead, said::Said},
    shared::Shared,
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

/// Returns the way back to the link that a request came by, or to the field for the code: they are
/// not used up, or what they proved is kept. By GET it does nothing that the link would not.
pub(crate) fn proof_again(shared: &Shared, head: &RequestHead<'_>) -> Option<String> {
    let gate = &shared.gate;
    let query = head.original_uri().query()?;
    let back = match gate.endpoint(head)? {
        // By GET the form's own endpoint only redirects there.
        Endpoint::Code => Endpoint::Check,
        link @ (Endpoint::Callback | Endpoint::Open) => link,
        _ => return None,
    };
    Some(format!("{}?{query}", gate.path(back)))
}

/// Returns the page that a request was sent from, if it is one of our origin: where a person wants
/// to be after signing in. A worker's `Referer` is its script, which is no page.
pub(crate) fn page_before(shared: &Shared, head: &RequestHead<'_>) -> Option<ReturnTo> {
    // A hint from the browser, which decides nothing but where a link leads. It is parsed as any
    // way back.
    let mut fields = head.headers().get_all(header::REFERER).iter();
    match (fields.next(), fields.next()) {
        (Some(page), None) => of_our_origin(shared, page).filter(|page| !is_script(page)),
        _ => None,
    }
}

/// Returns the page of the form that a request sent. What a service worker sends in its place does
/// not name the page.
pub(crate) fn page_of_form(shared: &Shared, head: &RequestHead<'_>) -> Option<ReturnTo> {
    page_before(shared, head).filter(|_| !head.said().is_fetch())
}

fn is_script(page: &ReturnTo) -> bool {
    let path = page.as_str().split('?').next().unwrap_or_default();
    let ends = [".js", ".mjs", ".ts"];
    ends.iter().any(|end| path.ends_with(end))
}

/// Returns the page to come back to for a program that asks on behalf of one.
///
/// - htmx names the page, in `HX-Current-URL`.
/// - A script's request has a `Referer`. What it asks for is data, and no place to be.
/// - Any other program, such as one in a terminal, comes back to what it asked for by GET.
pub(crate) fn asking_page(
    shared: &Shared,
    head: &RequestHead<'_>,
    said: &Said<'_>,
) -> Option<ReturnTo> {
    if let Some(page) = said.htmx_page() {
        return of_our_origin(shared, page);
    }
    if said.is_of_browser() || said.htmx().is_some() {
        return page_before(shared, head);
    }
    shared.gate.return_to(head).filter(|_| head.is_safe())
}

/// Returns a URL's path and query, without its fragment, if it is of our own origin.
fn of_our_origin(shared: &Shared, url: &HeaderValue) -> Option<ReturnTo> {
    let gate = &shared.gate;
    let page = url.to_str().ok()?.strip_prefix(gate.public_url.origin())?;
    ReturnTo::parse(page.split('#').next().unwrap_or_default(), &gate.mount)
}
