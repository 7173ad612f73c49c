//! What goes on after a response has begun, and ends with its session: a WebSocket, and a body.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use futures_util::{FutureExt, future::OptionFuture, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::{Body as _, Frame, Incoming},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tower_magic_link::SessionGuard;

use super::{activity::BLOCKED, relay::relay, serve::Slot};

/// Copies bytes both ways, until an end has closed (`relay` says when), the session ends or the
/// program is to end: a tunnel has no answer to wait for. It counts as a connection.
pub(super) fn open(
    ours: OnUpgrade,
    theirs: OnUpgrade,
    session: Option<SessionGuard>,
    (slot, place): (Option<Slot>, Option<Arc<OwnedSemaphorePermit>>),
) {
    tokio::spawn(async move {
        // It has its place among the connections, and with the service, until it ends.
        let (slot, _place) = (slot, place);
        let tunnel = async {
            // A client that does not take the head of the answer gets no longer than one that
            // takes nothing behind it.
            let both = async { tokio::try_join!(ours, theirs) };
            let (ours, theirs) = timeout(BLOCKED, both).await??;
            relay(TokioIo::new(ours), TokioIo::new(theirs)).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        };
        tokio::select! {
            // On a public path there may be no session to wait for.
            Some(()) = OptionFuture::from(session) => {}
            Some(()) = OptionFuture::from(slot.clone().map(Slot::stopped)) => {}
            // Whether it was closed or broken, it is over.
            _ = tunnel => {}
        }
    });
}

/// Ends a body with an error when its session ends, so that no client takes half a download for the
/// whole. A gRPC body is left to the layer, which tells the client why it ends.
pub(super) fn until(ended: Option<SessionGuard>, is_grpc: bool, body: AsStated) -> Body {
    // Without a frame to come, the head is the whole answer: trailers that are alone have to stay
    // in it (gRPC over HTTP/2, "Trailers-Only").
    let Some(ended) = ended.filter(|_| !is_grpc && !body.is_end_stream()) else {
        return Body::new(body);
    };
    let frames = stream::unfold(
        (ended, body, true),
        async |(mut ended, mut body, is_first)| {
            // What is there already comes first: a page in one piece whose length is stated is
            // whole, even if its session ended while the service made it.
            let early = match is_first {
                true => body.frame().now_or_never(),
                false => None,
            };
            let frame = match early {
                Some(frame) => frame?.map_err(axum::Error::new),
                None => tokio::select! {
                    // The end first: of a service that sends without a pause the next frame is
                    // always there.
                    biased;
                    () = &mut ended => match body.frame().now_or_never() {
                        // It has ended as well: what the client has is the whole.
                        Some(None) => return None,
                        _ => Err(axum::Error::new("the session has ended")),
                    },
                    frame = body.frame() => frame?.map_err(axum::Error::new),
                },
            };
            Some((frame, (ended, body, false)))
        },
    );
    Body::new(StreamBody::new(frames))
}

/// A body whose length is said by its head alone. Of an answer to a HEAD, and of a 304, it is
/// empty, and the head speaks of another one (RFC 9110, section 8.6).
pub(super) struct AsStated {
    body: Incoming,
    /// Its place with the service, until all of it is here.
    place: Option<Arc<OwnedSemaphorePermit>>,
}

impl AsStated {
    pub(super) const fn new(body: Incoming, place: Option<Arc<OwnedSemaphorePermit>>) -> Self {
        Self { body, place }
    }
}

impl hyper::body::Body for AsStated {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.place = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
