//! The one kind of redirect that the layer answers with.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Redirects by 303: the next request is a GET without the body of this one (RFC 9700, section 4.12).
#[expect(
    clippy::expect_used,
    reason = "every location is made of parsed or encoded parts"
)]
pub(crate) fn redirect(location: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(location).expect("visible ASCII");
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
