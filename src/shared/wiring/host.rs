//! A page that is shown at another host than the public URL's.
//!
//! - Hosts of the session cookie's domain have their own form on purpose.
//! - Behind trusted proxies, their word on the host counts: they may rewrite `Host`.

use super::{super::Shared, said::cleaned};
use crate::{
    request::{forwarded_host::forwarded_host, head::RequestHead},
    site::public_url::PublicUrl,
};

/// Warns once of a page that is shown at another host.
pub(super) fn look(shared: &Shared, head: &RequestHead<'_>) {
    let once = &shared.wiring.other_host;
    if once.is_said() || !head.wants_page() {
        return;
    }
    let public_url = &shared.gate.public_url;
    let stated = forwarded_host(head.headers()).filter(|_| !shared.proxies.is_empty());
    let Some(host) = stated.or(head.host()) else {
        return;
    };
    let is_ours = !public_url.is_other_than(host) || shared.gate.cookies.has_in_domain(host);
    if is_ours || !once.take() {
        return;
    }
    let origin = public_url.origin();
    let setting = match here(host, public_url) {
        Some(here) => format!("set .public_url(\"{here}\")"),
        None => "set public_url to the address that people use".to_owned(),
    };
    let proxy = match shared.proxies.is_empty() {
        true => "name the proxy in .trusted_proxies([…]), and have it send X-Forwarded-Host",
        false => "have the proxy send the browser's host in X-Forwarded-Host",
    };
    tracing::warn!(
        target: "tower_magic_link",
        host = cleaned(host),
        public_url = origin,
        "a page was shown at another host than public_url's. A sign-in that begins there does not \
         end there, because mailed links lead to public_url, and browsers send no cookie of one \
         host to another. Open {origin}, or {setting}. Behind a proxy that rewrites Host this is \
         normal: {proxy}"
    );
}

/// Returns the host as a public URL, if both are of this machine. Any other host may be a
/// stranger's, and is not to be copied into a setting.
fn here(host: &str, public_url: &PublicUrl) -> Option<String> {
    let (scheme, _) = public_url.origin().split_once("://")?;
    let here = PublicUrl::parse(&format!("{scheme}://{host}")).ok()?;
    (public_url.is_loopback() && here.is_loopback()).then(|| here.origin().to_owned())
}
