//! What the layer costs a request, beside one HMAC-SHA256: `cargo bench --bench hot_path`.
//!
//! - The yardstick F is what no verification of HS256 can save: the signed part of a token of ours,
//!   hashed under a key that was prepared beforehand and compared, by the crates that the layer
//!   uses. It is measured in the same run, among the rest.
//! - All that a table compares takes turns in short rounds, so that whatever else the machine does
//!   falls on all of it. A figure is the median of three runs, each the median of its rounds.
//! - A figure is what the layer adds: what the inner service takes alone for the same request is
//!   subtracted, also where the layer refuses and never calls it. The dropping of request and
//!   response is measured, and the making of requests is not.
//! - `paths` has each way through the layer, by each algorithm and store; `growth` the admitted way
//!   with many ended sessions, many people and two threads; `sign_in` the steps of signing in.
//!   `cargo bench --bench hot_path -- growth` measures that table alone.
//! - Without `--bench`, as under `cargo test --benches`, everything takes a few turns, to see that
//!   it works.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod growth;
mod paths;
mod redis;
mod requests;
mod sign_in;
mod turns;

use std::{env, thread};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Bench,
    /// A few turns, to see that it works.
    Trial,
}

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let extent = if arguments.iter().any(|argument| argument == "--bench") {
        Extent::Bench
    } else {
        Extent::Trial
    };
    let wanted = |table: &str| {
        let mut tables = arguments.iter().filter(|word| !word.starts_with("--"));
        tables.clone().next().is_none() || tables.any(|word| word == table)
    };
    println!("{}\n", machine());
    if wanted("paths") {
        paths::measure(extent);
    }
    if wanted("growth") {
        growth::measure(extent);
    }
    if wanted("sign_in") {
        sign_in::measure(extent);
    }
}

/// Says what decides how far ahead of other work an HMAC is.
fn machine() -> String {
    let count = thread::available_parallelism().map_or(1, usize::from);
    let of = format!("{}, {count} CPUs", env::consts::ARCH);
    if has_sha_extensions() {
        format!("{of}, with SHA extensions")
    } else {
        format!(
            "{of}, WITHOUT SHA extensions: F is larger here, and so are the parts of a request \
             that hash; what is a small multiple of F says less than on a CPU that has them"
        )
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn has_sha_extensions() -> bool {
    std::arch::is_x86_feature_detected!("sha")
}

#[cfg(target_arch = "aarch64")]
fn has_sha_extensions() -> bool {
    std::arch::is_aarch64_feature_detected!("sha2")
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
const fn has_sha_extensions() -> bool {
    false
}
