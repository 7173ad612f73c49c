//! The builder's settings of which paths ask for a session.

use super::Builder;
use crate::site::rules::{Exposure, PathRule, Reach};

/// # Paths
///
/// Every path is protected unless a rule says otherwise. Of the rules that match the path and take
/// the method, the most specific wins, in whatever order they were given: an exact path before any
/// prefix, a longer prefix before a shorter one. [`Builder::build`] refuses two of the same path
/// and method that disagree.
///
/// Paths are compared byte for byte, without the query, as the layer is handed them: below the
/// point where a router nested it. One with `%`, `\`, `;`, `//`, a segment of dots or anything
/// beyond ASCII is always protected, since what is behind the layer may read another path in it.
/// There are no patterns, so that matching takes no more than one comparison per rule, whatever the
/// path. [`Builder::build`] refuses a rule with `*`, `{`, or a segment that begins with `:`.
///
/// | | a session is there | there is none, or it is no longer good | the revocation store does not answer |
/// | --- | --- | --- | --- |
/// | protected | handed on with it, `Vary: cookie` | refused | 503 |
/// | optional | handed on with it, `Vary: cookie` | handed on, `Vary: cookie` | handed on without, `Vary: cookie` |
/// | public | handed on with it, `Vary: cookie` | handed on | handed on without |
impl Builder {
    /// Makes one path public: exactly this one, for GET and HEAD unless the [`PathRule`] says
    /// otherwise.
    ///
    /// A public path gets the session where there is one, and its response then varies by cookie. A
    /// response to a request without a session does not, so that public assets stay cacheable. A
    /// page that looks different to signed-in people should set `Vary: cookie` itself, or be on an
    /// [optional](Builder::optional_path) path.
    pub fn public_path(mut self, rule: impl Into<PathRule>) -> Self {
        self.rules.add(Exposure::Public, Reach::Path, rule.into());
        self
    }

    /// Makes a path and all below it public, by whole segments: `/docs` covers `/docs/x` and not
    /// `/docsx`.
    pub fn public_prefix(mut self, rule: impl Into<PathRule>) -> Self {
        self.rules.add(Exposure::Public, Reach::Prefix, rule.into());
        self
    }

    /// Makes a session optional on one path: exactly this one, for GET and HEAD unless the
    /// [`PathRule`] says otherwise.
    ///
    /// The request gets the session where there is one, and is not refused where there is none. For
    /// pages that greet who is signed in and show themselves to others too. Every response varies
    /// by cookie, so that no cache gives a stranger's page to who is signed in; that alone is the
    /// difference to a [public path](Builder::public_path).
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.optional_path("/").optional_prefix("/blog").public_prefix("/assets")
    /// # }
    /// ```
    pub fn optional_path(mut self, rule: impl Into<PathRule>) -> Self {
        self.rules.add(Exposure::Optional, Reach::Path, rule.into());
        self
    }

    /// Makes a session optional on a path and all below it, by whole segments.
    pub fn optional_prefix(mut self, rule: impl Into<PathRule>) -> Self {
        self.rules
            .add(Exposure::Optional, Reach::Prefix, rule.into());
        self
    }

    /// Protects a path and all below it, for every method, where a shorter public or optional
    /// prefix would cover it.
    ///
    /// It also covers what a lenient reader might take for it: another case, and a segment that
    /// goes on behind a mark, as in `/internal.json` or `/internal:stream`. What it cannot know is
    /// another name for the same thing, such as a link or a Windows short name: a public prefix
    /// with nothing protected in it is safer than an exception.
    ///
    /// ```
    /// # use tower_magic_link::Builder;
    /// # fn example(builder: Builder) -> Builder {
    /// builder.public_prefix("/docs").protected_prefix("/docs/internal")
    /// # }
    /// ```
    pub fn protected_prefix(mut self, path: impl Into<String>) -> Self {
        let rule = PathRule::any_method(path);
        self.rules.add(Exposure::Protected, Reach::Prefix, rule);
        self
    }
}
