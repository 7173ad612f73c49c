//! Row 41: a sign-in goes on through a change of keys.

use std::time::Duration;

use tower_magic_link::{
    Builder, KeyRing, RejectionKind, SignIn, SigningKey, clock::Clock, page::CrossDevice,
};

use crate::{
    names::{ADA, EVE},
    page::Page,
    support::{Browser, Post, World},
};

const BROWSER: &str = "__Host-magic-link-browser";
/// How long a key that retires here opens what it sealed.
const STANDS: Duration = Duration::from_secs(12 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn rotate(world: &World) {
    let now = world.clock.now();
    let until = now + STANDS;
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

/// A key retires by the date, and a sign-in begins by the layer's time, which stays ahead.
#[tokio::test]
async fn a_sign_in_that_began_after_the_clock_was_set_back_ends_after_a_change_of_keys() {
    let world = World::new().await;
    let mut browser = world.browser();
    let now = world.clock.now();
    world.clock.set(now + 10 * MINUTE);
    browser.get("/auth/login").await;
    world.clock.set(now);
    browser.ask_for_link(ADA, "/reports").await;
    rotate(&world);
    let callback = world.follow_mail(ADA).await;
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports", "{}", landed.text());
}

/// Pins: the end of a key is a date, and was compared with the layer's time, which stays ahead. A
/// key that retired for half a day had ended at once, and everybody was signed out.
#[tokio::test]
async fn a_change_of_keys_after_the_clock_was_set_right_signs_nobody_out() {
    let world = World::new().await;
    let now = world.clock.now();
    world.clock.set(now + STANDS + 60 * MINUTE);
    world.browser().get("/auth/login").await;
    world.clock.set(now);
    let mut signed_in = world.signed_in(ADA).await;
    assert_eq!(signed_in.get("/").await.status(), 200);
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    rotate(&world);
    assert_eq!(signed_in.get("/").await.status(), 200);
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports", "{}", landed.text());
}

/// Pins: a token is dated by the clock at which it was minted, and a key retires by the clock as it
/// is now. What was minted while the clock was ahead was refused as minted by a thief.
#[tokio::test]
async fn a_session_that_began_while_the_clock_was_ahead_goes_on_after_a_change_of_keys() {
    let world = World::new().await;
    let now = world.clock.now();
    world.clock.set(now + 10 * MINUTE);
    let mut browser = world.signed_in(ADA).await;
    world.clock.set(now);
    assert_eq!(browser.get("/").await.status(), 200);
    rotate(&world);
    assert_eq!(browser.get("/").await.status(), 200);
}

/// Whether or not a request has used the key between its change and its end, and whether or not
/// the clock had been ahead before.
#[tokio::test]
async fn a_key_that_has_ended_stays_so_when_the_clock_is_set_back() {
    for (is_used, was_ahead) in [(true, false), (false, false), (true, true), (false, true)] {
        let world = World::with(|builder| builder.session_lifetime(4 * STANDS)).await;
        let now = world.clock.now();
        if was_ahead {
            world.clock.set(now + 60 * MINUTE);
            world.browser().get("/auth/login").await;
            world.clock.set(now);
        }
        let old = world.signed_in(ADA).await;
        rotate(&world);
        let new = world.signed_in(EVE).await;
        if is_used {
            assert_eq!(old.clone().get("/").await.status(), 200);
        }
        let cases = [
            ("on its end", now + STANDS),
            ("an hour back", now + STANDS - 60 * MINUTE),
            ("back before the change", now - 60 * MINUTE),
        ];
        for (name, moment) in cases {
            world.clock.set(moment);
            // Clones: an answer may remove or renew the cookie.
            let browsers = [&new, &old].map(Browser::clone);
            for (mut browser, want) in browsers.into_iter().zip([200, 303]) {
                let status = browser.get("/").await.status();
                assert_eq!(status, want, "{name}, {want}, {is_used}, {was_ahead}");
            }
        }
    }
}

/// A key that leaked is replaced, not retired: nothing that it sealed or signed is taken any more.
///
/// Pins: of a whole link the page said that it had not arrived in one piece, and sent the person
/// back to the same link.
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
    assert_eq!(refused.status(), 400, "{}", refused.text());
    let (page, told) = (refused.read(), RejectionKind::Malformed);
    for sentence in [told.heading(), told.happened(), told.advice()] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    assert!(page.contains("or we can no longer read it"), "{page}");
    assert!(page.contains("otherwise start over here"), "{page}");
    assert_eq!(
        signed_in.get("/").await.location(),
        "/auth/login?return_to=/"
    );
    // And everything works again, in the same browser.
    let page = browser.sign_in(&world, ADA, "/again").await;
    assert_eq!(page.text(), "/again for ada@example.com");
}

/// Pinned: the browser's cookie had the tag of the old key for as long as the browser asked for
/// mail.
#[tokio::test]
async fn a_sign_in_that_began_before_a_retired_key_ended_ends_after_it() {
    let refuses = |builder: Builder| builder.cross_device(CrossDevice::Refuse);
    let world = World::with(refuses).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    rotate(&world);
    world.clock.advance(STANDS - MINUTE);
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    world.clock.advance(2 * MINUTE);
    let landed = browser.get(&callback).await;
    assert_eq!(landed.location(), "/reports", "{}", landed.text());
}

#[tokio::test]
async fn digits_that_were_mailed_before_a_retired_key_ended_are_good_after_it() {
    let post = Post::default();
    let mailer = post.clone();
    let world = World::with(|builder| builder.sign_in(SignIn::Code).mailer(mailer)).await;
    let mut browser = world.browser();
    browser.get("/auth/login").await;
    rotate(&world);
    world.clock.advance(STANDS - MINUTE);
    let check = browser.ask_for_link(ADA, "/reports").await;
    world.clock.advance(2 * MINUTE);
    let text = check.text();
    let form = Page::of(&text);
    let form = form.form_to_type("code").unwrap();
    let typed = format!("code={}", post.code());
    let landed = browser.post(&form.action, &typed).await;
    assert_eq!(landed.location(), "/reports", "{}", landed.text());
}

/// A browser that has been here before answers the page of another browser's link.
#[tokio::test]
async fn a_permit_that_was_given_before_a_retired_key_ended_is_good_after_it() {
    let world = World::new().await;
    let mut other = world.browser();
    other.get("/auth/login").await;
    rotate(&world);
    world.clock.advance(STANDS - MINUTE);
    let check = world.browser().ask_for_link(ADA, "/reports").await;
    let text = check.text();
    let letters = Page::of(&text).text_of("match-code").unwrap().to_owned();
    let callback = world.follow_mail(ADA).await;
    other.get(&callback).await;
    world.clock.advance(2 * MINUTE);
    let landed = other.post(&callback, &format!("code={letters}")).await;
    let landed = other.follow(landed).await;
    assert_eq!(landed.text(), "/reports for ada@example.com");
}

/// The cookie gets the tag of the new key with the next mail, and names the same browser.
#[tokio::test]
async fn what_a_browser_began_under_the_old_key_is_its_own_under_the_new_one() {
    let refuses = |builder: Builder| {
        let builder = builder.cross_device(CrossDevice::Refuse);
        builder.insecure_no_throttle()
    };
    let world = World::with(refuses).await;
    let mut browser = world.browser();
    let tag = |browser: &Browser| browser.jar[BROWSER].split('.').next().unwrap().to_owned();
    browser.ask_for_link(ADA, "/old").await;
    let (old, mut tab) = (world.follow_mail(ADA).await, browser.clone());
    rotate(&world);
    world.clock.advance(MINUTE);
    browser.ask_for_link(ADA, "/new").await;
    let new = world.follow_mail(ADA).await;
    assert_ne!(tag(&browser), tag(&tab), "by the new key");
    // In a tab whose answer was lost, and where it arrived.
    assert_eq!(tab.clone().get(&new).await.location(), "/new");
    assert_eq!(browser.clone().get(&old).await.location(), "/old");
    tab.get("/auth/login").await;
    assert_eq!(tag(&browser), tag(&tab));
}

#[tokio::test]
async fn two_tabs_show_the_same_letters_after_a_change_of_keys() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    rotate(&world);
    let mut tabs = [browser.clone(), browser];
    let mut shown = Vec::new();
    for number in 0..4 {
        world.clock.advance(MINUTE);
        let check = tabs[number % 2].ask_for_link(ADA, "/").await;
        let text = check.text();
        shown.push(Page::of(&text).text_of("match-code").unwrap().to_owned());
    }
    shown.dedup();
    assert_eq!(shown.len(), 1, "{shown:?}");
}
