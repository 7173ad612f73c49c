//! What becomes of a charge that is given back.

use super::desk::{Desk, THREE, charge, refused};
use crate::{
    testing::suite::report::Outcome,
    throttle::Charged::{Admitted, Refused},
};

pub(super) async fn can_be_charged_again(desk: Desk) -> Outcome {
    let (one, other) = (charge(1, THREE), charge(2, THREE));
    let charges = [one, other];
    for _ in 0..3 {
        desk.charges("of the burst", &charges, 0, Admitted).await?;
    }
    desk.give_rates_back(&charges, 60).await?;
    desk.charges("what came back", &charges, 60, Admitted)
        .await?;
    desk.charges("past the burst", &charges, 60, refused(120))
        .await?;
    // Both were given back, not the first alone.
    desk.give_rates_back(&[one], 60).await?;
    let wait = std::time::Duration::from_secs(120);
    desk.charges("one came back", &charges, 60, Refused { by: 1, wait })
        .await
}

pub(super) async fn no_more_than_was_taken(desk: Desk) -> Outcome {
    let charges = [charge(1, THREE)];
    for second in [0, 1_000] {
        for _ in 0..5 {
            desk.give_rates_back(&charges, second).await?;
        }
        for _ in 0..3 {
            desk.charges("of the burst", &charges, second, Admitted)
                .await?;
        }
        desk.charges("past the burst", &charges, second, refused(180))
            .await?;
        for _ in 0..5 {
            desk.give_rates_back(&charges, second).await?;
        }
        for _ in 0..3 {
            desk.charges("all came back", &charges, second, Admitted)
                .await?;
        }
        desk.charges("and no more", &charges, second, refused(180))
            .await?;
    }
    Ok(())
}
