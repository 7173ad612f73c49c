//! Changing the keys of a ring that is in use.

use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_rotation_makes_a_key_current_and_retires_the_one_that_was() {
    let ring = KeyRing::new(named("1"));
    let clone = ring.clone();
    let handle = ring.handle();
    handle.rotate(&named("2"), NOW + HOUR, NOW).unwrap();
    handle
        .rotate(&named("3"), NOW + HOUR + HOUR, NOW + HOUR / 2)
        .unwrap();
    assert_eq!(ids(&ring), ["3", "2", "1"]);
    assert_eq!(ids(&clone), ["3", "2", "1"], "a clone is the same ring");

    let keys = ring.load();
    let cases = [
        ("3", [NOW, NOW + HOUR, NOW + HOUR + HOUR], [true; 3]),
        (
            "2",
            [NOW, NOW + HOUR, NOW + HOUR + HOUR],
            [true, true, false],
        ),
        (
            "1",
            [NOW, NOW + HOUR, NOW + HOUR + HOUR],
            [true, false, false],
        ),
    ];
    for (id, moments, want) in cases {
        let entry = keys.iter().find(|entry| entry.key.id() == id).unwrap();
        assert_eq!(moments.map(|now| entry.stands(now)), want, "{id}");
    }
    let old = keys.iter().last().unwrap();
    assert!(old.minted(NOW + RetiredKey::LEEWAY));
    assert!(!old.minted(NOW + RetiredKey::LEEWAY + Duration::from_secs(1)));
    assert!(keys.iter().next().unwrap().minted(NOW + HOUR * 24 * 365));
}

#[test]
fn a_rotation_drops_the_keys_whose_end_has_come() {
    let ring = KeyRing::new(named("1"));
    let handle = ring.handle();
    handle.rotate(&named("2"), NOW + HOUR, NOW).unwrap();
    let second = Duration::from_secs(1);
    let later = NOW + HOUR - second;
    handle.rotate(&named("3"), later + HOUR, later).unwrap();
    assert_eq!(ids(&ring), ["3", "2", "1"]);
    let later = NOW + HOUR;
    handle.rotate(&named("4"), later + HOUR, later).unwrap();
    assert_eq!(ids(&ring), ["4", "3", "2"]);
}

#[test]
fn an_announced_key_is_promoted_and_verifies_before() {
    let next = named("2");
    let ring = KeyRing::new(named("1")).announce(next.clone()).unwrap();
    assert_eq!(ids(&ring), ["1", "2"]);
    assert!(ring.load().iter().all(|entry| entry.minted(NOW)));
    ring.handle().rotate(&next, NOW + HOUR, NOW).unwrap();
    assert_eq!(ids(&ring), ["2", "1"]);
    assert!(ring.load().current().is_same_as(&next));
}

#[test]
fn a_rotation_that_cannot_be_leaves_the_ring_as_it_is() {
    let (current, announced) = (named("1"), named("2"));
    let under_3 = [&current, &announced].map(|key| key.clone().with_id("3").unwrap());
    let [current_under_3, announced_under_3] = under_3;
    let ring = KeyRing::new(current.clone()).announce(announced).unwrap();
    let before = Timestamp::from_secs(NOW.as_secs() - 1);
    let cases = [
        (
            "the current key",
            current,
            NOW + HOUR,
            r#"key id "1" is the current key's"#,
        ),
        (
            "another current key of its id",
            named("1"),
            NOW + HOUR,
            r#"key id "1" is the current key's"#,
        ),
        (
            "another key of an id",
            named("2"),
            NOW + HOUR,
            r#"key id "2" names two keys of the ring"#,
        ),
        (
            "the current key under another id",
            current_under_3,
            NOW + HOUR,
            r#"key id "3" names a key that the ring has under another id"#,
        ),
        (
            "an announced key under another id",
            announced_under_3,
            NOW + HOUR,
            r#"key id "3" names a key that the ring has under another id"#,
        ),
        (
            "an end now",
            named("3"),
            NOW,
            r#"until "1767225600" is not after now"#,
        ),
        (
            "an end before",
            named("3"),
            before,
            r#"until "1767225599" is not after now"#,
        ),
    ];
    for (name, key, until, want) in cases {
        let error = ring.handle().rotate(&key, until, NOW).unwrap_err();
        assert_eq!(error.to_string(), want, "{name}");
        assert_eq!(ids(&ring), ["1", "2"], "{name}");
    }
}

#[test]
fn replacing_a_ring_drops_what_the_other_has_not() {
    let ring = KeyRing::new(named("1"));
    let other = KeyRing::new(named("2")).retire(named("3")).unwrap();
    let handle = ring.handle();
    handle.replace(&other);
    assert_eq!(ids(&ring), ["2", "3"]);
    // `replace` takes the keys, not the ring, so a later change of that ring has no effect here.
    other.handle().rotate(&named("4"), NOW + HOUR, NOW).unwrap();
    assert_eq!(ids(&ring), ["2", "3"]);
    assert_eq!(format!("{handle:?}").matches("[redacted]").count(), 2);
}

#[test]
fn adding_to_a_ring_makes_another() {
    let ring = KeyRing::new(named("1"));
    let more = ring.clone().retire(named("2")).unwrap();
    more.handle().rotate(&named("3"), NOW + HOUR, NOW).unwrap();
    assert_eq!(ids(&ring), ["1"]);
    assert_eq!(ids(&more), ["3", "1", "2"]);
}
