use http::Uri;
use proptest::prelude::*;

use super::{
    Exposure::{Optional, Protected, Public},
    Reach::{Path, Prefix},
    *,
};

fn rules_of(rules: impl IntoIterator<Item = (Exposure, Reach, PathRule)>) -> Rules {
    let mut all = Rules::default();
    for (exposure, reach, rule) in rules {
        all.add(exposure, reach, rule);
    }
    all
}

fn rules() -> Rules {
    rules_of([
        (Public, Path, "/healthz".into()),
        (Public, Path, (Method::POST, "/hooks/billing").into()),
        (Public, Path, (Method::CONNECT, "/live").into()),
        (Public, Prefix, "/docs/".into()),
        (Public, Prefix, PathRule::any_method("/open")),
    ])
}

fn exposure(rules: &Rules, method: &str, uri: &str) -> Exposure {
    let uri: Uri = uri.parse().unwrap();
    rules.exposure(&method.parse().unwrap(), uri.path())
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
        ("CONNECT", "/live", true),
        ("CONNECT", "/open/x", false),
        ("GET", "/live", false),
        ("POST", "/healthz", false),
        ("GET", "/hooks/billing", false),
        ("OPTIONS", "/docs", false),
        ("GET", "/healthz/", false),
        ("GET", "/healthz/x", false),
        ("GET", "/Healthz", false),
        ("GET", "/healthzX", false),
        ("GET", "/docsX", false),
        // What a reader behind the layer may resolve or decode into `/private`.
        ("GET", "/docs/../private", false),
        ("GET", "/docs/./x", false),
        ("GET", "/docs/.../x", false),
        ("GET", "/docs/a..b/..c", true),
        ("GET", "/docs//private", false),
        ("GET", "//docs", false),
        ("GET", "/docs/%2e%2e/private", false),
        ("GET", "/docs%2fx", false),
        ("GET", "/docs/x;/../private", false),
        ("GET", "/docs/..\\private", false),
        ("GET", "/docs/é", false),
        // ASP.NET without cookies.
        ("GET", "/docs/(S(x))/private", false),
        ("GET", "/docs/(A(x)F(y))/x", false),
        ("GET", "/docs/(S(x))x", false),
        ("GET", "/docs/(", true),
        ("GET", "/docs/(shop)/page.js", true),
        ("GET", "/docs/(1(", true),
        ("GET", "/docs/(x(", false),
        ("GET", "/docs/(abcdefghijklmnopqrstuvwx)/private", false),
        ("GET", "/docs/(abcdefghijklmnopqrstuvwx)x", false),
        ("GET", "/docs/(abcdefghijklmnopqrstuvw)/a", true),
        ("GET", "/docs/(abcdefghijklmnopqrstuvwxy)/a", true),
        ("GET", "/(S(x))/docs", false),
        ("GET", "/docs/a(1).png", true),
        ("GET", "/docs/a(S(x))/b()", true),
        ("GET", "/docs/)", true),
        // The query names no path (GHSA-7rh7-c77v-6434).
        ("GET", "/private?x=/docs", false),
        ("GET", "/private?/healthz", false),
        ("GET", "/", false),
    ];
    for (method, path, want) in cases {
        let want = if want { Public } else { Protected };
        assert_eq!(exposure(&rules(), method, path), want, "{method} {path}");
    }
}

#[test]
fn the_most_specific_rule_that_takes_the_method_wins() {
    let all = [
        (Public, Prefix, PathRule::any_method("/docs")),
        (Protected, Prefix, PathRule::any_method("/docs/internal")),
        (Public, Prefix, (Method::CONNECT, "/docs").into()),
        (Optional, Prefix, "/docs/live".into()),
        (Public, Prefix, "/docs/internal/assets/".into()),
        (Optional, Path, "/docs/internal/notice".into()),
        (Public, Path, "/docs/live/clock".into()),
        (Optional, Path, (Method::POST, "/docs/live/clock").into()),
        (Public, Path, "/docs/internal".into()),
    ];
    let cases = [
        ("GET", "/docs/x", Public),
        ("GET", "/docs/internal", Public),
        ("POST", "/docs/internal", Protected),
        ("GET", "/docs/internal/", Protected),
        ("CONNECT", "/docs/internal/x", Protected),
        ("CONNECT", "/docs/x", Public),
        ("GET", "/docs/internal/x", Protected),
        ("GET", "/docs/internal/assets", Public),
        ("GET", "/docs/internal/assets/x.css", Public),
        ("POST", "/docs/internal/assets/x.css", Protected),
        ("GET", "/docs/internal/notice", Optional),
        ("GET", "/docs/internal/notice/x", Protected),
        ("GET", "/docs/live/x", Optional),
        ("POST", "/docs/live/x", Public),
        ("GET", "/docs/live/clock", Public),
        ("POST", "/docs/live/clock", Optional),
        ("GET", "/elsewhere", Protected),
    ];
    let forwards = rules_of(all.clone());
    let backwards = rules_of(all.into_iter().rev());
    for rules in [&forwards, &backwards] {
        assert_eq!(rules.validate("/auth"), Ok(()));
        for (method, path, want) in cases {
            assert_eq!(exposure(rules, method, path), want, "{method} {path}");
        }
    }
}

#[test]
fn a_protected_prefix_covers_what_a_lenient_reader_takes_for_it() {
    let rules = rules_of([
        (Public, Prefix, PathRule::any_method("/docs")),
        (Protected, Prefix, PathRule::any_method("/docs/in")),
    ]);
    let cases = [
        ("/docs/in", Protected),
        ("/docs/in/", Protected),
        ("/docs/in/x", Protected),
        ("/docs/IN/x", Protected),
        ("/docs/In", Protected),
        // Windows drops the dots at the end of a name.
        ("/docs/in.", Protected),
        ("/docs/in./x", Protected),
        ("/docs/in.json", Protected),
        ("/docs/in:stream", Protected),
        // NTFS reads the name of a stream behind a colon.
        ("/docs/in::$INDEX_ALLOCATION/x", Protected),
        ("/docs/in,v=1/x", Protected),
        // A short name, as FAT makes them.
        ("/docs/in~1/x", Protected),
        ("/docs/in%20/x", Protected),
        ("/docs/inside", Public),
        ("/docs/in-side", Public),
        ("/docs/in_side", Public),
        ("/docs/x/in", Public),
        ("/docs", Public),
        ("/DOCS/x", Protected),
    ];
    for (path, want) in cases {
        assert_eq!(exposure(&rules, "GET", path), want, "{path}");
        assert_eq!(exposure(&rules, "PUT", path), want, "{path}");
    }
    let all = rules_of([
        (Protected, Prefix, PathRule::any_method("/")),
        (Public, Path, "/x".into()),
    ]);
    assert_eq!(all.validate("/auth"), Ok(()), "what is protected anyway");
    assert_eq!(exposure(&all, "GET", "/y"), Protected);
    assert_eq!(exposure(&all, "GET", "/x"), Public);
}

#[test]
fn two_rules_that_say_different_things_of_one_request_are_refused() {
    let any = PathRule::any_method;
    let one = |method: Method, path: &str| PathRule::from((method, path));
    let cases: [(&str, Reach, PathRule, Reach, PathRule, bool); 11] = [
        ("same", Path, "/a".into(), Path, "/a".into(), true),
        (
            "same prefix",
            Prefix,
            "/a".into(),
            Prefix,
            "/a/".into(),
            true,
        ),
        ("other case", Path, "/a".into(), Path, "/A".into(), true),
        (
            "any and one",
            Path,
            any("/a"),
            Path,
            one(Method::PUT, "/a"),
            true,
        ),
        ("reading and any", Path, "/a".into(), Path, any("/a"), true),
        (
            "reading and HEAD",
            Path,
            "/a".into(),
            Path,
            one(Method::HEAD, "/a"),
            true,
        ),
        (
            "reading and POST",
            Path,
            "/a".into(),
            Path,
            one(Method::POST, "/a"),
            false,
        ),
        (
            "two methods",
            Path,
            one(Method::PUT, "/a"),
            Path,
            one(Method::POST, "/a"),
            false,
        ),
        (
            "path and prefix",
            Path,
            "/a".into(),
            Prefix,
            "/a".into(),
            false,
        ),
        ("slash behind", Path, "/a".into(), Path, "/a/".into(), false),
        ("other path", Path, "/a".into(), Path, "/b".into(), false),
    ];
    for (name, reach, rule, other_reach, other, want) in cases {
        let differ = [
            (Public, reach, rule.clone()),
            (Optional, other_reach, other.clone()),
        ];
        let agree = [(Public, reach, rule), (Public, other_reach, other)];
        for rules in [differ.clone(), [differ[1].clone(), differ[0].clone()]] {
            let checked = rules_of(rules).validate("/auth");
            assert_eq!(checked.is_err(), want, "{name}: {checked:?}");
        }
        assert_eq!(rules_of(agree).validate("/auth"), Ok(()), "{name}");
    }
    let connect = || one(Method::CONNECT, "/a");
    let rules = rules_of([(Public, Path, any("/a")), (Optional, Path, connect())]);
    assert_eq!(rules.validate("/auth"), Ok(()), "any method but CONNECT");
    let rules = rules_of([(Public, Prefix, connect()), (Protected, Prefix, any("/a"))]);
    assert!(
        rules.validate("/auth").is_err(),
        "what is protected is so for CONNECT"
    );
    let error = rules_of([
        (Public, Prefix, "/a".into()),
        (Protected, Prefix, any("/A")),
    ])
    .validate("/auth");
    let want = r#"protected_prefix "/A" contradicts public_prefix /a (GET, HEAD)"#;
    assert_eq!(error.unwrap_err().to_string(), want);
}

#[test]
fn a_rule_that_cannot_work_is_refused_with_its_value() {
    let path = |path: &str| rules_of([(Public, Path, path.into())]);
    let prefix = |path: &str| rules_of([(Optional, Prefix, path.into())]);
    let protected = |path: &str| rules_of([(Protected, Prefix, path.into())]);
    let method = |method: &str| {
        let method: Method = method.parse().unwrap();
        rules_of([(Public, Path, (method, "/hooks").into())])
    };
    let cases = [
        (
            "a small method",
            method("post"),
            "\"post /hooks\" has a method in small letters",
        ),
        (
            "no usual method",
            method("purge"),
            "\"purge /hooks\" has a method in small letters, which no request has: write it in capitals",
        ),
        (
            "a secret for a method",
            method("sk_test_hunter2"),
            "(its value is not shown)",
        ),
        ("a method misspelt", method("PSOT"), "do you mean POST?"),
        ("relative", path("healthz"), "\"healthz\""),
        ("empty", path(""), "\"\""),
        ("with a query", path("/x?y"), "\"/x?y\""),
        ("encoded", path("/a%20b"), "\"/a%20b\""),
        ("dot segment", prefix("/a/../b"), "\"/a/../b\""),
        ("three dots", prefix("/a/.../b"), "\"/a/.../b\""),
        ("a session id", prefix("/a/(S(b))"), "such as '(S(x))'"),
        ("protected, encoded", protected("/a%20b"), "\"/a%20b\""),
        ("below the mount", path("/auth/login"), "mount \"/auth\""),
        ("the mount itself", prefix("/auth"), "mount \"/auth\""),
        ("above the mount", prefix("/"), "mount \"/auth\""),
        ("two slashes behind", prefix("/docs//"), "\"/docs//\""),
        ("two slashes", prefix("//"), "\"//\""),
        ("a star", prefix("/docs/*"), "is a pattern"),
        ("a star within", path("/docs/*.css"), "is a pattern"),
        ("a parameter", path("/users/:id"), "is a pattern"),
        ("a braced parameter", path("/users/{id}"), "is a pattern"),
        ("protected, a star", protected("/docs/*"), "is a pattern"),
    ];
    for (name, rules, want) in cases {
        let error = rules.validate("/auth").unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
        assert!(!error.to_lowercase().contains("hunter2"), "{error}");
    }
    assert_eq!(rules().validate("/auth"), Ok(()));
    assert_eq!(path("/author").validate("/auth"), Ok(()));
    assert_eq!(method("PROPFIND").validate("/auth"), Ok(()));
    assert_eq!(path("/v1/things:batch").validate("/auth"), Ok(()));
}

/// Says the same by the words of the documentation, one after the other.
fn is_plain_by_the_book(path: &str) -> bool {
    let is_plain_byte = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&b);
    let is_dots = |segment: &str| !segment.is_empty() && segment.bytes().all(|b| b == b'.');
    let is_cookieless = |segment: &str| match segment.as_bytes() {
        [b'(', letter, b'(', ..] if letter.is_ascii_alphabetic() => true,
        [b'(', id @ ..] => id.get(24) == Some(&b')'),
        _ => false,
    };
    path.starts_with('/')
        && path.bytes().all(is_plain_byte)
        && !path.contains("//")
        && !path
            .split('/')
            .any(|segment| is_dots(segment) || is_cookieless(segment))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_192))]

    #[test]
    fn a_path_is_plain_as_the_documentation_says(
        path in prop_oneof![
            "/?([/.(S)a1;%\\\\ é~!-]|\\(S\\(|[a-z]{2}|\\.\\.|\\([a-z0-9]{23,25}\\)){0,12}",
            ".{0,6}",
            "/[a-z/.()]{0,40}",
        ]
    ) {
        prop_assert_eq!(is_plain(&path), is_plain_by_the_book(&path), "{}", path);
    }
}
