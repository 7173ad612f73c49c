//! The limits that a step must pass before it goes on, and that no stranger can turn against
//! others.
//!
//! - A mail is charged before the layer looks anything up about its address, so that the answer is
//!   the same for every address.
//! - The exchange of a link's code is charged once, however many callers share it, and before the
//!   provider is called.
//! - A try is taken before the guess is compared, and given back if it was right.
//! - If the throttle fails, rates pass and tries are refused.
//!
//! # Design
//!
//! *One decision.* Whatever an action costs is one call of the port: all its charges are admitted,
//! or none is recorded. So a network that its narrow limit refuses takes nothing from the wider
//! ones, nor from everybody. Usually that is one round trip. A typed code alone takes two such
//! calls, because only what is compared counts for its address: its entry (`limit_code_entry`), and
//! after its try its address (`limit_guess`). If the second refuses, the first stays charged: given
//! back, it would let anybody ask without end. The wait that the page names is that of the second.
//!
//! *Networks* (`networks`). A client is charged at /64, /56 and /48, or at /32 and /24 of IPv4,
//! with rising limits. With /64 alone, whoever holds a /48 is 65,536 clients. For one address only
//! the burst rises: of a /56 that asks without end, a third of the address's refill is left.
//!
//! *Paid by its mail.* A link that comes back in the browser that began is charged to its attempt
//! and networks. Everybody's count would let the links of a few keep all others from finishing,
//! and there are no more such links than mails.
//!
//! *Shares* (`shares`, `everybody`). What all clients have together is divided, and an action pays
//! by the first way that is open (`charges`):
//!
//! ```text
//! known browser, own person   its own count, its person's, the share of known browsers
//! anybody                     address, networks, the share of anybody
//! quiet network               address, networks, one an hour, the share of quiet networks
//! ```
//!
//! A flood from a few networks empties the second line. Its networks then take one each from the
//! third, and a person's network finds it filled. To keep it empty, a flood needs as many networks
//! as it refills within the hour; the docs of `Limits` say how many. A refused request is free, so
//! trying each way costs an attacker and a person the same.
//!
//! The lines are those of a mail. A code and an exchange are charged to the address or the attempt
//! and the networks on each way, and try the share of anybody before that of known browsers.
//!
//! *Known browsers* (`known`). The first line has no count that a stranger can fill: no network,
//! and none of the address's own. That keeps one person's mail reachable, however many networks ask
//! for it. The cookie is bound to its person's mailbox, so that a stolen or bought one mails nobody
//! else, and each is counted by its random id and with all others of that person.
//!
//! *Given back* (`charges`, `failure`). What failed at the provider or the mailer is given back,
//! once: `Spent` is moved into the giving. A charge that has refilled meanwhile is not, because it
//! would be there twice. What guards the provider stays charged.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::{
    Flow, attempt::Attempt, browser, known::KnownBrowser, mailbox::mailbox_of, step::Step,
};
use crate::{
    clock::Timestamp,
    email::Email,
    event::LimitScope,
    rejection::{Rejection, RejectionKind},
    store::StoreError,
    throttle::{Rate, Take, ThrottleKey},
};

mod ask;
mod charges;
mod early;
mod everybody;
mod networks;
mod quiet;
mod shares;
mod way;

pub(super) use self::{
    ask::within,
    charges::{Charges, Spent, charge},
    early::Early,
};
use self::{
    ask::{bounded, key_of, key_of_secret, throttle_failed},
    networks::Network,
    way::{
        AfterFailure::{self, GivenBack, Kept},
        Item, Way,
    },
};

/// How often an attempt may have the provider called, also while the provider fails. No setting: a
/// person does not reload more often.
const CALLS: Rate = Rate::new(10, Duration::from_secs(10));

/// As many charges as a way may have: room for them is made once.
const MOST_ITEMS: usize = 11;

/// A try that was taken. If it is dropped, it stays taken. It is owned, because the work that it is
/// for may outlive the request.
#[must_use = "a try that was right is given back"]
pub(super) struct Try {
    flow: Arc<Flow>,
    key: ThrottleKey,
    now: Timestamp,
}

impl Try {
    /// Gives the try back: the guess was right, or nothing was guessed.
    pub(super) async fn give_back(self) {
        give_back_to(&self.flow, self.key, self.now).await;
    }
}

/// Charges a mail: first to the known browser of its address, then to its address, to the client's
/// networks, and to what is for everybody.
pub(super) async fn limit_mail(step: &Step, email: &Email) -> Result<Spent, Rejection> {
    let Some(limits) = &step.flow.throttling.limits else {
        return Ok(Spent::default());
    };
    let (flow, client) = (&*step.flow, step.client());
    // Only here: every sign-in begins with this form.
    if client.is_none() {
        let public_url = flow.shared.gate.public_url.origin();
        flow.throttling.warn_of_unknown_client(public_url);
    }
    step.warn_of_unnamed_proxy();
    let known = KnownBrowser::of(step, email);
    let first = everybody::known_mail(flow, limits, known.as_ref());
    let mailbox = mailbox_of(email);
    let mut way = Way::with_capacity(MOST_ITEMS);
    let label = "throttle: mail, address and network";
    let rate = limits.mails_per_address_and_network;
    charge_pairs(flow, client, label, &mailbox, rate, &mut way);
    let address = key_of(flow, "throttle: mail, address", mailbox.as_bytes());
    let rate = limits.mails_per_address;
    way.push(Item::new(LimitScope::Address, address, rate, GivenBack));
    let (label, rate) = ("throttle: mail, network", limits.mails_per_network);
    charge_networks(flow, client, label, (rate, GivenBack), &mut way);
    // The known browser's own way stands before.
    let ways = everybody::MAIL.ways(flow, client, way, limits.mails, None);
    let mut ways = ways.behind(first);
    charge(flow, &mut ways, Some(email), step.context(), step.now).await
}

/// Charges the entry of a code to the client's networks, and to what is for everybody.
///
/// A guess is also charged to its address together with those networks.
///
/// Only a text that could be right is a guess, so a scanner that presses buttons uses up no
/// person's guesses.
pub(super) async fn limit_code_entry(
    step: &Step,
    guessed: Option<&Email>,
) -> Result<Spent, Rejection> {
    let Some(limits) = &step.flow.throttling.limits else {
        return Ok(Spent::default());
    };
    let (flow, client) = (&*step.flow, step.client());
    let mut way = Way::with_capacity(MOST_ITEMS);
    if let Some(email) = guessed {
        let label = "throttle: code, address and network";
        let rate = limits.codes_per_address_and_network;
        charge_pairs(flow, client, label, &mailbox_of(email), rate, &mut way);
    }
    let (label, rate) = ("throttle: code, network", limits.codes_per_network);
    charge_networks(flow, client, label, (rate, Kept), &mut way);
    let known = guessed.and_then(|email| KnownBrowser::of(step, email));
    let mut ways = everybody::CODE.ways(flow, client, way, limits.codes, known.as_ref());
    charge(flow, &mut ways, guessed, step.context(), step.now).await
}

/// Charges a guess that is about to be compared to its address, over all networks.
pub(super) async fn limit_guess(
    step: &Step,
    email: &Email,
    rate: Rate,
) -> Result<Spent, Rejection> {
    let of = mailbox_of(email);
    let address = key_of(&step.flow, "throttle: code, address", of.as_bytes());
    let mut way = vec![Item::new(LimitScope::Address, address, rate, GivenBack)].into();
    let context = step.context();
    charge(&step.flow, &mut way, Some(email), context, step.now).await
}

/// Returns the charges of an exchange: to its attempt and the client's networks.
///
/// In the browser that began, it was paid for by its mail: nobody else's exchanges may keep it from
/// finishing. In another browser it is charged to what is for everybody too.
pub(super) fn charges_of_exchange(step: &Step, attempt: &Attempt) -> Charges {
    let Some(limits) = &step.flow.throttling.limits else {
        return Charges::default();
    };
    let (flow, client, name) = (&*step.flow, step.client(), attempt.name());
    let of = key_of_secret("throttle: exchange, attempt", &name);
    let calls = key_of_secret("throttle: exchange, calls of an attempt", &name);
    let rate = limits.exchanges_per_attempt;
    let mut way = Way::with_capacity(MOST_ITEMS);
    way.push(Item::new(LimitScope::Attempt, of, rate, GivenBack));
    way.push(Item::new(LimitScope::Attempt, calls, CALLS, Kept));
    let (label, rate) = ("throttle: exchange, network", limits.exchanges_per_network);
    charge_networks(flow, client, label, (rate, Kept), &mut way);
    if browser::is_ours(step, attempt) {
        return way.into();
    }
    let known = KnownBrowser::of(step, &attempt.email);
    everybody::EXCHANGE.ways(flow, client, way, limits.exchanges, known.as_ref())
}

/// Returns the charge of a further call of the provider for a proof that it has redeemed. Whoever
/// has the proof may bring it again for a minute, and no other charge is due then.
pub(super) fn charges_of_further_call(flow: &Flow, proof: &[u8]) -> Charges {
    if flow.throttling.limits.is_none() {
        return Charges::default();
    }
    let calls = key_of_secret("throttle: exchange, further calls of a proof", proof);
    vec![Item::new(LimitScope::Attempt, calls, CALLS, Kept)].into()
}

/// Takes one of the `most` tries that `of` has until a given time. Call it before comparing.
///
/// `of` names the link or the mailed code that is guessed at, and is secret.
pub(super) async fn take_try(
    flow: &Arc<Flow>,
    of: &[u8],
    most: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<Try, Rejection> {
    let key = key_of_secret("throttle: try", of);
    match take_from(flow, key, most, until, now).await {
        Ok(true) => {
            let flow = flow.clone();
            Ok(Try { flow, key, now })
        }
        Ok(false) => Err(Rejection::new(RejectionKind::TooManyTries)),
        // Without the count, a guesser would have any number of tries.
        Err(_) => Err(Rejection::new(RejectionKind::StoreUnavailable)),
    }
}

/// Takes a try from the throttle, and says whether one was left. A failure is reported.
pub(super) async fn take_from(
    flow: &Flow,
    key: ThrottleKey,
    most: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let throttle = &flow.throttling.throttle;
    let taken = bounded(
        "throttle.take_try",
        throttle.take_try(key, most, until, now),
    )
    .await;
    if let Err(error) = &taken {
        throttle_failed(flow, error);
    }
    taken.map(|taken| matches!(taken, Take::Taken { .. }))
}

/// Gives a try back to the throttle. If that fails, it stays taken.
pub(super) async fn give_back_to(flow: &Flow, key: ThrottleKey, now: Timestamp) {
    let throttle = &flow.throttling.throttle;
    if let Err(error) = bounded("throttle.give_try_back", throttle.give_try_back(key, now)).await {
        throttle_failed(flow, &error);
    }
}

/// Charges the client's networks, if the client is known. A shared count for all unknown clients
/// would let each lock the others out.
fn charge_networks(
    flow: &Flow,
    client: Option<IpAddr>,
    label: &'static str,
    (rate, after): (Rate, AfterFailure),
    way: &mut Way,
) {
    let networks = client.into_iter().flat_map(Network::of);
    way.extend(networks.map(|network| {
        let key = key_of(flow, label, network.name());
        Item::new(LimitScope::Network, key, network.rate(rate), after)
    }));
}

/// Charges an address together with each of the client's networks. All unknown clients share one.
///
/// The narrow limit of an address counts by these. Under a count by address alone, a stranger with
/// endless requests would take every refill, and the owner would get none.
fn charge_pairs(
    flow: &Flow,
    client: Option<IpAddr>,
    label: &'static str,
    mailbox: &str,
    rate: Rate,
    way: &mut Way,
) {
    let pair = |network: &[u8], rate: Rate| {
        // No address contains a NUL, so the network cannot be mistaken for a part of the address.
        let name = [mailbox.as_bytes(), &[0], network];
        let keys = flow.shared.gate.tokens.keys();
        let key = ThrottleKey::from_bytes(keys.pseudonym_of(label, &name));
        Item::new(LimitScope::Address, key, rate, GivenBack)
    };
    let Some(client) = client else {
        way.push(pair(&[], rate));
        return;
    };
    way.extend(
        Network::of(client).map(|network| pair(network.name(), network.rate_for_address(rate))),
    );
}

#[cfg(test)]
mod tests;
