//! `examples/redis.rs` while Redis is away. With a Redis, `tests/replicas` has it.

use std::{fs::File, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Client;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey, provider::Identity, testing::StubProvider,
};

use crate::{
    guard::{Scratch, logs},
    names::{ADA, ORIGIN},
    without_account::{Printing, after, example},
};

/// Pins: it ended at once, without a word of the sign-outs that Redis did not have.
#[tokio::test]
async fn a_replica_that_ends_waits_and_says_how_many_revocations_redis_lacks() {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).unwrap();
    let keys = KeyRing::new(SigningKey::hs256(secret).unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
    let ada = Identity::new("prof_ada", ADA.parse().unwrap());
    let issued = layer.build().unwrap().issuer().issue(&ada).unwrap();

    let out = Scratch::new("replica-out", "");
    let err = Scratch::new("replica-err", "");
    let mut command = example("redis");
    command
        .envs([("PORT", "0"), ("PUBLIC_URL", ORIGIN)])
        // Nobody listens there.
        .env("REDIS_URL", "redis://127.0.0.1:1")
        .env("MAGIC_LINK_KEY", STANDARD.encode(secret))
        .envs([("WORKOS_API_KEY", "sk_1"), ("WORKOS_CLIENT_ID", "client_1")])
        .stderr(File::create(err.path()).unwrap());
    let mut replica = Printing::start(&mut command, &out);
    let origin = after(&out, "listening on ").await;
    let cookie = format!("__Host-magic-link={}", issued.token().expose());
    let posted = Client::new()
        .post(format!("{origin}/auth/logout"))
        .header("host", "app.example.com")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 503, "it is not recorded");
    drop(posted);

    let pid = replica.0.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let want = "1 revocations were not stored in redis: end those sessions again";
    logs(&err, want).await;
    assert!(replica.0.wait().unwrap().success());
}
