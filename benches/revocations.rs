//! What a revoked session costs in memory and a look-up in time, by structure and number: `cargo
//! bench --bench revocations`.
//!
//! - Each structure is filled in a process of its own. Memory is what that process then occupies
//!   more (the kernel's resident set), so the allocator's overhead and what it has not given back
//!   are in it.
//! - Half of what is looked up was ended. Median times are of turns with another session each: the
//!   caches are as cold as the machine has them.
//! - Instructions are counted by valgrind, where that is installed: for ten million that takes
//!   minutes. `memory` is [`MemoryRevocations`]; the others are what it could have been. A whole
//!   request is one that the layer admits, by a store of that size.
//! - The pause is of look-ups while another thread makes the store forget everything.
//! - Without `--bench`, as under `cargo test --benches`, small stores go through the same motions.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

use std::{
    collections::HashMap,
    convert::Infallible,
    env, fs,
    future::{Ready, ready},
    hash::{BuildHasher, RandomState},
    hint::black_box,
    pin::pin,
    process::Command,
    sync::{
        RwLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

use http::{Request, Response, StatusCode};
use tower::{Layer, Service, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SessionId, SigningKey,
    clock::Timestamp,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target},
    testing::StubProvider,
};

const STRUCTURES: [&str; 4] = ["memory", "papaya", "sharded locks", "one lock"];
/// How many sessions are looked up, in turn.
const SESSIONS: usize = 20_000;
/// When the last of them has long expired.
const LATER: u64 = 4_000_000_000;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        let [name, many] = arguments.get(place + 1..place + 3)? else {
            return None;
        };
        Some((name.clone(), many.parse().unwrap()))
    };
    if let Some((name, many)) = after("--measure") {
        return measure(&name, many);
    }
    if let Some((name, many)) = after("--count") {
        return count(&name, many);
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let [small, large] = if is_bench {
        [1_000_000, 10_000_000]
    } else {
        [1_000, 2_000]
    };
    println!(
        "{:<14} {:>10} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10}",
        "",
        "revoked",
        "bytes",
        "active",
        "ended",
        "2 readers",
        "end p50",
        "end p99",
        "end worst",
        "pause p99"
    );
    let mut verdicts = Vec::new();
    for name in STRUCTURES {
        for many in [0, 1, small, large] {
            let line = run(Command::new(env::current_exe().unwrap()).args([
                "--measure",
                name,
                &many.to_string(),
            ]));
            print!("{line}");
            let bytes = line
                .split_whitespace()
                .find_map(|word| word.strip_suffix('B')?.parse::<f64>().ok());
            if name == "memory" && many >= small {
                let bytes = bytes.unwrap();
                verdicts.push((
                    format!("{bytes:.1} bytes a session at {many}"),
                    bytes <= 48.0,
                ));
            }
        }
    }
    if is_bench && Command::new("valgrind").arg("--version").output().is_ok() {
        println!(
            "\n{:<14} {:>10} {:>22}",
            "", "revoked", "instructions a look-up"
        );
        for name in [
            "memory",
            "whole request",
            "papaya",
            "sharded locks",
            "one lock",
        ] {
            let counted = [0, 1, small, large].map(|many| {
                let counted = instructions(name, many);
                println!("{name:<14} {many:>10} {counted:>22.1}");
                counted
            });
            let [zero, _, _, most] = counted;
            let what = match name {
                "memory" => "look-up",
                "whole request" => "request",
                _ => continue,
            };
            verdicts.push((
                format!("{what} at {large}: {:.2} times that at zero", most / zero),
                most <= 1.5 * zero,
            ));
        }
    }
    println!();
    for (what, holds) in verdicts {
        println!("{} {what}", if holds { "pass" } else { "FAIL" });
    }
}

/// What ends sessions and looks them up.
trait Store: Sync {
    fn end(&self, id: SessionId, until: u64, now: u64);
    fn is_ended(&self, session: &Session) -> bool;
}

impl Store for MemoryRevocations {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let [now, until] = [now, until].map(Timestamp::from_secs);
        Self::record(self, &Revocation::new(Target::Session(id), now, until));
    }

    fn is_ended(&self, session: &Session) -> bool {
        matches!(
            self.look_up(session),
            Lookup::Settled(Ok(Standing::Revoked))
        )
    }
}

/// The store as it was: lock-free, swept as a whole when it has doubled.
#[derive(Default)]
struct Papaya(
    papaya::HashMap<SessionId, u64>,
    std::sync::atomic::AtomicUsize,
);

impl Store for Papaya {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let ended = self.0.pin();
        ended.update_or_insert(id, |known| until.max(*known), until);
        if ended.len() >= 2 * self.1.load(Ordering::Relaxed).max(64) {
            ended.retain(|_, until| *until > now);
            self.1.store(ended.len(), Ordering::Relaxed);
        }
    }

    fn is_ended(&self, session: &Session) -> bool {
        !self.0.is_empty() && self.0.pin().contains_key(&session.id())
    }
}

type Locked = RwLock<(HashMap<SessionId, u32>, usize)>;

/// As many locks as shards, each around a map of the standard library.
struct Locks(Vec<Locked>, RandomState);

impl Locks {
    fn new(shards: usize) -> Self {
        Self(
            (0..shards).map(|_| Locked::default()).collect(),
            RandomState::new(),
        )
    }

    fn shard(&self, id: SessionId) -> &Locked {
        match self.0.as_slice() {
            [one] => one,
            many => {
                let hash = usize::try_from(self.1.hash_one(id)).unwrap();
                many.get(hash % many.len()).unwrap()
            }
        }
    }
}

impl Store for Locks {
    fn end(&self, id: SessionId, until: u64, now: u64) {
        let [until, now] = [until, now].map(|moment| u32::try_from(moment).unwrap());
        let (ended, swept) = &mut *self.shard(id).write().unwrap();
        let known = ended.entry(id).or_default();
        *known = until.max(*known);
        if ended.len() >= 2 * *swept.max(&mut 64) {
            ended.retain(|_, until| *until > now);
            *swept = ended.len();
        }
    }

    fn is_ended(&self, session: &Session) -> bool {
        self.shard(session.id())
            .read()
            .unwrap()
            .0
            .contains_key(&session.id())
    }
}

fn store(name: &str) -> Box<dyn Store> {
    match name {
        "memory" => Box::new(MemoryRevocations::default()),
        "papaya" => Box::new(Papaya::default()),
        "sharded locks" => Box::new(Locks::new(256)),
        "one lock" => Box::new(Locks::new(1)),
        name => panic!("no structure is called {name}"),
    }
}

/// Fills one structure and prints its line.
fn measure(name: &str, many: u64) {
    let layer = layer(MemoryRevocations::default());
    let active = sessions(&layer);
    let ended = sessions(&layer);
    let store = store(name);
    let before = resident();
    let mut ends = fill(&*store, &ended, many);
    let bytes = (resident() - before) / f64::from(u32::try_from(many.max(1)).unwrap());
    let bytes = if many > 1 {
        format!("{bytes:.1}B")
    } else {
        "-".to_owned()
    };
    let looked_up = |sessions: &[Session]| look_up_all(&*store, sessions);
    let active_ns = median((0..21).map(|_| looked_up(&active)).collect());
    let ended_ns = median((0..21).map(|_| looked_up(&ended)).collect());
    let together = together(&*store, &active);
    let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|share| percentile(&mut ends, share));
    let pause = pause(&*store, &active, many);
    println!(
        "{name:<14} {many:>10} {bytes:>7} {active_ns:>6.1} ns {ended_ns:>6.1} ns {together:>8.2}x {p50:>6.0} ns {p99:>6.0} ns {:>7.0} us {pause:>7.0} ns",
        worst / 1e3
    );
}

/// Ends so many sessions, those that are looked up among them, and returns how long each end took.
fn fill(store: &dyn Store, ended: &[Session], many: u64) -> Vec<f64> {
    let mut random = Random(7);
    let theirs = ended.iter().map(Session::id);
    let ids = theirs.chain(std::iter::repeat_with(|| random.id()));
    let mut ends = Vec::new();
    for (number, id) in (0..many).zip(ids) {
        let start = now();
        store.end(id, LATER - 1, 1_000);
        // Of ten million each would take more memory than the store.
        if number >= many / 2 && number % 8 == 0 || ends.is_empty() {
            ends.push(start.elapsed().as_secs_f64() * 1e9);
        }
    }
    ends
}

fn look_up_all(store: &dyn Store, sessions: &[Session]) -> f64 {
    let start = now();
    for session in sessions {
        black_box(store.is_ended(black_box(session)));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(sessions.len()).unwrap())
}

/// Returns how many times the look-ups of one thread two threads make in the same time.
fn together(store: &dyn Store, sessions: &[Session]) -> f64 {
    let alone = median((0..21).map(|_| look_up_all(store, sessions)).collect());
    let turns = || median((0..21).map(|_| look_up_all(store, sessions)).collect());
    let [one, two] = thread::scope(|scope| {
        [scope.spawn(turns), scope.spawn(turns)].map(|turns| turns.join().unwrap())
    });
    alone / one + alone / two
}

/// Returns what the slowest of a hundred look-ups takes while the store forgets what it has.
fn pause(store: &dyn Store, sessions: &[Session], many: u64) -> f64 {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut taken = Vec::new();
            for session in sessions.iter().cycle() {
                let start = now();
                black_box(store.is_ended(session));
                taken.push(start.elapsed().as_secs_f64() * 1e9);
                if is_done.load(Ordering::Relaxed) || taken.len() > 20_000_000 {
                    break;
                }
            }
            percentile(&mut taken, 0.99)
        });
        let mut random = Random(11);
        for _ in 0..many {
            store.end(random.id(), LATER + 1_000, LATER);
        }
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    })
}

/// Looks up under valgrind, which counts what `counted_turn` takes.
fn count(name: &str, many: u64) {
    let revocations = MemoryRevocations::default();
    let layer = layer(revocations.clone());
    let (active, ended) = (sessions(&layer), sessions(&layer));
    if name == "whole request" {
        fill(&revocations, &ended, many);
        let requests: Vec<_> = (0..SESSIONS).map(|_| signed_in(&layer).0).collect();
        let mut service = layer.layer(service_fn(answer));
        counted_turn(&mut || {
            requests
                .iter()
                .for_each(|request| at_once(&mut service, request.clone()))
        });
    } else {
        let store = store(name);
        fill(&*store, &ended, many);
        counted_turn(&mut || {
            look_up_all(&*store, &active);
        });
    }
}

#[inline(never)]
fn counted_turn(turn: &mut dyn FnMut()) {
    turn();
}

fn instructions(name: &str, many: u64) -> f64 {
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*counted_turn*",
        ])
        .arg(env::current_exe().unwrap())
        .args(["--count", name, &many.to_string()])
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let (_, collected) = collected.unwrap_or_else(|| panic!("valgrind counted nothing: {log}"));
    collected.trim().parse::<f64>().unwrap() / f64::from(u32::try_from(SESSIONS).unwrap())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns how many bytes of memory the process occupies.
fn resident() -> f64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return f64::NAN;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap();
    kibibytes.parse::<f64>().unwrap() * 1024.0
}

fn median(mut taken: Vec<f64>) -> f64 {
    percentile(&mut taken, 0.5)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a list of less than 2^32"
)]
fn percentile(taken: &mut [f64], share: f64) -> f64 {
    taken.sort_unstable_by(f64::total_cmp);
    let last = taken.len().saturating_sub(1);
    taken
        .get((last as f64 * share) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Numbers that are random enough for ids, and the same each time (SplitMix64).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn id(&mut self) -> SessionId {
        let wide = u128::from(self.next()) << 64 | u128::from(self.next());
        SessionId::from_bytes(wide.to_ne_bytes())
    }
}

fn layer(revocations: MemoryRevocations) -> MagicLinkLayer {
    let key = SigningKey::generate().unwrap();
    MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(key))
        .public_url("https://app.example.com")
        .revocations(revocations)
        .build()
        .unwrap()
}

fn sessions(layer: &MagicLinkLayer) -> Vec<Session> {
    (0..SESSIONS).map(|_| signed_in(layer).1).collect()
}

fn signed_in(layer: &MagicLinkLayer) -> (Request<String>, Session) {
    let mut request = Request::new(String::new());
    let session = layer.sign_in(&mut request, "ada@example.com");
    (request, session)
}

fn answer(_: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    ready(Ok(Response::new(String::new())))
}

fn at_once<S, R>(service: &mut S, request: Request<String>)
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(answer)) => assert_eq!(answer.status(), StatusCode::OK),
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("nothing has to wait here"),
    }
}
