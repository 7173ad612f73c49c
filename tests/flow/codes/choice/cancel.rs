//! Cancelling ends a choice, and what was proven for it is forgotten.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Authorization, Email, KeyRing, MagicLinkLayer, SigningKey,
    provider::{Identity, Organization},
    testing::StubProvider,
    throttle::MemoryThrottle,
};

use super::*;
use crate::{
    keys::rotate,
    names::ORIGIN,
    redeemed::{Late, browser, layer},
};

/// A rule of the application that fails the first time, and how often it was asked.
fn fails_once(
    asked: &Arc<AtomicUsize>,
) -> impl Fn(Identity) -> std::future::Ready<Result<Authorization, std::io::Error>>
+ Send
+ Sync
+ Clone
+ use<> {
    let asked = asked.clone();
    move |_| {
        std::future::ready(match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Err(std::io::Error::other("the directory is out")),
            _ => Ok(Authorization::Allowed),
        })
    }
}

fn members(stub: &StubProvider) {
    let ada = Email::parse(ADA).unwrap();
    for (id, name) in [ACME, GLOBEX] {
        stub.add_membership(&ada, Organization::new(id, name));
    }
}

fn says(text: &str, kind: RejectionKind) {
    assert!(text.contains(kind.heading()), "{kind}: {text}");
}

/// Pins: what was proven was kept for its minute. The old form signed in after the cancel.
#[tokio::test]
async fn a_cancel_forgets_what_was_proven_for_each_organization() {
    for (organization, _) in [ACME, GLOBEX, INITECH] {
        let hook_asked = Arc::default();
        let hook = fails_once(&hook_asked);
        let (mut begun, asked) = asked(|builder| builder.authorize(hook)).await;
        let failed = asked.choose(&mut begun.first, organization).await;
        assert_eq!(failed.status(), 503);
        let cancelled = asked.cancel(&mut begun.first).await;
        is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
        let late = asked.choose(&mut begun.first, organization).await;
        is_trouble(&late, 400, RejectionKind::ChoiceExpired);
        assert_eq!(hook_asked.load(Ordering::SeqCst), 1, "{organization}");
        assert!(!begun.first.jar.contains_key(SESSION), "{organization}");
    }
}

/// The page no longer waits, and the provider still works on the choice.
#[tokio::test(start_paused = true)]
async fn a_cancel_ends_a_choice_that_is_under_way() {
    let provider = Late {
        by: Duration::from_secs(70),
        ..Late::default()
    };
    members(&provider.stub);
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = asked_for.clone();
    let hook = move |_: Identity| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(true)
    };
    let layer = layer(&provider, |builder| builder.authorize(hook));
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let mut page = browser.open(provider.stub.last_link()).await;
    while page.status() == 503 {
        page = browser.open(provider.stub.last_link()).await;
    }
    let mut later = browser.clone();
    let waits = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(waits.status(), 503);
    let began = tokio::time::Instant::now();
    let cancelled = browser.submit(&[("answer", "no")]).await;
    says(&cancelled.text(), RejectionKind::ChoiceCancelled);
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits for WorkOS");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(asked_for.load(Ordering::SeqCst), 1, "WorkOS has answered");
    let late = later.submit(&[("organization", ACME.0)]).await;
    says(&late.text(), RejectionKind::ChoiceExpired);
    let landed = later.get("/reports").await;
    assert!(landed.path().starts_with("/auth/login"));
    assert_eq!(asked_for.load(Ordering::SeqCst), 1, "it was forgotten");
}

/// Pins: a cancel from an old form said that the choice had timed out, to a person who had made it.
#[tokio::test]
async fn a_cancel_from_an_old_form_after_the_choice_leads_on_and_signs_nobody_out() {
    for seconds in [0, 30, 120, 3_600] {
        let (mut begun, asked) = asked(|builder| builder).await;
        let chosen = asked.choose(&mut begun.first, GLOBEX.0).await;
        assert_eq!(chosen.location(), "/reports");
        begun.world.clock.advance(Duration::from_secs(seconds));
        let cancelled = asked.cancel(&mut begun.first).await;
        assert_eq!(cancelled.location(), "/reports", "after {seconds} s");
        assert!(cancelled.set_cookies().is_empty());
        let got = organization(&mut begun.first).await;
        assert_eq!(got.as_deref(), Some(GLOBEX.0), "after {seconds} s");
        assert!(!begun.world.heard().contains("SignedOut"));
    }
}

#[tokio::test]
async fn a_cancel_from_an_old_form_of_another_session_leaves_that_one() {
    let (mut begun, asked) = asked(|builder| builder).await;
    asked.choose(&mut begun.first, GLOBEX.0).await;
    let check = begun.first.ask_for_link(EVE, "/").await;
    begun.action = super::super::action(&check).unwrap();
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.location(), "/");
    for seconds in [0, 700] {
        begun.world.clock.advance(Duration::from_secs(seconds));
        let cancelled = asked.cancel(&mut begun.first).await;
        is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
        let landed = begun.first.get("/x").await;
        assert!(landed.text().contains("for eve@"), "{}", landed.text());
    }
}

/// The session of before is not what the choice has yielded.
#[tokio::test]
async fn a_cancel_ends_the_choice_of_a_person_who_was_signed_in_and_leaves_that_session() {
    let (mut begun, asked) = asked(|builder| builder).await;
    asked.choose(&mut begun.first, ACME.0).await;
    begun.world.clock.advance(Duration::from_secs(120));
    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = super::super::action(&check).unwrap();
    let code = begun.post.code();
    let asked = Asked::of(&begun.type_code(&code).await);
    for press in ["once", "twice"] {
        let cancelled = asked.cancel(&mut begun.first).await;
        is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
        let got = organization(&mut begun.first).await;
        assert_eq!(got.as_deref(), Some(ACME.0), "{press}");
    }
    let late = asked.choose(&mut begun.first, GLOBEX.0).await;
    is_trouble(&late, 400, RejectionKind::ChoiceExpired);
}

/// Acme's answer is on its way when the person cancels. The page says that nobody is signed in, so
/// that must be true.
#[tokio::test]
async fn a_session_that_the_browser_did_not_have_when_it_cancelled_has_ended() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let mut on_its_way = begun.first.clone();
    asked.choose(&mut on_its_way, ACME.0).await;
    let cancelled = asked.cancel(&mut begun.first).await;
    is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
    let landed = on_its_way.get("/reports").await;
    assert!(landed.location().starts_with("/auth/login"));
    let late = asked.choose(&mut begun.first, ACME.0).await;
    is_trouble(&late, 400, RejectionKind::ChoiceExpired);
    assert!(!begun.first.jar.contains_key(SESSION));
}

/// The rule has failed at one replica, which keeps what was proven. The cancel comes to the other.
#[tokio::test]
async fn a_cancel_at_one_replica_holds_at_the_other_if_they_share_their_counts() {
    let (provider, throttle) = (StubProvider::new(), MemoryThrottle::default());
    members(&provider);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let hook = fails_once(&Arc::default());
    let replicas = [(); 2].map(|()| {
        let builder = MagicLinkLayer::builder(provider.clone(), keys.clone()).public_url(ORIGIN);
        let builder = builder.throttle(throttle.clone()).authorize(hook.clone());
        builder
            .build()
            .unwrap()
            .layer(service_fn(|_: Request<String>| async {
                Ok::<_, std::convert::Infallible>(http::Response::new("inside".to_owned()))
            }))
    });
    let at = Arc::new(AtomicUsize::new(0));
    let here = at.clone();
    let service = service_fn(move |request: Request<String>| {
        let service = replicas[here.load(Ordering::SeqCst)].clone();
        async move { service.oneshot(request).await }
    });
    let mut browser = tower_magic_link::testing::Browser::new(service, ORIGIN);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    browser.open(provider.last_link()).await;
    let mut old = browser.clone();
    let failed = browser.submit(&[("organization", ACME.0)]).await;
    assert_eq!(failed.status(), 503);
    at.store(1, Ordering::SeqCst);
    let cancelled = browser.submit(&[("answer", "no")]).await;
    says(&cancelled.text(), RejectionKind::ChoiceCancelled);
    at.store(0, Ordering::SeqCst);
    let late = old.submit(&[("organization", ACME.0)]).await;
    says(&late.text(), RejectionKind::ChoiceExpired);
}

/// Pins: the one try of a choice was counted by a name of the current key.
#[tokio::test]
async fn a_choice_that_was_cancelled_stays_so_after_a_change_of_keys() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let cancelled = asked.cancel(&mut begun.first).await;
    is_trouble(&cancelled, 403, RejectionKind::ChoiceCancelled);
    rotate(&begun.world);
    let late = asked.choose(&mut begun.first, ACME.0).await;
    is_trouble(&late, 400, RejectionKind::ChoiceExpired);
    assert!(!begun.first.jar.contains_key(SESSION));
}
