//! The provider's answer when it begins a sign-in, held against what the layer asked for.
//!
//! - A provider that panics is taken for one that is away.
//! - With a mailer, the answer must have what the layer mails: a link or a code for a link of ours,
//!   or six digits.
//! - Without a mailer, the answer must have neither. The port says that what a provider hands over
//!   is left to the mailer, so nobody would mail it.

use std::{future::Future, panic::AssertUnwindSafe, pin::pin};

use futures_util::FutureExt;
use url::Url;

use crate::{
    flow::{
        Flow,
        attempt::Attempt,
        callback,
        code::is_code,
        limits::within,
        redeem::{PROVIDER_TIMEOUT, late},
        sealed,
    },
    provider::{Delivery, Link, Made, ProviderError, ProviderErrorKind, Started, StartedCode},
    session::seal::Purpose,
};

/// The longest code for which a link of ours has room.
const LONGEST_CODE: usize = 200;

/// Waits for the provider, at most for its time. The call must be made in the future, so that a
/// panic before the provider's own future is caught, too.
pub(super) async fn answered<T>(
    call: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    // A panic can leave only the provider's own state half done: what it borrows of ours does not
    // change.
    let call = pin!(AssertUnwindSafe(call).catch_unwind());
    match within(PROVIDER_TIMEOUT, call).await {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => {
            tracing::error!(target: "tower_magic_link", "the provider panicked");
            Err(ProviderErrorKind::Unavailable.into())
        }
        None => late(),
    }
}

/// Returns who mails.
pub(super) fn delivery(flow: &Flow) -> Delivery {
    match flow.mailer {
        Some(_) => Delivery::Mailer,
        None => Delivery::Provider,
    }
}

/// Returns our link, if we mail it.
pub(super) fn link_of(
    flow: &Flow,
    attempt: &Attempt,
    started: Started,
) -> Result<Option<Link>, ProviderError> {
    let made = started.into_made();
    let link = match delivery(flow) {
        Delivery::Mailer => own_link(flow, attempt, &made).map(Some),
        Delivery::Provider => matches!(made, Made::Nothing).then_some(None),
    };
    link.ok_or_else(|| ProviderErrorKind::InvalidAnswer.into())
}

/// Returns the code that was made, with its digits if we mail them.
pub(super) fn code_of(flow: &Flow, started: StartedCode) -> Result<StartedCode, ProviderError> {
    let is_as_asked = match delivery(flow) {
        // The form takes six digits only, so no other code may be mailed.
        Delivery::Mailer => started.code().is_some_and(|code| is_code(code.expose())),
        Delivery::Provider => started.code().is_none(),
    };
    match is_as_asked {
        true => Ok(started),
        false => Err(ProviderErrorKind::InvalidAnswer.into()),
    }
}

/// Seals the provider's link or code into a link of ours, with the destination if there is room.
/// `None` if there is neither, the link is no URL, the code is none, or either is too long to mail.
fn own_link(flow: &Flow, attempt: &Attempt, made: &Made) -> Option<Link> {
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
    let nonce = crate::random::bytes();
    let (sealed, _) = sealed::seal_or_shorten(flow, &attempt, Purpose::Open, nonce);
    if sealed.is_empty() {
        return None;
    }
    Some(Link::new(sealed::open_url(flow, &sealed)))
}
