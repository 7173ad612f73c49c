use std::{collections::HashSet, time::Duration};

use super::*;
use crate::session::SessionId;
use crate::{
    provider::Identity,
    session::{Grant, Times},
};

const NOON: Timestamp = Timestamp::from_secs(43_200);

fn session(subject: &str, organization: Option<&str>) -> Session {
    let times = Times {
        issued_at: NOON,
        expires_at: NOON + Duration::from_secs(60),
        auth_time: NOON,
    };
    let name = |name: &str| Some(name.to_owned());
    let identity = Identity::new(subject, "Ada@Example.com".parse().unwrap())
        .with_organization(organization.map(str::to_owned))
        .with_connection(name("conn_1"))
        .with_provider_session(name("session_1"));
    Session::new(&identity, SessionId::from_bytes([7; 16]), times)
}

#[test]
fn all_targets_of_a_session_name_it_and_a_revocation_for_each_ends_it() {
    let session = session("user_1", Some("org_1"));
    let all: Vec<_> = Target::all_of(&session).collect();
    let keys: Vec<_> = all.iter().map(Target::key).collect();
    assert_eq!(
        keys,
        [
            "session:BwcHBwcHBwcHBwcHBwcHBw",
            "address:ada@example.com",
            "connection:conn_1",
            "membership:6:user_1org_1",
            "organization:org_1",
            "provider_session:session_1",
            "subject:user_1",
        ]
    );
    let store = MemoryRevocations::default();
    assert_eq!(store.standing(&session), Standing::Active);
    for target in all {
        assert!(target.names(&session), "{target:?}");
        let revocation = |at| Revocation::new(target.clone(), at, NOON + Duration::from_secs(60));
        let store = MemoryRevocations::default();
        store.record(&revocation(NOON));
        assert_eq!(store.standing(&session), Standing::Revoked, "{target:?}");
        assert!(revocation(NOON).ends(&session), "{target:?}");
        let behind = revocation(Timestamp::from_secs(43_140));
        assert!(behind.ends(&session), "{target:?}: a minute behind");
        let is_by_id = matches!(target, Target::Session(_));
        let earlier = revocation(Timestamp::from_secs(43_139));
        assert_eq!(earlier.ends(&session), is_by_id, "{target:?}");
    }
}

#[test]
fn a_granted_session_has_the_targets_of_the_provider_too() {
    let grant = Grant::new().subject("7").organization("a");
    let session = session("user_1", Some("org_1")).granted(&grant);
    let all: Vec<_> = Target::all_of(&session).collect();
    let keys: Vec<_> = all.iter().map(Target::key).collect();
    let own = [
        "membership:1:7a",
        "organization:a",
        "subject:7",
        "membership:6:user_1org_1",
        "organization:org_1",
        "subject:user_1",
    ];
    assert!(own.iter().all(|key| keys.iter().any(|known| known == key)));
    assert_eq!(keys.len(), 7 + 3);
    for target in all {
        assert!(target.names(&session), "{target:?}");
        let store = MemoryRevocations::default();
        store.record(&Revocation::new(
            target.clone(),
            NOON,
            NOON + Duration::from_secs(60),
        ));
        assert_eq!(store.standing(&session), Standing::Revoked, "{target:?}");
    }
    // Only what differs is there twice.
    let grant = Grant::new().subject("7");
    let session = self::session("user_1", Some("org_1")).granted(&grant);
    assert_eq!(Target::all_of(&session).count(), 7 + 2);
}

#[test]
fn what_a_session_has_not_is_no_target_of_it() {
    let all = Target::all_of(&session("user_1", None));
    let is_of_one =
        |target: &Target| matches!(target, Target::Membership { .. } | Target::Organization(_));
    assert_eq!(all.filter(is_of_one).count(), 0);
}

/// Pins: a target printed the whole address of a person whose id it is.
#[test]
fn a_target_prints_no_whole_address() {
    let (ada, masked) = ("ada-whole@example.com", "a***@example.com");
    let membership = Target::Membership {
        subject: ada.to_owned(),
        organization: "org_1".to_owned(),
    };
    let cases = [
        (Target::Address(ada.to_owned()), masked.to_owned()),
        (Target::Subject(ada.to_owned()), masked.to_owned()),
        (membership, format!("{masked} org_1")),
        (Target::Subject("user_1".to_owned()), "user_1".to_owned()),
    ];
    for (target, id) in cases {
        assert_eq!(target.id(), id);
        let printed = format!("{target:?}");
        assert!(!printed.contains("ada-whole"), "{printed}");
        assert!(target.key().contains(ada) || id == "user_1", "{printed}");
    }
}

#[test]
fn two_targets_share_a_key_only_where_they_name_the_same_sessions() {
    let names = ["", "1", "11", "1:1", "user_1", "org_1", ":"];
    let pairs = names
        .iter()
        .flat_map(|one| names.map(|other| (*one, other)));
    let membership = |(subject, organization): (&str, &str)| Target::Membership {
        subject: subject.to_owned(),
        organization: organization.to_owned(),
    };
    let single = names.iter().flat_map(|name| {
        [
            Target::Address,
            Target::Connection,
            Target::Organization,
            Target::ProviderSession,
            Target::Subject,
        ]
        .map(|target| target((*name).to_owned()))
    });
    let targets: Vec<_> = single.chain(pairs.map(membership)).collect();
    let keys: HashSet<_> = targets.iter().map(Target::key).collect();
    assert_eq!(keys.len(), targets.len());
    let address = |address: &str| Target::Address(address.to_owned()).key();
    assert_eq!(address("ADA@example.com"), address("ada@Example.COM"));
}
