//! The redirect to the form of a request without a session: what a stranger can ask for most often.
//!
//! - Its fields but `Location` are the same each time. They are made once, and copied: to write
//!   them anew takes twice as long.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

use crate::{ascii, gate::Credentials, shared::Shared};

/// Returns the fields of such a redirect, with a place for its `Location`.
pub(crate) fn fields(credentials: Credentials) -> HeaderMap {
    let mut fields = super::redirect("/").into_parts().0.headers;
    fields.append(header::VARY, credentials.vary());
    fields
}

/// Redirects to the form.
pub(super) fn redirect(shared: &Shared, location: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let mut fields = shared.redirect_fields.clone();
    // It takes the place that is kept for it, so that the copy needs no more room.
    fields.insert(header::LOCATION, ascii::header_value(location));
    *response.headers_mut() = fields;
    response
}
