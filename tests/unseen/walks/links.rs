//! WorkOS's own link: used, used again, late, of another address, and in the words of a program.

use std::time::Duration;

use tower_magic_link::{
    Builder,
    emulator::{EmulatedProfile, Endpoint, Fault},
};

use super::program;
use crate::{
    names::{ADA, EVE},
    support::World,
    walk::{SESSION, Walk, ZOE},
};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) async fn all(walk: &Walk) {
    used(walk).await;
    late(walk).await;
    proven_otherwise(walk).await;
    declined(walk).await;
    by_a_program(walk).await;
}

/// Begins a sign-in, and returns where its link leads to.
async fn begun(walk: &Walk, world: &World, email: &str) -> (crate::support::Browser, String) {
    let mut browser = walk.browser(&world.layer);
    browser.ask_for_link(email, "/reports?page=2").await;
    walk.gather(world);
    (browser, world.follow_mail(email).await)
}

async fn used(walk: &Walk) {
    let world = walk
        .world(|builder| builder.remember_me(40 * 24 * 60 * MINUTE))
        .await;
    for email in [ADA, ZOE] {
        let (mut browser, callback) = begun(walk, &world, email).await;
        let landed = browser.get(&callback).await;
        let page = browser.follow(landed).await;
        assert!(
            page.text().contains(&email.to_lowercase()),
            "{}",
            page.text()
        );
        browser.get("/auth/session").await;
        browser.get("/auth/login").await;
        // Again, signed in or not.
        browser.get(&callback).await;
        world.clock.advance(2 * MINUTE);
        browser.jar.remove(SESSION);
        let answer = browser.get(&callback).await;
        browser.follow(answer).await;
        walk.browser(&world.layer).get(&callback).await;
    }
}

async fn late(walk: &Walk) {
    let world = walk.world(|builder| builder).await;
    let (mut browser, callback) = begun(walk, &world, ADA).await;
    world.clock.advance(20 * MINUTE);
    browser.get(&callback).await;
    world.clock.advance(48 * 60 * MINUTE);
    browser.get(&callback).await;
}

async fn proven_otherwise(walk: &Walk) {
    let by_rule = |builder: Builder| builder.authorize(|_| async { false });
    let world = walk.world(by_rule).await;
    let (mut browser, callback) = begun(walk, &world, ADA).await;
    browser.get(&callback).await;

    let by_domain = |builder: Builder| builder.email_domains(["example.com"]);
    let world = walk.world(by_domain).await;
    begun(walk, &world, ADA).await;
    walk.browser(&world.layer).ask_for_link(ZOE, "/").await;
    let edits: [fn(EmulatedProfile) -> EmulatedProfile; 4] = [
        |profile| profile.with_email(EVE),
        |profile| profile.with_connection_type("GoogleOAuth"),
        |profile| profile.with_names("n".repeat(4_000), "L"),
        |profile| profile.with_email("no address"),
    ];
    for edit in edits {
        world.emulator().next_profile(edit);
        let (mut browser, callback) = begun(walk, &world, ADA).await;
        let answer = browser.get(&callback).await;
        assert!(answer.status().as_u16() >= 400, "{}", answer.text());
        world.clock.advance(30 * MINUTE);
    }

    let failing = |builder: Builder| {
        builder.authorize(|_| async {
            Err::<bool, _>(std::io::Error::other(format!("no entry for {ADA}")))
        })
    };
    let world = walk.world(failing).await;
    let (mut browser, callback) = begun(walk, &world, ADA).await;
    browser.get(&callback).await;
}

/// What WorkOS says in its redirect, and what anybody may write there.
async fn declined(walk: &Walk) {
    let world = walk.world(|builder| builder).await;
    let (mut browser, callback) = begun(walk, &world, ADA).await;
    let (_, state) = callback.split_once("state=").unwrap();
    let (_, query) = callback.split_once('?').unwrap();
    for error in [
        "access_denied",
        "organization_invalid",
        "server_error",
        "ada@example.com",
    ] {
        let said = format!("error={error}&error_description=ada%40example.com+{state}");
        for path in [
            format!("/auth/callback?{said}&state={state}"),
            format!("/auth/callback?{said}"),
        ] {
            let answer = browser.clone().get(&path).await;
            if answer.status().is_redirection() {
                browser.clone().follow(answer).await;
            }
        }
    }
    for path in [
        "/auth/callback".to_owned(),
        format!("/auth/callback?{query}&{query}"),
        format!("/auth/callback?state={state}"),
        format!("/auth/callback?code=wrong-code-of-a-stranger&state={state}"),
        format!("/auth/callback?{query}x"),
        format!("/auth/open?{query}"),
        format!("/auth/open?t={state}"),
        format!("/auth/check?t={state}"),
        format!("/reports?{query}&email=ada%40example.com"),
    ] {
        browser.get(&path).await;
        walk.browser(&world.layer).get(&path).await;
    }
    browser.post(&format!("/auth/callback?{query}"), "").await;
}

async fn by_a_program(walk: &Walk) {
    let world = walk.world(|builder| builder).await;
    let mut browser = walk.browser(&world.layer);
    browser.get("/auth/login").await;
    for form in [
        "email=ada%40example.com",
        "email=ada%40",
        "",
        "email=a&email=b",
    ] {
        browser.send(program("/auth/login", form)).await;
    }
    walk.gather(&world);
    let callback = world.follow_mail(ADA).await;
    for fault in [Fault::Status(http::StatusCode::BAD_GATEWAY), Fault::Cut] {
        world.emulator().order(Endpoint::Token, fault);
        let request = http::Request::get(&callback).header("accept", "application/json");
        browser.send(request.body("".into()).unwrap()).await;
    }
    let request = http::Request::get(&callback).header("sec-purpose", "prefetch");
    browser.send(request.body("".into()).unwrap()).await;
}
