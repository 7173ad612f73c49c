//! `MagicLink<S>`: reads the clock, asks the gate, and picks the response future's state.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    admit::Finish,
    body::ResponseBody,
    future::{Collect, On, ResponseFuture, Wait},
};
use crate::{answer::answer_to, flow::Flow};
use crate::{
    clock::Timestamp,
    event::Event,
    flow::{self, Step, webhook},
    gate::{Admission, Decision},
    rejection::Rejection,
    request::head::RequestHead,
    revocation::Lookup,
    session::cookie::CookieName,
    site::{endpoint::Endpoint, rules::Exposure},
};

/// A service behind email sign-in. [`MagicLinkLayer`](crate::MagicLinkLayer) makes it.
///
/// It hands permitted requests to the inner service, with the [`Session`](crate::Session) in their
/// extensions, and answers all others itself. The inner service's error type stays as it is,
/// because every failure of the layer is a response. The inner service is never called unready, and
/// is cloned only for a request that waits: for the revocation store, or for the application's word
/// on a renewal.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct MagicLink<S> {
    inner: S,
    flow: Arc<Flow>,
}

impl<S, B, R> Service<Request<B>> for MagicLink<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Read once, so that every rule judges the request by the same time.
        let now = self.flow.shared.clock.now();
        let head = RequestHead::of(&request);
        let reading = self.flow.shared.clock.at(now);
        let (admission, exposure) = match self.flow.shared.gate.decide(&head, reading) {
            Decision::Admit(admission) => (admission, Exposure::Protected),
            Decision::Pass(exposure, Some(admission)) => (admission, exposure),
            Decision::Pass(exposure, None) => return self.pass(request, exposure),
            Decision::Refuse(rejection) => return self.refuse(rejection, &head, now),
            Decision::RefuseStep(rejection) => return self.refuse_step(rejection, &head),
            Decision::Step(endpoint) => return self.step(request, endpoint, now),
        };
        // The request is moved only once it is known where to.
        match self.proceed(&mut request, admission, exposure, now) {
            Ok(finish) => ResponseFuture::forward(self.inner.call(request), finish),
            // The request's head says which audience to answer.
            Err(Held::Refused(rejection)) => {
                self.refuse(rejection, &RequestHead::of(&request), now)
            }
            Err(Held::Waits(on, admission)) => {
                // The service that was polled ready is the one to call; its clone waits for the
                // next request.
                let next = self.inner.clone();
                ResponseFuture::wait(Wait {
                    on,
                    inner: mem::replace(&mut self.inner, next),
                    request,
                    admission,
                    exposure,
                    now,
                    shared: self.flow.shared.clone(),
                })
            }
        }
    }
}

/// Why a request with a good token does not go on at once.
enum Held {
    Refused(Rejection),
    Waits(On, Admission),
}

impl<S> MagicLink<S> {
    pub(crate) const fn new(inner: S, flow: Arc<Flow>) -> Self {
        Self { inner, flow }
    }

    /// Settles a request by the revocation store's answer, at once unless the store must wait or
    /// the application is to be asked about a renewal.
    fn proceed<B>(
        &self,
        request: &mut Request<B>,
        admission: Admission,
        exposure: Exposure,
        now: Timestamp,
    ) -> Result<Finish, Held> {
        let shared = &self.flow.shared;
        let settled = match shared.revocations.look_up(&admission.session) {
            Lookup::Settled(settled) => settled,
            Lookup::Pending(lookup) => {
                let lookup = On::Store(shared.revocations.waiting(lookup));
                return Err(Held::Waits(lookup, admission));
            }
        };
        if let Some(word) = shared.reauthorize(&admission, &settled, now) {
            return Err(Held::Waits(On::Word(word), admission));
        }
        let settled = shared.settle(request, admission, exposure, settled, now);
        settled.map_err(Held::Refused)
    }

    fn pass<B, R>(
        &mut self,
        mut request: Request<B>,
        exposure: Exposure,
    ) -> ResponseFuture<S, B, S::Future>
    where
        S: Service<Request<B>, Response = Response<R>>,
    {
        let finish = self.flow.shared.pass(&mut request, exposure);
        ResponseFuture::forward(self.inner.call(request), finish)
    }

    fn refuse<B, F>(
        &self,
        rejection: Rejection,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> ResponseFuture<S, B, F> {
        let response = self.flow.shared.refuse(rejection, head);
        let status = response.status();
        self.flow.shared.look_at_refusal(head, status, now);
        ResponseFuture::refuse(response)
    }

    fn refuse_step<B, F>(
        &self,
        rejection: Rejection,
        head: &RequestHead<'_>,
    ) -> ResponseFuture<S, B, F> {
        self.flow.shared.look_at_step(head);
        let shared = &self.flow.shared;
        let (kind, context) = (rejection.kind(), shared.context(*head));
        shared.listener.tell_in(context, &Event::Refused { kind });
        if kind.is_lost_cookie() {
            let name = shared.gate.cookies().name(CookieName::Browser);
            let lost = Event::CookieLost { name, likely: kind };
            shared.listener.tell_in(context, &lost);
        }
        let return_to = flow::asked_for(shared, head);
        let login = shared.gate.login_path(return_to.as_ref());
        let response = rejection.respond_at_endpoint(shared, head, &login, None);
        ResponseFuture::refuse(answer_to(head.method(), response))
    }

    /// Takes a step of signing in or out, after collecting the form of a POST.
    fn step<B: Body, F>(
        &self,
        request: Request<B>,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> ResponseFuture<S, B, F> {
        let (parts, body) = request.into_parts();
        self.flow
            .shared
            .look_at_step(&RequestHead::of_parts(&parts));
        let has_form = parts.method == Method::POST;
        // Checked before the body is polled: a refused upload costs neither time nor memory.
        let form = match endpoint {
            _ if !has_form => Ok(()),
            Endpoint::Webhook => webhook::accept_head(&parts.headers),
            _ => flow::accept_form(&parts.headers),
        };
        if let Err(kind) = form {
            return self.refuse_step(Rejection::new(kind), &RequestHead::of_parts(&parts));
        }
        let step = Step::new(self.flow.clone(), endpoint, parts, now);
        if has_form {
            ResponseFuture::collect(Collect::new(body, step))
        } else {
            ResponseFuture::flow(step)
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for MagicLink<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MagicLink")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
