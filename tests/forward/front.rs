//! What stands in front of a guarded service: the guard, or a real proxy that asks, by the very
//! configuration that the documentation shows.

use std::{
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    emulator::{Emulator, EmulatorServer},
    workos::WorkOs,
};

use crate::{guard_example, names::ADA, person::ProxiedPerson, program::Program};

const CADDYFILE: &str = include_str!("../../examples/proxies/Caddyfile");
const NGINX: &str = include_str!("../../examples/proxies/nginx.conf");
const TRAEFIK: &str = include_str!("../../examples/proxies/traefik/traefik.yaml");
const TRAEFIK_ROUTES: &str = include_str!("../../examples/proxies/traefik/dynamic.yaml");

/// A program that asks or forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// The version of Debian.
    Caddy,
    Guard,
    /// The version of today, from PyPI.
    NewCaddy,
    Nginx,
    Traefik,
}

/// A front that runs, with a sign-in service beside it. `/about` is public.
pub(crate) struct Running {
    pub(crate) origin: String,
    workos: EmulatorServer,
    _program: Option<(Program, Folder)>,
}

/// A folder that goes with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tower-magic-link-forward-{}-{count}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) const fn path(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Front {
    /// Starts it in front of a service.
    pub(crate) async fn before(self, service: &str) -> Running {
        let workos = Emulator::builder().build().serve(0).await.unwrap();
        if self == Self::Guard {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let origin = format!("http://{}", listener.local_addr().unwrap());
            let guard = guard_example::app(builder(&workos, &origin), service.parse().unwrap());
            serve(listener, guard.unwrap());
            return Running {
                origin,
                workos,
                _program: None,
            };
        }
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let sign_in = self.sign_in_service(&workos, &origin).await;
        let folder = Folder::new();
        let command = match self {
            Self::Caddy => caddy("caddy".into(), &folder, port, &sign_in, service),
            Self::NewCaddy => caddy(from_pypi("caddy"), &folder, port, &sign_in, service),
            Self::Traefik => traefik(&folder, port, &sign_in, service),
            Self::Guard | Self::Nginx => nginx(&folder, port, &sign_in, service),
        };
        let program = listening(command, port).await;
        // Traefik listens before it knows its routes.
        let form = format!("{origin}/auth/login");
        while reqwest::get(&form).await.unwrap().status() == 404 {
            tokio::task::yield_now().await;
        }
        Running {
            origin,
            workos,
            _program: Some((program, folder)),
        }
    }

    /// Starts what a proxy asks: the endpoints, and the question beside them.
    async fn sign_in_service(self, workos: &EmulatorServer, public_url: &str) -> String {
        let layer = builder(workos, public_url);
        let layer = layer.trusted_proxies(["127.0.0.1"]).build().unwrap();
        let endpoints = Router::new()
            .fallback(async || "behind the layer")
            .layer(layer.clone());
        let question = match self {
            Self::Nginx => layer.forward_auth().for_nginx(),
            _ => layer.forward_auth(),
        };
        let app = Router::new()
            .route_service("/ask", question)
            .fallback_service(endpoints);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        serve(listener, app);
        origin
    }
}

impl Running {
    /// Somebody who is signed in here.
    pub(crate) async fn person(&self) -> ProxiedPerson {
        self.person_called(ADA).await
    }

    /// Somebody of this address who is signed in here.
    pub(crate) async fn person_called(&self, email: &str) -> ProxiedPerson {
        let mut person = ProxiedPerson::at(&self.origin);
        let mail = self.workos.emulator().clone();
        let link = || mail.last_link_to(email).expect("a mail");
        person.sign_in_as(email, link).await;
        person
    }

    /// The address of its socket.
    pub(crate) fn authority(&self) -> &str {
        authority(&self.origin)
    }
}

fn builder(workos: &EmulatorServer, public_url: &str) -> Builder {
    let client = WorkOs::new("sk_test", "client_test").unwrap();
    let client = client.base_url(workos.base_url()).unwrap();
    MagicLinkLayer::builder(client, KeyRing::new(SigningKey::generate().unwrap()))
        .public_url(public_url)
        .public_path("/about")
}

fn serve(listener: TcpListener, app: Router) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    free.local_addr().unwrap().port()
}

/// Starts a server that says nothing when it listens; until then a connection is refused at once.
async fn listening(mut command: Command, port: u16) -> Program {
    let mut program = Program::start(&mut command);
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        let has_ended = program.child.try_wait().unwrap().is_some();
        assert!(!has_ended, "{command:?} has ended");
        tokio::task::yield_now().await;
    }
    program
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

/// Returns what stands behind the scheme of an origin.
fn authority(origin: &str) -> &str {
    origin.strip_prefix("http://").unwrap()
}

fn caddy(program: PathBuf, folder: &Folder, port: u16, sign_in: &str, service: &str) -> Command {
    let site = format!("http://:{port} {{\n\tbind 127.0.0.1\n");
    let documented = adapted(
        CADDYFILE,
        &[
            ("app.example.com {\n", &site),
            ("127.0.0.1:3000", authority(sign_in)),
            ("127.0.0.1:8080", authority(service)),
        ],
    );
    let (comment, documented) = documented.split_once(&site).unwrap();
    let configuration = format!("{{\n\tadmin off\n}}\n{comment}{site}{documented}");
    fs::write(folder.path().join("Caddyfile"), configuration).unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"])
        .current_dir(folder.path())
        .stderr(Stdio::null());
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(variable, folder.path());
    }
    command
}

fn traefik(folder: &Folder, port: u16, sign_in: &str, service: &str) -> Command {
    let address = format!("\"127.0.0.1:{port}\"");
    let configuration = adapted(TRAEFIK, &[("\":80\"", &address)]);
    fs::write(folder.path().join("traefik.yaml"), configuration).unwrap();
    let routes = adapted(
        TRAEFIK_ROUTES,
        &[
            ("Host(`app.example.com`)", "PathPrefix(`/`)"),
            ("http://127.0.0.1:3000", sign_in),
            ("http://127.0.0.1:8080", service),
            // On plain http no cookie has a prefix.
            ("__Host-magic-link", "magic-link"),
        ],
    );
    fs::write(folder.path().join("dynamic.yaml"), routes).unwrap();
    let mut command = Command::new(from_pypi("traefik"));
    command
        .arg("--configFile=traefik.yaml")
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stderr(Stdio::null());
    command
}

fn nginx(folder: &Folder, port: u16, sign_in: &str, service: &str) -> Command {
    let documented = adapted(
        NGINX,
        &[
            ("listen 80;", &format!("listen 127.0.0.1:{port};")),
            ("http://127.0.0.1:3000", sign_in),
            ("http://127.0.0.1:8080", service),
        ],
    );
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind}_temp;\n"))
        .concat();
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}\n{documented}}}\n"
    );
    fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder.path())
        .args(["-c", "nginx.conf", "-e", "stderr"]);
    command
}
