//! A route that wants a recent sign-in, for a person: to the form, to the mail, and back.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, Session, SigningKey,
    clock::Clock,
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{App, Browser, World, app_of},
};

const SESSION: &str = "__Host-magic-link";
const MINUTE: Duration = Duration::from_secs(60);

/// An application of which everything below `/admin` wants a sign-in in the last ten minutes.
fn app(layer: &MagicLinkLayer) -> App {
    let greet = service_fn(|request: Request<Full<Bytes>>| async move {
        let session = request.extensions().get::<Session>().unwrap();
        let text = format!("{} for {}", request.uri(), session.email());
        Ok::<_, Infallible>(Response::new(Full::from(text)))
    });
    let recent = layer.require_recent(10 * MINUTE).unwrap().layer(greet);
    let inner = service_fn(move |request: Request<Full<Bytes>>| {
        let recent = recent.clone();
        async move {
            if !request.uri().path().starts_with("/admin") {
                return greet.oneshot(request).await;
            }
            let (head, body) = recent.oneshot(request).await?.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Ok(Response::from_parts(head, Full::from(body)))
        }
    });
    BoxCloneSyncService::new(layer.layer(inner))
}

async fn signed_in(world: &World, email: &str) -> Browser {
    let mut browser = Browser::new(app(&world.layer), ORIGIN);
    let answer = browser.sign_in(world, email, "/").await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    browser
}

#[tokio::test]
async fn whoever_signed_in_too_long_ago_goes_through_it_again_and_comes_back() {
    let world = World::new().await;
    let mut browser = signed_in(&world, ADA).await;
    assert_eq!(browser.get("/admin/keys?all=1").await.status(), 200);
    world.clock.advance(10 * MINUTE);
    let before = browser.clone();
    let refused = browser.get("/admin/keys?all=1").await;
    assert_eq!(
        refused.location(),
        "/auth/login?return_to=/admin/keys%3Fall%3D1"
    );
    assert!(refused.set_cookies().is_empty(), "the session lives on");
    assert_eq!(browser.get("/").await.status(), 200);

    let form = browser.follow(refused).await;
    assert!(
        form.text().contains(r#"value="ada@example.com""#),
        "{}",
        form.text()
    );
    assert_eq!(
        browser.get("/admin/keys").await.status(),
        303,
        "the form proves nothing"
    );
    let landed = browser.sign_in(&world, ADA, "/admin/keys%3Fall%3D1").await;
    assert_eq!(landed.text(), "/admin/keys?all=1 for ada@example.com");
    assert_eq!(
        before.clone().get("/").await.status(),
        303,
        "the old one is ended"
    );

    world.clock.advance(10 * MINUTE - Duration::from_secs(1));
    assert_eq!(browser.get("/admin/keys").await.status(), 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/admin/keys").await.status(), 303);
}

#[tokio::test]
async fn a_renewed_cookie_and_a_used_link_are_no_new_proof() {
    let world = World::with(|builder| builder.idle_timeout(20 * MINUTE)).await;
    let mut browser = Browser::new(app(&world.layer), ORIGIN);
    browser.ask_for_link(ADA, "/admin").await;
    let callback = world.follow_mail(ADA).await;
    assert_eq!(browser.get(&callback).await.location(), "/admin");
    world.clock.advance(9 * MINUTE);
    let renewed = browser.get("/admin").await;
    assert!(renewed.set_cookies()[0].starts_with(SESSION), "renewed");
    world.clock.advance(MINUTE);
    assert_eq!(browser.get("/admin").await.status(), 303);
    // The link of before leads on, as for everybody who is signed in, and no further.
    assert_eq!(browser.get(&callback).await.location(), "/admin");
    assert_eq!(browser.get("/admin").await.status(), 303);
}

/// It leads to the page that wants a recent sign-in, which leads to the form, and so on.
#[tokio::test]
async fn a_session_from_before_the_mail_does_not_stand_for_its_spent_or_late_link() {
    let world = World::new().await;
    let mut browser = signed_in(&world, ADA).await;
    world.clock.advance(10 * MINUTE);
    assert_eq!(browser.get("/admin").await.status(), 303);
    browser.ask_for_link(ADA, "/admin").await;
    // Somebody has opened the link before, such as a scanner of mails.
    let callback = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    let again = browser.get(&burnt).await;
    let told = browser.get(again.location()).await;
    let heading = RejectionKind::LinkUsed.heading();
    assert!(told.read().contains(heading), "{}", told.text());
    assert!(told.text().contains(r#"value="ada@example.com""#));

    world.clock.advance(26 * MINUTE);
    let told = browser.get(&callback).await;
    let heading = RejectionKind::AttemptExpired.heading();
    assert!(told.read().contains(heading), "{}", told.text());
    assert_eq!(browser.get("/").await.status(), 200, "the session lives on");
}

/// The time of a replica whose clock was set right stays ahead of its dates, and of those alone.
#[tokio::test]
async fn a_used_link_leads_on_at_a_replica_whose_clock_was_set_back() {
    let (key, provider) = (SigningKey::generate().unwrap(), StubProvider::new());
    let clock = ManualClock::new();
    let replica = |clock: &ManualClock| {
        MagicLinkLayer::builder(provider.clone(), KeyRing::new(key.clone()))
            .public_url(ORIGIN)
            .clock(clock.clone())
            .build()
            .unwrap()
    };
    let (set_back, right) = (replica(&clock), replica(&ManualClock::at(clock.now())));
    let now = clock.now();
    clock.set(now + 60 * MINUTE);
    let mut first = Browser::new(app_of(&set_back), ORIGIN);
    first.get("/auth/login").await;
    clock.set(now);
    first.ask_for_link(ADA, "/reports").await;
    let link = provider.last_link().unwrap();
    let path = link.expose().strip_prefix(ORIGIN).unwrap().to_owned();
    let mut second = Browser::new(app_of(&right), ORIGIN);
    second.jar = first.jar.clone();
    let landed = second.get(&path).await;
    assert_eq!(landed.location(), "/reports", "{}", landed.text());
    first.jar = second.jar;
    let state = path.split_once("state=").unwrap().1;
    let state = state.split('&').next().unwrap();
    let burnt = format!("/auth/callback?error=access_denied&state={state}&waited=1");
    let again = first.get(&burnt).await;
    assert_eq!(again.location(), "/reports", "{}", again.text());
}

#[tokio::test]
async fn a_second_click_of_who_was_signed_in_already_shares_the_new_session() {
    let world = World::new().await;
    let mut browser = signed_in(&world, ADA).await;
    world.clock.advance(10 * MINUTE);
    browser.ask_for_link(ADA, "/admin").await;
    let callback = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    let mut other = browser.clone();
    let granted = browser.get(&callback).await;
    assert_eq!(granted.location(), "/admin");
    // It was on its way with the cookies of before.
    let shared = other.get(&burnt).await;
    assert_eq!(shared.location(), "/admin");
    assert_eq!(shared.set_cookies(), granted.set_cookies());
    assert_eq!(other.get("/admin").await.status(), 200);
}

#[tokio::test]
async fn who_signs_in_as_somebody_else_comes_back_as_that_person() {
    let world = World::new().await;
    let mut browser = signed_in(&world, ADA).await;
    let before = browser.clone();
    world.clock.advance(60 * MINUTE);
    assert_eq!(browser.get("/admin").await.status(), 303);
    let landed = browser.sign_in(&world, EVE, "/admin").await;
    assert_eq!(landed.text(), "/admin for eve@example.com");
    assert_eq!(before.clone().get("/").await.status(), 303);
}

#[tokio::test]
async fn a_form_that_was_posted_too_late_is_refused_and_not_posted_again() {
    let world = World::new().await;
    let mut browser = signed_in(&world, ADA).await;
    assert_eq!(browser.post("/admin", "x=1").await.status(), 200);
    world.clock.advance(10 * MINUTE);
    let refused = browser.post("/admin", "x=1").await;
    assert_eq!(refused.status(), 401);
    let page = refused.text();
    assert!(
        page.contains(RejectionKind::RecentSignInRequired.heading()),
        "{page}"
    );
    assert!(
        page.contains("nothing that you sent has been saved"),
        "{page}"
    );
    let challenge = format!(r#"MagicLink login_url="{ORIGIN}/auth/login""#);
    assert_eq!(refused.header("www-authenticate"), challenge);
}

/// The form is filled in for the person whose browser it is, and by nothing that anybody sends.
#[tokio::test]
async fn the_form_is_filled_in_with_the_address_of_a_good_session_alone() {
    let world = World::new().await;
    let ada = signed_in(&world, ADA).await;
    let mut cases = vec![("nobody", world.browser(), false)];
    cases.push(("signed in", ada.clone(), true));
    let mut forged = world.browser();
    forged
        .jar
        .insert(SESSION.to_owned(), format!("{}x", ada.jar[SESSION]));
    cases.push(("forged", forged, false));
    for (name, mut browser, want) in cases {
        let form = browser
            .get("/auth/login?email=eve@example.com")
            .await
            .text();
        assert_eq!(form.contains(r#"value="ada@example.com""#), want, "{name}");
        assert!(!form.contains("eve@"), "{name}");
    }
    world.clock.advance(12 * 60 * MINUTE);
    let form = ada.clone().get("/auth/login").await.text();
    assert!(!form.contains(ADA), "expired");
}
