//! The cookies that a browser keeps (draft-ietf-httpbis-rfc6265bis, sections 5.5 to 5.8).

use std::fmt;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, header};
use url::{Host, Url};

use super::navigation::{Initiator, Navigation};
use crate::clock::Timestamp;

/// A browser drops a cookie whose name and value together are longer.
const LONGEST: usize = 4_096;

/// The cookies of one host, oldest first.
#[derive(Clone, Default)]
pub(super) struct CookieStore(Vec<Kept>);

#[derive(Clone)]
struct Kept {
    name: String,
    value: String,
    /// `None`: only this host gets the cookie.
    domain: Option<String>,
    /// `None`: it ends when the browser closes.
    ends_at: Option<Timestamp>,
    is_secure: bool,
    is_strict: bool,
    path: String,
}

impl CookieStore {
    /// Keeps the cookies that a response sets, and removes those that it removes.
    pub(super) fn keep(&mut self, headers: &HeaderMap, url: &Url, now: Timestamp) {
        for field in headers.get_all(header::SET_COOKIE) {
            let cookie = field
                .to_str()
                .ok()
                .and_then(|text| Cookie::parse(text).ok());
            if let Some(kept) = cookie.and_then(|cookie| Kept::of(&cookie, url, now)) {
                self.put(kept, now);
            }
        }
    }

    fn put(&mut self, kept: Kept, now: Timestamp) {
        let place = self.0.iter().position(|old| old.is_replaced_by(&kept));
        match (place, kept.has_ended(now)) {
            (Some(place), true) => drop(self.0.remove(place)),
            (None, true) => {}
            (None, false) => self.0.push(kept),
            // It stays where it is in the order.
            (Some(place), false) => {
                if let Some(old) = self.0.get_mut(place) {
                    *old = kept;
                }
            }
        }
    }

    /// Returns the `Cookie` field of a request.
    pub(super) fn sent_with(&self, navigation: &Navigation, now: Timestamp) -> Option<String> {
        let url = navigation.url();
        let is_same_site = navigation.initiator() != Initiator::OtherSite;
        let mut sent: Vec<_> = self
            .0
            .iter()
            .filter(|kept| !kept.has_ended(now))
            .filter(|kept| !kept.is_secure || url.scheme() == "https")
            .filter(|kept| !kept.is_strict || is_same_site)
            .filter(|kept| is_below(url.path(), &kept.path))
            .collect();
        // The longest path goes first.
        sent.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<_> = sent
            .into_iter()
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(super) fn value(&self, name: &str, now: Timestamp) -> Option<&str> {
        let mut live = self.0.iter().filter(|kept| !kept.has_ended(now));
        let found = live.find(|kept| kept.name == name)?;
        Some(&found.value)
    }

    /// Removes the session cookies.
    pub(super) fn end_session(&mut self) {
        self.0.retain(|kept| kept.ends_at.is_some());
    }
}

impl Kept {
    /// Returns the cookie as a browser keeps it, or `None` if a browser drops it.
    fn of(cookie: &Cookie<'_>, url: &Url, now: Timestamp) -> Option<Self> {
        let path = cookie.path().filter(|path| path.starts_with('/'));
        let domain = cookie.domain().filter(|domain| !domain.is_empty());
        let (name, value) = cookie.name_value();
        let is_secure = cookie.secure().unwrap_or(false);
        let has_prefix = |prefix: &str| {
            let start = name.get(..prefix.len());
            // Browsers match the prefixes without case.
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        // As strict as a real browser, so that a cookie that would be lost there is lost in a test.
        let is_dropped = name.len().saturating_add(value.len()) > LONGEST
            || (is_secure && url.scheme() != "https")
            || (has_prefix("__Secure-") && !is_secure)
            || (has_prefix("__Host-") && (!is_secure || path != Some("/") || domain.is_some()))
            || domain.is_some_and(|domain| !is_within(url, domain));
        (!is_dropped).then(|| Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: domain.map(str::to_ascii_lowercase),
            ends_at: end_of(cookie, now),
            is_secure,
            is_strict: cookie.same_site() == Some(SameSite::Strict),
            path: path.map_or_else(|| default_path(url), str::to_owned),
        })
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    fn is_replaced_by(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }
}

/// Prints the names alone.
impl fmt::Debug for CookieStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|kept| &kept.name))
            .finish()
    }
}

/// `Max-Age` goes before `Expires`.
fn end_of(cookie: &Cookie<'_>, now: Timestamp) -> Option<Timestamp> {
    if let Some(age) = cookie.max_age() {
        let seconds = u64::try_from(age.whole_seconds()).unwrap_or_default();
        return Some(now + std::time::Duration::from_secs(seconds));
    }
    let end = cookie.expires_datetime()?.unix_timestamp();
    Some(Timestamp::from_secs(u64::try_from(end).unwrap_or_default()))
}

/// Section 5.1.3: the host itself, or a host of the domain. An address is no such host.
fn is_within(url: &Url, domain: &str) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return url.host_str() == Some(domain);
    };
    let domain = domain.to_ascii_lowercase();
    host.strip_suffix(&domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Section 5.1.4: a path is below itself, and below each of its folders.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

/// Section 5.1.4: the folder of the address.
fn default_path(url: &Url) -> String {
    match url.path().rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder.to_owned(),
        _ => "/".to_owned(),
    }
}
