//! Guesses why a request lacks a cookie that we set in an earlier step. Only the text of the page
//! and the event depend on it.
//!
//! Nothing is stored of whom we gave a cookie, so a client that never had it looks the same.
//!
//! 1. The browser came to another host than that of `public_url`, to which the cookie belongs.
//! 2. The browser came over `http`, and the cookie is `Secure`. Browsers send no `Sec-Fetch-Site`
//!    over plain http (Fetch Metadata, section 2).
//! 3. Otherwise the browser blocks cookies.

use crate::{
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    site::public_url::PublicUrl,
};

/// Returns the rejection of a request that lacks the cookie.
pub(crate) fn rejection(head: &RequestHead<'_>, public_url: &PublicUrl, name: &str) -> Rejection {
    Rejection::new(likeliest(head, public_url)).with_cookie(name, public_url.origin())
}

/// Says why the cookie is most likely missing.
fn likeliest(head: &RequestHead<'_>, public_url: &PublicUrl) -> RejectionKind {
    if is_elsewhere(head, public_url) {
        RejectionKind::OtherHost
    } else if public_url.is_secure() && is_plain(head) {
        RejectionKind::InsecureConnection
    } else {
        RejectionKind::CookiesBlocked
    }
}

fn is_elsewhere(head: &RequestHead<'_>, public_url: &PublicUrl) -> bool {
    // Without a host, nothing is known.
    head.host()
        .is_some_and(|host| public_url.is_other_than(host))
}

fn is_plain(head: &RequestHead<'_>) -> bool {
    let headers = head.headers();
    // No proxy has to be trusted for this: a forged value changes the sender's own page, and what
    // the event of it says is likely.
    let forwarded = headers.get("x-forwarded-proto");
    forwarded.is_some_and(|scheme| scheme == "http") || !headers.contains_key("sec-fetch-site")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn the_likeliest_reason_is_told() {
        let https = "https://app.example.com";
        let http = "http://127.0.0.1:3000";
        let right = ("host", "app.example.com");
        let fetched = ("sec-fetch-site", "same-origin");
        type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], RejectionKind);
        let cases: [Case<'_>; 9] = [
            (
                "all is well but the cookie",
                https,
                &[right, fetched],
                RejectionKind::CookiesBlocked,
            ),
            (
                "the port is said",
                https,
                &[("host", "APP.example.com:443"), fetched],
                RejectionKind::CookiesBlocked,
            ),
            (
                "another host",
                https,
                &[("host", "www.example.com"), fetched],
                RejectionKind::OtherHost,
            ),
            (
                "another port",
                https,
                &[("host", "app.example.com:8443"), fetched],
                RejectionKind::OtherHost,
            ),
            (
                "another host by http",
                https,
                &[("host", "www.example.com")],
                RejectionKind::OtherHost,
            ),
            (
                "plain http",
                https,
                &[right],
                RejectionKind::InsecureConnection,
            ),
            (
                "a proxy says http",
                https,
                &[right, fetched, ("x-forwarded-proto", "http")],
                RejectionKind::InsecureConnection,
            ),
            (
                "http is what is wanted",
                http,
                &[("host", "127.0.0.1:3000")],
                RejectionKind::CookiesBlocked,
            ),
            (
                "no host, or none that is one",
                https,
                &[("host", "a b"), fetched],
                RejectionKind::CookiesBlocked,
            ),
        ];
        for (name, public_url, fields, want) in cases {
            let mut request = Request::builder().uri("/auth/check");
            for (field, value) in fields {
                request = request.header(*field, *value);
            }
            let request = request.body(()).unwrap();
            let public_url = PublicUrl::parse(public_url).unwrap();
            let got = likeliest(&RequestHead::of(&request), &public_url);
            assert_eq!(got, want, "{name}");
        }
    }
}
