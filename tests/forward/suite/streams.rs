//! What stays open: WebSockets and event streams.

use std::time::Duration;

use http::Method;
use tokio::time::timeout;

use super::{Stage, list};
use crate::{exchange::upgrade, front::Front};

pub(super) async fn a_websocket_opens_for_a_session_alone(stage: &Stage) {
    let person = stage.person().await;
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
    stage.forget();
    assert_eq!(stage.stranger().greet("/socket").await, Err(401));
    assert!(stage.reached.take().is_empty());
}

pub(super) async fn a_renewal_comes_with_the_websocket(stage: &Stage) {
    let person = stage.person_to_renew().await;
    let answer = upgrade(stage.running.authority(), "/socket", &person.cookie).await;
    assert_eq!(answer.status, 101, "{answer:?}");
    let cookie = answer.fields.get("set-cookie");
    // Traefik writes the upgrade's answer as the service gave it.
    if stage.front != Front::Traefik {
        let cookie = cookie.unwrap().to_str().unwrap();
        assert!(cookie.starts_with("magic-link=ey"), "{cookie}");
    }
}

pub(super) async fn an_event_stream_is_passed_on_piece_by_piece(stage: &Stage) {
    let person = stage.person_to_renew().await;
    let events = person.request(Method::GET, "/endless");
    let events = events.header("accept", "text/event-stream");
    let limit = Duration::from_secs(10);
    let mut events = timeout(limit, events.send()).await.unwrap().unwrap();
    assert!(list(&events, "set-cookie").contains("magic-link=ey"));
    let first = timeout(limit, events.chunk()).await.unwrap().unwrap();
    assert_eq!(first.as_deref(), Some(&b"first"[..]));
}
