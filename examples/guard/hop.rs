//! The fields of a single connection, which a proxy does not hand on (RFC 9110, section 7.6.1).
//!
//! - They are removed, and so is what `Connection` names. Of an upgrade the wish goes on, for the
//!   tunnel; the layer has left no other than a WebSocket's.
//! - `TE: trailers` goes on where the client's own connection carries it properly: gRPC asks for
//!   it. What a client writes behind its body does not: `Trailer` is removed, and `upload` ends the
//!   body there. A response's trailers go on.
//! - `Via` says that the message came through here (section 7.6.3).
//! - A body without a length goes on in chunks, whatever the method.
//! - HTTP/2 may split `Cookie` over several fields. They are joined (RFC 9113, section 8.2.3).

use axum::body::HttpBody;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version, header::*};

/// What a connection keeps for itself. `Upgrade` is one of them, and is dealt with apart.
const HOP_BY_HOP: [HeaderName; 5] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
];

/// Makes the fields of a request from a connection of this version those of the next connection,
/// which is of another.
pub(super) fn request(headers: &mut HeaderMap, version: Version, next: Version) {
    let takes_trailers = members(headers, TE).any(|member| member == b"trailers")
        // HTTP/2 has no `Connection`. In HTTP/1.1 a field that it does not name is sent in error
        // (RFC 9110, section 10.1.4).
        && (version == Version::HTTP_2 || members(headers, CONNECTION).any(|name| name == b"te"));
    let upgrade = remove(headers);
    headers.remove(TRAILER);
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if next != Version::HTTP_2 {
            headers.append(CONNECTION, HeaderValue::from_static("te"));
        }
    }
    keep(headers, upgrade);
    add_via(headers, version);
    join_cookies(headers);
}

/// Says on a connection of HTTP/1.1 that a body without a length comes in chunks. Of a GET and a
/// HEAD that do not say so, hyper sends no body at all. With an upgrade no such body goes on: the
/// handshake of a WebSocket has none (RFC 6455, section 4.1).
pub(super) fn chunk(request: &mut Request<impl HttpBody>) {
    let body = request.body();
    let has_length = body.is_end_stream() || body.size_hint().exact().is_some();
    let headers = request.headers_mut();
    if !has_length && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(UPGRADE) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Makes the fields of a response from a connection of this version those of the next connection.
pub(super) fn response(headers: &mut HeaderMap, version: Version) {
    let upgrade = remove(headers);
    keep(headers, upgrade);
    add_via(headers, version);
}

/// Removes the fields of the connection, and returns its upgrade.
fn remove(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let named = members(headers, CONNECTION);
    let named: Vec<_> = named
        .filter_map(|name| HeaderName::from_bytes(&name).ok())
        .collect();
    let upgrade = headers.remove(UPGRADE).filter(|_| named.contains(&UPGRADE));
    for name in named.into_iter().chain(HOP_BY_HOP) {
        // Of the host there is one for every recipient.
        if name != HOST {
            headers.remove(name);
        }
    }
    upgrade
}

fn keep(headers: &mut HeaderMap, upgrade: Option<HeaderValue>) {
    if let Some(upgrade) = upgrade {
        headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, upgrade);
    }
}

/// Returns the members of a list in lower case, without their parameters.
fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Vec<u8>> {
    let fields = headers.get_all(name).into_iter();
    let members = fields.flat_map(|list| list.as_bytes().split(|b| *b == b','));
    let names = members.filter_map(|member| member.split(|b| *b == b';').next());
    names.map(|name| name.trim_ascii().to_ascii_lowercase())
}

fn add_via(headers: &mut HeaderMap, version: Version) {
    let via = match version {
        Version::HTTP_2 => "2.0 guard",
        Version::HTTP_11 => "1.1 guard",
        _ => "1.0 guard",
    };
    headers.append(VIA, HeaderValue::from_static(via));
}

fn join_cookies(headers: &mut HeaderMap) {
    let fields: Vec<_> = headers.get_all(COOKIE).iter().collect();
    if fields.len() < 2 {
        return;
    }
    let joined = fields
        .into_iter()
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(&b"; "[..]);
    if let Ok(mut joined) = HeaderValue::from_bytes(&joined) {
        joined.set_sensitive(true);
        headers.insert(COOKIE, joined);
    }
}
