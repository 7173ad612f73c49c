//! `Charges`: what an action costs, by one way or another, and `Spent`, what was paid.
//!
//! - Each way is one decision of the throttle: all its charges are admitted, or none is recorded.
//! - The next way is asked only if what is for everybody, or a known browser's own limit, was full.
//!   A narrow limit that is full is full on every way.
//! - The keys of a quiet network are made only once its way is asked: they are HMACs, and nearly
//!   every action is paid by a way before it.
//! - All ways together have two seconds. Usually the first admits, in one round trip.

use std::{mem, pin::pin, time::Duration};

use super::{
    ask::{bounded, throttle_failed},
    quiet::Quiet,
    way::{AfterFailure, Item, Way},
};
use crate::{
    clock::Timestamp,
    email::Email,
    event::{Context, Event, LimitScope},
    flow::Flow,
    rejection::{Rejection, RejectionKind},
    store::StoreError,
    throttle::Charged,
};

/// What an action costs: the ways to pay for it, in the order in which they are tried. Nothing if
/// there is none.
#[derive(Default)]
pub(in crate::flow) struct Charges {
    /// A way that has nothing of the others.
    first: Option<Way>,
    /// What each of the others costs.
    besides: Way,
    /// How each of the others goes on. If there is none, `besides` is the only one.
    shares: [Option<Share>; 3],
}

/// What a way is charged to of what is for everybody.
pub(super) enum Share {
    Anybody(Item),
    Known(Box<[Item; 3]>),
    Quiet(Quiet),
}

/// What was paid for an action, and when.
pub(in crate::flow) struct Spent {
    paid: Way,
    at: Timestamp,
}

/// The limit that was reached, and how long its wait is.
struct Full {
    scope: LimitScope,
    wait: Duration,
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            paid: Way::new(),
            at: Timestamp::from_secs(0),
        }
    }
}

impl From<Way> for Charges {
    /// Makes the charges of one way alone.
    fn from(besides: Way) -> Self {
        Self {
            besides,
            ..Self::default()
        }
    }
}

impl Charges {
    /// Makes the charges of an action that costs something besides what is for everybody.
    pub(super) const fn shared(besides: Way, shares: [Option<Share>; 3]) -> Self {
        Self {
            first: None,
            besides,
            shares,
        }
    }

    /// Puts a way before all others, if there is one.
    pub(super) fn behind(self, first: Option<Box<[Item; 3]>>) -> Self {
        Self {
            first: first.map(|items| Way::from(*items)),
            ..self
        }
    }

    /// Pays by the first way that is open.
    async fn decide(
        &mut self,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<Result<Spent, Full>, StoreError> {
        let mut full: Option<Full> = None;
        if let Some(way) = self.first.take() {
            match pay(flow, way, now).await? {
                Ok(spent) => return Ok(Ok(spent)),
                Err((_, next)) if next.is_last() => return Ok(Err(next)),
                Err((_, next)) => full = Some(next),
            }
        }
        let mut way = mem::take(&mut self.besides);
        let besides = way.len();
        if !self.charge_share(flow, &mut way) && way.is_empty() {
            return Ok(full.map_or_else(|| Ok(Spent::default()), Err));
        }
        loop {
            let next = match pay(flow, way, now).await? {
                Ok(spent) => return Ok(Ok(spent)),
                Err((refused, next)) => {
                    way = refused;
                    next
                }
            };
            let is_last = next.is_last();
            // The shortest: after it, one of the ways is open.
            let shortest = match full {
                Some(full) if full.wait <= next.wait => full,
                Some(_) | None => next,
            };
            way.truncate(besides);
            if is_last || !self.charge_share(flow, &mut way) {
                return Ok(Err(shortest));
            }
            full = Some(shortest);
        }
    }

    /// Charges the next share too, and says whether there is one.
    fn charge_share(&mut self, flow: &Flow, way: &mut Way) -> bool {
        let Some(share) = self.shares.iter_mut().find_map(Option::take) else {
            return false;
        };
        match share {
            Share::Anybody(item) => way.push(item),
            Share::Known(items) => way.extend(*items),
            Share::Quiet(quiet) => quiet.charge_to(flow, way),
        }
        true
    }
}

/// Charges all of one way, or nothing: then it returns the way again, and the limit that is full.
async fn pay(
    flow: &Flow,
    way: Way,
    now: Timestamp,
) -> Result<Result<Spent, (Way, Full)>, StoreError> {
    let plain: Vec<_> = way.iter().map(|item| item.charge).collect();
    Ok(match flow.throttling.throttle.charge(&plain, now).await? {
        Charged::Admitted => Ok(Spent { paid: way, at: now }),
        Charged::Refused { by, wait } => {
            let scope = way.get(by).map_or(LimitScope::Everybody, |item| item.scope);
            Err((way, Full { scope, wait }))
        }
    })
}

impl Full {
    /// Says whether no other way can be open.
    const fn is_last(&self) -> bool {
        !matches!(self.scope, LimitScope::Browser | LimitScope::Everybody)
    }
}

/// Charges all of one way, or nothing. Over the limits it refuses, and reports it as an event.
///
/// It takes the charges by reference: in a future, charges by value would have room in each
/// function that they pass.
pub(in crate::flow) async fn charge(
    flow: &Flow,
    charges: &mut Charges,
    email: Option<&Email>,
    context: Context<'_>,
    now: Timestamp,
) -> Result<Spent, Rejection> {
    let decided = bounded("throttle.charge", pin!(charges.decide(flow, now))).await;
    let full = match decided {
        Ok(Ok(spent)) => return Ok(spent),
        Ok(Err(full)) => full,
        Err(error) => {
            // A rate guards against floods alone: an outage must not stop every sign-in.
            throttle_failed(flow, &error);
            return Ok(Spent::default());
        }
    };
    let scope = full.scope;
    let listener = &flow.shared.listener;
    let hint = flow.throttling.hint.get().map(String::as_str);
    listener.tell_in(context, &Event::Throttled { scope, email, hint });
    // Whole seconds, so that the page and `Retry-After` agree.
    let wait = full.wait.as_secs();
    let wait = wait.saturating_add(u64::from(full.wait.subsec_nanos() > 0));
    let wait = Duration::from_secs(wait.max(1));
    Err(Rejection::new(RejectionKind::RateLimited).with_retry_after(Some(wait)))
}

impl Spent {
    /// Gives back what is given back after a failure: nothing came of the action, and its caller
    /// could not help it.
    ///
    /// What has refilled since is not given back too. It would be there twice.
    pub(in crate::flow) async fn give_back(self, flow: &Flow) {
        let now = flow.shared.clock.now();
        let since = self.at.until(now);
        let paid = self.paid.into_iter().filter(|item| {
            item.after == AfterFailure::GivenBack && since < item.charge.rate().period()
        });
        let paid: Vec<_> = paid.map(|item| item.charge).collect();
        if paid.is_empty() {
            return;
        }
        let throttle = &flow.throttling.throttle;
        if let Err(error) = bounded("throttle.give_back", throttle.give_back(&paid, now)).await {
            throttle_failed(flow, &error);
        }
    }
}
