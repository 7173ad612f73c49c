//! Connections on which nothing happens, and many of them.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::setting::{Guarded, SOON, Version, hear};
use crate::{
    guard_program::{Limits, Proxy},
    person::ProxiedPerson,
    upstream,
};

const IDLE: Duration = Duration::from_millis(200);

/// What is said on a connection before nothing more is.
const BEGINNINGS: [(&str, &[u8]); 6] = [
    ("nothing", b""),
    ("half a preface", b"PRI * HTTP/2.0\r\n"),
    ("half a head", b"GET /about HTTP/1.1\r\nHost: a"),
    (
        "a line at a time",
        b"GET /about HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n",
    ),
    ("a whole request", b"GET /about HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "a preface and settings",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    ),
];

/// Opens connections of every beginning, as many as descriptors admit.
pub(super) async fn open(authority: &str, wanted: usize) -> Vec<TcpStream> {
    let count = wanted.min(descriptors().saturating_sub(300));
    if count < wanted {
        eprintln!("{count} connections: the limit of descriptors admits no more");
    }
    let mut streams = Vec::new();
    for (_, beginning) in BEGINNINGS.iter().cycle().take(count) {
        let mut stream = TcpStream::connect(authority).await.unwrap();
        // One that the guard has closed already takes no more.
        let _ = stream.write_all(beginning).await;
        streams.push(stream);
    }
    streams
}

#[cfg(unix)]
fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    maximum.map_or(usize::MAX, |maximum| maximum.try_into().unwrap())
}

#[cfg(not(unix))]
const fn descriptors() -> usize {
    usize::MAX
}

async fn guard_with(limits: Limits) -> Guarded {
    let proxy = Proxy::to(upstream::serve().await.parse().unwrap());
    Guarded::with(proxy, limits).await
}

/// Asks by a new connection of each version.
pub(super) async fn asks(origin: &str, cookie: &str) {
    for version in Version::BOTH {
        let request = version.client().get(format!("{origin}/page"));
        let request = request.header("cookie", cookie).send();
        let answer = timeout(SOON, request).await.expect("an answer").unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
    }
}

#[tokio::test]
async fn a_connection_without_a_request_under_way_is_closed() {
    let guard = guard_with(Limits {
        connections: 100,
        idle: IDLE,
    })
    .await;
    for (name, beginning) in BEGINNINGS {
        let mut stream = TcpStream::connect(guard.authority()).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let answer = hear(&mut stream).await;
        let is_answered = answer.starts_with("HTTP/1.1 200");
        assert_eq!(is_answered, name == "a whole request", "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_with_a_request_under_way_stays() {
    let guard = guard_with(Limits {
        connections: 100,
        idle: IDLE,
    })
    .await;
    for version in Version::BOTH {
        let request = version.client().get(format!("{}/endless", guard.origin));
        let mut answer = request
            .header("cookie", &guard.cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "first");
        let more = timeout(8 * IDLE, answer.chunk()).await;
        assert!(more.is_err(), "{version:?}: {more:?}");
    }
    let mut person = ProxiedPerson::at(&guard.origin);
    person.cookie.clone_from(&guard.cookie);
    let mut socket = person.connect("/socket").await.unwrap();
    let more = timeout(8 * IDLE, socket.get_mut().read(&mut [0; 10])).await;
    assert!(more.is_err(), "{more:?}");
}

/// The one that has been idle for longest makes room.
#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let hour = Duration::from_secs(3_600);
    let guard = guard_with(Limits {
        connections: 6,
        idle: hour,
    })
    .await;
    let crowd = open(guard.authority(), 60).await;
    asks(&guard.origin, &guard.cookie).await;
    drop(crowd);
    asks(&guard.origin, &guard.cookie).await;
}

/// Pinned: each new connection waited until the one before it had its place, which took 10 ms.
/// Somebody who kept a byte on each connection let a hundred a second in.
#[tokio::test(start_paused = true)]
async fn new_connections_do_not_wait_for_each_other() {
    let guard = guard_with(Limits {
        connections: 8,
        idle: Duration::from_secs(3_600),
    })
    .await;
    let begun = tokio::time::Instant::now();
    let mut crowd = Vec::new();
    // No more than may wait in the listener's own queue.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(guard.authority()).await.unwrap();
        stream.write_all(b"G").await.unwrap();
        crowd.push(stream);
    }
    // Each has had a place, and all but the last eight have left it.
    for stream in &mut crowd[..92] {
        let _ = stream.read(&mut [0; 10]).await;
    }
    let took = begun.elapsed();
    assert!(took <= Duration::from_millis(200), "{took:?}");
}

/// A question that nobody needs any more is taken back.
#[tokio::test]
async fn a_connection_that_has_waited_is_not_closed_for_itself() {
    let guard = guard_with(Limits {
        connections: 1,
        idle: Duration::from_secs(3_600),
    })
    .await;
    for _ in 0..3 {
        let client = Version::Http1.client();
        let endless = client.get(format!("{}/endless", guard.origin));
        let endless = endless.header("cookie", &guard.cookie).send().await;
        let mut waits = TcpStream::connect(guard.authority()).await.unwrap();
        waits.write_all(BEGINNINGS[4].1).await.unwrap();
        let mut heard = [0; 1_000];
        let early = timeout(IDLE, waits.read(&mut heard)).await;
        assert!(early.is_err(), "{early:?}");
        drop((endless, client));
        let answer = timeout(SOON, waits.read(&mut heard))
            .await
            .unwrap()
            .unwrap();
        assert!(heard[..answer].starts_with(b"HTTP/1.1 200"));
        let end = timeout(IDLE, waits.read(&mut heard)).await;
        assert!(end.is_err(), "{end:?}");
    }
}

/// Pinned: 400 KB of a head that never ended were kept, for each connection.
#[tokio::test]
async fn a_head_without_an_end_is_refused_before_it_takes_much_memory() {
    let guard = guard_with(Limits {
        connections: 8,
        idle: Duration::from_secs(3_600),
    })
    .await;
    for (bytes, is_refused) in [(60 * 1_024, false), (70 * 1_024, true)] {
        let mut stream = TcpStream::connect(guard.authority()).await.unwrap();
        let head = format!("GET /about HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(bytes));
        stream.write_all(head.as_bytes()).await.unwrap();
        // What must come has all the time, and what must not come has little.
        let limit = if is_refused { SOON } else { IDLE };
        let heard = timeout(limit, hear(&mut stream)).await;
        assert_eq!(heard.is_ok(), is_refused, "{bytes}: {heard:?}");
        let heard = heard.unwrap_or_default();
        assert_eq!(heard.starts_with("HTTP/1.1 431"), is_refused, "{heard}");
    }
}

/// A tunnel counts as the connection that it is.
#[tokio::test]
async fn a_connection_that_works_is_not_closed_for_a_new_one() {
    let hour = Duration::from_secs(3_600);
    let guard = guard_with(Limits {
        connections: 2,
        idle: hour,
    })
    .await;
    let mut person = ProxiedPerson::at(&guard.origin);
    person.cookie.clone_from(&guard.cookie);
    let socket = person.connect("/socket").await.unwrap();
    let client = Version::Http1.client();
    let endless = client.get(format!("{}/endless", guard.origin));
    let mut endless = endless
        .header("cookie", &guard.cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(endless.chunk().await.unwrap().unwrap(), "first");
    let waits = timeout(IDLE, person.get("/page", &[])).await;
    assert!(waits.is_err(), "{waits:?}");
    drop(socket);
    let answer = timeout(SOON, person.get("/page", &[])).await;
    assert_eq!(answer.expect("an answer").status(), 200);
    assert!(timeout(IDLE, endless.chunk()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_idle_connections_do_no_harm() {
    let (_guard, person, origin) = super::guarded(&upstream::serve().await).await;
    let crowd = open(origin.strip_prefix("http://").unwrap(), 3_000).await;
    asks(&origin, &person.cookie).await;
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
    drop(crowd);
    asks(&origin, &person.cookie).await;
}
