//! The host that a browser asked for, by the word of the proxies in front.
//!
//! Nothing is decided by it. It only says in the log where a page was shown.

use http::{HeaderMap, HeaderValue, header};

/// Returns the host in the first element of `X-Forwarded-Host`, or else of `Forwarded` (RFC 7239,
/// section 5.3). The first is of the proxy next to the browser.
pub(crate) fn forwarded_host(headers: &HeaderMap) -> Option<&str> {
    let stated = first(headers.get("x-forwarded-host")).filter(|host| !host.is_empty());
    stated.or_else(|| {
        let pairs = first(headers.get(header::FORWARDED))?.split(';');
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        let (_, host) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("host"))?;
        Some(host.trim().trim_matches('"'))
    })
}

/// Returns the first element of a field.
fn first(value: Option<&HeaderValue>) -> Option<&str> {
    let text = value?.to_str().ok()?;
    text.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn the_host_is_of_the_first_proxy() {
        let (host, list) = ("x-forwarded-host", "forwarded");
        type Case<'c> = (&'c [(&'c str, &'c str)], Option<&'c str>);
        let cases: [Case<'_>; 8] = [
            (&[], None),
            (&[(host, "a.example")], Some("a.example")),
            (
                &[(host, "a.example:8443 , b.example")],
                Some("a.example:8443"),
            ),
            (
                &[(list, "for=192.0.2.1;Host=a.example;proto=https")],
                Some("a.example"),
            ),
            (
                &[(list, "host=\"a.example:8443\", host=b.example")],
                Some("a.example:8443"),
            ),
            (&[(list, "for=192.0.2.1, host=b.example")], None),
            (&[(host, ""), (list, "host=a.example")], Some("a.example")),
            (
                &[(host, "a.example"), (list, "host=b.example")],
                Some("a.example"),
            ),
        ];
        for (fields, want) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(forwarded_host(&headers), want, "{fields:?}");
        }
    }
}
