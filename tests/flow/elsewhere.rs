//! The link in another browser than the one that began.

use http::{Request, StatusCode};
use tower_magic_link::{
    Builder, RejectionKind,
    emulator::Endpoint,
    page::CrossDevice,
    throttle::{Limits, Rate},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Browser, Post, World},
    throttle::Far,
};

const SESSION: &str = "__Host-magic-link";
const PASS: &str = "__Host-magic-link-pass";

/// A sign-in that one browser has begun, and the link that arrived, by whose mail it came.
struct Begun {
    world: World,
    post: Post,
    is_own_mail: bool,
    first: Browser,
    /// Where the link leads on our origin: `open`, or the callback.
    link: String,
    match_code: String,
}

impl Begun {
    async fn by_own_mail(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let post = Post::default();
        let world = World::with(|builder| configure(builder.mailer(post.clone()))).await;
        Self::of(world, post, true).await
    }

    async fn by_their_mail(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(World::with(configure).await, Post::default(), false).await
    }

    async fn of(world: World, post: Post, is_own_mail: bool) -> Self {
        let mut first = world.browser();
        let check = first.ask_for_link(ADA, "/reports").await;
        let match_code = check
            .text()
            .split_once("id=\"match-code\">")
            .map(|(_, rest)| rest.split_once('<').unwrap().0.to_owned());
        let link = match is_own_mail {
            true => post.link(),
            false => world.follow_mail(ADA).await,
        };
        Self {
            world,
            post,
            is_own_mail,
            first,
            link,
            match_code: match_code.unwrap_or_default(),
        }
    }

    /// Follows what a right answer leads to, by way of WorkOS in our own mail's case.
    async fn arrive(&self, browser: &mut Browser, answer: Answer) -> Answer {
        if !self.is_own_mail {
            return browser.follow(answer).await;
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let onward = http.get(answer.location()).send().await.unwrap();
        let callback = onward.headers()["location"].to_str().unwrap();
        let answer = browser.get(callback.strip_prefix(ORIGIN).unwrap()).await;
        browser.follow(answer).await
    }

    /// How often WorkOS's link was followed since it came, or its code used.
    fn used_up(&self) -> usize {
        let followed = self.world.emulator().count(Endpoint::Confirm);
        let by_us = usize::from(!self.is_own_mail);
        followed - by_us + self.world.exchanges()
    }
}

async fn both(configure: impl Fn(Builder) -> Builder) -> [Begun; 2] {
    [
        Begun::by_own_mail(&configure).await,
        Begun::by_their_mail(&configure).await,
    ]
}

fn is_asked(answer: &Answer, status: u16) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(answer.text().contains("name=\"code\""), "{}", answer.text());
    assert!(
        answer.text().contains("a***@example.com"),
        "names who, masked"
    );
    assert!(!answer.text().contains(ADA), "{}", answer.text());
    assert!(
        !answer.text().contains("passwordless"),
        "WorkOS's link stays sealed"
    );
}

fn is_trouble(answer: &Answer, status: u16, trouble: RejectionKind) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(
        answer.text().contains(trouble.heading()),
        "{trouble:?}: {}",
        answer.text()
    );
}

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
