//! The session cookie for several subdomains.

use url::{Host, Url};

use super::Builder;
use crate::{email, error::ConfigError, site::public_url::PublicUrl};

impl Builder {
    /// Has browsers send the session cookie to every host of a domain: to `app.example.com` and
    /// `reports.example.com`, for `example.com`. Default: to the public URL's host alone.
    ///
    /// It is the public URL's host or a parent of it, of two labels at least, and no public suffix:
    /// browsers drop a cookie for `co.uk`, and the form says so to whoever signs in. The sibling
    /// hosts read the session by layers, or [`forward_auth`](crate::MagicLinkLayer::forward_auth),
    /// with the same keys, public URL, cookie name, domain and lifetimes, and one revocation store
    /// for all.
    ///
    /// Signing in happens where a layer serves `/auth`, and the sign-in's own cookies stay with
    /// that host; the mailed links lead to the public URL in any case. `forward_auth` sends people
    /// to the public URL. A layer on a sibling host sends people to its own form on that host. The
    /// mailed link then opens as if in another browser, and the person ends up at the public URL's
    /// host. If a sibling should have no sign-in of its own, let the proxy in front of it redirect
    /// its `/auth` to the public URL's. An application that redirects to another host of the domain
    /// right after a sign-in names that origin by
    /// [`PageSources::form_target`](crate::page::PageSources::form_target).
    ///
    /// This has a price. The cookie is `__Secure-NAME` instead of `__Host-NAME`, so browsers send
    /// it to every host of the domain. Any of these hosts, or an attacker who takes one over, can
    /// set or remove it. They can sign a person in as somebody else (so key what matters on the
    /// subject, and show who is signed in), and keep them out: a second cookie of this name, with
    /// another domain or path, is refused as a conflict, and the layer cannot remove it. Signing
    /// out then ends the session of each of them, 16 at most. Use this only if you trust every host
    /// of the domain.
    ///
    /// When it is switched on, people sign in once more: the `__Host-NAME` cookie of before is not
    /// read, is kept from the inner service where identities are forwarded, and is removed when its
    /// browser signs in or out. When it is switched off, the `__Secure-NAME` cookie ends with its
    /// time. A change from one domain to another needs another [`Builder::cookie_name`] with it:
    /// else browsers keep two cookies of one name, and are refused for it.
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
        let Some(domain) = email::domain_name(given) else {
            return refuse("is no domain of two labels or more, such as example.com");
        };
        let url = Url::parse(public_url.origin()).ok();
        let Some(Host::Domain(host)) = url.as_ref().and_then(Url::host) else {
            return refuse("needs a public_url with a host name: addresses have no subdomains");
        };
        if !public_url.is_secure() || host == "localhost" || host.ends_with(".localhost") {
            return refuse("needs a public_url that is https, and not on loopback");
        }
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
            (APP, "", "is no domain"),
            (APP, "com", "is no domain"),
            (APP, "localhost", "is no domain"),
            (APP, ".example.com", "is no domain"),
            (APP, "example.com.", "is no domain"),
            (APP, "*.example.com", "is no domain"),
            (APP, "example.com; Secure", "is no domain"),
            (APP, "https://example.com", "is no domain"),
            (APP, "example.com:443", "is no domain"),
            (APP, "192.0.2.1", "is no domain"),
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
