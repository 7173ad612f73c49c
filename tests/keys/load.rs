//! Row 41: keys change while requests run, and nobody is signed out by it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{KeyRing, keys::RetiredKey, testing::ManualClock};

use crate::{
    names::{ADA, EVE},
    site::{LIFETIME, ask, layer, named, sign_in},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_change_under_load_and_nobody_is_signed_out() {
    const PEOPLE: usize = 8;
    const CHANGES: usize = 40;

    let clock = ManualClock::new();
    let keys = KeyRing::new(named("0"));
    let (layer, handle) = (layer(&keys, &clock), keys.handle());
    let (asked, renewed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| {
            let (layer, is_over) = (layer.clone(), is_over.clone());
            let (asked, renewed) = (asked.clone(), renewed.clone());
            tokio::spawn(async move {
                // One in two keeps the cookie of before the first change; the others sign in anew
                // all the time.
                let mut cookie = sign_in(&layer, ADA);
                let mut signed_out = 0;
                while !is_over.load(Ordering::SeqCst) {
                    if person % 2 == 1 {
                        cookie = sign_in(&layer, EVE);
                    }
                    let (status, set) = ask(&layer, &cookie).await;
                    signed_out += usize::from(status != 200);
                    if let Some(set) = set.filter(|_| status == 200) {
                        renewed.fetch_add(1, Ordering::SeqCst);
                        cookie = set;
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
                signed_out
            })
        })
        .collect();

    for change in 1..=CHANGES {
        let before = asked.load(Ordering::SeqCst);
        while asked.load(Ordering::SeqCst) < before + 50 {
            tokio::task::yield_now().await;
        }
        // A quarter of an hour passes between two changes: idle cookies are renewed under the newer
        // keys on the way.
        clock.advance(Duration::from_secs(15 * 60));
        let now = tower_magic_link::clock::Clock::now(&clock);
        handle
            .rotate(&named(change.to_string()), now + LIFETIME, now)
            .unwrap();
        if change == 20 {
            assert_eq!(format!("{keys:?}").matches("[redacted]").count(), 21);
        }
    }
    is_over.store(true, Ordering::SeqCst);
    let mut signed_out = 0;
    for person in people {
        signed_out += person.await.unwrap();
    }
    assert_eq!(signed_out, 0, "of {asked:?}, {renewed:?} renewed");
    assert!(asked.load(Ordering::SeqCst) >= 50 * CHANGES);
}

#[tokio::test]
async fn an_old_key_verifies_what_it_minted_until_its_time_has_come() {
    let clock = ManualClock::new();
    let now = || tower_magic_link::clock::Clock::now(&clock);
    let old = named("old");
    let keys = KeyRing::new(old.clone());
    let layer = layer(&keys, &clock);
    let before = sign_in(&layer, ADA);
    clock.advance(Duration::from_secs(600));
    let until = now() + Duration::from_secs(3_600);
    keys.handle().rotate(&named("new"), until, now()).unwrap();

    assert_eq!(ask(&layer, &before).await.0, 200);
    let after = sign_in(&layer, ADA);
    assert_ne!(header(&before), header(&after), "the new key mints");
    clock.advance(Duration::from_secs(3_599));
    assert_eq!(ask(&layer, &before).await.0, 200, "a second before");
    clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&layer, &before).await.0, 401, "on its end");
    assert_eq!(ask(&layer, &after).await.0, 200);
}

/// Pins: ids alone were compared, so that a ring had one key twice. A rotation to it signed on with
/// the secret that it had replaced.
#[test]
fn a_ring_has_a_key_once_whatever_its_ids() {
    let now = tower_magic_link::clock::Clock::now(&ManualClock::new());
    let (old, one) = (named("old"), named("one"));
    let two = one.clone().with_id("two").unwrap();
    let want = r#"key id "two" names a key that the ring has under another id"#;
    let keys = KeyRing::new(one.clone());
    let retired = RetiredKey::new(two.clone()).since(now);
    let announced = keys.clone().announce(two.clone());
    for twice in [announced, keys.clone().retire(retired)] {
        assert_eq!(twice.unwrap_err().to_string(), want);
    }
    let next = KeyRing::new(old).announce(one.clone()).unwrap();
    for ring in [&keys, &next] {
        let rotated = ring.handle().rotate(&two, now + LIFETIME, now);
        assert_eq!(rotated.unwrap_err().to_string(), want, "{ring:?}");
    }
    let promoted = next.handle().rotate(&one, now + LIFETIME, now);
    assert!(promoted.is_ok(), "under the id by which it was announced");
}

/// Another replica swaps up to a minute later; a thief goes on minting with what they stole.
#[tokio::test]
async fn who_still_holds_an_old_key_mints_nothing_that_is_good() {
    let clock = ManualClock::new();
    let old = named("old");
    let keys = KeyRing::new(old.clone());
    let ours = layer(&keys, &clock);
    let theirs = layer(&KeyRing::new(old), &clock);
    let now = tower_magic_link::clock::Clock::now(&clock);
    keys.handle()
        .rotate(&named("new"), now + LIFETIME, now)
        .unwrap();
    for (name, later, want) in [
        ("at once", 0, 200),
        ("a minute later", 60, 200),
        ("a minute and a second later", 61, 401),
        ("an hour later", 3_600, 401),
    ] {
        clock.set(now + Duration::from_secs(later));
        let minted = sign_in(&theirs, EVE);
        assert_eq!(ask(&ours, &minted).await.0, want, "{name}");
    }
}

/// Three steps, each taken by one replica after the other, with people going back and forth between
/// them.
#[tokio::test]
async fn replicas_change_their_key_one_after_the_other() {
    let clock = ManualClock::new();
    let (old, new) = (named("old"), named("new"));
    let start = || KeyRing::new(old.clone());
    let announced = || start().announce(new.clone()).unwrap();
    // When the first replica swaps; the second does half a minute later.
    let retired_at = tower_magic_link::clock::Clock::now(&clock) + Duration::from_secs(60);
    let changed = || {
        let old = RetiredKey::new(old.clone()).since(retired_at);
        KeyRing::new(new.clone())
            .retire(old.until(retired_at + LIFETIME))
            .unwrap()
    };
    let rings = [start(), start()];
    let replicas = rings.each_ref().map(|ring| layer(ring, &clock));
    let mut cookies = vec![sign_in(&replicas[0], ADA)];
    for step in [announced(), changed()] {
        for ring in &rings {
            ring.handle().replace(&step);
            clock.advance(Duration::from_secs(30));
            for replica in &replicas {
                cookies.push(sign_in(replica, ADA));
            }
            for cookie in &cookies {
                for replica in &replicas {
                    assert_eq!(ask(replica, cookie).await.0, 200, "{rings:?}");
                }
            }
        }
    }
    let old_ones = cookies
        .iter()
        .filter(|cookie| header(cookie) == header(&cookies[0]));
    assert_eq!(old_ones.count(), 6, "of 9: the rest are the new key's");
}

/// Returns the encoded header of the token in a cookie pair.
fn header(cookie: &str) -> &str {
    cookie.split(['=', '.']).nth(1).unwrap()
}
