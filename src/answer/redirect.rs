//! The one kind of redirect that the layer answers with, and what an answer to HEAD leaves out.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};

/// Redirects by 303: the next request is a GET without the body of this one (RFC 9700, section
/// 4.12).
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

/// Takes the body off an answer to HEAD; its length stays in the head (RFC 9110, section 9.3.2).
///
/// hyper does the same over HTTP/1.1. Over HTTP/2 it would send the body, and the client would take
/// that for a broken stream.
pub(crate) fn answer_to(method: &Method, mut response: Response<Bytes>) -> Response<Bytes> {
    if method == Method::HEAD && !response.body().is_empty() {
        let body = std::mem::take(response.body_mut());
        let length = HeaderValue::from(body.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
    }
    response
}
