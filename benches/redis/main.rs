//! What a Redis costs that replicas share: `cargo bench --features redis --bench redis`. It starts
//! a `redis-server` of its own.
//!
//! - **Propagation**: how long after an end was ordered on one replica another one knows. Median
//!   and 99th percentile of 1,000.
//! - **The admitted path** with `RedisRevocations` beside the same with `MemoryRevocations`, turn
//!   by turn; medians, allocations.
//! - **The first load** of a million sessions, of ten million, and of 400,000 subjects: see `load`.
//!   `-- load` measures it alone.
//! - For instruction counts, `REQUESTS=N STORE=memory` (or `redis`) does nothing but answer N
//!   requests: run it under `valgrind --tool=callgrind` with two N, and divide the difference.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads the time, prints, and stops where it cannot go on"
)]

use std::{
    convert::Infallible,
    env,
    future::{Future, ready},
    hint::black_box,
    net::TcpListener,
    pin::pin,
    process::{Child, Command, Stdio},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use http::{Request, Response};
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    revocation::{MemoryRevocations, RedisRevocations, Revocation, Revocations, Target},
    store::Redis,
    testing::StubProvider,
};

mod load;

/// How many requests are answered in one turn.
const TURN: usize = 64;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    if let [_, flag, port, many] = &arguments[..]
        && flag == "--load"
    {
        return load::load(port, many.parse().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let server = Server::start();
    let redis = Redis::new(&server.url()).unwrap();
    let (a, b) = runtime.block_on(async {
        loop {
            match (
                RedisRevocations::connect(&redis).await,
                RedisRevocations::connect(&redis).await,
            ) {
                (Ok(a), Ok(b)) => break (a, b),
                _ => tokio::task::yield_now().await,
            }
        }
    });
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = || {
        MagicLinkLayer::builder(StubProvider::new(), keys.clone())
            .public_url("https://app.example.com")
    };
    let mut memory = Answered::by(builder().revocations(MemoryRevocations::default()));
    let mut shared = Answered::by(builder().revocations(a.clone()));

    if let Ok(requests) = env::var("REQUESTS") {
        let answered = match env::var("STORE").as_deref() {
            Ok("memory") => &mut memory,
            Ok("redis") => &mut shared,
            _ => panic!("STORE is memory or redis"),
        };
        (0..requests.parse().unwrap()).for_each(|_| answered.answer());
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    if !arguments.iter().any(|argument| argument == "load") {
        let counts = if is_bench { (1_000, 2_001) } else { (10, 3) };
        compare(&runtime, [&a, &b], [&mut memory, &mut shared], counts);
    }
    let loads = if is_bench {
        [1_000_000, 10_000_000, 400_000]
    } else {
        [2_000, 5_000, 2_000]
    };
    load::measure(&runtime, loads);
}

/// Prints how soon an end is known elsewhere, and the admitted path of both stores.
fn compare(
    runtime: &tokio::runtime::Runtime,
    [a, b]: [&RedisRevocations; 2],
    [memory, shared]: [&mut Answered; 2],
    (ends, turns): (u128, usize),
) {
    let mut took: Vec<_> = (0..ends)
        .map(|number| runtime.block_on(propagation(a, b, number)))
        .collect();
    took.sort_unstable();
    println!(
        "an end ordered on one replica is known to another: p50 {:?}, p99 {:?} (at most 100 ms)",
        took[took.len() / 2],
        took[took.len() * 99 / 100]
    );

    for _ in 0..turns {
        memory.turn();
        shared.turn();
    }
    let (with_memory, with_redis) = (memory.median(), shared.median());
    println!("admitted, memory: {with_memory:.0} ns");
    println!(
        "admitted, redis:  {with_redis:.0} ns, {:.3} times (at most 1.2, by instruction count)",
        with_redis / with_memory
    );
    for (name, answered) in [("memory", memory), ("redis", shared)] {
        let allocations = allocation_counter::measure(|| answered.answer());
        println!("allocations, {name}: {}", allocations.count_total);
    }
}

async fn propagation(a: &RedisRevocations, b: &RedisRevocations, number: u128) -> Duration {
    let layer = MagicLinkLayer::builder(
        StubProvider::new(),
        KeyRing::new(SigningKey::generate().unwrap()),
    )
    .public_url("https://app.example.com")
    .build()
    .unwrap();
    let email = format!("ada{number}@example.com");
    let session = layer.sign_in(&mut Request::new(()), &email);
    let heard = b.watch(&session).unwrap();
    let revocation = Revocation::new(
        Target::Session(session.id()),
        session.auth_time(),
        session.expires_at(),
    );
    let began = Instant::now();
    a.revoke(&revocation).await.unwrap();
    heard.await;
    began.elapsed()
}

/// Requests of one signed-in person, answered by a layer.
struct Answered {
    answer: Box<dyn FnMut()>,
    turns: Vec<f64>,
}

impl Answered {
    fn by(builder: Builder) -> Self {
        let layer = builder.build().unwrap();
        let mut request = Request::get("/reports").body(String::new()).unwrap();
        layer.sign_in(&mut request, "ada@example.com");
        let mut service = layer.layer(service_fn(|_: Request<String>| {
            ready(Ok::<_, Infallible>(Response::new(String::new())))
        }));
        Self {
            answer: Box::new(move || {
                let mut answer = pin!(service.call(black_box(request.clone())));
                let Poll::Ready(Ok(response)) = answer
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                else {
                    panic!("answered at once");
                };
                assert_eq!(black_box(response).status(), 200);
            }),
            turns: Vec::new(),
        }
    }

    fn answer(&mut self) {
        (self.answer)();
    }

    fn turn(&mut self) {
        let began = Instant::now();
        (0..TURN).for_each(|_| self.answer());
        let nanos = began.elapsed().as_secs_f64() * 1e9;
        self.turns
            .push(nanos / f64::from(u32::try_from(TURN).unwrap()));
    }

    fn median(&mut self) -> f64 {
        self.turns.sort_unstable_by(f64::total_cmp);
        self.turns[self.turns.len() / 2]
    }
}

/// A Redis on a free port, without persistence.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
