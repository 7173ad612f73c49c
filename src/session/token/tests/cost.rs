//! What verifying a token takes, alone: its allocations, which are few, and its time beside one
//! HMAC-SHA256 over the signed part.
//!
//! Optimized, it prints figures that mean something:
//!
//! ```text
//! cargo test --release --lib cost:: -- --nocapture
//! ```

use std::{hint::black_box, time::Instant};

use super::*;

/// How many tokens are verified in one round.
const ROUND: u32 = 64;
const ROUNDS: usize = 301;

#[test]
#[expect(clippy::print_stdout, reason = "it is run by hand for what it prints")]
fn a_token_costs_one_allocation_and_a_forged_one_none() {
    let tokens = tokens(hs256());
    let token = tokens.mint(&session()).unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = forged(&token);
    let verify = |token: &str| tokens.verify(black_box(token), NOW);
    let key = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let signature = key.clone().chain_update(signed).finalize().into_bytes();

    // What a process makes once is no cost of a token.
    assert!(verify(&token).is_ok() && verify(&forged).is_err());
    let count = |token: &str| {
        let counted = allocation_counter::measure(|| drop(black_box(verify(token))));
        counted.count_total
    };
    assert_eq!(count(&token), 1);
    assert_eq!(count(&forged), 0);

    let (mut good, mut bad, mut yardstick) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        good.push(round(|| drop(black_box(verify(&token)))));
        bad.push(round(|| drop(black_box(verify(&forged)))));
        yardstick.push(round(|| {
            let mac = key.clone().chain_update(black_box(signed));
            black_box(mac.verify(black_box(&signature))).unwrap();
        }));
    }
    let [good, bad, yardstick] = [good, bad, yardstick].map(median);
    println!(
        "a token of {} bytes is verified in {:.2} F, a forged one in {:.2} F; F is {yardstick:.0} ns",
        token.len(),
        good / yardstick,
        bad / yardstick,
    );
}

/// Only the signature is wrong: the forger knows all else.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

/// Returns how many nanoseconds one turn of a round took.
#[expect(clippy::disallowed_methods, reason = "it reads how long code takes")]
fn round(turn: impl Fn()) -> f64 {
    let start = Instant::now();
    (0..ROUND).for_each(|_| turn());
    start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUND)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
