//! The fields that the service behind is handed, and those that come back.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use tower_magic_link::ForwardedField;

use super::setting::{Guarded, Version, ask};
use crate::{
    exchange::exchange,
    guard_program::{Limits, Proxy, Trusted},
    person::ProxiedPerson,
    port::free_port,
    program::Program,
    site::FORMER,
    upstream,
};

/// What services take for a proxy's word on the client, the person, the target or the method.
const PROXYS: &str = "
    Forwarded X-Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix
    X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Server X-Forwarded-Client-Cert X-Real-IP
    X-Client-IP X-Cluster-Client-IP True-Client-IP CF-Connecting-IP X-Original-URL X-Original-URI
    X-Original-Method X-Original-Forwarded-For X-Rewrite-URL X-HTTP-Method-Override X-HTTP-Method
    Remote-Email Remote-Groups Remote-Name Remote-User X-Remote-User Proxy
    CF-Access-Authenticated-User-Email CF-Client-Cert-SHA256 Client-Cert Fly-Client-IP
    OIDC-Claim-Email Path-Info
    Proxy-Client-IP Remote-Addr Script-Name SSL-Client-Verify Tailscale-User-Login
    WL-Proxy-Client-IP X-Accel-Mapping X-Amzn-MTLS-Clientcert X-Amzn-OIDC-Identity
    X-AppEngine-User-Email
    X-Anonymous-Consumer X-Apigateway-Api-Userinfo X-Credential-Identifier X-Endpoint-API-UserInfo
    X-MS-TOKEN-AAD-ID-TOKEN X-ARR-ClientCert X-ARR-SSL X-Auth-Username X-Authenticated-UserId X-Authentik-Email
    X-Authentik-Username X-Client-Cert X-Consumer-Username X-Envoy-External-Address
    X-Envoy-Original-Path X-Forward X-Goog-Authenticated-User-Email X-Host X-Ingress-Path
    X-Invoke-Path X-Matched-Path X-Middleware-Subrequest X-MS-Client-Principal-Name
    X-Originating-IP X-Override-Method X-Override-URL X-Pomerium-Claim-Email X-Proxy-URL
    X-Remote-Group X-Replaced-Path X-Rewritten-URL X-Scheme X-Script-Name X-Sendfile-Type
    X-SSL-Client-Verify X-Vouch-User X-WAWS-Unencoded-URL X-WebAuth-Email X-WebAuth-User";

/// What the guard says itself.
const OURS: [&str; 3] = ["X-FORWARDED-FOR", "X-FORWARDED-HOST", "X-FORWARDED-PROTO"];

/// Every spelling of which a gateway makes one variable.
pub(super) fn spellings() -> Vec<String> {
    let spell = |name: &str| ["-", "_", ".", "~"].map(|dash| name.replace('-', dash));
    let names = PROXYS.split_whitespace().chain(FORMER);
    let mut all: Vec<_> = names.flat_map(spell).collect();
    all.sort();
    all.dedup();
    all
}

/// Writes a name as a gateway does, but with dashes.
pub(super) fn folded(name: &str) -> String {
    let upper = name.to_uppercase();
    upper.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// Returns what of a proxy's word stands among fields.
pub(super) fn told(fields: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (folded(&name), value));
    let is_proxys = |name: &String| {
        let mut known = PROXYS.split_whitespace().chain(FORMER);
        known.any(|known| folded(known) == *name)
    };
    let mut told: Vec<_> = fields.filter(|(name, _)| is_proxys(name)).collect();
    told.sort();
    told
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Pinned: what a client said of itself arrived as it stood, and nothing of the guard's own did.
#[tokio::test]
async fn a_client_cannot_speak_for_a_proxy_in_any_spelling() {
    let guard = Guarded::before(&upstream::serve().await).await;
    for version in Version::BOTH {
        let http = version.client();
        let mut asked = Vec::new();
        // Servers take about a hundred fields.
        for some in spellings().chunks(60) {
            asked.push(("/page", guard.cookie.as_str(), some.to_vec()));
            asked.push(("/about", "", some.to_vec()));
        }
        for (path, cookie, some) in asked {
            let request = http.get(format!("{}{path}", guard.origin));
            let mut request = request.header("cookie", cookie);
            for spelling in some {
                request = request.header(spelling, "evil");
            }
            let text = request.send().await.unwrap().text().await.unwrap();
            assert!(
                text.starts_with(&format!("GET {path}\n")),
                "{version:?}: {text}"
            );
            let values = ["127.0.0.1", guard.authority(), "http"];
            let ours = OURS.map(str::to_owned).into_iter();
            let ours: Vec<_> = ours.zip(values.map(str::to_owned)).collect();
            assert_eq!(told(pairs(&text)), ours, "{version:?}, {path}");
        }
    }
}

#[tokio::test]
async fn a_guard_that_gets_too_many_fields_refuses_and_serves_the_next_request() {
    let guard = Guarded::before(&upstream::serve().await).await;
    for (count, want) in [
        (60, [200, 401]),
        (90, [200, 401]),
        // The guard takes a hundred, and the service too, which gets the guard's own beside them.
        (97, [431, 401]),
        (100, [431, 431]),
        (150, [431, 431]),
    ] {
        let many: String = (0..count).map(|n| format!("X-{n}: y\r\n")).collect();
        for (cookie, want) in [guard.cookie.as_str(), ""].into_iter().zip(want) {
            let fields = format!("{many}Cookie: {cookie}\r\n");
            let answer = exchange(guard.authority(), "GET /page HTTP/1.1", &fields, "").await;
            assert_eq!(answer.status, want, "{count}: {answer:?}");
        }
    }
    let fields = format!("Cookie: {}\r\n", guard.cookie);
    let answer = exchange(guard.authority(), "GET /page HTTP/1.1", &fields, "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_client_cannot_have_the_guards_word_removed() {
    let guard = Guarded::before(&upstream::serve().await).await;
    let text = ask(
        guard.authority(),
        b"GET /about HTTP/1.1\r\nHost: app.example.com\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: \
          close, X-Forwarded-For, X-Forwarded-Host, x-forwarded-proto, host, via\r\n\r\n",
    )
    .await;
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let fields = upstream::fields_of(body);
    assert_eq!(fields["x-forwarded-for"], "127.0.0.1");
    assert_eq!(fields["x-forwarded-host"], "app.example.com");
    assert_eq!(fields["x-forwarded-proto"], "http");
    assert_eq!(fields["host"], "app.example.com");
    assert_eq!(fields["via"], "1.1 guard");
    assert!(!fields.contains_key("connection"), "{body}");
}

/// What a field says, and what is handed on.
type Said = (&'static str, &'static [&'static str], &'static str);

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_its_address_joins_the_chain() {
    let service = upstream::serve().await;
    let cases: [Said; 8] = [
        (
            "x-forwarded-for",
            &["203.0.113.9"],
            "203.0.113.9, 127.0.0.1",
        ),
        ("x-forwarded-for", &["a", "b"], "a, b, 127.0.0.1"),
        ("x-forwarded-for", &[], "127.0.0.1"),
        ("x-forwarded-host", &["app.example.com"], "app.example.com"),
        ("x-forwarded-host", &["a/b"], "HOST"),
        ("x-forwarded-proto", &["https"], "https"),
        ("x-forwarded-proto", &["javascript"], "http"),
        ("x-forwarded-proto", &["https", "http"], "http"),
    ];
    for (network, is_trusted) in [
        ("127.0.0.0/8", true),
        ("127.0.0.1", true),
        ("10.0.0.0/8", false),
    ] {
        let trusted = Trusted::parse([network]).unwrap();
        let proxy = Proxy::to(service.parse().unwrap()).trusting(trusted);
        let guard = Guarded::with(proxy, Limits::default()).await;
        for (name, said, mut want) in cases {
            let alone = ["127.0.0.1", guard.authority(), "http"];
            let place = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
            let place = place.iter().position(|known| *known == name).unwrap();
            if !is_trusted || want == "HOST" {
                want = alone[place];
            }
            let mut request = Version::Http1
                .client()
                .get(format!("{}/about", guard.origin));
            request = request.header("x-real-ip", "10.0.0.1");
            for value in said {
                request = request.header(name, *value);
            }
            let text = request.send().await.unwrap().text().await.unwrap();
            let fields = upstream::fields_of(&text);
            assert_eq!(fields[name], want, "{network}, {said:?}");
            assert!(!fields.contains_key("x-real-ip"), "{network}");
        }
    }
}

/// What `Forwarded` says, and the addresses, the host and the scheme that are handed on.
type Stated = (&'static str, &'static [&'static str], [&'static str; 3]);

/// Pinned: the guard handed on the three fields of a client that a proxy in front had left alone,
/// because it writes `Forwarded`. The service then believed the address that the client had chosen.
#[tokio::test]
async fn with_forwarded_a_trusted_proxy_is_believed_by_that_field_alone() {
    const OUTER: &str = "For=203.0.113.9;host=app.example.com;proto=https";
    const ALONE: [&str; 3] = ["127.0.0.1", "HOST", "http"];
    const TOLD: [&str; 3] = ["203.0.113.9, 127.0.0.1", "app.example.com", "https"];
    const SHORT: [&str; 3] = ["203.0.113.9, 127.0.0.1", "HOST", "http"];
    const TWO: [&str; 3] = [
        "203.0.113.9, 127.0.0.2, 127.0.0.1",
        "app.example.com",
        "https",
    ];
    let service = upstream::serve().await;
    let cases: [Stated; 15] = [
        ("none", &[], ALONE),
        ("one proxy", &[OUTER], TOLD),
        (
            "in quotes",
            &["proto=https; for=\"203.0.113.9:4711\" ;host=\"app.example.com\""],
            TOLD,
        ),
        (
            "by IPv6",
            &["for=\"[2001:db8::9]:_p\""],
            ["2001:db8::9, 127.0.0.1", "HOST", "http"],
        ),
        (
            "what a client wrote further left",
            &["for=127.0.0.9;host=evil.example;proto=https, for=203.0.113.9"],
            SHORT,
        ),
        (
            "a quote that a client left open",
            &["for=\"127.0.0.9, for=203.0.113.9"],
            SHORT,
        ),
        (
            "two proxies",
            &[
                "For=203.0.113.9;host=app.example.com;proto=https, for=127.0.0.2;host=inner;proto=http",
            ],
            TWO,
        ),
        (
            "two fields",
            &[OUTER, "for=127.0.0.2;host=inner;proto=http"],
            TWO,
        ),
        (
            "an address that the proxy hides",
            &["for=_hidden;host=app.example.com;proto=https"],
            ["127.0.0.1", "app.example.com", "https"],
        ),
        (
            "no host and scheme that could be",
            &["for=203.0.113.9;host=\"a/b\";proto=javascript"],
            SHORT,
        ),
        (
            "two addresses in one",
            &["for=203.0.113.9;for=127.0.0.9;proto=https"],
            ALONE,
        ),
        (
            "two hosts in one",
            &["for=203.0.113.9;host=a.example;host=b.example"],
            ALONE,
        ),
        ("no pair", &["for=203.0.113.9;secure"], ALONE),
        (
            "nothing behind the last comma",
            &["for=203.0.113.9,"],
            ALONE,
        ),
        (
            "an inner proxy after what cannot be read",
            &["host=evil.example;x, for=127.0.0.2;host=inner;proto=https"],
            ["127.0.0.2, 127.0.0.1", "HOST", "http"],
        ),
    ];
    for (network, field, is_believed) in [
        ("127.0.0.0/8", ForwardedField::Forwarded, true),
        ("10.0.0.0/8", ForwardedField::Forwarded, false),
        ("127.0.0.0/8", ForwardedField::XForwardedFor, false),
    ] {
        let trusted = Trusted::parse([network]).unwrap().by(field);
        let proxy = Proxy::to(service.parse().unwrap()).trusting(trusted);
        let guard = Guarded::with(proxy, Limits::default()).await;
        for (name, said, want) in cases {
            let mut request = Version::Http1
                .client()
                .get(format!("{}/about", guard.origin));
            if field == ForwardedField::Forwarded {
                // What a client would have the service believe.
                for (ours, value) in OURS.iter().zip(["127.0.0.1", "evil.example", "https"]) {
                    request = request.header(*ours, value);
                }
            }
            for value in said {
                request = request.header("forwarded", *value);
            }
            let text = request.send().await.unwrap().text().await.unwrap();
            let fields = upstream::fields_of(&text);
            let want = if is_believed { want } else { ALONE };
            for (ours, want) in OURS.iter().zip(want) {
                let want = if want == "HOST" {
                    guard.authority()
                } else {
                    want
                };
                assert_eq!(fields[*ours], want, "{name}, {network}, {field:?}: {ours}");
            }
            assert!(!fields.contains_key("forwarded"), "{name}");
        }
    }
}

#[tokio::test]
async fn the_program_believes_proxies_by_the_field_of_its_settings() {
    let service = upstream::serve().await;
    for (field, want) in [
        ("", "127.0.0.9, 127.0.0.1"),
        ("x-forwarded-for", "127.0.0.9, 127.0.0.1"),
        ("forwarded", "203.0.113.9, 127.0.0.1"),
    ] {
        let mut guard = Program::example(
            "guard",
            &[
                ("UPSTREAM", &service),
                ("MAGIC_LINK_TRUSTED_PROXIES", "127.0.0.1"),
                ("MAGIC_LINK_FORWARDED_FIELD", field),
                ("MAGIC_LINK_PUBLIC_PATH", "/about"),
            ],
        );
        let origin = guard.says("listening on ");
        let request = Version::Http1.client().get(format!("{origin}/about"));
        let request = request.header("x-forwarded-for", "127.0.0.9");
        let request = request.header("forwarded", "for=203.0.113.9");
        let text = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(
            upstream::fields_of(&text)["x-forwarded-for"],
            want,
            "{field}"
        );
    }
}

/// The variables that stand beside `UPSTREAM` and `PORT`.
#[tokio::test]
async fn the_program_takes_a_public_url_and_trusted_proxies() {
    let (port, _held) = free_port();
    let port = port.to_string();
    let origin = format!("http://localhost:{port}");
    let mut guard = Program::example(
        "guard",
        &[
            ("UPSTREAM", &upstream::serve().await),
            ("PORT", &port),
            ("PUBLIC_URL", &origin),
            ("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1"),
        ],
    );
    assert_eq!(
        guard.says("listening on "),
        format!("http://127.0.0.1:{port}")
    );
    let mut person = ProxiedPerson::at(&origin);
    person
        .sign_in(|| guard.says("sign-in link for ada@example.com: "))
        .await;
    let fields = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
    ];
    let answer = person.get("/page", &fields).await;
    let fields = upstream::fields_of(&answer.text().await.unwrap());
    assert_eq!(fields["x-forwarded-for"], "203.0.113.9, 127.0.0.1");
    assert_eq!(fields["x-forwarded-proto"], "https");
}

#[tokio::test]
async fn the_service_is_spoken_to_by_the_version_of_its_own_connection() {
    let guard = Guarded::before(&upstream::serve().await).await;
    for (version, via) in [(Version::Http1, "1.1 guard"), (Version::Http2, "2.0 guard")] {
        let request = version.client().get(format!("{}/page", guard.origin));
        let answer = request
            .header("cookie", &guard.cookie)
            .header("via", "1.0 other");
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
        assert_eq!(answer.headers()["via"], "1.1 guard");
        let text = answer.text().await.unwrap();
        let fields = upstream::fields_of(&text);
        let vias: Vec<_> = fields.get_all("via").iter().collect();
        assert_eq!(vias, ["1.0 other", via], "{version:?}");
        assert_eq!(fields["host"], guard.authority(), "{version:?}");
    }
}

/// A wish for trailers is for the next connection if the client's carried it properly.
#[tokio::test]
async fn a_wish_for_trailers_goes_on_and_a_clients_trailers_do_not() {
    let guard = Guarded::before(&upstream::serve().await).await;
    let cases = [
        ("named", "TE: trailers\r\nConnection: close, TE\r\n", true),
        ("not named", "TE: trailers\r\nConnection: close\r\n", false),
        ("a coding", "TE: gzip\r\nConnection: close, TE\r\n", false),
        (
            "both",
            "TE: gzip, Trailers\r\nConnection: close, te\r\n",
            true,
        ),
    ];
    for (name, fields, goes_on) in cases {
        let head = format!(
            "GET /about HTTP/1.1\r\nHost: app.example.com\r\nTrailer: x-late\r\nKeep-Alive: 5\r\n\
             Proxy-Connection: close\r\nTransfer-Encoding: chunked\r\n{fields}\r\n\
             1\r\na\r\n0\r\nx-late: 1\r\n\r\n"
        );
        let text = ask(guard.authority(), head.as_bytes()).await;
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let fields = upstream::fields_of(body);
        let te = fields.get("te").map(|value| value.to_str().unwrap());
        assert_eq!(te, goes_on.then_some("trailers"), "{name}: {body}");
        for gone in ["trailer", "keep-alive", "proxy-connection"] {
            assert!(!fields.contains_key(gone), "{name}: {body}");
        }
    }
    let request = Version::Http2
        .client()
        .get(format!("{}/about", guard.origin));
    let answer = request.header("te", "trailers").send().await.unwrap();
    let fields = upstream::fields_of(&answer.text().await.unwrap());
    assert_eq!(fields["te"], "trailers");
    assert_eq!(fields["connection"], "te");
}

#[tokio::test]
async fn cookies_that_http2_splits_arrive_as_one_field() {
    let guard = Guarded::before(&upstream::serve().await).await;
    let request = Version::Http2
        .client()
        .get(format!("{}/page", guard.origin));
    let request = request
        .header("cookie", "a=1")
        .header("cookie", &guard.cookie);
    let answer = request.header("cookie", "b=2").send().await.unwrap();
    let fields = upstream::fields_of(&answer.text().await.unwrap());
    let cookies: Vec<_> = fields.get_all("cookie").iter().collect();
    assert_eq!(cookies, ["a=1; b=2"]);
}

/// The service is written by hand: libraries keep such fields to themselves.
#[tokio::test]
async fn fields_of_the_services_connection_end_there_and_its_trailers_go_on() {
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", service.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = service.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            let answer =
                b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: \
                           timeout=5\r\nTransfer-Encoding: chunked\r\nTrailer: x-late\r\nX-End: 1\
                           \r\n\r\n1\r\na\r\n0\r\nx-late: 1\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    let guard = Guarded::before(&origin).await;
    let text = ask(
        guard.authority(),
        b"GET /about HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n",
    )
    .await;
    let text = text.to_lowercase();
    for gone in ["x-hop", "keep-alive"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    for kept in ["x-end: 1", "via: 1.1 guard", "x-late: 1\r\n"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}
