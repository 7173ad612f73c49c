//! What every [`Throttle`] does.
//!
//! [`run`] is for a throttle of one process, [`run_shared`] for one whose counts several machines
//! share: there the calls of each case alternate between two replicas.
//!
//! | obligation of the port | cases |
//! | --- | --- |
//! | a rate admits its burst, and then one each period | `a rate admits its burst and then one each period`, `another key has a burst of its own`, `ten a second are ten each second` |
//! | all charges are admitted, or none is recorded | `where one rate refuses nothing is taken from the others`, `no charges at all are admitted`, `four rates are one decision` |
//! | a refusal names the longest wait, counted from 0, and more than nothing | `the longest wait is named`, `after the wait that is named all are admitted` |
//! | it must not forget a key before it is fully refilled, or its tries have ended | `a key that is not refilled is not forgotten among others`, `tries that have not ended are not forgotten among others` |
//! | a decision is atomic | `of a thousand that come together exactly the burst is admitted`, `of a thousand guesses that come together exactly the tries are taken` |
//! | `now` may be some seconds older than that of an earlier call | `a charge that was held up gives nobody more` |
//! | it may use its own clock, and must not let time go back | `a clock that is set back gives nobody more`, `a clock that is set back keeps nobody waiting for longer than a refill` |
//! | `give_back` gives one back to each rate, and never more than its burst | `what is given back can be charged again`, `no more is given back than was taken` |
//! | any `Rate` can be given | `a rate that no layer takes does no harm` |
//! | so many tries until a moment | `tries are counted down to none`, `tries do not refill before their moment`, `another key has tries of its own`, `of no tries none can be taken` |
//! | a key whose moment has come has no try | `a key whose moment has come has no try` |
//! | a key that is given two moments has the later | `a sooner moment does not let tries begin afresh`, `a later moment keeps the tries that were taken` |
//! | `give_try_back` gives one back, and does nothing where none is taken | `a try that is given back can be taken again`, `no try is given back that was not taken` |
//! | an answer takes two seconds at most | `an answer comes within two seconds` |
//!
//! A throttle that goes by the clock of a server, as `RedisThrottle` does, needs a server whose
//! clock each call sets to the `now` that it is given.
//!
//! The suite does not check that memory is bounded, nor what the throttle reports through
//! `tell_to`.
//!
//! ```
//! use tower_magic_link::{
//!     clock::Timestamp, store::StoreError, testing::suite,
//!     throttle::{Charge, Charged, MemoryThrottle, Take, Throttle, ThrottleKey},
//! };
//!
//! /// The throttle of the port's page.
//! #[derive(Default)]
//! struct Loud(MemoryThrottle);
//!
//! impl Throttle for Loud {
//!     async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
//!         let charged = self.0.charge(charges, now).await?;
//!         if let Charged::Refused { by, wait } = charged {
//!             println!("{:?} is full for {wait:?}", charges[by].rate());
//!         }
//!         Ok(charged)
//!     }
//!
//!     async fn give_back(&self, charges: &[Charge], now: Timestamp) -> Result<(), StoreError> {
//!         self.0.give_back(charges, now).await
//!     }
//!
//!     async fn take_try(&self, key: ThrottleKey, most: u32, until: Timestamp, now: Timestamp) -> Result<Take, StoreError> {
//!         self.0.take_try(key, most, until, now).await
//!     }
//!
//!     async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
//!         self.0.give_try_back(key, now).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! suite::throttle::run(async |_world| Loud::default()).await.assert();
//! # }
//! ```

use super::{Report, Suite, World};
use crate::throttle::Throttle;

mod desk;
mod given;
mod rates;
mod tries;

/// Runs the suite for a throttle of one process. `make` makes one that has counted nothing, for
/// each case.
pub async fn run<T: Throttle>(make: impl AsyncFn(World) -> T) -> Report {
    let make = async |world: World| vec![make(world).await];
    let mut suite = Suite::of("throttle", make);
    all(&mut suite).await;
    suite.report
}

/// Runs the suite for a throttle that several machines share. `make` opens the same counts for the
/// same [`World::name`], as another replica would, and empty ones for another name.
pub async fn run_shared<T: Throttle>(make: impl AsyncFn(World) -> T) -> Report {
    let make = async |world: World| vec![make(world.clone()).await, make(world).await];
    let mut suite = Suite::of("throttle", make);
    all(&mut suite).await;
    suite.report
}

async fn all<T: Throttle>(suite: &mut Suite<impl AsyncFn(World) -> Vec<T>>) {
    let name = "a rate admits its burst and then one each period";
    suite
        .case(name, rates::burst_and_then_one_each_period)
        .await;
    let name = "another key has a burst of its own";
    suite.case(name, rates::another_key).await;
    let name = "ten a second are ten each second";
    suite.case(name, rates::ten_a_second).await;
    let name = "where one rate refuses nothing is taken from the others";
    suite.case(name, rates::all_or_none).await;
    let name = "no charges at all are admitted";
    suite.case(name, rates::no_charges).await;
    let name = "four rates are one decision";
    suite.case(name, rates::four_rates).await;
    let name = "the longest wait is named";
    suite.case(name, rates::the_longest_wait).await;
    let name = "after the wait that is named all are admitted";
    suite.case(name, rates::after_the_wait).await;
    let name = "a key that is not refilled is not forgotten among others";
    suite.case(name, rates::not_forgotten).await;
    let name = "of a thousand that come together exactly the burst is admitted";
    suite.case(name, rates::of_a_thousand).await;
    let name = "a charge that was held up gives nobody more";
    suite.case(name, rates::held_up_gives_no_more).await;
    let name = "a clock that is set back gives nobody more";
    suite.case(name, rates::set_back_gives_no_more).await;
    let name = "a clock that is set back keeps nobody waiting for longer than a refill";
    suite.case(name, rates::set_back_is_no_longer_wait).await;
    let name = "what is given back can be charged again";
    suite.case(name, given::can_be_charged_again).await;
    let name = "no more is given back than was taken";
    suite.case(name, given::no_more_than_was_taken).await;
    let name = "a rate that no layer takes does no harm";
    suite.case(name, rates::no_harm).await;
    let name = "an answer comes within two seconds";
    suite.case(name, rates::within_two_seconds).await;

    let name = "tries are counted down to none";
    suite.case(name, tries::down_to_none).await;
    let name = "tries do not refill before their moment";
    suite.case(name, tries::no_refill).await;
    let name = "another key has tries of its own";
    suite.case(name, tries::another_key).await;
    let name = "of no tries none can be taken";
    suite.case(name, tries::of_none).await;
    let name = "a key whose moment has come has no try";
    suite.case(name, tries::the_moment_has_come).await;
    let name = "a sooner moment does not let tries begin afresh";
    suite.case(name, tries::a_sooner_moment).await;
    let name = "a later moment keeps the tries that were taken";
    suite.case(name, tries::a_later_moment).await;
    let name = "a try that is given back can be taken again";
    suite.case(name, tries::given_back).await;
    let name = "no try is given back that was not taken";
    suite.case(name, tries::not_given_back_twice).await;
    let name = "tries that have not ended are not forgotten among others";
    suite.case(name, tries::not_forgotten).await;
    let name = "of a thousand guesses that come together exactly the tries are taken";
    suite.case(name, tries::of_a_thousand).await;
}
