//! The bytes of a tunnel, both ways, until there are no more.
//!
//! - What an end sent before it closed reaches the other end, which then learns of the close.
//! - Once an end has closed, the tunnel is over when the other has sent nothing for [`CLOSING`]. A
//!   laptop that was shut says nothing, and would keep the tunnel's places for ever. An end that
//!   goes on sending is not cut off: if the closed one no longer reads, its system refuses the
//!   bytes, and that direction is over too.
//! - What an end has not taken from its system's buffer when the tunnel is over may be lost, if it
//!   sends something afterwards.
//! - An end that takes no byte for [`BLOCKED`] ends the tunnel at any time. Behind bytes that wait
//!   for it, a close of the other end is not read.
//! - A connection that breaks ends the tunnel at once.
//!
//! `tokio::io::copy_bidirectional` waits until both ends have closed.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    sync::watch,
    time::{sleep, timeout},
};

use super::activity::BLOCKED;

/// How long an end may be silent after the other has closed. A WebSocket's server closes first,
/// and its client answers at once (RFC 6455, section 7.1.1). nginx waits as long for what a client
/// still sends (`lingering_timeout`).
const CLOSING: Duration = Duration::from_secs(5);

/// How many bytes are on their way at a time, in each direction.
const PIECE: usize = 8 * 1_024;

/// Copies bytes both ways until the tunnel is over. Dropping it closes both ends.
pub(super) async fn relay<A, B>(ours: A, theirs: B) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    // Becomes `true` when one direction is over.
    let closing = watch::Sender::new(false);
    let (from_client, to_client) = split(ours);
    let (from_service, to_service) = split(theirs);
    tokio::try_join!(
        hand_on(from_client, to_service, &closing),
        hand_on(from_service, to_client, &closing),
    )?;
    Ok(())
}

/// Copies one direction until its source closes, or its target takes no more.
async fn hand_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    closing: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = in_time(closing, from.read(&mut piece)).await??;
        let Some(bytes @ [_, ..]) = piece.get(..length) else {
            break;
        };
        // A target that has gone may have sent something before: the other direction hands it on.
        if !hand_over(bytes, &mut to).await? {
            break;
        }
    }
    closing.send_replace(true);
    // One that has gone does not learn of it.
    let _ = in_time(closing, to.shutdown()).await?;
    Ok(())
}

/// Writes one piece. Returns whether the target is still there.
async fn hand_over(mut bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
    while !bytes.is_empty() {
        if !matches!(timeout(BLOCKED, to.write_buf(&mut bytes)).await?, Ok(1..)) {
            return Ok(false);
        }
    }
    // TLS may keep a record back until then.
    Ok(timeout(BLOCKED, to.flush()).await?.is_ok())
}

/// Waits for a step: without a limit, or for [`CLOSING`] once one direction is over.
async fn in_time<T>(closing: &watch::Sender<bool>, step: impl Future<Output = T>) -> io::Result<T> {
    let late = async {
        let mut closing = closing.subscribe();
        let _ = closing.wait_for(|is_closing| *is_closing).await;
        sleep(CLOSING).await;
    };
    tokio::select! {
        biased;
        done = step => Ok(done),
        () = late => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests;
