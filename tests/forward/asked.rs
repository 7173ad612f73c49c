//! What a proxy's question has of a request's head: all that a refusal depends on.
//!
//! nginx and Caddy ask with the whole head. Traefik and Envoy have a list of what they ask with,
//! and HAProxy's Lua one of what it leaves out.
//!
//! Pinned: `Accept-Language` stood in neither list, so that refusals came in the default language.

use std::collections::BTreeSet;

/// Its functions `is_read` and `is_told` have the names.
const ASKED: &str = include_str!("../../src/answer/asked.rs");
const ENVOY: &str = include_str!("../../examples/proxies/envoy.yaml");
const HAPROXY_LUA: &str = include_str!("../../examples/proxies/haproxy/forward_auth.lua");
const TRAEFIK_ROUTES: &str = include_str!("../../examples/proxies/traefik/dynamic.yaml");

/// What no question needs: each configuration drops a client's `Forwarded` and writes none, and
/// `Upgrade` would ask the sign-in service to switch protocols.
const NEVER: [&str; 2] = ["forwarded", "upgrade"];

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, text) = text.split_once(start).expect(start);
    text.split_once(end).expect(end).0
}

/// Returns the names that `is_read` and `is_told` know.
fn known() -> BTreeSet<&'static str> {
    let mut known = BTreeSet::new();
    for function in ["\nfn is_read(", "\nfn is_told("] {
        let names = between(ASKED, function, "\n}\n")
            .split('"')
            .skip(1)
            .step_by(2);
        let before = known.len();
        known.extend(names);
        assert!(known.len() > before + 3, "{function} has names");
    }
    known
}

/// Returns the names that a question lacks.
fn missing(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let needed = known().into_iter().chain(["cookie"]);
    let needed = needed.filter(|name| !NEVER.contains(name));
    needed.filter(|name| !has(name)).collect()
}

#[test]
fn traefik_asks_with_all_that_a_refusal_depends_on() {
    let list = between(TRAEFIK_ROUTES, "authRequestHeaders: [", "]");
    let list: Vec<_> = list.split(", ").map(str::to_lowercase).collect();
    // It writes X-Forwarded-* itself.
    let has = |name: &str| name.starts_with("x-forwarded-") || list.iter().any(|it| it == name);
    assert_eq!(missing(has), [""; 0]);
}

#[test]
fn envoy_asks_with_all_that_a_refusal_depends_on() {
    let list = between(ENVOY, "allowed_headers:\n", "http_service:");
    let lines = list.lines().map(str::trim);
    let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
    for line in lines {
        if let Some(name) = line.strip_prefix("- exact: ") {
            exact.push(name);
        } else if let Some(prefix) = line.strip_prefix("- prefix: ") {
            prefixes.push(prefix);
        }
    }
    let has = |name: &str| {
        exact.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    assert_eq!(missing(has), [""; 0]);
}

#[test]
fn haproxy_leaves_out_nothing_that_a_refusal_depends_on() {
    let list = between(HAPROXY_LUA, "local NOT_ASKED = {", "\n}\n");
    let left_out: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert!(left_out.contains(&"connection"), "{left_out:?}");
    assert_eq!(missing(|name| !left_out.contains(&name)), [""; 0]);
}
