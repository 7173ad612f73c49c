//! What goes on after a response has begun, and ends with its session: a WebSocket, and a body.

use std::error::Error;

use axum::body::Body;
use futures_util::{FutureExt, future::OptionFuture, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tower_magic_link::SessionGuard;

use super::serve::Slot;

/// Copies bytes both ways, until an end closes, the session ends or the program is to end: a tunnel
/// has no answer to wait for. It counts as a connection.
pub(super) fn open(
    ours: OnUpgrade,
    theirs: OnUpgrade,
    session: Option<SessionGuard>,
    slot: Option<Slot>,
) {
    tokio::spawn(async move {
        let (ours, theirs) = tokio::try_join!(ours, theirs)?;
        let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
        tokio::select! {
            // On a public path there may be no session to wait for.
            Some(()) = OptionFuture::from(session) => {}
            Some(()) = OptionFuture::from(slot.clone().map(Slot::stopped)) => {}
            copied = copy_bidirectional(&mut ours, &mut theirs) => { copied?; }
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });
}

/// Ends a body with an error when its session ends, so that no client takes half a download for the
/// whole.
pub(super) fn until(ended: Option<SessionGuard>, body: Incoming) -> Body {
    let Some(ended) = ended else {
        return Body::new(body);
    };
    let frames = stream::unfold(
        (ended, body, true),
        async |(mut ended, mut body, is_first)| {
            // What is there already comes first: a page in one piece is whole, even if its
            // session ended while the service made it.
            let early = match is_first {
                true => body.frame().now_or_never(),
                false => None,
            };
            let frame = match early {
                Some(frame) => frame?.map_err(axum::Error::new),
                None => tokio::select! {
                    () = &mut ended => Err(axum::Error::new("the session has ended")),
                    frame = body.frame() => frame?.map_err(axum::Error::new),
                },
            };
            Some((frame, (ended, body, false)))
        },
    );
    Body::new(StreamBody::new(frames))
}
