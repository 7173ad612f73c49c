//! The suite that the crate exports, run as the author of a provider runs it.

use tower_magic_link::{
    provider::{IdentityProvider, MailedLinks},
    testing::suite::{self, Report},
};
use tower_magic_link_provider_suite::OurAccounts;

async fn report_of<P: IdentityProvider>(make: impl Fn() -> P) -> Report {
    let report = suite::provider::run(async |world| {
        // The cases of expiry run because the provider goes by the clock that the suite sets.
        let _ = world.clock();
        make()
    });
    report.await
}

/// Neither mails anything itself, and neither has organizations. All other cases must hold.
fn holds_but_for_mail_and_organizations(report: &Report) {
    report.assert();
    let of_these = |case: &&str| {
        let parts = [
            "the provider mails",
            "choice",
            "several organizations",
            "denies having",
        ];
        parts.iter().any(|part| case.contains(part)) || case.contains("mailed by the provider")
    };
    let others: Vec<_> = report.skipped().filter(|case| !of_these(case)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(report.held().count() >= 20, "{report}");
}

#[tokio::test]
async fn a_provider_of_an_applications_own_passes() {
    holds_but_for_mail_and_organizations(&report_of(OurAccounts::default).await);
}

#[tokio::test]
async fn the_layers_own_mail_passes() {
    holds_but_for_mail_and_organizations(&report_of(MailedLinks::new).await);
}
