//! What is listed, and what is not.

use std::time::Duration;

use futures_util::future::join_all;

use super::desk::{Desk, LIFETIME, listed, remembered, renewed, session, signed_in_again};
use crate::{
    provider::Identity,
    testing::suite::{
        email,
        report::{Miss, Outcome},
    },
};

pub(super) async fn noted(desk: Desk) -> Outcome {
    let one = session("a", 10);
    desk.note(&one, 10).await?;
    // At each replica.
    for second in [10, 11] {
        desk.lists("the one", "a", second, &[&one]).await?;
    }
    Ok(())
}

pub(super) async fn not_known(desk: Desk) -> Outcome {
    desk.lists("before any is noted", "a", 10, &[]).await?;
    desk.note(&session("a", 10), 10).await?;
    desk.lists("of another subject", "b", 10, &[]).await
}

pub(super) async fn all_of_a_subject(desk: Desk) -> Outcome {
    let (one, two, other) = (session("a", 10), session("a", 20), session("b", 30));
    for (session, second) in [(&one, 10), (&two, 20), (&other, 30)] {
        desk.note(session, second).await?;
    }
    for second in [30, 31] {
        desk.lists("both", "a", second, &[&one, &two]).await?;
        desk.lists("the other's", "b", second, &[&other]).await?;
    }
    Ok(())
}

pub(super) async fn alike(desk: Desk) -> Outcome {
    let long = "s".repeat(512);
    let longer = format!("{long}s");
    let subjects = [
        "user",
        "User",
        "user ",
        "user:1",
        "user%",
        "us*r",
        long.as_str(),
        longer.as_str(),
    ];
    let sessions: Vec<_> = subjects
        .iter()
        .map(|subject| session(subject, 10))
        .collect();
    for session in &sessions {
        desk.note(session, 10).await?;
    }
    for session in &sessions {
        let subject = session.subject();
        desk.lists(subject, subject, 10, &[session]).await?;
    }
    Ok(())
}

pub(super) async fn all_that_was_noted(desk: Desk) -> Outcome {
    let whole = Identity::new("a", email("ada@example.com"))
        .with_organization(Some("org_1".to_owned()))
        .with_connection(Some("conn_1".to_owned()))
        .with_provider_session(Some("session_1".to_owned()));
    let bare = Identity::new("b", email("ada@example.com"));
    let whole = remembered(&listed(
        &whole,
        10,
        Some("Mozilla/5.0"),
        Some("2001:db8::/64"),
    ));
    let bare = listed(&bare, 10, None, None);
    desk.note(&whole, 10).await?;
    desk.note(&bare, 10).await?;
    for second in [10, 11] {
        desk.lists("all that there is", "a", second, &[&whole])
            .await?;
        desk.lists("nothing but the person", "b", second, &[&bare])
            .await?;
    }
    Ok(())
}

pub(super) async fn after_a_revocation(desk: Desk) -> Outcome {
    let again = signed_in_again("a", 40, 10);
    desk.note(&again, 40).await?;
    for second in [40, 41] {
        desk.lists("the one that came after", "a", second, &[&again])
            .await?;
    }
    Ok(())
}

pub(super) async fn every_script(desk: Desk) -> Outcome {
    let subject = "пользователь 用户 \u{1f511} \"'\\ \t%_*";
    let identity = Identity::new(subject, email("ada@example.com"));
    let agent = "Ägypten/1.0 (\"'\\; \u{1f511}) \t%_*";
    let one = listed(&identity, 10, Some(agent), Some("192.0.2.1"));
    desk.note(&one, 10).await?;
    for second in [10, 11] {
        desk.lists("the one", subject, second, &[&one]).await?;
    }
    Ok(())
}

pub(super) async fn renewed_entry(desk: Desk) -> Outcome {
    let (first, other) = (session("a", 10), session("a", 20));
    desk.note(&first, 10).await?;
    desk.note(&other, 20).await?;
    let renewal = renewed(&first, 30);
    desk.note(&renewal, 30).await?;
    for second in [30, 31] {
        desk.lists(
            "the renewal and the other",
            "a",
            second,
            &[&renewal, &other],
        )
        .await?;
    }
    // It lives for as long as it was renewed.
    let second = LIFETIME + 25;
    desk.lists("the renewal", "a", second, &[&renewal]).await
}

pub(super) async fn forgotten(desk: Desk) -> Outcome {
    let (one, two, other) = (session("a", 10), session("a", 10), session("b", 10));
    for session in [&one, &two, &other] {
        desk.note(session, 10).await?;
    }
    desk.forget(&one).await?;
    for second in [11, 12] {
        desk.lists("the one that is left", "a", second, &[&two])
            .await?;
        desk.lists("the other's", "b", second, &[&other]).await?;
    }
    Ok(())
}

pub(super) async fn unknown_is_forgotten(desk: Desk) -> Outcome {
    let one = session("a", 10);
    desk.forget(&one).await?;
    desk.note(&one, 10).await?;
    desk.forget(&session("a", 10)).await?;
    desk.lists("the one that is known", "a", 10, &[&one]).await
}

pub(super) async fn noted_again(desk: Desk) -> Outcome {
    let one = session("a", 10);
    desk.note(&one, 10).await?;
    desk.forget(&one).await?;
    let renewal = renewed(&one, 20);
    desk.note(&renewal, 20).await?;
    desk.lists("the renewal", "a", 20, &[&renewal]).await
}

pub(super) async fn until_its_end(desk: Desk) -> Outcome {
    let (first, second) = (session("a", 10), session("a", 20));
    desk.note(&first, 10).await?;
    desk.note(&second, 20).await?;
    let end = 10 + LIFETIME;
    desk.lists("a second before", "a", end - 1, &[&first, &second])
        .await?;
    desk.lists("in its last second", "a", end, &[&second])
        .await?;
    desk.lists("long after", "a", end + 100, &[]).await
}

pub(super) async fn together(desk: Desk) -> Outcome {
    let sessions: Vec<_> = (0..50).map(|_| session("a", 10)).collect();
    let noted = join_all(sessions.iter().map(|session| desk.note(session, 10))).await;
    noted.into_iter().collect::<Outcome>()?;
    let all: Vec<_> = sessions.iter().collect();
    for second in [10, 11] {
        desk.lists("all of them", "a", second, &all).await?;
    }
    Ok(())
}

pub(super) async fn within_two_seconds(desk: Desk) -> Outcome {
    let work = async {
        let one = session("a", 10);
        desk.note(&one, 10).await?;
        desk.lists("the one", "a", 10, &[&one]).await?;
        desk.forget(&one).await
    };
    // Three calls, and each has two seconds.
    let done = tokio::time::timeout(Duration::from_secs(6), work).await;
    done.unwrap_or_else(|_| Err(Miss::failed("answers", "none in two seconds each")))
}
