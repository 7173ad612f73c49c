//! What a person reads of a refusal.
//!
//! - A heading, one sentence on what happened, one on what to do now, one way on.
//! - Plain words for a tired person: no jargon, no blame, no codes.
//! - Here are the English ones, read from their table when the crate is compiled. A page has those
//!   of its language, by the story's name.

use crate::language::english;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The name of the story in the tables of texts.
    pub(super) name: &'static str,
    pub(super) heading: &'static str,
    pub(super) happened: &'static str,
    pub(super) advice: &'static str,
    pub(super) way_on: &'static str,
}

const fn story(name: &'static str) -> Words {
    Words {
        name,
        heading: english(&["trouble", name, "heading"]),
        happened: english(&["trouble", name, "happened"]),
        advice: english(&["trouble", name, "advice"]),
        way_on: english(&["trouble", name, "way_on"]),
    }
}

pub(super) const AMBIGUOUS_REQUEST: &Words = &story("ambiguous_request");
pub(super) const ANOTHER_BROWSER: &Words = &story("another_browser");
pub(super) const ATTEMPT_EXPIRED: &Words = &story("attempt_expired");
pub(super) const CHOICE_CANCELLED: &Words = &story("choice_cancelled");
pub(super) const CHOICE_EXPIRED: &Words = &story("choice_expired");
pub(super) const CLOCK_WRONG: &Words = &story("clock_wrong");
pub(super) const CODE_EXPIRED: &Words = &story("code_expired");
pub(super) const CODE_USED: &Words = &story("code_used");
pub(super) const CODE_WRONG: &Words = &story("code_wrong");
pub(super) const COOKIES_BLOCKED: &Words = &story("cookies_blocked");
pub(super) const CROSS_SITE: &Words = &story("cross_site");
pub(super) const INSECURE_CONNECTION: &Words = &story("insecure_connection");
pub(super) const LINK_DECLINED: &Words = &story("link_declined");
pub(super) const LINK_EXPIRED: &Words = &story("link_expired");
pub(super) const LINK_USED: &Words = &story("link_used");
pub(super) const MAIL_NOT_SENT: &Words = &story("mail_not_sent");
pub(super) const MALFORMED: &Words = &story("malformed");
pub(super) const METHOD_NOT_ALLOWED: &Words = &story("method_not_allowed");
pub(super) const NO_SESSION: &Words = &story("no_session");
pub(super) const NOT_ALLOWED: &Words = &story("not_allowed");
pub(super) const ORGANIZATION_NOT_ALLOWED: &Words = &story("organization_not_allowed");
pub(super) const ORGANIZATION_REQUIRED: &Words = &story("organization_required");
pub(super) const OTHER_ADDRESS: &Words = &story("other_address");
pub(super) const OTHER_HOST: &Words = &story("other_host");
pub(super) const PROVIDER_ANSWER_LOST: &Words = &story("provider_answer_lost");
pub(super) const PROVIDER_FAILED: &Words = &story("provider_failed");
pub(super) const PROVIDER_MISCONFIGURED: &Words = &story("provider_misconfigured");
pub(super) const PROVIDER_REFUSED_ADDRESS: &Words = &story("provider_refused_address");
pub(super) const PROVIDER_UNAVAILABLE: &Words = &story("provider_unavailable");
pub(super) const RATE_LIMITED: &Words = &story("rate_limited");
pub(super) const RECENT_SIGN_IN_REQUIRED: &Words = &story("recent_sign_in_required");
pub(super) const SESSION_TOO_LARGE: &Words = &story("session_too_large");
pub(super) const SIGN_OUT_NOT_RECORDED: &Words = &story("sign_out_not_recorded");
pub(super) const STEP_UP_REQUIRED: &Words = &story("step_up_required");
pub(super) const STORE_UNAVAILABLE: &Words = &story("store_unavailable");
pub(super) const TOO_LARGE: &Words = &story("too_large");
pub(super) const TOO_MANY_TRIES: &Words = &story("too_many_tries");
pub(super) const TOO_SLOW: &Words = &story("too_slow");
pub(super) const UNSUPPORTED_MEDIA_TYPE: &Words = &story("unsupported_media_type");
pub(super) const WRONG_CONNECTION: &Words = &story("wrong_connection");
