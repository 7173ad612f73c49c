//! What the guide changes in a proxy's configuration for gRPC.

use super::adapted;
use crate::front::Front;

const NGINX: &str = include_str!("../../../examples/proxies/nginx_grpc.conf");
const GUIDE: &str = include_str!("../../../src/guide/behind_a_proxy.md");

/// What is replaced, and by what. The guide names the latter.
const CHANGES: [(Front, &str, &str); 5] = [
    (Front::Caddy, CADDY_APP, CADDY_H2C),
    (Front::NewCaddy, CADDY_APP, CADDY_H2C),
    (
        Front::Haproxy,
        "server app 127.0.0.1:8080",
        "server app 127.0.0.1:8080 proto h2",
    ),
    (
        Front::Traefik,
        "url: \"http://127.0.0.1:8080\"",
        "url: \"h2c://127.0.0.1:8080\"",
    ),
    (
        Front::Envoy,
        "*idle\n          explicit_http_config: { http_protocol_options: {} }",
        "*idle\n          explicit_http_config: { http2_protocol_options: {} }",
    ),
];
const CADDY_APP: &str = "reverse_proxy 127.0.0.1:8080";
const CADDY_H2C: &str = "reverse_proxy h2c://127.0.0.1:8080";

/// Caddy's global option for a port without TLS, in the guide's one line.
const CADDY_SERVERS: &str = "servers { protocols h1 h2c }";

/// Returns the documentation of a proxy with what the guide changes. nginx takes gRPC at a port of
/// its own.
pub(super) fn changed(front: Front, documented: &str, port: u16) -> String {
    if front == Front::Nginx {
        return nginx(documented, port);
    }
    let changes = CHANGES.iter().filter(|change| change.0 == front);
    changes.fold(documented.to_owned(), |text, (_, from, to)| {
        for line in to.lines() {
            let line = line.trim();
            let is_new = !documented.contains(line);
            assert!(
                !is_new || GUIDE.contains(line),
                "{line:?} is not in the guide"
            );
        }
        adapted(&text, &[(from, to)])
    })
}

/// Returns Caddy's global option as a file has it.
pub(super) fn caddy_servers() -> String {
    assert!(GUIDE.contains(CADDY_SERVERS));
    CADDY_SERVERS
        .replace("{ ", "{\n\t\t")
        .replace(" }", "\n\t}\n")
}

/// Adds what the file for gRPC has, at the end of `server`.
fn nginx(documented: &str, port: u16) -> String {
    assert!(GUIDE.contains("`nginx_grpc.conf`") && GUIDE.contains("`listen … http2`"));
    let told = |text: &str, by: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(by));
        lines.map(str::to_owned).collect()
    };
    let ours = told(documented, "proxy_set_header ");
    assert_eq!(told(NGINX, "grpc_set_header "), ours, "both say the same");
    let listen = format!("listen 80;\n    listen 127.0.0.1:{port} http2;");
    let (server, _) = documented.rsplit_once('}').unwrap();
    adapted(&format!("{server}{NGINX}}}\n"), &[("listen 80;", &listen)])
}
