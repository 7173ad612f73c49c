//! What a provider asks for beside the proof, in words: what happened, and what to do now.
//!
//! - The steps are WorkOS's, by its machine codes. A code that is not here has the words of the
//!   kind.

use super::words::Words;

/// Returns what a person reads of a step, by the provider's code for it.
pub(super) fn words_of(code: &str) -> Option<&'static Words> {
    Some(match code {
        "account_selection_required" => ACCOUNT,
        "application_consent_required" => CONSENT,
        "auth_method_disabled"
        | "auth_method_mismatch"
        | "authentication_method_not_allowed"
        | "email_password_auth_disabled" => METHOD,
        "email_completion_required" => EMAIL_COMPLETION,
        "email_verification_required" => EMAIL_VERIFICATION,
        "mfa_challenge" | "mfa_enrollment" => SECOND_FACTOR,
        "organization_authentication_methods_required" | "sso_required" => SINGLE_SIGN_ON,
        "organization_selection_required" => ORGANIZATION,
        "passkey_progressive_enrollment" => PASSKEY,
        "phone_number_required" => PHONE,
        "radar_challenge"
        | "radar_email_challenge"
        | "radar_sign_up_challenge"
        | "radar_sms_challenge"
        | "radar_sms_sign_in_challenge" => RISK,
        _ => return None,
    })
}

const fn step(happened: &'static str, advice: &'static str) -> Words {
    Words {
        happened,
        advice,
        ..*super::words::STEP_UP_REQUIRED
    }
}

const ACCOUNT: &Words = &step(
    "The sign-in service knows more than one account for this address, and this page can’t choose between them.",
    "Please ask your administrator which one to use.",
);

const CONSENT: &Words = &step(
    "Before this address can sign in, the sign-in service wants you to agree to what this application may see.",
    "Please ask your administrator where to give that consent.",
);

const EMAIL_COMPLETION: &Words = &step(
    "Your account at the sign-in service has no email address of its own yet.",
    "Please ask your administrator to add one, then sign in again.",
);

const EMAIL_VERIFICATION: &Words = &step(
    "The sign-in service wants this address to be confirmed once before it signs you in.",
    "Look for another email that asks you to confirm it, or ask your administrator.",
);

const METHOD: &Words = &step(
    "Your organization doesn’t let this address sign in by email.",
    "Please ask your administrator which way to sign in instead.",
);

const ORGANIZATION: &Words = &step(
    "You belong to more than one organization, and the sign-in service didn’t list the ones that you can choose from.",
    "Please try again, and ask your administrator if it keeps happening.",
);

const PASSKEY: &Words = &step(
    "Your organization asks you to set up a passkey before you go on.",
    "This page can’t do that, so please ask your administrator where to set it up.",
);

const PHONE: &Words = &step(
    "The sign-in service asks for a phone number for this address.",
    "Please ask your administrator where to add one.",
);

const RISK: &Words = &step(
    "Something about this sign-in looked unusual, and the sign-in service wants to make sure that it’s you.",
    "Please try from a device and a network that you usually use, or ask your administrator.",
);

const SECOND_FACTOR: &Words = &step(
    "For this address, your organization asks for a second step, such as a code from an app on your phone.",
    "This page can’t ask for it, so please ask your administrator how to sign in.",
);

const SINGLE_SIGN_ON: &Words = &step(
    "Your organization signs people in through a login of its own.",
    "Please sign in there, or ask your administrator how.",
);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_step_is_told_in_two_plain_sentences_of_its_own() {
        let codes = [
            "account_selection_required",
            "application_consent_required",
            "authentication_method_not_allowed",
            "email_completion_required",
            "email_verification_required",
            "mfa_enrollment",
            "organization_selection_required",
            "passkey_progressive_enrollment",
            "phone_number_required",
            "radar_challenge",
            "sso_required",
        ];
        let mut stories = HashSet::from([super::super::words::STEP_UP_REQUIRED.happened]);
        for code in codes {
            let words = words_of(code).unwrap();
            assert!(
                stories.insert(words.happened),
                "{code} has a story of its own"
            );
            for sentence in [words.happened, words.advice] {
                assert!(sentence.ends_with('.') && sentence.matches('.').count() == 1);
                for jargon in ["SSO", "MFA", "token", "error", "invalid", "WorkOS", "_"] {
                    assert!(!sentence.contains(jargon), "{jargon} in {sentence}");
                }
            }
        }
        assert!(words_of("a_step_of_tomorrow").is_none());
    }
}
