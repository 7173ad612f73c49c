//! An inner service that keeps books: it panics when it is called unready, and counts its calls,
//! its clones and the futures that live.

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::Service;

/// What the books say.
#[derive(Debug, Default)]
pub(crate) struct Books {
    calls: AtomicUsize,
    clones: AtomicUsize,
    /// Futures that were made, and neither finished nor dropped.
    alive: AtomicUsize,
}

/// The service. It is ready from the second time that it is asked.
#[derive(Debug)]
pub(crate) struct Ledger {
    books: Arc<Books>,
    hangs: bool,
    polls: usize,
    is_ready: bool,
}

impl Books {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn clones(&self) -> usize {
        self.clones.load(Ordering::SeqCst)
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }
}

impl Ledger {
    /// Makes a service that answers.
    pub(crate) fn new(books: &Arc<Books>) -> Self {
        Self {
            books: books.clone(),
            hangs: false,
            polls: 0,
            is_ready: false,
        }
    }

    /// Makes a service that never answers.
    pub(crate) fn hanging(books: &Arc<Books>) -> Self {
        Self {
            hangs: true,
            ..Self::new(books)
        }
    }
}

/// A clone is not ready because its original was.
impl Clone for Ledger {
    fn clone(&self) -> Self {
        self.books.clones.fetch_add(1, Ordering::SeqCst);
        Self {
            hangs: self.hangs,
            ..Self::new(&self.books)
        }
    }
}

/// Counts a future for as long as it lives.
struct Alive(Arc<Books>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<B> Service<Request<B>> for Ledger {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polls += 1;
        self.is_ready = self.polls > 1;
        if self.is_ready {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(mem::take(&mut self.is_ready), "called unready");
        self.polls = 0;
        self.books.calls.fetch_add(1, Ordering::SeqCst);
        self.books.alive.fetch_add(1, Ordering::SeqCst);
        let (alive, hangs) = (Alive(self.books.clone()), self.hangs);
        Box::pin(async move {
            let _alive = alive;
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok(Response::new(Full::from("inner")))
        })
    }
}
