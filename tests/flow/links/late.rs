//! A link or a code that comes too late, in a browser that is signed in by now.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{Builder, RejectionKind, Session, SignIn, revocation::Standing};

use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, Post, World, by_own_link},
};

/// What comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Callback,
    Code,
    Link,
}

/// Who is signed in by then, and where it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Ada,
    AdaInAnotherBrowser,
    AdaInAnOutage,
    Eve,
    Nobody,
}

struct Site {
    post: Post,
    world: World,
    is_out: Arc<AtomicBool>,
}

impl Site {
    async fn new(late: Late) -> Self {
        let (post, is_out) = (Post::default(), Arc::<AtomicBool>::default());
        let (mailer, out) = (post.clone(), is_out.clone());
        let world = World::with(|builder: Builder| {
            let builder = builder.revocations(move |_: Session| {
                let is_out = out.load(Ordering::SeqCst);
                async move {
                    match is_out {
                        true => Err(std::io::Error::other("out")),
                        false => Ok(Standing::Active),
                    }
                }
            });
            match late {
                // WorkOS mails its own link, which leads to the callback.
                Late::Callback => builder,
                Late::Code => builder.mailer(mailer).sign_in(SignIn::Code),
                Late::Link => builder.mailer(mailer),
            }
        })
        .await;
        Self {
            post,
            world,
            is_out,
        }
    }

    /// Asks for a mail, and returns what comes of it, and the form that brings it if it is a code.
    async fn ask(&self, late: Late, browser: &mut Browser, email: &str) -> (String, String) {
        let check = browser.ask_for_link(email, "/reports").await;
        match late {
            Late::Callback => (self.world.follow_mail(email).await, String::new()),
            Late::Link => (self.post.link(), String::new()),
            Late::Code => {
                let action = super::super::codes::action(&check).unwrap();
                (action, format!("code={}", self.post.code()))
            }
        }
    }
}

/// Brings it.
async fn bring(browser: &mut Browser, (path, form): &(String, String)) -> Answer {
    match form.is_empty() {
        true => browser.get(path).await,
        false => browser.post(path, form).await,
    }
}

/// Pinned: the page said that the link is too old, to somebody whom the same link had signed in.
#[tokio::test]
async fn what_comes_too_late_leads_on_in_the_browser_that_it_has_signed_in_and_nowhere_else() {
    for late in [Late::Callback, Late::Code, Late::Link] {
        for by in [
            By::Ada,
            By::AdaInAnotherBrowser,
            By::AdaInAnOutage,
            By::Eve,
            By::Nobody,
        ] {
            let name = format!("{late:?}, {by:?}");
            let site = Site::new(late).await;
            let mut browser = site.world.browser();
            if by == By::Eve {
                let mail = site.ask(late, &mut browser, EVE).await;
                let answer = bring(&mut browser, &mail).await;
                if late == Late::Link {
                    by_own_link(&mut browser, &answer).await;
                }
            }
            let mail = site.ask(late, &mut browser, ADA).await;
            if !matches!(by, By::Eve | By::Nobody) {
                let answer = bring(&mut browser, &mail).await;
                if late == Late::Link {
                    by_own_link(&mut browser, &answer).await;
                }
                assert_eq!(browser.get("/x").await.text(), "/x for ada@example.com");
            }
            if by == By::AdaInAnotherBrowser {
                browser.jar.retain(|name, _| name == "__Host-magic-link");
            }
            site.world.clock.advance(Duration::from_secs(25 * 60));
            site.is_out.store(by == By::AdaInAnOutage, Ordering::SeqCst);
            let answer = bring(&mut browser, &mail).await;
            if by == By::Ada {
                assert_eq!(answer.location(), "/reports", "{name}");
                continue;
            }
            let kind = match late {
                Late::Link => RejectionKind::LinkExpired,
                Late::Callback | Late::Code => RejectionKind::AttemptExpired,
            };
            assert_eq!(answer.status(), 400, "{name}");
            assert!(answer.read().contains(kind.heading()), "{name}");
        }
    }
}

/// Pinned: the tab of the check page, which stays behind where the link opens in a new one, said
/// that the sign-in has timed out and offered another mail, whose link ends the session.
#[tokio::test]
async fn the_check_page_leads_on_in_the_browser_that_its_mail_has_signed_in() {
    for late in [Late::Callback, Late::Link] {
        for is_signed_in in [false, true] {
            let name = format!("{late:?}, signed in: {is_signed_in}");
            let site = Site::new(late).await;
            let mut browser = site.world.browser();
            let posted = browser
                .post("/auth/login?return_to=/reports", "email=ada%40example.com")
                .await;
            let check = posted.location().to_owned();
            assert_eq!(browser.get(&check).await.status(), 200, "{name}");
            if is_signed_in {
                let link = match late {
                    Late::Link => site.post.link(),
                    Late::Callback | Late::Code => site.world.follow_mail(ADA).await,
                };
                let answer = browser.get(&link).await;
                if late == Late::Link {
                    by_own_link(&mut browser, &answer).await;
                }
                assert_eq!(browser.get("/x").await.text(), "/x for ada@example.com");
            }
            site.world.clock.advance(Duration::from_secs(25 * 60));
            let answer = browser.get(&check).await;
            match is_signed_in {
                true => assert_eq!(answer.location(), "/reports", "{name}"),
                false => {
                    assert_eq!(answer.status(), 400, "{name}");
                    let heading = RejectionKind::AttemptExpired.heading();
                    assert!(answer.read().contains(heading), "{name}");
                }
            }
        }
    }
}
