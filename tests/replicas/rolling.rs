//! Replicas that are replaced one by one, while ten thousand people go on.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    redis::{RedisServer, until, until_within},
    site::{Heard, Site, ask, client, sign_out},
};

const PEOPLE: usize = 10_000;
const RESTARTS: usize = 20;
/// So many each hundredth of a second: 1,000 a second, where the machine keeps up.
const EACH_TICK: usize = 10;
/// As many wait for an answer at once. A machine that does not keep up is asked less often: without
/// a limit, what waits grows until requests exceed their ten seconds.
const AT_ONCE: usize = 200;
/// The longest that ten thousand requests may take.
const A_ROUND: Duration = Duration::from_secs(120);

/// What a balancer knows: who takes requests.
type Up = Arc<Mutex<Vec<String>>>;

/// Asks as a balancer does: whoever is up, and the next one if that one is gone by then.
async fn balanced(up: &Up, http: &reqwest::Client, number: usize, cookie: &str) -> Heard {
    for attempt in 0..10 {
        let origin = {
            let up = up.lock().unwrap();
            up[(number + attempt) % up.len()].clone()
        };
        if let Some(heard) = ask(http, &origin, cookie).await {
            return heard;
        }
    }
    panic!("nobody answers");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn twenty_rolling_restarts_under_load_lose_none_of_ten_thousand_sessions() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let mut replicas = vec![site.replica(), site.replica()];
    let up: Up = Arc::new(Mutex::new(
        replicas
            .iter()
            .map(|replica| replica.origin.clone())
            .collect(),
    ));
    let http = client();
    let people: Arc<Vec<_>> = Arc::new(
        (0..PEOPLE)
            .map(|number| site.cookie(&format!("p{number}")))
            .collect(),
    );
    let ended = site.cookie("ended");
    assert_eq!(sign_out(&http, &replicas[0].origin, &ended, "").await, 303);

    let (asked, answered, lost) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let is_over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (up, http, people) = (up.clone(), http.clone(), people.clone());
        let (asked, answered, lost, is_over) = (
            asked.clone(),
            answered.clone(),
            lost.clone(),
            is_over.clone(),
        );
        async move {
            let mut tick = interval(Duration::from_millis(10));
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let permits = Arc::new(Semaphore::new(AT_ONCE));
            while !is_over.load(Ordering::SeqCst) {
                tick.tick().await;
                for _ in 0..EACH_TICK {
                    let permit = permits.clone().acquire_owned().await.unwrap();
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    let (up, http, people) = (up.clone(), http.clone(), people.clone());
                    let (answered, lost) = (answered.clone(), lost.clone());
                    tokio::spawn(async move {
                        let heard = balanced(&up, &http, number, &people[number % PEOPLE]).await;
                        lost.fetch_add(usize::from(heard != Heard::SignedIn), Ordering::SeqCst);
                        answered.fetch_add(1, Ordering::SeqCst);
                        drop(permit);
                    });
                }
            }
        }
    });

    let began = Instant::now();
    for _ in 0..RESTARTS {
        let fresh = site.replica();
        until("it is told of what was ended", async || {
            ask(&http, &fresh.origin, &ended).await == Some(Heard::SignedOut)
        })
        .await;
        let old = replicas.remove(0);
        {
            let mut up = up.lock().unwrap();
            up.push(fresh.origin.clone());
            up.retain(|origin| *origin != old.origin);
        }
        replicas.push(fresh);
        tokio::task::block_in_place(|| old.end());
        let floor = asked.load(Ordering::SeqCst) + 250;
        until("some more are asked", async || {
            asked.load(Ordering::SeqCst) >= floor
        })
        .await;
    }
    let took = began.elapsed();
    // Everybody once more, at those that are up now.
    let floor = asked.load(Ordering::SeqCst) + PEOPLE;
    until_within(A_ROUND, "all are asked", async || {
        asked.load(Ordering::SeqCst) >= floor
    })
    .await;
    is_over.store(true, Ordering::SeqCst);
    load.await.unwrap();
    let all = asked.load(Ordering::SeqCst);
    until("all are answered", async || {
        answered.load(Ordering::SeqCst) == all
    })
    .await;
    let rate = u128::try_from(all).unwrap() * 1_000 / began.elapsed().as_millis();
    println!(
        "{RESTARTS} restarts in {took:?}: {all} requests, {rate} a second, {} lost",
        lost.load(Ordering::SeqCst)
    );
    assert_eq!(lost.load(Ordering::SeqCst), 0);
    assert_eq!(balanced(&up, &http, 0, &ended).await, Heard::SignedOut);
}
