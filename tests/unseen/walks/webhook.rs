//! Events of WorkOS's: signed well, badly, late, malformed, twice, and for a store that fails.

use std::time::Duration;

use http::Request;
use tower_magic_link::{Builder, revocation::MemoryRevocations};

use crate::{names::ADA, secrets::Kind, support::World, walk::Walk, watched::Watched};

const SECRET: &str = "whsec_marker_of_events";
const WEBHOOK: &str = "/auth/webhook";

async fn post(walk: &Walk, world: &World, signature: &str, body: &str) -> u16 {
    let request = Request::post(WEBHOOK)
        .header("content-type", "application/json")
        .header("workos-signature", signature)
        .body(body.to_owned().into())
        .unwrap();
    walk.browser(&world.layer)
        .send(request)
        .await
        .status()
        .as_u16()
}

pub(crate) async fn all(walk: &Walk) {
    walk.secrets.add(Kind::WebhookSecret, SECRET);
    let store = MemoryRevocations::default();
    let set = |builder: Builder| {
        let store = Watched::new(store.clone(), walk);
        builder.webhook_secret(SECRET).revocations(store)
    };
    let world = walk.world(set).await;
    let webhook = world.emulator().webhook("http://127.0.0.1:1", SECRET);
    walk.show(&webhook);
    let data = format!(r#"{{"id":"user_ada","email":"{ADA}"}}"#);
    let event = webhook.event("user.deleted", &data);
    walk.show(&event);
    assert_eq!(
        post(walk, &world, event.signature(), event.body()).await,
        200
    );
    assert_eq!(
        post(walk, &world, event.signature(), event.body()).await,
        200
    );
    let other = webhook.event("dsync.user.created", &data);
    assert_eq!(
        post(walk, &world, other.signature(), other.body()).await,
        200
    );
    let broken = webhook.event("user.deleted", &format!("[\"{ADA}\"]"));
    post(walk, &world, broken.signature(), broken.body()).await;
    let forged = world
        .emulator()
        .webhook("http://127.0.0.1:1", "whsec_of_another");
    let forged = forged.event("user.deleted", &data);
    for signature in [
        forged.signature(),
        "",
        SECRET,
        &format!("t=1, v1={SECRET}"),
        ADA,
    ] {
        assert_eq!(post(walk, &world, signature, event.body()).await, 400);
    }
    assert_eq!(post(walk, &world, other.signature(), ADA).await, 400);
    world.clock.advance(Duration::from_secs(3_600));
    let late = event.signature();
    assert_eq!(post(walk, &world, late, event.body()).await, 400);
}
