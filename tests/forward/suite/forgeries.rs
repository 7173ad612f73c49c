//! What only a proxy or the sign-in service may say, said by a client.

use http::HeaderValue;

use super::Stage;
use crate::{
    exchange::exchange,
    front::Front,
    heads::Head,
    names::ADA,
    site::{FORMER, NAMES, as_gateway},
};

/// Fields that some service takes for a proxy's word, or for another path, method or host than the
/// request has.
const OF_PROXIES: [&str; 91] = [
    "CF-Connecting-IP",
    "Client-IP",
    "Fastly-Client-IP",
    "Forwarded",
    "Forwarded-For",
    "Front-End-Https",
    "Proxy",
    "Proxy-Authorization",
    "Remote-Addr",
    "Remote-Email",
    "Remote-Groups",
    "Remote-Name",
    "Remote-User",
    "True-Client-IP",
    "X-Accel-Mapping",
    "X-Authentik-Email",
    "X-Authentik-Entitlements",
    "X-Authentik-Groups",
    "X-Authentik-Jwt",
    "X-Authentik-Meta-App",
    "X-Authentik-Meta-Jwks",
    "X-Authentik-Meta-Outpost",
    "X-Authentik-Meta-Provider",
    "X-Authentik-Meta-Version",
    "X-Authentik-Name",
    "X-Authentik-Uid",
    "X-Authentik-Username",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Forward-For",
    "X-Forwarded",
    "X-Forwarded-By",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Context",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Location",
    "X-Forwarded-Method",
    "X-Forwarded-Original-Path",
    "X-Forwarded-Original-URI",
    "X-Forwarded-Original-URL",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Protocol",
    "X-Forwarded-Query",
    "X-Forwarded-Request",
    "X-Forwarded-Scheme",
    "X-Forwarded-Script-Name",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Forwarded-URL",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Original-For",
    "X-Original-Forwarded-For",
    "X-Original-Host",
    "X-Original-Location",
    "X-Original-Method",
    "X-Original-Path",
    "X-Original-Proto",
    "X-Original-Query",
    "X-Original-Remote-Addr",
    "X-Original-Request",
    "X-Original-Request-URI",
    "X-Original-URI",
    "X-Original-URL",
    "X-Real-IP",
    "X-Remote-Addr",
    "X-Remote-IP",
    "X-Remote-User",
    "X-Rewrite-Path",
    "X-Rewrite-URI",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Script-Name",
    "X-Sendfile-Type",
    "X-URL-Scheme",
    "X-WebAuth-Email",
    "X-WebAuth-Fullname",
    "X-WebAuth-Groups",
    "X-WebAuth-Name",
    "X-WebAuth-Role",
    "X-WebAuth-User",
];

/// What a name may have beside letters and digits (RFC 9110, section 5.6.2). Servers like CGI read
/// each as a dash.
const SEPARATORS: [&str; 15] = [
    "-", "_", ".", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|", "~",
];

pub(super) async fn connection_removes_nothing_of_ours(stage: &Stage) {
    let person = stage.person().await;
    let lists = [
        "close, X-Auth-Email",
        "close, x-auth-email, x-auth-subject, x-auth-decision, set-cookie",
        "close, X-Forwarded-Uri, X-Forwarded-Method, X-Original-URI, X-Original-Method",
        "close, Cookie",
        "close, Host",
        "close, X-Forwarded-For, X-Forwarded-Proto",
    ];
    for named in lists {
        stage.forget();
        let fields = format!("Connection: {named}\r\nCookie: {}\r\n", person.cookie);
        let line = "GET /page HTTP/1.1";
        let answer = exchange(stage.running.authority(), line, &fields, "").await;
        let reached = stage.reached.take();
        let Some(head) = reached.first() else {
            assert!((400..500).contains(&answer.status), "{named}: {answer:?}");
            continue;
        };
        assert_eq!(head.values("x-auth-email"), [ADA], "{named}");
        assert_eq!(as_gateway(&head.fields).len(), 3, "{named}");
        assert_eq!(head.values("host"), [stage.running.authority()], "{named}");
        for kept in ["x-forwarded-for", "x-forwarded-proto"] {
            assert_eq!(head.values(kept).len(), 1, "{named}: {kept}");
        }
        assert_eq!(head.values("connection").join(" "), "", "{named}");
    }
}

/// Pins: Caddy handed on names with `~` or `+` for a dash, and every proxy handed on
/// `X-HTTP-Method-Override` and `X-Script-Name`.
pub(super) async fn a_forwarded_field_of_a_clients_own_reaches_nobody(stage: &Stage) {
    let person = stage.person().await;
    let names: Vec<_> = OF_PROXIES.into_iter().chain(FORMER).chain(NAMES).collect();
    // HAProxy takes no more than 90 fields.
    for some in names.chunks(40) {
        for separator in SEPARATORS {
            let forged = some.iter().map(|name| name.replace('-', separator));
            let forged: String = forged.map(|name| format!("{name}: evil\r\n")).collect();
            let fields = format!("{forged}Cookie: {}\r\n", person.cookie);
            for path in ["/page", "/about", "/auth/login"] {
                let line = format!("GET {path} HTTP/1.1");
                let answer = exchange(stage.running.authority(), &line, &fields, "").await;
                assert!(answer.status < 400, "{path}: {answer:?}");
            }
            let (asked, reached) = (stage.running.asked.take(), stage.reached.take());
            assert_eq!((asked.len(), reached.len()), (3, 2));
            let all = asked.iter().chain(&reached).flat_map(evil_of);
            assert_eq!(all.collect::<Vec<_>>(), [""; 0], "{separator}");
        }
    }
}

/// Returns the forged fields that have arrived.
fn evil_of(head: &Head) -> impl Iterator<Item = String> {
    let evil = |value: &HeaderValue| value.as_bytes().windows(4).any(|it| it == b"evil");
    let forged = head.fields.iter().filter(move |(_, value)| evil(value));
    forged.map(move |(name, _)| format!("{} has {name}", head.target))
}

pub(super) async fn everybody_behind_gets_the_clients_host_and_address(stage: &Stage) {
    let person = stage.person().await;
    for path in ["/page", "/auth/login"] {
        let _ = person.get(path, &[]).await;
    }
    let host = stage.running.authority();
    let (asked, reached) = (stage.running.asked.take(), stage.reached.take());
    assert_eq!((asked.len(), reached.len()), (2, 1));
    for head in asked.iter().chain(&reached) {
        // Traefik asks at the sign-in service's own host.
        let is_question = head.target.starts_with("/ask");
        if stage.front != Front::Traefik || !is_question {
            assert_eq!(head.values("host"), [host], "{}", head.target);
        }
        assert_eq!(head.values("x-forwarded-host"), [host], "{}", head.target);
        assert_eq!(
            head.values("x-forwarded-proto"),
            ["http"],
            "{}",
            head.target
        );
        assert_eq!(
            head.values("x-forwarded-for"),
            ["127.0.0.1"],
            "{}",
            head.target
        );
    }
}

pub(super) async fn two_hosts_are_refused(stage: &Stage) {
    let person = stage.person().await;
    let host = stage.running.authority();
    let fields = format!(
        "Host: {host}\r\nHost: evil.example\r\nCookie: {}\r\n",
        person.cookie
    );
    let answer = exchange(host, "GET /page HTTP/1.1", &fields, "").await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn an_absolute_target_decides_the_host(stage: &Stage) {
    let person = stage.person().await;
    let host = stage.running.authority();
    let fields = format!("Host: evil.example\r\nCookie: {}\r\n", person.cookie);
    let line = format!("GET http://{host}/page HTTP/1.1");
    let answer = exchange(host, &line, &fields, "").await;
    let reached = stage.reached.take();
    if let [head] = reached.as_slice() {
        let (authority, _) = host.split_once(':').unwrap();
        let seen = head.values("host").join(", ");
        assert!(seen == host || seen == authority, "{seen}");
        assert_eq!(head.target, "/page");
    } else {
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
}

pub(super) async fn no_odd_way_to_an_endpoint_passes_a_stranger(stage: &Stage) {
    let targets = [
        "/auth/../page",
        "/auth/..%2fpage",
        "/auth/%2e%2e/page",
        "/auth/..;/page",
        "//auth/../page",
        "/auth//../../page",
        "/AUTH/../page",
        "/auth/%2e%2e%2fpage",
        "/auth/x/../../page?/auth/",
        "/page?/auth/",
        "/page/../auth/../page",
    ];
    for target in targets {
        let line = format!("GET {target} HTTP/1.1");
        let _ = exchange(stage.running.authority(), &line, "", "").await;
        let reached = stage.reached.take();
        assert!(reached.is_empty(), "{target}: {reached:?}");
    }
}

pub(super) async fn identity_in_trailers_does_not_arrive(stage: &Stage) {
    let person = stage.person().await;
    let fields = format!(
        "Cookie: {}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Email\r\n",
        person.cookie
    );
    let body = "5\r\nhello\r\n0\r\nX-Auth-Email: eve@example.com\r\n\r\n";
    let line = "POST /trailers HTTP/1.1";
    let answer = exchange(stage.running.authority(), line, &fields, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // HAProxy hands on trailers, as trailers.
    if stage.front != Front::Haproxy {
        assert!(!answer.body.contains("eve@"), "{answer:?}");
    }
    assert_eq!(stage.reached.take()[0].values("x-auth-email"), [ADA]);
}
