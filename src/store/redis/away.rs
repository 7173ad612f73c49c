//! Why Redis does not answer: it is away, or it refuses this application's user.

use std::error::Error;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::{StoreError, StoreErrorKind};

/// Says whether the server answered that it does not let this user in, or not do this.
pub(super) fn is_denied(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        _ => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
    }
}

/// Says whether the server answered that it does not do what it was asked. Then it has not done it.
/// After any other failure it may have.
pub(crate) fn is_refused(error: &StoreError) -> bool {
    let source = error.source();
    let source = source.and_then(|source| source.downcast_ref::<RedisError>());
    source.is_some_and(|error| error.code().is_some())
}

/// Says the same of an answer that waiting does not change: the server is not just loading.
pub(crate) fn refuses(error: &StoreError) -> bool {
    let source = error.source();
    let source = source.and_then(|source| source.downcast_ref::<RedisError>());
    source
        .and_then(RedisError::code)
        .is_some_and(|code| code != "LOADING")
}

/// Words the cause of a failure for an operator: what the client or the server said, cut at 200
/// characters. Redis's words on a refusal name its user, so of those only the code is left.
pub(crate) fn reason(error: &StoreError) -> Option<String> {
    const MOST: usize = 200;
    let source = error.source()?;
    let refused = source.downcast_ref::<RedisError>().and_then(refusal);
    let words = refused.map_or_else(|| source.to_string(), str::to_owned);
    Some(words.chars().take(MOST).collect())
}

fn refusal(error: &RedisError) -> Option<&str> {
    if is_denied(error) {
        return Some(error.code().unwrap_or("refused"));
    }
    // In a script a missing permission has no code of its own.
    let in_script = error
        .detail()
        .is_some_and(|text| text.contains("ACL failure"));
    in_script.then_some("ACL failure in script")
}

/// Which causes of an outage the log has. Attempts go on several times a second.
#[derive(Debug, Default)]
pub(crate) struct Logged(Vec<Cause>);

/// A kind of failure, and the code with which the server has answered, if it has.
type Cause = (StoreErrorKind, Option<String>);

impl Logged {
    /// How many causes one outage can have. More are not logged.
    const MOST: usize = 16;

    /// Notes a failure. Says whether the log lacks its cause.
    pub(crate) fn lacks(&mut self, lost: &StoreError) -> bool {
        let source = lost.source();
        let source = source.and_then(|source| source.downcast_ref::<RedisError>());
        let cause = (
            lost.kind(),
            source.and_then(RedisError::code).map(str::to_owned),
        );
        let lacks = self.0.len() < Self::MOST && !self.0.contains(&cause);
        if lacks {
            self.0.push(cause);
        }
        lacks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all: the outage is over.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Logs why Redis is away, for a store. A refused user is another line: nothing mends it but
/// another configuration.
pub(crate) fn log_away(store: &str, lost: &StoreError) {
    let reason = reason(lost);
    let kind = lost.kind();
    if kind == StoreErrorKind::Denied {
        tracing::error!(target: "tower_magic_link", store, %kind, reason, "redis refuses this user: check the password and the permissions");
    } else {
        tracing::warn!(target: "tower_magic_link", store, %kind, reason, "redis is away");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_answered_that_it_does_not_do_has_surely_not_been_done() {
        let server = |kind| RedisError::from((ErrorKind::Server(kind), "said"));
        let client = |kind| RedisError::from((kind, "said"));
        let cases = [
            (server(ServerErrorKind::ReadOnly), true),
            (server(ServerErrorKind::Moved), true),
            (server(ServerErrorKind::ResponseError), true),
            (
                std::io::Error::from(std::io::ErrorKind::BrokenPipe).into(),
                false,
            ),
            (client(ErrorKind::Io), false),
            (client(ErrorKind::Client), false),
            (client(ErrorKind::Parse), false),
            (client(ErrorKind::UnexpectedReturnType), false),
        ];
        for (error, want) in cases {
            let name = format!("{error:?}");
            assert_eq!(is_refused(&StoreError::unavailable(error)), want, "{name}");
        }
        assert!(!is_refused(&StoreError::new(StoreErrorKind::TimedOut)));
    }

    /// Pinned: the report, the log and `/readyz` had the name of Redis's user.
    #[test]
    fn of_a_refusal_only_the_code_is_told_and_no_words_are_endless() {
        let server = |kind, detail: &str| RedisError::from((kind, "said", detail.to_owned()));
        let no_perm = ErrorKind::Server(ServerErrorKind::NoPerm);
        let response = ErrorKind::Server(ServerErrorKind::ResponseError);
        let script = "ACL failure in script: User alice has no permissions to run 'set'";
        let cases = [
            (server(no_perm, "User alice has no permissions"), "NOPERM"),
            (server(response, script), "ACL failure in script"),
        ];
        for (error, want) in cases {
            let error = StoreError::unavailable(error);
            assert_eq!(reason(&error).as_deref(), Some(want));
        }
        let long = StoreError::unavailable("x".repeat(1_000));
        assert_eq!(reason(&long).map(|text| text.len()), Some(200));
        assert_eq!(reason(&StoreError::new(StoreErrorKind::Denied)), None);
    }
}
