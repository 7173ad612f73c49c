//! The host that a request names: one, well-formed, and the same wherever it stands.
//!
//! - Two `Host` fields, a malformed one, none in HTTP/1.1, or no host at all in HTTP/2 is 400
//!   (RFC 9112, section 3.2).
//! - An absolute-form target and HTTP/2's `:authority` name the host. A `Host` field beside them
//!   must agree (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1).
//! - What comes behind this check reads the host in `Host` alone.
//!
//! [`Public`] are the hosts under which people know the service.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, StatusCode, Version, header::HOST, uri::Authority};
use url::Url;

/// The hosts under which people know the service: that of the public URL, and of a domain whose
/// hosts share its cookie.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    url: Url,
    domain: Option<String>,
}

impl Public {
    /// Reads `public_url` and `cookie_domain`. What they must not be, the layer refuses.
    pub(crate) fn of(url: &str, domain: Option<&str>) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let domain = domain.and_then(|domain| {
            let parsed = Url::parse(&format!("https://{}", domain.trim())).ok()?;
            parsed.host_str().map(str::to_owned)
        });
        Some(Self { url, domain })
    }

    /// Says whether people know this host.
    pub(super) fn has(&self, host: &HeaderValue) -> bool {
        let Some(host) = authority(host) else {
            return false;
        };
        // Parsed, so that capital letters or a default port do not make another host.
        let Ok(url) = Url::parse(&format!("{}://{host}", self.url.scheme())) else {
            return false;
        };
        let domain = self.domain.as_deref().zip(url.host_str());
        let is_in_domain = domain.is_some_and(|(domain, host)| {
            let parent = host.strip_suffix(domain);
            parent.is_some_and(|left| left.is_empty() || left.ends_with('.'))
        });
        url.origin() == self.url.origin() || is_in_domain
    }

    /// Returns the host of the public URL, with a port that is not the default.
    pub(super) fn own(&self) -> Option<HeaderValue> {
        let host = self.url.host_str()?;
        match self.url.port() {
            Some(port) => format!("{host}:{port}").parse().ok(),
            None => host.parse().ok(),
        }
    }
}

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
    if target.as_ref().is_some_and(|target| !is_one_host(target)) {
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
    Some(authority).filter(is_one_host)
}

/// Says whether an authority is one host, with or without a port. With a comma it would be one to
/// us, and two to those who read `X-Forwarded-Host` as a list.
fn is_one_host(authority: &Authority) -> bool {
    let host = authority.host();
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_address = host.starts_with('[');
    let has_user = authority.as_str().contains('@');
    !has_user && !host.is_empty() && (is_address || host.bytes().all(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_know_the_host_of_the_public_url_and_the_hosts_that_share_its_cookie() {
        let alone = Public::of("https://login.example.com", None).unwrap();
        let shared = Public::of("https://login.example.com", Some("Example.com")).unwrap();
        let cases = [
            ("login.example.com", true, true),
            ("Login.Example.com:443", true, true),
            ("login.example.com:8443", false, true),
            ("app.example.com", false, true),
            ("example.com", false, true),
            ("badexample.com", false, false),
            ("example.com.evil.example", false, false),
            ("eve@login.example.com", false, false),
            ("evil.example,a.example.com", false, false),
            ("evil.example;a.example.com", false, false),
            ("a/b", false, false),
            ("", false, false),
        ];
        for (host, want_alone, want_shared) in cases {
            let host = HeaderValue::from_static(host);
            let known = [&alone, &shared].map(|public| public.has(&host));
            assert_eq!(known, [want_alone, want_shared], "{host:?}");
        }
        assert_eq!(shared.own().unwrap(), "login.example.com");
        let local = Public::of("http://localhost:3000", None).unwrap();
        assert_eq!(local.own().unwrap(), "localhost:3000");
    }
}
