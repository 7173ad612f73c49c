//! Sentinels that ask for a login of their own.

use tower_magic_link::{revocation::RedisRevocations, store::Redis};

use super::works;
use crate::redis::{RedisServer, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_sentinel_has_a_user_and_a_password_of_its_own() {
    let primary = RedisServer::start_with(&["--requirepass", "of-the-server"]).await;
    let port = primary.port;
    let file = std::env::temp_dir().join(format!("tower-magic-link-sentinel-{port}.conf"));
    let lines = format!(
        "sentinel monitor app 127.0.0.1 {port} 1\nsentinel auth-pass app of-the-server\n\
         user default on >marker-default ~* &* +@all\n\
         user guide on >marker-own ~* &* -@all +sentinel|get-master-addr-by-name\n"
    );
    std::fs::write(&file, lines).unwrap();
    let sentinel = RedisServer::start_with(&[file.to_str().unwrap(), "--sentinel"]).await;
    let url = sentinel.url().replace("//", "//:of-the-server@");
    let without = Redis::new(&url).unwrap().sentinels_of("app");
    until("the sentinel knows", async || {
        let words = ["-a", "marker-default", "SENTINEL", "masters"];
        sentinel.say(&words).contains("app")
    })
    .await;
    works(&without.clone().sentinel_login("guide", "marker-own")).await;
    let alone = without.clone().namespace("alone").unwrap();
    works(&alone.sentinel_login("default", "marker-default")).await;
    let wrong = without.clone().sentinel_login("guide", "marker-wrong");
    for redis in [without, wrong] {
        let error = RedisRevocations::connect(&redis).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let shown = format!("{error} {error:?} {source:?} {redis:?}");
        assert!(!shown.contains("marker"), "{shown}");
        assert!(!shown.contains("of-the-server"), "{shown}");
    }
    let _ = std::fs::remove_file(file);
}
