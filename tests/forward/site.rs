//! A layer to test in this process, and the spellings of our headers' names.

use http::{HeaderMap, Request, header};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SigningKey,
    testing::{ManualClock, StubProvider},
};

use crate::names::{ADA, ORIGIN};

pub(crate) const NAMES: [&str; 4] = [
    "x-auth-subject",
    "x-auth-email",
    "x-auth-organization",
    "x-auth-session",
];

/// In these another sign-in proxy named the person to the service, which may believe them still.
pub(crate) const FORMER: [&str; 12] = [
    "X-Auth-Decision",
    "X-Auth-Request-Access-Token",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-Redirect",
    "X-Auth-Request-User",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-User",
];

pub(crate) fn builder(clock: &ManualClock) -> Builder {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .public_path("/about")
        .clock(clock.clone())
}

/// Returns the cookie pair of a session that begins now.
pub(crate) fn cookie_of(layer: &MagicLinkLayer) -> (String, Session) {
    let mut request = Request::new(());
    let session = layer.sign_in(&mut request, ADA);
    let cookie = request.headers()[header::COOKIE].to_str().unwrap();
    (cookie.to_owned(), session)
}

/// Every way to write our names that some gateway makes the same variable of.
pub(crate) fn spellings() -> Vec<String> {
    let separators = ["-", "_", ".", "~", "+", "'"];
    let mut all = Vec::new();
    for name in NAMES {
        let words: Vec<_> = name.split('-').collect();
        for first in separators {
            for second in separators {
                let spelling = format!("{}{first}{}{second}{}", words[0], words[1], words[2]);
                all.push(spelling.to_uppercase());
                all.push(spelling);
            }
        }
    }
    all
}

/// Returns what a gateway (RFC 3875, section 4.1.18) tells a program of our four names.
pub(crate) fn as_gateway(headers: &HeaderMap) -> Vec<(String, String)> {
    let variable = |name: &str| {
        name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            .to_uppercase()
    };
    let mut seen: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            (
                variable(name.as_str()),
                value.to_str().unwrap_or("?").to_owned(),
            )
        })
        .filter(|(name, _)| NAMES.iter().any(|ours| variable(ours) == *name))
        .collect();
    seen.sort();
    seen
}

/// What a gateway is told of a session without an organization.
pub(crate) fn told(session: &Session) -> Vec<(String, String)> {
    [
        ("X_AUTH_EMAIL", session.email().to_owned()),
        ("X_AUTH_SESSION", session.id().to_string()),
        ("X_AUTH_SUBJECT", session.subject().to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
