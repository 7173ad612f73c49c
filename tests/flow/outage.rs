//! WorkOS is away: who is signed in notices nothing, and who wants to sign in is told.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::emulator::{Endpoint, Fault};

use crate::support::World;

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
    let told = newcomer.ask_for_link("eve@example.com", "/").await;
    assert_eq!(told.status(), StatusCode::SERVICE_UNAVAILABLE);
    for person in &mut people {
        assert_eq!(person.post("/auth/logout", "").await.status(), 303);
        assert_eq!(person.get("/reports").await.status(), 303);
    }
}
