//! The builder's settings of which paths ask for a session.

use super::Builder;
use crate::rules::PublicRule;

impl Builder {
    /// Makes one path public: exactly this one, for GET and HEAD unless the [`PublicRule`] says otherwise.
    ///
    /// A public path gets the session where there is one, and its response then varies by cookie. One that was made for a stranger does
    /// not, so that public assets stay cacheable: a page that looks different to who is signed in should set `Vary: cookie` itself.
    ///
    /// The path is compared byte for byte, without the query, as the layer is handed it; one with `%`, `\`, `;`, `//` or dot segments is
    /// never public.
    pub fn public_path(mut self, rule: impl Into<PublicRule>) -> Self {
        self.rules.add_path(rule.into());
        self
    }

    /// Makes a path and all below it public, by whole segments: `/docs` covers `/docs/x` and not `/docsx`.
    pub fn public_prefix(mut self, rule: impl Into<PublicRule>) -> Self {
        self.rules.add_prefix(rule.into());
        self
    }
}
