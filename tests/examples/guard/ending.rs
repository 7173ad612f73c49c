//! Connections that nobody can wait for, in a crowd and at the end.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{Scratch, guard};
use crate::program::Program;

/// The longest that an end may take here. The grace is longer.
const SOON: Duration = Duration::from_secs(15);

/// The longest that a probe of the admin address may take. After ten seconds that address closes
/// silent connections by itself, which is not what is tried here.
const PROBED: Duration = Duration::from_secs(8);

fn with_tls(more: &[&str]) -> (Program, String, [Scratch; 2]) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let name = |of: &str| format!("{of}-{}", more.len());
    let chain = Scratch::new(&name("ending-chain"), &certificate.pem());
    let secret = Scratch::new(&name("ending-key"), &key.serialize_pem());
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        "--idle-limit=1h",
        "--shutdown-grace=1h",
        &format!("--tls-certificate={}", chain.path()),
        &format!("--tls-key={}", secret.path()),
    ];
    let mut command = guard(&[&flags[..], more].concat());
    let mut program = Program::start(command.stderr(Stdio::null()));
    let authority = program.says("listening on https://");
    (program, authority, [chain, secret])
}

fn kill(program: &Program) {
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
}

pub(super) async fn ends(program: &mut Program) {
    let ended = async {
        while program.child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.expect("an end");
}

/// Waits until the other side closes.
async fn closes(stream: &mut TcpStream) {
    let read = timeout(SOON, stream.read(&mut [0; 9])).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
}

/// Pinned: a handshake that nobody went on with kept its place for the whole idle limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_handshake_makes_room_for_another_client() {
    let (_program, authority, _files) = with_tls(&["--connection-limit=1"]);
    let mut silent = TcpStream::connect(&authority).await.unwrap();
    let _next = TcpStream::connect(&authority).await.unwrap();
    closes(&mut silent).await;
}

/// Pinned: it held up the end for the whole grace.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_handshake_does_not_hold_up_the_end() {
    let (mut program, authority, _files) = with_tls(&[]);
    let mut silent = TcpStream::connect(&authority).await.unwrap();
    kill(&program);
    closes(&mut silent).await;
    ends(&mut program).await;
}

/// Pinned: it held up the end for the whole grace.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_does_not_hold_up_the_end() {
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = format!("--upstream=http://{}", service.local_addr().unwrap());
    let flags = [
        &upstream,
        "--port=0",
        "--public-path=/socket",
        "--shutdown-grace=1h",
    ];
    let mut program = Program::start(guard(&flags).stderr(Stdio::null()));
    let authority = program.says("listening on http://");
    let mut socket = TcpStream::connect(&authority).await.unwrap();
    let asked = format!(
        "GET /socket HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(asked.as_bytes()).await.unwrap();
    let (mut theirs, _) = service.accept().await.unwrap();
    let mut head = [0; 4_096];
    assert_ne!(theirs.read(&mut head).await.unwrap(), 0);
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                     Upgrade: websocket\r\n\r\nhello";
    theirs.write_all(switched).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("hello") {
        let mut bytes = [0; 1_024];
        let read = timeout(SOON, socket.read(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(read, 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    kill(&program);
    closes(&mut socket).await;
    ends(&mut program).await;
}

/// Pinned: connections to the admin address had no limit.
#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_of_the_admin_address_make_room_for_a_probe() {
    let log = Scratch::new("crowd-log", "");
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        "--admin-listen=127.0.0.1:0",
        "--redis-url=redis://127.0.0.1:1",
    ];
    let mut command = guard(&flags);
    let mut program = Program::start(command.stderr(std::fs::File::create(log.path()).unwrap()));
    program.says("listening on ");
    let admin = super::admin_of(&log);
    let authority = admin.strip_prefix("http://").unwrap();
    let mut crowd = Vec::new();
    for _ in 0..65 {
        crowd.push(TcpStream::connect(authority).await.unwrap());
    }
    let answer = timeout(PROBED, reqwest::get(format!("{admin}/readyz")));
    let answer = answer.await.unwrap().unwrap();
    // The phase alone: the rest may have Redis's own words.
    assert_eq!(
        answer.text().await.unwrap(),
        "not ready\nrevocation store: loading, 0 of 0\n"
    );
    let open = crowd.iter().filter(|stream| {
        let read = stream.try_read(&mut [0; 9]);
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    });
    assert!(open.count() < 65);
}

/// Pinned: it did nothing.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_does_not_wait_for_the_grace() {
    let (service, asked, _go) = super::service().await;
    let upstream = format!("--upstream={service}");
    let flags = [
        &upstream,
        "--port=0",
        "--public-path=/slow",
        "--shutdown-grace=1h",
    ];
    let mut program = Program::start(guard(&flags).stderr(Stdio::null()));
    let origin = program.says("listening on ");
    let slow = tokio::spawn(reqwest::get(format!("{origin}/slow")));
    asked.notified().await;
    kill(&program);
    // It takes nobody new once it has the first signal.
    while reqwest::get(format!("{origin}/auth/login")).await.is_ok() {}
    let pid = program.child.id().to_string();
    let interrupt = || Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(interrupt().success());
    ends(&mut program).await;
    assert_eq!(program.child.wait().unwrap().code(), Some(130));
    assert!(slow.await.unwrap().is_err());
}
