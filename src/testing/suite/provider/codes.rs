//! Signing in by a code that is typed.

use std::{error::Error, time::Duration};

use futures_util::future::join_all;

use super::{
    desk::{Desk, Digits, ada, eve},
    trial::Trial,
};
use crate::{
    provider::{Delivery, OneTimeCode, ProviderError, ProviderErrorKind, SignInMethod},
    testing::suite::report::{Miss, Outcome, same},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Returns six digits that are not the code.
fn other_than(code: &OneTimeCode, by: u32) -> OneTimeCode {
    let number: u32 = code.expose().parse().unwrap_or_default();
    OneTimeCode::new(format!("{:06}", (number + by) % 1_000_000))
}

pub(super) async fn both_or_neither<T: Trial>(desk: Desk<T>) -> Outcome {
    let attempt = desk.attempt();
    let starts = match desk.start_code(&attempt, &ada(), Delivery::Mailer).await {
        Ok(_) => true,
        Err(Miss::Skipped(_)) => false,
        Err(miss) => return Err(miss),
    };
    let finished = desk
        .typed(&attempt, &ada(), &OneTimeCode::new("000000"))
        .await;
    let unsupported = |error: ProviderError| error.kind() == ProviderErrorKind::Unsupported;
    let finishes = !finished.is_err_and(unsupported);
    same("it redeems codes", &finishes, &starts)
}

pub(super) async fn six_digits<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { code, lifetime, .. } = desk.digits(&ada()).await?;
    let code = code.expose();
    let is_digits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    same("six digits", &is_digits, &true)?;
    if lifetime < SECOND || lifetime > HOUR {
        return Err(Miss::failed("minutes", format_args!("{lifetime:?}")));
    }
    Ok(())
}

pub(super) async fn as_said<T: Trial>(desk: Desk<T>) -> Outcome {
    let said = desk.code_lifetime();
    let Digits { lifetime, .. } = desk.digits(&ada()).await?;
    // A provider that answers with a date counts from a moment before.
    if lifetime + SECOND < said {
        return Err(Miss::failed(
            &format!("{said:?} at least"),
            format_args!("{lifetime:?}"),
        ));
    }
    Ok(())
}

pub(super) async fn its_address<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    let identity = desk.typed(&attempt, &ada(), &code).await;
    let identity = identity.map_err(|error| Miss::failed("an identity", error))?;
    same("the address", identity.email(), &ada())?;
    same("the method", &identity.method(), &SignInMethod::MagicAuth)?;
    same("no subject", &identity.subject().is_empty(), &false)
}

pub(super) async fn another_address<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    let mut others = desk.digits(&eve()).await?;
    // By chance both have the same one.
    while others.code == code {
        others = desk.digits(&eve()).await?;
    }
    let what = "another's code";
    desk.typed_in_vain(what, &others.attempt, &eve(), &code)
        .await?;
    // In its own attempt neither.
    desk.typed_in_vain(what, &attempt, &eve(), &code).await
}

pub(super) async fn once<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    let first = desk.typed(&attempt, &ada(), &code).await;
    first.map_err(|error| Miss::failed("an identity", error))?;
    desk.typed_in_vain("a used code", &attempt, &ada(), &code)
        .await
}

pub(super) async fn once_at_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    let email = ada();
    let together = join_all((0..8).map(|_| desk.typed(&attempt, &email, &code))).await;
    let signed_in = together.iter().filter(|got| got.is_ok()).count();
    same("how many succeed", &signed_in, &1)
}

pub(super) async fn wrong<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    let wrong = other_than(&code, 1);
    desk.typed_in_vain("a wrong code", &attempt, &ada(), &wrong)
        .await
}

pub(super) async fn twenty_tries<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    for by in 1..=20 {
        let wrong = desk.typed(&attempt, &ada(), &other_than(&code, by)).await;
        same("a wrong code signs in", &wrong.is_ok(), &false)?;
    }
    let right = desk.typed(&attempt, &ada(), &code).await;
    same("the right code signs in", &right.is_ok(), &false)
}

pub(super) async fn lost_answer<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits { attempt, code, .. } = desk.digits(&ada()).await?;
    desk.lose_next_answer().await?;
    match desk.typed(&attempt, &ada(), &code).await {
        Err(error) if error.may_have_acted() => Ok(()),
        Err(_) => {
            let identity = desk.typed(&attempt, &ada(), &code).await;
            let identity = identity.map(drop);
            identity.map_err(|error| Miss::failed("an identity", error))
        }
        Ok(_) => Err(Miss::failed("no answer", "an identity")),
    }
}

pub(super) async fn in_time<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits {
        attempt,
        code,
        lifetime,
    } = desk.digits(&ada()).await?;
    desk.pass(lifetime.saturating_sub(SECOND))?;
    let identity = desk.typed(&attempt, &ada(), &code).await;
    identity
        .map(drop)
        .map_err(|error| Miss::failed("an identity", error))
}

pub(super) async fn too_late<T: Trial>(desk: Desk<T>) -> Outcome {
    let Digits {
        attempt,
        code,
        lifetime,
    } = desk.digits(&ada()).await?;
    desk.pass(lifetime + SECOND)?;
    desk.typed_in_vain("a code of before", &attempt, &ada(), &code)
        .await
}

pub(super) async fn not_handed_over<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.mails()?;
    let attempt = desk.attempt();
    let delivery = Delivery::Provider;
    let started = desk.start_code(&attempt, &ada(), delivery).await?;
    same("a code is left", &started.code().is_some(), &false)
}

pub(super) async fn mailed<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.mails()?;
    desk.outbox().await?;
    let attempt = desk.attempt();
    desk.start_code(&attempt, &ada(), Delivery::Provider)
        .await?;
    let mail = desk.mail_to(&ada()).await?;
    let code = mail
        .code
        .ok_or(Miss::failed("a code in the mail", "none"))?;
    let identity = desk.typed(&attempt, &ada(), &code).await;
    let identity = identity.map_err(|error| Miss::failed("an identity", error))?;
    same("the address", identity.email(), &ada())
}

pub(super) async fn nothing_mailed<T: Trial>(desk: Desk<T>) -> Outcome {
    desk.outbox().await?;
    desk.link(&ada()).await?;
    match desk.digits(&ada()).await {
        Ok(_) | Err(Miss::Skipped(_)) => {}
        Err(miss) => return Err(miss),
    }
    let mails = desk.outbox().await?.len();
    same("how many mails the provider has sent", &mails, &0)
}

/// Returns all that an error prints, and what it comes from.
fn printed(error: &ProviderError) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error} {error:?} {error:#?}\n"));
        next = error.source();
    }
    text
}

pub(super) async fn prints_nothing<T: Trial>(desk: Desk<T>) -> Outcome {
    let proof = desk.invented(ada());
    let mut errors = Vec::new();
    errors.extend(desk.redeem(&proof).await.err());
    let (attempt, typed) = match desk.digits(&ada()).await {
        Ok(right) => (right.attempt, other_than(&right.code, 1)),
        Err(Miss::Skipped(_)) => (desk.attempt(), OneTimeCode::new("427518")),
        Err(miss) => return Err(miss),
    };
    errors.extend(desk.typed(&attempt, &ada(), &typed).await.err());
    for error in errors {
        let printed = printed(&error);
        for secret in [proof.code.expose(), typed.expose(), ada().as_str()] {
            if printed.contains(secret) {
                let found = format_args!("one that prints {secret:?}");
                return Err(Miss::failed("an error without codes and addresses", found));
            }
        }
    }
    Ok(())
}
