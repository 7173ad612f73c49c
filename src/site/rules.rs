//! Which paths are public or optional, and which exceptions to them are protected.
//!
//! - Only the path and the method decide, never the query, a header or the host. The path is
//!   compared as the layer receives it, undecoded.
//! - The most specific rule that matches wins: an exact path before any prefix, a longer prefix
//!   before a shorter one. `build()` refuses two rules for the same paths that disagree. A path
//!   that no rule matches is protected.
//! - A path that is not plain is always protected, because a router or proxy behind the layer might
//!   decode or fold it into another one (`%`, `\`, `;`, `//`, dot segments, segments that begin
//!   as `(S(` does, bytes beyond ASCII).
//! - A prefix matches whole segments: `/docs` covers `/docs/x` and not `/docsx`. A protected prefix
//!   also matches the paths that a lenient reader might take for it.
//! - There are no patterns: a request costs at most one comparison of its path with each rule.

use std::{cmp::Reverse, fmt};

use http::Method;

use super::methods::Methods;
use crate::{ascii, error::ConfigError};

/// Whether a path needs a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// A request passes, with its session if it has one. The response always varies by cookie.
    Optional,
    /// A request passes only with a session. This holds for every path that no rule names.
    Protected,
    /// A request passes, with its session if it has one. Without a session, the response is the
    /// same for every caller.
    Public,
}

/// A path, and the methods to which a rule applies.
///
/// A path alone applies to GET and HEAD. A pair names one method, in capitals as requests have it:
/// [`Builder::build`](crate::Builder::build) refuses one in small letters, and one that is a slip
/// from a usual one. [`PathRule::any_method`] applies to all methods but CONNECT.
///
/// ```
/// use http::Method;
/// use tower_magic_link::PathRule;
///
/// let reading: PathRule = "/healthz".into();
/// let webhook: PathRule = (Method::POST, "/hooks/billing").into();
/// let everything = PathRule::any_method("/api/public");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    path: String,
    methods: Methods,
}

impl PathRule {
    /// Makes a rule for every method but CONNECT.
    ///
    /// CONNECT asks for a tunnel, and has no path (RFC 9110, section 9.3.6).
    ///
    /// A WebSocket over HTTP/2 is a CONNECT that has a path (RFC 8441); a rule for it names the
    /// method: `(Method::CONNECT, "/live")`.
    #[must_use]
    pub fn any_method(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            methods: Methods::Any,
        }
    }
}

impl From<&str> for PathRule {
    fn from(path: &str) -> Self {
        path.to_owned().into()
    }
}

impl From<String> for PathRule {
    fn from(path: String) -> Self {
        Self {
            path,
            methods: Methods::Reading,
        }
    }
}

impl<P: Into<String>> From<(Method, P)> for PathRule {
    fn from((method, path): (Method, P)) -> Self {
        Self {
            path: path.into(),
            methods: Methods::One(method),
        }
    }
}

/// One rule of a layer, as its builder received it. Prints as `public_prefix /docs (GET, HEAD)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Rule {
    exposure: Exposure,
    reach: Reach,
    path: String,
    methods: Methods,
}

/// How far a rule reaches; the more specific first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    Path,
    Prefix,
}

impl Rule {
    /// Returns whether the rule's paths need a session.
    #[must_use]
    pub const fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// Returns the path, or the prefix without a trailing slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Says whether the rule also covers what lies below its path.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.reach == Reach::Prefix
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        let covers = match (self.reach, self.exposure) {
            (Reach::Path, _) => path == self.path,
            // In doubt, protected: a rule that opens names its paths exactly, and one that protects
            // takes what may be meant.
            (Reach::Prefix, Exposure::Protected) => may_lie_below(&self.path, path),
            (Reach::Prefix, _) => covers(&self.path, path),
        };
        // A protected prefix holds for every method, CONNECT included.
        let takes = self.exposure == Exposure::Protected || self.methods.take(method);
        covers && takes
    }

    /// Orders rules from the most specific to the least.
    fn rank(&self) -> (Reach, Reverse<usize>) {
        (self.reach, Reverse(self.path.len()))
    }

    /// Says whether two rules cover the same requests and disagree about them. Paths that differ
    /// only in case count as the same, because a reader behind the layer may not tell them apart.
    fn contradicts(&self, other: &Self) -> bool {
        let is_protected = |rule: &Self| rule.exposure == Exposure::Protected;
        self.reach == other.reach
            && self.exposure != other.exposure
            // Without case: a protected prefix ignores it, as some routers and file systems do.
            && self.path.eq_ignore_ascii_case(&other.path)
            && (is_protected(self) || is_protected(other) || self.methods.overlap(&other.methods))
    }

    const fn setting(&self) -> &'static str {
        match (self.exposure, self.reach) {
            (Exposure::Optional, Reach::Path) => "optional_path",
            (Exposure::Optional, Reach::Prefix) => "optional_prefix",
            (Exposure::Protected, _) => "protected_prefix",
            (Exposure::Public, Reach::Path) => "public_path",
            (Exposure::Public, Reach::Prefix) => "public_prefix",
        }
    }

    fn validate(&self, mount: &str) -> Result<(), ConfigError> {
        let refuse = |problem: String| {
            let path = self.path.as_str();
            Err(ConfigError::invalid(self.setting(), path, problem))
        };
        let is_pattern =
            |segment: &str| segment.starts_with(':') || segment.contains(['*', '{', '}']);
        if self.path.split('/').any(is_pattern) {
            let problem = "is a pattern, but paths are compared literally; a prefix covers all below it, such as \
                 public_prefix";
            return refuse(problem.to_owned());
        }
        if !is_plain(&self.path) {
            let problem = "must begin with '/' and hold no query, '%', '\\', ';', '//', dot \
                           segment or segment such as '(S(x))'";
            return refuse(problem.to_owned());
        }
        if let Some((method, meant)) = self.methods.slip() {
            let text = format!("{method} {}", self.path);
            let has_small = method.as_str().contains(|c: char| c.is_ascii_lowercase());
            let what = match has_small {
                true => "has a method in small letters, which no request has",
                false => "has a method that is probably misspelt",
            };
            let problem = match meant {
                Some(meant) => format!("{what}: do you mean {meant}?"),
                None => format!("{what}: write it in capitals"),
            };
            return Err(ConfigError::invalid(self.setting(), text, problem));
        }
        let opens = self.exposure != Exposure::Protected;
        let holds_mount = self.is_prefix() && covers(&self.path, mount);
        if opens && (covers(mount, &self.path) || holds_mount) {
            return refuse(format!(
                "collides with the mount {mount:?}, whose paths are the layer's own"
            ));
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.setting(), self.path, self.methods)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All rules of a layer, from the most specific to the least.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn add(&mut self, exposure: Exposure, reach: Reach, rule: PathRule) {
        let PathRule { mut path, methods } = rule;
        // "/docs/" and "/docs" name the same segments.
        let has_slash_behind = path.len() > 1 && path.ends_with('/') && !path.ends_with("//");
        if reach == Reach::Prefix && has_slash_behind {
            path.pop();
        }
        let rule = Rule {
            exposure,
            reach,
            path,
            methods,
        };
        // Sorted once here, so that the first match is the most specific and a request sorts
        // nothing.
        let place = self.0.partition_point(|one| one.rank() <= rule.rank());
        self.0.insert(place, rule);
    }

    /// Checks every rule by itself, against the layer's own paths, and against the others.
    pub(crate) fn validate(&self, mount: &str) -> Result<(), ConfigError> {
        for (place, rule) in self.0.iter().enumerate() {
            rule.validate(mount)?;
            if let Some(other) = self.0.iter().take(place).find(|one| one.contradicts(rule)) {
                let problem = format!("contradicts {other}");
                return Err(ConfigError::invalid(rule.setting(), &rule.path, problem));
            }
        }
        Ok(())
    }

    pub(crate) fn exposure(&self, method: &Method, path: &str) -> Exposure {
        self.rule_for(method, path)
            .map_or(Exposure::Protected, Rule::exposure)
    }

    /// Returns the rule that decides a request. `None` if its path is not plain.
    pub(crate) fn rule_for(&self, method: &Method, path: &str) -> Option<&Rule> {
        let rule = self.0.iter().find(|rule| rule.matches(method, path));
        // After the look-up: a path that no rule matches is protected without this check.
        rule.filter(|_| is_plain(path))
    }

    pub(crate) fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}

/// Says whether `path` is `prefix` or lies below it, by whole segments.
fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix == "/")
}

/// Says whether a lenient reader might take `path` for `prefix`, or for a path below it.
///
/// Such a reader ignores case, or cuts a segment off at a punctuation mark, as frameworks and file
/// systems do: `internal.json`, `internal.`, `internal:stream`.
fn may_lie_below(prefix: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let may_be = |want: &str, segment: &str| {
        segment
            .split_at_checked(want.len())
            .is_some_and(|(start, rest)| {
                let goes_on =
                    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
                // What follows the name may be a suffix that a lenient reader drops, as in
                // `/admin;x`, `/admin.` and `/admin%20`.
                start.eq_ignore_ascii_case(want) && !goes_on
            })
    };
    prefix == "/"
        || prefix
            .split('/')
            .all(|want| segments.next().is_some_and(|segment| may_be(want, segment)))
}

/// Says whether every reader understands a path alike, however it decodes or folds.
///
/// Such a path holds RFC 3986's `pchar` without `%` and `;`, no empty segment but the last, no
/// segment of dots alone, and none that begins as `(S(` does, or with 24 characters in parentheses.
pub(crate) fn is_plain(path: &str) -> bool {
    let Some(path) = path.as_bytes().strip_prefix(b"/") else {
        return false;
    };
    // To the end of it: most paths are plain, and that takes fewer steps.
    if !path.iter().fold(true, |is, byte| is & PLAIN.has(*byte)) {
        return false;
    }
    let mut segments = path.split(|byte| *byte == b'/');
    let last = segments.next_back().unwrap_or_default();
    !is_read_otherwise(last)
        && segments.all(|segment| !segment.is_empty() && !is_read_otherwise(segment))
}

/// The characters of a plain path.
static PLAIN: ascii::Set = ascii::Set::of(
    b"!$&'()*+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~",
);

/// Says whether some readers resolve a segment, or take it out of the path.
fn is_read_otherwise(segment: &[u8]) -> bool {
    match segment {
        // Of any number: some readers fold `...` too.
        [b'.', others @ ..] => others.iter().all(|byte| *byte == b'.'),
        // ASP.NET takes its session id, `/(S(x))`, out of a path before it reads the rest. A route
        // group of Next.js, `/(shop)/`, is a segment as any other.
        [b'(', letter, b'(', ..] if letter.is_ascii_alphabetic() => true,
        // Of its first version, and of Mono: 24 characters in parentheses.
        [b'(', id @ ..] => id.get(24) == Some(&b')'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
