//! Which sessions an event ends, in a crowd of sessions.

use std::{collections::BTreeSet, time::Duration};

use tower_magic_link::{
    Grant,
    emulator::{EmulatedUser, WebhookDelivery},
    provider::{Identity, SignInMethod},
};

use crate::{
    names::{ADA, EVE},
    site::{SECRET, Site},
};

fn identity(subject: &str, email: &str) -> Identity {
    Identity::new(subject, email.parse().unwrap())
}

fn ada_user() -> EmulatedUser {
    EmulatedUser::of(ADA).with_id("user_ada")
}

/// Sessions of several people, connections, organizations and ways to sign in, by name.
fn crowd(site: &Site) -> Vec<(&'static str, String)> {
    let link = |subject: &str, email: &str, connection: &str, organization: Option<&str>| {
        identity(subject, email)
            .with_connection(Some(connection.to_owned()))
            .with_organization(organization.map(str::to_owned))
    };
    let code = |subject: &str, email: &str, session: &str, organization: Option<&str>| {
        identity(subject, email)
            .with_method(SignInMethod::MagicAuth)
            .with_provider_session(Some(session.to_owned()))
            .with_organization(organization.map(str::to_owned))
    };
    let people = [
        ("ada by link", link("prof_ada", ADA, "conn_1", None)),
        (
            "ada by link in org 1",
            link("prof_ada", ADA, "conn_1", Some("org_1")),
        ),
        (
            "ada by another link",
            link("prof_ada2", "Ada@Example.com", "conn_2", Some("org_2")),
        ),
        ("ada by code", code("user_ada", ADA, "session_1", None)),
        (
            "ada by code in org 1",
            code("user_ada", ADA, "session_2", Some("org_1")),
        ),
        (
            "ada by code in org 2",
            code("user_ada", ADA, "session_3", Some("org_2")),
        ),
        (
            "ada by an older address",
            code("user_ada", "ada@old.example", "session_4", None),
        ),
        (
            "eve by link",
            link("prof_eve", EVE, "conn_1", Some("org_1")),
        ),
        (
            "eve by another link",
            link("prof_eve2", EVE, "conn_12", Some("org_12")),
        ),
        (
            "eve by code in org 1",
            code("user_eve", EVE, "session_12", Some("org_1")),
        ),
        (
            "eve whose ids are ada's, shifted",
            code("user_adao", EVE, "session_13", Some("rg_1")),
        ),
        ("a program", identity("user_program", "program@example.com")),
    ];
    people
        .map(|(name, identity)| (name, site.sign_in(&identity)))
        .into()
}

async fn ended(site: &Site, crowd: &[(&'static str, String)]) -> BTreeSet<&'static str> {
    let mut ended = BTreeSet::new();
    for (name, cookie) in crowd {
        if !site.is_admitted(cookie).await {
            ended.insert(*name);
        }
    }
    ended
}

/// Things that happen at WorkOS, by the name of their event.
const HAPPENINGS: [(&str, &[&str]); 11] = [
    (
        "connection.deleted",
        &["ada by link", "ada by link in org 1", "eve by link"],
    ),
    (
        "connection.deactivated",
        &["ada by link", "ada by link in org 1", "eve by link"],
    ),
    (
        "organization.deleted",
        &[
            "ada by link in org 1",
            "ada by code in org 1",
            "eve by link",
            "eve by code in org 1",
        ],
    ),
    (
        "user.deleted",
        &[
            "ada by link",
            "ada by link in org 1",
            "ada by another link",
            "ada by code",
            "ada by code in org 1",
            "ada by code in org 2",
            "ada by an older address",
        ],
    ),
    (
        "dsync.user.deleted",
        &[
            "ada by link",
            "ada by link in org 1",
            "ada by another link",
            "ada by code",
            "ada by code in org 1",
            "ada by code in org 2",
        ],
    ),
    (
        "dsync.user.updated to inactive",
        &[
            "ada by link",
            "ada by link in org 1",
            "ada by another link",
            "ada by code",
            "ada by code in org 1",
            "ada by code in org 2",
        ],
    ),
    (
        "dsync.user.updated to suspended",
        &[
            "ada by link",
            "ada by link in org 1",
            "ada by another link",
            "ada by code",
            "ada by code in org 1",
            "ada by code in org 2",
        ],
    ),
    ("dsync.user.updated to active", &[]),
    ("organization_membership.deleted", &["ada by code in org 1"]),
    ("session.revoked", &["ada by code"]),
    ("user.updated", &[]),
];

async fn happen(
    name: &str,
    webhook: &tower_magic_link::emulator::EmulatedWebhook,
) -> WebhookDelivery {
    match name {
        "connection.deleted" => webhook.delete_connection("conn_1").await,
        "connection.deactivated" => webhook.deactivate_connection("conn_1").await,
        "organization.deleted" => webhook.delete_organization("org_1").await,
        "user.deleted" => webhook.delete_user(&ada_user()).await,
        "dsync.user.deleted" => webhook.delete_directory_user("ADA@example.com").await,
        "organization_membership.deleted" => webhook.delete_membership("user_ada", "org_1").await,
        "session.revoked" => webhook.revoke_session("session_1", "user_ada").await,
        "user.updated" => {
            webhook
                .send(
                    "user.updated",
                    r#"{"id":"user_ada","email":"ada@example.com"}"#,
                )
                .await
        }
        _ => {
            let state = name.rsplit_once(' ').expect("a state").1;
            webhook.update_directory_user(ADA, state).await
        }
    }
}

#[tokio::test]
async fn each_event_ends_the_right_sessions_and_no_other() {
    for (name, want) in HAPPENINGS {
        let site = Site::new();
        let webhook = site.serve().await;
        let crowd = crowd(&site);
        assert_eq!(
            ended(&site, &crowd).await,
            BTreeSet::new(),
            "{name}: before"
        );
        site.heard();
        let delivery = happen(name, &webhook).await;
        assert_eq!(delivery.answers(), [Some(http::StatusCode::OK)], "{name}");
        let effect = if want.is_empty() { "Ignored" } else { "Ended" };
        let heard = site.heard();
        assert!(heard.contains(effect), "{name}: {heard}");
        assert!(!heard.contains('@'), "{name}: {heard}");
        let want: BTreeSet<_> = want.iter().copied().collect();
        assert_eq!(ended(&site, &crowd).await, want, "{name}");
    }
}

#[tokio::test]
async fn whoever_signs_in_again_after_the_event_stays_however_late_it_comes() {
    let site = Site::new();
    let early = crowd(&site);
    let event = site
        .webhook()
        .event("connection.deleted", r#"{"id":"conn_1"}"#);
    site.clock.advance(Duration::from_secs(61));
    let late = crowd(&site);
    site.clock.advance(Duration::from_secs(6 * 60 * 60));
    assert_eq!(
        site.take(&event).await.status,
        400,
        "as it was signed first"
    );
    assert_eq!(ended(&site, &early).await.len(), 0);
    let again = site.webhook().sign_again(&event);
    assert_eq!(site.take(&again).await.status, 200);
    assert_eq!(ended(&site, &early).await.len(), 3);
    assert_eq!(ended(&site, &late).await.len(), 0);
}

#[tokio::test]
async fn a_session_that_began_a_little_later_by_our_clock_ends_too() {
    let site = Site::new();
    let event = site
        .webhook()
        .event("connection.deleted", r#"{"id":"conn_1"}"#);
    site.clock.advance(Duration::from_secs(60));
    let crowd = crowd(&site);
    assert_eq!(site.take(&event).await.status, 200);
    assert_eq!(ended(&site, &crowd).await.len(), 3);
    site.clock.advance(Duration::from_secs(1));
    let identity = identity("prof_ada", ADA).with_connection(Some("conn_1".to_owned()));
    let cookie = site.sign_in(&identity);
    assert!(site.is_admitted(&cookie).await, "once the event was taken");
}

#[tokio::test]
async fn an_end_is_remembered_for_as_long_as_a_session_can_last() {
    let hour = Duration::from_secs(3_600);
    let site = Site::with(|builder| builder.webhook_secret(SECRET).idle_timeout(4 * hour));
    let identity = identity("prof_ada", ADA).with_connection(Some("conn_1".to_owned()));
    let cookie = site.sign_in(&identity);
    let event = site
        .webhook()
        .event("connection.deleted", r#"{"id":"conn_1"}"#);
    assert_eq!(site.take(&event).await.status, 200);
    site.clock.advance(Duration::from_secs(4 * 3_600 - 1));
    end_many(&site).await;
    assert!(!site.is_admitted(&cookie).await);
}

/// Gives enough other revocations of the same kind that what may be forgotten is: a store in memory
/// forgets by kind.
async fn end_many(site: &Site) {
    for number in 0..300 {
        let data = format!(r#"{{"id":"another_{number}"}}"#);
        let event = site.webhook().event("connection.deleted", &data);
        assert_eq!(site.take(&event).await.status, 200);
    }
}

/// A session that begins once a clock was set right lives its time by the layer's own, which is
/// ahead by as much as the clock was.
#[tokio::test]
async fn an_end_outlasts_a_session_that_began_after_a_clock_was_set_right() {
    use tower_magic_link::clock::Clock;
    let hour = Duration::from_secs(3_600);
    let site = Site::with(|builder| builder.webhook_secret(SECRET).idle_timeout(12 * hour));
    let identity = identity("prof_ada", ADA).with_connection(Some("conn_1".to_owned()));
    let right = site.clock.now();
    site.clock.advance(hour);
    site.sign_in(&identity);
    site.clock.set(right);
    let (ended, live) = (site.sign_in(&identity), {
        let other = identity.clone().with_connection(Some("conn_2".to_owned()));
        site.sign_in(&other)
    });
    let event = site
        .webhook()
        .event("connection.deleted", r#"{"id":"conn_1"}"#);
    assert_eq!(site.take(&event).await.status, 200);
    site.clock.advance(13 * hour - Duration::from_secs(1));
    end_many(&site).await;
    assert!(site.is_admitted(&live).await, "it lives until here");
    assert!(!site.is_admitted(&ended).await);
}

/// The application knows the person by an account of its own. WorkOS knows them by its own ids.
#[tokio::test]
async fn what_workos_ends_ends_a_session_that_the_application_has_renamed() {
    let member = |organization: &str| {
        identity("user_ada", ADA)
            .with_method(SignInMethod::MagicAuth)
            .with_organization(Some(organization.to_owned()))
    };
    let account = Grant::new().subject("7").organization("tenant-a");
    let site = Site::new();
    let sign_in = |identity: &Identity| {
        let issued = site.layer.issuer().issue_granted(identity, &account);
        let cookie = issued.unwrap().set_cookie();
        cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    let (acme, globex) = (sign_in(&member("org_1")), sign_in(&member("org_2")));
    let other = sign_in(&identity("user_eve", EVE));
    let workos = site.serve().await;
    assert!(
        workos
            .delete_membership("user_ada", "org_1")
            .await
            .is_delivered()
    );
    assert!(!site.is_admitted(&acme).await);
    assert!(site.is_admitted(&globex).await);
    let user = EmulatedUser::of("ada@elsewhere.example").with_id("user_ada");
    assert!(workos.delete_user(&user).await.is_delivered());
    assert!(!site.is_admitted(&globex).await);
    assert!(site.is_admitted(&other).await, "of another user");
}
