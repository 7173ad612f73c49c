//! What an application has granted, behind the layer: who reads it, and what ends it.

use std::time::Duration;

use serde_json::json;
use tower::Layer;
use tower_magic_link::{
    Builder, Email, Grant, MagicLinkLayer, Session,
    companion::Issued,
    provider::Identity,
    revocation::Target,
    sessions::{ListedSession, MemorySessions},
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::ADA,
    site::{SESSION, application, builder, program, with_cookie},
};

const HOUR: Duration = Duration::from_secs(3_600);

fn ada(subject: &str, organization: Option<&str>) -> Identity {
    Identity::new(subject, Email::parse(ADA).unwrap())
        .with_organization(organization.map(str::to_owned))
}

fn account() -> Grant {
    let grant = Grant::new().subject("acct-7").organization("tenant-a");
    grant.claims(&json!({ "role": "admin" })).unwrap()
}

fn layer(set: impl FnOnce(Builder) -> Builder) -> (ManualClock, MagicLinkLayer) {
    let clock = ManualClock::new();
    let builder = set(builder(&clock).idle_timeout(HOUR));
    (clock, builder.build().unwrap())
}

fn cookie(issued: &Issued) -> String {
    format!("{SESSION}={}", issued.token().expose())
}

async fn status(layer: &MagicLinkLayer, issued: &Issued) -> u16 {
    let request = with_cookie(program("/x"), &cookie(issued));
    let answer = Answer::of(layer.layer(application()), request).await;
    answer.status().as_u16()
}

fn says(session: &Session) -> [String; 5] {
    let claims: Option<serde_json::Value> = session.claims().unwrap();
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    [
        session.subject().to_owned(),
        text(session.organization()),
        session.provider_subject().to_owned(),
        text(session.provider_organization()),
        claims.map_or("none".to_owned(), |claims| claims.to_string()),
    ]
}

/// Each is how a session may be named: by the application, by the provider, and by what both
/// leave as it is.
#[tokio::test]
async fn a_granted_session_ends_by_the_applications_names_and_by_the_providers() {
    let membership = |subject: &str, organization: &str| Target::Membership {
        subject: subject.to_owned(),
        organization: organization.to_owned(),
    };
    let subject = |subject: &str| Target::Subject(subject.to_owned());
    let organization = |organization: &str| Target::Organization(organization.to_owned());
    let cases = [
        (subject("acct-7"), true),
        (subject("prof_ada"), true),
        (organization("tenant-a"), true),
        (organization("org_1"), true),
        (membership("acct-7", "tenant-a"), true),
        (membership("prof_ada", "org_1"), true),
        (Target::Address(ADA.to_owned()), true),
        (membership("acct-7", "org_1"), false),
        (membership("prof_ada", "tenant-a"), false),
        (subject("acct-70"), false),
    ];
    for (target, ends) in cases {
        let (_, layer) = layer(|builder| builder);
        let issuer = layer.issuer();
        let granted = issuer.issue_granted(&ada("prof_ada", Some("org_1")), &account());
        let granted = granted.unwrap();
        assert_eq!(target.names(granted.session()), ends, "{target:?}");
        layer.end_sessions(target.clone()).await.unwrap();
        let want = if ends { 401 } else { 200 };
        assert_eq!(status(&layer, &granted).await, want, "{target:?}");
    }
}

#[tokio::test]
async fn a_grant_stays_through_renewals_and_in_further_sessions() {
    let (clock, layer) = layer(|builder| builder);
    let issuer = layer.issuer();
    let granted = issuer.issue_granted(&ada("prof_ada", None), &account());
    let granted = granted.unwrap();
    let want = [
        "acct-7",
        "tenant-a",
        "prof_ada",
        "none",
        r#"{"role":"admin"}"#,
    ];
    assert_eq!(says(granted.session()), want);
    let another = issuer.issue_from(granted.session()).unwrap();
    assert_eq!(says(another.session()), want);
    clock.advance(HOUR / 2);
    let request = with_cookie(program("/auth/session"), &cookie(&granted));
    let shown = Answer::of(layer.layer(application()), request).await;
    let shown: serde_json::Value = serde_json::from_slice(&shown.body).unwrap();
    assert_eq!(shown["claims"], json!({ "role": "admin" }));

    let request = with_cookie(program("/x"), &cookie(&granted));
    let renewed = Answer::of(layer.layer(application()), request).await;
    let (token, _) = renewed.cookies().remove(SESSION).unwrap();
    assert_ne!(token, granted.token().expose());
    let request = with_cookie(program("/auth/session"), &format!("{SESSION}={token}"));
    let later = Answer::of(layer.layer(application()), request).await;
    let later: serde_json::Value = serde_json::from_slice(&later.body).unwrap();
    for field in ["subject", "organization", "claims"] {
        assert_eq!(later[field], shown[field], "{field}");
    }
    // The provider still ends it by its own name.
    let target = Target::Subject("prof_ada".to_owned());
    layer.end_sessions(target).await.unwrap();
    assert_eq!(status(&layer, &another).await, 401);
}

/// Signed in by WorkOS yesterday, and by something else today: the account is one, and so is the
/// person who signs out everywhere. Their sessions from before accounts were granted end, too.
#[tokio::test]
async fn signing_out_everywhere_reaches_an_account_by_whichever_provider_it_came() {
    let (_, layer) = layer(|builder| builder);
    let issuer = layer.issuer();
    let mail =
        |subject: &str, address: &str| Identity::new(subject, Email::parse(address).unwrap());
    let account = Grant::new().subject("acct-7");
    let theirs = [
        issuer.issue_granted(&mail("prof_ada", ADA), &account),
        issuer.issue_granted(&mail("mailbox_1", "ada@new.example"), &account),
        issuer.issue(&mail("mailbox_1", "ada@older.example")),
    ];
    let theirs = theirs.map(Result::unwrap);
    let other = Grant::new().subject("acct-70");
    let other = issuer.issue_granted(&mail("prof_eve", "eve@example.com"), &other);
    let other = other.unwrap();
    issuer
        .sign_out_everywhere(theirs[1].session())
        .await
        .unwrap();
    for (at, issued) in theirs.iter().enumerate() {
        assert_eq!(status(&layer, issued).await, 401, "{at}");
    }
    assert_eq!(status(&layer, &other).await, 200);
}

#[tokio::test]
async fn the_index_lists_an_account_and_knows_what_the_provider_has_ended() {
    let (_, layer) = layer(|builder| builder.session_index(MemorySessions::default()));
    let issuer = layer.issuer();
    let granted = issuer.issue_granted(&ada("prof_ada", Some("org_1")), &account());
    let granted = granted.unwrap();
    let listed = layer.sessions_of("acct-7").await.unwrap();
    let ids: Vec<_> = listed.iter().map(ListedSession::id).collect();
    assert_eq!(ids, [granted.session().id()]);
    assert!(layer.sessions_of("prof_ada").await.unwrap().is_empty());

    let read = ListedSession::from_record(&listed[0].to_record()).unwrap();
    assert_eq!(read.subject(), "acct-7");
    assert!(!read.to_record().contains("admin"), "claims are not listed");
    let target = Target::Organization("org_1".to_owned());
    layer.end_sessions(target).await.unwrap();
    assert!(layer.sessions_of("acct-7").await.unwrap().is_empty());
}

#[tokio::test]
async fn no_session_is_issued_with_an_empty_subject_or_by_a_granted_organization_alone() {
    use tower_magic_link::companion::IssueError;

    let (_, layer) = layer(|builder| builder.organization("org_1"));
    let issuer = layer.issuer();
    let empty = issuer.issue_granted(&ada("prof_ada", Some("org_1")), &Grant::new().subject(""));
    assert_eq!(empty.unwrap_err(), IssueError::NoSubject);
    let grant = Grant::new().organization("org_1");
    let outside = issuer.issue_granted(&ada("prof_ada", None), &grant);
    assert_eq!(outside.unwrap_err(), IssueError::NotAllowed);
    let inside = Grant::new().without_organization();
    let inside = issuer.issue_granted(&ada("prof_ada", Some("org_1")), &inside);
    let inside = inside.unwrap();
    assert_eq!(inside.session().organization(), None);
    assert_eq!(inside.session().provider_organization(), Some("org_1"));
    assert_eq!(status(&layer, &inside).await, 200);
}
