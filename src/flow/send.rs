//! Makes and mails a link, a code, or both.
//!
//! - The layer requests link and code in parallel. If one fails, it mails the other alone.
//! - The work goes on by itself. Neither the bytes nor the time of the answer say anything about
//!   the address.
//! - The answer comes a fixed time after the request. Work that is done sooner waits for it, and
//!   work that takes longer goes on without it.
//! - An outage and a wrong setting are the same for every address, so the page tells them. What an
//!   address alone may cause looks like a mail that was sent: its domain is not taken, the provider
//!   refuses it or limits its mail, or its mail server refuses it.
//! - Such an address does not show whether there is an outage, and neither does work that is not
//!   done. Both are answered by what the last other address has shown, for five minutes.
//! - The work is bounded in number, before the address is looked at.
//! - An address that is not accepted gets no mail, and no page reveals that, not even by what it
//!   says was sent.

use std::panic::resume_unwind;

use futures_util::{FutureExt, future};
use tokio::{task::JoinError, time::sleep};
use tracing::Instrument;
use url::Url;

use super::{
    CODE_LIFETIME, SignIn,
    attempt::Attempt,
    callback,
    code::is_code,
    failure::Failed,
    lend, limits,
    mailing::{Answering, Refund},
    sealed,
    step::Step,
};
use crate::{
    event::Event,
    mailer::Mail,
    page::Sent,
    provider::{
        Delivery, Link, Made, ProviderErrorKind, Start, StartCode, StartedCode, attempt::Newest,
    },
    rejection::{Rejection, RejectionKind},
    session::seal::Purpose,
    site::endpoint::Endpoint,
};

/// The longest code for which a link of ours has room.
const LONGEST_CODE: usize = 200;

/// Makes and mails what the configured sign-in needs. Returns what the page says was sent.
pub(super) async fn send(step: &Step, attempt: &Attempt) -> Result<Sent, Rejection> {
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
    let work = async move {
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
            // While other mail goes out, the limit is this address's: as above.
            Err(Failed::Limited) => match mailing.last(own.now) {
                Some(Err((_, refund))) => refund,
                Some(Ok(_)) => Refund::NotDue,
                None => Refund::Due,
            },
        };
        if refund == Refund::Due {
            spent.give_back(&own.flow).await;
        }
        drop(room);
        shown
    };
    // It may outlive the request, and belongs to its span all the same.
    let work = tokio::spawn(work.in_current_span());
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
        Some(Err(Failed::Address | Failed::Limited)) | None => match last {
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

/// Makes and mails what the configured sign-in needs. Returns what was sent.
async fn mail_to(step: &Step, attempt: &Attempt) -> Result<Sent, Failed> {
    let flow = &step.flow;
    let email = &attempt.email;
    if !flow.shared.gate.allowed.has_domain(email.domain()) {
        step.tell_of(attempt, &Event::LinkWithheld { email });
        return Err(Failed::Address);
    }
    match flow.sign_in {
        SignIn::Link => {
            let link = start_link(step, attempt).await?;
            mail(step, attempt, link.as_ref(), None).await?;
            Ok(Sent::Link)
        }
        SignIn::Code => {
            let code = start_code(step, attempt).await?;
            mail(step, attempt, None, Some(&code)).await?;
            Ok(Sent::Code)
        }
        SignIn::LinkAndCode => {
            let both = future::join(start_link(step, attempt), start_code(step, attempt));
            match both.await {
                (Ok(link), Ok(code)) => {
                    mail(step, attempt, link.as_ref(), Some(&code)).await?;
                    Ok(Sent::LinkAndCode)
                }
                (Ok(link), Err(failed)) => {
                    mail(step, attempt, link.as_ref(), None).await?;
                    failed.or_sent(Sent::Link)
                }
                (Err(failed), Ok(code)) => {
                    mail(step, attempt, None, Some(&code)).await?;
                    failed.or_sent(Sent::Code)
                }
                (Err(link), Err(code)) => Err(link.and(code)),
            }
        }
    }
}

/// Requests the provider's link, and returns ours if we mail it.
async fn start_link(step: &Step, attempt: &Attempt) -> Result<Option<Link>, Failed> {
    let flow = &step.flow;
    let (state, _) = sealed::seal_or_shorten(step, attempt, Purpose::State);
    let redirect_uri = flow.shared.gate.absolute(&step.path(Endpoint::Callback));
    let caller = lend::caller(step);
    let shown = lend::show(flow, attempt, Newest::Newest, &caller, step.now);
    let start = Start::new(
        shown,
        &attempt.email,
        &redirect_uri,
        &state,
        flow.link_lifetime,
        delivery(step),
    );
    let started = flow.provider.start(&start).await;
    let started = started.map_err(|error| Failed::of_provider(step, attempt, &error))?;
    if flow.mailer.is_none() {
        return Ok(None);
    }
    let link = own_link(step, attempt, &started.into_made());
    let unusable = Rejection::new(RejectionKind::ProviderFailed);
    let unusable = Failed::Everybody(unusable, Refund::NotDue);
    link.map(Some).ok_or(unusable)
}

async fn start_code(step: &Step, attempt: &Attempt) -> Result<StartedCode, Failed> {
    let caller = lend::caller(step);
    let shown = lend::show(&step.flow, attempt, Newest::Newest, &caller, step.now);
    let start = StartCode::new(shown, &attempt.email, delivery(step));
    let started = step.flow.provider.start_code(&start).await;
    let started = started.and_then(|started| match started.code() {
        // The form takes six digits only, so no other code may be mailed.
        Some(code) if !is_code(code.expose()) => Err(ProviderErrorKind::InvalidAnswer.into()),
        _ => Ok(started),
    });
    started.map_err(|error| Failed::of_provider(step, attempt, &error))
}

/// Mails link and code, unless the provider does that itself.
async fn mail(
    step: &Step,
    attempt: &Attempt,
    link: Option<&Link>,
    code: Option<&StartedCode>,
) -> Result<(), Failed> {
    let flow = &step.flow;
    let email = &attempt.email;
    if let Some(mailer) = &flow.mailer {
        let language = step.language();
        let mut mail = Mail::new(email, step.reading().date())
            .with_application(flow.application_name.as_deref())
            .with_language(language.tag.as_deref())
            .with_words(&language.words);
        if let Some(link) = link {
            mail = mail.with_link(link, flow.link_lifetime);
        }
        if let Some((code, started)) = code.and_then(|started| Some((started.code()?, started))) {
            // The layer refuses a code after this time, even if WorkOS would accept it for longer.
            mail = mail.with_code(code, started.lifetime().min(CODE_LIFETIME));
        }
        mailer.send(&mail).await.map_err(|error| {
            let failed = Event::MailFailed {
                email,
                reason: error.reason(),
                status: error.status(),
            };
            step.tell_of(attempt, &failed);
            Failed::of_mailer(&error)
        })?;
    }
    step.tell_of(attempt, &Event::LinkSent { email });
    Ok(())
}

fn delivery(step: &Step) -> Delivery {
    match step.flow.mailer {
        Some(_) => Delivery::Mailer,
        None => Delivery::Provider,
    }
}

/// Seals the provider's link or code into a link of ours, with the destination if there is room.
/// `None` if there is neither, the link is no URL, the code is none, or either is too long to mail.
fn own_link(step: &Step, attempt: &Attempt, made: &Made) -> Option<Link> {
    let attempt = match made {
        Made::Code(code) => {
            let code = code.expose();
            let is_code = callback::is_code(code) && (1..=LONGEST_CODE).contains(&code.len());
            is_code.then(|| attempt.with_code(code))?
        }
        // In its parsed form, because the parser drops what a header cannot hold, such as a line
        // break at the end.
        Made::Link(link) => attempt.with_link(Url::parse(link.expose()).ok()?.as_str()),
        Made::Nothing => return None,
    };
    let (sealed, _) = sealed::seal_or_shorten(step, &attempt, Purpose::Open);
    if sealed.is_empty() {
        return None;
    }
    Some(Link::new(sealed::open_url(step, &sealed)))
}
