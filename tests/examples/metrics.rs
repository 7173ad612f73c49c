//! The page that Prometheus scrapes of the example, and the board beside it.

use std::fs;

use serde_json::Value;

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
};

/// Returns the queries of the board.
pub(crate) fn board() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/metrics/board.json");
    let board: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let queries = targets.flatten().map(|target| target["expr"].as_str());
    queries.map(|query| query.unwrap().to_owned()).collect()
}

/// Returns the queries of the guide's table of alerts.
pub(crate) fn alerts() -> Vec<String> {
    let guide = guide();
    let (_, rest) = guide
        .split_once("| query | meaning |\n| --- | --- |\n")
        .unwrap();
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned())
        .collect()
}

fn guide() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/operations.md");
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn the_metrics_example_counts_a_sign_in_on_a_page_of_another_port() {
    let mut program = Program::example("metrics", &[("METRICS_PORT", "0")]);
    let origin = program.says("listening on ");
    let page = program.says("metrics on ");
    let scrape = async || {
        let answer = reqwest::get(&page).await.unwrap();
        let format = answer.headers()["content-type"].clone();
        assert_eq!(format, "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.unwrap()
    };
    let text = scrape().await;
    for series in [
        "tower_magic_link_events_total{event=\"signed_in\",reason=\"\"} 0",
        "tower_magic_link_events_total{event=\"store_lost\",reason=\"timed_out\"} 0",
        "tower_magic_link_store_up{store=\"revocations\"} 1",
        "tower_magic_link_call_duration_seconds_count{call=\"revocations.revoke\",outcome=\"timed_out\"} 0",
        "# TYPE tower_magic_link_call_duration_seconds histogram",
    ] {
        assert!(text.lines().any(|line| line == series), "{series}: {text}");
    }

    let mut person = Person::at(&origin);
    assert!(location(&person.get("/metrics").await).starts_with("/auth/login"));
    let home = person.sign_in(&mut program, "/auth/login").await;
    assert_eq!(person.get(&home).await.status(), 200);
    person.post("/auth/logout", "").await;
    let text = scrape().await;
    for series in [
        "tower_magic_link_events_total{event=\"signed_in\",reason=\"\"} 1",
        "tower_magic_link_events_total{event=\"signed_out\",reason=\"owner\"} 1",
        "tower_magic_link_forwarded_total{outcome=\"admitted\"} 1",
        "tower_magic_link_refusals_total{kind=\"no_session\",audience=\"document\"} 1",
        "tower_magic_link_call_duration_seconds_bucket{call=\"provider.finish\",outcome=\"ok\",le=\"10\"} 1",
    ] {
        assert!(text.lines().any(|line| line == series), "{series}: {text}");
    }
    for secret in [ADA, "ada@", &origin] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn the_board_and_the_alerts_use_metrics_and_events_that_exist() {
    let guide = guide();
    let (board, alerts) = (board(), alerts());
    assert!(board.len() > 15, "{board:#?}");
    assert!(alerts.len() > 7, "{alerts:#?}");
    let events = include_str!("../../src/event/fields.md");
    for query in board.iter().chain(&alerts) {
        let names = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names = names.filter(|name| name.starts_with("tower_magic_link_"));
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty(), "{query}");
        for name in names {
            let of_histogram = name.trim_end_matches("_bucket").trim_end_matches("_count");
            assert!(guide.contains(&format!("| `{of_histogram}` |")), "{name}");
        }
        for event in query.split("event=\"").skip(1) {
            let event = event.split('"').next().unwrap();
            assert!(events.contains(&format!("| `{event}` |")), "{event}");
        }
    }
}
