//! Providers.

use tower_magic_link::{
    Email,
    provider::{
        Finish, Identity, IdentityProvider, Organization, ProviderError, Start, Started,
        TwoProviders,
    },
    testing::{
        StubProvider,
        suite::{self, provider::Trial},
    },
};

use self::{
    emulated::Emulated,
    faulty::{Fault, Faulty, Read},
};
use crate::{assert_fails, assert_holds};

mod emulated;
mod faulty;
mod own;

const PAGE: &str = include_str!("../../src/testing/suite/provider/mod.rs");

/// Mails nobody, and knows no time.
#[tokio::test]
async fn the_stub_passes_but_for_time_and_mail() {
    let report = suite::provider::run(async |_| StubProvider::new()).await;
    report.assert();
    let skipped: Vec<_> = report.skipped().collect();
    assert_eq!(
        skipped,
        [
            "an error that denies having redeemed a link leaves it good",
            "a link is good until its lifetime ends",
            "a link is refused after its lifetime",
            "a link that the provider mails reaches its address and proves it",
            "an error that denies having redeemed a typed code leaves it good",
            "a typed code is good until its lifetime ends",
            "a typed code is refused after its lifetime",
            "a code that the provider mails reaches its address and proves it",
            "what the layer is to mail is not mailed by the provider",
            "a person of several organizations signs in to the one that they chose",
            "a choice is good once",
            "of several choices at once one succeeds",
            "an error that denies having redeemed a choice leaves it good",
            "a choice is refused after an hour",
            "a choice of an organization of somebody else is refused",
        ],
        "{report}"
    );
}

/// The stub, with organizations.
struct Members(StubProvider);

impl Trial for Members {
    type Provider = StubProvider;

    fn provider(&self) -> &StubProvider {
        &self.0
    }

    async fn join(&self, email: &Email, organization: Organization) -> Option<()> {
        self.0.add_membership(email, organization);
        Some(())
    }

    async fn lose_next_answer(&self) -> bool {
        self.0.lose_next_answer();
        true
    }
}

/// Each half has the organizations, so that either may ask for a choice.
struct Both {
    both: TwoProviders<StubProvider, StubProvider>,
    halves: [StubProvider; 2],
}

impl Both {
    fn new(begins_at_fallback: fn(&Email) -> bool) -> Self {
        let halves = [StubProvider::new(), StubProvider::new()];
        let [primary, fallback] = halves.clone();
        let both = TwoProviders::new(primary, fallback).fallback_for(begins_at_fallback);
        Self { both, halves }
    }
}

impl Trial for Both {
    type Provider = TwoProviders<StubProvider, StubProvider>;

    fn provider(&self) -> &Self::Provider {
        &self.both
    }

    async fn join(&self, email: &Email, organization: Organization) -> Option<()> {
        for half in &self.halves {
            half.add_membership(email, organization.clone());
        }
        Some(())
    }
}

/// A provider made of two is a provider, wherever a sign-in begins.
#[tokio::test]
async fn two_providers_in_one_pass_at_either() {
    let routes: [fn(&Email) -> bool; 2] = [|_| false, |_| true];
    for route in routes {
        let report = suite::provider::run(async |_| Both::new(route)).await;
        report.assert();
        let stub = suite::provider::run(async |_| Members(StubProvider::new())).await;
        // The stub alone can lose an answer, for three cases.
        assert_eq!(report.held().count() + 3, stub.held().count(), "{report}");
    }
}

#[tokio::test]
async fn the_stub_knows_the_choice_of_an_organization() {
    let report = suite::provider::run(async |_| Members(StubProvider::new())).await;
    report.assert();
    let choices = report.held().filter(|case| case.contains("choice")).count();
    assert_eq!(choices, 5, "{report}");
}

/// Whether WorkOS mails codes is a setting of its environment, which has to be as the layer's is.
#[tokio::test]
async fn workos_passes_against_the_emulator_by_each_setting_of_mailed_codes() {
    let cases = [
        (
            false,
            "a code that the provider mails reaches its address and proves it",
        ),
        (
            true,
            "what the layer is to mail is not mailed by the provider",
        ),
    ];
    for (are_mailed, other) in cases {
        let report = suite::provider::run(async |world| Emulated::new(&world, are_mailed).await);
        let report = report.await;
        assert_fails(
            &format!("codes are mailed: {are_mailed}"),
            &report,
            &[other],
        );
        assert_eq!(report.skipped().count(), 0, "{report}");
    }
}

#[tokio::test]
async fn a_provider_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(&str, (Fault, &[&str])); 20] = [
        ("right", (Fault::None, &[])),
        (
            "whoever it is told",
            (
                Fault::BelievesTheAttempt,
                &[
                    "a code from a link proves no other address in another attempt",
                    "an error that denies having redeemed a link leaves it good",
                ],
            ),
        ),
        (
            "choices twice",
            (
                Fault::ChoicesAreGoodTwice,
                &[
                    "a choice is good once",
                    "of several choices at once one succeeds",
                ],
            ),
        ),
        (
            "choices for ever",
            (
                Fault::ChoicesNeverExpire,
                &["a choice is refused after an hour"],
            ),
        ),
        (
            "another than the chosen one",
            (
                Fault::ForgetsTheChoice,
                &["a person of several organizations signs in to the one that they chose"],
            ),
        ),
        (
            "any organization",
            (
                Fault::TakesAnyOrganization,
                &["a choice of an organization of somebody else is refused"],
            ),
        ),
        (
            "codes twice",
            (
                Fault::CodesAreGoodTwice,
                &[
                    "a typed code is good once",
                    "of several redemptions of one typed code at once one succeeds",
                ],
            ),
        ),
        (
            "short codes",
            (
                Fault::CodesEndEarly,
                &["a typed code lives for as long as the pages say"],
            ),
        ),
        (
            "codes for ever",
            (
                Fault::CodesNeverExpire,
                &["a typed code is refused after its lifetime"],
            ),
        ),
        (
            "denies it",
            (
                Fault::DeniesHavingActed,
                &[
                    "an error that denies having redeemed a link leaves it good",
                    "an error that denies having redeemed a typed code leaves it good",
                    "an error that denies having redeemed a choice leaves it good",
                ],
            ),
        ),
        (
            "no mail",
            (
                Fault::DropsMail,
                &[
                    "a link that the provider mails reaches its address and proves it",
                    "a code that the provider mails reaches its address and proves it",
                ],
            ),
        ),
        (
            "one identity",
            (
                Fault::GivesTheFirstIdentity,
                &[
                    "links of two people prove each their own address",
                    "a person has the same subject each time and nobody else has it",
                ],
            ),
        ),
        (
            "two mails",
            (
                Fault::HandsOverWhatItMailed,
                &[
                    "a link that the provider mails is not handed over",
                    "a code that the provider mails is not handed over",
                ],
            ),
        ),
        (
            "guesses for ever",
            (
                Fault::HasNoLimitOfTries,
                &["after twenty wrong tries the right code is refused"],
            ),
        ),
        (
            "links twice",
            (
                Fault::LinksAreGoodTwice,
                &[
                    "a code from a link is good once",
                    "a link signs in once",
                    "of several redemptions of one link at once one succeeds",
                ],
            ),
        ),
        (
            "links for ever",
            (
                Fault::LinksNeverExpire,
                &["a link is refused after its lifetime"],
            ),
        ),
        (
            "mails too much",
            (
                Fault::MailsWhatTheLayerMails,
                &["what the layer is to mail is not mailed by the provider"],
            ),
        ),
        (
            "a new subject each time",
            (
                Fault::MakesASubjectEachTime,
                &["a person has the same subject each time and nobody else has it"],
            ),
        ),
        (
            "an error that tells",
            (
                Fault::PrintsCodes,
                &["what an error prints holds no code and no address"],
            ),
        ),
        (
            "anybody's code",
            (
                Fault::ReadsTheCodeAlone,
                &[
                    "a typed code is refused for another address",
                    "after twenty wrong tries the right code is refused",
                ],
            ),
        ),
    ];
    for (name, (fault, failed)) in cases {
        let report = suite::provider::run(async |world| Read(Faulty::new(fault, &world))).await;
        assert_fails(name, &report, failed);
        if failed.is_empty() {
            assert_holds(&report, PAGE);
        }
    }
}

#[tokio::test]
async fn a_provider_that_loses_the_state_fails_wherever_a_link_is_followed() {
    let fault = Fault::LosesTheState;
    let report = suite::provider::run(async |world| Read(Faulty::new(fault, &world))).await;
    let told = report.to_string();
    let state = told.matches(": the state: expected").count();
    assert_eq!(state, report.failed().count(), "{report}");
    let first = "a link leads to the redirect URI with a code and the state";
    assert_eq!(report.failed().next(), Some(first));
}

/// A provider of links alone, as the port's defaults make it.
struct LinksAlone(StubProvider);

impl IdentityProvider for LinksAlone {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finish(finish).await
    }
}

#[tokio::test]
async fn a_provider_without_codes_skips_their_cases() {
    let report = suite::provider::run(async |_| LinksAlone(StubProvider::new())).await;
    report.assert();
    let held: Vec<_> = report.held().collect();
    assert!(held.contains(&"a provider without codes makes none and redeems none"));
    assert!(
        !held.iter().any(|case| case.contains("typed code")),
        "{report}"
    );
}
