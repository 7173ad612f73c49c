//! What the answer of one provider says: whether the provider is away, and what became of a proof
//! that the other one may have made.

use crate::provider::{Identity, ProviderError, ProviderErrorKind};

/// Says whether the provider is away. One that answers 4xx is there.
pub(super) fn is_outage(error: &ProviderError) -> bool {
    has_no_verdict(error) && !is_there(error)
}

/// Says whether an error says nothing of a proof: the provider is away, or its 4xx broke off, so
/// that nobody knows what it refused.
pub(super) fn is_silent(error: &ProviderError) -> bool {
    has_no_verdict(error) && (!is_there(error) || error.may_have_acted())
}

/// Says whether an error says nothing of what the other provider did with a proof: by its kind, or
/// because our key was rejected.
pub(super) fn knows_no_proof(error: &ProviderError) -> bool {
    error.kind() == ProviderErrorKind::Misconfigured || has_no_verdict(error)
}

/// Says whether an error says nothing of a proof by its kind.
fn has_no_verdict(error: &ProviderError) -> bool {
    matches!(
        error.kind(),
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable
    )
}

/// Says whether the provider itself has answered. A 408 may come from what stands in front of it.
fn is_there(error: &ProviderError) -> bool {
    matches!(error.status(), Some(400..=407 | 409..=499))
}

/// Logs that the primary is away. What the fallback answers hides it: it is no event.
pub(super) fn log_away(primary: &str, error: &ProviderError) {
    tracing::warn!(
        target: "tower_magic_link",
        provider = primary,
        kind = error.kind().name(),
        status = error.status(),
        code = error.code(),
        "the primary provider does not answer"
    );
}

/// Logs that the primary is back.
pub(super) fn log_back(primary: &str) {
    tracing::info!(
        target: "tower_magic_link",
        provider = primary,
        "the primary provider answers again"
    );
}

/// Returns why a sign-in began at neither. The first one is away, so that the answer of the second
/// one counts, unless it is away too.
///
/// A mail that the first one may have sent stays counted, whatever the second one says.
pub(super) fn begun_at_neither(first: ProviderError, second: ProviderError) -> ProviderError {
    if is_outage(&second) {
        return outage_of_two(first, second);
    }
    match first.was_late() {
        true => second.after_a_late_answer(),
        false => second,
    }
}

/// Returns the one of two outages that counts: the one in which more may have been done. Of equals
/// it is the first.
pub(super) fn outage_of_two(first: ProviderError, second: ProviderError) -> ProviderError {
    let done = |error: &ProviderError| (error.was_late(), error.may_have_acted());
    match done(&second) > done(&first) {
        true => second,
        false => first,
    }
}

/// Says whether an answer is that of the provider that made the proof.
pub(super) fn is_decisive(answer: &Result<Identity, ProviderError>) -> bool {
    answer.as_ref().err().is_none_or(is_decisive_error)
}

pub(super) fn is_decisive_error(error: &ProviderError) -> bool {
    weight(error).is_none()
}

/// Returns how much an error says of a proof that may be the other one's; `None` if it cannot be.
pub(super) fn weight(error: &ProviderError) -> Option<u8> {
    Some(match error.kind() {
        ProviderErrorKind::Unsupported => 0,
        ProviderErrorKind::CodeWrong | ProviderErrorKind::Refused => 1,
        ProviderErrorKind::CodeExpired | ProviderErrorKind::CodeUsed => 2,
        ProviderErrorKind::TooManyTries | ProviderErrorKind::RateLimited => 3,
        // It may be its own, and then it is good again in a moment.
        _ if is_silent(error) => 4,
        // This includes a 4xx because of another request with the proof: its provider knows it.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> ProviderError {
        use ProviderErrorKind as Kind;
        match name {
            "away" => ProviderError::new(Kind::Unavailable).before_acting(),
            "broken" => Kind::Unavailable.into(),
            "busy" => ProviderError::new(Kind::Unavailable)
                .with_status(409)
                .before_acting(),
            "cut short" => ProviderError::new(Kind::Unavailable).with_status(403),
            "gone" => ProviderError::new(Kind::Unavailable).with_status(503),
            "late" => Kind::TimedOut.into(),
            "late to connect" => ProviderError::new(Kind::TimedOut).before_acting(),
            "limited" => Kind::RateLimited.into(),
            "refused" => Kind::NotAllowed.into(),
            "timed out there" => ProviderError::new(Kind::Unavailable).with_status(408),
            "unreadable" => Kind::InvalidAnswer.into(),
            _ => panic!("{name}"),
        }
        .with_request_id(Some(name.to_owned()))
    }

    /// Pins: a provider that answered 409 because of a second request counted as away, and then the
    /// fallback let in people whom the primary refuses.
    #[test]
    fn a_4xx_other_than_408_is_no_outage_and_a_whole_one_is_decisive() {
        let cases = [
            ("away", true, Some(4)),
            ("broken", true, Some(4)),
            ("gone", true, Some(4)),
            ("late", true, Some(4)),
            ("timed out there", true, Some(4)),
            ("busy", false, None),
            // The other one may have made the proof.
            ("cut short", false, Some(4)),
            ("limited", false, Some(3)),
            ("refused", false, None),
        ];
        for (name, want, weighs) in cases {
            assert_eq!(is_outage(&error(name)), want, "{name}");
            assert_eq!(weight(&error(name)), weighs, "{name}");
            assert_eq!(is_silent(&error(name)), weighs == Some(4), "{name}");
        }
    }

    #[test]
    fn the_second_answer_counts_unless_it_is_an_outage_in_which_no_more_was_done() {
        let cases = [
            ("away", "refused", "refused", false),
            ("away", "limited", "limited", false),
            ("away", "busy", "busy", false),
            ("late", "busy", "busy", true),
            ("away", "unreadable", "unreadable", false),
            ("late", "refused", "refused", true),
            ("late", "limited", "limited", true),
            ("late to connect", "limited", "limited", false),
            ("broken", "limited", "limited", false),
            ("away", "away", "away", false),
            ("away", "late to connect", "away", false),
            ("late to connect", "away", "late to connect", false),
            ("away", "broken", "broken", false),
            ("broken", "away", "broken", false),
            ("away", "late", "late", true),
            ("broken", "late", "late", true),
            ("late", "broken", "late", true),
            ("late", "away", "late", true),
        ];
        for (first, second, want, was_late) in cases {
            let told = begun_at_neither(error(first), error(second));
            assert_eq!(told.request_id(), Some(want), "{first}, {second}");
            assert_eq!(told.was_late(), was_late, "{first}, {second}");
        }
        let broken = begun_at_neither(error("broken"), error("broken"));
        assert!(broken.may_have_acted() && !broken.was_late());
    }
}
