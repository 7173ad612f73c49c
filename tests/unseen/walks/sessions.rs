//! What becomes of a session: renewed, signed out here or everywhere, ended, expired, listed.

use std::time::Duration;

use tower_magic_link::{
    Builder, Email, Grant,
    provider::Identity,
    revocation::{MemoryRevocations, Target},
    sessions::MemorySessions,
};

use crate::{
    names::{ADA, EVE},
    secrets::Kind,
    walk::{SESSION, Walk, ZOE},
    watched::Watched,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) async fn all(walk: &Walk) {
    let ended = MemoryRevocations::default();
    let set = |builder: Builder| {
        builder
            .idle_timeout(2 * HOUR)
            .reauthorize(HOUR / 2, |_| async {
                Err::<bool, _>(std::io::Error::other(format!("no entry for {ADA}")))
            })
            .revocations(Watched::new(ended.clone(), walk))
            .session_index(MemorySessions::default())
            .trusted_proxies(["10.0.0.1"])
            .webhook_secret("whsec_marker_of_sessions")
    };
    walk.secrets
        .add(Kind::WebhookSecret, "whsec_marker_of_sessions");
    let world = walk.world(set).await;
    let mut one = walk.signed_in(&world, ADA).await;
    let mut two = walk.signed_in(&world, ADA).await;
    let mut zoe = walk.signed_in(&world, ZOE).await;
    // Renewed, and listed.
    world.clock.advance(HOUR);
    for browser in [&mut one, &mut two, &mut zoe] {
        let before = browser.jar[SESSION].clone();
        assert_eq!(browser.get("/reports").await.status(), 200);
        assert_ne!(browser.jar[SESSION], before);
    }
    let who = one.get("/auth/session").await;
    let who: serde_json::Value = serde_json::from_str(&who.text()).unwrap();
    let subject = who["subject"].as_str().unwrap();
    let listed = walk.keep(world.layer.sessions_of(subject).await).unwrap();
    assert!(!listed.is_empty());
    // Signed out: here, then everywhere, by a form and by the application.
    let old = one.clone();
    one.get("/auth/logout").await;
    one.post("/auth/logout", "").await;
    old.clone().get("/reports").await;
    let other = two.clone();
    two.post("/auth/logout", "everywhere=1").await;
    other.clone().get("/reports").await;
    let mut again = walk.signed_in(&world, ADA).await;
    // Another person takes its place.
    again.sign_in(&world, EVE, "/").await;
    walk.gather(&world);
    for target in [
        Target::Address(ZOE.to_owned()),
        Target::Subject(subject.to_owned()),
        Target::Organization("org_1".to_owned()),
    ] {
        walk.keep(world.layer.end_sessions(target).await).unwrap();
    }
    zoe.get("/reports").await;
    world.clock.advance(3 * HOUR);
    again.get("/reports").await;
    for revocation in ended.revocations() {
        // The application holds these: they name whom they end. Nothing logs them.
        assert!(!revocation.target().key().is_empty());
    }
    issued(walk, &world.layer).await;
}

/// By the application's own hand.
async fn issued(walk: &Walk, layer: &tower_magic_link::MagicLinkLayer) {
    let issuer = layer.issuer();
    walk.show(&issuer);
    let identity = Identity::new("user_ada", Email::parse(ADA).unwrap());
    walk.show(&identity);
    walk.show(identity.email());
    walk.say(&identity.email().masked());
    let grant = Grant::new().names(Some("Ada".to_owned()), Some("L".to_owned()));
    for issued in [
        issuer.issue(&identity),
        issuer.issue_granted(&identity, &grant),
    ] {
        let issued = walk.keep(issued).unwrap();
        walk.secrets.add_token(issued.token().expose());
        walk.show(&issued);
        walk.show(issued.token());
        walk.show(issued.session());
        walk.show(&issued.set_cookie());
        walk.keep(issuer.sign_out(issued.session()).await).unwrap();
        let _ = walk.keep(issuer.issue_from(issued.session()));
    }
    let long = "n".repeat(5_000);
    let _ = walk.keep(issuer.issue(&identity.with_names(Some(long), None)));
}
