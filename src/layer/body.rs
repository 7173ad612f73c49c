//! `ResponseBody`: the inner service's body, or one of the layer's own.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::layer::stream::Ending;

/// How many frames of a body whose session has ended are looked through for an error.
const MOST_SKIPPED: usize = 32;

/// The body of a response behind the layer.
///
/// It is the inner service's body, untouched, or a page of the layer's.
#[pin_project]
pub struct ResponseBody<B> {
    #[pin]
    kind: Kind<B>,
}

#[pin_project(project = KindProj)]
enum Kind<B> {
    /// The inner body, until its session ends.
    Guarded {
        #[pin]
        body: B,
        ending: Ending,
        /// No frame has been polled yet.
        is_fresh: bool,
    },
    Inner(#[pin] B),
    Own(Option<Bytes>),
}

impl<B> ResponseBody<B> {
    /// Wraps the inner service's body; with an `ending`, it goes on only until then.
    pub(crate) fn inner(body: B, ending: Option<Ending>) -> Self {
        let kind = match ending {
            None => Kind::Inner(body),
            Some(ending) => Kind::Guarded {
                body,
                ending,
                is_fresh: true,
            },
        };
        Self { kind }
    }

    pub(crate) fn own(bytes: Bytes) -> Self {
        Self {
            kind: Kind::Own(Some(bytes).filter(|bytes| !bytes.is_empty())),
        }
    }
}

/// Makes an empty body, which tower-http's timeout and CSRF layers answer with.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut kind = self.project().kind;
        let frame = match kind.as_mut().project() {
            KindProj::Guarded {
                body,
                ending,
                is_fresh,
            } => poll_guarded(body, ending, is_fresh, cx),
            KindProj::Inner(body) => return body.poll_frame(cx),
            KindProj::Own(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into()))));
            }
        };
        match ready!(frame) {
            Next::Frame(frame) => Poll::Ready(Some(Ok(frame))),
            // Drop the inner body at once: its producer notices, and nothing watches the session
            // any more.
            Next::Last(last) => {
                kind.set(Kind::Own(None));
                Poll::Ready(last)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Guarded { body, .. } | Kind::Inner(body) => body.is_end_stream(),
            Kind::Own(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            // A guarded body keeps its hint too: a client that gets fewer bytes knows that it was
            // cut off.
            Kind::Guarded { body, .. } | Kind::Inner(body) => body.size_hint(),
            Kind::Own(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}

/// What a guarded body yields next.
enum Next<D, E> {
    Frame(Frame<D>),
    /// The end of the body, after a last frame if there is one.
    Last(Option<Result<Frame<D>, E>>),
}

/// Polls the inner body, unless the session has ended.
fn poll_guarded<B>(
    mut body: Pin<&mut B>,
    ending: &mut Ending,
    is_fresh: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<Next<B::Data, B::Error>>
where
    B: Body,
    B::Data: From<Bytes>,
{
    // The request was admitted just now, so a frame that is ready at the first poll goes out, and a
    // body of one frame costs no watch.
    if !mem::take(is_fresh) && ending.has_ended(cx) {
        return Poll::Ready(Next::Last(last_frame(body, ending, cx)));
    }
    let polled = {
        let _handling = ending.guard.handling();
        body.as_mut().poll_frame(cx)
    };
    Poll::Ready(match polled {
        Poll::Ready(Some(Ok(frame))) => Next::Frame(frame),
        Poll::Ready(last) => Next::Last(last),
        Poll::Pending if ending.has_ended(cx) => Next::Last(last_frame(body, ending, cx)),
        Poll::Pending => return Poll::Pending,
    })
}

/// Returns the last frame of a body whose session has ended.
///
/// An error of the inner body comes first: with one, a handler that waits for the same guard tells
/// its client that the body is incomplete.
fn last_frame<B>(
    mut body: Pin<&mut B>,
    ending: &Ending,
    cx: &mut Context<'_>,
) -> Option<Result<Frame<B::Data>, B::Error>>
where
    B: Body,
    B::Data: From<Bytes>,
{
    // A failure of the inner body is told rather than a clean end: the client must not take what it
    // has for whole. Frames that are ready before it go nowhere: a body that waits for the guard
    // and for its source at once may take either first.
    let most = match ending.may_be_taken_for_whole {
        true => MOST_SKIPPED,
        false => 1,
    };
    for _ in 0..most {
        match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => return Some(Err(error)),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    ending.tail.frame().map(Ok)
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Guarded { .. } => "ResponseBody::Guarded",
            Kind::Inner(_) => "ResponseBody::Inner",
            Kind::Own(_) => "ResponseBody::Own",
        })
    }
}
