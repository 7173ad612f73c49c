//! For how long a revocation holds.

use super::desk::{Desk, end_of, revocation, session};
use crate::{
    revocation::{
        Revocation,
        Standing::{Active, Revoked},
        Target,
    },
    testing::suite::{FAR, after, report::Outcome},
};

/// Enough revocations to make a store forget expired ones, if it does so when new ones arrive.
const PASSING: usize = 300;

fn subject(name: &str) -> Target {
    Target::Subject(name.to_owned())
}

/// Records revocations of single sessions, from one second until another.
async fn pass(desk: &Desk<'_>, at: u64, until: u64) -> Outcome {
    for _ in 0..PASSING {
        let session = session("passing", 10);
        desk.end(revocation(Target::Session(session.id()), at, until))
            .await?;
    }
    Ok(())
}

pub(super) async fn until_its_end(desk: Desk<'_>) -> Outcome {
    let (one, many) = (session("one", 10), session("many", 10));
    desk.end(revocation(Target::Session(one.id()), 20, FAR))
        .await?;
    desk.end(revocation(subject("many"), 20, FAR)).await?;
    pass(&desk, FAR - 1, FAR + 100).await?;
    desk.all_say(&[
        ("ended by itself", &one, Revoked),
        ("ended with its subject's", &many, Revoked),
    ])
    .await
}

pub(super) async fn a_minute_longer(desk: Desk<'_>) -> Outcome {
    let (one, many) = (session("one", 10), session("many", 10));
    desk.end(revocation(Target::Session(one.id()), 20, FAR))
        .await?;
    desk.end(revocation(subject("many"), 20, FAR)).await?;
    // The clock of the machine that gives them is ahead.
    pass(&desk, FAR + 59, FAR + 200).await?;
    desk.all_say(&[
        ("ended by itself", &one, Revoked),
        ("ended with its subject's", &many, Revoked),
    ])
    .await
}

pub(super) async fn ended_twice(desk: Desk<'_>) -> Outcome {
    let (one, other) = (session("a", 10), session("a", 10));
    desk.end(end_of(&one)).await?;
    desk.end(end_of(&one)).await?;
    desk.all_say(&[("it", &one, Revoked), ("another", &other, Active)])
        .await
}

pub(super) async fn shorter_for_a_session(desk: Desk<'_>) -> Outcome {
    let one = session("one", 10);
    let id = Target::Session(one.id());
    desk.end(revocation(id.clone(), 20, FAR)).await?;
    desk.end(revocation(id, 20, 30)).await?;
    pass(&desk, 100, 50).await?;
    desk.all_say(&[("the longer revocation's", &one, Revoked)])
        .await
}

pub(super) async fn shorter_for_a_subject(desk: Desk<'_>) -> Outcome {
    let many = session("many", 10);
    desk.end(revocation(subject("many"), 20, FAR)).await?;
    desk.end(revocation(subject("many"), 20, 30)).await?;
    pass(&desk, 100, 50).await?;
    desk.all_say(&[("the longer revocation's", &many, Revoked)])
        .await
}

pub(super) async fn an_earlier_revocation(desk: Desk<'_>) -> Outcome {
    let many = session("many", 40).with_after(after(39));
    desk.end(revocation(subject("many"), 40, FAR)).await?;
    desk.end(revocation(subject("many"), 20, 30)).await?;
    pass(&desk, 100, 50).await?;
    desk.all_say(&[("the later revocation's", &many, Revoked)])
        .await
}

pub(super) async fn passed_already(desk: Desk<'_>) -> Outcome {
    let (one, many) = (session("one", 10), session("many", 10));
    let (other, another) = (session("other", 10), session("another", 10));
    desk.end(revocation(Target::Session(one.id()), 100, 50))
        .await?;
    desk.end(revocation(subject("many"), 100, 50)).await?;
    desk.end(end_of(&other)).await?;
    // Both answers are allowed for an expired revocation, but no error.
    for store in desk.replicas() {
        super::desk::standing(&**store, &one).await?;
        super::desk::standing(&**store, &many).await?;
    }
    desk.all_say(&[
        ("ended meanwhile", &other, Revoked),
        ("another", &another, Active),
    ])
    .await
}

pub(super) async fn a_thousand(desk: Desk<'_>) -> Outcome {
    let sessions: Vec<_> = (0..1_000).map(|_| session("a", 10)).collect();
    let revocations: Vec<_> = sessions.iter().map(end_of).collect();
    desk.end_together(&revocations).await?;
    let cases = sessions
        .iter()
        .map(|session| ("of a thousand", session, Revoked));
    let cases: Vec<_> = cases.collect();
    desk.all_say(&cases).await
}

pub(super) async fn many_times_at_once(desk: Desk<'_>) -> Outcome {
    let (one, many, other) = (session("one", 10), session("many", 10), session("b", 10));
    let both = [end_of(&one), revocation(subject("many"), 20, FAR)];
    let revocations: Vec<Revocation> = both.into_iter().cycle().take(64).collect();
    desk.end_together(&revocations).await?;
    desk.all_say(&[
        ("ended by itself", &one, Revoked),
        ("ended with its subject's", &many, Revoked),
        ("another", &other, Active),
    ])
    .await
}
