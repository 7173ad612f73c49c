//! The documented configurations of the proxies, with an administrator's changes to them.

mod grpc;
pub(crate) mod logs;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::front::Front;

const CADDYFILE: &str = include_str!("../../examples/proxies/Caddyfile");
const ENVOY: &str = include_str!("../../examples/proxies/envoy.yaml");
const HAPROXY: &str = include_str!("../../examples/proxies/haproxy/haproxy.cfg");
const HAPROXY_LUA: &str = include_str!("../../examples/proxies/haproxy/forward_auth.lua");
const NGINX: &str = include_str!("../../examples/proxies/nginx.conf");
const TRAEFIK: &str = include_str!("../../examples/proxies/traefik/traefik.yaml");
const TRAEFIK_ROUTES: &str = include_str!("../../examples/proxies/traefik/dynamic.yaml");

/// Where a proxy listens, and the host and port of each service behind it.
pub(crate) struct Behind<'b> {
    pub(crate) port: u16,
    pub(crate) sign_in: &'b str,
    pub(crate) service: &'b str,
    /// Where clients of gRPC connect, if the service speaks that.
    pub(crate) grpc_port: Option<u16>,
    /// What is replaced in the file that has the question.
    pub(crate) changes: &'b [(&'b str, &'b str)],
}

impl Behind<'_> {
    /// Returns a documentation with what the guide changes for the service.
    fn documented(&self, front: Front, text: &str) -> String {
        let text = match front {
            // Its log stands in its other file.
            Front::Traefik => text.to_owned(),
            _ => logs::added(front, text),
        };
        let text = match front {
            // Its question stands in Lua.
            Front::Haproxy => text,
            _ => adapted(&text, self.changes),
        };
        match self.grpc_port {
            Some(port) => grpc::changed(front, &text, port),
            None => text,
        }
    }
}

/// Writes a proxy's configuration into a folder, and returns the command that runs it.
pub(crate) fn command(front: Front, folder: &Path, behind: &Behind<'_>) -> Command {
    match front {
        Front::Caddy => caddy("caddy".into(), folder, behind),
        Front::Envoy => envoy(folder, behind),
        Front::Guard => panic!("the guard is no program of others"),
        Front::Haproxy => haproxy(folder, behind),
        Front::NewCaddy => caddy(from_pypi("caddy"), folder, behind),
        Front::Nginx => nginx(folder, behind),
        Front::Traefik => traefik(folder, behind),
    }
}

/// Replaces what an administrator replaces, and fails where the documentation does not have it.
fn adapted(documented: &str, changes: &[(&str, &str)]) -> String {
    changes
        .iter()
        .fold(documented.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from:?} is not in the documentation");
            text.replace(from, to)
        })
}

/// Returns a program that pip has put beside the Python of the tests.
fn from_pypi(name: &str) -> PathBuf {
    let python = env::var_os("TEST_PYTHON").map(PathBuf::from);
    python.map_or_else(|| name.into(), |python| python.with_file_name(name))
}

fn caddy(program: PathBuf, folder: &Path, behind: &Behind<'_>) -> Command {
    let site = format!("http://:{} {{\n\tbind 127.0.0.1\n", behind.port);
    let documented = adapted(
        &behind.documented(Front::Caddy, CADDYFILE),
        &[
            ("app.example.com {\n", &site),
            ("127.0.0.1:3000", behind.sign_in),
            ("127.0.0.1:8080", behind.service),
        ],
    );
    let (comment, documented) = documented.split_once(&site).unwrap();
    let servers = behind.grpc_port.map(|_| grpc::caddy_servers());
    let servers = servers.unwrap_or_default();
    let configuration = format!("{{\n\tadmin off\n\t{servers}}}\n{comment}{site}{documented}");
    fs::write(folder.join("Caddyfile"), configuration).unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"])
        // Races are rarer with fewer threads than a server has.
        .env("GOMAXPROCS", "8")
        .current_dir(folder)
        .stderr(Stdio::null());
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(variable, folder);
    }
    command
}

fn traefik(folder: &Path, behind: &Behind<'_>) -> Command {
    let address = format!("\"127.0.0.1:{}\"", behind.port);
    let documented = logs::added(Front::Traefik, TRAEFIK);
    let configuration = adapted(&documented, &[("\":80\"", &address)]);
    fs::write(folder.join("traefik.yaml"), configuration).unwrap();
    let routes = adapted(
        &behind.documented(Front::Traefik, TRAEFIK_ROUTES),
        &[
            ("Host(`app.example.com`)", "PathPrefix(`/`)"),
            ("127.0.0.1:3000", behind.sign_in),
            ("127.0.0.1:8080", behind.service),
            // On plain http no cookie has a prefix.
            ("__Host-magic-link", "magic-link"),
        ],
    );
    fs::write(folder.join("dynamic.yaml"), routes).unwrap();
    let mut command = Command::new(from_pypi("traefik"));
    command
        .arg("--configFile=traefik.yaml")
        .current_dir(folder)
        .env("HOME", folder)
        .stderr(Stdio::null());
    command
}

fn nginx(folder: &Path, behind: &Behind<'_>) -> Command {
    let documented = adapted(
        &behind.documented(Front::Nginx, NGINX),
        &[
            ("listen 80;", &format!("listen 127.0.0.1:{};", behind.port)),
            ("127.0.0.1:3000", behind.sign_in),
            ("127.0.0.1:8080", behind.service),
        ],
    );
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind}_temp;\n"))
        .concat();
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log warn;\nevents {{}}\n\
         http {{\naccess_log off;\nssi on;\n{temporary}\n{documented}}}\n"
    );
    fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder)
        .args(["-c", "nginx.conf", "-e", "stderr"]);
    command
}

fn haproxy(folder: &Path, behind: &Behind<'_>) -> Command {
    let configuration = adapted(
        &behind.documented(Front::Haproxy, HAPROXY),
        &[
            ("bind :80", &format!("bind 127.0.0.1:{}", behind.port)),
            ("127.0.0.1:3000", behind.sign_in),
            ("127.0.0.1:8080", behind.service),
        ],
    );
    fs::write(folder.join("haproxy.cfg"), configuration).unwrap();
    let lua = adapted(HAPROXY_LUA, behind.changes);
    fs::write(folder.join("forward_auth.lua"), lua).unwrap();
    let mut command = Command::new("haproxy");
    command
        .args(["-db", "-f", "haproxy.cfg"])
        .current_dir(folder)
        .stderr(fs::File::create(folder.join(logs::FILE)).unwrap());
    command
}

fn envoy(folder: &Path, behind: &Behind<'_>) -> Command {
    let port_of = |authority: &str| format!("port_value: {}", authority.split_once(':').unwrap().1);
    let listener = format!("address: 127.0.0.1, port_value: {} }}", behind.port);
    // Envoy waits for a second before it closes a connection. After that it drops what it has not
    // written, so a much shorter wait would cost answers on a busy machine.
    let prompt = "stat_prefix: web\n                delayed_close_timeout: 0.5s\n";
    let configuration = adapted(
        &behind.documented(Front::Envoy, ENVOY),
        &[
            ("address: 0.0.0.0, port_value: 80 }", &listener),
            ("stat_prefix: web\n", prompt),
            ("port_value: 3000", &port_of(behind.sign_in)),
            ("port_value: 8080", &port_of(behind.service)),
            (
                "domains: [app.example.com, \"app.example.com:*\"]",
                "domains: [\"*\"]",
            ),
        ],
    );
    fs::write(folder.join("envoy.yaml"), configuration).unwrap();
    let mut command = Command::new(from_pypi("envoy"));
    command
        .args(["-c", "envoy.yaml", "--disable-hot-restart"])
        .args(["--concurrency", "1", "-l", "off"])
        .args(["--file-flush-interval-msec", "50"])
        .current_dir(folder)
        .stderr(Stdio::null());
    command
}
