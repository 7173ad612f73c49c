//! The steps that WorkOS asks for beside the code: each has a sentence of its own.

use tower_magic_link::{
    RejectionKind, SignIn,
    emulator::{EmulatedUser, Endpoint, Fault},
};

use super::{Begun, is_trouble};

const STEPS: [(&str, &str); 11] = [
    ("account_selection_required", "more than one account"),
    ("application_consent_required", "wants you to agree"),
    (
        "authentication_method_not_allowed",
        "doesn’t let this address",
    ),
    (
        "email_completion_required",
        "has no email address of its own",
    ),
    ("email_verification_required", "to be confirmed once"),
    ("mfa_challenge", "a second step, such as a code"),
    (
        "organization_selection_required",
        "more than one organization",
    ),
    ("passkey_progressive_enrollment", "to set up a passkey"),
    ("phone_number_required", "asks for a phone number"),
    ("radar_challenge", "looked unusual"),
    ("sso_required", "a sign-in page of its own"),
];

/// What WorkOS asks for is no wrong code: neither the code nor one of its five tries is spent.
#[tokio::test]
async fn each_step_that_workos_asks_for_is_told_in_its_own_words_and_spends_no_try() {
    let mut begun = Begun::new(SignIn::Code).await;
    let code = begun.post.code();
    for (step, words) in STEPS {
        let emulator = begun.world.emulator();
        emulator.order(Endpoint::Authenticate, Fault::step_up(step));
        let page = begun.type_code(&code).await;
        is_trouble(&page, 403, RejectionKind::StepUpRequired);
        let text = page.read();
        assert!(text.contains(words), "{step}: {text}");
        assert!(!text.contains(step), "no codes for people");
        let others = STEPS.iter().filter(|(other, _)| *other != step);
        for (_, others) in others {
            assert!(!text.contains(others), "{step}: {text}");
        }
    }
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
}

#[tokio::test]
async fn a_step_that_nobody_knows_has_the_words_of_the_kind() {
    let mut begun = Begun::new(SignIn::Code).await;
    let code = begun.post.code();
    let fault = Fault::step_up("a_step_of_tomorrow");
    begun.world.emulator().order(Endpoint::Authenticate, fault);
    let page = begun.type_code(&code).await;
    is_trouble(&page, 403, RejectionKind::StepUpRequired);
    let words = RejectionKind::StepUpRequired.happened();
    assert!(page.read().contains(words), "{}", page.read());
}

#[tokio::test]
async fn an_address_that_workos_has_not_verified_is_told_to_be_confirmed() {
    let mut begun = Begun::new(SignIn::Code).await;
    let emulator = begun.world.emulator();
    emulator.next_user(EmulatedUser::with_unverified_email);
    let code = begun.post.code();
    let page = begun.type_code(&code).await;
    is_trouble(&page, 403, RejectionKind::StepUpRequired);
    assert!(page.text().contains("to be confirmed once"));
}
