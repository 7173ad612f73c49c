//! Work for a request that goes on though the request ends.

use std::{
    future::{Future, poll_fn},
    panic::resume_unwind,
    task::Poll,
};

use tokio::task::JoinError;
use tracing::Instrument;

/// Waits for work, which goes on by itself if the request ends before. Work that is done at once
/// needs no task of its own. `None` when the runtime is shutting down.
pub(crate) fn apart<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Option<T>> + Send {
    // Here and not in the block, whose future would have room for the work twice.
    let mut work = Box::pin(work.in_current_span());
    async move {
        match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            Poll::Ready(done) => Some(done),
            Poll::Pending => done(tokio::spawn(work).await),
        }
    }
}

/// Returns what a task has come to. A panic of its goes on to the application's handler. `None`
/// when the runtime is shutting down.
pub(crate) fn done<T>(task: Result<T, JoinError>) -> Option<T> {
    match task.map_err(JoinError::try_into_panic) {
        Ok(done) => Some(done),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}
