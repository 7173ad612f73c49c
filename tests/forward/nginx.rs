//! `forward_auth` behind a real nginx, by the very configuration that its documentation shows.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey, WorkOs,
    emulator::{Emulator, EmulatorServer},
};

use crate::{
    person::{Person, location},
    program::Program,
    site::{ADA, as_gateway, spellings},
    upstream,
};

/// nginx, and the folder that it lives in.
struct Nginx {
    _program: Program,
    folder: PathBuf,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the `nginx` block of the documentation, as an administrator would copy it.
fn documented() -> String {
    let source = include_str!("../../src/forward_auth.rs");
    let (_, rest) = source.split_once("/// ```nginx\n").unwrap();
    let (block, _) = rest.split_once("/// ```\n").unwrap();
    block
        .lines()
        .map(|line| format!("{}\n", &line[3..]))
        .collect()
}

async fn nginx(port: u16, auth: &str, service: &str) -> Nginx {
    let folder = std::env::temp_dir().join(format!("tower-magic-link-nginx-{port}"));
    fs::create_dir(&folder).unwrap();
    let locations = documented()
        .replace("http://127.0.0.1:3000", auth)
        .replace("http://127.0.0.1:8080", service);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind}_temp;\n"))
        .concat();
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}\
         server {{\nlisten 127.0.0.1:{port};\n{locations}}}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(&folder)
        .args(["-c", "nginx.conf", "-e", "stderr"]);
    let mut program = Program::start(&mut command);
    // It says nothing when it listens; until then a connection is refused at once.
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        let has_ended = program.child.try_wait().unwrap().is_some();
        assert!(!has_ended, "nginx has ended");
        tokio::task::yield_now().await;
    }
    Nginx {
        _program: program,
        folder,
    }
}

/// Starts what nginx asks: the endpoints, and the question beside them.
async fn sign_in_service(public_url: &str) -> (EmulatorServer, String) {
    let workos = Emulator::builder().build().serve(0).await.unwrap();
    let client = WorkOs::new("sk_test", "client_test")
        .unwrap()
        .base_url(workos.base_url())
        .unwrap();
    let layer = MagicLinkLayer::builder(client, KeyRing::new(SigningKey::generate().unwrap()))
        .public_url(public_url)
        .public_path("/about")
        .trusted_proxies(["127.0.0.1"])
        .build()
        .unwrap();
    let endpoints = Router::new()
        .fallback(async || "behind the layer")
        .layer(layer.clone());
    let app = Router::new()
        .route_service("/ask", layer.forward_auth().for_nginx())
        .fallback_service(endpoints);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (workos, origin)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx; run by tests/run"]
async fn nginx_lets_through_who_is_signed_in_and_nobody_else() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let origin = format!("http://127.0.0.1:{port}");
    let (workos, auth) = sign_in_service(&origin).await;
    let _nginx = nginx(port, &auth, &upstream::serve().await).await;

    let stranger = Person::at(&origin);
    let answer = stranger.get("/page?a=b&c=d", &[]).await;
    let form = format!("{origin}/auth/login?return_to=/page%3Fa%3Db%26c%3Dd");
    assert_eq!(
        (answer.status().as_u16(), location(&answer)),
        (303, form.as_str())
    );
    let fields = [
        ("sec-fetch-mode", "cors"),
        ("x-original-uri", "/about"),
        ("x-forwarded-uri", "/about"),
    ];
    assert_eq!(stranger.get("/page", &fields).await.status(), 401);
    let grpc = [
        ("content-type", "application/grpc"),
        ("sec-fetch-mode", "cors"),
    ];
    assert_eq!(stranger.get("/page", &grpc).await.status(), 401);
    assert_eq!(stranger.get("/.ask", &[]).await.status(), 404);
    assert_eq!(stranger.greet("/socket").await, Err(401));

    let mut person = Person::at(&origin);
    let mail = workos.emulator().clone();
    person
        .sign_in(|| mail.last_link_to(ADA).expect("a mail"))
        .await;
    for spelling in spellings() {
        for (who, path) in [
            (&person, "/page?x=1"),
            (&person, "/about"),
            (&stranger, "/about"),
        ] {
            let fields = [
                (spelling.as_str(), "eve"),
                ("connection", "close, x-auth-email"),
            ];
            let answer = who.get(path, &fields).await;
            assert_eq!(answer.status(), 200, "{spelling} {path}");
            let text = answer.text().await.unwrap();
            assert!(text.starts_with(&format!("GET {path}\n")), "{text}");
            let fields = upstream::fields_of(&text);
            let told = as_gateway(&fields);
            assert_eq!(
                fields["connection"], "upgrade",
                "the client's names nothing"
            );
            let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
            if who.cookie.is_empty() {
                assert_eq!(told, [], "{spelling} {path}");
            } else {
                assert_eq!(
                    names,
                    ["X_AUTH_EMAIL", "X_AUTH_SESSION", "X_AUTH_SUBJECT"],
                    "{spelling} {path}"
                );
                assert_eq!(fields["x-auth-email"], ADA, "{spelling} {path}");
            }
        }
    }
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
}
