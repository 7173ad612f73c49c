//! The emulator as a service: read the body, find the endpoint, then fail or do the work.
//!
//! - Every answer has an `X-Request-Id` and a `Date`, even a fault's.
//! - A request counts once its body has been read, even if it fails afterwards.

use std::{
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use tokio::runtime::Handle;
use tower_service::Service;

use super::{
    AnswerBody, ConnectionCut, Emulator, Endpoint, Fault, SeenRequest,
    answer::{self, Answer},
    call::{self, Call},
    endpoint::Route,
    id, lock,
};

impl<B> Service<Request<B>> for Emulator
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<AnswerBody>;
    type Error = ConnectionCut;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectionCut>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionCut>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let emulator = self.clone();
        Box::pin(async move { emulator.answer(request).await })
    }
}

impl Emulator {
    pub(super) async fn answer<B: Body>(
        &self,
        request: Request<B>,
    ) -> Result<Answer, ConnectionCut> {
        let (head, body) = request.into_parts();
        let body = call::read(body).await;
        let route = Route::of(&head.method, head.uri.path());
        // Logged before any fault: a test must also see requests that hang or are cut.
        let request_id = lock(&self.shared.log).push(SeenRequest {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            body: body.as_ref().cloned().unwrap_or_default(),
            endpoint: route.endpoint(),
        });
        let mut answer = match (body, route) {
            (Err(bad), _) => bad.answer(),
            (Ok(body), Route::Endpoint(endpoint, id)) => {
                let call = Call {
                    id: &id,
                    headers: &head.headers,
                    body: &body,
                };
                self.fail_or_work(endpoint, &call).await?
            }
            (Ok(_), Route::Unknown) => answer::message(StatusCode::NOT_FOUND, "Not Found"),
            (Ok(_), Route::WrongMethod(allow)) => {
                let mut answer =
                    answer::message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                answer
                    .headers_mut()
                    // RFC 9110, section 15.5.6: a 405 lists the methods in `Allow`.
                    .insert(header::ALLOW, HeaderValue::from_static(allow));
                answer
            }
        };
        // RFC 9110, section 9.3.2: the headers of a GET, without its body.
        if head.method == Method::HEAD {
            answer = answer::empty(answer);
        }
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            answer.headers_mut().insert("x-request-id", request_id);
        }
        // By the emulator's clock, and not by that of the server in front.
        if let Ok(date) = HeaderValue::try_from(id::http_date(self.now())) {
            answer.headers_mut().insert(header::DATE, date);
        }
        Ok(answer)
    }

    async fn fail_or_work(
        &self,
        endpoint: Endpoint,
        call: &Call<'_>,
    ) -> Result<Answer, ConnectionCut> {
        let fault = lock(&self.shared.orders).next(endpoint);
        Ok(match fault {
            Some(Fault::Answer {
                status,
                content_type,
                body,
            }) => answer::new(status, &content_type, body),
            Some(Fault::Cut) => return Err(ConnectionCut),
            Some(Fault::CutBody) => answer::cut(self.work(endpoint, call)),
            Some(Fault::Delay(delay)) => {
                let wait = tokio::time::sleep(delay);
                self.wait_and_work(wait, endpoint, call).await?
            }
            Some(Fault::Hang) => pending().await,
            Some(Fault::Hold(hold)) => {
                let wait = async move { hold.pass().await };
                self.wait_and_work(wait, endpoint, call).await?
            }
            Some(Fault::HugeBody(spaces)) => answer::pad(self.work(endpoint, call), spaces),
            Some(Fault::InvalidJson) => answer::halve(self.work(endpoint, call)),
            Some(Fault::LostAnswer) => {
                self.work(endpoint, call);
                return Err(ConnectionCut);
            }
            Some(Fault::OldShape) => answer::without_optional(self.work(endpoint, call)),
            Some(Fault::RateLimited(retry_after)) => {
                let mut answer =
                    answer::message(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded.");
                let seconds = retry_after.as_secs().into();
                answer.headers_mut().insert(header::RETRY_AFTER, seconds);
                answer
            }
            Some(Fault::Redirect(location)) => answer::redirect(&location),
            Some(Fault::Status(status)) => answer_of(status),
            Some(Fault::StatusAfterWork(status)) => {
                self.work(endpoint, call);
                answer_of(status)
            }
            None => self.work(endpoint, call),
        })
    }

    /// Waits, then does the work, even if the client hangs up meanwhile: a server that answers too
    /// late has done it all the same.
    async fn wait_and_work(
        &self,
        wait: impl Future<Output = ()> + Send + 'static,
        endpoint: Endpoint,
        call: &Call<'_>,
    ) -> Result<Answer, ConnectionCut> {
        let emulator = self.clone();
        let (id, headers) = (call.id.to_owned(), call.headers.clone());
        let body = call.body.to_owned();
        let work = async move {
            wait.await;
            let call = Call {
                id: &id,
                headers: &headers,
                body: &body,
            };
            emulator.work(endpoint, &call)
        };
        // hyper drops a request's future when its client hangs up, but not a task.
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn(work).await.map_err(|_| ConnectionCut),
            Err(_) => Ok(work.await),
        }
    }

    fn work(&self, endpoint: Endpoint, call: &Call<'_>) -> Answer {
        match endpoint {
            Endpoint::Authenticate => self.authenticate(call),
            Endpoint::Confirm => self.confirm(call),
            Endpoint::Create => self.create(call),
            Endpoint::MagicAuth => self.magic_auth(call),
            Endpoint::MagicAuthCreate => self.create_magic_auth(call),
            Endpoint::Profile => self.profile(call),
            Endpoint::Send => self.send(call),
            Endpoint::Token => self.token(call),
        }
    }
}

fn answer_of(status: StatusCode) -> Answer {
    answer::message(status, status.canonical_reason().unwrap_or("Unknown"))
}
