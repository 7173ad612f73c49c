//! An old form, link or code that comes again within its minute, when its session has ended. It
//! does not end the session that the browser has now.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tower_magic_link::{
    RejectionKind, Session, SignIn,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreErrorKind, StoreFuture},
};

use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, Post, World, by_own_link, callback_behind},
};

const SESSION: &str = "__Host-magic-link";

/// How the person signed in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Choice,
    Code,
    Link,
    /// In another browser than the one that began, by the match code.
    OtherBrowser,
}

const WAYS: [Way; 4] = [Way::Choice, Way::Code, Way::Link, Way::OtherBrowser];

/// A store that may be out.
#[derive(Clone, Debug, Default)]
struct Store {
    memory: MemoryRevocations,
    is_out: Arc<AtomicBool>,
}

impl Revocations for Store {
    fn look_up(&self, session: &Session) -> Lookup {
        if self.is_out.load(Ordering::SeqCst) {
            return Lookup::Settled(Err(StoreError::new(StoreErrorKind::Unavailable)));
        }
        self.memory.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.memory.revoke(revocation)
    }
}

/// A browser that Ada has signed in with, and what it posted or opened for that.
struct Before {
    world: World,
    post: Post,
    store: Store,
    browser: Browser,
    path: String,
    form: Option<String>,
}

fn after(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(mark).expect(mark);
    rest.split_once(['"', '<']).unwrap().0.to_owned()
}

impl Before {
    async fn by(way: Way) -> Self {
        let (post, store) = (Post::default(), Store::default());
        let world = World::with(|builder| {
            let builder = builder.revocations(store.clone());
            builder.mailer(post.clone()).sign_in(SignIn::LinkAndCode)
        })
        .await;
        let mut browser = world.browser();
        let check = browser.ask_for_link(ADA, "/reports").await.text();
        let action = format!("/auth/code?t={}", after(&check, "action=\"/auth/code?t="));
        let code = format!("code={}", post.code());
        let mut before = Self {
            world,
            browser,
            path: action,
            form: Some(code),
            store,
            post,
        };
        match way {
            Way::Choice => {
                for id in ["org_acme", "org_globex"] {
                    before.world.emulator().add_membership(ADA, id, id);
                }
                let page = before.again().await.text();
                let choice = after(&page, "name=\"choice\" value=\"");
                before.path = after(&page, "<form method=\"post\" action=\"");
                before.form = Some(format!("choice={choice}&organization=org_acme"));
            }
            Way::Code => {}
            Way::Link => {
                let redirect = before.browser.get(&before.post.link()).await;
                before.path = callback_behind(redirect.location()).await;
                before.form = None;
            }
            Way::OtherBrowser => {
                // The callback takes the answer itself: the permit of the mailed link is not kept.
                let redirect = before.browser.get(&before.post.link()).await;
                before.path = callback_behind(redirect.location()).await;
                before.form = Some(format!("code={}", after(&check, "id=\"match-code\">")));
                before.browser = before.world.browser();
                before.browser.get(&before.path).await;
            }
        }
        assert_eq!(before.again().await.location(), "/reports", "{way:?}");
        assert!(before.browser.jar.contains_key(SESSION), "{way:?}");
        before
    }

    /// Opens or posts it.
    async fn again(&mut self) -> Answer {
        match &self.form {
            Some(form) => self.browser.post(&self.path, form).await,
            None => {
                let answer = self.browser.get(&self.path).await;
                // A used link asks once more.
                match answer.header("location").contains("waited=1") {
                    true => self.browser.get(answer.location()).await,
                    false => answer,
                }
            }
        }
    }

    /// Signs the browser in by another mail.
    async fn sign_in(&mut self, email: &str) -> String {
        self.browser.ask_for_link(email, "/").await;
        let redirect = self.browser.get(&self.post.link()).await;
        let answer = by_own_link(&mut self.browser, &redirect).await;
        assert_eq!(answer.location(), "/");
        self.browser.jar[SESSION].clone()
    }

    /// Says whether the browser still has this session, and the session lives.
    async fn is_in(&mut self, session: &str, email: &str) {
        assert_eq!(self.browser.jar[SESSION], session);
        let landed = self.browser.get("/").await;
        assert_eq!(landed.text(), format!("/ for {email}"));
    }
}

/// Pins: the session of then, which had ended, replaced the browser's own, and that one ended too.
#[tokio::test]
async fn an_old_form_link_or_code_does_not_end_another_persons_newer_session() {
    let said = [
        (Way::Choice, 400, RejectionKind::ChoiceExpired.heading()),
        (Way::Code, 422, "id=\"problem\""),
        (Way::Link, 400, RejectionKind::LinkUsed.heading()),
        (Way::OtherBrowser, 400, RejectionKind::LinkUsed.heading()),
    ];
    for (way, status, text) in said {
        let mut before = Before::by(way).await;
        before.browser.post("/auth/logout", "").await;
        assert!(!before.browser.jar.contains_key(SESSION), "{way:?}");
        let session = before.sign_in(EVE).await;
        let refused = before.again().await;
        assert_eq!(refused.status(), status, "{way:?}: {}", refused.text());
        assert!(refused.text().contains(text), "{way:?}: {}", refused.text());
        before.is_in(&session, EVE).await;
    }
}

#[tokio::test]
async fn an_old_form_link_or_code_leads_on_who_has_signed_in_anew() {
    for way in [Way::Code, Way::Link, Way::OtherBrowser] {
        let mut before = Before::by(way).await;
        let session = before.sign_in(ADA).await;
        let answer = before.again().await;
        assert!(answer.set_cookies().is_empty(), "{way:?}");
        assert!(answer.location().starts_with('/'), "{way:?}");
        before.is_in(&session, ADA).await;
    }
}

/// Unknown is not ended, and not good either: nothing is replaced.
#[tokio::test]
async fn while_the_store_is_out_an_old_form_link_or_code_replaces_no_session() {
    for way in WAYS {
        let mut before = Before::by(way).await;
        let session = before.sign_in(EVE).await;
        before.store.is_out.store(true, Ordering::SeqCst);
        let refused = before.again().await;
        assert_eq!(refused.status(), 503, "{way:?}: {}", refused.text());
        before.store.is_out.store(false, Ordering::SeqCst);
        before.is_in(&session, EVE).await;
    }
}

/// A session that still lives is given again, as to a double click: the browser lost it.
#[tokio::test]
async fn a_session_that_lives_is_given_again_within_its_minute() {
    for way in WAYS {
        let mut before = Before::by(way).await;
        let session = before.browser.jar.remove(SESSION).unwrap();
        assert_eq!(before.again().await.location(), "/reports", "{way:?}");
        assert_eq!(before.browser.jar[SESSION], session, "{way:?}");
    }
}
