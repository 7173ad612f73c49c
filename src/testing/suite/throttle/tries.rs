//! How often may be guessed.

use futures_util::future::join_all;

use super::desk::{Desk, THREE, charge, key};
use crate::{
    testing::suite::{
        NOON, after,
        report::{Outcome, same},
    },
    throttle::Take::{Exhausted, Taken},
};

pub(super) async fn down_to_none(desk: Desk) -> Outcome {
    for (second, left) in [(0, 4), (0, 3), (0, 2), (1, 1), (2, 0)] {
        desk.takes("one of five", 1, second, Taken { left }).await?;
    }
    desk.takes("the sixth", 1, 3, Exhausted).await
}

pub(super) async fn no_refill(desk: Desk) -> Outcome {
    for left in [4, 3, 2, 1, 0] {
        desk.takes("one of five", 1, 0, Taken { left }).await?;
    }
    for second in [1, 300, 599] {
        desk.takes("the sixth", 1, second, Exhausted).await?;
    }
    Ok(())
}

pub(super) async fn another_key(desk: Desk) -> Outcome {
    for _ in 0..6 {
        let _ = desk.taken(1, 5, 600, 0).await?;
    }
    desk.takes("another key", 2, 0, Taken { left: 4 }).await
}

pub(super) async fn of_none(desk: Desk) -> Outcome {
    same("of none", &desk.taken(3, 0, 600, 0).await?, &Exhausted)
}

pub(super) async fn the_moment_has_come(desk: Desk) -> Outcome {
    desk.takes("in time", 1, 599, Taken { left: 4 }).await?;
    for second in [600, 601] {
        desk.takes("used before", 1, second, Exhausted).await?;
        desk.takes("never used", 2, second, Exhausted).await?;
    }
    Ok(())
}

pub(super) async fn a_sooner_moment(desk: Desk) -> Outcome {
    let steps = [
        ("the first", 600, 0, Taken { left: 0 }),
        ("until a sooner moment", 10, 0, Exhausted),
        ("after the sooner moment", 1_000, 11, Exhausted),
    ];
    for (name, until, second, want) in steps {
        same(name, &desk.taken(1, 1, until, second).await?, &want)?;
    }
    Ok(())
}

pub(super) async fn a_later_moment(desk: Desk) -> Outcome {
    let steps = [
        ("the first", 600, 0, Taken { left: 1 }),
        ("until a later moment", 1_000, 0, Taken { left: 0 }),
        ("after the first moment", 600, 601, Exhausted),
        ("until the later moment again", 1_000, 601, Exhausted),
    ];
    for (name, until, second, want) in steps {
        same(name, &desk.taken(1, 2, until, second).await?, &want)?;
    }
    Ok(())
}

pub(super) async fn given_back(desk: Desk) -> Outcome {
    for left in [4, 3, 2] {
        desk.takes("one of five", 1, 0, Taken { left }).await?;
    }
    desk.give_back(1, 0).await?;
    for (second, left) in [(0, 2), (1, 1), (2, 0)] {
        desk.takes("after one came back", 1, second, Taken { left })
            .await?;
    }
    desk.takes("the last", 1, 3, Exhausted).await
}

pub(super) async fn not_given_back_twice(desk: Desk) -> Outcome {
    desk.give_back(1, 0).await?;
    desk.takes("none was taken", 1, 0, Taken { left: 4 })
        .await?;
    for _ in 0..3 {
        desk.give_back(1, 0).await?;
    }
    desk.takes("one was taken", 1, 0, Taken { left: 4 }).await
}

pub(super) async fn not_forgotten(desk: Desk) -> Outcome {
    for left in [4, 3, 2, 1, 0] {
        desk.takes("one of five", 0, 0, Taken { left }).await?;
    }
    for number in 1..=1_000 {
        let _ = desk.taken(number, 5, 500, 400).await?;
        let _ = desk.charged(&[charge(number, THREE)], 400).await?;
    }
    desk.takes("the sixth", 0, 599, Exhausted).await
}

pub(super) async fn of_a_thousand(desk: Desk) -> Outcome {
    let taken = (0..1_000).map(|_| async {
        let taken = desk.next()?.take_try(key(2), 5, after(600), NOON);
        Ok(taken.await)
    });
    let taken: Outcome<Vec<_>> = join_all(taken).await.into_iter().collect();
    let taken = taken?
        .into_iter()
        .filter(|got| matches!(got, Ok(Taken { .. })));
    same("how many are taken", &taken.count(), &5)
}
