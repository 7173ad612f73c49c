//! The link in another browser than the one that began.

use tower_magic_link::{Builder, RejectionKind, emulator::Endpoint};

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, Post, World},
};

mod answers;
mod match_code;

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
        answer.read().contains(trouble.heading()),
        "{trouble:?}: {}",
        answer.text()
    );
}
