//! Redis loses many revocations: it comes back empty beside a replica that starts, or is emptied
//! under those that run.
//!
//! `ENTRIES` and `ROUNDS` set how much is lost, and how often. With the sizes of the figures in
//! `guide::running_more_than_one`:
//!
//! ```sh
//! for entries in 20 100000 300000; do
//!     ENTRIES=$entries ROUNDS=20 cargo test --release --all-features --test stores \
//!         large::a_replica -- --include-ignored --nocapture
//! done
//! ENTRIES=1000000 ROUNDS=5 cargo test --release --all-features --test stores \
//!     large::what -- --include-ignored --nocapture
//! ```

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tower_magic_link::{
    Session,
    revocation::{
        RedisRevocations, Revocations,
        Standing::{Active, Revoked},
    },
    store::Redis,
};

use crate::{
    held,
    redis::RedisServer,
    session::{People, end_of, standing},
};

/// How many sessions have ended, unless `ENTRIES` says so.
const ENTRIES: [usize; 2] = [20, 100_000];
/// How often Redis loses them, unless `ROUNDS` says so.
const ROUNDS: u64 = 3;
/// How many of the ended sessions are asked for: each at every turn.
const ASKED: usize = 20;
/// How much later each round's replica starts than that of the round before.
const LATER: Duration = Duration::from_millis(170);
/// With every replica there, a confirmed end is obeyed everywhere within this.
const OBEYED: Duration = Duration::from_millis(2_500);
/// Nothing here takes longer, at any size and in any build.
const LIMIT: Duration = Duration::from_secs(120);
/// Stores so many without the stream, which is as what is older than the stream.
const FILL: &str = "for i = 1, ARGV[1] do \
                    redis.call('ZADD', KEYS[1], 4000000000 + i, 's' .. string.format('%016d', i)) \
                    end";

/// Replicas, and some of the sessions that all of them know to have ended.
struct Site {
    server: RedisServer,
    redis: Redis,
    replicas: Vec<RedisRevocations>,
    ended: Vec<Session>,
    live: Session,
}

impl Site {
    /// Starts replicas that know of so many ended sessions.
    async fn of(replicas: usize, entries: usize) -> Self {
        let server = RedisServer::start().await;
        let redis = Redis::new(&server.url()).unwrap();
        let first = RedisRevocations::connect(&redis).await.unwrap();
        let people = People::new();
        let ended: Vec<_> = (0..ASKED).map(|_| people.session("a", 10)).collect();
        let revocations: Vec<_> = ended.iter().map(end_of).collect();
        for revocation in &revocations {
            first.revoke(revocation).await.unwrap();
        }
        drop(first);
        let (key, more) = ("{tower-magic-link}:ended", entries - ASKED);
        server.say(&["EVAL", FILL, "1", key, &more.to_string()]);
        let mut site = Self {
            server,
            redis,
            replicas: Vec::new(),
            ended,
            live: people.session("live", 10),
        };
        for _ in 0..replicas {
            let replica = RedisRevocations::connect(&site.redis).await.unwrap();
            assert_eq!(replica.len(), entries);
            site.replicas.push(replica);
        }
        site
    }

    /// Asks each replica that runs for a live session, which it may not refuse.
    fn serves(&self) {
        for replica in &self.replicas {
            assert_eq!(standing(replica, &self.live), Some(Active));
        }
    }

    async fn is_refilled(&self, count: usize) {
        soon("it is refilled", async || {
            self.serves();
            held::revocations(&self.server) == count.to_string()
                && self.replicas.iter().all(RedisRevocations::is_following)
        })
        .await;
    }
}

/// Returns the sizes and the rounds to play.
fn plan() -> (Vec<usize>, u64) {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let entries = number("ENTRIES").map(|count| vec![usize::try_from(count).unwrap()]);
    let rounds = number("ROUNDS").unwrap_or(ROUNDS);
    (entries.unwrap_or_else(|| ENTRIES.to_vec()), rounds)
}

/// Asks until the answer is yes, and returns how long that took.
async fn soon(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    let all = async {
        while !is_so().await {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(
        timeout(LIMIT, all).await.is_ok(),
        "{what}: not in {LIMIT:?}"
    );
    began.elapsed()
}

/// Pins: a replica that started beside a Redis that had come back empty found nothing there, and
/// admitted what had ended for as long as the others were putting back: for six seconds, if 300,000
/// had.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_replica_that_starts_beside_an_emptied_redis_admits_nothing_however_much_had_ended() {
    let (sizes, rounds) = plan();
    for entries in sizes {
        let mut site = Site::of(2, entries).await;
        let (mut asked, mut admitted, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
        for round in 0..rounds {
            site.server.kill();
            // Every second replica is there first, and the others come later and later: in the
            // middle of what is put back.
            let early = (round % 2 == 0).then(|| RedisRevocations::connect_later(&site.redis));
            site.server.restart().await;
            let new = match early {
                Some(new) => new,
                None => {
                    sleep(LATER * u32::try_from(round).unwrap()).await;
                    RedisRevocations::connect_later(&site.redis)
                }
            };
            let took = soon("the new replica believes", async || {
                site.serves();
                for session in &site.ended {
                    asked += 1;
                    admitted += u64::from(standing(&new, session) == Some(Active));
                }
                new.is_following()
            })
            .await;
            slowest = slowest.max(took);
            for session in &site.ended {
                admitted += u64::from(standing(&new, session) != Some(Revoked));
            }
            assert_eq!(new.len(), entries, "{entries}, round {round}");
            site.is_refilled(entries).await;
        }
        println!(
            "{entries} ended, {rounds} empty restarts: of {asked} look-ups, {admitted} admitted an \
             ended session; a new replica believed after at most {slowest:.1?}"
        );
        assert_eq!(admitted, 0, "{entries}");
    }
}

/// Pins: after FLUSHALL with a million entries, a sign-out that one replica had confirmed was
/// obeyed by another 47.9 s later.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_is_confirmed_while_much_is_put_back_is_obeyed_everywhere_at_once() {
    let (sizes, rounds) = plan();
    for entries in sizes {
        let site = Site::of(3, entries).await;
        let people = People::new();
        let [a, others @ ..] = &site.replicas[..] else {
            panic!("three");
        };
        let (mut confirmed, mut refused) = (0, 0);
        let (mut slowest, mut refilled) = (Duration::ZERO, Duration::ZERO);
        let mut known = entries;
        for _ in 0..rounds {
            site.server.say(&["FLUSHALL"]);
            let began = Instant::now();
            let mut is_back = false;
            // On until all is back, and for a second after that.
            let mut left = Duration::from_secs(1);
            while !left.is_zero() {
                let turn = Instant::now();
                let session = people.session("meanwhile", 10);
                known += 1;
                match a.revoke(&end_of(&session)).await {
                    Ok(()) => confirmed += 1,
                    // It was not confirmed, and holds everywhere as soon as Redis has it.
                    Err(_) => refused += 1,
                }
                let took = soon("it is obeyed", async || {
                    site.serves();
                    let mut obey = others.iter();
                    obey.all(|other| standing(other, &session) == Some(Revoked))
                })
                .await;
                slowest = slowest.max(took);
                sleep(Duration::from_millis(5)).await;
                if is_back {
                    left = left.saturating_sub(turn.elapsed());
                } else if confirmed % 8 == 0 {
                    is_back = held::revocations(&site.server) == known.to_string();
                    refilled = refilled.max(began.elapsed());
                }
            }
            site.is_refilled(known).await;
        }
        println!(
            "{entries} ended, {rounds} times FLUSHALL: {confirmed} ends confirmed, {refused} not; \
             the slowest was obeyed by all after {slowest:.1?}; refilled after at most \
             {refilled:.1?}"
        );
        assert!(confirmed > 0 && slowest < OBEYED, "{entries}: {slowest:?}");
    }
}
