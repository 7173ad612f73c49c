//! No parser's reading of a path opens a protected one.

use std::{cell::Cell, collections::BTreeSet};

use http::{Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tower_magic_link::{
    Exposure,
    companion::{Ground, Outcome},
};

use super::{PROTECTED, corpus, reaches, request, rules};
use crate::support::World;

/// Something done to a path, and how it is called.
type Reader = (&'static str, fn(&str) -> String);

/// What a server, proxy, framework or file system has been seen to do with a path before it read
/// it.
const READERS: [Reader; 10] = [
    ("decodes", |path| {
        percent_decode_str(path).decode_utf8_lossy().into_owned()
    }),
    ("removes dot segments", |path| {
        let mut kept: Vec<&str> = Vec::new();
        for segment in path.split('/') {
            match segment {
                "." => {}
                ".." => drop(kept.pop()),
                other => kept.push(other),
            }
        }
        kept.join("/")
    }),
    ("merges slashes", |path| {
        let mut merged = path.to_owned();
        while merged.contains("//") {
            merged = merged.replace("//", "/");
        }
        merged
    }),
    ("strips parameters", |path| {
        let segments = path.split('/');
        let bare = segments.map(|segment| segment.split(';').next().unwrap());
        bare.collect::<Vec<_>>().join("/")
    }),
    ("takes session ids out", |path| {
        without_session_ids(path, "/")
    }),
    ("joins what stands around them", |path| {
        without_session_ids(path, "")
    }),
    ("turns backslashes", |path| path.replace('\\', "/")),
    ("folds case", |path| path.to_lowercase()),
    ("normalises to NFKC", |path| {
        icu_normalizer::ComposingNormalizerBorrowed::new_nfkc()
            .normalize(path)
            .into_owned()
    }),
    ("strips what stands behind", |path| {
        let segments = path.split('/');
        let bare = segments.map(|segment| segment.trim_end_matches(['.', ' ', '\0', '\t']));
        bare.collect::<Vec<_>>().join("/")
    }),
];

/// Takes out what ASP.NET without cookies puts into a path: `/(S(id))/`, `/(A(ticket)F(ticket))/`.
/// A ticket may hold slashes. System.Web leaves one slash, and IIS could leave none
/// (CVE-2023-36899).
fn without_session_ids(path: &str, left: &str) -> String {
    let begins = |id: &str| {
        let mut start = id.chars();
        start
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic())
            && start.next() == Some('(')
    };
    let mut bare = path.to_owned();
    let mut from = 0;
    while let Some(at) = bare[from..].find("/(").map(|at| from + at) {
        let (before, id) = (&bare[..at], &bare[at + 2..]);
        let new = id.split_once("))").filter(|_| begins(id));
        // Of its first version, and of Mono.
        let old = id.split_at_checked(24).filter(|(id, _)| !id.contains('/'));
        let old = old.and_then(|(id, behind)| Some((id, behind.strip_prefix(')')?)));
        match new.or(old) {
            Some((_, behind)) => {
                bare = format!("{before}{left}{}", behind.trim_start_matches('/'));
            }
            None => from = at + 2,
        }
    }
    bare
}

/// Returns all that readers behind one another, up to four of them, make of a path.
fn readings(path: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([path.to_owned()]);
    for _ in 0..4 {
        let read = |path: &String| READERS.map(|(_, read)| read(path));
        let more: Vec<_> = all.iter().flat_map(read).collect();
        all.extend(more);
    }
    all
}

fn lies_below(prefix: &str, path: &str) -> bool {
    let rest = path.to_lowercase();
    let rest = rest.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Sends a stranger's GET. Asserts that it reaches the application by a rule alone, that every
/// reading of the path lies under the same rule, and that the layer's own explanation said so.
/// Returns whether it was reached.
async fn holds(world: &World, uri: &Uri) -> bool {
    let (parts, body) = request("GET", uri.clone()).into_parts();
    let explained = world.layer.explain(&parts);
    let (is_reached, _) = reaches(world, Request::from_parts(parts, body)).await;
    let is_open = explained.outcome() == Outcome::Pass;
    assert_eq!(is_reached, is_open, "{uri}: {explained}");
    if is_reached {
        let Ground::Rule(rule) = explained.ground() else {
            panic!("{uri}: {explained}");
        };
        assert_ne!(rule.exposure(), Exposure::Protected, "{uri}");
        for reading in readings(uri.path()) {
            let is_same = if rule.is_prefix() {
                lies_below(rule.path(), &reading)
            } else {
                rule.path() == reading
            };
            let is_protected = lies_below(PROTECTED, &reading);
            assert!(is_same && !is_protected, "{uri} as {reading:?}: {rule}");
        }
    }
    is_reached
}

/// Paths made of what readers disagree about, on and beside the rules.
fn nasty() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "/public",
        "/public/internal",
        "/open",
        "/news",
        "/healthz",
        "/auth",
        "/private",
        "/PUBLIC",
        "/%70ublic",
        "/publi%63",
        "//public",
        "/./public",
        "/\u{ff50}ublic",
        "",
    ]);
    let between = prop_oneof![
        6 => Just("/"),
        4 => prop::sample::select(vec![
            "", "//", "\\", "%2f", "%2F", "%5c", "%252f", "%25252f", ";", "/;/", ".", "%c0%af", "\u{2215}", "\u{ff0f}",
            "%ef%bc%8f", "?", "%3f", "%23", "%00", "%20", "+", ":", "~1", ",", "@", "=",
        ]),
    ];
    let segment = prop_oneof![
        3 => prop::sample::select(vec![
            "internal", "Internal", "INTERNAL", "private", "a", "b.css", "~x", "auth", "login", "a(1).png", "(S(x))",
        ]),
        3 => prop::sample::select(vec![
            "..", ".", "...", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%25252e.", "%c0%ae%c0%ae", "..;", "..;x=y",
            ";x=/../", "..%00", "..%20", "%e2%80%a5", "\u{2025}", "\u{2024}\u{2024}", "%ef%bc%8e.", "", "%", "%%32%65",
            "int%65rnal", "intern\u{ff41}l", "internal%20", "internal.", "internal%00.css", "internal;a", "\u{131}nternal",
            "%u002e", "\u{212a}", "internal::$DATA", "(A(x)F(y))", "(S(x/y))", "(S(x))internal", "(S(x))ernal", "int",
            "internal(S(x))", "(", "()",
        ]),
    ];
    let more = prop::collection::vec((between, segment), 0..5);
    let made = (start, more).prop_map(|(start, more)| {
        let more: String = more.into_iter().map(|(a, b)| format!("{a}{b}")).collect();
        format!("{start}{more}")
    });
    prop_oneof![
        8 => made,
        1 => "/(public|news|open)/[!-~]{0,12}",
        1 => "/[!-~]{0,16}",
    ]
}

#[test]
fn what_is_open_stays_under_its_rule_however_the_path_is_read() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::with(rules));
    let (open, closed) = (Cell::new(0), Cell::new(0));
    let config = Config {
        cases: 4_096,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&nasty(), |path| {
            let Ok(uri) = Uri::try_from(&path) else {
                return Ok(());
            };
            let count = if runtime.block_on(holds(&world, &uri)) {
                &open
            } else {
                &closed
            };
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    let counts = (open.get(), closed.get());
    assert!(counts.0 > 300 && counts.1 > 1_000, "{counts:?}");
}

#[test]
fn the_readers_read_what_they_are_said_to() {
    for (path, want) in [
        ("/public/%2e%2e/private", "/private"),
        ("/public/%25252e%25252e/private", "/public/../private"),
        ("/public/..;/private", "/private"),
        ("/public\\..\\private", "/private"),
        ("/public//internal", "/public/internal"),
        ("/public/\u{ff0e}\u{ff0e}/private", "/private"),
        ("/public/INTERNAL. /x", "/public/internal/x"),
        ("/public/(S(x))/internal", "/public/internal"),
        ("/public/(A(x)F(y/z))/internal", "/public/internal"),
        ("/public/int/(S(x))ernal/x", "/public/internal/x"),
    ] {
        assert!(readings(path).contains(want), "{path}");
    }
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_published_string_is_a_path_that_opens_what_is_protected() {
    let world = World::with(rules).await;
    let naughty: Vec<String> = serde_json::from_str(&corpus("naughty-strings.json")).unwrap();
    let redirects = corpus("open-redirects.txt");
    let (mut open, mut closed) = (0, 0);
    for text in redirects.lines().map(str::to_owned).chain(naughty) {
        let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
        for text in [&text, &encoded] {
            for before in [
                "",
                "/",
                "/public/",
                "/public",
                "/public/../",
                "/open/",
                "/news/x/",
            ] {
                let Ok(uri) = Uri::try_from(format!("{before}{text}")) else {
                    continue;
                };
                let is_open = holds(&world, &uri).await;
                *(if is_open { &mut open } else { &mut closed }) += 1;
            }
        }
    }
    assert!(open > 100 && closed > 5_000, "{open} open, {closed} closed");
}
