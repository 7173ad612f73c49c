//! Settings of caches: what they may keep while a session lives, and what goes when it ends.

use http::HeaderValue;

use super::Builder;
use crate::gate::Caching;

/// The settings, as they were given.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) caching: Caching,
    clears_cache: bool,
    clears_storage: bool,
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            caching: Caching::Private,
            clears_cache: false,
            clears_storage: false,
        }
    }

    /// Returns the value of `Clear-Site-Data`, if anything is to be cleared.
    pub(super) const fn clear_site_data(&self) -> Option<HeaderValue> {
        let value = match (self.clears_cache, self.clears_storage) {
            (false, false) => return None,
            (false, true) => r#""storage""#,
            (true, false) => r#""cache""#,
            (true, true) => r#""cache", "storage""#,
        };
        Some(HeaderValue::from_static(value))
    }
}

/// # Caches
///
/// A response that was given a session depends on it. So the layer adds `Cache-Control: private` to
/// it, unless the application sends a `Cache-Control` of its own: only the browser may keep it.
/// `Expires` says how long a response may be kept, and `Pragma` says nothing (RFC 9111, sections
/// 5.3 and 5.4), so neither stands in the way. The layer adds it on every status and protocol. A
/// 304 then says what its 200 said.
///
/// | path | with a session | without one |
/// | --- | --- | --- |
/// | protected | `private`; with [`Builder::no_store`], `no-store` | refused: `no-store` |
/// | optional | `private`; with [`Builder::no_store`], `no-store` | as the application says, and `Vary: cookie` |
/// | public | `private` | as the application says |
///
/// The guide [Caches, and Back](crate::guide::caches_and_back) says what a browser shows after
/// sign-out, and what holds behind a proxy that asks.
impl Builder {
    /// Sends every response that depends on a session with `Cache-Control: no-store`, whatever the
    /// application says, so that no cache keeps a copy of it. Default: `private`, if the
    /// application says nothing.
    ///
    /// Without it, the button Back shows the pages of a person who has signed out. With it, Back
    /// leads to the form, except to a page that the browser kept alive and whose session ended
    /// without its knowledge. The guide [Caches, and Back](crate::guide::caches_and_back) has what
    /// Chromium does in each mode, and three lines for such a page.
    ///
    /// It also removes the fields that are aimed at one cache, such as `CDN-Cache-Control` (RFC
    /// 9213). A browser then loads every file on a protected path again for each page. So make the
    /// paths of scripts, styles and pictures [public](Builder::public_prefix): there it has no
    /// effect.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.no_store().public_prefix("/assets")
    /// # }
    /// ```
    pub fn no_store(mut self) -> Self {
        self.caching.caching = Caching::NoStore;
        self
    }

    /// Adds no `Cache-Control` to responses of the application. Default: the layer adds `private`
    /// if the application says nothing.
    ///
    /// A cache that follows RFC 9111 may then keep a response by heuristics, apart for each
    /// `Cookie`, because `Vary: cookie` stays. **Some shared caches ignore `Vary`**: they show what
    /// one person got to the next, or to a stranger. Use it only if no such cache is in front, or
    /// if the application sends `Cache-Control` everywhere.
    ///
    /// A response with a renewed session cookie stays `no-store`. It and [`Builder::no_store`]
    /// exclude each other: the later call counts.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.insecure_no_cache_control()
    /// # }
    /// ```
    pub fn insecure_no_cache_control(mut self) -> Self {
        self.caching.caching = Caching::Leave;
        self
    }

    /// Has the browser clear its cache for the origin at sign-out: `Clear-Site-Data: "cache"` on
    /// the answer of `/auth/logout`. Default: the layer sends no `Clear-Site-Data`.
    ///
    /// Back then leads to the form, but not to a page whose own form posted to `/auth/logout`: see
    /// [Caches, and Back](crate::guide::caches_and_back). It does not replace
    /// [`Builder::no_store`].
    ///
    /// With [`Builder::clear_storage_on_sign_out`], both are in one field. The layer sends it where
    /// it removes a session cookie by POST to its own endpoint. If a session ends elsewhere, or a
    /// handler ends it with [`SessionIssuer`](crate::companion::SessionIssuer), the browser clears
    /// nothing. Browsers obey the field only over HTTPS, and on loopback.
    ///
    /// The layer never sends `"cookies"`: it would delete the cookies of every host of the
    /// registrable domain, so those of other applications too.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.clear_cache_on_sign_out().clear_storage_on_sign_out()
    /// # }
    /// ```
    pub fn clear_cache_on_sign_out(mut self) -> Self {
        self.caching.clears_cache = true;
        self
    }

    /// Has the browser clear the origin's storage at sign-out: `Clear-Site-Data: "storage"`, as
    /// [`Builder::clear_cache_on_sign_out`] does it. Default: the storage stays.
    ///
    /// By the specification (W3C, Clear Site Data) that is `localStorage`, `sessionStorage`,
    /// IndexedDB and service workers of the whole origin, with drafts and settings in them, and
    /// those of other applications at the same origin.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.clear_storage_on_sign_out()
    /// # }
    /// ```
    pub fn clear_storage_on_sign_out(mut self) -> Self {
        self.caching.clears_storage = true;
        self
    }
}
