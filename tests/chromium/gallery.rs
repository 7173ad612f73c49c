//! Every page that there is, and how a browser gets to see it. A new page is one line here.

use std::{future::Future, pin::Pin, time::Duration};

use tower_magic_link::{
    CheckPage, CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice, LoginPage,
    LoginProblem, MatchPage, OnwardPage, Page, Resend, Sent, Trouble, TroublePage,
};

use crate::{
    browser::Browser,
    wait::eventually,
    world::{ADA, World},
};

/// A page, by the name of its picture.
pub(crate) struct Screen {
    pub(crate) name: String,
    pub(crate) way: Way,
}

/// How a browser gets to see a page.
pub(crate) enum Way {
    /// It is drawn as the layer would draw it, and served with the layer's own headers.
    Drawn(Page<'static>),
    /// The browser, whose jar is empty, walks there; in the end it is at the page with this heading.
    Walked(&'static str, Walk),
}

type Walk = for<'a> fn(&'a World, &'a Browser) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

const LOGIN: &str = "/auth/login?return_to=/reports";
const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
const MASKED: &str = "a***@example.com";
const LONG_ADDRESS: &str =
    "wilhelmina.featherstonehaugh-cholmondeley@correspondence.department.example.com";

/// Returns every page.
pub(crate) fn screens() -> Vec<Screen> {
    let mut screens = vec![
        walked("login", "Sign in", |_, browser| {
            Box::pin(async { browser.goto(LOGIN).await })
        }),
        walked("login-invalid", "Sign in", |_, browser| {
            Box::pin(async { submit(browser, "ada@localhost@").await })
        }),
        walked("login-missing", "Sign in", |_, browser| {
            Box::pin(async { submit(browser, "").await })
        }),
        walked("check", "Check your email", |world, browser| {
            Box::pin(async { drop(world.ask_for_link(browser, "/reports").await) })
        }),
        walked("check-elsewhere", "Check your email", |world, browser| {
            Box::pin(async {
                world.ask_for_link(browser, "/reports").await;
                browser.forget().await;
                let check = browser.url().await.unwrap();
                browser.goto(&check).await;
            })
        }),
        walked(
            "open-elsewhere",
            "Open the link where you began",
            |world, browser| {
                Box::pin(async {
                    let link = world.ask_for_link(browser, "/reports").await;
                    browser.forget().await;
                    browser.goto(&link).await;
                })
            },
        ),
        walked(
            "open-used",
            "This link no longer works",
            |world, browser| {
                Box::pin(async {
                    let link = world.ask_for_link(browser, "/reports").await;
                    browser.goto(&link).await;
                    browser.shows(&format!("Hello {ADA}")).await;
                    world.sign_out(browser).await;
                    browser.goto(&link).await;
                })
            },
        ),
        walked("sign-out", "Sign out?", |world, browser| {
            Box::pin(async {
                world.sign_in(browser, "/reports").await;
                browser.goto("/auth/logout").await;
            })
        }),
        walked("signed-out", "You’re signed out", |world, browser| {
            Box::pin(async {
                world.sign_in(browser, "/reports").await;
                world.sign_out(browser).await;
            })
        }),
        drawn(
            "login-named",
            Page::Login(LoginPage::new(LOGIN).with_application("Acme Reports")),
        ),
        drawn(
            "login-long-address",
            Page::Login(
                LoginPage::new(LOGIN)
                    .with_email(LONG_ADDRESS)
                    .with_problem(LoginProblem::InvalidAddress),
            ),
        ),
        drawn("check-long-address", Page::Check(check(LONG_ADDRESS))),
        drawn(
            "sign-out-long-address",
            Page::Confirm(ConfirmPage::new(
                "/auth/logout",
                Confirmation::SignOut {
                    email: LONG_ADDRESS,
                },
            )),
        ),
        drawn(
            "trouble-with-a-wait-and-a-reference",
            Page::Trouble(
                TroublePage::new(Trouble::RateLimited)
                    .with_action(LOGIN)
                    .with_reference("req_01HZX5V2S7")
                    .with_retry_after(Duration::from_secs(90)),
            ),
        ),
        drawn(
            "trouble-with-a-new-link",
            Page::Trouble(
                TroublePage::new(Trouble::LinkUsed)
                    .with_action(LOGIN)
                    .with_resend(Resend::new(LOGIN, ADA)),
            ),
        ),
    ];
    screens.extend(codes());
    screens.extend(TROUBLES.map(|trouble| {
        let page = TroublePage::new(trouble).with_action(LOGIN);
        drawn(&format!("trouble-{trouble:?}"), Page::Trouble(page))
    }));
    screens
}

/// Returns the pages on which a code is shown or typed, and those of a link that was opened elsewhere.
fn codes() -> Vec<Screen> {
    let entry = CodeEntry::new("/auth/code?t=x");
    let answer = CodeEntry::new("/auth/open?t=x");
    let asked = |entry| Page::Match(MatchPage::new(entry, MASKED, LOGIN));
    let both = check(ADA)
        .with_sent(Sent::LinkAndCode)
        .with_code_entry(entry);
    let wait = Resend::new(LOGIN, ADA).with_wait(Duration::from_secs(42));
    let confirm = Confirmation::SignIn { masked: MASKED };
    let mut screens = vec![
        drawn(
            "check-match-code",
            Page::Check(check(ADA).with_match_code("K7 4Q")),
        ),
        drawn("check-wait", Page::Check(check(ADA).with_resend(wait))),
        drawn(
            "check-confirm",
            Page::Check(check(ADA).with_cross_device(CrossDevice::Confirm)),
        ),
        drawn(
            "check-refuse",
            Page::Check(check(ADA).with_cross_device(CrossDevice::Refuse)),
        ),
        drawn(
            "check-code",
            Page::Check(check(ADA).with_sent(Sent::Code).with_code_entry(entry)),
        ),
        drawn(
            "check-link-and-code",
            Page::Check(both.with_match_code("K7 4Q")),
        ),
        drawn("match", asked(answer)),
        drawn(
            "confirm",
            Page::Confirm(ConfirmPage::new("/auth/open?t=x", confirm)),
        ),
        drawn("onward", Page::Onward(OnwardPage::new("/reports"))),
    ];
    let problems = [
        CodeProblem::Expired,
        CodeProblem::Missing,
        CodeProblem::Used,
        CodeProblem::Wrong,
    ];
    for problem in problems {
        let page = check(ADA)
            .with_sent(Sent::Code)
            .with_code_entry(entry.with_problem(problem));
        screens.push(drawn(&format!("check-code-{problem:?}"), Page::Check(page)));
        let page = asked(answer.with_problem(problem));
        screens.push(drawn(&format!("match-{problem:?}"), page));
    }
    screens
}

const TROUBLES: [Trouble; 21] = [
    Trouble::AnotherBrowser,
    Trouble::CrossSite,
    Trouble::Expired,
    Trouble::LinkUsed,
    Trouble::MailNotSent,
    Trouble::Malformed,
    Trouble::MethodNotAllowed,
    Trouble::NotAllowed,
    Trouble::OtherAddress,
    Trouble::ProviderFailed,
    Trouble::ProviderRefusedAddress,
    Trouble::ProviderUnavailable,
    Trouble::RateLimited,
    Trouble::SessionTooLarge,
    Trouble::SignInMisconfigured,
    Trouble::SignOutNotRecorded,
    Trouble::StoreUnavailable,
    Trouble::TooLarge,
    Trouble::TooSlow,
    Trouble::UnsupportedMediaType,
    Trouble::WrongConnection,
];

fn walked(name: &str, heading: &'static str, walk: Walk) -> Screen {
    Screen {
        name: name.to_owned(),
        way: Way::Walked(heading, walk),
    }
}

fn drawn(name: &str, page: Page<'static>) -> Screen {
    Screen {
        name: name.to_owned(),
        way: Way::Drawn(page),
    }
}

fn check(email: &'static str) -> CheckPage<'static> {
    CheckPage::new(LOGIN, LINK_LIFETIME)
        .with_email(email)
        .with_resend(Resend::new(LOGIN, email))
}

/// Sends the form with a text that the browser itself would not let through.
async fn submit(browser: &Browser, email: &str) {
    browser.goto(LOGIN).await;
    browser.shows("Sign in").await;
    browser
        .run("document.forms[0].noValidate = true")
        .await
        .unwrap();
    browser.fill("email", email).await;
    browser.press("Email me a link").await;
    eventually("a word about the address", async || {
        browser.text("#problem").await
    })
    .await;
}

#[test]
fn every_trouble_has_its_picture() {
    let source = include_str!("../../src/page/trouble.rs");
    let (_, all) = source.split_once("const ALL: ").unwrap();
    let (all, _) = all.split_once("];").unwrap();
    let known = TROUBLES.map(|trouble| format!("{trouble:?}"));
    let wanted: Vec<_> = all
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.strip_suffix(','))
        .collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    assert_eq!(wanted, known);
}
