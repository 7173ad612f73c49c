//! Calls the function that takes the step of each endpoint.

use std::pin::pin;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use tracing::Instrument;

use super::{
    apart::apart, asked::Asked, callback, check, choose, code, login, logout, open, refusal,
    session, step::Step,
};
use crate::{
    answer::answer_to,
    rejection::{Rejection, RejectionKind},
    site::endpoint::Endpoint,
};

/// Takes the step, in a span of its own. Every failure is a response, too.
pub(crate) async fn take(step: Step) -> Response<Bytes> {
    let span = step.span();
    // Pinned first: it is large, and the span's future would have it copied once more.
    let answer = pin!(answer(&step));
    let response = answer.instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        span.record("error.type", rejection.kind().code());
    }
    response
}

async fn answer(step: &Step) -> Response<Bytes> {
    let is_post = step.parts.method == Method::POST;
    let is_head = step.parts.method == Method::HEAD;
    let mut response = match step.endpoint {
        // Mail scanners send HEAD first. It changes nothing, and the answer reveals nothing.
        Endpoint::Callback | Endpoint::Open if is_head => Response::new(Bytes::new()),
        Endpoint::Callback => callback::callback(step).await,
        Endpoint::Check => check::check(step).await,
        Endpoint::Choose if is_post => choose::choose(step).await,
        Endpoint::Code if is_post => code::code(step).await,
        Endpoint::Choose | Endpoint::Code => code::back_to_check(step),
        Endpoint::Login if is_post => login::begin(step).await,
        Endpoint::Login => login::form(step).await,
        Endpoint::Logout if is_post => logout::end(step).await,
        Endpoint::Logout => logout::ask(step).await,
        Endpoint::Open => open::open(step).await,
        Endpoint::Session => session::who(step).await,
        Endpoint::Webhook => webhook(step).await,
    };
    let headers = response.headers_mut();
    // A cache would hand one person's page or cookie to another.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.append(header::VARY, step.flow.shared.gate.vary());
    answer_to(&step.parts.method, response)
}

/// Handles an event of the provider, if there is a webhook.
async fn webhook(step: &Step) -> Response<Bytes> {
    let Some(webhook) = &step.flow.webhook else {
        return refusal::refuse(step, RejectionKind::WebhookSignature);
    };
    let received = webhook.read(&step.parts.headers, &step.form, step.reading());
    let handled = match received {
        Ok(received) => {
            let (flow, asked, reading) =
                (step.flow.clone(), Asked::of_request(step), step.reading());
            // A sender that hangs up while the store waits has delivered the event all the same.
            let handled = apart(async move {
                let webhook = flow.webhook.as_ref()?;
                let context = asked.context(&flow);
                let handled = webhook.carry_out(&flow.shared, &received, context, reading);
                Some(handled.await)
            });
            // `None` when the runtime is shutting down: WorkOS delivers the event again.
            let handled = handled.await.flatten();
            handled.unwrap_or(Err(RejectionKind::StoreUnavailable))
        }
        Err(kind) => Err(kind),
    };
    handled.unwrap_or_else(|kind| refusal::answer(step, Rejection::new(kind), None))
}
