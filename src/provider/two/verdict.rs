//! What the answer of one provider says of a proof that the other one may have made.

use crate::provider::{Identity, ProviderError, ProviderErrorKind};

/// Says whether the provider is away.
pub(super) fn is_outage(error: &ProviderError) -> bool {
    matches!(
        error.kind(),
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable
    )
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
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable => 4,
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
            "late" => Kind::TimedOut.into(),
            "late to connect" => ProviderError::new(Kind::TimedOut).before_acting(),
            "limited" => Kind::RateLimited.into(),
            "refused" => Kind::NotAllowed.into(),
            "unreadable" => Kind::InvalidAnswer.into(),
            _ => panic!("{name}"),
        }
        .with_request_id(Some(name.to_owned()))
    }

    #[test]
    fn the_second_answer_counts_unless_it_is_an_outage_in_which_no_more_was_done() {
        let cases = [
            ("away", "refused", "refused", false),
            ("away", "limited", "limited", false),
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
