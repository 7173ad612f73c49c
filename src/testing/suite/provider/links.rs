//! Signing in by a link.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    desk::{Desk, LIFETIME, ada, eve},
    trial::Trial,
};
use crate::{
    provider::{Delivery, ProviderErrorKind, SignInMethod},
    testing::suite::report::{Miss, Outcome, same},
};

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn leads_back<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.proof(&ada()).await.map(drop)
}

pub(super) async fn its_address<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.proof(&ada()).await?;
    let identity = desk.finished(&code).await?;
    same("the address", identity.email(), &ada())?;
    same("the method", &identity.method(), &SignInMethod::MagicLink)?;
    same("no subject", &identity.subject().is_empty(), &false)
}

pub(super) async fn two_people<T: Trial>(desk: Desk<T>) -> Outcome {
    let codes = [desk.proof(&ada()).await?, desk.proof(&eve()).await?];
    for (code, email) in codes.iter().zip([ada(), eve()]).rev() {
        let identity = desk.finished(code).await?;
        same("the address", identity.email(), &email)?;
    }
    Ok(())
}

pub(super) async fn another_attempt<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.proof(&ada()).await?;
    // The state of an attempt at another address, with this code.
    match desk.finish(&desk.in_attempt_of(&code, eve())).await {
        Err(_) => Ok(()),
        Ok(identity) => same("the address", identity.email(), &ada()),
    }
}

pub(super) async fn same_subject<T: Trial>(desk: Desk<T>) -> Outcome {
    let mut subjects = Vec::new();
    for email in [ada(), eve(), ada()] {
        let code = desk.proof(&email).await?;
        let identity = desk.finished(&code).await?;
        subjects.push(identity.subject().to_owned());
    }
    let [first, others, again] = subjects.as_slice() else {
        return Err(Miss::failed("three subjects", subjects.len()));
    };
    same("the subject of a second sign-in", again, first)?;
    same("another has the subject", &(others == first), &false)
}

pub(super) async fn code_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.proof(&ada()).await?;
    desk.finished(&code).await?;
    let again = desk.finish(&code).await.map(drop);
    same("a second time", &again, &Err(ProviderErrorKind::Refused))
}

pub(super) async fn link_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let link = desk.link(&ada()).await?;
    let codes = [desk.follow(&link).await?, desk.follow(&link).await?];
    let mut signed_in = 0;
    for code in codes.into_iter().flatten() {
        signed_in += u32::from(desk.finish(&code).await.is_ok());
    }
    same("how often it signs in", &signed_in, &1)
}

pub(super) async fn once_at_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.proof(&ada()).await?;
    let together = join_all((0..8).map(|_| desk.finish(&code))).await;
    let signed_in = together.iter().filter(|got| got.is_ok()).count();
    same("how many succeed", &signed_in, &1)
}

pub(super) async fn never_made<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.invented(ada());
    let got = desk.finish(&code).await.map(drop);
    same("it", &got, &Err(ProviderErrorKind::Refused))
}

pub(super) async fn lost_answer<T: Trial>(desk: Desk<T>) -> Outcome {
    let code = desk.proof(&ada()).await?;
    desk.lose_next_answer().await?;
    match desk.redeem(&code).await {
        Err(error) if error.may_have_acted() => Ok(()),
        Err(_) => desk.finished(&code).await.map(drop),
        Ok(_) => Err(Miss::failed("no answer", "an identity")),
    }
}

pub(super) async fn in_time<T: Trial>(desk: Desk<T>) -> Outcome {
    let link = desk.link(&ada()).await?;
    desk.pass(LIFETIME - SECOND)?;
    let code = desk.follow(&link).await?;
    let code = code.ok_or(Miss::failed("a code", "none"))?;
    desk.finished(&code).await.map(drop)
}

pub(super) async fn too_late<T: Trial>(desk: Desk<T>) -> Outcome {
    let link = desk.link(&ada()).await?;
    desk.pass(LIFETIME + SECOND)?;
    let Some(code) = desk.follow(&link).await? else {
        return Ok(());
    };
    let got = desk.finish(&code).await.map(drop);
    same("a link of before", &got, &Err(ProviderErrorKind::Refused))
}

pub(super) async fn not_handed_over<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.mails()?;
    let attempt = desk.attempt();
    let started = desk.start(&attempt, &ada(), Delivery::Provider).await?;
    let is_left = started.link().is_some() || started.code().is_some();
    same("a link is left", &is_left, &false)
}

pub(super) async fn mailed<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.mails()?;
    desk.outbox().await?;
    let attempt = desk.attempt();
    let _ = desk.start(&attempt, &ada(), Delivery::Provider).await?;
    let mail = desk.mail_to(&ada()).await?;
    let link = mail
        .link
        .ok_or(Miss::failed("a link in the mail", "none"))?;
    let code = desk.follow_mailed(attempt, ada(), link).await?;
    let code = code.ok_or(Miss::failed("a code", "none"))?;
    let identity = desk.finished(&code).await?;
    same("the address", identity.email(), &ada())
}
