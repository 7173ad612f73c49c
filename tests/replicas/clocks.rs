//! Replicas whose clocks differ by a minute: real processes under libfaketime.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::Client;
use tokio::time::{Instant, sleep};

use crate::{
    names::ORIGIN,
    person::Person,
    redis::{RedisServer, until},
    sign_in::walk,
    site::{Heard, Site, ask, client, sign_out},
};

/// By how many seconds each replica's clock is ahead of the machine's.
const SKEWS: [i64; 5] = [-60, -6, 0, 6, 60];

/// Asks a replica for a mail to an address. Returns `None` if one is sent, or for how many seconds
/// the replica has the person wait.
async fn ask_for_mail(http: &Client, origin: &str, number: usize) -> Option<u64> {
    let request = http
        .post(format!("{origin}/auth/login"))
        .header("host", "app.example.com")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", "203.0.113.9")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("email=person{number}%40example.com"));
    let answer = request.send().await.unwrap();
    match answer.status().as_u16() {
        303 => None,
        429 => Some(
            answer.headers()["retry-after"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap(),
        ),
        other => panic!("{other}: {}", answer.text().await.unwrap()),
    }
}

/// Pins: with replicas 6 s apart, a limit of 60 let 300 of 300 through.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn of_three_hundred_mails_from_one_network_sixty_are_sent_whatever_the_clocks_say() {
    // The default: 60 mails for a network, and one more every five seconds.
    const REFILL: u64 = 5;
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let replicas = SKEWS.map(|ahead| site.replica_ahead(ahead));
    let http = client();
    let began = Instant::now();
    // Over nine seconds: the share of all clients that anybody may use is 40 at once, and four more
    // each second, so the network's own limit is the one that is reached.
    let asked = (0_u32..).zip(0..300).map(|(turn, number)| {
        let (http, origin) = (&http, &replicas[number % 5].origin);
        async move {
            sleep(turn * Duration::from_millis(30)).await;
            ask_for_mail(http, origin, number).await
        }
    });
    let waits: Vec<_> = stream::iter(asked).buffer_unordered(300).collect().await;
    let took = began.elapsed();
    println!("300 were asked for within {took:?}");
    let sent = waits.iter().filter(|wait| wait.is_none()).count();
    let refilled = usize::try_from(took.as_secs() / REFILL).unwrap();
    assert!((60..=60 + refilled).contains(&sent), "{sent} in {took:?}");
    // The wait is right at every replica: none is longer than a refill.
    let waits: Vec<_> = waits.into_iter().flatten().collect();
    assert!(
        waits.iter().all(|wait| (1..=REFILL).contains(wait)),
        "{waits:?}"
    );
    for (number, replica) in replicas.iter().enumerate() {
        let mut wait = None;
        for _ in 0..3 {
            wait = ask_for_mail(&http, &replica.origin, 1_000 + number).await;
            let Some(seconds) = wait else { break };
            assert!(seconds <= REFILL, "{seconds}");
            sleep(Duration::from_secs(seconds)).await;
        }
        assert_eq!(wait, None, "after the wait that {} names", SKEWS[number]);
    }
}

/// Pins: at 30 s ahead a session survived signing out everywhere for its whole life, and at 30 s
/// behind the next sign-in had ended before it began.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server and faketime; run by tests/run"]
async fn everywhere_ends_what_began_before_and_the_next_sign_in_lives_whatever_the_clocks_say() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let replicas = [-30, 0, 30].map(|ahead| site.replica_ahead(ahead));
    let http = client();
    for (number, (began, ends, next)) in [
        (0, 2, 0),
        (2, 0, 2),
        (0, 0, 2),
        (2, 2, 0),
        (1, 2, 0),
        (2, 1, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("began at {began}, ended at {ends}, next at {next}");
        let email = format!("person{number}@example.com");
        let [began, ends, next] = [began, ends, next].map(|number: usize| &replicas[number]);
        let other = site.cookie(&format!("person{number}"));
        let before = cookie(&walk(&site, &email, [began; 4]).await.0);
        let status = sign_out(&http, &ends.origin, &before, "everywhere=true").await;
        assert_eq!(status, 303, "{name}");
        for replica in &replicas {
            for cookie in [&before, &other] {
                until("it is heard of", async || {
                    ask(&http, &replica.origin, cookie).await == Some(Heard::SignedOut)
                })
                .await;
            }
        }
        let after = cookie(&walk(&site, &email, [next; 4]).await.0);
        for replica in &replicas {
            let heard = ask(&http, &replica.origin, &after).await;
            assert_eq!(heard, Some(Heard::SignedIn), "{name}");
        }
    }
}

fn cookie(person: &Person) -> String {
    let token = &person.cookies["__Host-magic-link"];
    format!("__Host-magic-link={token}")
}
