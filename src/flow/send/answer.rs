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

use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{sync::Semaphore, task::JoinError, time::sleep};

use super::{
    super::{attempt::Attempt, limits, step::Step},
    Failed, mail_to,
};
use crate::{
    clock::Timestamp,
    page::Sent,
    rejection::{Rejection, RejectionKind},
};

/// How many mails may be under way at once. By default 300 are asked for at once, and 10 a second
/// more, while the slowest takes a minute.
const MOST: usize = 1_024;
/// How long an address is answered by what another one has shown.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// When a request for mail is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answering {
    /// After this time, whatever has come of the work.
    After(Duration),
    /// When the work is done.
    WhenDone,
}

/// The mails under way, and what the last one has shown.
#[derive(Debug)]
pub(crate) struct Mailing {
    answering: Answering,
    room: Arc<Semaphore>,
    last: Mutex<Option<(Timestamp, Result<Sent, Rejection>)>>,
}

impl Mailing {
    pub(crate) fn new(answering: Answering) -> Self {
        Self {
            answering,
            room: Arc::new(Semaphore::new(MOST)),
            last: Mutex::default(),
        }
    }

    /// Keeps what work has shown, unless it was the address that showed it.
    fn keep(&self, shown: &Result<Sent, Failed>, now: Timestamp) {
        let shown = match shown {
            Ok(sent) => Ok(*sent),
            Err(Failed::Everybody(rejection)) => Err(rejection.clone()),
            Err(Failed::Address) => return,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, shown));
    }

    fn last(&self, now: Timestamp) -> Option<Result<Sent, Rejection>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, shown) = last.as_ref()?;
        (now < *at + REMEMBERED).then(|| shown.clone())
    }
}

/// Makes and mails what the configured sign-in needs. Returns what the page says was sent.
pub(in crate::flow) async fn send(step: &Step, attempt: &Attempt) -> Result<Sent, Rejection> {
    let (flow, mailing) = (&step.flow, &step.flow.mailing);
    let wait = match mailing.answering {
        Answering::After(time) => Some(sleep(time)),
        Answering::WhenDone => None,
    };
    // Before the domain is looked at, so that a refused address reaches the same limit by the same
    // number of tries.
    limits::limit_mail(step, &attempt.email).await?;
    let room = mailing.room.clone().try_acquire_owned();
    let room = room.map_err(|_| Rejection::new(RejectionKind::ProviderUnavailable))?;
    let (own, attempt) = (step.detached(), attempt.clone());
    let work = tokio::spawn(async move {
        let shown = mail_to(&own, &attempt).await;
        own.flow.mailing.keep(&shown, own.now);
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
        Some(Err(Failed::Everybody(rejection))) => Err(rejection),
        Some(Err(Failed::Address)) | None => last.unwrap_or(Ok(flow.sent())),
    }
}

/// Passes a panic of the provider's or the mailer's on to the application's handler.
fn or_panic(done: Result<Result<Sent, Failed>, JoinError>) -> Result<Sent, Failed> {
    done.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        // The runtime is shutting down.
        Err(_) => Err(Failed::Everybody(Rejection::new(
            RejectionKind::ProviderUnavailable,
        ))),
    })
}
