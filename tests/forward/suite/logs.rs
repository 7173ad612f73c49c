//! What a proxy's access log has of a sign-in.

use std::time::Duration;

use tokio::time::timeout;

use super::Stage;

const SOON: Duration = Duration::from_secs(20);

/// Pins: the query of a sign-in link, which signs a person in, stood in the log.
pub(super) async fn an_access_log_has_each_path_and_no_query(stage: &Stage) {
    let person = stage.person().await;
    let referer = ("referer", "https://app.example.com/auth/open?t=hunter2");
    for endpoint in ["open", "check", "code"] {
        let path = format!("/auth/{endpoint}?t=hunter2");
        drop(person.get(&path, &[referer]).await.bytes().await);
    }
    for path in ["/page?q=hunter2", "/the/last?hunter2"] {
        drop(person.get(path, &[referer]).await.bytes().await);
    }
    let written = async {
        while !stage.running.access_log().contains("/the/last") {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(SOON, written).await.is_ok(), "it is written");
    let log = stage.running.access_log();
    for path in [
        "/auth/login",
        "/auth/check",
        "/auth/callback",
        "/auth/open",
        "/page",
    ] {
        assert!(log.contains(path), "{path}: {log}");
    }
    let (_, token) = person.cookie.split_once("magic-link=").unwrap();
    let secrets = ["hunter2", "code=", "state=", "?", "ada@", "ada%40", token];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
