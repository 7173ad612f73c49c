//! The primary answers that this request cannot be taken now: it is there.

use http::StatusCode;
use tower_magic_link::{
    KeyRing, SignIn, SigningKey,
    emulator::{Endpoint, Fault},
    provider::TwoProviders,
    testing::StubProvider,
};

use crate::{names::ADA, support::World};

/// Pins: a person whom WorkOS refuses sent two requests at once. The 409 for one of them counted as
/// an outage, and the fallback let the person in.
#[tokio::test]
async fn a_primary_that_answers_4xx_is_there_and_the_fallback_begins_nothing() {
    let busy = |code| Fault::refusal(StatusCode::CONFLICT, code);
    let unknown = Fault::Status(StatusCode::UNPROCESSABLE_ENTITY);
    let cases = [
        (
            SignIn::Code,
            Endpoint::MagicAuthCreate,
            busy("concurrent_request"),
        ),
        (
            SignIn::Code,
            Endpoint::MagicAuthCreate,
            busy("lock_timeout"),
        ),
        (SignIn::Link, Endpoint::Send, unknown),
    ];
    for (sign_in, endpoint, fault) in cases {
        let name = format!("{fault:?}");
        let fallback = StubProvider::new();
        let own = fallback.clone();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let both = |workos| TwoProviders::new(workos, own);
        let world = World::keyed(keys, both, |builder| builder.sign_in(sign_in)).await;
        world.emulator().order(endpoint, fault);
        let answer = world.browser().ask_for_link(ADA, "/").await;
        assert_eq!(answer.status(), 503, "{name}");
        assert_eq!(fallback.started(), 0, "{name}");
    }
}
