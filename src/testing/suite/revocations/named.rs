//! Which sessions a revocation ends.

use super::desk::{Desk, end_of, revocation, session, session_of};
use crate::{
    provider::Identity,
    revocation::{
        Standing::{Active, Revoked},
        Target,
    },
    session::{Grant, Session},
    testing::suite::{
        FAR, after, email,
        report::{Outcome, same},
    },
};

pub(super) async fn nobody_ended(desk: Desk<'_>) -> Outcome {
    let (one, other) = (session("a", 10), session("a", 10));
    desk.all_say(&[("one", &one, Active), ("another", &other, Active)])
        .await
}

pub(super) async fn one_session(desk: Desk<'_>) -> Outcome {
    let (one, other) = (session("a", 10), session("a", 10));
    desk.end(end_of(&one)).await?;
    desk.all_say(&[("it", &one, Revoked), ("another", &other, Active)])
        .await
}

pub(super) async fn one_session_whatever_the_clocks(desk: Desk<'_>) -> Outcome {
    let one = session("a", 10);
    desk.end(revocation(Target::Session(one.id()), 9, FAR))
        .await?;
    desk.all_say(&[("it", &one, Revoked)]).await
}

pub(super) async fn up_to_its_second(desk: Desk<'_>) -> Outcome {
    let [before, same, later] = [19, 20, 81].map(|second| session("a", second));
    // A machine whose clock is ahead has dated it.
    let ahead = session("a", 80);
    let another = session("b", 19);
    desk.end(revocation(Target::Subject("a".to_owned()), 20, FAR))
        .await?;
    desk.all_say(&[
        ("before", &before, Revoked),
        ("in the same second", &same, Revoked),
        ("by a clock that is a minute ahead", &ahead, Revoked),
        ("later", &later, Active),
        ("another subject", &another, Active),
    ])
    .await
}

pub(super) async fn what_comes_after(desk: Desk<'_>) -> Outcome {
    // The same second, a clock that is a minute behind, and one that is a minute ahead.
    let again = [1_000, 940, 1_060].map(|second| session("a", second).with_after(after(1_000)));
    let [same, behind, ahead] = &again;
    let unaware = session("a", 1_000);
    let subject = || Target::Subject("a".to_owned());
    desk.end(revocation(subject(), 1_000, FAR)).await?;
    desk.all_say(&[
        ("a sign-in that comes after", same, Active),
        ("by a clock that is behind", behind, Active),
        ("by a clock that is ahead", ahead, Active),
        ("one that does not", &unaware, Revoked),
    ])
    .await?;
    desk.end(revocation(subject(), 1_001, FAR)).await?;
    desk.all_say(&[
        ("before the next revocation", same, Revoked),
        ("by a clock that is behind, before it", behind, Revoked),
        ("by a clock that is ahead, before it", ahead, Revoked),
    ])
    .await
}

/// A session whose every name is of one person, revocable from the tenth second.
fn of(name: &str) -> Session {
    // A colon: what separates names where a store keeps them as one text.
    let address = email(&format!("{name}@example.com"));
    let identity = Identity::new(format!("prof:{name}"), address)
        .with_organization(Some(format!("org:{name}")))
        .with_connection(Some(format!("conn:{name}")))
        .with_provider_session(Some(format!("session:{name}")));
    session_of(&identity, 10).with_after(after(9))
}

/// Gives a revocation a second too early, and then in time.
async fn ends_ada_alone(desk: &Desk<'_>, target: Target) -> Outcome {
    let (ada, eve) = (of("ada"), of("eve"));
    let named = (target.names(&ada), target.names(&eve));
    same("whom the target names", &named, &(true, false))?;
    desk.end(revocation(target.clone(), 9, FAR)).await?;
    desk.all_say(&[
        ("ended a second early", &ada, Active),
        ("another, a second early", &eve, Active),
    ])
    .await?;
    desk.end(revocation(target, 10, FAR)).await?;
    desk.all_say(&[("in time", &ada, Revoked), ("another", &eve, Active)])
        .await
}

pub(super) async fn an_address(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, Target::Address("ADA@EXAMPLE.com".to_owned())).await
}

pub(super) async fn a_connection(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, Target::Connection("conn:ada".to_owned())).await
}

pub(super) async fn an_organization(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, Target::Organization("org:ada".to_owned())).await
}

pub(super) async fn a_provider_session(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, Target::ProviderSession("session:ada".to_owned())).await
}

pub(super) async fn a_subject(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, Target::Subject("prof:ada".to_owned())).await
}

fn membership(subject: &str, organization: &str) -> Target {
    Target::Membership {
        subject: subject.to_owned(),
        organization: organization.to_owned(),
    }
}

fn member(subject: &str, organization: Option<&str>) -> Session {
    let identity = Identity::new(subject, email("ada@example.com"));
    let identity = identity.with_organization(organization.map(str::to_owned));
    session_of(&identity, 10).with_after(after(9))
}

pub(super) async fn a_membership(desk: Desk<'_>) -> Outcome {
    ends_ada_alone(&desk, membership("prof:ada", "org:ada")).await?;
    let here = member("prof:ada", Some("org:ada"));
    let elsewhere = member("prof:ada", Some("org:b"));
    let nowhere = member("prof:ada", None);
    let colleague = member("prof:b", Some("org:ada"));
    desk.all_say(&[
        ("in the organization", &here, Revoked),
        ("in another", &elsewhere, Active),
        ("in none", &nowhere, Active),
        ("of a colleague", &colleague, Active),
    ])
    .await
}

pub(super) async fn one_text_together(desk: Desk<'_>) -> Outcome {
    let (one, other) = (member("ab", Some("c")), member("a", Some("bc")));
    desk.end(revocation(membership("ab", "c"), 10, FAR)).await?;
    desk.all_say(&[("it", &one, Revoked), ("another", &other, Active)])
        .await
}

/// The application may grant other ids than the provider's, and either ends the session.
pub(super) async fn a_granted_session(desk: Desk<'_>) -> Outcome {
    let granted = |name: &str| {
        let grant = Grant::new()
            .subject(format!("own:{name}"))
            .organization("own");
        of(name).with_after(after(9)).granted(&grant)
    };
    let names = ["a", "b", "c", "d", "e"];
    let sessions = names.map(granted);
    let [own, proven, own_member, proven_member, other] = &sessions;
    let targets = [
        Target::Subject("own:a".to_owned()),
        Target::Subject("prof:b".to_owned()),
        membership("own:c", "own"),
        membership("prof:d", "org:d"),
    ];
    for target in targets {
        desk.end(revocation(target, 10, FAR)).await?;
    }
    desk.all_say(&[
        ("by the application's subject", own, Revoked),
        ("by the provider's subject", proven, Revoked),
        ("by the application's membership", own_member, Revoked),
        ("by the provider's membership", proven_member, Revoked),
        ("another", other, Active),
    ])
    .await?;
    desk.end(revocation(
        Target::Organization("org:e".to_owned()),
        10,
        FAR,
    ))
    .await?;
    desk.all_say(&[("by the provider's organization", other, Revoked)])
        .await
}

/// Includes the kinds of target that a later version of this crate adds.
pub(super) async fn any_target(desk: Desk<'_>) -> Outcome {
    let kinds = Target::all_of(&of("ada")).count();
    let sessions: Vec<_> = (0..kinds).map(|kind| of(&format!("ada{kind}"))).collect();
    for (kind, session) in sessions.iter().enumerate() {
        for target in Target::all_of(session).skip(kind).take(1) {
            desk.end(revocation(target, 10, FAR)).await?;
        }
    }
    let other = of("eve");
    let mut cases: Vec<_> = sessions
        .iter()
        .map(|session| ("one of a kind", session, Revoked))
        .collect();
    cases.push(("another", &other, Active));
    desk.all_say(&cases).await
}
