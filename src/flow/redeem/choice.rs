//! The choice of an organization as a part of an exchange: its one try, and its end.
//!
//! - A choice has one try at WorkOS. The exchange takes it, and not the request: a second press
//!   joins the exchange, and a browser that leaves changes nothing. What fails in passing gives the
//!   try back.
//! - A choice ends once: by its session, or because it was cancelled. Whichever comes first holds.

use std::sync::Arc;

use super::{PROVIDER_TIMEOUT, Proof, Redemption, late};
use crate::{
    clock::Timestamp,
    flow::{
        exchange::{Key, Person},
        limits::{self, Try, within},
        settings::{CODE_LIFETIME, Flow},
    },
    provider::{FinishChoice, OrganizationChoice, PendingToken, ProviderErrorKind},
    rejection::{Rejection, RejectionKind},
};

/// A choice that was offered: the provider's token for it, and when it is over.
pub(in crate::flow) struct Offered<'a> {
    pub(in crate::flow) pending: &'a PendingToken,
    pub(in crate::flow) until: Timestamp,
}

impl Offered<'_> {
    /// Takes the one try of the choice.
    pub(in crate::flow) async fn take_try(
        &self,
        flow: &Arc<Flow>,
        now: Timestamp,
    ) -> Result<Try, Rejection> {
        self.take_once(flow, b"choice", self.until, now).await
    }

    /// Ends the choice, unless it has ended.
    pub(in crate::flow) async fn end(
        &self,
        flow: &Arc<Flow>,
        now: Timestamp,
    ) -> Result<Try, Rejection> {
        // An exchange that began at the last moment may be under way until then.
        let until = self.until + CODE_LIFETIME;
        self.take_once(flow, b"end of a choice", until, now).await
    }

    async fn take_once(
        &self,
        flow: &Arc<Flow>,
        what: &[u8],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Try, Rejection> {
        let of = [what, self.pending.expose().as_bytes()].concat();
        let taken = limits::take_try(flow, &of, 1, until, now).await;
        taken.map_err(|rejection| match rejection.kind() {
            RejectionKind::TooManyTries => Rejection::new(RejectionKind::ChoiceExpired),
            _ => rejection,
        })
    }
}

impl Proof {
    /// Returns the choice that led here, if one did.
    pub(super) fn offered(&self) -> Option<Offered<'_>> {
        match self {
            Self::Choice { pending, until, .. } => Some(Offered {
                pending,
                until: *until,
            }),
            Self::Code(_) | Self::Link(_) => None,
        }
    }
}

impl Redemption {
    /// Makes the choice that a person has made, by its one try.
    pub(super) async fn choose_once(
        &self,
        offered: &Offered<'_>,
        organization: &str,
    ) -> Result<Person, Rejection> {
        let taken = offered.take_try(&self.flow, self.now).await?;
        let chosen = self.choose(offered.pending, organization).await;
        if chosen.is_err() {
            // Only what the provider has redeemed is spent, and it knows that by itself.
            taken.give_back().await;
        }
        chosen
    }

    /// Ends the choice that led here, if one did, because a session comes of it now.
    pub(super) async fn end_choice(&self, key: Key) -> Result<Option<Try>, Rejection> {
        let Some(offered) = self.proof.offered() else {
            return Ok(None);
        };
        let ended = offered.end(&self.flow, self.now).await;
        if matches!(&ended, Err(rejection) if rejection.kind() == RejectionKind::ChoiceExpired) {
            // It was cancelled meanwhile.
            self.flow.exchanges.forget_proven(key);
        }
        ended.map(Some)
    }

    /// Has the provider finish the sign-in in an organization. That uses the pending token up.
    pub(super) async fn choose(
        &self,
        pending: &PendingToken,
        organization: &str,
    ) -> Result<Person, Rejection> {
        let finish = FinishChoice::new(self.shown(), pending, organization);
        let chosen = within(PROVIDER_TIMEOUT, self.flow.provider.finish_choice(&finish)).await;
        let identity = match chosen.unwrap_or_else(late) {
            Ok(identity) => identity,
            Err(error) if error.kind() == ProviderErrorKind::Refused => {
                self.failed(&error);
                return Err(Rejection::new(RejectionKind::ChoiceExpired));
            }
            Err(error) => {
                let failed = self.failed(&error);
                return Err(match failed.kind() {
                    RejectionKind::NotAllowed => Rejection::new(self.not_allowed()),
                    _ => failed,
                });
            }
        };
        // A session of another organization would be one that nobody has chosen.
        if identity.organization() != Some(organization) {
            self.failed(&ProviderErrorKind::InvalidAnswer.into());
            return Err(Rejection::new(RejectionKind::ProviderFailed));
        }
        Ok(Person::Identified(identity))
    }

    /// Returns why an identity may not sign in. Of several organizations, a refusal is true of the
    /// chosen one alone.
    pub(super) const fn not_allowed(&self) -> RejectionKind {
        match self.proof {
            Proof::Choice { .. } => RejectionKind::OrganizationNotAllowed,
            Proof::Code(_) | Proof::Link(_) => RejectionKind::NotAllowed,
        }
    }

    /// Returns the choice among the organizations that may sign in.
    pub(super) fn acceptable(
        &self,
        choice: &OrganizationChoice,
    ) -> Result<OrganizationChoice, Rejection> {
        let allowed = &self.flow.shared.gate.allowed;
        let offered = choice.organizations().iter();
        let taken: Vec<_> = offered
            .filter(|organization| allowed.has_organization(Some(organization.id())))
            .cloned()
            .collect();
        if taken.is_empty() {
            return Err(Rejection::new(if allowed.organizations.is_empty() {
                RejectionKind::StepUpRequired
            } else {
                RejectionKind::NotAllowed
            }));
        }
        Ok(OrganizationChoice::new(choice.pending().clone(), taken))
    }
}
