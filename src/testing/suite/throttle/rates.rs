//! What rates admit.

use std::time::Duration;

use futures_util::future::join_all;

use super::desk::{Desk, THREE, charge, refused};
use crate::{
    clock::Timestamp,
    testing::suite::{
        NOON, after,
        report::{Miss, Outcome, same},
    },
    throttle::{
        Charge,
        Charged::{Admitted, Refused},
        Rate,
    },
};

pub(super) async fn burst_and_then_one_each_period(desk: Desk) -> Outcome {
    let steps = [
        (0, Admitted),
        (0, Admitted),
        (0, Admitted),
        (0, refused(180)),
        (1, refused(179)),
        (179, refused(1)),
        (180, Admitted),
        (180, refused(180)),
        (539, Admitted),
        (540, Admitted),
        (540, refused(180)),
        (10_000, Admitted),
        (10_000, Admitted),
        (10_000, Admitted),
        (10_000, refused(180)),
    ];
    for (number, (second, want)) in steps.into_iter().enumerate() {
        let step = format!("step {number}");
        desk.charges(&step, &[charge(1, THREE)], second, want)
            .await?;
    }
    Ok(())
}

pub(super) async fn another_key(desk: Desk) -> Outcome {
    for _ in 0..4 {
        let _ = desk.charged(&[charge(1, THREE)], 10_000).await?;
    }
    desk.charges("another key", &[charge(2, THREE)], 10_000, Admitted)
        .await
}

pub(super) async fn ten_a_second(desk: Desk) -> Outcome {
    let rate = Rate::new(20, Duration::from_millis(100));
    for (second, want) in [(0, 20), (1, 10), (2, 10), (3, 10), (10, 20)] {
        let mut admitted = 0;
        for _ in 0..100 {
            let got = desk.charged(&[charge(1, rate)], second).await?;
            admitted += u32::from(got == Admitted);
        }
        same(&format!("second {second}"), &admitted, &want)?;
    }
    Ok(())
}

const ONE: Rate = Rate::new(1, Duration::from_secs(10));
const SLOW: Rate = Rate::new(1, Duration::from_secs(500));

pub(super) async fn all_or_none(desk: Desk) -> Outcome {
    let (a, b, c) = (charge(1, THREE), charge(2, ONE), charge(3, SLOW));
    desk.charges("all have one", &[a, b, c], 0, Admitted)
        .await?;
    for _ in 0..10 {
        let _ = desk.charged(&[a, b, c], 0).await?;
    }
    desk.charges("two were left", &[a], 0, Admitted).await?;
    desk.charges("one was left", &[a], 0, Admitted).await?;
    desk.charges("none was left", &[a], 0, refused(180)).await?;
    let fresh = charge(9, ONE);
    let got = desk.charged(&[fresh, c], 1).await?;
    if !matches!(got, Refused { by: 1, .. }) {
        return Err(Miss::failed("a refusal by 1", format_args!("{got:?}")));
    }
    desk.charges("nothing was taken", &[fresh], 1, Admitted)
        .await
}

pub(super) async fn no_charges(desk: Desk) -> Outcome {
    desk.charges("no charges", &[], 1, Admitted).await
}

/// A mail's: an address by one network, the address, the network, everybody.
pub(super) async fn four_rates(desk: Desk) -> Outcome {
    let rate = |burst, millis| Rate::new(burst, Duration::from_millis(millis));
    let ask = async |what: &str, network: u64, want| {
        let charges = [
            charge(100 + network, rate(3, 180_000)),
            charge(1, rate(10, 120_000)),
            charge(200 + network, rate(60, 5_000)),
            charge(2, rate(300, 100)),
        ];
        let what = format!("{what}, network {network}");
        desk.charges(&what, &charges, 0, want).await
    };
    for network in 0..3 {
        for _ in 0..3 {
            ask("of its share", network, Admitted).await?;
        }
        ask("past its share", network, refused(180)).await?;
    }
    ask("the tenth", 3, Admitted).await?;
    let wait = Duration::from_secs(120);
    for network in [3, 4] {
        ask("past the address's", network, Refused { by: 1, wait }).await?;
    }
    Ok(())
}

pub(super) async fn the_longest_wait(desk: Desk) -> Outcome {
    let charges = [charge(1, THREE), charge(2, ONE), charge(3, SLOW)];
    desk.charges("all have one", &charges, 0, Admitted).await?;
    let wait = Duration::from_secs(500);
    for _ in 0..10 {
        desk.charges("two have none", &charges, 0, Refused { by: 2, wait })
            .await?;
    }
    Ok(())
}

pub(super) async fn after_the_wait(desk: Desk) -> Outcome {
    let charges = [charge(1, THREE), charge(2, ONE), charge(3, SLOW)];
    desk.charges("all have one", &charges, 0, Admitted).await?;
    let got = desk.charged(&charges, 3).await?;
    let Refused { wait, .. } = got else {
        return Err(Miss::failed("a refusal", format_args!("{got:?}")));
    };
    if wait.is_zero() {
        return Err(Miss::failed("a wait", "none"));
    }
    let wait = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    desk.charges("after the wait", &charges, 3 + wait, Admitted)
        .await
}

pub(super) async fn not_forgotten(desk: Desk) -> Outcome {
    for _ in 0..3 {
        desk.charges("of the burst", &[charge(0, THREE)], 0, Admitted)
            .await?;
    }
    for number in 1..=1_000 {
        let _ = desk.charged(&[charge(number, ONE)], 90).await?;
    }
    desk.charges("past the burst", &[charge(0, THREE)], 100, refused(80))
        .await
}

pub(super) async fn of_a_thousand(desk: Desk) -> Outcome {
    let charges = [charge(1, THREE)];
    let charged = (0..1_000).map(|_| async { Ok(desk.next()?.charge(&charges, NOON).await) });
    let charged: Outcome<Vec<_>> = join_all(charged).await.into_iter().collect();
    let admitted = charged?
        .into_iter()
        .filter(|got| matches!(got, Ok(Admitted)));
    same("how many are admitted", &admitted.count(), &3)
}

/// Makes sure that a charge is refused in each of these seconds, whatever the wait is.
async fn is_refused(desk: &Desk, charge: Charge, seconds: &[u64]) -> Outcome {
    for second in seconds {
        let got = desk.charged(&[charge], *second).await?;
        if got == Admitted {
            let found = format_args!("Admitted, second {second}");
            return Err(Miss::failed("a refusal", found));
        }
    }
    Ok(())
}

pub(super) async fn held_up_gives_no_more(desk: Desk) -> Outcome {
    let charge = charge(1, Rate::new(60, Duration::from_secs(5)));
    for _ in 0..60 {
        desk.charges("of the burst", &[charge], 100, Admitted)
            .await?;
    }
    is_refused(&desk, charge, &[91, 100]).await
}

pub(super) async fn set_back_gives_no_more(desk: Desk) -> Outcome {
    for _ in 0..3 {
        desk.charges("of the burst", &[charge(1, THREE)], 1_000, Admitted)
            .await?;
    }
    is_refused(&desk, charge(1, THREE), &[999, 500, 0]).await
}

pub(super) async fn set_back_is_no_longer_wait(desk: Desk) -> Outcome {
    let late = Timestamp::from_secs(u64::MAX);
    for now in [late, after(1_000_000), NOON, Timestamp::from_secs(0)] {
        let _ = desk.charged_at(&[charge(1, THREE)], now).await?;
        let got = desk.charged_at(&[charge(1, THREE)], now).await?;
        if let Refused { wait, .. } = got
            && wait > THREE.refill()
        {
            let found = format_args!("{wait:?} at {now:?}");
            return Err(Miss::failed("a refill's wait at most", found));
        }
    }
    desk.charges("after a refill", &[charge(1, THREE)], 540, Admitted)
        .await
}

pub(super) async fn no_harm(desk: Desk) -> Outcome {
    let rates = [
        Rate::new(0, Duration::ZERO),
        Rate::new(u32::MAX, Duration::MAX),
        Rate::new(0, Duration::MAX),
        Rate::new(u32::MAX, Duration::ZERO),
    ];
    for (number, rate) in (0..).zip(rates) {
        for (moment, now) in (0..).zip([0, NOON.as_secs(), u64::MAX]) {
            let charge = charge(number * 10 + moment, rate);
            let got = desk.charged_at(&[charge], Timestamp::from_secs(now)).await;
            same(&format!("{rate:?} at {now}"), &got?, &Admitted)?;
        }
    }
    Ok(())
}

pub(super) async fn within_two_seconds(desk: Desk) -> Outcome {
    let limit = Duration::from_secs(2);
    let all = async {
        let _ = desk.charged(&[charge(1, THREE)], 0).await?;
        let _ = desk.charged(&[charge(1, THREE)], 0).await?;
        Ok(())
    };
    let late = |_| Miss::failed("two answers in two seconds", "fewer");
    tokio::time::timeout(limit, all).await.map_err(late)??;
    let all = async {
        let _ = desk.taken(2, 5, 600, 0).await?;
        desk.give_back(2, 0).await
    };
    tokio::time::timeout(limit, all).await.map_err(late)?
}
