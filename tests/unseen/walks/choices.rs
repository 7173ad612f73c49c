//! A person of several organizations: asked, refused, cancelled, late, and by a program.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::{
    Builder, SignIn,
    emulator::{Endpoint, Fault},
    testing::ManualClock,
};

use super::{code_action, program, type_digits};
use crate::{
    names::ADA,
    page::Page,
    support::{Answer, Browser, Post, World},
    walk::Walk,
    watched::Watched,
};

const ACME: &str = "org_acme";
const MINUTE: Duration = Duration::from_secs(60);

/// A page that asks which organization it is.
struct Asked {
    world: World,
    browser: Browser,
    action: String,
    choice: String,
}

impl Asked {
    async fn new(walk: &Walk, configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::at(walk, |_| {}, configure).await
    }

    async fn at(
        walk: &Walk,
        set: impl FnOnce(&ManualClock),
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let (world, mut browser, check, digits) = begun(walk, set, configure).await;
        let page = type_digits(&mut browser, &check, &digits).await;
        let page = Page::of(&page.text());
        let form = page
            .forms
            .iter()
            .find(|form| form.action.contains("/auth/choose"));
        let form = form.expect("a question");
        let field = form.fields.iter().find(|field| field.name == "choice");
        let choice = field.unwrap().value.clone();
        let action = form.action.clone();
        Self {
            world,
            browser,
            action,
            choice,
        }
    }

    async fn answer(&mut self, answer: &str) -> Answer {
        let form = format!("choice={}&{answer}", self.choice);
        let action = self.action.clone();
        self.browser.post(&action, &form).await
    }
}

async fn begun(
    walk: &Walk,
    set: impl FnOnce(&ManualClock),
    configure: impl FnOnce(Builder) -> Builder,
) -> (World, Browser, Answer, String) {
    let post = Post::default();
    let mailed = |builder: Builder| {
        let builder = builder.mailer(Watched::new(post.clone(), walk));
        configure(builder.sign_in(SignIn::Code))
    };
    let world = walk.world(mailed).await;
    set(&world.clock);
    for (id, name) in [(ACME, "Acme"), ("org_globex", "Globex")] {
        world.emulator().add_membership(ADA, id, name);
    }
    let mut browser = walk.browser(&world.layer);
    let check = browser.ask_for_link(ADA, "/reports").await;
    let digits = post.code();
    (world, browser, check, digits)
}

pub(crate) async fn all(walk: &Walk) {
    let acme = format!("organization={ACME}");
    let mut asked = Asked::new(walk, |builder| builder).await;
    asked.answer("organization=org_other").await;
    for fault in [
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::refusal(StatusCode::CONFLICT, "lock_timeout"),
        Fault::refusal(StatusCode::BAD_REQUEST, "invalid_organization_id"),
    ] {
        asked.world.emulator().order(Endpoint::Authenticate, fault);
        asked.answer(&acme).await;
    }
    let landed = asked.answer("organization=org_globex").await;
    assert_eq!(landed.location(), "/reports");
    asked.answer(&acme).await;
    walk.gather(&asked.world);

    let mut asked = Asked::new(walk, |builder| builder).await;
    asked.answer("answer=no").await;
    asked.answer(&acme).await;

    let mut asked = Asked::new(walk, |builder| builder).await;
    asked.world.clock.advance(20 * MINUTE);
    asked.answer(&acme).await;

    // By a replica whose clock is right, of one that was ahead.
    let ahead = |clock: &ManualClock| clock.advance(60 * MINUTE);
    let mut asked = Asked::at(walk, ahead, |builder| builder).await;
    let right = walk.world(|builder| builder.sign_in(SignIn::Code)).await;
    let mut browser = walk.browser(&right.layer);
    browser.jar = asked.browser.jar.clone();
    asked.browser = browser;
    asked.answer(&acme).await;

    let only = |builder: Builder| builder.organization(ACME).organization("org_globex");
    let mut asked = Asked::new(walk, only).await;
    for organization in [ACME, "org_globex"] {
        let refused = Fault::refusal(StatusCode::BAD_REQUEST, "invalid_organization_id");
        asked
            .world
            .emulator()
            .order(Endpoint::Authenticate, refused);
        asked.answer(&format!("organization={organization}")).await;
    }

    let (world, mut browser, check, digits) = begun(walk, |_| {}, |builder| builder).await;
    let form = format!("code={digits}");
    let problem = browser.send(program(&code_action(&check), &form)).await;
    let body: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
    let form = format!("choice={}&{acme}", body["choice"].as_str().unwrap());
    let faults = [
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::refusal(StatusCode::BAD_REQUEST, "invalid_organization_id"),
    ];
    for fault in faults {
        world.emulator().order(Endpoint::Authenticate, fault);
        browser.send(program("/auth/choose", &form)).await;
    }
    walk.gather(&world);
}
