//! Which paths are public.
//!
//! - The path alone decides: never the query, a header or the host. It is compared as the layer is handed it, undecoded.
//! - A path that is not byte-plain is never public: what a router or proxy behind us might decode or fold into another
//!   path (`%`, `\`, `;`, `//`, dot segments, bytes beyond ASCII) is protected.
//! - A prefix matches whole segments: `/docs` covers `/docs/x` and not `/docsx`.

use http::Method;

use crate::{error::ConfigError, head::RequestHead};

/// A path and the methods for which it is public.
///
/// A bare path is public for GET and HEAD; a pair names the one method; [`PublicRule::any_method`] takes them all.
///
/// ```
/// use http::Method;
/// use tower_magic_link::PublicRule;
///
/// let reading: PublicRule = "/healthz".into();
/// let webhook: PublicRule = (Method::POST, "/hooks/billing").into();
/// let everything = PublicRule::any_method("/api/public");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicRule {
    path: String,
    methods: Methods,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Methods {
    Any,
    One(Method),
    Reading,
}

impl PublicRule {
    /// Makes a path public for every method.
    #[must_use]
    pub fn any_method(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            methods: Methods::Any,
        }
    }

    fn takes(&self, method: &Method) -> bool {
        match &self.methods {
            Methods::Any => true,
            Methods::One(one) => one == method,
            Methods::Reading => method == Method::GET || method == Method::HEAD,
        }
    }
}

impl From<&str> for PublicRule {
    fn from(path: &str) -> Self {
        path.to_owned().into()
    }
}

impl From<String> for PublicRule {
    fn from(path: String) -> Self {
        Self {
            path,
            methods: Methods::Reading,
        }
    }
}

impl<P: Into<String>> From<(Method, P)> for PublicRule {
    fn from((method, path): (Method, P)) -> Self {
        Self {
            path: path.into(),
            methods: Methods::One(method),
        }
    }
}

/// All public rules of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    exact: Vec<PublicRule>,
    prefixes: Vec<PublicRule>,
}

impl Rules {
    pub(crate) fn add_path(&mut self, rule: PublicRule) {
        self.exact.push(rule);
    }

    pub(crate) fn add_prefix(&mut self, mut rule: PublicRule) {
        // "/docs/" and "/docs" name the same segments.
        if rule.path.len() > 1 && rule.path.ends_with('/') && !rule.path.ends_with("//") {
            rule.path.pop();
        }
        self.prefixes.push(rule);
    }

    /// Checks every rule by itself, and against the layer's own paths.
    pub(crate) fn check(&self, mount: &str) -> Result<(), ConfigError> {
        let exact = self.exact.iter().map(|rule| ("public_path", rule, false));
        let prefixes = self
            .prefixes
            .iter()
            .map(|rule| ("public_prefix", rule, true));
        for (setting, rule, is_prefix) in exact.chain(prefixes) {
            let path = &rule.path;
            if !is_plain(path) {
                let problem =
                    "must begin with '/' and hold no query, '%', '\\', ';', '//' or dot segment";
                return Err(ConfigError::invalid(setting, path, problem));
            }
            if covers(mount, path) || (is_prefix && covers(path, mount)) {
                let problem =
                    format!("collides with the mount {mount:?}, whose paths are the layer's own");
                return Err(ConfigError::invalid(setting, path, problem));
            }
        }
        Ok(())
    }

    pub(crate) fn is_public(&self, head: &RequestHead<'_>) -> bool {
        let (path, method) = (head.path(), head.method());
        let is_match = |rules: &[PublicRule], fits: fn(&str, &str) -> bool| {
            rules
                .iter()
                .any(|rule| fits(&rule.path, path) && rule.takes(method))
        };
        (is_match(&self.exact, |rule, path| rule == path) || is_match(&self.prefixes, covers))
            && is_plain(path)
    }
}

/// Says whether `path` is `prefix` or lies below it, by whole segments.
fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix == "/")
}

/// Says whether every reader of a path, however it decodes or folds, reads the same one: RFC 3986's `pchar` without `%` and `;`,
/// no empty segment but the last, no dot segment.
pub(crate) fn is_plain(path: &str) -> bool {
    let is_plain_byte = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&b);
    path.starts_with('/')
        && path.bytes().all(is_plain_byte)
        && !path.contains("//")
        && path
            .split('/')
            .all(|segment| segment != "." && segment != "..")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn rules() -> Rules {
        let mut rules = Rules::default();
        rules.add_path("/healthz".into());
        rules.add_path((Method::POST, "/hooks/billing").into());
        rules.add_prefix("/docs/".into());
        rules.add_prefix(PublicRule::any_method("/open"));
        rules
    }

    #[test]
    fn a_path_is_public_by_segment_and_method_and_only_when_it_is_plain() {
        let cases = [
            ("GET", "/healthz", true),
            ("HEAD", "/healthz", true),
            ("GET", "/healthz?x=1", true),
            ("POST", "/hooks/billing", true),
            ("GET", "/docs", true),
            ("GET", "/docs/", true),
            ("GET", "/docs/a/b.css", true),
            ("DELETE", "/open/x", true),
            ("POST", "/healthz", false),
            ("GET", "/hooks/billing", false),
            ("OPTIONS", "/docs", false),
            ("GET", "/healthz/", false),
            ("GET", "/healthz/x", false),
            ("GET", "/Healthz", false),
            ("GET", "/healthzX", false),
            ("GET", "/docsX", false),
            ("GET", "/docs/../private", false),
            ("GET", "/docs/./x", false),
            ("GET", "/docs//private", false),
            ("GET", "//docs", false),
            ("GET", "/docs/%2e%2e/private", false),
            ("GET", "/docs%2fx", false),
            ("GET", "/docs/x;/../private", false),
            ("GET", "/docs/..\\private", false),
            ("GET", "/docs/é", false),
            ("GET", "/private?x=/docs", false),
            ("GET", "/private?/healthz", false),
            ("GET", "/", false),
        ];
        for (method, path, want) in cases {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(())
                .unwrap();
            assert_eq!(
                rules().is_public(&RequestHead::of(&request)),
                want,
                "{method} {path}"
            );
        }
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused_with_its_value() {
        let path = |path: &str| {
            let mut rules = Rules::default();
            rules.add_path(path.into());
            rules
        };
        let prefix = |path: &str| {
            let mut rules = Rules::default();
            rules.add_prefix(path.into());
            rules
        };
        let cases = [
            ("relative", path("healthz"), "\"healthz\""),
            ("empty", path(""), "\"\""),
            ("with a query", path("/x?y"), "\"/x?y\""),
            ("encoded", path("/a%20b"), "\"/a%20b\""),
            ("dot segment", prefix("/a/../b"), "\"/a/../b\""),
            ("below the mount", path("/auth/login"), "mount \"/auth\""),
            ("the mount itself", prefix("/auth"), "mount \"/auth\""),
            ("above the mount", prefix("/"), "mount \"/auth\""),
            ("two slashes behind", prefix("/docs//"), "\"/docs//\""),
            ("two slashes", prefix("//"), "\"//\""),
        ];
        for (name, rules, want) in cases {
            let error = rules.check("/auth").unwrap_err().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
        assert_eq!(rules().check("/auth"), Ok(()));
        assert_eq!(path("/author").check("/auth"), Ok(()));
    }
}
