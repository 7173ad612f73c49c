//! How the throttle is asked: by which keys, and for how long.

use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use crate::{
    event::{Event, StoreName},
    flow::Flow,
    store::{StoreError, StoreErrorKind},
    throttle::ThrottleKey,
    trace::{Call, StateGauge, observe},
};

/// How long the throttle may take, while a person waits.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the key of what is counted by an address or a network, which can be guessed.
pub(super) fn key_of(flow: &Flow, label: &'static str, value: &[u8]) -> ThrottleKey {
    let keys = flow.shared.gate.tokens.keys();
    ThrottleKey::from_bytes(keys.pseudonym(label, value))
}

/// Returns the key of what is counted by a secret of its own: a random id, a token, a proof. It
/// follows from no signing key, so what is used up stays used up after a change of keys, and at a
/// replica that has not changed yet.
pub(super) fn key_of_secret(label: &'static str, secret: &[u8]) -> ThrottleKey {
    // No label has a NUL, so a secret cannot be mistaken for a part of one.
    let hash = Sha256::new()
        .chain_update(label)
        .chain_update([0])
        .chain_update(secret)
        .finalize();
    ThrottleKey::from_bytes(hash.first_chunk().copied().unwrap_or_default())
}

/// Waits for the throttle for at most [`TIMEOUT`].
pub(super) async fn bounded<T>(
    name: &'static str,
    answer: impl Future<Output = Result<T, StoreError>> + Unpin,
) -> Result<T, StoreError> {
    let late = || Err(StoreError::new(StoreErrorKind::TimedOut));
    let answer = async { within(TIMEOUT, answer).await.unwrap_or_else(late) };
    let answer = observe(Call::new(name), answer).await;
    StateGauge::of_store(StoreName::Throttle.name()).show(|| answer.is_ok());
    answer
}

/// Waits for an answer, and returns `None` when the time is over. An answer at once needs no timer.
///
/// The answer is pinned by the caller: a future that pinned it would have room for it twice.
pub(in crate::flow) async fn within<T>(
    limit: Duration,
    mut answer: impl Future<Output = T> + Unpin,
) -> Option<T> {
    let first = poll_fn(|cx| Poll::Ready(answer.poll_unpin(cx))).await;
    match first {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => tokio::time::timeout(limit, answer).await.ok(),
    }
}

pub(super) fn throttle_failed(flow: &Flow, error: &StoreError) {
    let kind = error.kind();
    flow.shared.listener.tell(&Event::ThrottleFailed { kind });
}
