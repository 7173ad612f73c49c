//! Row 41: a sign-in goes on through a change of keys.

use std::time::Duration;

use tower_magic_link::{KeyRing, SigningKey, clock::Clock};

use crate::{names::ADA, support::World};

fn rotate(world: &World) {
    let now = world.clock.now();
    let until = now + Duration::from_secs(12 * 60 * 60);
    let new = SigningKey::generate().unwrap();
    world.keys.handle().rotate(&new, until, now).unwrap();
}

#[tokio::test]
async fn a_sign_in_that_began_before_a_change_of_keys_ends_after_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let form = browser.get("/auth/login?return_to=/reports").await;
    assert_eq!(form.status(), 200);
    rotate(&world);
    let posted = browser
        .post("/auth/login?return_to=/reports", "email=ada%40example.com")
        .await;
    rotate(&world);
    let check = browser.follow(posted).await;
    assert!(check.text().contains(ADA), "{}", check.text());
    let callback = world.follow_mail(ADA).await;
    rotate(&world);
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports");
    rotate(&world);
    let page = browser.follow(landed).await;
    assert_eq!(page.text(), "/reports for ada@example.com");
}

/// A key that leaked is replaced, not retired: nothing that it sealed or signed is taken any more.
#[tokio::test]
async fn a_key_that_is_dropped_ends_sign_ins_and_sessions() {
    let world = World::new().await;
    let mut signed_in = world.signed_in(ADA).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let new = KeyRing::new(SigningKey::generate().unwrap());
    world.keys.handle().replace(&new);
    let refused = browser.get(&callback).await;
    assert!(refused.status().is_client_error(), "{}", refused.text());
    assert_eq!(
        signed_in.get("/").await.location(),
        "/auth/login?return_to=/"
    );
    // And everything works again, in the same browser.
    let page = browser.sign_in(&world, ADA, "/again").await;
    assert_eq!(page.text(), "/again for ada@example.com");
}
