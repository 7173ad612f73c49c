//! Events of any JSON: they are read as through `serde_json::Value`, and those too that `Value`
//! refuses for a member that the webhook does not read.

use std::{cell::Cell, collections::HashSet};

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use super::*;

/// What an event says, in whichever way it was read. The targets are `None` if a required id is
/// missing.
type Said = Option<(String, String, Timestamp, Option<Vec<Target>>)>;

fn said(body: &str) -> Said {
    let event = Received::parse(body.as_bytes())?;
    let (id, name) = (event.id().to_owned(), event.name().to_owned());
    Some((id, name, event.at(NOW), event.targets()))
}

/// Reads the whole event first, as the layer did before.
fn said_by_value(body: &str) -> Said {
    let event: Value = serde_json::from_str(body).ok()?;
    let text = |value: &Value, field: &str| {
        let text = value.get(field)?.as_str()?;
        (!text.is_empty() && text.len() <= LONGEST_NAME).then(|| text.to_owned())
    };
    let none = Value::Null;
    let data = event.get("data").unwrap_or(&none);
    let address = |one: &Value| match one {
        Value::String(plain) => {
            let entry = json!({ "value": plain });
            text(&entry, "value").filter(|_| plain.contains('@'))
        }
        other => text(other, "value"),
    };
    let of_user = |user: &Value| {
        let lists = ["/emails", "/custom_attributes/emails"].map(|place| user.pointer(place));
        let lists = lists.into_iter().flatten().filter_map(Value::as_array);
        let more: Vec<_> = lists.flatten().filter_map(address).collect();
        text(user, "email").into_iter().chain(more)
    };
    let previous = data.get("previous_attributes");
    let previous = previous.filter(|previous| previous.get("state").is_some());
    let previous = previous.unwrap_or(&none);
    let mut known = HashSet::new();
    let is_new = |address: &String| known.insert(address.to_ascii_lowercase());
    let received = Received {
        id: text(&event, "id")?,
        name: text(&event, "event")?,
        made: text(&event, "created_at").and_then(|made| Timestamp::of_rfc3339(&made)),
        data: Data {
            id: text(data, "id"),
            addresses: of_user(data)
                .chain(of_user(previous))
                .filter(is_new)
                .take(MOST_ADDRESSES)
                .collect(),
            state: text(data, "state"),
            status: text(data, "status"),
            user_id: text(data, "user_id"),
            organization_id: text(data, "organization_id"),
        },
    };
    let at = received.at(NOW);
    let targets = received.targets();
    Some((received.id, received.name, at, targets))
}

/// The members that the webhook reads, some spelled with an escape, and others.
const MEMBERS: [&str; 19] = [
    "id",
    "event",
    "created_at",
    "data",
    "email",
    "emails",
    "custom_attributes",
    "previous_attributes",
    "value",
    "state",
    "status",
    "user_id",
    "organization_id",
    r"i\u0064",
    r"\u0065mail",
    "Id",
    "",
    "object",
    "first_name",
];

fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

fn member(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (select(&MEMBERS[..]), value).prop_map(|(name, value)| format!(r#" "{name}" : {value}"#))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => select(vec![
            r#""x_1""#, r#""user\u005f1""#, r#""Ada@example.com""#, r#""ada@b\u00fccher.example""#, r#""inactive""#,
            r#""suspended""#, r#""2023-11-14T21:13:20Z""#, r#""\ud83d\ude00""#, r#""""#, "null", "true", "0", "-1.5e3",
            "{}", "[]",
        ])
        .prop_map(str::to_owned),
        1 => (511_usize..514).prop_map(|length| format!(r#""{}""#, "a".repeat(length))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member(inner), 0..5).prop_map(|members| object(&members)),
        ]
    })
}

/// The members of an event's data.
fn data() -> impl Strategy<Value = Vec<String>> {
    let entry = prop::collection::vec(member(value()), 0..3).prop_map(|members| object(&members));
    let places = vec![
        r#""emails":[]"#,
        r#""custom_attributes":{"emails":[]}"#,
        r#""previous_attributes":{"state":"active","email":"old@example.com","emails":[]}"#,
        r#""previous_attributes":{"state":null,"custom_attributes":{"emails":[]}}"#,
        r#""previous_attributes":{"email":"old@example.com","emails":[]}"#,
    ];
    let entries = prop::collection::vec(prop_oneof![entry, value()], 0..20);
    let emails = (select(places), entries)
        .prop_map(|(place, all)| place.replace("[]", &format!("[{}]", all.join(", "))));
    let usual = select(vec![
        r#""id":"x_1""#,
        r#""email":"Ada@example.com""#,
        r#""state":"inactive""#,
        r#""status":"inactive""#,
        r#""user_id":"user_1""#,
        r#""organization_id":"org_1""#,
    ]);
    let usual = usual.prop_map(str::to_owned);
    prop::collection::vec(
        prop_oneof![5 => usual, 4 => member(value()), 1 => emails],
        0..10,
    )
}

/// The members of an event, but its data.
fn rest() -> impl Strategy<Value = Vec<String>> {
    let name = select(vec![
        "connection.deleted",
        "dsync.user.deleted",
        "dsync.user.updated",
        "organization.deleted",
        "organization_membership.deleted",
        "organization_membership.updated",
        "session.revoked",
        "user.created",
        "user.deleted",
    ]);
    let more = prop::collection::vec(member(value()), 0..3);
    (name, more).prop_map(|(name, mut members)| {
        members.push(r#""id":"event_1""#.to_owned());
        members.push(format!(r#""event":"{name}""#));
        members
    })
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: 2_048,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn an_event_of_any_json_is_read_as_through_a_value() {
    let event = (rest(), data()).prop_flat_map(|(mut members, data)| {
        members.push(format!(r#""data":{}"#, object(&data)));
        // In any order: of two members with one name, the last counts.
        Just(members).prop_shuffle()
    });
    let (ended, malformed) = (Cell::new(0), Cell::new(0));
    runner()
        .run(&event, |members| {
            let body = object(&members);
            let got = said(&body);
            prop_assert_eq!(&got, &said_by_value(&body), "{}", body);
            match got.map(|(.., targets)| targets) {
                Some(Some(targets)) if !targets.is_empty() => ended.set(ended.get() + 1),
                Some(None) | None => malformed.set(malformed.get() + 1),
                Some(Some(_)) => {}
            }
            Ok(())
        })
        .unwrap();
    let counts = (ended.get(), malformed.get());
    assert!(counts.0 > 100 && counts.1 > 100, "{counts:?}");
}

/// Values and names that are JSON, and that `Value` refuses.
fn unreadable() -> Vec<String> {
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(2_000), close.repeat(2_000));
    vec![
        r#""first_name":"Ada \ud83d""#.to_owned(),
        r#""first_name":"\udc00Ada""#.to_owned(),
        r#""first_name":{"a":["\ud83d\u0041"]}"#.to_owned(),
        r#""\ud83d":1"#.to_owned(),
        r#""raw_attributes":{"\ud83d":1}"#.to_owned(),
        r#""raw_attributes":1e400"#.to_owned(),
        format!(r#""raw_attributes":[-1{}]"#, "0".repeat(400)),
        format!(r#""raw_attributes":{}"#, deep("[", "]")),
        format!(r#""raw_attributes":{}"#, deep(r#"{"a":"#, "}")),
    ]
}

/// Pins a fault: an event was refused at every delivery for a member that nobody reads.
#[test]
fn a_member_that_the_webhook_does_not_read_may_hold_any_json() {
    let (mut refused, ended) = (0, Cell::new(0));
    for odd in unreadable() {
        refused += usize::from(said_by_value(&object(&[odd])).is_none());
    }
    assert_eq!(refused, unreadable().len());
    let place = any::<prop::sample::Index>();
    let event = (rest(), data(), select(unreadable()), place, 0..3_usize);
    runner()
        .run(&event, |(rest, data, odd, place, depth)| {
            let body = |odd: &[String]| {
                let (mut rest, mut data) = (rest.clone(), data.clone());
                let mut entry = vec![r#""value":"ada@example.com""#.to_owned()];
                let members = [&mut rest, &mut data, &mut entry];
                let members = members.into_iter().nth(depth).unwrap();
                let at = place.index(members.len() + 1);
                members.splice(at..at, odd.iter().cloned());
                data.push(format!(r#""emails":[{}]"#, object(&entry)));
                rest.push(format!(r#""data":{}"#, object(&data)));
                object(&rest)
            };
            let got = said(&body(&[odd]));
            let is_ended = matches!(&got, Some((.., Some(targets))) if !targets.is_empty());
            ended.set(ended.get() + usize::from(is_ended));
            prop_assert_eq!(got, said(&body(&[])));
            Ok(())
        })
        .unwrap();
    assert!(ended.get() > 100, "{ended:?}");
}

/// No text stands for half of a surrogate pair, so a member with one counts as missing.
#[test]
fn a_member_that_the_webhook_reads_is_missing_if_it_is_no_text() {
    let ada = address("ada@example.com");
    let cases = [
        ("required", r#"{"id":"\ud83d"}"#, None),
        ("required, a number", r#"{"id":1e400}"#, None),
        (
            "an address",
            r#"{"id":"x_1","email":"\ud83d@example.com"}"#,
            Some(vec![Target::Subject("x_1".to_owned())]),
        ),
        (
            "one of several addresses",
            r#"{"id":"x_1","email":1e400,"emails":[{"value":"\ud83d"},[[]],{"value":"ada@example.com"}]}"#,
            Some(vec![Target::Subject("x_1".to_owned()), ada]),
        ),
    ];
    for (name, data, want) in cases {
        let body = format!(r#"{{"id":"1","event":"user.deleted","data":{data}}}"#);
        let event = Received::parse(body.as_bytes()).unwrap();
        assert_eq!(event.targets(), want, "{name}");
    }
    for id in [r#""\ud83d""#, "1e400"] {
        let body = format!(r#"{{"id":{id},"event":"user.deleted"}}"#);
        assert!(Received::parse(body.as_bytes()).is_none(), "{id}");
    }
    let body = r#"{"id":"1","event":"x","created_at":"2023\ud83d"}"#;
    let event = Received::parse(body.as_bytes()).unwrap();
    assert_eq!(event.at(NOW), NOW, "of its delivery");
}

#[test]
fn what_is_no_json_is_refused_wherever_it_stands() {
    for odd in [
        r#""\ud8""#,
        "\"\\x\"",
        "01",
        "1.",
        "nul",
        "[1,]",
        r#"{"a"}"#,
        "\"\t\"",
        "[",
    ] {
        for body in [
            format!(r#"{{"id":"1","event":"x","more":{odd}}}"#),
            format!(r#"{{"id":"1","event":"x","data":{{"more":{odd}}}}}"#),
        ] {
            assert!(Received::parse(body.as_bytes()).is_none(), "{body}");
        }
    }
    let body = b"{\"id\":\"1\",\"event\":\"x\",\"more\":\"\xff\"}";
    assert!(Received::parse(body).is_none(), "not UTF-8");
}
