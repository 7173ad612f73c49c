//! The guard as an operator runs it: its file, its checks, its admin address, and how it ends.

mod check;
mod codes;
mod ending;
mod guide;
mod outage;
mod reloading;
mod starts;
mod unit;

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};
use rcgen::{CertificateParams, KeyPair};
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    person::{Person, location},
    program::Program,
};

/// Removed when it is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let name = format!("tower-magic-link-guard-{}-{name}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns the guard with these flags and no variables that could be read.
fn guard(flags: &[&str]) -> Command {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push(format!("examples/guard{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(path);
    for (name, _) in env::vars() {
        if ["MAGIC_LINK_", "WORKOS_"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            command.env_remove(name);
        }
    }
    command.args(flags);
    command
}

fn output(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

/// A service whose `/slow` answers when it is told to, and says when it was asked.
async fn service() -> (String, Arc<Notify>, Arc<Notify>) {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (asked.clone(), go.clone());
    let slow = move || {
        let (told, waits) = (told.clone(), waits.clone());
        async move {
            told.notify_one();
            waits.notified().await;
            "slow"
        }
    };
    let proto = async |headers: http::HeaderMap| {
        let spoken = headers.get("x-forwarded-proto").unwrap();
        spoken.to_str().unwrap().to_owned()
    };
    let app = Router::new()
        .route("/slow", get(slow))
        .route("/proto", get(proto));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (origin, asked, go)
}

#[test]
fn the_settings_are_printed_with_where_they_come_from_and_without_a_secret() {
    let text = "upstream = \"http://127.0.0.1:1\"\nsession_lifetime = \"8h\"\nmount = \"/file\"\n";
    let file = Scratch::new("print.toml", text);
    let mut command = guard(&["--config", file.path(), "--print-config", "--mount=/flag"]);
    command.envs([
        ("WORKOS_API_KEY", "sk_hunter2"),
        ("PUBLIC_URL", "https://app.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.1"),
    ]);
    let (output, out, err) = output(&mut command);
    assert!(output.status.success(), "{err}");
    let of_file = format!("session_lifetime = \"8h\" # {}\n", file.path());
    for want in [
        of_file.as_str(),
        "mount = \"/flag\" # flag --mount\n",
        "# workos_api_key = [redacted] (variable WORKOS_API_KEY)\n",
        "public_url = \"https://app.example.com\" # variable PUBLIC_URL\n",
        "trusted_proxies = [\"10.0.0.1\"] # variable TRUSTED_PROXIES\n",
        "# idle_limit = \"30s\"\n",
    ] {
        assert!(out.contains(want), "{want}: {out}");
    }
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_mistake_ends_the_program_with_what_is_meant() {
    let file = Scratch::new("typo.toml", "upstraem = \"http://127.0.0.1:1\"");
    let typo = format!(
        "{}: there is no setting upstraem: do you mean upstream?",
        file.path()
    );
    let cases: [(&[&str], &str); 6] = [
        (&["--config", file.path()], &typo),
        (&["--config"], "flag --config lacks its value"),
        (&[], "upstream is not set"),
        (
            &["--upstream=http://127.0.0.1:1/x"],
            "upstream must be an origin",
        ),
        (
            &["--upstream=http://127.0.0.1:1", "--port=web"],
            "flag --port \"web\" must be a number",
        ),
        (
            &[
                "--upstream=http://127.0.0.1:1",
                "--port=0",
                "--idle-timeout=1s",
            ],
            "idle_timeout \"1s\" must be 1 minute or more",
        ),
    ];
    for (flags, want) in cases {
        let (output, _, err) = output(&mut guard(flags));
        assert!(!output.status.success(), "{flags:?}");
        assert!(err.contains(want), "{flags:?}: {err}");
    }
    let (help, out, _) = output(&mut guard(&["--help"]));
    assert!(
        help.status.success() && out.contains("--print-config"),
        "{out}"
    );
}

/// Returns the address at which operators ask, which the program says on its standard error.
fn admin_of(log: &Scratch) -> String {
    let text = fs::read_to_string(log.path()).unwrap();
    let (_, rest) = text.split_once("operators ask at ").unwrap();
    rest.lines().next().unwrap().to_owned()
}

/// Waits until the program has logged a text, and returns all that it has logged.
pub(crate) async fn logs(log: &Scratch, text: &str) -> String {
    let reads = async {
        loop {
            let all = fs::read_to_string(log.path()).unwrap();
            if all.contains(text) {
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(30), reads).await;
    read.unwrap_or_else(|_| panic!("{text}: {}", fs::read_to_string(log.path()).unwrap()))
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn operators_ask_at_an_address_of_their_own_and_an_open_request_ends_before_the_program() {
    let (service, asked, go) = service().await;
    let log = Scratch::new("log", "");
    let upstream = format!("--upstream={service}");
    let flags = [
        &upstream,
        "--port=0",
        "--admin-listen=127.0.0.1:0",
        "--public-path=/slow",
    ];
    let mut command = guard(&flags);
    command
        .stderr(fs::File::create(log.path()).unwrap())
        .stdin(Stdio::null());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    let admin = admin_of(&log);
    let ask = async |url: String| {
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(
        ask(format!("{admin}/healthz")).await,
        (200, "alive\n".to_owned())
    );
    assert_eq!(
        ask(format!("{admin}/readyz")).await,
        (200, "ready\n".to_owned())
    );
    // Both paths of the guard itself ask for a session.
    let mut person = Person::at(&origin);
    for path in ["/healthz", "/readyz"] {
        let login = location(&person.get(path).await);
        assert!(login.starts_with("/auth/login"), "{path}: {login}");
    }
    let slow = tokio::spawn(reqwest::get(format!("{origin}/slow")));
    asked.notified().await;
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    // It is not ready any more, and takes nobody new, while the open request goes on.
    while ask(format!("{admin}/readyz")).await != (503, "stopping\n".to_owned()) {}
    while reqwest::get(format!("{origin}/auth/login")).await.is_ok() {}
    assert!(program.child.try_wait().unwrap().is_none());
    go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().text().await.unwrap(), "slow");
    assert!(program.child.wait().unwrap().success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_cut_when_the_grace_is_over() {
    let (service, asked, _go) = service().await;
    let upstream = format!("--upstream={service}");
    let flags = [
        &upstream,
        "--port=0",
        "--shutdown-grace=100ms",
        "--public-path=/slow",
    ];
    let mut program = Program::start(guard(&flags).stderr(Stdio::null()));
    let origin = program.says("listening on ");
    let slow = tokio::spawn(reqwest::get(format!("{origin}/slow")));
    asked.notified().await;
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(slow.await.unwrap().is_err());
    assert!(program.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_makes_it_unready() {
    let log = Scratch::new("redis-log", "");
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        "--admin-listen=127.0.0.1:0",
        "--redis-url=redis://127.0.0.1:1",
    ];
    let mut command = guard(&flags);
    command.stderr(fs::File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    program.says("listening on ");
    let answer = reqwest::get(format!("{}/readyz", admin_of(&log)))
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    let text = answer.text().await.unwrap();
    assert!(
        text.starts_with("not ready\nrevocation store: loading"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_https_and_says_so_to_the_service() {
    let (service, ..) = service().await;
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let chain = Scratch::new("chain.pem", &certificate.pem());
    let secret = Scratch::new("key.pem", &key.serialize_pem());
    let flags = [
        &format!("--upstream={service}"),
        "--port=0",
        "--public-path=/proto",
        &format!("--tls-certificate={}", chain.path()),
        &format!("--tls-key={}", secret.path()),
        "--idle-limit=1s",
    ];
    let mut program = Program::start(guard(&flags).stderr(Stdio::null()));
    let origin = program.says("listening on https://127.0.0.1:");
    let root = reqwest::Certificate::from_pem(certificate.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let answer = client
        .get(format!("https://localhost:{origin}/proto"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "https");
    // A client that never gets through the handshake is let go.
    let address = format!("127.0.0.1:{origin}");
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut buffer = [0; 9];
    let read = tokio::io::AsyncReadExt::read(&mut silent, &mut buffer);
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    let half = guard(&[&flags[..2], &flags[3..4]].concat())
        .output()
        .unwrap();
    assert!(!half.status.success(), "a certificate without its key");
}
