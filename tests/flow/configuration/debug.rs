//! Errors and debug output show no secret of the settings.

use tower_magic_link::{
    Builder, ConfigError, MagicLinkLayer, SigningKey, provider::Identity, testing::StubProvider,
};

use super::{builder, keys};
use crate::{
    names::{ADA, ORIGIN},
    support::{KEY, World},
};

#[test]
fn the_public_url_has_no_default_and_its_password_is_not_shown() {
    let missing = MagicLinkLayer::builder(StubProvider::new(), keys()).build();
    let missing = missing.unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { .. }));
    let want = "public_url is not set: it is where browsers reach the application, such as https://app.example.com";
    assert_eq!(missing.to_string(), want);
    assert_eq!(
        format!("{missing:?}"),
        want,
        "a main that returns it is readable"
    );

    let builder = builder(StubProvider::new()).public_url("https://ada:hunter2@app.example.com");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = builder.build().unwrap_err();
    assert_eq!(error.setting(), "public_url");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn no_debug_output_has_a_secret_a_token_or_a_whole_address() {
    let configure = |builder: Builder| builder.email_domains(["example.com"]).organization("org_1");
    let world = World::with(configure).await;
    world.emulator().every_profile(|profile| {
        let profile = profile.with_organization("org_1");
        profile.with_names("Augusta", "Lovelace")
    });
    let mut browser = world.signed_in(ADA).await;
    let token = browser.jar["__Host-magic-link"].clone();
    browser.post("/auth/logout", "everywhere=true").await;

    let ring = keys().retire(SigningKey::generate().unwrap()).unwrap();
    let builder = builder(StubProvider::new())
        .on_event(|_, _| {})
        .authorize(|_: Identity| async { true });
    let seen = format!("{:?} {builder:?} {ring:?} {}", world.layer, world.heard(),);
    for shown in [
        "SigningKey",
        "[redacted]",
        "HS256",
        ORIGIN,
        "/auth",
        "SignedIn",
        "org_1",
    ] {
        assert!(seen.contains(shown), "{shown} is not in {seen}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for hidden in ["marker", KEY, ADA, "Augusta", "Lovelace", signature] {
        assert!(!seen.contains(hidden), "{hidden} is in {seen}");
    }
}
