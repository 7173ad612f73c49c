//! Nothing of a sign-in, and nothing of its end, lives in one process.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    names::ORIGIN,
    person::{Person, location},
    redis::{RedisServer, until},
    site::{Heard, Replica, Site, ask, client, sign_out},
};

/// Signs somebody in, each step at the replica whose turn it is.
pub(crate) async fn walk(site: &Site, email: &str, turns: [&Replica; 4]) -> (Person, String) {
    let mut person = Person::at(ORIGIN);
    let turns = turns.map(|replica| replica.origin.as_str());
    let form = location(&person.via(turns[0]).get("/?tab=2").await);
    assert_eq!(person.get(&form).await.status(), 200);
    let asked = format!("email={}", email.replace('@', "%40"));
    let mails = || {
        let outbox = site.workos.emulator().outbox();
        outbox.iter().filter(|mail| mail.address() == email).count()
    };
    let before = mails();
    let check = location(&person.via(turns[1]).post(&form, &asked).await);
    let page = person.via(turns[2]).get(&check).await.text().await.unwrap();
    assert!(page.contains(email), "{page}");
    // A replica answers after a second, whether the mail is sent by then or not.
    until("a mail", async || mails() > before).await;
    let link = site.workos.emulator().last_link_to(email).expect("a mail");
    let home = person.via(turns[3]).follow(&link).await;
    (person, home)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn what_one_replica_begins_another_finishes_and_what_one_ends_is_ended() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let (a, b) = (site.replica(), site.replica());
    let walks = [
        ("one@example.com", [&a, &a, &a, &b]),
        ("two@example.com", [&b, &a, &b, &a]),
        ("three@example.com", [&a, &b, &a, &b]),
    ];
    for (email, turns) in walks {
        let (mut person, home) = walk(&site, email, turns).await;
        assert_eq!(home, "/?tab=2", "{email}");
        for replica in [&a, &b] {
            let page = person.via(&replica.origin).get(&home).await;
            assert_eq!(page.status(), 200, "{email}");
            assert!(page.text().await.unwrap().contains(email));
        }
        let out = person.via(&a.origin).post("/auth/logout", "").await;
        assert_eq!(out.status(), 303, "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn who_signs_out_at_one_replica_is_refused_by_the_other_within_a_tenth_of_a_second() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let (a, b) = (site.replica(), site.replica());
    let http = client();
    let mut took = Vec::new();
    for number in 0..100 {
        let cookie = site.cookie(&format!("p{number}"));
        let (here, there) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        assert_eq!(
            ask(&http, &there.origin, &cookie).await,
            Some(Heard::SignedIn)
        );
        let out = sign_out(&http, &here.origin, &cookie, "").await;
        let began = Instant::now();
        assert_eq!(out, 303);
        let is_out = async || ask(&http, &there.origin, &cookie).await == Some(Heard::SignedOut);
        until("it is heard of", is_out).await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!(
        "signed out at one, refused by the other: p50 {:?}, p99 {:?}",
        took[50], took[98]
    );
    assert!(took[50] < Duration::from_millis(100), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn who_signs_out_everywhere_is_signed_out_at_every_replica_and_nobody_else_is() {
    let redis = RedisServer::start().await;
    let site = Site::new(&redis.url()).await;
    let (a, b) = (site.replica(), site.replica());
    let http = client();
    let mine = [site.cookie("ada"), site.cookie("ada"), site.cookie("ada")];
    let other = site.cookie("eve");
    let out = sign_out(&http, &a.origin, &mine[0], "everywhere=true").await;
    assert_eq!(out, 303);
    let late = site.replica();
    for replica in [&a, &b, &late] {
        for cookie in &mine {
            until("it is heard of", async || {
                ask(&http, &replica.origin, cookie).await == Some(Heard::SignedOut)
            })
            .await;
        }
        assert_eq!(
            ask(&http, &replica.origin, &other).await,
            Some(Heard::SignedIn)
        );
    }
}
