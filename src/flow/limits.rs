//! The limits that a step must pass before it goes on.
//!
//! - A mail is charged before the layer looks anything up about its address, so that the answer is
//!   the same for every address.
//! - The exchange of a link's code is charged once, however many callers share it, and before the
//!   provider is called.
//! - A try is taken before the guess is compared, and given back if it was right.
//! - If the throttle fails, rates pass and tries are refused.

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{Flow, attempt::Attempt, step::Step};
use crate::{
    clock::Timestamp,
    email::Email,
    event::{Event, LimitScope},
    rejection::{Rejection, RejectionKind},
    store::{StoreError, StoreErrorKind},
    throttle::{Charge, Charged, Rate, Take, ThrottleKey},
};

/// How long the throttle may take, while a person waits.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The charges of one action, with the scope of each.
pub(super) type Charges = Vec<(LimitScope, Charge)>;

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
        let throttle = &self.flow.throttling.throttle;
        let given = bounded(throttle.give_try_back(self.key, self.now)).await;
        if let Err(error) = given {
            throttle_failed(&self.flow, &error);
        }
    }
}

/// Charges a mail to its address, to the client's network, and to the global count.
///
/// The narrowest limit is that of address and network together.
pub(super) async fn limit_mail(step: &Step, email: &Email) -> Result<(), Rejection> {
    let Some(limits) = &step.flow.throttling.limits else {
        return Ok(());
    };
    // Only here: every sign-in begins with this form.
    if step.client().is_none() {
        let public_url = step.flow.shared.gate.public_url.origin();
        let throttling = &step.flow.throttling;
        throttling.warn_of_unknown_client(public_url);
    }
    step.warn_of_unnamed_proxy();
    let pair = key(
        step,
        "throttle: mail, address and network",
        &pair_of(step, email),
    );
    let address = key(
        step,
        "throttle: mail, address",
        mailbox_of(email).as_bytes(),
    );
    let mut charges: Vec<_> = [
        Charge::new(pair, limits.mails_per_address_and_network),
        Charge::new(address, limits.mails_per_address),
    ]
    .map(|charge| (LimitScope::Address, charge))
    .into();
    charges.extend(network(
        step,
        "throttle: mail, network",
        limits.mails_per_network,
    ));
    let everybody = key(step, "throttle: mail, everybody", b"");
    charges.push((LimitScope::Everybody, Charge::new(everybody, limits.mails)));
    charge(&step.flow, &charges, Some(email), step.now).await
}

/// Charges the entry of a code to the client's network and to the global count.
///
/// A guess is also charged to its address together with that network.
///
/// Only a text that could be right is a guess, so a scanner that presses buttons uses up no
/// person's guesses.
pub(super) async fn limit_code_entry(
    step: &Step,
    guessed: Option<&Email>,
) -> Result<(), Rejection> {
    let Some(limits) = &step.flow.throttling.limits else {
        return Ok(());
    };
    let mut charges = Charges::new();
    if let Some(email) = guessed {
        let pair = key(
            step,
            "throttle: code, address and network",
            &pair_of(step, email),
        );
        let pair = Charge::new(pair, limits.codes_per_address_and_network);
        charges.push((LimitScope::Address, pair));
    }
    charges.extend(network(
        step,
        "throttle: code, network",
        limits.codes_per_network,
    ));
    let everybody = key(step, "throttle: code, everybody", b"");
    charges.push((LimitScope::Everybody, Charge::new(everybody, limits.codes)));
    charge(&step.flow, &charges, guessed, step.now).await
}

/// Returns the charges of an exchange: to its attempt, the client's network, and the global count.
pub(super) fn charges_of_exchange(step: &Step, attempt: &Attempt) -> Charges {
    let Some(limits) = &step.flow.throttling.limits else {
        return Charges::new();
    };
    let of = key(step, "throttle: exchange, attempt", &attempt.name());
    let mut charges = vec![(
        LimitScope::Attempt,
        Charge::new(of, limits.exchanges_per_attempt),
    )];
    charges.extend(network(
        step,
        "throttle: exchange, network",
        limits.exchanges_per_network,
    ));
    let everybody = key(step, "throttle: exchange, everybody", b"");
    let everybody = Charge::new(everybody, limits.exchanges);
    charges.push((LimitScope::Everybody, everybody));
    charges
}

/// Takes one of the `most` tries that `of` has until a given time. Call it before comparing.
///
/// `of` names the link or the mailed code that is guessed at.
pub(super) async fn take_try(
    step: &Step,
    of: &[u8],
    most: u32,
    until: Timestamp,
) -> Result<Try, Rejection> {
    take_try_at(&step.flow, of, most, until, step.now).await
}

/// Takes a try as [`take_try`] does, for work that is not bound to a request.
pub(super) async fn take_try_at(
    flow: &Arc<Flow>,
    of: &[u8],
    most: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<Try, Rejection> {
    let key = key_of(flow, "throttle: try", of);
    let throttle = &flow.throttling.throttle;
    match bounded(throttle.take_try(key, most, until, now)).await {
        Ok(Take::Taken { .. }) => {
            let flow = flow.clone();
            Ok(Try { flow, key, now })
        }
        Ok(Take::Exhausted) => Err(Rejection::new(RejectionKind::TooManyTries)),
        Err(error) => {
            // Without the count, a guesser would have any number of tries.
            throttle_failed(flow, &error);
            Err(Rejection::new(RejectionKind::StoreUnavailable))
        }
    }
}

/// Returns the charge to the client's network, if the client is known. A shared count for all
/// unknown clients would let each lock the others out.
fn network(step: &Step, label: &'static str, rate: Rate) -> Option<(LimitScope, Charge)> {
    let key = key(step, label, &network_of(step.client()?));
    Some((LimitScope::Network, Charge::new(key, rate)))
}

/// Returns the name of an address together with the client's network. All unknown clients share
/// one.
///
/// The narrow limit of an address counts by this name. Under a count by address alone, a stranger
/// with endless requests would take every refill, and the owner would get none.
fn pair_of(step: &Step, email: &Email) -> Vec<u8> {
    let network = step.client().map(network_of).unwrap_or_default();
    // No address contains a NUL, so the network cannot be mistaken for a part of the address.
    [mailbox_of(email).as_bytes(), &[0], &network].concat()
}

pub(super) fn key(step: &Step, label: &'static str, value: &[u8]) -> ThrottleKey {
    key_of(&step.flow, label, value)
}

fn key_of(flow: &Flow, label: &'static str, value: &[u8]) -> ThrottleKey {
    let keys = flow.shared.gate.tokens.keys();
    ThrottleKey::from_bytes(keys.pseudonym(label, value))
}

/// Returns the mailbox that an address is counted as. The large providers deliver mail for `ada+x`
/// to `ada` (RFC 5233), so a tag must not give a second allowance. A local part that begins with
/// `+` has no tag. Gmail ignores dots before the `@`, and has two domain names.
pub(super) fn mailbox_of(email: &Email) -> String {
    let address = email.as_str();
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let name = match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        _ => local,
    };
    match domain {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", name.replace('.', "")),
        _ => format!("{name}@{domain}"),
    }
}

/// Returns the network that one customer gets.
///
/// It is an IPv4 address, or the first 64 bits of an IPv6 address (RFC 6177; RFC 4291, section
/// 2.5.4).
fn network_of(addr: IpAddr) -> Vec<u8> {
    match addr.to_canonical() {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().into_iter().take(8).collect(),
    }
}

/// Waits for the throttle for at most [`TIMEOUT`].
async fn bounded<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = || Err(StoreError::new(StoreErrorKind::TimedOut));
    within(TIMEOUT, answer).await.unwrap_or_else(late)
}

/// Waits for an answer, and returns `None` when the time is over. An answer at once needs no timer.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = pin!(answer);
    let first = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
    match first {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => tokio::time::timeout(limit, answer).await.ok(),
    }
}

/// Charges all or none. Over a limit it refuses, and reports it as an event.
pub(super) async fn charge(
    flow: &Flow,
    charges: &[(LimitScope, Charge)],
    email: Option<&Email>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let plain: Vec<_> = charges.iter().map(|(_, charge)| *charge).collect();
    let throttle = &flow.throttling.throttle;
    match bounded(throttle.charge(&plain, now)).await {
        Ok(Charged::Admitted) => Ok(()),
        Ok(Charged::Refused { by, wait }) => {
            let scope = charges
                .get(by)
                .map_or(LimitScope::Everybody, |(scope, _)| *scope);
            let hint = flow.throttling.hint.get().map(String::as_str);
            flow.shared
                .listener
                .tell(&Event::Throttled { scope, email, hint });
            // Whole seconds, so that the page and `Retry-After` agree.
            let wait = Duration::from_secs(
                wait.as_secs()
                    .saturating_add(u64::from(wait.subsec_nanos() > 0))
                    .max(1),
            );
            Err(Rejection::new(RejectionKind::RateLimited).with_retry_after(Some(wait)))
        }
        Err(error) => {
            // A rate guards against floods alone: an outage must not stop every sign-in.
            throttle_failed(flow, &error);
            Ok(())
        }
    }
}

fn throttle_failed(flow: &Flow, error: &StoreError) {
    let kind = error.kind();
    flow.shared.listener.tell(&Event::ThrottleFailed { kind });
}

#[cfg(test)]
mod tests;
