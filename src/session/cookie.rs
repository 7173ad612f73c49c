//! Names, sets and removes the layer's cookies.
//!
//! - Names begin with `__Host-` (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2), which demands
//!   `Secure`, `Path=/` and no `Domain`, so that no sibling subdomain can plant one. On a
//!   plain-http loopback URL there is neither prefix nor `Secure`, because Safari drops such
//!   cookies there.
//! - With a domain, the session cookie is `__Secure-` and has `Domain`, which `__Host-` does not
//!   allow. The other cookies stay as they are.
//! - All have `HttpOnly` and `SameSite=Lax`. A Lax cookie arrives with the navigation from the
//!   mail, but with no cross-site POST.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::HeaderValue;

use crate::{ascii, site::public_url::Scheme};

/// The most octets of a cookie's name and value together: 4,096.
///
/// A browser drops a longer cookie (draft-ietf-httpbis-rfc6265bis, section 5.6).
pub(crate) const LONGEST: usize = 4_096;

/// The names of the layer's cookies, and whether they are `Secure`.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    session: String,
    arrived: String,
    browser: String,
    former: String,
    known: String,
    permit: String,
    return_to: String,
    scheme: Scheme,
    /// The domain of the session cookie. The others have none.
    domain: Option<String>,
    /// Made once for all responses, so that answering a stranger's forged cookie, or one of a
    /// session that has ended, costs little.
    removal: HeaderValue,
    arrived_removal: HeaderValue,
}

/// One of the layer's cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieName {
    /// Names the session that was given to the browser within the last minute. A browser that sends
    /// this cookie without the session cookie has dropped that one, unless the session was ended.
    Arrived,
    /// Binds a sign-in to the browser that began it.
    Browser,
    /// The session cookie's other name, which is never read.
    ///
    /// Without a domain it is the name that the cookie has with one, and the reverse.
    Former,
    /// The browser has signed in here before.
    Known,
    /// The permit of another browser to finish a sign-in.
    Permit,
    /// A return-to that is too long for the state.
    ReturnTo,
    /// The session token.
    Session,
}

impl CookieName {
    pub(crate) const ALL: [Self; 7] = [
        Self::Arrived,
        Self::Browser,
        Self::Former,
        Self::Known,
        Self::Permit,
        Self::ReturnTo,
        Self::Session,
    ];
}

impl Cookies {
    /// Makes the names from the base name: `NAME`, `NAME-browser` and so on, after `__Host-` if
    /// secure.
    ///
    /// With a domain, which only secure cookies have, the session cookie is `__Secure-NAME`.
    pub(crate) fn new(name: &str, scheme: Scheme, domain: Option<String>) -> Self {
        let prefix = match scheme {
            Scheme::Http => "",
            Scheme::Https => "__Host-",
        };
        let (host, wide) = (format!("{prefix}{name}"), format!("__Secure-{name}"));
        let (session, former) = match &domain {
            Some(_) => (wide, host),
            None => (host, wide),
        };
        let arrived = format!("{prefix}{name}-arrived");
        Self {
            removal: encode(&removed(&session, scheme, domain.as_deref())),
            arrived_removal: encode(&removed(&arrived, scheme, None)),
            session,
            former,
            domain,
            arrived,
            browser: format!("{prefix}{name}-browser"),
            known: format!("{prefix}{name}-known"),
            permit: format!("{prefix}{name}-pass"),
            return_to: format!("{prefix}{name}-return"),
            scheme,
        }
    }

    pub(crate) fn name(&self, of: CookieName) -> &str {
        match of {
            CookieName::Arrived => &self.arrived,
            CookieName::Browser => &self.browser,
            CookieName::Former => &self.former,
            CookieName::Known => &self.known,
            CookieName::Permit => &self.permit,
            CookieName::ReturnTo => &self.return_to,
            CookieName::Session => &self.session,
        }
    }

    /// Says whether browsers send the session cookie to a host because of the cookie's domain.
    pub(crate) fn has_in_domain(&self, host: &str) -> bool {
        let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
        self.domain.as_deref().is_some_and(|domain| {
            let before = name.strip_suffix(domain);
            // Whole labels: `badexample.com` is no subdomain of `example.com`.
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }

    /// Says whether browsers send the session cookie to other hosts of a domain, too.
    pub(crate) const fn has_domain(&self) -> bool {
        self.domain.is_some()
    }

    /// Says whether such a cookie is small enough for a browser to keep it.
    pub(crate) fn fits(&self, of: CookieName, value: &str) -> bool {
        self.name(of).len().saturating_add(value.len()) <= LONGEST
    }

    /// Returns the `Set-Cookie` value that keeps `value` for `max_age`, or until the browser
    /// closes.
    pub(crate) fn set(
        &self,
        of: CookieName,
        value: &str,
        max_age: impl Into<Option<Duration>>,
    ) -> HeaderValue {
        let secure = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "; Secure",
        };
        let domain = self.domain_of(of);
        let mut room = [0; 20];
        let (label, seconds) = match max_age.into() {
            Some(max_age) => ("; Max-Age=", ascii::decimal(max_age.as_secs(), &mut room)),
            None => ("", ""),
        };
        // As the crate `cookie` writes it, in one room of the right size.
        let parts = [
            self.name(of),
            "=",
            value,
            "; HttpOnly; SameSite=Lax",
            secure,
            "; Path=/",
            domain.map_or("", |_| "; Domain="),
            domain.unwrap_or_default(),
            label,
            seconds,
        ];
        sensitive(parts.concat())
    }

    /// Returns the cookie that keeps `value` for `max_age`, or until the browser closes.
    #[cfg(any(test, feature = "tower-cookies"))]
    pub(crate) fn kept<'c>(
        &'c self,
        of: CookieName,
        value: &'c str,
        max_age: impl Into<Option<Duration>>,
    ) -> Cookie<'c> {
        let mut cookie = bare(self.name(of), value, self.scheme, self.domain_of(of));
        if let Some(max_age) = max_age.into() {
            let max_age = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(max_age));
        }
        cookie
    }

    /// Returns the `Set-Cookie` value that removes the session cookie.
    pub(crate) fn removal(&self) -> HeaderValue {
        self.removal.clone()
    }

    /// Returns the `Set-Cookie` value that removes one of the cookies.
    pub(crate) fn removal_of(&self, of: CookieName) -> HeaderValue {
        match of {
            CookieName::Arrived => self.arrived_removal.clone(),
            CookieName::Session => self.removal(),
            _ => encode(&self.removed(of)),
        }
    }

    /// Returns a cookie that removes one of the cookies.
    pub(crate) fn removed(&self, of: CookieName) -> Cookie<'_> {
        removed(self.name(of), self.scheme, self.domain_of(of))
    }

    fn domain_of(&self, of: CookieName) -> Option<&str> {
        // The other cookies keep `__Host-`, because a sibling subdomain that plants one could have
        // a person finish an attacker's sign-in.
        self.domain.as_deref().filter(|_| of == CookieName::Session)
    }
}

/// Returns a cookie that removes the one with the same name, path and domain.
///
/// It removes no other (draft-ietf-httpbis-rfc6265bis, section 5.7).
fn removed<'c>(name: &'c str, scheme: Scheme, domain: Option<&'c str>) -> Cookie<'c> {
    let mut removal = bare(name, "", scheme, domain);
    removal.make_removal();
    // make_removal writes an Expires relative to the system clock. The epoch has the same effect,
    // and needs no clock.
    removal.set_expires(cookie::time::OffsetDateTime::UNIX_EPOCH);
    removal
}

fn bare<'c>(name: &'c str, value: &'c str, scheme: Scheme, domain: Option<&'c str>) -> Cookie<'c> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    // Strict would be withheld on the way back from the mail, which loops through the login form.
    // Without the attribute, some browsers send the cookie with cross-site POSTs for two minutes.
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(scheme == Scheme::Https);
    if let Some(domain) = domain {
        cookie.set_domain(domain);
    }
    cookie
}

fn encode(cookie: &Cookie<'_>) -> HeaderValue {
    sensitive(cookie.to_string())
}

fn sensitive(cookie: String) -> HeaderValue {
    // `build()` has checked the name; the value is base64url and dots.
    let mut value = ascii::header_value(cookie);
    // A sensitive value stays out of HPACK's shared table and out of Debug output.
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_set_as_the_crate_writes_it() {
        let ages = [None, Some(0), Some(86_400), Some(34_560_000)];
        for (scheme, domain) in [
            (Scheme::Https, None),
            (Scheme::Https, Some("example.com")),
            (Scheme::Http, None),
        ] {
            let cookies = Cookies::new("app", scheme, domain.map(str::to_owned));
            for (of, age) in CookieName::ALL
                .into_iter()
                .flat_map(|of| ages.map(|age| (of, age)))
            {
                let age = age.map(Duration::from_secs);
                let want = cookies.kept(of, "a.b-_c", age).to_string();
                assert_eq!(cookies.set(of, "a.b-_c", age), want);
            }
        }
    }

    #[test]
    fn cookies_carry_every_attribute_that_guards_them() {
        let hour = Duration::from_secs(3_600);
        let set = Cookies::new("app", Scheme::Https, None).set(CookieName::Session, "a.b.c", hour);
        assert_eq!(
            set,
            "__Host-app=a.b.c; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600"
        );
        let set = Cookies::new("app", Scheme::Http, None).set(CookieName::Browser, "x", hour);
        assert_eq!(
            set,
            "app-browser=x; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600"
        );
    }

    #[test]
    fn a_cookie_is_written_as_the_crate_that_fills_a_jar_writes_it() {
        let week = Duration::from_secs(604_800);
        for scheme in [Scheme::Http, Scheme::Https] {
            for domain in [None, Some("example.com".to_owned())] {
                let cookies = Cookies::new("app", scheme, domain);
                for of in CookieName::ALL {
                    for age in [None, Some(Duration::ZERO), Some(week)] {
                        let want = cookies.kept(of, "a.b-c_", age).to_string();
                        assert_eq!(cookies.set(of, "a.b-c_", age), want);
                    }
                }
            }
        }
    }

    #[test]
    fn a_cookie_fits_up_to_the_octet_at_which_a_browser_drops_it() {
        let cookies = Cookies::new("app", Scheme::Https, None);
        let room = 4_096 - "__Host-app".len();
        assert!(cookies.fits(CookieName::Session, &"x".repeat(room)));
        assert!(!cookies.fits(CookieName::Session, &"x".repeat(room + 1)));
        assert!(!cookies.fits(CookieName::Browser, &"x".repeat(room)));
    }

    #[test]
    fn removal_carries_the_same_attributes_and_a_past_end() {
        let removal = Cookies::new("app", Scheme::Https, None).removal();
        assert_eq!(
            removal,
            "__Host-app=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn with_a_domain_the_session_cookie_alone_has_it_and_its_removal_too() {
        let cookies = Cookies::new("app", Scheme::Https, Some("example.com".to_owned()));
        let hour = Duration::from_secs(3_600);
        let set = cookies.set(CookieName::Session, "a.b.c", hour);
        let want = "__Secure-app=a.b.c; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=3600";
        assert_eq!(set, want);
        let want = "__Secure-app=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0; \
                    Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(cookies.removal(), want);
        assert_eq!(cookies.removal_of(CookieName::Session), want);
        for of in CookieName::ALL {
            assert_eq!(
                cookies.removal_of(of),
                encode(&cookies.removed(of)),
                "{of:?}"
            );
        }
        for of in CookieName::ALL {
            let set = cookies.set(of, "x", hour);
            let set = set.to_str().unwrap();
            let is_wide = of == CookieName::Session;
            assert_eq!(set.starts_with("__Host-app"), !is_wide, "{set}");
            assert_eq!(set.contains("Domain"), is_wide, "{set}");
        }
        assert_eq!(cookies.name(CookieName::Former), "__Host-app");
    }

    #[test]
    fn a_cookie_without_a_lifetime_goes_with_the_browser() {
        let set = Cookies::new("app", Scheme::Https, None).set(CookieName::Session, "x", None);
        assert_eq!(set, "__Host-app=x; HttpOnly; SameSite=Lax; Secure; Path=/");
    }
}
