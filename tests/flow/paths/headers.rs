//! No host, header or method opens a protected path.

use http::{HeaderName, HeaderValue};
use http_body_util::Full;

use super::{corpus, is_refused, reaches, request, rules};
use crate::support::World;

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
