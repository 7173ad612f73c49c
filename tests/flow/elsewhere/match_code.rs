//! The match code signs in another browser; guesses are limited.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::{
    Builder, RejectionKind, SignIn,
    page::CrossDevice,
    throttle::{Limits, Rate},
};

use super::{Begun, PASS, SESSION, both, is_asked, is_trouble};
use crate::{
    names::{ADA, EVE},
    support::{Browser, Post, World},
};

fn wrong(match_code: &str) -> &'static str {
    if match_code.starts_with('B') {
        "CCC-CCC"
    } else {
        "BBB-BBB"
    }
}

#[tokio::test]
async fn the_match_code_signs_in_where_it_is_typed_and_nowhere_else() {
    for mut begun in both(|builder| builder).await {
        let mut other = begun.world.browser();
        is_asked(&other.get(&begun.link).await, 200);
        assert_eq!(begun.used_up(), 0);
        let typed = begun.match_code.to_lowercase().replace('-', "+");
        let answer = other.post(&begun.link, &format!("code={typed}")).await;
        let landed = begun.arrive(&mut other, answer).await;
        assert!(
            landed.text().contains("/reports for ada@"),
            "{}",
            landed.text()
        );
        assert!(!other.jar.contains_key(PASS), "it has served");
        assert!(!begun.first.jar.contains_key(SESSION));
        let bounced = begun.first.get("/reports").await;
        assert!(bounced.location().starts_with("/auth/login"));
    }
}

#[tokio::test]
async fn five_wrong_codes_end_the_way_of_other_browsers_and_never_the_first_ones() {
    for mut begun in both(|builder| builder).await {
        let (link, wrong) = (begun.link.clone(), wrong(&begun.match_code));
        // Each from another browser: it is the link whose tries are counted.
        for _ in 0..5 {
            let mut robot = begun.world.browser();
            robot.get(&link).await;
            is_asked(&robot.post(&link, &format!("code={wrong}")).await, 422);
        }
        let mut late = begun.world.browser();
        late.get(&link).await;
        let right = format!("code={}", begun.match_code);
        is_trouble(
            &late.post(&link, &right).await,
            403,
            RejectionKind::TooManyTries,
        );
        assert_eq!(begun.used_up(), 0);
        assert!(!late.jar.contains_key(PASS) && !late.jar.contains_key(SESSION));
        let answer = begun.first.get(&link).await;
        let mut first = begun.first.clone();
        let landed = begun.arrive(&mut first, answer).await;
        assert_eq!(landed.status(), 200);
        // A new link has tries of its own.
        begun
            .world
            .clock
            .advance(std::time::Duration::from_secs(180));
    }
}

#[tokio::test]
async fn four_wrong_codes_and_the_right_one_sign_in() {
    for begun in both(|builder| builder).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        for _ in 0..4 {
            let wrong = format!("code={}", wrong(&begun.match_code));
            is_asked(&other.post(&begun.link, &wrong).await, 422);
        }
        let right = format!("code={}", begun.match_code);
        // Twice, as a double click does: a right answer costs no try.
        let _ = other.clone().post(&begun.link, &right).await;
        let answer = other.post(&begun.link, &right).await;
        assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
    }
}

/// Five tries are those of one link, and there is always another link.
#[tokio::test]
async fn guesses_are_limited_by_address_too_and_an_empty_answer_is_none() {
    let three = Rate::new(3, std::time::Duration::from_secs(600));
    let limits = Limits::default().codes_per_address_and_network(three);
    for begun in both(|builder| builder.limits(limits)).await {
        let mut robot = begun.world.browser();
        robot.get(&begun.link).await;
        let wrong = format!("code={}", wrong(&begun.match_code));
        for form in ["", &wrong, "code=", &wrong, "", &wrong] {
            is_asked(&robot.post(&begun.link, form).await, 422);
        }
        is_asked(&robot.post(&begun.link, "").await, 422);
        let right = format!("code={}", begun.match_code);
        let limited = robot.post(&begun.link, &right).await;
        is_trouble(&limited, 429, RejectionKind::RateLimited);
        assert_eq!(limited.header("retry-after"), "600");
        assert!(!robot.jar.contains_key(PASS));
        // The browser that began types none.
        let mut first = begun.first.clone();
        let answer = first.get(&begun.link).await;
        assert_eq!(begun.arrive(&mut first, answer).await.status(), 200);
    }
}

/// A robot that presses buttons would else keep the person from typing a code.
#[tokio::test]
async fn a_click_uses_up_no_guess() {
    let one = Rate::new(1, std::time::Duration::from_secs(600));
    let limits = Limits::default().codes_per_address_and_network(one);
    let configure = |builder: Builder| builder.cross_device(CrossDevice::Confirm).limits(limits);
    for begun in both(configure).await {
        for _ in 0..5 {
            let mut other = begun.world.browser();
            other.get(&begun.link).await;
            let answer = other.post(&begun.link, "code=123456").await;
            assert_ne!(answer.status(), 429, "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn an_empty_answer_is_no_try() {
    for begun in both(|builder| builder).await {
        let mut robot = begun.world.browser();
        robot.get(&begun.link).await;
        for form in ["", "code=", "code=+", "code=-&x=y", "other=1"].repeat(4) {
            is_asked(&robot.post(&begun.link, form).await, 422);
        }
        assert_eq!(begun.used_up(), 0);
        let right = format!("code={}", begun.match_code);
        let answer = robot.post(&begun.link, &right).await;
        assert_eq!(begun.arrive(&mut robot, answer).await.status(), 200);
    }
}

/// The code of the mail in the field for the letters, a name that the browser filled in, half of
/// the letters.
#[tokio::test]
async fn what_cannot_be_the_letters_is_no_try() {
    let one = Rate::new(1, std::time::Duration::from_secs(600));
    let limits = Limits::default().codes_per_address_and_network(one);
    for begun in both(|builder| builder.limits(limits)).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        for typed in [
            "123456",
            "BCD",
            "BCD-FGHJ",
            "ada%40example.com",
            "BCDFG0",
            "%C5%83CDFGH",
        ] {
            let page = other.post(&begun.link, &format!("code={typed}")).await;
            is_asked(&page, 422);
            let is_told = page.text().contains("Those aren’t the letters");
            assert!(is_told, "{typed}: {}", page.text());
        }
        // As a full-width keyboard types it, between quotes.
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
        let typed: String = begun.match_code.chars().map(wide).collect();
        let typed = format!("“{typed}”.");
        let encoded: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let answer = other.post(&begun.link, &format!("code={encoded}")).await;
        assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_at_once_five_are_compared() {
    for begun in both(|builder| builder.insecure_no_throttle()).await {
        let mut robot = begun.world.browser();
        robot.get(&begun.link).await;
        let guesses: Vec<_> = (0..1_000)
            .map(|_| {
                let (mut robot, link) = (robot.clone(), begun.link.clone());
                let form = format!("code={}", wrong(&begun.match_code));
                tokio::spawn(async move { robot.post(&link, &form).await.status() })
            })
            .collect();
        let mut compared = 0;
        for guess in guesses {
            match guess.await.unwrap() {
                StatusCode::UNPROCESSABLE_ENTITY => compared += 1,
                status => assert_eq!(status, StatusCode::FORBIDDEN),
            }
        }
        assert_eq!(compared, 5);
    }
}

#[tokio::test]
async fn whichever_of_two_mails_is_opened_the_code_on_the_screen_fits() {
    let begun = Begun::by_own_mail(|builder| builder).await;
    let mut first = begun.first.clone();
    let check = first.ask_for_link(ADA, "/reports").await;
    assert!(
        check.text().contains(&begun.match_code),
        "the same for both"
    );
    let mut other = begun.world.browser();
    other.get(&begun.link).await;
    let right = format!("code={}", begun.match_code);
    let answer = other.post(&begun.link, &right).await;
    assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
    // Another address, another browser: another code.
    let of_eve = first.ask_for_link(EVE, "/").await;
    let of_stranger = begun.world.browser().ask_for_link(ADA, "/").await;
    assert!(!of_eve.text().contains(&begun.match_code));
    assert!(!of_stranger.text().contains(&begun.match_code));
}

/// Returns the letters that the check page of a new mail shows.
async fn letters(world: &World, browser: &mut Browser, email: &str) -> String {
    let check = browser.ask_for_link(email, "/").await;
    // The next mail is no second click on this one.
    world.clock.advance(Duration::from_secs(60));
    let text = check.text();
    let (_, rest) = text.split_once("id=\"match-code\"").expect("letters");
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split('<').next().unwrap().to_owned()
}

/// Pinned: whoever saw the letters once knew them for every later sign-in.
#[tokio::test]
async fn a_finished_sign_in_is_followed_by_other_letters_and_an_unfinished_one_by_the_same() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    let mut seen = Vec::new();
    for round in 0..3 {
        let first = letters(&world, &mut browser, ADA).await;
        let mut other_tab = browser.clone();
        assert_eq!(letters(&world, &mut browser, ADA).await, first, "{round}");
        assert_eq!(letters(&world, &mut other_tab, ADA).await, first, "{round}");
        assert_ne!(letters(&world, &mut browser, EVE).await, first, "{round}");
        assert!(!seen.contains(&first), "{round}: {first} in {seen:?}");
        seen.push(first);
        let callback = world.follow_mail(ADA).await;
        assert_eq!(browser.get(&callback).await.status(), 303, "{round}");
        // The other half of a double click: the same session, and the same letters afterwards.
        assert_eq!(browser.get(&callback).await.status(), 303, "{round}");
        if round == 1 {
            browser.post("/auth/logout", "").await;
        }
    }
}

#[tokio::test]
async fn letters_of_which_no_link_is_alive_are_followed_by_others() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    let callback = {
        letters(&world, &mut browser, ADA).await;
        world.follow_mail(ADA).await
    };
    browser.get(&callback).await;
    let first = letters(&world, &mut browser, ADA).await;
    // Each mail keeps the round: it may be the one that is opened.
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(20 * 60));
        assert_eq!(letters(&world, &mut browser, ADA).await, first);
    }
    world.clock.advance(Duration::from_secs(24 * 60));
    assert_ne!(letters(&world, &mut browser, ADA).await, first);
}

/// Pinned: whoever reads mail on a telephone finishes no sign-in in the browser on the desk, which
/// showed the same letters each day.
#[tokio::test]
async fn letters_of_a_browser_that_finishes_no_sign_in_are_followed_by_others() {
    for sign_in in [SignIn::Link, SignIn::LinkAndCode] {
        let post = Post::default();
        let (mailer, day) = (post.clone(), Duration::from_secs(24 * 60 * 60));
        let configure = |builder: Builder| {
            let builder = builder.insecure_no_throttle();
            builder.mailer(mailer).sign_in(sign_in)
        };
        let world = World::with(configure).await;
        let mut desk = world.browser();
        desk.get("/auth/login").await;
        let mut seen = Vec::new();
        for number in 0..3 {
            let mut tab = desk.clone();
            let shown = letters(&world, &mut desk, ADA).await;
            assert_eq!(letters(&world, &mut tab, ADA).await, shown, "{number}: tab");
            assert_eq!(letters(&world, &mut desk, ADA).await, shown, "{number}");
            assert!(!seen.contains(&shown), "{number}: {shown} in {seen:?}");
            let mut telephone = world.browser();
            let link = post.link();
            telephone.get(&link).await;
            telephone.post(&link, &format!("code={shown}")).await;
            assert!(telephone.jar.contains_key(PASS), "{number}: {shown}");
            seen.push(shown);
            world.clock.advance(day);
        }
    }
}
