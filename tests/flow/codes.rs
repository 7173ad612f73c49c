//! A six-digit code from the mail, typed where the sign-in began.

use tower_magic_link::{Builder, RejectionKind, SignIn, emulator::Endpoint};

use crate::{
    names::ADA,
    support::{Answer, Browser, Post, World},
};

mod anew;
mod choice;
pub(crate) mod guesses;
mod mail;
mod provider;
mod sign_in;
mod steps;
mod tries;

/// A sign-in whose code has been mailed, and the address that it is typed to.
struct Begun {
    world: World,
    post: Post,
    first: Browser,
    action: String,
}

impl Begun {
    async fn new(sign_in: SignIn) -> Self {
        Self::with(sign_in, |builder| builder).await
    }

    async fn with(sign_in: SignIn, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let post = Post::default();
        let mailed = |builder: Builder| builder.mailer(post.clone()).sign_in(sign_in);
        let world = World::with(|builder| configure(mailed(builder))).await;
        let mut first = world.browser();
        let check = first.ask_for_link(ADA, "/reports").await;
        let action = action(&check).expect("a field for the code");
        Self {
            world,
            post,
            first,
            action,
        }
    }

    async fn type_code(&mut self, code: &str) -> Answer {
        let form = format!("code={code}");
        self.first.post(&self.action, &form).await
    }

    fn redeemed(&self) -> usize {
        self.world.emulator().count(Endpoint::Authenticate)
    }

    fn wrong(&self) -> &'static str {
        if self.post.code() == "000000" {
            "111111"
        } else {
            "000000"
        }
    }
}

/// Returns where a check page posts the code to.
pub(crate) fn action(page: &Answer) -> Option<String> {
    let text = page.text();
    let (_, rest) = text.split_once("action=\"/auth/code?t=")?;
    let sealed = rest.split_once('"').unwrap().0;
    Some(format!("/auth/code?t={sealed}"))
}

fn is_asked_again(answer: &Answer) {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    assert!(action(answer).is_some(), "{}", answer.text());
    assert!(
        answer.text().contains("id=\"problem\""),
        "{}",
        answer.text()
    );
    assert!(answer.set_cookies().is_empty());
}

fn is_trouble(answer: &Answer, status: u16, trouble: RejectionKind) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(
        answer.read().contains(trouble.heading()),
        "{trouble:?}: {}",
        answer.text()
    );
}
