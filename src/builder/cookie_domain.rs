//! The session cookie for several subdomains.

use url::{Host, Url};

use super::Builder;
use crate::{email, error::ConfigError, site::public_url::PublicUrl};

impl Builder {
    /// Makes browsers send the session cookie to every host of a domain. Default: only to the
    /// public URL's host.
    ///
    /// With `example.com`, browsers send it to `app.example.com` and `reports.example.com`. The
    /// domain is the public URL's host or a parent of it. It has at least two labels, and is not a
    /// public suffix: browsers drop a cookie for `co.uk`, and the form then says so. The sibling
    /// hosts read the session through layers of their own, or through
    /// [`forward_auth`](crate::MagicLinkLayer::forward_auth). They need the same keys, public URL,
    /// cookie name, domain and lifetimes, and one shared revocation store.
    ///
    /// A person signs in on a host where a layer serves `/auth`, and the sign-in's own cookies stay
    /// on that host. The mailed links always lead to the public URL. `forward_auth` sends people to
    /// the public URL. A layer on a sibling host sends people to its own form on that host. The
    /// mailed link then opens as if in another browser, and the person ends up at the public URL's
    /// host. If a sibling should have no sign-in of its own, let the proxy in front of it redirect
    /// its `/auth` to the public URL's. If the application redirects to another host of the domain
    /// right after a sign-in, name that origin with
    /// [`PageSources::form_target`](crate::page::PageSources::form_target).
    ///
    /// This has a price. The cookie is `__Secure-NAME` instead of `__Host-NAME`, so browsers send
    /// it to every host of the domain. Any of these hosts, or an attacker who takes one over, can
    /// set or remove it. Such a host can sign a person in as someone else. So key important data on
    /// the subject, and show people the address that they are signed in with. Such a host can also
    /// lock a person out: the layer refuses a second cookie of this name, with another domain or
    /// path, as a conflict, and cannot remove it. Signing out then ends the session of each of
    /// them. If there are more than 16, it ends none. Use this only if you trust every host of the
    /// domain.
    ///
    /// After you switch it on, everyone has to sign in again. The layer does not read the old
    /// `__Host-NAME` cookie, hides it from the inner service with [`Builder::forward_identity`],
    /// and removes it when its browser signs in or out at the layer's own endpoints on that host. A
    /// [`SessionIssuer`](crate::companion::SessionIssuer) does not. The session in it lasts to its
    /// end, so do not switch back before that. After you switch it off, the
    /// `__Secure-NAME` cookie stays until it expires. If you change one domain to another, change
    /// [`Builder::cookie_name`] too. Otherwise browsers keep two cookies of one name, and the layer
    /// refuses them.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.public_url("https://login.example.com").cookie_domain("example.com")
    /// # }
    /// ```
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.cookie_domain = Some(domain.into());
        self
    }

    /// Returns the domain as browsers compare it.
    pub(super) fn validate_cookie_domain(
        &self,
        public_url: &PublicUrl,
    ) -> Result<Option<String>, ConfigError> {
        let Some(given) = self.cookie_domain.as_deref() else {
            return Ok(None);
        };
        let refuse = |problem| Err(ConfigError::invalid("cookie_domain", given, problem));
        // One label would be a public suffix such as `com`, for which browsers drop cookies. Longer
        // suffixes such as `co.uk` are dropped by the browser too, and then the first sign-in says
        // so.
        let Some(domain) = email::domain_name(given) else {
            return refuse("is not a domain of two labels or more, such as example.com");
        };
        let url = Url::parse(public_url.origin()).ok();
        let Some(Host::Domain(host)) = url.as_ref().and_then(Url::host) else {
            return refuse("needs a public_url with a host name: addresses have no subdomains");
        };
        // `__Secure-` needs https, and a cookie for `localhost` as a domain is dropped by browsers.
        if !public_url.is_secure() || host == "localhost" || host.ends_with(".localhost") {
            return refuse("needs a public_url that is https, and not on loopback");
        }
        // Whole labels: `badexample.com` ends in `example.com` and is no subdomain of it.
        let parent = host.strip_suffix(&domain);
        if !parent.is_some_and(|left| left.is_empty() || left.ends_with('.')) {
            return refuse("must be the host of public_url or a parent of it");
        }
        Ok(Some(domain))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        KeyRing, MagicLinkLayer, SigningKey, session::cookie::CookieName, testing::StubProvider,
    };

    fn name_of(public_url: &str, domain: &str) -> Result<String, String> {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(public_url)
            .cookie_domain(domain)
            .build()
            .map_err(|error| error.to_string())?;
        let cookies = &layer.shared().gate.cookies;
        let set = cookies.set(CookieName::Session, "x", None);
        Ok(set.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_public_urls_host_and_its_parents_are_taken() {
        let cases = [
            (
                "https://app.example.com",
                "app.example.com",
                "app.example.com",
            ),
            ("https://app.example.com", "example.com", "example.com"),
            ("https://app.example.com:8443", "Example.COM", "example.com"),
            (
                "https://a.b.example.co.uk",
                "b.example.co.uk",
                "b.example.co.uk",
            ),
            (
                "https://app.b\u{fc}cher.example",
                "b\u{fc}cher.example",
                "xn--bcher-kva.example",
            ),
        ];
        for (public_url, domain, want) in cases {
            let set = name_of(public_url, domain).unwrap();
            assert!(set.starts_with("__Secure-magic-link=x; "), "{set}");
            assert!(set.ends_with(&format!("; Path=/; Domain={want}")), "{set}");
        }
    }

    #[test]
    fn what_a_browser_would_drop_or_is_no_parent_is_refused_with_its_value() {
        const APP: &str = "https://app.example.com";
        let cases = [
            (APP, "", "is not a domain"),
            (APP, "com", "is not a domain"),
            (APP, "localhost", "is not a domain"),
            (APP, ".example.com", "is not a domain"),
            (APP, "example.com.", "is not a domain"),
            (APP, "*.example.com", "is not a domain"),
            (APP, "example.com; Secure", "is not a domain"),
            (APP, "https://example.com", "is not a domain"),
            (APP, "example.com:443", "is not a domain"),
            (APP, "192.0.2.1", "is not a domain"),
            (APP, "other.com", "a parent of it"),
            (APP, "ample.com", "a parent of it"),
            (APP, "www.example.com", "a parent of it"),
            (APP, "x.app.example.com", "a parent of it"),
            ("https://192.0.2.1", "example.com", "host name"),
            ("https://[2001:db8::1]", "example.com", "host name"),
            ("http://127.0.0.1:3000", "example.com", "host name"),
            ("http://localhost:3000", "example.com", "loopback"),
            ("https://localhost", "example.com", "loopback"),
            ("http://app.localhost", "app.localhost", "loopback"),
            ("https://app.localhost", "app.localhost", "loopback"),
        ];
        for (public_url, domain, want) in cases {
            let error = name_of(public_url, domain).unwrap_err();
            assert!(error.contains(want), "{public_url} {domain}: {error}");
            let begin = format!("cookie_domain {domain:?}");
            assert!(error.starts_with(&begin), "{public_url} {domain}: {error}");
        }
    }
}
