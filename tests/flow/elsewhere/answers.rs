//! Which answers the other browser's page accepts, and what they allow.

use std::{sync::atomic::Ordering, time::Duration};

use http::Request;
use tokio::{task::yield_now, time::timeout};
use tower_magic_link::{Builder, RejectionKind, page::CrossDevice};

use super::{Begun, PASS, SESSION, both, is_asked, is_trouble};
use crate::{
    keys::rotate,
    names::ADA,
    throttle::{Far, Slow},
};

#[tokio::test]
async fn a_leave_serves_one_browser_for_one_sign_in() {
    let begun = Begun::by_own_mail(|builder| builder).await;
    let mut other = begun.world.browser();
    other.get(&begun.link).await;
    let right = format!("code={}", begun.match_code);
    let onward = other.post(&begun.link, &right).await;
    assert!(onward.location().contains("passwordless"));
    assert!(other.jar.contains_key(PASS));

    // Another browser, with the pass and a cookie of its own; and with the pass alone.
    let mut thief = begun.world.browser();
    thief.get("/auth/login").await;
    thief.jar.insert(PASS.to_owned(), other.jar[PASS].clone());
    is_asked(&thief.get(&begun.link).await, 200);
    let mut bare = begun.world.browser();
    bare.jar.insert(PASS.to_owned(), other.jar[PASS].clone());
    is_asked(&bare.get(&begun.link).await, 200);

    // The same browser, with another sign-in's link.
    let mut first = begun.first.clone();
    first.ask_for_link(ADA, "/").await;
    let second = begun.post.link();
    assert_ne!(second, begun.link);
    is_asked(&other.get(&second).await, 200);
    // The link that it has leave for needs no answer any more.
    assert_eq!(other.get(&begun.link).await.status(), 303);
}

#[tokio::test]
async fn an_answer_must_come_from_our_page_and_from_a_browser_that_keeps_cookies() {
    for begun in both(|builder| builder).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        let form = format!("code={}", begun.match_code);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let request = Request::post(&begun.link)
                .header(name, value)
                .header("accept", "text/html")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.clone().into())
                .unwrap();
            is_trouble(&other.send(request).await, 403, RejectionKind::CrossSite);
        }
        let mut forgetful = begun.world.browser();
        let request = Request::post(&begun.link)
            .header("host", "app.example.com")
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone().into())
            .unwrap();
        is_trouble(
            &forgetful.send(request).await,
            403,
            RejectionKind::CookiesBlocked,
        );
        assert_eq!(begun.used_up(), 0);
        assert!(!forgetful.jar.contains_key(SESSION));
    }
}

/// Pins: a person who said "That wasn't me" read that somebody had answered so on another device,
/// and was sent to the browser where they began.
#[tokio::test]
async fn a_click_signs_in_where_that_is_set_and_a_no_ends_it() {
    let configure = |builder: Builder| builder.cross_device(CrossDevice::Confirm);
    for begun in both(configure).await {
        assert_eq!(begun.match_code, "", "there is nothing to type");
        let mut other = begun.world.browser();
        let page = other.get(&begun.link).await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("a***@example.com") && !page.text().contains(ADA));
        let (no, yes) = (
            page.text().find("name=\"answer\" value=\"no\"").unwrap(),
            page.text().rfind("<button").unwrap(),
        );
        assert!(no < yes, "a robot presses the first one first");
        assert_eq!(begun.used_up(), 0);
        let answer = other.post(&begun.link, "").await;
        assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
    }
    for mut begun in both(configure).await {
        let mut robot = begun.world.browser();
        robot.get(&begun.link).await;
        let answer = robot.post(&begun.link, "answer=no").await;
        is_trouble(&answer, 403, RejectionKind::LinkDeclined);
        // This device has answered just now, and its owner may have begun nothing.
        let page = answer.read();
        assert!(!page.contains("on another device"), "{page}");
        assert!(page.contains("there is nothing more to do"), "{page}");
        is_trouble(
            &robot.post(&begun.link, "").await,
            403,
            RejectionKind::LinkDeclined,
        );
        assert_eq!(begun.used_up(), 0);
        assert!(begun.world.heard().contains("LinkDeclined"));
        let answer = begun.first.get(&begun.link).await;
        let mut first = begun.first.clone();
        assert_eq!(begun.arrive(&mut first, answer).await.status(), 200);
    }
}

#[tokio::test]
async fn a_click_that_could_not_be_given_back_is_not_taken_for_a_no() {
    let configure = |builder: Builder| {
        builder
            .cross_device(CrossDevice::Confirm)
            .throttle(Far::that_takes_nothing_back())
    };
    for begun in both(configure).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        // The browser calls the first one off, and the person presses again.
        other.clone().post(&begun.link, "").await;
        let answer = other.post(&begun.link, "").await;
        assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
        assert!(!begun.world.heard().contains("LinkDeclined"));
    }
}

#[tokio::test]
async fn another_browser_is_sent_back_where_that_is_set() {
    for begun in both(|builder| builder.cross_device(CrossDevice::Refuse)).await {
        assert_eq!(begun.match_code, "");
        let mut other = begun.world.browser();
        is_trouble(
            &other.get(&begun.link).await,
            403,
            RejectionKind::AnotherBrowser,
        );
        other.get("/auth/login").await;
        for form in ["", "code=BBB-BBB", "answer=no"] {
            let answer = other.post(&begun.link, form).await;
            is_trouble(&answer, 403, RejectionKind::AnotherBrowser);
        }
        assert_eq!(begun.used_up(), 0);
    }
}

/// Pins: a tab that was closed behind a "no" left tries, and the next "yes" signed in.
#[tokio::test]
async fn a_no_holds_though_its_tab_is_closed_before_the_answer() {
    let slow = Slow::default();
    let configure = |builder: Builder| {
        builder
            .cross_device(CrossDevice::Confirm)
            .throttle(slow.clone())
    };
    for begun in both(configure).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        slow.is_held.store(true, Ordering::SeqCst);
        slow.taken.store(0, Ordering::SeqCst);
        let (mut tab, link) = (other.clone(), begun.link.clone());
        let pressed = tokio::spawn(async move { drop(tab.post(&link, "answer=no").await) });
        while slow.taken.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        pressed.abort();
        assert!(pressed.await.unwrap_err().is_cancelled());
        slow.is_held.store(false, Ordering::SeqCst);
        let declined = async {
            while !begun.world.heard().contains("LinkDeclined") {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), declined).await.unwrap();
        let answer = other.post(&begun.link, "").await;
        is_trouble(&answer, 403, RejectionKind::LinkDeclined);
        assert_eq!(begun.used_up(), 0);
    }
}

/// Pins: tries were counted by a name of the current key, so a "no" was forgotten with the key.
#[tokio::test]
async fn a_link_that_was_declined_stays_declined_after_a_change_of_keys() {
    for begun in both(|builder| builder.cross_device(CrossDevice::Confirm)).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        let answer = other.post(&begun.link, "answer=no").await;
        is_trouble(&answer, 403, RejectionKind::LinkDeclined);
        rotate(&begun.world);
        let answer = other.post(&begun.link, "").await;
        is_trouble(&answer, 403, RejectionKind::LinkDeclined);
        assert_eq!(begun.used_up(), 0);
    }
}

/// Pins: three presses whose browser had left were taken for a "no".
#[tokio::test]
async fn presses_that_were_called_off_are_not_taken_for_a_no() {
    let slow = Slow::default();
    let configure = |builder: Builder| {
        let builder = builder.cross_device(CrossDevice::Confirm);
        builder.throttle(slow.clone())
    };
    for begun in both(configure).await {
        let mut other = begun.world.browser();
        other.get(&begun.link).await;
        for _ in 0..4 {
            slow.is_held.store(true, Ordering::SeqCst);
            slow.taken.store(0, Ordering::SeqCst);
            slow.given_back.store(0, Ordering::SeqCst);
            let (mut tab, link) = (other.clone(), begun.link.clone());
            let pressed = tokio::spawn(async move { drop(tab.post(&link, "").await) });
            while slow.taken.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
            pressed.abort();
            assert!(pressed.await.unwrap_err().is_cancelled());
            slow.is_held.store(false, Ordering::SeqCst);
            let given_back = async {
                while slow.given_back.load(Ordering::SeqCst) == 0 {
                    yield_now().await;
                }
            };
            timeout(Duration::from_secs(20), given_back).await.unwrap();
        }
        let answer = other.post(&begun.link, "").await;
        assert_eq!(begun.arrive(&mut other, answer).await.status(), 200);
    }
}
