use serde_json::{Value, json};

use super::*;

mod any_json;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn received(name: &str, data: &Value) -> Received {
    let event = json!({ "id": "event_1", "event": name, "data": data });
    Received::parse(event.to_string().as_bytes()).unwrap()
}

fn address(text: &str) -> Target {
    Target::Address(text.to_owned())
}

fn membership() -> Target {
    Target::Membership {
        subject: "user_1".to_owned(),
        organization: "org_1".to_owned(),
    }
}

#[test]
fn each_event_names_whose_sessions_end() {
    let own_id = json!({ "id": "x_1", "email": "Ada@example.com", "user_id": "user_1", "organization_id": "org_1" });
    let with = |field: &str, value: &str| {
        let mut data = own_id.clone();
        data[field] = value.into();
        data
    };
    let x = || "x_1".to_owned();
    let ada = || address("ada@example.com");
    let cases = [
        ("connection.activated", own_id.clone(), vec![]),
        (
            "connection.deactivated",
            own_id.clone(),
            vec![Target::Connection(x())],
        ),
        (
            "connection.deleted",
            own_id.clone(),
            vec![Target::Connection(x())],
        ),
        ("organization.created", own_id.clone(), vec![]),
        ("organization.updated", own_id.clone(), vec![]),
        (
            "organization.deleted",
            own_id.clone(),
            vec![Target::Organization(x())],
        ),
        ("user.created", own_id.clone(), vec![]),
        ("user.updated", own_id.clone(), vec![]),
        (
            "user.deleted",
            own_id.clone(),
            vec![Target::Subject(x()), ada()],
        ),
        ("dsync.deleted", own_id.clone(), vec![]),
        ("dsync.user.created", own_id.clone(), vec![]),
        ("dsync.user.deleted", own_id.clone(), vec![ada()]),
        ("dsync.user.updated", own_id.clone(), vec![]),
        ("dsync.user.updated", with("state", "active"), vec![]),
        ("dsync.user.updated", with("state", "inactive"), vec![ada()]),
        (
            "dsync.user.updated",
            with("state", "suspended"),
            vec![ada()],
        ),
        ("organization_membership.created", own_id.clone(), vec![]),
        (
            "organization_membership.deleted",
            own_id.clone(),
            vec![membership()],
        ),
        (
            "organization_membership.updated",
            with("status", "active"),
            vec![],
        ),
        (
            "organization_membership.updated",
            with("status", "inactive"),
            vec![membership()],
        ),
        ("session.created", own_id.clone(), vec![]),
        (
            "session.revoked",
            own_id.clone(),
            vec![Target::ProviderSession(x())],
        ),
        ("Session.revoked", own_id.clone(), vec![]),
        ("tomorrow.invented", own_id.clone(), vec![]),
    ];
    for (name, data, want) in cases {
        assert_eq!(received(name, &data).targets(), Some(want), "{name} {data}");
    }
}

#[test]
fn every_address_of_a_person_is_read_whichever_way_it_is_written() {
    let one = "ada@example.com";
    let cases = [
        ("as email", json!({ "email": one }), vec![address(one)]),
        (
            "in upper case",
            json!({ "email": "ADA@EXAMPLE.COM" }),
            vec![address(one)],
        ),
        (
            "among others",
            json!({ "email": null, "emails": [
                { "primary": true, "type": "work", "value": "ada@example.com" },
                { "primary": null, "type": null, "value": "ada@home.example" },
                { "value": null }, {}, "x", 1,
            ] }),
            vec![address(one), address("ada@home.example")],
        ),
        (
            "twice",
            json!({ "email": one, "emails": [{ "value": "Ada@Example.com" }] }),
            vec![address(one)],
        ),
        (
            "where WorkOS keeps them from 15 April 2026",
            json!({ "email": one, "emails": [], "custom_attributes": { "emails": [
                { "primary": true, "type": "work", "value": "Ada@example.com" },
                { "primary": false, "type": "home", "value": "ada@home.example" },
                "ada@plain.example",
            ] } }),
            vec![
                address(one),
                address("ada@home.example"),
                address("ada@plain.example"),
            ],
        ),
        (
            "before the update that took them out",
            json!({ "email": one, "previous_attributes": {
                "state": "active",
                "email": "ada@old.example",
                "emails": [{ "value": "ada@older.example" }],
                "custom_attributes": { "emails": [{ "value": "ada@oldest.example" }] },
            } }),
            vec![
                address(one),
                address("ada@old.example"),
                address("ada@older.example"),
                address("ada@oldest.example"),
            ],
        ),
        (
            "before an update of somebody who was out already",
            json!({ "email": one, "previous_attributes": { "email": "ada@old.example" } }),
            vec![address(one)],
        ),
        (
            "of another kind, elsewhere",
            json!({ "email": one, "custom_attributes": [], "previous_attributes": "x@y.example" }),
            vec![address(one)],
        ),
        (
            "in a domain with other letters",
            json!({ "email": "ada@bücher.example" }),
            vec![
                address("ada@bücher.example"),
                address("ada@xn--bcher-kva.example"),
            ],
        ),
        ("nowhere", json!({ "email": null, "emails": null }), vec![]),
        (
            "of another kind",
            json!({ "email": 1, "emails": "x" }),
            vec![],
        ),
        ("empty", json!({ "email": "", "emails": [] }), vec![]),
    ];
    for (name, data, want) in cases {
        let got = received("dsync.user.deleted", &data).targets();
        assert_eq!(got, Some(want), "{name}");
    }
    let many: Vec<_> = (0..100)
        .map(|n| json!({ "value": format!("a{n}@b.example") }))
        .collect();
    let got = received("dsync.user.deleted", &json!({ "emails": many })).targets();
    assert_eq!(got.unwrap().len(), MOST_ADDRESSES);
    // One that is named again takes no other's place.
    let again: Vec<_> = (0..100).map(|_| json!({ "value": one })).collect();
    let data = json!({ "emails": again, "custom_attributes": { "emails": many } });
    let got = received("dsync.user.deleted", &data).targets().unwrap();
    assert_eq!(got.len(), MOST_ADDRESSES);
    assert_eq!(got[..2], [address(one), address("a0@b.example")]);
}

#[test]
fn an_event_that_does_not_say_whose_is_an_error() {
    let (long, ids) = (
        "x".repeat(513),
        [json!(null), json!(""), json!(1), json!({})],
    );
    for name in [
        "connection.deactivated",
        "connection.deleted",
        "organization.deleted",
        "session.revoked",
        "user.deleted",
    ] {
        for id in ids.iter().chain([&json!(long)]) {
            let data = json!({ "id": id, "email": "ada@example.com" });
            assert_eq!(received(name, &data).targets(), None, "{name} {id}");
        }
        assert_eq!(received(name, &Value::Null).targets(), None, "{name}");
    }
    for data in [
        json!({ "user_id": "user_1" }),
        json!({ "organization_id": "org_1" }),
    ] {
        let event = received("organization_membership.deleted", &data);
        assert_eq!(event.targets(), None, "{data}");
    }
}

#[test]
fn an_event_is_read_leniently() {
    let cases = [
        (
            "full",
            r#"{"object":"event","id":"event_1","event":"x","data":{},"created_at":"x","context":{}}"#,
            true,
        ),
        (
            "of the emulator",
            r#"{"id":"evt_1","event":"x","data":{}}"#,
            true,
        ),
        ("no data", r#"{"id":"1","event":"x"}"#, true),
        ("more fields", r#"{"id":"1","event":"x","new":[1]}"#, true),
        ("blanks", " {\"id\": \"1\",\n\"event\": \"x\"}\n", true),
        ("no id", r#"{"event":"x"}"#, false),
        ("empty id", r#"{"id":"","event":"x"}"#, false),
        ("no name", r#"{"id":"1"}"#, false),
        ("a number for a name", r#"{"id":"1","event":1}"#, false),
        ("a list", "[]", false),
        ("a text", r#""id""#, false),
        ("half", r#"{"id":"1","event":"x""#, false),
        ("nothing", "", false),
        ("two", r#"{"id":"1","event":"x"}{}"#, false),
        ("not UTF-8", "\u{fffd}", false),
    ];
    for (name, body, want) in cases {
        assert_eq!(Received::parse(body.as_bytes()).is_some(), want, "{name}");
    }
    assert!(Received::parse(&[b'['; 100_000]).is_none(), "deep");
    assert!(Received::parse(b"\xff").is_none(), "not UTF-8");
}

/// A revocation reaches a minute further than its moment.
#[test]
fn what_ends_began_before_the_event_or_within_a_minute() {
    let cases = [
        (
            "an hour ago",
            json!("2023-11-14T21:13:20.500Z"),
            1_699_996_400,
        ),
        ("a minute ago", json!("2023-11-14T22:12:20Z"), 1_700_000_000),
        ("just now", json!("2023-11-14T22:13:19Z"), 1_700_000_059),
        ("ahead", json!("2023-11-14T23:13:20Z"), 1_700_000_120),
        ("unreadable", json!("yesterday"), 1_700_000_000),
        ("a number", json!(1_700_000_000_000_u64), 1_700_000_000),
        ("nothing", json!(null), 1_700_000_000),
    ];
    for (name, made, want) in cases {
        let event = json!({ "id": "1", "event": "x", "created_at": made });
        let event = Received::parse(event.to_string().as_bytes()).unwrap();
        assert_eq!(event.at(NOW), Timestamp::from_secs(want), "{name}");
    }
}
