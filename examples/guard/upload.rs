//! The body of a request on its way to the service, and whose fault it is when it gets no further.

use std::{
    future::pending,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::sync::watch;

/// A client's body, which reports how it gets on.
pub(super) struct Upload {
    body: Body,
    stage: watch::Sender<Stage>,
}

/// Watches an [`Upload`].
pub(super) struct Progress(watch::Receiver<Stage>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The service has it, or is to take the next piece.
    AtService,
    /// The service waits for the client's next piece.
    AtClient,
    /// The client has broken it: a chunk that is none, or an end before the end.
    Broken,
}

impl Upload {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let (stage, progress) = watch::channel(Stage::AtService);
        (Self { body, stage }, Progress(progress))
    }
}

impl Progress {
    /// Waits until the body gets on. Does not return once it has ended.
    pub(super) async fn moved(&mut self) {
        if self.0.changed().await.is_err() {
            pending().await
        }
    }

    pub(super) fn stage(&self) -> Stage {
        *self.0.borrow()
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = match Pin::new(&mut self.body).poll_frame(cx) {
            // What is written behind the body ends here.
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => Poll::Ready(None),
            polled => polled,
        };
        let stage = match &polled {
            Poll::Pending => Stage::AtClient,
            Poll::Ready(Some(Err(_))) => Stage::Broken,
            Poll::Ready(_) => Stage::AtService,
        };
        // Being polled again without a new piece is no progress.
        self.stage.send_if_modified(|now| {
            let has_moved = *now != stage || polled.is_ready();
            *now = stage;
            has_moved
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
