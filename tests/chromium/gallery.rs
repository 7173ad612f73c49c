//! Every page that there is, and how a browser gets to see it. A new page is one line here.

use std::{future::Future, pin::Pin, time::Duration};

use tower_magic_link::{
    Builder, SignIn,
    page::{CrossDevice, Page},
};

use crate::{
    chromium::Chromium,
    drawn,
    names::ADA,
    stage::{SESSION, Stage},
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
    /// The browser, whose jar is empty, walks there; in the end it is at the page with this
    /// heading.
    Walked(Rules, &'static str, Walk),
}

/// By which rules people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    Code,
    Confirm,
    LinkAndCode,
    Refuse,
    Usual,
}

type Walk = for<'a> fn(&'a Stage, &'a Chromium) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) const LOGIN: &str = "/auth/login?return_to=/reports";

impl Rules {
    pub(crate) const ALL: [Self; 5] = [
        Self::Code,
        Self::Confirm,
        Self::LinkAndCode,
        Self::Refuse,
        Self::Usual,
    ];

    /// Sets them.
    pub(crate) fn set(self, builder: Builder) -> Builder {
        match self {
            Self::Code => builder.sign_in(SignIn::Code),
            Self::Confirm => builder.cross_device(CrossDevice::Confirm),
            Self::LinkAndCode => builder.sign_in(SignIn::LinkAndCode),
            Self::Refuse => builder.cross_device(CrossDevice::Refuse),
            Self::Usual => builder,
        }
    }
}

impl Way {
    /// Returns the rules under which the page is there.
    pub(crate) const fn rules(&self) -> Rules {
        match self {
            Self::Drawn(_) => Rules::Usual,
            Self::Walked(rules, ..) => *rules,
        }
    }
}

/// Returns every page.
pub(crate) fn screens() -> Vec<Screen> {
    let mut screens = begun();
    screens.extend(elsewhere());
    screens.extend(codes());
    screens.extend(ended());
    screens.extend(drawn::screens());
    screens
}

/// Where a sign-in begins, and waits for its mail.
fn begun() -> Vec<Screen> {
    vec![
        walked("login", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                browser.goto(LOGIN).await;
            })
        }),
        walked("login-invalid", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                submit(browser, "email", "ada@localhost@").await;
            })
        }),
        walked("login-missing", Rules::Usual, "Sign in", |_, browser| {
            Box::pin(async {
                submit(browser, "email", "").await;
            })
        }),
        walked("login-code", Rules::Code, "Sign in", |_, browser| {
            Box::pin(async {
                browser.goto(LOGIN).await;
            })
        }),
        walked(
            "login-link-and-code",
            Rules::LinkAndCode,
            "Sign in",
            |_, browser| {
                Box::pin(async {
                    browser.goto(LOGIN).await;
                })
            },
        ),
        walked(
            "check",
            Rules::Usual,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-later",
            Rules::Usual,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(30));
                    browser.reload().await;
                })
            },
        ),
        walked(
            "check-confirm",
            Rules::Confirm,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-refuse",
            Rules::Refuse,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-elsewhere",
            Rules::Usual,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.forget().await;
                    let check = browser.url().await.unwrap();
                    browser.goto(&check).await;
                })
            },
        ),
    ]
}

/// Where its link is opened in another browser.
fn elsewhere() -> Vec<Screen> {
    vec![
        walked("match", Rules::Usual, "Is that you?", |stage, browser| {
            Box::pin(async {
                open_elsewhere(stage, browser).await;
            })
        }),
        walked(
            "match-wrong",
            Rules::Usual,
            "Is that you?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.answer("code", "AAA-AAA").await;
                })
            },
        ),
        walked(
            "match-missing",
            Rules::Usual,
            "Is that you?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.run(NO_VALIDATION).await.unwrap();
                    browser.answer("code", "").await;
                })
            },
        ),
        walked(
            "match-too-many",
            Rules::Usual,
            "Too many wrong codes",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    for _ in 0..6 {
                        browser.answer("code", "AAA-AAA").await;
                    }
                })
            },
        ),
        walked(
            "confirm",
            Rules::Confirm,
            "Sign in here?",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                })
            },
        ),
        walked(
            "confirm-declined",
            Rules::Confirm,
            "This link was turned down",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                    browser.press("That wasn’t me").await;
                })
            },
        ),
        walked(
            "refuse",
            Rules::Refuse,
            "Open the link where you began",
            |stage, browser| {
                Box::pin(async {
                    open_elsewhere(stage, browser).await;
                })
            },
        ),
    ]
}

/// Where a code is typed.
fn codes() -> Vec<Screen> {
    vec![
        walked(
            "check-code",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-code-wrong",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.answer("code", "12345").await;
                })
            },
        ),
        walked(
            "check-code-elsewhere",
            Rules::Code,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.forget().await;
                    let check = browser.url().await.unwrap();
                    browser.goto(&check).await;
                })
            },
        ),
        walked(
            "check-link-and-code",
            Rules::LinkAndCode,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                })
            },
        ),
        walked(
            "check-link-and-code-missing",
            Rules::LinkAndCode,
            "Check your email",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    browser.run(NO_VALIDATION).await.unwrap();
                    browser.answer("code", "").await;
                })
            },
        ),
    ]
}

/// Where it has ended, well or not.
fn ended() -> Vec<Screen> {
    vec![
        walked(
            "link-used",
            Rules::Usual,
            "This link no longer works",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    stage.sign_out(browser).await;
                    browser.goto(&stage.link_to(ADA)).await;
                })
            },
        ),
        walked(
            "link-expired",
            Rules::Usual,
            "This link is too old",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(15 * 60));
                    browser.goto(&stage.link_to(ADA)).await;
                })
            },
        ),
        walked(
            "attempt-expired",
            Rules::Usual,
            "This sign-in has timed out",
            |stage, browser| {
                Box::pin(async {
                    stage.ask(browser, "/reports").await;
                    stage.pass(Duration::from_secs(25 * 60));
                    browser.reload().await;
                })
            },
        ),
        walked(
            "cookie-dropped",
            Rules::Usual,
            "Your browser blocks our cookie",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    browser.forget_cookie(SESSION).await;
                    browser.goto("/reports").await;
                })
            },
        ),
        walked(
            "link-cut-short",
            Rules::Usual,
            "That didn’t arrive in one piece",
            |_, browser| {
                Box::pin(async {
                    browser.goto("/auth/open?t=x").await;
                })
            },
        ),
        walked("sign-out", Rules::Usual, "Sign out?", |stage, browser| {
            Box::pin(async {
                stage.sign_in(browser, "/reports").await;
                browser.goto("/auth/logout").await;
            })
        }),
        walked(
            "signed-out",
            Rules::Usual,
            "You’re signed out",
            |stage, browser| {
                Box::pin(async {
                    stage.sign_in(browser, "/reports").await;
                    stage.sign_out(browser).await;
                })
            },
        ),
    ]
}

fn walked(name: &str, rules: Rules, heading: &'static str, walk: Walk) -> Screen {
    Screen {
        name: name.to_owned(),
        way: Way::Walked(rules, heading, walk),
    }
}

const NO_VALIDATION: &str = "document.forms[0].noValidate = true";

/// Sends the form with a text that the browser itself would not let through.
async fn submit(browser: &Chromium, field: &str, text: &str) {
    browser.goto(LOGIN).await;
    browser.shows("Sign in").await;
    browser.run(NO_VALIDATION).await.unwrap();
    browser.answer(field, text).await;
}

/// Opens a link as another browser than the one that asked for it.
async fn open_elsewhere(stage: &Stage, browser: &Chromium) {
    let link = stage.ask_for_link(browser, "/reports").await;
    browser.forget().await;
    browser.goto(&link).await;
}
