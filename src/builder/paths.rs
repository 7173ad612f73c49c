//! The builder's settings of which paths ask for a session.

use super::Builder;
use crate::site::rules::{Exposure, PathRule, Reach};

/// # Paths
///
/// Every path is protected unless a rule says otherwise. If several rules match the path and the
/// method, the most specific applies, whatever their order: an exact path before any prefix, a
/// longer prefix before a shorter one. [`Builder::build`] refuses two rules that disagree about the
/// same path and method.
///
/// Paths are compared byte for byte, without the query, as they reach the layer: a router that
/// nests the layer removes its prefix. A path with `%`, `\`, `;`, `//`, a segment of dots, a
/// segment such as `(S(x))`, or anything beyond ASCII is always protected, because the inner
/// service may read it as another path. There are no patterns, so that matching takes at most one
/// comparison per rule. [`Builder::build`] refuses a rule with `*`, `{`, or a segment that begins
/// with `:`.
///
/// | path | with a valid session | without one | while the revocation store does not answer |
/// | --- | --- | --- | --- |
/// | protected | handed on with it, `Vary: cookie` | refused | 503 |
/// | optional | handed on with it, `Vary: cookie` | handed on, `Vary: cookie` | handed on without, `Vary: cookie` |
/// | public | handed on with it, `Vary: cookie` | handed on | handed on without |
impl Builder {
    /// Makes one path public: exactly this one, for GET and HEAD unless the [`PathRule`] says
    /// otherwise.
    ///
    /// A request to a public path gets its session if it has one, and the response then has `Vary:
    /// cookie`. Without a session it does not, so that public assets stay cacheable. A
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
    /// The request gets its session if it has one, and passes without one otherwise. Use it for
    /// pages that greet signed-in people and are open to others too. Every response has `Vary:
    /// cookie`, so that no cache shows a stranger's page to a signed-in person. That is the only
    /// difference from a [public path](Builder::public_path).
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
    /// prefix would cover it. Code that calls it for each entry of a list must refuse an empty
    /// list.
    ///
    /// It also covers paths that a lenient reader might take for this one: in another case, or with
    /// a suffix after a punctuation mark, as in `/internal.json` or `/internal:stream`. It cannot
    /// cover another name for the same file, such as a symbolic link or a Windows short name. So a
    /// public prefix with nothing protected below it is safer than an exception.
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
