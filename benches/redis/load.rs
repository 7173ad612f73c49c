//! The first load: how long it takes, and what it takes of memory.
//!
//! - Each load runs in a process of its own: its peak is the kernel's high-water mark of the
//!   resident set, and settled is what is resident a second after the load.
//! - Far is a proxy that hands everything on 40 ms later, in each direction.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::sleep_until,
};
use tower_magic_link::{revocation::RedisRevocations, store::Redis};

use super::Server;

/// How much later the proxy hands on what it was given.
const ONE_WAY: Duration = Duration::from_millis(40);
/// The last moment of each session that has ended, in seconds since 1970.
const LATER: u64 = 4_000_000_000;
/// How many members one command stores.
const BATCH: u64 = 1_000;

/// What has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sessions,
    Subjects,
}

/// Loads so many, each in a process of its own, and prints what that took.
pub(super) fn measure(runtime: &tokio::runtime::Runtime, many: [u64; 3]) {
    let [few, large, subjects] = many;
    for (kind, many, is_far, limit) in [
        (Kind::Sessions, few, false, 3.0),
        (Kind::Sessions, few, true, 30.0),
        (Kind::Sessions, large, false, f64::INFINITY),
        (Kind::Subjects, subjects, false, f64::INFINITY),
    ] {
        let server = Server::start();
        runtime.block_on(begin(&server.url()));
        fill(server.port, kind, many);
        let port = if is_far {
            runtime.block_on(far(server.port))
        } else {
            server.port
        };
        let child = Command::new(env::current_exe().unwrap())
            .args(["--load", &port.to_string(), &many.to_string()])
            .output()
            .unwrap();
        assert!(child.status.success(), "{child:?}");
        let figures = String::from_utf8(child.stdout).unwrap();
        let figures: Vec<f64> = figures
            .split_whitespace()
            .map(|figure| figure.parse().unwrap())
            .collect();
        let [seconds, before, peak, settled] = figures[..] else {
            panic!("{figures:?}");
        };
        let each = (settled - before) / f64::from(u32::try_from(many).unwrap());
        let ratio = peak / settled;
        let is_good = seconds <= limit && ratio <= 1.3;
        println!(
            "{} first load, {many} {kind:?}{}: {seconds:.2} s (at most {limit} s), {each:.0} bytes \
             each, peak {:.0} MB, {ratio:.2} times settled (at most 1.3)",
            if is_good { "pass" } else { "FAIL" },
            if is_far { ", 80 ms away" } else { "" },
            peak / 1e6,
        );
    }
}

/// Loads in this process, and prints how many seconds that took, and the memory before it, at its
/// peak and after it.
pub(super) fn load(port: &str, many: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let redis = Redis::new(&format!("redis://127.0.0.1:{port}")).unwrap();
    let before = status("VmRSS:");
    let began = Instant::now();
    let store = runtime.block_on(RedisRevocations::connect(&redis)).unwrap();
    let took = began.elapsed().as_secs_f64();
    assert_eq!(store.len(), many);
    thread::sleep(Duration::from_secs(1));
    println!("{took} {before} {} {}", status("VmHWM:"), status("VmRSS:"));
}

/// Returns a line of the kernel's description of this process, in bytes.
fn status(name: &str) -> f64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return f64::NAN;
    };
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap();
    kibibytes.parse::<f64>().unwrap() * 1024.0
}

/// Begins a data set, which is empty.
async fn begin(url: &str) {
    let redis = Redis::new(url).unwrap();
    while RedisRevocations::connect(&redis).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Stores what has ended, as the layer does.
fn fill(port: u16, kind: Kind, many: u64) {
    let mut redis = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut reader = redis.try_clone().unwrap();
    let answers = thread::spawn(move || {
        let mut buffer = [0; 65_536];
        let mut lines = 0;
        while lines < many.div_ceil(BATCH) {
            let count = reader.read(&mut buffer).unwrap();
            assert!(count > 0 && !buffer[..count].contains(&b'-'));
            let ends = buffer[..count].iter().filter(|byte| **byte == b'\n');
            lines += u64::try_from(ends.count()).unwrap();
        }
    });
    let mut random = 7u128;
    for batch in (0..many).step_by(1_000) {
        let count = BATCH.min(many - batch);
        let mut command = format!("*{}\r\n", 2 + 2 * count).into_bytes();
        let mut word = |text: &[u8]| {
            command.extend(format!("${}\r\n", text.len()).bytes());
            command.extend(text);
            command.extend(b"\r\n");
        };
        word(b"ZADD");
        word(b"{tower-magic-link}:ended");
        for number in batch..batch + count {
            random = random
                .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
                .wrapping_add(1);
            let member = match kind {
                Kind::Sessions => [&b"s"[..], &random.to_be_bytes()].concat(),
                Kind::Subjects => format!("u1767225600:user_{random:026x}").into_bytes(),
            };
            word((LATER + number % 43_200).to_string().as_bytes());
            word(&member);
        }
        redis.write_all(&command).unwrap();
    }
    answers.join().unwrap();
}

/// Returns the port of a proxy to that port of this machine, 80 ms away.
async fn far(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            let far = tokio::net::TcpStream::connect(("127.0.0.1", port));
            let far = far.await.unwrap();
            let (from_near, to_near) = near.into_split();
            let (from_far, to_far) = far.into_split();
            tokio::spawn(carry(from_near, to_far));
            tokio::spawn(carry(from_far, to_near));
        }
    });
    at
}

/// Hands on what it reads, each packet later by [`ONE_WAY`]: later packets do not wait for earlier
/// ones.
async fn carry(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    let (packets, mut carried) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((due, packet)) = carried.recv().await {
            sleep_until(due).await;
            let packet: Vec<u8> = packet;
            if to.write_all(&packet).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let due = tokio::time::Instant::now() + ONE_WAY;
        if packets.send((due, buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}
