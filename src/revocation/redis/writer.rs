//! The writer: sends revocations to Redis, and keeps those that it could not send.
//!
//! - While Redis is away, `revoke` returns within 1.5 seconds, with an error. A revocation that
//!   comes while an attempt succeeds waits for the next one. The writer retries a failed one until
//!   Redis has it.
//! - Revocations that arrive together are sent together. Unsent revocations are kept by their
//!   target ([`Unsent`]).
//! - It writes to the data set that the follower reads: a demoted server may still accept writes
//!   that no replica will ever read.
//! - After the last handle is dropped, it ends once all is sent or an attempt fails. It logs how
//!   many revocations were lost.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    replica::Replica,
    server::{Server, Servers},
    unsent::{Letter, Unsent},
};
use crate::{
    clock::Timestamp,
    revocation::Revocation,
    store::{StoreError, StoreErrorKind, redis::reason},
};

/// How long one attempt may take, including connecting. The layer's own timeout is 2 seconds by
/// default.
const ATTEMPT: Duration = Duration::from_millis(1_500);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const BATCH: usize = 250;
/// How often the writer checks whether the follower has arrived at the writer's server.
const FOLLOWS: Duration = Duration::from_millis(25);
/// How long to wait for the next revocation when none is unsent: as good as for ever.
const IDLE: Duration = Duration::from_secs(3_600);

/// Writes revocations until the last handle is gone.
pub(super) async fn write<S: Servers>(
    servers: S,
    replica: Arc<Replica>,
    mut letters: mpsc::UnboundedReceiver<Letter>,
) {
    let mut connection = None;
    let mut memories = replica.memories();
    let mut unsent = Unsent::default();
    let mut pause = Duration::ZERO;
    let mut is_open = true;
    let mut is_refused = false;
    while is_open || (pause.is_zero() && !unsent.is_empty()) {
        // A new revocation ends the pause: it must not wait for the back-off of an older one.
        let patience = if unsent.is_empty() { IDLE } else { pause };
        match timeout(patience, letters.recv()).await {
            Ok(Some(letter)) => unsent.push(letter),
            Ok(None) => is_open = false,
            Err(_) => {}
        }
        // What came in while the last batch was on its way goes in one script.
        while let Ok(letter) = letters.try_recv() {
            unsent.push(letter);
        }
        unsent.forget(replica.past());
        replica.notes.wait(unsent.len());
        if unsent.is_empty() {
            continue;
        }
        let now = replica.memories();
        // The follower has moved to another data set: the old connection writes where nobody reads.
        if now != memories {
            (connection, memories) = (None, now);
        }
        let batch: Vec<_> = unsent.first(BATCH).cloned().collect();
        // A full server may have room again: passing the present moment makes the script drop what
        // has expired since.
        let now = if pause.is_zero() {
            let latest = batch.iter().map(|revocation| revocation.at()).max();
            latest.unwrap_or(Timestamp::from_secs(0))
        } else {
            replica.now()
        };
        let was_known = connection.is_some();
        let sent = send(&servers, &replica, &mut connection, &batch, now);
        let sent = timeout(ATTEMPT, sent).await;
        match sent.unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut))) {
            Ok(()) => {
                let count = batch.len();
                // Before their callers hear of it, who may ask how many are left.
                let left = unsent.len().saturating_sub(count);
                replica.notes.wait(left + letters.len());
                unsent.sent(count);
                if std::mem::take(&mut is_refused) {
                    tracing::info!(target: "tower_magic_link", "redis stores revocations again");
                }
                pause = Duration::ZERO;
            }
            Err(error) => {
                // Connecting to a server far away took the time of the attempt: the connection is
                // good for the next one.
                if was_known || error.kind() != StoreErrorKind::TimedOut {
                    connection = None;
                }
                // Revocations that came during the attempt fail with it: a second attempt would
                // exceed their 1.5 seconds.
                while let Ok(letter) = letters.try_recv() {
                    unsent.push(letter);
                }
                unsent.failed(error.kind());
                replica.notes.wait(unsent.len());
                replica.notes.fail(&error);
                // Once, as it tries again every second.
                if !std::mem::replace(&mut is_refused, true) {
                    let reason = reason(&error);
                    tracing::warn!(target: "tower_magic_link", kind = %error.kind(), reason, "revocations wait for redis: it has not stored them");
                }
                // Without an end: a revocation that Redis lacks is a session that works on another
                // replica.
                pause = servers.jittered((pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE));
            }
        }
    }
}

/// Sends a batch. If the known connection has died, tries once more over a new one.
async fn send<S: Servers>(
    servers: &S,
    replica: &Replica,
    connection: &mut Option<S::Server>,
    batch: &[Revocation],
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(known) = connection {
        match known.put(batch, now).await {
            Ok(()) => return Ok(()),
            // The server is slow, not gone: a second attempt would only double its load.
            Err(error) if error.kind() == StoreErrorKind::TimedOut => return Err(error),
            Err(_) => *connection = None,
        }
    }
    let fresh = servers.connect().await?;
    // This also makes the follower connect again and arrive here. `ATTEMPT` bounds the wait.
    while !replica.note_history(fresh.history()) {
        sleep(FOLLOWS).await;
    }
    connection.insert(fresh).put(batch, now).await
}
