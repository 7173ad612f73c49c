//! Makes and mails a link, a code, or both.
//!
//! - The layer requests link and code in parallel. If one fails, it mails the other alone.
//! - The work goes on by itself. Neither the bytes nor the time of the answer say anything about
//!   the address. Only where the answer waits for the work anyway does it begin in the request.
//! - The answer comes a fixed time after the request. Work that is done sooner waits for it, and
//!   work that takes longer goes on without it.
//! - An outage and a wrong setting are the same for every address, so the page tells them. What an
//!   address alone may cause looks like a mail that was sent: its domain is not taken, the provider
//!   refuses it or limits its mail, or its mail server refuses it.
//! - Such an address does not show whether there is an outage, and neither does work that is not
//!   done. Both are answered by what the last other address has shown, for five minutes.
//! - A provider or a mailer that panics has failed. A panic that reached the host would be reported
//!   by no event, and would show for which addresses the two are called.
//! - The work is bounded in number, before the address is looked at.
//! - An address that is not accepted gets no mail, and no page reveals that, not even by what it
//!   says was sent.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future};
use tokio::{sync::OwnedSemaphorePermit, task::yield_now, time::sleep};
use tracing::Instrument;

use self::begun::{answered, code_of, delivery, link_of};
use super::{
    Flow, SignIn,
    apart::{apart, done},
    asked::Asked,
    attempt::Attempt,
    failure::Failed,
    lend,
    limits::{self, Spent},
    mailing::{Answering, Refund, Took, witness},
    sealed,
    step::Step,
};
use crate::{
    clock::Timestamp,
    event::Event,
    language::{Chosen, Words},
    mailer::Mail,
    page::Sent,
    provider::{
        Link, ProviderError, Start, StartCode, StartedCode,
        attempt::{Caller, Newest},
    },
    rejection::{Rejection, RejectionKind},
    session::seal::{NONCE, Purpose},
    site::endpoint::Endpoint,
};

mod begun;

/// One mail that is wanted. It is owned, because the work may outlive the request. What the host
/// keeps with the connection is not held on to.
struct Wanted {
    flow: Arc<Flow>,
    asked: Asked,
    attempt: Arc<Attempt>,
    caller: Caller,
    /// A random nonce, for the state.
    nonce: [u8; NONCE],
    now: Timestamp,
    words: Words,
}

/// Makes and mails what the configured sign-in needs. Returns what the page says was sent. The
/// nonce must be random.
pub(super) async fn send(
    step: &Step,
    attempt: &Arc<Attempt>,
    nonce: [u8; NONCE],
) -> Result<Sent, Rejection> {
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
    let Chosen { words, tag } = step.language();
    let wanted = Wanted {
        flow: flow.clone(),
        asked: Asked::of(step, attempt),
        attempt: attempt.clone(),
        caller: lend::caller(step, tag),
        nonce,
        now: step.now,
        words,
    };
    let work = wanted.carry_out(spent, room);
    let sent = match wait {
        Some(wait) => {
            // It begins behind the requests that are queued already. Begun at once, it would hold
            // up the next of them for as long as it computes. Requests that begin together are
            // answered together, and wait for each other then: an address without work was answered
            // 20 µs later than others.
            // It may outlive the request, and belongs to its span all the same.
            let work = work.in_current_span();
            let work = tokio::spawn(yield_now().then(|()| work));
            wait.await;
            let work = work.now_or_never();
            work.map(|work| done(work).unwrap_or_else(shut_down))
        }
        None => Some(apart(work).await.unwrap_or_else(shut_down)),
    };
    let last = mailing.last(step.now);
    match sent {
        Some(Ok(sent) | Err(Failed::Half(sent))) => Ok(sent),
        Some(Err(Failed::Everybody(rejection, _) | Failed::ThisMail(rejection))) => Err(rejection),
        Some(Err(Failed::Address | Failed::Limited)) | None => match last {
            Some(shown) => shown.map_err(|(rejection, _)| rejection),
            None => Ok(flow.sent()),
        },
    }
}

impl Wanted {
    fn tell(&self, event: &Event<'_>) {
        self.asked.tell_of(&self.flow, &self.attempt, event);
    }

    fn failed(&self, error: &ProviderError) -> Failed {
        Failed::of_provider(&self.flow, &self.attempt, error, |event| self.tell(event))
    }

    /// Makes and mails it, and gives the charges back if they are due. It has the room until then.
    async fn carry_out(self, spent: Spent, room: OwnedSemaphorePermit) -> Result<Sent, Failed> {
        let shown = mail_to(&self).await;
        let mailing = &self.flow.mailing;
        // It may have taken minutes. What it shows, it shows now.
        let now = self.flow.shared.clock.now();
        let took = Took {
            from: self.now,
            to: now,
        };
        let witness = witness(&self.flow.shared.gate.allowed, &self.attempt.email);
        // As for the address that has shown the outage, and as late: a limit that this one reaches
        // sooner or later would tell them apart.
        let as_the_last = mailing.refund(now);
        let (refund, after) = match &shown {
            Ok(sent) => {
                mailing.keep(Ok(*sent), took);
                (Refund::NotDue, Duration::ZERO)
            }
            Err(Failed::Everybody(rejection, refund)) => {
                mailing.keep(Err((rejection.clone(), *refund)), took);
                (*refund, Duration::ZERO)
            }
            Err(Failed::ThisMail(rejection)) => {
                let shown = Err((rejection.clone(), Refund::NotDue));
                mailing.doubt(shown, witness, took);
                (Refund::NotDue, Duration::ZERO)
            }
            Err(Failed::Half(sent)) => {
                mailing.doubt(Ok(*sent), witness, took);
                (Refund::NotDue, Duration::ZERO)
            }
            Err(Failed::Address) => as_the_last.unwrap_or((Refund::NotDue, Duration::ZERO)),
            // While other mail goes out, the limit is this address's: as above.
            Err(Failed::Limited) => as_the_last.unwrap_or((Refund::Due, Duration::ZERO)),
        };
        if refund == Refund::Due {
            if !after.is_zero() {
                sleep(after).await;
            }
            spent.give_back(&self.flow).await;
        }
        drop(room);
        shown
    }
}

/// Refuses when the runtime is shutting down.
fn shut_down() -> Result<Sent, Failed> {
    let rejection = Rejection::new(RejectionKind::ProviderUnavailable);
    Err(Failed::Everybody(rejection, Refund::NotDue))
}

/// Makes and mails what the configured sign-in needs. Returns what was sent.
async fn mail_to(wanted: &Wanted) -> Result<Sent, Failed> {
    let flow = &wanted.flow;
    let email = &wanted.attempt.email;
    if !flow.shared.gate.allowed.has_domain(email.domain()) {
        let reason = "domain";
        wanted.tell(&Event::LinkWithheld { email, reason });
        return Err(Failed::Address);
    }
    match flow.sign_in {
        SignIn::Link => {
            let link = start_link(wanted).await?;
            mail(wanted, link.as_ref(), None).await?;
            Ok(Sent::Link)
        }
        SignIn::Code => {
            let code = start_code(wanted).await?;
            mail(wanted, None, Some(&code)).await?;
            Ok(Sent::Code)
        }
        SignIn::LinkAndCode => {
            let both = future::join(start_link(wanted), start_code(wanted));
            match both.await {
                (Ok(link), Ok(code)) => {
                    mail(wanted, link.as_ref(), Some(&code)).await?;
                    Ok(Sent::LinkAndCode)
                }
                (Ok(link), Err(failed)) => {
                    mail(wanted, link.as_ref(), None).await?;
                    failed.or_sent(Sent::Link)
                }
                (Err(failed), Ok(code)) => {
                    mail(wanted, None, Some(&code)).await?;
                    failed.or_sent(Sent::Code)
                }
                (Err(link), Err(code)) => Err(link.and(code)),
            }
        }
    }
}

/// Requests the provider's link, and returns ours if we mail it.
async fn start_link(wanted: &Wanted) -> Result<Option<Link>, Failed> {
    let (flow, attempt) = (&wanted.flow, &*wanted.attempt);
    let (state, _) = sealed::seal_or_shorten(flow, attempt, Purpose::State, wanted.nonce);
    let gate = &flow.shared.gate;
    let redirect_uri = gate.absolute(&gate.path(Endpoint::Callback));
    let shown = lend::show(flow, attempt, Newest::Newest, &wanted.caller, wanted.now);
    let start = Start::new(
        shown,
        &attempt.email,
        &redirect_uri,
        &state,
        flow.link_lifetime,
        delivery(flow),
    );
    let started = answered(async { flow.provider.start(&start).await }).await;
    let link = started.and_then(|started| link_of(flow, attempt, started));
    link.map_err(|error| wanted.failed(&error))
}

async fn start_code(wanted: &Wanted) -> Result<StartedCode, Failed> {
    let (flow, attempt) = (&wanted.flow, &*wanted.attempt);
    let shown = lend::show(flow, attempt, Newest::Newest, &wanted.caller, wanted.now);
    let start = StartCode::new(shown, &attempt.email, delivery(flow));
    let started = answered(async { flow.provider.start_code(&start).await }).await;
    let code = started.and_then(|started| code_of(flow, started));
    code.map_err(|error| wanted.failed(&error))
}

/// Mails link and code, unless the provider does that itself.
async fn mail(
    wanted: &Wanted,
    link: Option<&Link>,
    code: Option<&StartedCode>,
) -> Result<(), Failed> {
    let flow = &wanted.flow;
    let email = &wanted.attempt.email;
    if let Some(mailer) = &flow.mailer {
        let mut mail = Mail::new(email, flow.shared.clock.at(wanted.now).date())
            .with_application(flow.application_name.as_deref())
            .with_language(wanted.caller.language.as_deref())
            .with_words(&wanted.words);
        if let Some(link) = link {
            mail = mail.with_link(link, flow.link_lifetime);
        }
        if let Some((code, started)) = code.and_then(|started| Some((started.code()?, started))) {
            // The page says how long codes are good, and the mail never says that it is longer.
            mail = mail.with_code(code, started.lifetime().min(flow.code_lifetime));
        }
        mailer.send(&mail).await.map_err(|error| {
            let failed = Event::MailFailed {
                email,
                is_of_recipient: error.is_of_recipient(),
                reason: error.reason(),
                status: error.status(),
            };
            wanted.tell(&failed);
            Failed::of_mailer(&error)
        })?;
    }
    wanted.tell(&Event::LinkSent { email });
    Ok(())
}
