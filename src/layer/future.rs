//! `ResponseFuture`: carries out the gate's decision on a request.
//!
//! | state | what it does | what it costs |
//! | --- | --- | --- |
//! | Forward | polls the inner service's own future, until the session ends | no allocation; with `end_streams` a few |
//! | Wait | waits for the revocation store, and for the application's word on a renewal, then forwards or refuses | a box for each, one clone |
//! | Collect | reads a form of at most 16 KiB, or an event of at most 256 KiB, for at most 10 seconds | no box, unless it has to wait |
//! | Flow | takes one step of signing in or out | one box |
//! | Refuse | is ready | nothing |

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Request, Response, header};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{admit::Finish, body::ResponseBody, once::once, stream::Ending};
use crate::{
    clock::Timestamp,
    flow::{self, FORM_TIMEOUT, Step},
    gate::Admission,
    rejection::RejectionKind,
    request::head::RequestHead,
    revocation::Standing,
    session::handled::Handling,
    shared::{Shared, Word},
    site::rules::Exposure,
    store::StoreError,
};

/// The response of a service behind email sign-in.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, F> {
    #[pin]
    state: State<S, B, F>,
}

#[pin_project(project = StateProj)]
enum State<S, B, F> {
    Collect(#[pin] Collect<B>),
    Flow(BoxFuture<'static, Response<Bytes>>),
    Forward {
        #[pin]
        inner: F,
        finish: Finish,
    },
    Refuse(Option<Response<Bytes>>),
    Wait(Option<Box<Wait<S, B>>>),
}

/// What a request waits for.
pub(crate) enum On {
    /// The revocation store.
    Store(BoxFuture<'static, Result<Standing, StoreError>>),
    /// The application's word on a session that is to be renewed.
    Word(BoxFuture<'static, Word>),
}

/// A request that waits for the revocation store, or for the application.
pub(crate) struct Wait<S, B> {
    pub(crate) on: On,
    pub(crate) inner: S,
    pub(crate) request: Request<B>,
    pub(crate) admission: Admission,
    pub(crate) exposure: Exposure,
    pub(crate) now: Timestamp,
    pub(crate) shared: Arc<Shared>,
}

/// A form on its way in.
#[pin_project]
pub(crate) struct Collect<B> {
    #[pin]
    body: B,
    form: BytesMut,
    /// The deadline, set once the layer has to wait for the form.
    limit: Option<Pin<Box<tokio::time::Sleep>>>,
    step: Option<Box<Step>>,
    /// The most bytes that the layer accepts.
    longest: usize,
}

impl<B> Collect<B> {
    pub(crate) fn new(body: B, step: Step) -> Self {
        Self {
            body,
            form: BytesMut::new(),
            limit: None,
            longest: step.endpoint.longest_body(),
            step: Some(Box::new(step)),
        }
    }
}

impl<S, B, F> ResponseFuture<S, B, F> {
    pub(crate) const fn collect(collect: Collect<B>) -> Self {
        Self::of(State::Collect(collect))
    }

    pub(crate) fn flow(step: Step) -> Self {
        Self::of(State::Flow(Box::pin(flow::take(step))))
    }

    pub(crate) const fn forward(inner: F, finish: Finish) -> Self {
        Self::of(State::Forward { inner, finish })
    }

    pub(crate) const fn refuse(response: Response<Bytes>) -> Self {
        Self::of(State::Refuse(Some(response)))
    }

    pub(crate) fn wait(wait: Wait<S, B>) -> Self {
        Self::of(State::Wait(Some(Box::new(wait))))
    }

    const fn of(state: State<S, B, F>) -> Self {
        Self { state }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Forward { inner, finish } => {
                    // Before the inner service: an answer that is ready only after the session's
                    // end must not leave.
                    match finish.poll_again(cx) {
                        Some(response) => State::Refuse(Some(response)),
                        None => match within(finish.handling(), || inner.poll(cx)) {
                            Poll::Ready(response) => {
                                let mut response = response?;
                                let guard = finish.guard();
                                mem::take(finish).write_to(&mut response);
                                let ending = guard.map(|guard| Ending::of(&response, guard));
                                let response =
                                    response.map(|body| ResponseBody::inner(body, ending));
                                return Poll::Ready(Ok(response));
                            }
                            Poll::Pending => match finish.poll(cx) {
                                Some(response) => State::Refuse(Some(response)),
                                None => return Poll::Pending,
                            },
                        },
                    }
                }
                StateProj::Refuse(response) => {
                    return Poll::Ready(Ok(once(response).map(ResponseBody::own)));
                }
                StateProj::Flow(step) => {
                    let response = ready!(step.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                StateProj::Collect(collect) => ready!(collect.poll(cx)),
                StateProj::Wait(wait) => ready!(poll_wait(wait, cx)),
            };
            state.set(next);
        }
    }
}

/// Polls a handler, as one that works for a request with a session.
fn within<T>(handling: Option<Handling>, poll: impl FnOnce() -> T) -> T {
    let polled = poll();
    drop(handling);
    polled
}

impl<B: Body> Collect<B> {
    /// Reads the form, and returns the state that follows.
    fn poll<S, F>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State<S, B, F>> {
        let mut this = self.project();
        let read = loop {
            let Poll::Ready(frame) = this.body.as_mut().poll_frame(cx) else {
                // The timer starts with the first wait: a form that arrives in one piece costs
                // none.
                let limit = this
                    .limit
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(FORM_TIMEOUT)));
                ready!(limit.as_mut().poll(cx));
                break Err(RejectionKind::TooSlow);
            };
            match frame {
                Some(Ok(frame)) => {
                    // Trailers are not part of a form.
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    // Counted as it arrives: a chunked body states no length, and a stated one may
                    // be false.
                    if data.remaining() > this.longest.saturating_sub(this.form.len()) {
                        break Err(RejectionKind::TooLarge);
                    }
                    bytes::BufMut::put(this.form, data);
                }
                Some(Err(_)) => break Err(RejectionKind::Malformed),
                None => break Ok(mem::take(this.form).freeze()),
            }
        };
        let mut step = once(this.step);
        Poll::Ready(match read {
            // In HTTP/2 a body need not be announced in the head. Without a content type, nothing
            // says that it is a form.
            Ok(form)
                if !form.is_empty() && !step.parts.headers.contains_key(header::CONTENT_TYPE) =>
            {
                State::Refuse(Some(flow::refuse_form(
                    &step,
                    RejectionKind::UnsupportedMediaType,
                )))
            }
            Ok(form) => {
                step.form = form;
                State::Flow(Box::pin(flow::take(*step)))
            }
            Err(kind) => State::Refuse(Some(flow::refuse_form(&step, kind))),
        })
    }
}

/// Waits for the revocation store, and then for the application if it is to be asked. Returns the
/// state that follows.
fn poll_wait<S, B, R>(
    wait: &mut Option<Box<Wait<S, B>>>,
    cx: &mut Context<'_>,
) -> Poll<State<S, B, S::Future>>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    let mut waiting = once(wait);
    let answer = loop {
        let polled = match &mut waiting.on {
            On::Store(lookup) => lookup.as_mut().poll(cx).map(|answer| (None, answer)),
            On::Word(word) => word
                .as_mut()
                .poll(cx)
                .map(|(admission, answer)| (Some(admission), answer)),
        };
        let Poll::Ready((admission, answer)) = polled else {
            *wait = Some(waiting);
            return Poll::Pending;
        };
        if let Some(admission) = admission {
            waiting.admission = admission;
            break answer;
        }
        let (shared, now) = (&waiting.shared, waiting.now);
        match shared.reauthorize(&waiting.admission, &answer, now) {
            Some(word) => waiting.on = On::Word(word),
            None => break answer,
        }
    };
    let Wait {
        mut inner,
        mut request,
        admission,
        exposure,
        now,
        shared,
        ..
    } = *waiting;
    Poll::Ready(
        match shared.settle(&mut request, admission, exposure, answer, now) {
            Ok(finish) => State::Forward {
                inner: inner.call(request),
                finish,
            },
            Err(rejection) => {
                let head = RequestHead::of(&request);
                State::Refuse(Some(shared.refuse(rejection, &head)))
            }
        },
    )
}

impl<S, B, F> fmt::Debug for ResponseFuture<S, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Collect(_) => "ResponseFuture::Collect",
            State::Flow(_) => "ResponseFuture::Flow",
            State::Forward { .. } => "ResponseFuture::Forward",
            State::Refuse(_) => "ResponseFuture::Refuse",
            State::Wait(_) => "ResponseFuture::Wait",
        })
    }
}
