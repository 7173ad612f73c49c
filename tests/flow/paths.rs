//! Which paths ask for a session: no spelling of a path, header or method opens what is protected.

use std::{cell::Cell, collections::BTreeSet, convert::Infallible};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tower_magic_link::{
    Builder, Exposure, PathRule, Session,
    companion::{Ground, Outcome},
    revocation::Standing,
    store::{StoreError, StoreErrorKind},
};

use crate::{
    names::ADA,
    support::{Answer, World},
};

const PROTECTED: &str = "/public/internal";

pub(crate) fn rules(builder: Builder) -> Builder {
    builder
        .public_path("/healthz")
        .public_prefix("/public")
        .protected_prefix(PROTECTED)
        .public_prefix(PathRule::any_method("/open"))
        .optional_path("/")
        .optional_prefix("/news")
}

pub(crate) fn request(
    method: &str,
    uri: impl TryInto<Uri, Error: std::fmt::Debug>,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = uri.try_into().unwrap();
    request
}

/// Sends a request of a stranger, and says whether the application saw it.
async fn reaches(world: &World, request: Request<Full<Bytes>>) -> (bool, Answer) {
    let before = world.hits();
    let answer = world.browser().send(request).await;
    (world.hits() > before, answer)
}

/// Asserts that a stranger is refused, in a program's language.
async fn is_refused(world: &World, request: Request<Full<Bytes>>, name: &str) {
    let (is_reached, answer) = reaches(world, request).await;
    assert!(!is_reached, "{name}");
    assert_eq!(answer.status(), 401, "{name}");
}

/// Something done to a path, and how it is called.
type Reader = (&'static str, fn(&str) -> String);

/// What a server, proxy, framework or file system has been seen to do with a path before it read
/// it.
const READERS: [Reader; 8] = [
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
        3 => prop::sample::select(vec!["internal", "Internal", "INTERNAL", "private", "a", "b.css", "~x", "auth", "login"]),
        3 => prop::sample::select(vec![
            "..", ".", "...", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%25252e.", "%c0%ae%c0%ae", "..;", "..;x=y",
            ";x=/../", "..%00", "..%20", "%e2%80%a5", "\u{2025}", "\u{2024}\u{2024}", "%ef%bc%8e.", "", "%", "%%32%65",
            "int%65rnal", "intern\u{ff41}l", "internal%20", "internal.", "internal%00.css", "internal;a", "\u{131}nternal",
            "%u002e", "\u{212a}", "internal::$DATA",
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
    ] {
        assert!(readings(path).contains(want), "{path}");
    }
}

#[tokio::test]
async fn published_bypasses_of_path_rules_are_protected() {
    let world = World::with(rules).await;
    let payloads = [
        // A rule that saw the query or fragment: GHSA-7rh7, GHSA-pxq7.
        "/private?x=/public",
        "/private?/public",
        "/private?/../public",
        "/private?x=/healthz",
        "/private%3f/public",
        "/private%3fx=/public",
        "/private%23/public",
        "/private#/public",
        "/private;/public",
        "/private&/public",
        "/private/?public",
        // A prefix that is no segment.
        "/publicX",
        "/public-x",
        "/public.x",
        "/public;x",
        "/public,x",
        "/public~",
        "/public%2f",
        "/public%2f..",
        "/public%2f..%2fprivate",
        "/public%20",
        "/public%00",
        "/healthz/",
        "/healthz/x",
        "/healthz.",
        "/healthz;",
        "/healthz%20",
        "/healthz%2f",
        "/healthz%00.css",
        "/newspaper",
        "/openx",
        // A path that others read otherwise: GHSA-x732, CVE-2019-9901, CVE-2021-32637.
        "/public/../private",
        "/public/./../private",
        "/public/x/../../private",
        "/public/..",
        "/public/.",
        "/public/.../private",
        "/public//private",
        "/public//../private",
        "//public",
        "//public/../private",
        "/./public",
        "/../public",
        "/private/../public",
        "/public/%2e%2e/private",
        "/public/%2E%2E/private",
        "/public/.%2e/private",
        "/public/%2e./private",
        "/public/%2e",
        "/public/%252e%252e/private",
        "/public/%25252e%25252e/private",
        "/public/..%2fprivate",
        "/public/..%5cprivate",
        "/public/..%255cprivate",
        "/public/..%252fprivate",
        "/public/..\\private",
        "/public\\..\\private",
        "/public/..;/private",
        "/public/..;x=y/private",
        "/public/;/../private",
        "/public;/../private",
        "/public/..%00/private",
        "/public/..%0d%0a/private",
        "/public/..%09/private",
        "/public/%c0%ae%c0%ae/private",
        "/public/%c0%ae%c0%ae%c0%afprivate",
        "/public/%e0%80%ae%e0%80%ae/private",
        "/public/%uff0e%uff0e/private",
        "/public/%u002e%u002e%u2215private",
        "/public/%ef%bc%8e%ef%bc%8e/private",
        "/public/\u{ff0e}\u{ff0e}/private",
        "/public/\u{2025}/private",
        "/public/..\u{ff0f}private",
        "/public/..\u{2215}private",
        "/public/%%32%65%%32%65/private",
        "/public/%",
        "/public/%zz",
        "/public/x%20",
        "/public/x\"",
        "/public/{x}",
        "/public/x|y",
        "/public/x^y",
        "/public/[x]",
        // Another case: CVE-2026-48794.
        "/Public",
        "/PUBLIC/x",
        "/HEALTHZ",
        "/News",
        "/%70ublic",
        // An exception of a rule, as lenient readers spell it.
        "/public/internal",
        "/public/internal/",
        "/public/internal/x",
        "/public/INTERNAL/x",
        "/public/internal.",
        "/public/internal.json",
        "/public/internal./x",
        "/public/internal::$DATA",
        "/public/internal::$INDEX_ALLOCATION/x",
        "/public/internal%20",
        "/public/%69nternal",
        "/public/internal;x",
        "/public//internal",
        "/public/x/../internal",
        // A path that looks like an endpoint, and is none.
        "/auth",
        "/auth/",
        "/auth/x",
        "/auth//login",
        "/auth/login/",
        "/auth/login%00",
        "/auth/%6cogin",
        "/auth/../public",
        "/AUTH/login",
        "/public/..%2fauth/login",
        "/private/.well-known",
        "*",
    ];
    for payload in payloads {
        is_refused(&world, request("GET", payload), payload).await;
        is_refused(&world, request("HEAD", payload), payload).await;
    }
    for payload in ["/public", "/public/", "/public/x?y=/../private", "/news/1"] {
        let (is_reached, _) = reaches(&world, request("GET", payload)).await;
        assert!(is_reached, "{payload}");
    }
}

#[tokio::test]
async fn a_host_opens_nothing() {
    let world = World::with(rules).await;
    for host in ["app.example.com", "localhost", "public", "APP.example.com"] {
        let mut asked = request("GET", "/private");
        asked.headers_mut().insert("host", host.parse().unwrap());
        is_refused(&world, asked, host).await;
        let absolute = format!("http://{host}/private");
        is_refused(&world, request("GET", absolute), host).await;
        let folded = request("GET", format!("http://{host}/Public"));
        is_refused(&world, folded, host).await;
    }
}

/// Fields in which proxies, frameworks and load balancers have been seen to look for the path.
const ADDRESS_FIELDS: &str = "
    x-forwarded-uri x-forwarded-url x-forwarded-path x-forwarded-prefix x-forwarded-request x-forwarded-request-uri
    x-forwarded-original-uri x-forwarded-original-url x-forwarded-original-path x-forwarded-location x-forwarded-scheme
    x-forwarded-proto x-forwarded-host x-forwarded-server x-forwarded-port x-forwarded-for x-forwarded-method
    x-forwarded x-forward x-forwarded-by x-forwarded-ssl x-forwarded-context x-forwarded-script-name forwarded
    x-original-url x-original-uri x-original-path x-original-request x-original-request-uri x-original-location
    x-original-host x-original-method x-original-remote-addr x-originating-url x-originating-ip x-originally-requested
    x-rewrite-url x-rewrite-uri x-rewrite-path x-rewritten-url x-url-rewrite x-override-url x-override-uri x-override-path
    x-http-destinationurl x-http-url x-http-uri x-http-path x-http-host-override x-host x-host-override
    x-proxy-url x-proxy-uri x-proxy-path x-proxy-host proxy-url proxy-uri proxy-host proxy-request-uri proxy
    x-auth-request-redirect x-auth-request-uri x-auth-request-path x-auth-redirect x-auth-uri x-auth-path
    x-envoy-original-path x-envoy-original-url x-envoy-original-host x-envoy-original-method x-envoy-decorator-operation
    x-envoy-external-address x-envoy-internal x-traefik-path x-replaced-path x-kong-path x-kong-request-path
    x-amz-website-redirect-location x-ms-original-url x-ms-request-url x-ms-proxy x-waws-unencoded-url x-arr-ssl
    x-appengine-path x-cloudfront-path x-fastly-path x-akamai-path x-varnish-path x-accel-redirect x-accel-mapping
    x-sendfile x-reproxy-url x-lighttpd-send-file x-script-name script-name script-filename script-url script-uri path-info
    x-path-info path path-translated request-uri request-url x-request-uri x-request-url x-request-path request-path
    unencoded-url http-x-rewrite-url uri url x-uri x-url x-path base-url http-url destination redirect redirect-url
    referer x-http-referer referrer refferer ref x-referer origin x-origin location content-location x-location
    x-forwarded-query x-query-string query-string x-original-query from via x-wap-profile profile true-client-ip
    client-ip x-client-ip x-real-ip x-remote-ip x-remote-addr cf-connecting-ip x-cluster-client-ip x-custom-ip-authorization
    x-backend-host x-skip-auth x-no-auth x-public x-internal x-health-check x-healthcheck x-kubernetes-probe
    x-middleware-subrequest x-middleware-rewrite x-middleware-prefetch x-nextjs-data x-invoke-path x-invoke-query
    x-matched-path next-router-state-tree next-url x-now-route-matches x-vercel-path x-nf-original-path
    :path x_forwarded_uri x_original_url x_rewrite_url";

#[tokio::test]
async fn no_header_states_another_path_than_the_request_line() {
    let world = World::with(rules).await;
    let values = [
        "/public",
        "/healthz",
        "/open/x",
        "https://app.example.com/public",
        "http://127.0.0.1/public",
        "app.example.com/public",
        "for=127.0.0.1;host=localhost;proto=https;path=\"/public\"",
        "127.0.0.1",
        "GET",
        "true",
        "middleware:middleware:middleware",
    ];
    let mut sent = 0;
    for name in ADDRESS_FIELDS.split_whitespace() {
        let Ok(name) = HeaderName::try_from(name) else {
            assert_eq!(name, ":path", "no field name");
            continue;
        };
        for value in values {
            let mut asked = request("GET", "/private");
            let value = HeaderValue::from_static(value);
            asked.headers_mut().insert(&name, value.clone());
            is_refused(&world, asked, &format!("{name}: {value:?}")).await;
            sent += 1;
        }
        let mut asked = request("GET", "/public/x");
        let value = HeaderValue::from_static("/private");
        asked.headers_mut().insert(&name, value);
        let (_, answer) = reaches(&world, asked).await;
        assert_eq!(answer.text(), "/public/x for nobody", "{name}");
    }
    assert!(sent > 1_700, "{sent} headers");
}

const VERBS: &str = "
    POST PUT PATCH DELETE OPTIONS TRACE CONNECT TRACK DEBUG PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH BIND UNBIND
    REBIND ACL REPORT CHECKIN CHECKOUT MERGE MKACTIVITY MKCALENDAR MKWORKSPACE UPDATE LABEL LINK UNLINK ORDERPATCH PURGE BAN
    SOURCE QUERY PRI NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH VIEW INDEX INVENTED
    get Get head GETS GE HEADS get~ GET-X G $ ! 0";

#[tokio::test]
async fn a_rule_for_reading_takes_no_other_verb_and_no_header_changes_it() {
    let world = World::with(rules).await;
    for verb in VERBS.split_whitespace() {
        for path in ["/public/x", "/healthz", "/private", "/news", "/"] {
            is_refused(&world, request(verb, path), &format!("{verb} {path}")).await;
        }
        let (is_reached, _) = reaches(&world, request(verb, "/open/x")).await;
        let is_tunnel = verb == "CONNECT";
        assert_ne!(is_reached, is_tunnel, "{verb} where any method is public");
    }
    let fields = [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-method",
        "x-forwarded-method",
        "x-override-method",
        "x_http_method_override",
        "_method",
    ];
    for field in fields {
        for (verb, stated) in [("POST", "GET"), ("DELETE", "HEAD"), ("PUT", "get")] {
            for path in [
                "/public/x",
                "/public/x?_method=GET",
                "/healthz?_method=HEAD",
            ] {
                let mut asked = request(verb, path);
                asked
                    .headers_mut()
                    .insert(field, HeaderValue::from_static(stated));
                is_refused(&world, asked, &format!("{verb} {path}, {field}: {stated}")).await;
            }
        }
    }
    let mut form = request("POST", "/public/x").map(|_| Full::from("_method=GET"));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    form.headers_mut().insert("content-type", kind);
    is_refused(&world, form, "a form with _method").await;
}

#[tokio::test]
async fn a_preflight_is_protected_like_anything_else() {
    let world = World::with(rules).await;
    let preflight = |path: &str| {
        let mut asked = request("OPTIONS", path);
        let headers = asked.headers_mut();
        headers.insert("origin", HeaderValue::from_static("https://other.example"));
        for (name, value) in [
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
            ("accept", "text/html"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        asked
    };
    for path in ["/private", "/public/x", "/healthz", "/news", "*"] {
        is_refused(&world, preflight(path), path).await;
    }
    let (is_reached, _) = reaches(&world, preflight("/open/x")).await;
    assert!(is_reached, "where every method is public");
}

#[tokio::test(start_paused = true)]
async fn an_optional_path_gets_the_session_where_there_is_one_and_always_varies() {
    type Store = fn(Builder) -> Builder;
    let stores: [(&str, Store, &str); 5] = [
        ("memory", |builder| builder, ADA),
        (
            "active",
            |builder| builder.revocations(async |_: Session| Ok::<_, Infallible>(Standing::Active)),
            ADA,
        ),
        (
            "revoked",
            |builder| {
                builder.revocations(async |_: Session| Ok::<_, Infallible>(Standing::Revoked))
            },
            "nobody",
        ),
        (
            "down",
            |builder| {
                builder.revocations(async |_: Session| {
                    Err::<Standing, _>(StoreError::new(StoreErrorKind::Unavailable))
                })
            },
            "nobody",
        ),
        (
            "slow",
            |builder| {
                builder.revocations(async |_: Session| {
                    std::future::pending::<Result<Standing, Infallible>>().await
                })
            },
            "nobody",
        ),
    ];
    for (name, store, signed_in) in stores {
        let world = World::with(|builder| rules(store(builder))).await;
        let signed = |path: &str| {
            let mut asked = request("GET", path);
            world.layer.sign_in(&mut asked, ADA);
            asked
        };
        let forged = |path: &str| {
            let mut asked = request("GET", path);
            let cookie = HeaderValue::from_static("__Host-magic-link=forged");
            asked.headers_mut().insert("cookie", cookie);
            asked
        };
        let varies_when_public: &[&str] = if signed_in == ADA { &["cookie"] } else { &[] };
        let cases: [(_, _, _, &[&str]); 8] = [
            ("signed in", signed("/news/1"), signed_in, &["cookie"]),
            ("signed in, exact", signed("/"), signed_in, &["cookie"]),
            ("stranger", request("GET", "/news/1"), "nobody", &["cookie"]),
            (
                "stranger, exact",
                request("GET", "/"),
                "nobody",
                &["cookie"],
            ),
            ("forged", forged("/news"), "nobody", &["cookie"]),
            (
                "public, signed in",
                signed("/public"),
                signed_in,
                varies_when_public,
            ),
            ("public, stranger", request("GET", "/public"), "nobody", &[]),
            ("public, forged", forged("/public"), "nobody", &[]),
        ];
        for (case, asked, who, vary) in cases {
            let (_, answer) = reaches(&world, asked).await;
            assert_eq!(answer.status(), 200, "{name}, {case}");
            assert!(
                answer.text().ends_with(&format!(" for {who}")),
                "{name}, {case}: {}",
                answer.text()
            );
            let got: Vec<_> = answer.head.headers.get_all("vary").iter().collect();
            assert_eq!(got, vary, "{name}, {case}");
            assert_eq!(answer.set_cookies(), Vec::<String>::new(), "{name}, {case}");
        }
    }
}

fn corpus(name: &str) -> String {
    let corpora = std::env::var("CORPORA").expect("CORPORA names the folder of test data");
    std::fs::read_to_string(format!("{corpora}/{name}")).unwrap()
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_user_agent_opens_anything() {
    let world = World::with(rules).await;
    let agents = corpus("crawler-user-agents.txt");
    let probes = ["kube-probe/1.30", "ELB-HealthChecker/2.0", "GoogleHC/1.0"];
    let mut count = 0;
    for agent in agents.lines().chain(probes) {
        let value = HeaderValue::from_bytes(agent.as_bytes()).unwrap();
        for (method, path) in [
            ("GET", "/private"),
            ("HEAD", "/private"),
            ("POST", "/public"),
        ] {
            let mut asked = request(method, path);
            asked.headers_mut().insert("user-agent", value.clone());
            is_refused(&world, asked, agent).await;
        }
        count += 1;
    }
    assert!(count > 2_000, "{count} agents");
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
