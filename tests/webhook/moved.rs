//! The addresses of a directory's user, where WorkOS keeps them from 15 April 2026, and those that
//! an update has replaced.

use tower_magic_link::provider::Identity;

use crate::{
    names::{ADA, EVE},
    site::Site,
};

const HOME: &str = "ada@home.example";

/// Returns the sessions that an event ends, of Ada's by each of two addresses, and of Eve's.
async fn ended_by(name: &str, data: &str) -> [bool; 3] {
    let site = Site::new();
    let cookies = [("prof_1", ADA), ("prof_2", HOME), ("prof_3", EVE)]
        .map(|(subject, email)| site.sign_in(&Identity::new(subject, email.parse().unwrap())));
    let answer = site.take(&site.webhook().event(name, data)).await;
    assert_eq!(answer.status, 200, "{name} {data}: {}", answer.text);
    let mut ended = [false; 3];
    for (ended, cookie) in ended.iter_mut().zip(&cookies) {
        *ended = !site.is_admitted(cookie).await;
    }
    ended
}

/// Pins: the list was read beside `email` alone, where WorkOS leaves it empty. The event ended no
/// session of a further address.
#[tokio::test]
async fn an_event_ends_the_sessions_of_addresses_that_only_custom_attributes_name() {
    let home = r#"{"type":"home","value":"Ada@Home.example","primary":false}"#;
    let cases = [
        (
            "dsync.user.deleted",
            format!(r#"{{"email":null,"emails":[],"custom_attributes":{{"emails":[{home}]}}}}"#),
            [false, true, false],
        ),
        (
            "dsync.user.updated",
            format!(
                r#"{{"email":"{ADA}","state":"suspended","custom_attributes":{{"emails":["{HOME}"]}}}}"#
            ),
            [true, true, false],
        ),
        (
            "dsync.user.deleted",
            format!(r#"{{"email":"{ADA}","emails":[],"custom_attributes":{{}}}}"#),
            [true, false, false],
        ),
    ];
    for (name, data, want) in cases {
        assert_eq!(ended_by(name, &data).await, want, "{name} {data}");
    }
}

/// Pins: an update that deactivates a user and replaces the address ended no session of the old
/// address.
#[tokio::test]
async fn an_event_ends_the_sessions_of_an_address_that_it_has_replaced() {
    let updated = |state: &str, before: &str| {
        format!(
            r#"{{"email":"{ADA}","state":"{state}","previous_attributes":{{"email":"{HOME}"{before}}}}}"#
        )
    };
    let active = r#","state":"active""#;
    let got = ended_by("dsync.user.updated", &updated("inactive", active)).await;
    assert_eq!(got, [true, true, false]);
    let inactive = r#","state":"inactive""#;
    let got = ended_by("dsync.user.updated", &updated("active", inactive)).await;
    assert_eq!(got, [false; 3], "a user who stays");
    // The old address may be another person's by now.
    let got = ended_by("dsync.user.updated", &updated("inactive", "")).await;
    assert_eq!(got, [true, false, false], "a user who was out before");
}
