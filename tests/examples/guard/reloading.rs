//! What is read again at SIGHUP, and what systemd is told.

#![cfg(unix)]

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair};
use tokio::{task::yield_now, time::timeout};

use super::{Scratch, ending::ends, guard, logs};
use crate::{
    person::{Person, location},
    program::Program,
};

/// The socket of a supervisor.
struct Supervisor {
    socket: UnixDatagram,
    path: Scratch,
}

impl Supervisor {
    fn new(name: &str) -> Self {
        let path = Scratch::new(name, "");
        fs::remove_file(path.path()).unwrap();
        let socket = UnixDatagram::bind(path.path()).unwrap();
        let limit = Some(Duration::from_secs(30));
        socket.set_read_timeout(limit).unwrap();
        Self { socket, path }
    }

    /// Returns the next message.
    fn hears(&self) -> String {
        let mut message = [0; 256];
        let length = self.socket.recv(&mut message).expect("a message");
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    /// Fills the socket's queue. Returns how many messages that took.
    fn fill(&self) -> usize {
        // A sender has a limit of its own, so each message has another one.
        let sends = || {
            let sender = UnixDatagram::unbound().unwrap();
            sender.set_nonblocking(true).unwrap();
            sender.send_to(b"filler", self.path.path())
        };
        std::iter::repeat_with(sends)
            .take_while(Result::is_ok)
            .count()
    }

    /// Sends SIGHUP, and waits until the program has read its files again.
    fn has_read_again(&self, program: &Program) {
        signal("-HUP", program);
        let message = self.hears();
        let (state, time) = message.split_once('\n').unwrap();
        assert_eq!(state, "RELOADING=1");
        let time: u64 = time
            .strip_prefix("MONOTONIC_USEC=")
            .unwrap()
            .parse()
            .unwrap();
        assert_ne!(time, 0);
        assert_eq!(self.hears(), "READY=1");
    }
}

fn signal(name: &str, program: &Program) {
    let pid = program.child.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// Puts a file into place as a whole.
fn put(file: &Scratch, text: &str) {
    let new = format!("{}.new", file.path());
    fs::write(&new, text).unwrap();
    fs::rename(new, file.path()).unwrap();
}

fn secret() -> String {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).unwrap();
    STANDARD.encode(secret)
}

/// Makes a certificate and its key.
#[cfg(target_os = "linux")]
fn certificate() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Says whether a client that trusts this certificate alone gets an answer.
#[cfg(target_os = "linux")]
async fn trusts(certificate: &str, port: &str) -> bool {
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]);
    let client = client.build().unwrap();
    let answer = client.get(format!("https://localhost:{port}/proto"));
    answer.send().await.is_ok()
}

/// Replaces a file by one that nobody ever writes to: whoever opens it waits.
#[cfg(target_os = "linux")]
fn hang(file: &Scratch) {
    fs::remove_file(file.path()).unwrap();
    let made = Command::new("mkfifo").arg(file.path()).status().unwrap();
    assert!(made.success());
}

/// Says whether a program has a Unix socket for datagrams. The guard opens one for each message and
/// closes it at once, unless it waits for room. (`wchan` would say so, but not with every kernel.)
#[cfg(target_os = "linux")]
fn is_sending(program: &Program) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", program.child.id())).unwrap();
    let open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let open: Vec<_> = open.collect();
    // Read after those: a socket that was closed at once is not among these any more.
    let sockets = fs::read("/proc/net/unix").unwrap();
    let sockets = String::from_utf8_lossy(&sockets);
    sockets.lines().any(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        // The type of datagrams.
        let [_, _, _, _, "0002", _, inode, ..] = columns[..] else {
            return false;
        };
        open.contains(&format!("socket:[{inode}]").into())
    })
}

async fn is_signed_in(person: &mut Person) -> bool {
    let answer = person.get("/proto").await;
    match answer.status().as_u16() {
        200 => true,
        _ => {
            let login = location(&answer);
            assert!(login.starts_with("/auth/login"), "{login}");
            false
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn keys_change_at_a_signal_and_nobody_is_signed_out_who_need_not_be() {
    let (service, ..) = super::service().await;
    let (one, two) = (secret(), secret());
    let keys = Scratch::new("rotated-keys", &format!("id: one\n{one}\n"));
    let log = Scratch::new("rotated-log", "");
    let supervisor = Supervisor::new("rotated-notify");
    let flags = [
        &format!("--upstream={service}"),
        "--port=0",
        &format!("--key-file={}", keys.path()),
    ];
    let mut command = guard(&flags);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    assert_eq!(supervisor.hears(), "READY=1");
    let mut before = Person::at(&origin);
    before.sign_in(&mut program, "/auth/login").await;
    assert!(is_signed_in(&mut before).await);

    // The new key signs, and the old one still verifies.
    put(&keys, &format!("id: two\n{two}\nid: one\n{one}\n"));
    supervisor.has_read_again(&program);
    assert!(is_signed_in(&mut before).await);
    let mut after = Person::at(&origin);
    after.sign_in(&mut program, "/auth/login").await;
    assert!(is_signed_in(&mut after).await);

    // A file that cannot be used changes nothing, and is an error that shows nothing of it.
    put(&keys, &format!("id: three\n{two}hunter2!\n"));
    supervisor.has_read_again(&program);
    assert!(is_signed_in(&mut before).await && is_signed_in(&mut after).await);
    fs::remove_file(keys.path()).unwrap();
    supervisor.has_read_again(&program);
    assert!(is_signed_in(&mut before).await && is_signed_in(&mut after).await);
    let text = logs(&log, "entity not found").await;
    for want in [
        "ERROR guard: SIGHUP: the keys stay as they were: key file is wrong on line 2",
        "INFO guard: SIGHUP: key_file is read again",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    for hidden in ["hunter2", &one, &two] {
        assert!(!text.contains(hidden), "{text}");
    }

    // Without the old key, what it has signed is over.
    put(&keys, &format!("id: two\n{two}\n"));
    supervisor.has_read_again(&program);
    assert!(is_signed_in(&mut after).await);
    assert!(!is_signed_in(&mut before).await);

    signal("-TERM", &program);
    assert_eq!(supervisor.hears(), "STOPPING=1");
    assert!(program.child.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_changes_at_a_signal_and_a_broken_key_file_does_not_keep_it() {
    let (service, ..) = super::service().await;
    let ((old, old_key), (new, new_key)) = (certificate(), certificate());
    let chain = Scratch::new("renewed-chain", &old);
    let key = Scratch::new("renewed-key", &old_key);
    let keys = Scratch::new("renewed-keys", &secret());
    let supervisor = Supervisor::new("renewed-notify");
    let flags = [
        &format!("--upstream={service}"),
        "--port=0",
        "--public-path=/proto",
        &format!("--tls-certificate={}", chain.path()),
        &format!("--tls-key={}", key.path()),
        &format!("--key-file={}", keys.path()),
    ];
    let mut command = guard(&flags);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(Stdio::null());
    let mut program = Program::start(&mut command);
    let port = program.says("listening on https://127.0.0.1:");
    assert_eq!(supervisor.hears(), "READY=1");
    let trusts = async |certificate: &str| trusts(certificate, &port).await;
    assert!(trusts(&old).await && !trusts(&new).await);

    // A chain without its key, as between two writes.
    put(&chain, &new);
    supervisor.has_read_again(&program);
    assert!(trusts(&old).await && !trusts(&new).await);
    put(&key, &new_key);
    put(&keys, "broken");
    supervisor.has_read_again(&program);
    assert!(trusts(&new).await && !trusts(&old).await);
}

/// Pinned: the end waited for a read that never returned.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_that_hangs_holds_up_neither_requests_nor_the_end() {
    let keys = Scratch::new("hanging-keys", &secret());
    let supervisor = Supervisor::new("hanging-notify");
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        &format!("--key-file={}", keys.path()),
    ];
    let mut command = guard(&flags);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(Stdio::null());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    assert_eq!(supervisor.hears(), "READY=1");
    hang(&keys);
    signal("-HUP", &program);
    assert!(supervisor.hears().starts_with("RELOADING=1\n"));
    let form = reqwest::get(format!("{origin}/auth/login")).await.unwrap();
    assert_eq!(form.status(), 200);
    signal("-TERM", &program);
    assert_eq!(supervisor.hears(), "STOPPING=1");
    ends(&mut program).await;
}

/// Pinned: the certificate waited for the file of keys, systemd waited for both, and later signals
/// were ignored without a word.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_hangs_keeps_nothing_from_the_certificate_systemd_or_a_later_signal() {
    let (service, ..) = super::service().await;
    let ((first, first_key), (second, second_key)) = (certificate(), certificate());
    let chain = Scratch::new("beside-chain", &first);
    let key = Scratch::new("beside-key", &first_key);
    let keys = Scratch::new("beside-keys", &secret());
    let log = Scratch::new("beside-log", "");
    let supervisor = Supervisor::new("beside-notify");
    let flags = [
        &format!("--upstream={service}"),
        "--port=0",
        "--public-path=/proto",
        &format!("--tls-certificate={}", chain.path()),
        &format!("--tls-key={}", key.path()),
        &format!("--key-file={}", keys.path()),
    ];
    let mut command = guard(&flags);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    let port = program.says("listening on https://127.0.0.1:");
    assert_eq!(supervisor.hears(), "READY=1");
    hang(&keys);
    put(&key, &second_key);
    put(&chain, &second);
    supervisor.has_read_again(&program);
    let text = logs(&log, "SIGHUP: key_file is not read yet").await;
    assert!(text.contains("INFO guard: SIGHUP: tls_certificate is read again"));
    assert!(trusts(&second, &port).await && !trusts(&first, &port).await);

    put(&key, "broken");
    signal("-HUP", &program);
    assert!(supervisor.hears().starts_with("RELOADING=1\n"));
    let text = logs(&log, "SIGHUP: the certificate stays as it was").await;
    let busy = "WARN guard: SIGHUP: key_file is still being read for an earlier one";
    assert!(text.contains(busy), "{text}");

    // It is read once more, since it may have changed in the meantime.
    let writer = File::options().write(true).open(keys.path()).unwrap();
    put(&keys, &format!("{}\n", secret()));
    drop(writer);
    logs(&log, "SIGHUP: key_file is read again").await;
    assert_eq!(supervisor.hears(), "READY=1");
}

/// Pinned: the message was dropped, and systemd killed a program that was well.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_is_busy_learns_of_the_start_when_it_reads_on() {
    let supervisor = Supervisor::new("busy-notify");
    let waiting = supervisor.fill();
    let mut command = guard(&["--upstream=http://127.0.0.1:1", "--port=0"]);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(Stdio::null());
    let mut program = Program::start(&mut command);
    program.says("listening on ");
    // It waits for a second, so nothing is done in between. A guard that drops its message never
    // waits.
    let sends = async {
        while !is_sending(&program) {
            yield_now().await;
        }
    };
    let sends = timeout(Duration::from_secs(30), sends).await;
    assert!(sends.is_ok(), "nothing waits for the supervisor");
    for _ in 0..waiting {
        assert_eq!(supervisor.hears(), "filler");
    }
    assert_eq!(supervisor.hears(), "READY=1");
}

/// Pinned: the program could end first. Here the message cannot be sent, which it waits to learn.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_waits_until_the_supervisor_has_its_message() {
    let log = Scratch::new("last-log", "");
    let supervisor = Supervisor::new("last-notify");
    let mut command = guard(&["--upstream=http://127.0.0.1:1", "--port=0"]);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    program.says("listening on ");
    assert_eq!(supervisor.hears(), "READY=1");
    assert_ne!(supervisor.fill(), 0);
    signal("-TERM", &program);
    ends(&mut program).await;
    let text = fs::read_to_string(log.path()).unwrap();
    assert!(
        text.contains("NOTIFY_SOCKET cannot be written to"),
        "{text}"
    );
}

/// Pinned: systemd learnt that a guard was ready which was about to end.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_after_the_last_one_is_logged_and_reads_nothing() {
    let (service, asked, go) = super::service().await;
    let keys = Scratch::new("after-keys", &secret());
    let log = Scratch::new("after-log", "");
    let supervisor = Supervisor::new("after-notify");
    let flags = [
        &format!("--upstream={service}"),
        "--port=0",
        "--public-path=/slow",
        "--shutdown-grace=1h",
        &format!("--key-file={}", keys.path()),
    ];
    let mut command = guard(&flags);
    command
        .env("NOTIFY_SOCKET", supervisor.path.path())
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    assert_eq!(supervisor.hears(), "READY=1");
    let slow = tokio::spawn(reqwest::get(format!("{origin}/slow")));
    asked.notified().await;
    signal("-TERM", &program);
    assert_eq!(supervisor.hears(), "STOPPING=1");
    signal("-HUP", &program);
    let text = logs(&log, "guard: SIGHUP").await;
    let why = "SIGHUP: nothing is read again: the guard is about to end";
    assert!(text.contains(why), "{text}");
    go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    ends(&mut program).await;
    supervisor.socket.set_nonblocking(true).unwrap();
    let more = supervisor.socket.recv(&mut [0; 9]);
    assert!(more.is_err(), "a message after the last one");
}

/// Pinned: it ended the program.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_without_a_file_to_read_ends_nothing() {
    let log = Scratch::new("hangup-log", "");
    let mut command = guard(&["--upstream=http://127.0.0.1:1", "--port=0"]);
    command
        // Empty is as good as not set.
        .env("NOTIFY_SOCKET", "")
        .stderr(File::create(log.path()).unwrap());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");
    signal("-HUP", &program);
    let text = logs(&log, "SIGHUP: neither key_file nor tls_certificate is set").await;
    assert!(!text.contains("NOTIFY_SOCKET"), "{text}");
    let form = reqwest::get(format!("{origin}/auth/login")).await.unwrap();
    assert_eq!(form.status(), 200);
}
