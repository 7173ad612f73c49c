//! When the layer answers a request for mail, and by what: nothing in it depends on the address.
//!
//! - The answer comes a fixed time after the request. Work that is done sooner waits for it, and
//!   work that takes longer goes on without it.
//! - An outage and a wrong setting are the same for every address, so the page tells them. What an
//!   address alone causes looks like a mail that was sent: its domain is not taken, the provider
//!   refuses it, or its mail server does.
//! - Such an address does not show whether there is an outage, and neither does work that is not
//!   done. Both are answered by what the last other address has shown, for five minutes.
//! - The work is bounded in number, before the address is looked at.

use std::panic::resume_unwind;

use futures_util::FutureExt;
use tokio::{task::JoinError, time::sleep};

use super::{
    super::{
        attempt::Attempt,
        failure::Failed,
        limits,
        mailing::{Answering, Refund},
        step::Step,
    },
    mail_to,
};
use crate::{
    page::Sent,
    rejection::{Rejection, RejectionKind},
};

/// Makes and mails what the configured sign-in needs. Returns what the page says was sent.
pub(in crate::flow) async fn send(step: &Step, attempt: &Attempt) -> Result<Sent, Rejection> {
    let (flow, mailing) = (&step.flow, &step.flow.mailing);
    let wait = match mailing.answering() {
        Answering::After(time) => Some(sleep(time)),
        Answering::WhenDone => None,
    };
    // Before the domain is looked at, so that a refused address reaches the same limit by the same
    // number of tries.
    let spent = limits::limit_mail(step, &attempt.email).await?;
    let Some(room) = mailing.room() else {
        spent.give_back(flow).await;
        return Err(Rejection::new(RejectionKind::ProviderUnavailable));
    };
    let (own, attempt) = (step.detached(), attempt.clone());
    let work = tokio::spawn(async move {
        let shown = mail_to(&own, &attempt).await;
        let mailing = &own.flow.mailing;
        let refund = match &shown {
            Ok(sent) => {
                mailing.keep(Ok(*sent), own.now);
                Refund::NotDue
            }
            Err(Failed::Everybody(rejection, refund)) => {
                mailing.keep(Err((rejection.clone(), *refund)), own.now);
                *refund
            }
            // As for the address that has shown the outage: a limit that this one reaches sooner
            // would tell them apart.
            Err(Failed::Address) => match mailing.last(own.now) {
                Some(Err((_, refund))) => refund,
                Some(Ok(_)) | None => Refund::NotDue,
            },
        };
        if refund == Refund::Due {
            spent.give_back(&own.flow).await;
        }
        drop(room);
        shown
    });
    let done = match wait {
        Some(wait) => {
            wait.await;
            work.now_or_never()
        }
        None => Some(work.await),
    };
    let last = mailing.last(step.now);
    match done.map(or_panic) {
        Some(Ok(sent)) => Ok(sent),
        Some(Err(Failed::Everybody(rejection, _))) => Err(rejection),
        Some(Err(Failed::Address)) | None => match last {
            Some(shown) => shown.map_err(|(rejection, _)| rejection),
            None => Ok(flow.sent()),
        },
    }
}

/// Passes a panic of the provider's or the mailer's on to the application's handler.
fn or_panic(done: Result<Result<Sent, Failed>, JoinError>) -> Result<Sent, Failed> {
    done.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        // The runtime is shutting down.
        Err(_) => {
            let rejection = Rejection::new(RejectionKind::ProviderUnavailable);
            Err(Failed::Everybody(rejection, Refund::NotDue))
        }
    })
}
