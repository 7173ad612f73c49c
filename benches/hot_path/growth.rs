//! The admitted way with many ended sessions, many people and two threads.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use http::{HeaderValue, header};
use tower::{Layer, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SessionId, SigningKey,
    clock::Timestamp,
    revocation::{MemoryRevocations, Revocation, Target},
    testing::StubProvider,
};

use crate::{
    Extent,
    paths::{session, signed_part},
    requests::{ORIGIN, PATH, bare_answer, navigation},
    turns::{RUNS, TURN, at_once, hmac_turn, median, now, since, spread},
};

const THREADS: [usize; 2] = [1, 2];

/// A layer with so many ended sessions.
struct Site {
    ended: u64,
    layer: MagicLinkLayer,
}

/// What one thread measured in a run, in nanoseconds.
struct Turns {
    yardstick: f64,
    inner: f64,
    whole: f64,
}

pub(crate) fn measure(extent: Extent) {
    let (ended, people, turns) = match extent {
        Extent::Bench => ([0, 1_000_000, 10_000_000], [1, 1_000, 100_000], 301),
        Extent::Trial => ([0, 10, 100], [1, 2, 10], 3),
    };
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let mut bytes = Vec::new();
    let sites = ended.map(|ended| {
        let store = MemoryRevocations::default();
        let taken = allocation_counter::measure(|| fill(&store, ended)).bytes_current;
        if ended > 0 {
            bytes.push((ended, taken / i64::try_from(ended).unwrap()));
        }
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys.clone())
            .public_url(ORIGIN)
            .revocations(store)
            .build();
        let layer = layer.unwrap();
        Site { ended, layer }
    });
    let most = people.into_iter().max().unwrap_or(1);
    let live = |_| {
        let first = sites.first().unwrap();
        let request = navigation(PATH, Some(&session(&first.layer)));
        request.headers().get(header::COOKIE).unwrap().clone()
    };
    let cookies: Arc<[HeaderValue]> = (0..most).map(live).collect();

    let mut cells = Vec::new();
    for site in &sites {
        for people in people {
            for threads in THREADS {
                cells.push((site, people, threads, Vec::new()));
            }
        }
    }
    let signed = signed_part();
    for _ in 0..RUNS {
        for (site, people, threads, runs) in &mut cells {
            let cookies = cookies.get(..*people).unwrap();
            runs.push(run(site, cookies, &signed, *threads, turns));
        }
    }
    println!(
        "growth: what the layer adds to an admitted request under HS256 in a bare service, in F"
    );
    print!("{:<18}", "");
    for people in people {
        for threads in THREADS {
            print!("{:>20}", format!("{people} live, {threads} thr."));
        }
    }
    let mut spreads = Vec::new();
    for (at, (site, _, _, runs)) in cells.iter().enumerate() {
        if at % (people.len() * THREADS.len()) == 0 {
            print!("\n{:<18}", format!("{} revoked", site.ended));
        }
        let mut runs = runs.iter().copied();
        let runs = [(); RUNS].map(|()| runs.next().unwrap_or(f64::NAN));
        print!("{:>20.2}", median(runs.to_vec()));
        spreads.push(spread(runs));
    }
    println!(
        "\nEach thread measures F among its own turns. The three runs of a figure lie apart by \
         {:.1} % in the median.",
        median(spreads) * 100.0
    );
    for (ended, bytes) in bytes {
        println!("A revoked session takes {bytes} bytes where there are {ended}.");
    }
    println!();
}

/// Answers requests of these people on so many threads at once, and returns what the layer adds,
/// as a multiple of the yardstick.
fn run(site: &Site, cookies: &[HeaderValue], signed: &str, threads: usize, turns: usize) -> f64 {
    let start = Barrier::new(threads);
    // While one thread still measures, none has stopped.
    let busy = AtomicUsize::new(threads);
    let all: Vec<Turns> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, busy) = (&start, &busy);
                scope.spawn(move || {
                    let mut turn = turn(site, cookies, thread);
                    let mut hmac = hmac_turn(signed.to_owned());
                    start.wait();
                    let [mut yardstick, mut inner, mut whole] = [const { Vec::new() }; 3];
                    for _ in 0..turns {
                        yardstick.push(hmac());
                        let (alone, all) = turn();
                        inner.push(alone);
                        whole.push(all);
                    }
                    busy.fetch_sub(1, Ordering::Relaxed);
                    while busy.load(Ordering::Relaxed) > 0 {
                        hmac();
                        turn();
                    }
                    Turns {
                        yardstick: median(yardstick),
                        inner: median(inner),
                        whole: median(whole),
                    }
                })
            })
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let added = |turns: &Turns| (turns.whole - turns.inner) / turns.yardstick;
    let sum: f64 = all.iter().map(added).sum();
    sum / f64::from(u32::try_from(threads).unwrap())
}

/// Returns what answers a turn of requests without the layer and with it, and says how many
/// nanoseconds one took.
fn turn(site: &Site, cookies: &[HeaderValue], thread: usize) -> impl FnMut() -> (f64, f64) {
    let mut inner = service_fn(bare_answer);
    let mut whole = site.layer.layer(inner);
    let request = navigation(PATH, None);
    // A prime: neighbours in time are no neighbours in memory.
    let mut at = thread * 50_021;
    move || {
        let mut draw = || {
            at += 7_919;
            let mut request = request.clone();
            let cookie = cookies.get(at % cookies.len()).unwrap();
            request.headers_mut().insert(header::COOKIE, cookie.clone());
            request
        };
        let [alone, all] = [(); 2].map(|()| (0..TURN).map(|_| draw()).collect::<Vec<_>>());
        let start = now();
        for request in alone {
            drop(at_once(&mut inner, request));
        }
        let alone = since(start);
        let start = now();
        for request in all {
            let answer = at_once(&mut whole, request);
            assert_eq!(answer.status(), 200);
        }
        (alone, since(start))
    }
}

/// Ends so many sessions of no one.
fn fill(store: &MemoryRevocations, many: u64) {
    let (begun, until) = (Timestamp::from_secs(0), Timestamp::from_secs(4_000_000_000));
    for number in 0..many {
        // Random enough for ids, and the same each time (SplitMix64).
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let wide = u128::from(mixed) << 64 | u128::from(number);
        let target = Target::Session(SessionId::from_bytes(wide.to_ne_bytes()));
        store.record(&Revocation::new(target, begun, until));
    }
}
