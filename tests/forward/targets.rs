//! A target that the decider and the service might read differently shows nobody a private file,
//! before servers that read it each their way.
//!
//! Pinned: the layer decided on `/about`, where nginx handed on `/about#/../private/secret.txt`.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    front::Front,
    service::{SECRET, Server, Service},
};

/// Each is a way to say the public path and mean the private file.
const TARGETS: [&[u8]; 44] = [
    b"/about#/../private/secret.txt",
    b"/about#/../../private/secret.txt",
    b"/about#x/../../private/secret.txt",
    b"/about#\\..\\private\\secret.txt",
    b"/about#%2f..%2fprivate/secret.txt",
    b"/about#/%2e%2e/private/secret.txt",
    b"/about#?/../private/secret.txt",
    b"/about?#/../private/secret.txt",
    b"/about?x#/../private/secret.txt",
    b"/about##/../private/secret.txt",
    b"/about/#/../../private/secret.txt",
    b"/about%23/../private/secret.txt",
    b"/private/secret.txt#/about",
    b"/private/secret.txt#",
    b"#/about/../private/secret.txt",
    b"/private/secret.txt?/../about",
    b"/private/secret.txt?x=/about",
    b"/private/secret.txt;/../../about",
    b"/about;/../private/secret.txt",
    b"/about/../private/secret.txt",
    b"/about/..//private/secret.txt",
    b"/about/%2e%2e/private/secret.txt",
    b"/about%2f..%2fprivate%2fsecret.txt",
    b"/about/..%2fprivate/secret.txt",
    b"/about/..%5cprivate/secret.txt",
    b"/about\\..\\private\\secret.txt",
    b"/about/..\\private/secret.txt",
    b"\\about/../private/secret.txt",
    b"/about /../private/secret.txt",
    b"/about\t/../private/secret.txt",
    b"/about\x0b/../private/secret.txt",
    b"/about\x01/../private/secret.txt",
    b"/about\x7f/../private/secret.txt",
    b"/about\x00/../private/secret.txt",
    b"/about\xe9/../private/secret.txt",
    b"/about\xc2\xa0/../private/secret.txt",
    b"/about\xef\xbc\x8f../private/secret.txt",
    b"//about/../private/secret.txt",
    b"/./about/../private/secret.txt",
    b"http://app.example.com/about/../private/secret.txt",
    b"http://app.example.com/about#/../private/secret.txt",
    b"http://app.example.com#/../private/secret.txt",
    b"http://app.example.com?/about/../private/secret.txt",
    b"about/../private/secret.txt",
];

async fn ask(authority: &str, target: &[u8], cookie: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let rest = format!(
        " HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    let head = [b"GET ", target, rest.as_bytes()].concat();
    stream.write_all(&head).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let read = timeout(Duration::from_secs(10), read).await;
    // A reset is an answer too: whoever refuses may not have read all.
    let _ = read.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn tries(front: Front) {
    for server in [Server::Hypercorn, Server::Uvicorn, Server::Node] {
        let service = Service::start(server);
        let running = front.before(&service.origin).await;
        for target in TARGETS {
            let answer = ask(running.authority(), target, "").await;
            let name = String::from_utf8_lossy(target);
            assert!(!answer.contains(SECRET), "{front:?}, {server:?}, {name:?}");
        }
        // The files are there: one for everybody, the other for who is signed in.
        let about = ask(running.authority(), b"/about?x", "").await;
        assert!(
            about.contains("for everybody"),
            "{front:?}, {server:?}: {about}"
        );
        let person = running.person().await;
        let secret = ask(running.authority(), b"/private/secret.txt", &person.cookie).await;
        assert!(secret.contains(SECRET), "{front:?}, {server:?}: {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_the_guard() {
    tries(Front::Guard).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_nginx() {
    tries(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy 2.6, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_debians_caddy() {
    tries(Front::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_the_newest_caddy() {
    tries(Front::NewCaddy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Traefik, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_traefik() {
    tries(Front::Traefik).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_haproxy() {
    tries(Front::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Envoy, Python with hypercorn, uvicorn and starlette, and Node; run by tests/run"]
async fn no_target_shows_a_stranger_a_private_file_through_envoy() {
    tries(Front::Envoy).await;
}
