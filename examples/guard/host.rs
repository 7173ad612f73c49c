//! The host that a request names: one, well-formed, and the same wherever it stands.
//!
//! - Two `Host` fields, a malformed one, none in HTTP/1.1, or no host at all in HTTP/2 is 400
//!   (RFC 9112, section 3.2).
//! - An absolute-form target and HTTP/2's `:authority` name the host. A `Host` field beside them
//!   must agree (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1).
//! - What comes behind this check reads the host in `Host` alone.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, StatusCode, Version, header::HOST, uri::Authority};

/// Refuses a request that names its host in two ways.
pub(super) async fn check(mut request: Request, next: Next) -> Result<Response, StatusCode> {
    if let Some(host) = host_of(&request).ok_or(StatusCode::BAD_REQUEST)? {
        request.headers_mut().insert(HOST, host);
    }
    Ok(next.run(request).await)
}

/// Returns the host, which only HTTP/1.0 may leave out, or `None` if the request is to be refused.
fn host_of(request: &Request) -> Option<Option<HeaderValue>> {
    let mut fields = request.headers().get_all(HOST).iter();
    let field = match fields.next() {
        Some(field) => Some(authority(field)?),
        None => None,
    };
    if fields.next().is_some() {
        return None;
    }
    let target = request.uri().authority().cloned();
    if target.as_ref().is_some_and(has_user) {
        return None;
    }
    let host = match (target, field) {
        // Authorities are compared without regard to case.
        (Some(target), Some(field)) if target != field => return None,
        (Some(_), None) if request.version() == Version::HTTP_11 => return None,
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) if request.version() <= Version::HTTP_10 => return Some(None),
        (None, None) => return None,
    };
    HeaderValue::from_str(host.as_str()).ok().map(Some)
}

/// Reads a host and its optional port.
pub(super) fn authority(value: &HeaderValue) -> Option<Authority> {
    let authority = Authority::try_from(value.as_bytes()).ok()?;
    Some(authority).filter(|authority| !has_user(authority) && !authority.host().is_empty())
}

fn has_user(authority: &Authority) -> bool {
    authority.as_str().contains('@')
}
