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

use std::{env, hint::black_box, process::Command, time::Instant};

use http::Request;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SessionId, SigningKey, revocation::MemoryRevocations,
    testing::StubProvider,
};

use self::{
    count::{count, instructions},
    measure::measure,
    structures::Store,
};

mod count;
mod measure;
mod structures;

const STRUCTURES: [&str; 4] = ["memory", "papaya", "sharded locks", "one lock"];
/// How many sessions are looked up, in turn.
const SESSIONS: usize = 20_000;
/// When the last of them has long expired. It is past by any machine's clock, because the store in
/// memory forgets nothing by a moment that is ahead of its own.
const LATER: u64 = 1_700_000_000;

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

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
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
