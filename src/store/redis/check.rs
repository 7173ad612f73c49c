//! What the self-test finds out about a Redis: whether it is there, and fit for what is kept in it.
//!
//! - It connects anew, as a store that starts does: to the primary, by whatever Sentinels and nodes
//!   of a cluster say. A replica is refused.
//! - It writes one key of ours in a script, with an end, and deletes it in the same script. There
//!   it also asks whether the user may run each command that the store needs.

use std::time::Duration;

use ::redis::Script;

use super::{Connection, Redis, reason};
use crate::{
    check::{self, Line},
    clock::Timestamp,
    random,
    store::{StoreError, StoreErrorKind},
};

/// How far the clocks of an application's machines may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// What the self-test itself calls.
const NEEDS: [&str; 3] = ["DEL", "SET", "TIME"];

const ANSWERS: &str = "redis answers, and is the primary";
const WRITES: &str = "redis lets this user write and run scripts";
const KEEPS: &str = "redis keeps keys that have no expiry";
const CLOCK: &str = "redis's clock agrees with this machine's";

/// What the self-test found, and the connection for what a store asks itself.
pub(crate) struct Checked {
    pub(crate) lines: Vec<Line>,
    pub(crate) connection: Option<Connection>,
}

impl Redis {
    /// Finds out whether this Redis can be reached and written, and lets the user run the commands
    /// that a store needs. `now` is the time when the check began.
    pub(crate) async fn check(&self, needs: &[&str], now: Timestamp) -> Checked {
        let began = tokio::time::Instant::now();
        let connection = match self.reach().await {
            Ok(connection) => connection,
            Err(error) => {
                return Checked {
                    lines: vec![failed(ANSWERS, &error)],
                    connection: None,
                };
            }
        };
        let mut lines = vec![Line::passed(ANSWERS)];
        let script = Script::new(include_str!("check.lua"));
        // Of its own: of two that check at once, neither deletes the other's.
        let number = u64::from_be_bytes(random::bytes());
        let keys = [self.key(&format!("check:{number:016x}"))];
        let needs = needs.iter().chain(&NEEDS);
        let needs: Vec<_> = needs.map(|name| name.as_bytes().to_vec()).collect();
        let checked = connection.run::<(Vec<String>, u64)>(&script, &keys, &needs);
        match checked.await {
            Ok((lacks, _)) if !lacks.is_empty() => lines.push(Line::failed(
                WRITES,
                format!("its ACL lacks {}", lacks.join(", ")),
                "give the user the ACL that store::Redis names",
            )),
            Ok((_, time)) => {
                let now = now + began.elapsed();
                lines.push(Line::passed(WRITES));
                let theirs = ("redis's", Timestamp::from_secs(time));
                lines.push(check::clocks(CLOCK, theirs, now, LEEWAY));
            }
            Err(error) => lines.push(failed(WRITES, &error)),
        }
        Checked {
            lines,
            connection: Some(connection),
        }
    }
}

impl Connection {
    /// Says whether the server keeps what has no expiry, which is all that revocations need.
    pub(crate) fn keeps(&self) -> Line {
        if self.history.is_empty() {
            let why = "this user may not run INFO; add +info to its ACL";
            return Line::not_checked(KEEPS, why);
        }
        match &self.evicts {
            None => Line::passed(KEEPS),
            Some(policy) => Line::failed(
                KEEPS,
                format!("its maxmemory-policy is {policy}, which drops them when memory is full"),
                "run CONFIG SET maxmemory-policy noeviction",
            ),
        }
    }
}

/// Words why a store does not answer. The log has the same texts.
fn failed(what: &'static str, error: &StoreError) -> Line {
    let kind = error.kind();
    let problem = match reason(error) {
        Some(reason) => format!("{kind} ({reason})"),
        None => kind.to_string(),
    };
    let cure = match kind {
        StoreErrorKind::Denied => "check the user, the password and the ACL",
        // The server has answered. In a script, Redis says of a missing permission only this.
        StoreErrorKind::Unavailable if what == WRITES => {
            "give the user the ACL that store::Redis names, and see whether the server takes writes"
        }
        StoreErrorKind::TimedOut | StoreErrorKind::Unavailable => {
            "see whether redis runs at its URL and can be reached from here"
        }
    };
    Line::failed(what, problem, cure)
}

/// Returns the commands that a script calls.
#[cfg(test)]
pub(crate) fn called_in(script: &str) -> std::collections::BTreeSet<&str> {
    let words: Vec<_> = script.split('\'').collect();
    let pairs = words.windows(2);
    let calls = pairs.filter_map(|pair| match pair {
        // In `put.lua` the words of a call stand in a table.
        [before, word] if before.ends_with("call(") || before.ends_with("{ ") => Some(*word),
        _ => None,
    });
    let is_command = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    calls.filter(is_command).collect()
}
