//! WorkOS is away: who is signed in notices nothing, and who wants to sign in is told. The store is
//! away: that is told once, and its return once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::StatusCode;
use tower_magic_link::{
    Session,
    emulator::{Endpoint, Fault},
    revocation::Standing,
    store::StoreError,
};

use crate::{
    names::{ADA, EVE},
    support::World,
};

mod panics;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_workos_signs_nobody_out() {
    let world = World::with(|builder| builder.idle_timeout(20 * MINUTE)).await;
    let mut people = Vec::new();
    for number in 0..20 {
        people.push(world.signed_in(&format!("ada{number}@example.com")).await);
    }
    let emulator = world.emulator();
    for endpoint in [
        Endpoint::Create,
        Endpoint::Send,
        Endpoint::Token,
        Endpoint::Profile,
        Endpoint::MagicAuthCreate,
        Endpoint::Authenticate,
    ] {
        emulator.order_always(endpoint, Fault::Cut);
    }
    let asked = emulator.requests().len();
    let mut renewals = 0;
    for minute in 1..=60 {
        world.clock.advance(MINUTE);
        for (number, person) in people.iter_mut().enumerate() {
            let answer = person.get("/reports").await;
            assert_eq!(
                answer.status(),
                200,
                "person {number} after {minute} minutes"
            );
            assert!(answer.text().contains(&format!("ada{number}@example.com")));
            renewals += answer.set_cookies().len();
        }
    }
    assert!(
        renewals >= 20 * 60 / 20,
        "the sessions lived on by renewal: {renewals}"
    );
    // Nor does anything ask behind the answers' backs.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        emulator.requests().len(),
        asked,
        "nobody asked WorkOS for anything"
    );

    let mut newcomer = world.browser();
    let told = newcomer.ask_for_link(EVE, "/").await;
    assert_eq!(told.status(), StatusCode::SERVICE_UNAVAILABLE);
    for person in &mut people {
        assert_eq!(person.post("/auth/logout", "").await.status(), 303);
        assert_eq!(person.get("/reports").await.status(), 303);
    }
}

/// Pins: each person read "check your email", nobody got mail, and the event blamed the address.
#[tokio::test]
async fn when_workos_mails_none_of_the_links_that_it_has_made_the_page_says_so() {
    let faults = [
        ("422", Fault::Status(StatusCode::UNPROCESSABLE_ENTITY)),
        (
            "404",
            Fault::refusal(StatusCode::NOT_FOUND, "entity_not_found"),
        ),
    ];
    for (name, fault) in faults {
        let domains = ["example.com", "example.org"];
        let world = World::with(|builder| builder.email_domains(domains)).await;
        world.emulator().order_always(Endpoint::Send, fault);
        // The last one is not taken. It is answered by what the two others have shown.
        for email in [ADA, "bob@example.org", "carol@elsewhere.example"] {
            let told = world.browser().ask_for_link(email, "/").await;
            assert_eq!(
                told.status(),
                StatusCode::SERVICE_UNAVAILABLE,
                "{name}: {email}"
            );
        }
        let heard = world.heard();
        let failed = heard.matches("ProviderFailed").count();
        assert_eq!(failed, 2, "{name}: {heard}");
        assert!(!heard.contains("reason: \"refused\""), "{name}: {heard}");
    }
}

/// That one session is known to have ended says nothing of the others.
#[tokio::test]
async fn a_store_is_back_when_it_vouches_for_a_session_and_not_before() {
    let says = Arc::new(Mutex::new(Ok(Standing::Active)));
    let answer = says.clone();
    let world = World::with(|builder| {
        builder.revocations(move |_: Session| {
            let says = *answer.lock().unwrap();
            async move { says.map_err(|()| StoreError::unavailable("away")) }
        })
    })
    .await;
    let person = world.signed_in(ADA).await;
    let told = || -> Vec<_> {
        let events = world.events.lock().unwrap().clone();
        let names = events.iter().filter_map(|event| event.split(' ').next());
        let names = names.filter(|name| ["StoreLost", "StoreRecovered"].contains(name));
        names.map(str::to_owned).collect()
    };
    let steps: [(_, u16, &[&str]); 7] = [
        (Ok(Standing::Active), 200, &[]),
        (Err(()), 503, &["StoreLost"]),
        (Ok(Standing::Revoked), 303, &["StoreLost"]),
        (Err(()), 503, &["StoreLost"]),
        (Ok(Standing::Active), 200, &["StoreLost", "StoreRecovered"]),
        (Ok(Standing::Active), 200, &["StoreLost", "StoreRecovered"]),
        (Err(()), 503, &["StoreLost", "StoreRecovered", "StoreLost"]),
    ];
    for (now, status, want) in steps {
        *says.lock().unwrap() = now;
        // A clone: a refusal removes the cookie.
        assert_eq!(person.clone().get("/reports").await.status(), status);
        assert_eq!(told(), want, "{now:?}");
    }
}
