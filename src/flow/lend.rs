//! What a provider is lent of a sign-in: the attempt, what is known of the client, and a place to
//! count.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    CODE_LIFETIME, Flow,
    attempt::Attempt,
    limits::{give_back_to, take_from},
    step::Step,
};
use crate::{
    clock::Timestamp,
    provider::{
        self,
        attempt::{Caller, Moments, Newest, Tries},
    },
    store::StoreError,
    throttle::ThrottleKey,
};

/// Returns what is known of the client of a request, whose language was chosen before.
pub(super) fn caller(step: &Step, language: Option<String>) -> Caller {
    Caller {
        client: step.client(),
        user_agent: step.user_agent(),
        language,
    }
}

/// Returns an attempt as a provider is shown it.
pub(super) fn show<'a>(
    flow: &'a Arc<Flow>,
    attempt: &'a Attempt,
    newest: Newest,
    caller: &'a Caller,
    now: Timestamp,
) -> provider::Attempt<'a> {
    let lifetime = flow.attempt_lifetime().max(CODE_LIFETIME);
    let moments = Moments {
        begun_at: attempt.created,
        ends_at: attempt.created + lifetime,
        now,
    };
    provider::Attempt::new(&attempt.id, moments, newest, caller, flow)
}

/// An attempt counts in the layer's throttle. The names come from its secret, and not from a key:
/// what is used stays used after a change of keys.
impl Tries for Arc<Flow> {
    fn take(
        &self,
        name: [u8; 16],
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        let key = ThrottleKey::from_bytes(name);
        Box::pin(take_from(self, key, most, until, now))
    }

    fn give_back(&self, name: [u8; 16], now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(give_back_to(self, ThrottleKey::from_bytes(name), now))
    }
}
