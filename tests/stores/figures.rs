//! How soon an end is heard of, and what it takes of Redis.

use std::time::Duration;

use tokio::time::Instant;
use tower_magic_link::{
    revocation::{RedisRevocations, Revocations, Standing},
    store::Redis,
};

use crate::{
    redis::{RedisServer, until},
    session::{People, end_of, standing},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn an_end_is_heard_of_within_a_tenth_of_a_second() {
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let a = RedisRevocations::connect(&redis).await.unwrap();
    let b = RedisRevocations::connect(&redis).await.unwrap();
    let people = People::new();
    let mut took = Vec::new();
    for _ in 0..500 {
        let session = people.session("a", 10);
        let watch = b.watch(&session).unwrap();
        let began = Instant::now();
        a.revoke(&end_of(&session)).await.unwrap();
        watch.await;
        took.push(began.elapsed());
        assert_eq!(standing(&b, &session), Some(Standing::Revoked));
    }
    took.sort_unstable();
    let (median, most) = (took[250], took[495]);
    println!("heard of by another replica: p50 {median:?}, p99 {most:?}");
    assert!(median < Duration::from_millis(100), "{median:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_hundred_thousand_ends_take_what_the_documentation_says() {
    const MANY: usize = 100_000;
    let server = RedisServer::start().await;
    let redis = Redis::new(&server.url()).unwrap();
    let a = RedisRevocations::connect(&redis).await.unwrap();
    let b = RedisRevocations::connect(&redis).await.unwrap();
    let people = People::new();
    let one = people.session("a", 10);
    let until_when = end_of(&one).until();
    let revocations: Vec<_> = (0..MANY)
        .map(|number| {
            // Spread as random ids are.
            let number = u32::try_from(number).unwrap();
            let id = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let id = tower_magic_link::SessionId::from_bytes(id.to_be_bytes());
            let until = until_when + Duration::from_secs(u64::from(number % 43_200));
            let target = tower_magic_link::revocation::Target::Session(id);
            tower_magic_link::revocation::Revocation::new(target, crate::session::after(20), until)
        })
        .collect();
    let began = Instant::now();
    let taken = revocations.iter().map(|revocation| a.revoke(revocation));
    // The last of them wait for longer than anybody in a layer does: what counts is that all
    // arrive.
    let _ = futures_util::future::join_all(taken).await;
    until("b hears", async || b.len() == MANY).await;
    println!("{MANY} ends written and heard of in {:?}", began.elapsed());
    let began = Instant::now();
    let late = RedisRevocations::connect(&redis).await.unwrap();
    println!("{MANY} ends loaded in {:?}", began.elapsed());
    assert_eq!(late.len(), MANY);
    let bytes = |key: &str| {
        let key = format!("{{tower-magic-link}}:{key}");
        server
            .say(&["MEMORY", "USAGE", &key, "SAMPLES", "0"])
            .parse::<usize>()
            .unwrap()
    };
    let (ended, stream) = (bytes("ended"), bytes("stream"));
    println!(
        "redis: {} bytes an end, {stream} bytes of stream",
        ended / MANY
    );
    assert!((80..=130).contains(&(ended / MANY)), "{}", ended / MANY);
    assert!(stream < 1_500_000, "{stream}");
}
