//! What happens on a connection: the service works, the client takes an answer, or nothing is under
//! way.
//!
//! - A request is under way until its answer is written. hyper drops a body as soon as it has the
//!   last frame, and what it has not written then is lost with the connection.
//! - A client whose window of HTTP/2 is closed, and that takes less than [`ENOUGH`] of what is
//!   there, holds its place no longer than one that says nothing. In a crowd it may be asked to
//!   leave after [`STALLED`]. While the service works, that time stands still. A further request
//!   does not make it begin anew.
//! - Where the socket takes no more, the client may be taking all the time: the kernel asks for
//!   more only once a third of its buffer is free, which may be a megabyte.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    time::Instant,
};

/// How many bytes a client has to take to have moved on.
const ENOUGH: usize = 4_096;
/// How long a client may take nothing while others wait for its place.
pub(super) const STALLED: Duration = Duration::from_secs(5);
/// How long a socket may take nothing.
pub(super) const BLOCKED: Duration = Duration::from_secs(10 * 60);

/// What happens on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The service is asked for an answer, or for more of one.
    AtWork,
    /// The socket takes no more bytes for now.
    Blocked,
    /// No request is under way.
    Idle,
    /// The client is to take what is there.
    Taking,
}

/// What happens on one connection. Clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Shared>);

struct Shared {
    phase: watch::Sender<Phase>,
    counts: Mutex<Counts>,
}

struct Counts {
    /// Requests for which the service is to say something.
    at_work: usize,
    /// Answers whose next frame nobody has asked for.
    offered: usize,
    /// Whether the client's end takes no more bytes for now.
    is_blocked: bool,
    /// How many bytes of answers hyper has, and has not written.
    owed: usize,
    /// How many bytes were taken since the client moved on.
    taken: usize,
    moved: Instant,
    /// Since when the service works, and whether the client had nothing to take then.
    works: (Instant, bool),
}

/// Where a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    AtWork,
    Offered,
    Over,
}

/// One request, until hyper has all of its answer.
pub(super) struct Turn {
    activity: Activity,
    stage: Stage,
    /// How many bytes the last two frames of its answer had: hyper has no more of one in hand.
    last: [usize; 2],
}

/// An answer's body.
pub(super) struct Answered {
    body: Body,
    turn: Turn,
}

/// A client's connection, whose writes are watched.
pub(super) struct Watched<S> {
    stream: S,
    activity: Activity,
}

impl Activity {
    pub(super) fn new() -> Self {
        let counts = Counts {
            at_work: 0,
            offered: 0,
            is_blocked: false,
            owed: 0,
            taken: 0,
            moved: Instant::now(),
            works: (Instant::now(), true),
        };
        Self(Arc::new(Shared {
            phase: watch::Sender::new(Phase::Idle),
            counts: Mutex::new(counts),
        }))
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.0.phase.subscribe()
    }

    /// Returns when the client last took something, or began to.
    pub(super) fn moved(&self) -> Instant {
        self.counts().moved
    }

    pub(super) fn begin(&self) -> Turn {
        self.note(|counts| counts.at_work += 1);
        Turn {
            activity: self.clone(),
            stage: Stage::AtWork,
            last: [0; 2],
        }
    }

    pub(super) fn watch<S>(&self, stream: S) -> Watched<S> {
        let activity = self.clone();
        Watched { stream, activity }
    }

    fn wrote(&self, bytes: usize) {
        self.note(|counts| {
            counts.is_blocked = false;
            counts.owed = counts.owed.saturating_sub(bytes);
            counts.taken = counts.taken.saturating_add(bytes);
            if counts.taken >= ENOUGH {
                counts.move_on(Instant::now());
            }
        });
    }

    fn is_blocked(&self, is_blocked: bool) {
        self.note(|counts| counts.is_blocked = is_blocked);
    }

    fn note(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        let before = counts.phase();
        change(&mut counts);
        let phase = counts.phase();
        counts.turned(before, phase);
        // Under the lock, so that the receivers see the changes in their order.
        if before != phase {
            self.0.phase.send_replace(phase);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        let counts = self.0.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    const fn phase(&self) -> Phase {
        if self.at_work > 0 {
            Phase::AtWork
        } else if self.is_blocked {
            Phase::Blocked
        } else if self.offered > 0 || self.owed > 0 {
            Phase::Taking
        } else {
            Phase::Idle
        }
    }

    fn move_on(&mut self, moved: Instant) {
        self.moved = moved;
        self.taken = 0;
    }

    /// Notes when the phase changed.
    fn turned(&mut self, before: Phase, phase: Phase) {
        let now = Instant::now();
        let (since, had_nothing) = self.works;
        match (before, phase) {
            _ if before == phase => {}
            (_, Phase::AtWork) => self.works = (now, before == Phase::Idle),
            (Phase::Idle, _) => self.move_on(now),
            (Phase::AtWork, _) if had_nothing => self.move_on(now),
            // The client may have moved on meanwhile.
            (Phase::AtWork, _) => {
                self.moved += now.saturating_duration_since(since.max(self.moved));
            }
            _ => {}
        }
    }

    fn of(&mut self, stage: Stage) -> Option<&mut usize> {
        match stage {
            Stage::AtWork => Some(&mut self.at_work),
            Stage::Offered => Some(&mut self.offered),
            Stage::Over => None,
        }
    }
}

impl Turn {
    /// Hands an answer on.
    pub(super) fn answer(mut self, body: Body) -> Answered {
        let stage = match body.is_end_stream() {
            true => Stage::Over,
            false => Stage::Offered,
        };
        self.go_on(stage, 0);
        Answered { body, turn: self }
    }

    /// Notes where the request is now, and how many bytes hyper got.
    fn go_on(&mut self, stage: Stage, bytes: usize) {
        let before = std::mem::replace(&mut self.stage, stage);
        if bytes > 0 {
            let [_, last] = self.last;
            self.last = [last, bytes];
        }
        self.activity.note(|counts| {
            counts.of(before).into_iter().for_each(|count| *count -= 1);
            counts.of(stage).into_iter().for_each(|count| *count += 1);
            counts.owed = counts.owed.saturating_add(bytes);
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.stage != Stage::Over {
            // It was called off, and nobody writes what is left of it.
            let left: usize = self.last.iter().sum();
            self.activity
                .note(|counts| counts.owed = counts.owed.saturating_sub(left));
        }
        self.go_on(Stage::Over, 0);
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, turn } = &mut *self;
        // The client has taken what was there.
        turn.go_on(Stage::AtWork, 0);
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok());
        let data = data.and_then(Frame::data_ref).map_or(0, Bytes::len);
        let stage = match frame.is_none() || body.is_end_stream() {
            true => Stage::Over,
            false => Stage::Offered,
        };
        turn.go_on(stage, data);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S> Watched<S> {
    fn written(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(written) => self.activity.wrote(*written.as_ref().unwrap_or(&0)),
            Poll::Pending => self.activity.is_blocked(true),
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.activity.is_blocked(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
