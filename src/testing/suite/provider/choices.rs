//! Choosing one of several organizations, after a code or a link.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    desk::{Desk, ada},
    trial::Trial,
};
use crate::{
    provider::{
        FinishChoice, Identity, IdentityProvider, Organization, OrganizationChoice, PendingToken,
        ProviderError, ProviderErrorKind,
    },
    testing::suite::report::{Miss, Outcome, same},
};

const HOUR: Duration = Duration::from_secs(3_600);
const FIRST: &str = "org_01A";
const SECOND: &str = "org_01B";
const IDS: [&str; 2] = [FIRST, SECOND];

/// Makes Ada a member of two organizations and proves her address, by a code if there are codes.
async fn asked<T: Trial>(desk: &Desk<T>) -> Outcome<OrganizationChoice> {
    for id in IDS {
        let joined = desk.trial.join(&ada(), Organization::new(id, "One")).await;
        joined.ok_or(Miss::Skipped("the trial makes nobody join an organization"))?;
    }
    let proven = match desk.digits(&ada()).await {
        Ok(digits) => desk.typed(&digits.attempt, &ada(), &digits.code).await,
        Err(Miss::Skipped(_)) => {
            let code = desk.proof(&ada()).await?;
            desk.redeem(&code).await
        }
        Err(miss) => return Err(miss),
    };
    let Err(error) = proven else {
        return Err(Miss::failed("a choice", "an identity"));
    };
    let kind = error.kind();
    same("the kind", &kind, &ProviderErrorKind::OrganizationRequired)?;
    let choice = error.choice().cloned();
    let choice = choice.ok_or(Miss::failed("a choice", "none"))?;
    let ids: Vec<_> = choice
        .organizations()
        .iter()
        .map(Organization::id)
        .collect();
    same("the organizations", &ids.as_slice(), &IDS.as_slice())?;
    Ok(choice)
}

async fn finish<T: Trial>(
    desk: &Desk<T>,
    pending: &PendingToken,
    organization: &str,
) -> Result<Identity, ProviderError> {
    // The provider knows by the token what it has proven.
    let attempt = desk.attempt();
    let finish = FinishChoice::new(attempt.show(), pending, organization);
    desk.trial.provider().finish_choice(&finish).await
}

async fn choose<T: Trial>(
    desk: &Desk<T>,
    pending: &PendingToken,
    organization: &str,
) -> Result<Identity, ProviderErrorKind> {
    let chosen = finish(desk, pending, organization).await;
    chosen.map_err(|error| error.kind())
}

pub(super) async fn never_offered<T: Trial>(desk: Desk<T>) -> Outcome {
    let pending = PendingToken::new("pending_that_was_never_made");
    match choose(&desk, &pending, FIRST).await {
        Err(ProviderErrorKind::Refused | ProviderErrorKind::Unsupported) => Ok(()),
        Err(kind) => Err(Miss::failed("Refused or Unsupported", kind)),
        Ok(_) => Err(Miss::failed("Refused or Unsupported", "an identity")),
    }
}

pub(super) async fn the_chosen_one<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    let identity = choose(&desk, choice.pending(), SECOND).await;
    let identity = identity.map_err(|kind| Miss::failed("an identity", kind))?;
    same("the organization", &identity.organization(), &Some(SECOND))?;
    same("the address", identity.email(), &ada())
}

pub(super) async fn once<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    let first = choose(&desk, choice.pending(), SECOND).await;
    first.map_err(|kind| Miss::failed("an identity", kind))?;
    for id in IDS {
        let again = choose(&desk, choice.pending(), id).await.map(drop);
        same("a second time", &again, &Err(ProviderErrorKind::Refused))?;
    }
    Ok(())
}

pub(super) async fn once_at_once<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    let together = join_all((0..8).map(|_| choose(&desk, choice.pending(), FIRST))).await;
    let signed_in = together.iter().filter(|got| got.is_ok()).count();
    same("how many succeed", &signed_in, &1)
}

pub(super) async fn lost_answer<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    desk.lose_next_answer().await?;
    match finish(&desk, choice.pending(), SECOND).await {
        Err(error) if error.may_have_acted() => Ok(()),
        Err(_) => {
            let again = choose(&desk, choice.pending(), SECOND).await.map(drop);
            same("the same choice again", &again, &Ok(()))
        }
        Ok(_) => Err(Miss::failed("no answer", "an identity")),
    }
}

pub(super) async fn too_late<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    desk.pass(HOUR)?;
    let late = choose(&desk, choice.pending(), FIRST).await.map(drop);
    same(
        "a choice of before",
        &late,
        &Err(ProviderErrorKind::Refused),
    )
}

pub(super) async fn another_organization<T: Trial>(desk: Desk<T>) -> Outcome {
    let choice = asked(&desk).await?;
    let got = choose(&desk, choice.pending(), "org_01C").await.map(drop);
    same("another's", &got, &Err(ProviderErrorKind::NotAllowed))
}
