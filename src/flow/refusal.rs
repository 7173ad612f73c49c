//! Answers for steps that end in a refusal.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, Version, header};

use super::{attempt::Attempt, fields::Fields, sealed, step::Step};
use crate::{
    event::Event,
    page::{Resend, Sent},
    provider::{ProviderError, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
    request::head::RequestHead,
    session::{Term, seal::Purpose},
    shared::Shared,
    site::{endpoint::Endpoint, return_to::ReturnTo},
};

pub(super) fn refuse(step: &Step, kind: RejectionKind) -> Response<Bytes> {
    answer(step, Rejection::new(kind), None)
}

/// Answers a request whose form was not read to its end.
pub(crate) fn refuse_form(step: &Step, kind: RejectionKind) -> Response<Bytes> {
    let mut response = refuse(step, kind);
    // A 408 should close the connection (RFC 9110, section 15.5.9). HTTP/2 ends the stream instead,
    // and forbids this field (RFC 9113, section 8.2.2).
    if kind == RejectionKind::TooSlow && step.parts.version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Answers with a refusal. With the attempt, the person need not type the address again.
pub(super) fn answer(
    step: &Step,
    rejection: Rejection,
    attempt: Option<&Attempt>,
) -> Response<Bytes> {
    let kind = rejection.kind();
    match attempt {
        Some(attempt) => step.tell_of(attempt, &Event::Refused { kind }),
        None => step.tell(&Event::Refused { kind }),
    }
    let return_to = match attempt {
        Some(attempt) => sealed::return_to_of(step, attempt),
        None => asked_for(&step.flow.shared, &step.head()),
    };
    let action = step.flow.shared.gate.login_path(return_to.as_ref());
    // The next mail keeps the chosen term and the fragment. It needs no wait, because this one may
    // not have been sent.
    let before = attempt
        .filter(|attempt| attempt.keeps_fragment || attempt.term == Term::Remembered)
        .map(|attempt| {
            let bare = attempt.with_link("").with_tail("").past_its_wait();
            let nonce = crate::random::bytes();
            sealed::seal_or_shorten(&step.flow, &bare, Purpose::Check, nonce).0
        });
    // Another mail does not help if the address is refused, or if the same proof will work in a
    // moment. In that case the page leads back to it.
    let brings_proof = matches!(
        step.endpoint,
        Endpoint::Callback | Endpoint::Code | Endpoint::Open
    );
    let kind = rejection.kind();
    let wait = rejection
        .retry_after()
        .filter(|_| kind == RejectionKind::RateLimited);
    let late = attempt
        .zip(wait)
        .filter(|_| brings_proof)
        .and_then(|(attempt, wait)| too_late_after(step, attempt, wait));
    let is_good_later = brings_proof && kind.is_temporary() && late.is_none();
    let is_in_vain = kind.wants_another_address() || is_good_later;
    // Mails have limits of their own. Where a new one has a code alone, it waits as long.
    let is_of_mails = matches!(step.endpoint, Endpoint::Login) || late == Some(Late::OnlyCode);
    let resend = attempt.filter(|_| !is_in_vain).map(|attempt| {
        Resend::new(&action, attempt.email.as_str())
            .with_attempt(before.as_deref())
            .with_sent(step.flow.sent())
            .with_wait(wait.filter(|_| is_of_mails))
    });
    let rejection = match late {
        Some(Late::Code) => rejection.too_late(RejectionKind::TooManyTries),
        Some(Late::Mail) => rejection.too_late(RejectionKind::AttemptExpired),
        Some(Late::OnlyCode) | None => rejection,
    };
    rejection.respond_at_endpoint(&step.flow.shared, &step.head(), &action, resend)
}

/// What will be too old by the end of a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Late {
    /// All of the mail.
    Mail,
    /// The code of a mail whose link is still good.
    Code,
    /// The code, and there are no links.
    OnlyCode,
}

/// Says what will be too old by the end of a wait, if what was brought will be.
fn too_late_after(step: &Step, attempt: &Attempt, wait: Duration) -> Option<Late> {
    let flow = &step.flow;
    let is_over = |lifetime, now| {
        let late = RejectionKind::AttemptExpired;
        attempt.over(lifetime, late, now).is_some()
    };
    if step.endpoint != Endpoint::Code {
        return is_over(flow.attempt_lifetime(), step.now + wait).then_some(Late::Mail);
    }
    is_over(flow.code_lifetime, step.now + wait).then(|| match attempt.sent {
        Sent::Code => Late::OnlyCode,
        _ if is_over(flow.link_lifetime, step.now) => Late::Mail,
        _ => Late::Code,
    })
}

/// Returns where the person wants to go, if it is the form that is refused. The head says it, so it
/// is known of a form that was not read, too.
pub(crate) fn asked_for(shared: &Shared, head: &RequestHead<'_>) -> Option<ReturnTo> {
    let gate = &shared.gate;
    if gate.endpoint(head) != Some(Endpoint::Login) {
        return None;
    }
    let query = Fields::of_query(head.original_uri().query()).ok()?;
    ReturnTo::parse(query.one("return_to").ok()??, &gate.mount)
}

/// Returns the rejection for a failed redemption. If the proof may be used up, the person is not
/// told to try it again.
pub(super) fn rejection_of_redemption(error: &ProviderError) -> Rejection {
    let rejection = match error.may_have_acted() {
        // Without the provider's wait: a new mail need not wait for it.
        true => Rejection::new(RejectionKind::ProviderAnswerLost),
        false => rejection_of(error),
    };
    match error.has_compared() {
        true => rejection.after_comparing(),
        false => rejection,
    }
}

/// Says whether a redemption failed at the provider, by nothing that the person brought.
pub(super) fn is_an_outage(rejection: &Rejection) -> bool {
    rejection.kind().is_temporary() || rejection.kind() == RejectionKind::ProviderAnswerLost
}

/// Returns the rejection for a provider's failure.
pub(super) fn rejection_of(error: &ProviderError) -> Rejection {
    let kind = match error.kind() {
        ProviderErrorKind::Address => RejectionKind::ProviderRefusedAddress,
        ProviderErrorKind::CodeExpired => RejectionKind::CodeExpired,
        ProviderErrorKind::CodeUsed => RejectionKind::CodeUsed,
        ProviderErrorKind::CodeWrong => RejectionKind::CodeWrong,
        ProviderErrorKind::InvalidAnswer => RejectionKind::ProviderFailed,
        ProviderErrorKind::Misconfigured | ProviderErrorKind::Unsupported => {
            RejectionKind::ProviderMisconfigured
        }
        ProviderErrorKind::NotAllowed => RejectionKind::NotAllowed,
        // A choice that can be made is offered before it comes to this.
        ProviderErrorKind::OrganizationRequired | ProviderErrorKind::StepUpRequired => {
            return Rejection::new(RejectionKind::StepUpRequired).with_step(error.code());
        }
        ProviderErrorKind::RateLimited => RejectionKind::RateLimited,
        ProviderErrorKind::Refused => RejectionKind::LinkUsed,
        ProviderErrorKind::TooManyTries => RejectionKind::TooManyTries,
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable => {
            RejectionKind::ProviderUnavailable
        }
        ProviderErrorKind::WrongConnection => RejectionKind::WrongConnection,
    };
    Rejection::new(kind).with_retry_after(error.retry_after())
}
