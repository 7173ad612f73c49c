//! What the application grants at sign-in, and the reason that it gives for a refusal.

use std::{sync::Arc, time::Duration};

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_magic_link::{
    Authorization, Builder, ClaimsError, Denial, Grant, RejectionKind, provider::Identity,
    revocation::Target,
};

use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, World},
};

/// Knows Ada as an account of its own, in a tenant of its own.
async fn account(identity: Identity) -> Result<Grant, ClaimsError> {
    assert!(identity.subject().starts_with("prof_"));
    Grant::new()
        .subject("acct-7")
        .organization("tenant-a")
        .names(Some("Augusta".to_owned()), None)
        .claims(&json!({ "role": "admin", "teams": [1, 2] }))
}

async fn session(browser: &mut Browser) -> Answer {
    browser.get("/auth/session").await
}

async fn who(browser: &mut Browser) -> Value {
    let answer = session(browser).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn what_the_application_grants_is_what_the_session_says() {
    let world = World::with(|builder| builder.authorize(account)).await;
    let mut browser = world.signed_in(ADA).await;
    let who = who(&mut browser).await;
    assert_eq!(who["subject"], "acct-7");
    assert_eq!(who["organization"], "tenant-a");
    assert_eq!(
        (&who["first_name"], &who["last_name"]),
        (&json!("Augusta"), &Value::Null)
    );
    assert_eq!(who["claims"], json!({ "role": "admin", "teams": [1, 2] }));
    let heard = world.heard();
    assert!(heard.contains("acct-7"), "{heard}");
    assert!(!heard.contains("admin"), "{heard}");
}

#[tokio::test]
async fn who_is_granted_nothing_has_no_claims_and_is_known_by_the_providers_subject() {
    for configure in [
        |builder: Builder| builder,
        |builder: Builder| builder.authorize(|_| async { Some(Grant::new()) }),
    ] {
        let world = World::with(configure).await;
        let mut browser = world.signed_in(ADA).await;
        let who = who(&mut browser).await;
        assert!(who["subject"].as_str().unwrap().starts_with("prof_"));
        assert!(who.get("claims").is_none(), "{who}");
    }
}

/// The list is of WorkOS's organizations. A grant opens none, and a granted tenant closes none.
#[tokio::test]
async fn a_granted_organization_is_not_taken_for_one_of_the_list() {
    let world = World::with(|builder| {
        builder
            .organization("org_1")
            .authorize(|_| async { Grant::new().organization("tenant-a") })
    })
    .await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    assert_eq!(browser.get(&callback).await.status(), 403);

    world
        .emulator()
        .next_profile(|profile| profile.with_organization("org_1"));
    let mut browser = world.signed_in(ADA).await;
    assert_eq!(who(&mut browser).await["organization"], "tenant-a");

    let world = World::with(|builder| {
        builder
            .organization("org_1")
            .authorize(|_| async { Grant::new().organization("org_1") })
    })
    .await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let refused = browser.get(&callback).await;
    assert_eq!(refused.status(), 403, "the list is asked first");
}

async fn refused(world: &World, email: &str, accept: Option<&str>) -> Answer {
    let mut browser = world.browser();
    browser.ask_for_link(email, "/").await;
    let callback = world.follow_mail(email).await;
    let Some(accept) = accept else {
        return browser.get(&callback).await;
    };
    let request = Request::get(callback).header("accept", accept);
    browser.send(request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn a_refusal_gives_the_applications_reason_to_people_and_to_programs() {
    let world = World::with(|builder| {
        builder.authorize(|identity: Identity| async move {
            match identity.email().as_str() {
                ADA => Denial::because("Your <trial> has\u{202e} ended.\n"),
                EVE => Denial::because("é".repeat(400)),
                _ => Denial::because(" "),
            }
        })
    })
    .await;
    let kind = RejectionKind::NotAllowed;
    let page = refused(&world, ADA, None).await;
    assert_eq!(page.status(), 403);
    let text = page.text();
    assert!(text.contains(kind.heading()), "{text}");
    assert!(text.contains("Your &#60;trial&#62; has  ended."), "{text}");
    assert!(!text.contains(kind.happened()), "{text}");

    let problem = refused(&world, ADA, Some("application/json")).await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let problem: Value = serde_json::from_slice(&problem.body).unwrap();
    assert_eq!(problem["code"], "not_allowed");
    assert_eq!(problem["detail"], "Your <trial> has  ended.");

    let long = refused(&world, EVE, None).await.text();
    assert_eq!(long.matches('é').count(), 300, "{long}");
    let silent = refused(&world, "bob@example.com", None).await.text();
    assert!(silent.contains(kind.happened()), "{silent}");
    let silent = refused(&world, "bob@example.com", Some("application/json")).await;
    let silent: Value = serde_json::from_slice(&silent.body).unwrap();
    assert!(silent.get("detail").is_none(), "{silent}");
}

/// A grant that cannot be made is a rule that fails: nobody is let in without it, and the proof is
/// kept for the next try.
#[tokio::test]
async fn a_grant_that_cannot_be_made_lets_nobody_in() {
    let claims = |size: usize| {
        let grant = Grant::new().claims(&json!({ "a": "x".repeat(size) }));
        grant.map(Authorization::Granted)
    };
    let world = World::with(|builder| {
        builder.authorize(move |identity: Identity| async move {
            match identity.email().as_str() {
                ADA => claims(Grant::MOST_CLAIMS - 8),
                EVE => claims(Grant::MOST_CLAIMS - 7),
                _ => Ok(Authorization::Granted(Grant::new().subject(""))),
            }
        })
    })
    .await;
    let mut browser = world.signed_in(ADA).await;
    let claims = who(&mut browser).await["claims"].to_string();
    assert_eq!(claims.len(), Grant::MOST_CLAIMS);
    // A rule that fails may do better in a moment. One that grants nobody a name does not.
    for (email, status) in [(EVE, 503), ("bob@example.com", 502)] {
        let refused = refused(&world, email, None).await;
        assert_eq!(refused.status(), status, "{email}");
    }
}

/// An order for the application's own subject ends what began before it, and not the sign-in that
/// comes at once after it.
#[tokio::test]
async fn a_sign_in_at_once_after_an_order_for_the_granted_subject_is_good() {
    let world = World::with(|builder| builder.authorize(account)).await;
    let mut before = world.signed_in(ADA).await;
    let order = || Target::Subject("acct-7".to_owned());
    world.layer.end_sessions(order()).await.unwrap();
    let mut after = world.signed_in(ADA).await;
    assert_eq!(session(&mut before).await.status(), 401);
    assert_eq!(session(&mut after).await.status(), 200);
    world.clock.advance(Duration::from_secs(1));
    world.layer.end_sessions(order()).await.unwrap();
    assert_eq!(session(&mut after).await.status(), 401);
}

/// The store can be asked about the subject only once the rule has named it.
#[tokio::test]
async fn an_order_that_comes_while_the_rule_runs_ends_the_session() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let rule = {
        let (asked, answer) = (asked.clone(), answer.clone());
        move |_: Identity| {
            let (asked, answer) = (asked.clone(), answer.clone());
            async move {
                asked.notify_one();
                answer.notified().await;
                Grant::new().subject("acct-7")
            }
        }
    };
    let world = World::with(|builder| builder.authorize(rule)).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let order = async {
        asked.notified().await;
        world.clock.advance(Duration::from_secs(3));
        let target = Target::Subject("acct-7".to_owned());
        world.layer.end_sessions(target).await.unwrap();
        answer.notify_one();
    };
    let (_, ()) = tokio::join!(browser.get(&callback), order);
    assert_eq!(session(&mut browser).await.status(), 401);
}
