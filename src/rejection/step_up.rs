//! What a provider asks for beside the proof, in words: what happened, and what to do now.
//!
//! - The steps are WorkOS's, by its machine codes. A code that is not here has the words of the
//!   kind.

use super::words::Words;
use crate::language::english;

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

const fn step(name: &'static str) -> Words {
    Words {
        name,
        happened: english(&["step", name, "happened"]),
        advice: english(&["step", name, "advice"]),
        ..*super::words::STEP_UP_REQUIRED
    }
}

const ACCOUNT: &Words = &step("account");
const CONSENT: &Words = &step("consent");
const EMAIL_COMPLETION: &Words = &step("email_completion");
const EMAIL_VERIFICATION: &Words = &step("email_verification");
const METHOD: &Words = &step("method");
const ORGANIZATION: &Words = &step("organization");
const PASSKEY: &Words = &step("passkey");
const PHONE: &Words = &step("phone");
const RISK: &Words = &step("risk");
const SECOND_FACTOR: &Words = &step("second_factor");
const SINGLE_SIGN_ON: &Words = &step("single_sign_on");

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
