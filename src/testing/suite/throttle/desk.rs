//! `Desk`: a case's throttle, at each of its replicas in turn.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Timestamp,
    testing::suite::{
        World, after,
        report::{Miss, Outcome, same},
    },
    throttle::{Charge, Charged, ErasedThrottle, Rate, Take, Throttle, ThrottleKey},
};

pub(super) const THREE: Rate = Rate::new(3, Duration::from_secs(180));

pub(super) struct Desk {
    world: World,
    replicas: Vec<Arc<dyn ErasedThrottle>>,
    calls: AtomicUsize,
}

pub(super) fn key(number: u64) -> ThrottleKey {
    let number = u128::from(number) << 64 | 0x0707_0707_0707_0707;
    ThrottleKey::from_bytes(number.to_be_bytes())
}

pub(super) fn charge(number: u64, rate: Rate) -> Charge {
    Charge::new(key(number), rate)
}

pub(super) const fn refused(seconds: u64) -> Charged {
    let wait = Duration::from_secs(seconds);
    Charged::Refused { by: 0, wait }
}

impl<T: Throttle> From<(World, Vec<T>)> for Desk {
    fn from((world, replicas): (World, Vec<T>)) -> Self {
        let erased = |throttle: T| -> Arc<dyn ErasedThrottle> { Arc::new(throttle) };
        Self {
            world,
            replicas: replicas.into_iter().map(erased).collect(),
            calls: AtomicUsize::new(0),
        }
    }
}

impl Desk {
    /// Returns one replica after the other.
    pub(super) fn next(&self) -> Outcome<&dyn ErasedThrottle> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        // In turn, so that a count that one replica keeps to itself is half too small.
        let replica = self.replicas.iter().cycle().nth(call % 2);
        let replica = replica.ok_or(Miss::Skipped("there is no throttle"))?;
        Ok(&**replica)
    }

    /// Charges at a moment, which is also what the clock says.
    pub(super) async fn charged_at(&self, charges: &[Charge], now: Timestamp) -> Outcome<Charged> {
        self.world.set(now);
        let charged = self.next()?.charge(charges, now).await;
        charged.map_err(|error| Miss::failed("a throttle that can tell", error))
    }

    pub(super) async fn charged(&self, charges: &[Charge], second: u64) -> Outcome<Charged> {
        self.charged_at(charges, after(second)).await
    }

    /// Charges some seconds after noon, and makes sure what comes of it.
    pub(super) async fn charges(
        &self,
        what: &str,
        charges: &[Charge],
        second: u64,
        want: Charged,
    ) -> Outcome {
        let got = self.charged(charges, second).await?;
        same(&format!("{what}, second {second}"), &got, &want)
    }

    /// Takes one of so many tries until some second.
    pub(super) async fn taken(
        &self,
        number: u64,
        most: u32,
        until: u64,
        second: u64,
    ) -> Outcome<Take> {
        let now = after(second);
        self.world.set(now);
        let taken = self.next()?.take_try(key(number), most, after(until), now);
        let taken = taken.await;
        taken.map_err(|error| Miss::failed("a throttle that can tell", error))
    }

    /// Takes one of five tries until the second 600, and makes sure what comes of it.
    pub(super) async fn takes(&self, what: &str, number: u64, second: u64, want: Take) -> Outcome {
        let got = self.taken(number, 5, 600, second).await?;
        same(&format!("{what}, second {second}"), &got, &want)
    }

    /// Gives one back to each rate.
    pub(super) async fn give_rates_back(&self, charges: &[Charge], second: u64) -> Outcome {
        let now = after(second);
        self.world.set(now);
        let given = self.next()?.give_back(charges, now).await;
        given.map_err(|error| Miss::failed("charges that are given back", error))
    }

    pub(super) async fn give_back(&self, number: u64, second: u64) -> Outcome {
        let now = after(second);
        self.world.set(now);
        let given = self.next()?.give_try_back(key(number), now).await;
        given.map_err(|error| Miss::failed("a try that is given back", error))
    }
}
