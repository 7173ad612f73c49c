//! The writer: takes orders to Redis, and keeps those that it could not.
//!
//! - `revoke` returns within 1.5 seconds, with an error if Redis has not stored the revocation. The
//!   writer sends that again until Redis has it.
//! - Orders that arrive together go together. What has not been sent is kept by its target
//!   ([`Unsent`]).
//! - It writes to the memory that the follower reads: a server that was failed over may still take
//!   what nobody will read there.
//! - It ends with the last handle, once all is sent or an attempt fails. What it gives up is said
//!   in the log.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    replica::Replica,
    unsent::{Letter, Unsent},
    wire::{Wire, put_arguments},
};
use crate::{
    clock::Timestamp,
    store::{
        StoreError, StoreErrorKind,
        redis::{Connection, Redis, jittered},
    },
};

/// How long one attempt may take, connecting and all. The layer waits for 2 seconds, unless it is
/// told otherwise.
const ATTEMPT: Duration = Duration::from_millis(1_500);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const BATCH: usize = 250;
/// How often it is asked whether the follower has come to the server that the writer was led to.
const FOLLOWS: Duration = Duration::from_millis(25);
/// As good as for ever.
const IDLE: Duration = Duration::from_secs(3_600);

/// Writes orders for as long as there is somebody to give them.
pub(super) async fn write(
    redis: Redis,
    replica: Arc<Replica>,
    mut letters: mpsc::UnboundedReceiver<Letter>,
) {
    let wire = Wire::of(&redis);
    let mut connection = None;
    let mut memories = replica.memories();
    let mut unsent = Unsent::default();
    let mut pause = Duration::ZERO;
    let mut is_open = true;
    while is_open || (pause.is_zero() && !unsent.is_empty()) {
        let patience = if unsent.is_empty() { IDLE } else { pause };
        match timeout(patience, letters.recv()).await {
            Ok(Some(letter)) => unsent.push(letter),
            Ok(None) => is_open = false,
            Err(_) => {}
        }
        while let Ok(letter) = letters.try_recv() {
            unsent.push(letter);
        }
        unsent.forget(replica.past());
        if unsent.is_empty() {
            continue;
        }
        let now = replica.memories();
        if now != memories {
            (connection, memories) = (None, now);
        }
        let batch: Vec<_> = unsent.first(BATCH).collect();
        // Who was refused may find room where others have ended meanwhile.
        let now = if pause.is_zero() {
            let latest = batch.iter().map(|order| order.at()).max();
            latest.unwrap_or(Timestamp::from_secs(0))
        } else {
            replica.now()
        };
        let arguments = put_arguments(batch.iter().copied(), now);
        let sent = send(&redis, &replica, &wire, &mut connection, &arguments);
        let sent = timeout(ATTEMPT, sent).await;
        match sent.unwrap_or(Err(StoreError::new(StoreErrorKind::TimedOut))) {
            Ok(()) => {
                let count = batch.len();
                unsent.sent(count);
                pause = Duration::ZERO;
            }
            Err(error) => {
                connection = None;
                // Who came meanwhile would wait for nothing better.
                while let Ok(letter) = letters.try_recv() {
                    unsent.push(letter);
                }
                unsent.failed(error.kind());
                pause = jittered((pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE));
            }
        }
    }
}

/// Sends a batch. A connection that was good once may have died since: then it is tried with a new
/// one.
async fn send(
    redis: &Redis,
    replica: &Replica,
    wire: &Wire,
    connection: &mut Option<Connection>,
    arguments: &[Vec<u8>],
) -> Result<(), StoreError> {
    let (script, keys) = wire.put();
    if let Some(known) = connection {
        let put: Result<i64, _> = known.run(script, keys, arguments).await;
        match put {
            Ok(_) => return Ok(()),
            // Its answer may be on the way: it is not asked twice while it takes its time.
            Err(error) if error.kind() == StoreErrorKind::TimedOut => return Err(error),
            Err(_) => *connection = None,
        }
    }
    let fresh = redis.connect().await?;
    // The follower hears of it, and goes there too; or it was on its way.
    while !replica.note_history(&fresh.history) {
        sleep(FOLLOWS).await;
    }
    let put: Result<i64, _> = fresh.run(script, keys, arguments).await;
    put?;
    *connection = Some(fresh);
    Ok(())
}
