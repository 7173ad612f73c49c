//! What the answer of one provider says of a proof that the other one may have made.

use crate::provider::{Identity, ProviderError, ProviderErrorKind};

/// Says whether the provider is away.
pub(super) fn is_outage(error: &ProviderError) -> bool {
    matches!(
        error.kind(),
        ProviderErrorKind::TimedOut | ProviderErrorKind::Unavailable
    )
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
