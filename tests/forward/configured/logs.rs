//! What the guide adds to a proxy's configuration for an access log without queries.

use super::adapted;
use crate::front::Front;

const GUIDE: &str = include_str!("../../../src/guide/behind_a_proxy.md");

/// The file of the access log, in the folder of the configuration.
pub(crate) const FILE: &str = "access.log";

/// Returns the guide's block that begins with this line.
fn told(first: &str) -> &'static str {
    let (_, block) = GUIDE.split_once(&format!("\n{first}")).expect(first);
    let start = GUIDE.len() - block.len() - first.len();
    let (block, _) = GUIDE[start..].split_once("\n```").unwrap();
    block
}

/// Indents what follows the first line, too.
fn indented(block: &str, by: &str) -> String {
    let lines = block.lines().map(|line| format!("{by}{line}\n"));
    lines.collect()
}

/// Adds an access log to a documentation, by the guide's lines.
pub(super) fn added(front: Front, documented: &str) -> String {
    match front {
        Front::Caddy | Front::NewCaddy => {
            let log = told("log {").replacen('{', &format!("{{\n\toutput file {FILE}"), 1);
            let site = "app.example.com {\n";
            adapted(documented, &[(site, &format!("{site}{log}\n"))])
        }
        Front::Envoy => {
            let format = told("log_format:");
            let log = format!(
                "stat_prefix: web\n                access_log:\n                  \
                 - name: envoy.access_loggers.file\n                    typed_config:\n{}",
                indented(
                    &format!(
                        "\"@type\": type.googleapis.com/\
                         envoy.extensions.access_loggers.file.v3.FileAccessLog\n\
                         path: {FILE}\n{format}"
                    ),
                    "                      "
                )
            );
            adapted(documented, &[("stat_prefix: web\n", &log)])
        }
        Front::Guard => panic!("the guard is no program of others"),
        Front::Haproxy => {
            let frontend = "frontend web\n";
            // Its errors come here, too.
            let log = format!(
                "    log stderr format raw local0\n    {}\n",
                told("log-format")
            );
            adapted(documented, &[(frontend, &format!("{frontend}{log}"))])
        }
        // Its file has the line.
        Front::Nginx => adapted(documented, &[("/var/log/nginx/access.log", FILE)]),
        Front::Traefik => {
            let file = format!("accessLog:\n  filePath: {FILE}");
            format!(
                "{documented}\n{}\n",
                told("accessLog:").replace("accessLog:", &file)
            )
        }
    }
}
