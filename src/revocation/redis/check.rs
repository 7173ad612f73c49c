//! What the self-test finds out about the store: its Redis, and this process's copy of it.

use std::time::Duration;

use super::{
    last_error::LastError,
    replica::Replica,
    status::{Phase, Status},
};
use crate::{check::Line, clock::Timestamp, store::redis::Redis};

const FOLLOWS: &str = "this process has all that has ended";
const SHARED: &str = "the server is the one that this process follows";

/// What the scripts call, and what is sent beside them.
const NEEDS: [&str; 18] = [
    "DEL",
    "EXISTS",
    "HDEL",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HSET",
    "TIME",
    "XADD",
    "XREAD",
    "ZADD",
    "ZCARD",
    "ZRANGEBYSCORE",
    "ZREM",
    "ZREMRANGEBYSCORE",
    "ZSCAN",
    "ZSCORE",
];

/// Attempts to load that fail come more often than this.
const LATELY: Duration = Duration::from_secs(2);

fn is_refused_now(last: &LastError) -> bool {
    last.is_refusal() && last.age() < LATELY
}

/// Checks Redis, and the copy.
pub(super) async fn check(redis: &Redis, replica: &Replica, now: Timestamp) -> Vec<Line> {
    let checked = redis.check(&NEEDS, now).await;
    let mut lines = checked.lines;
    if let Some(connection) = &checked.connection {
        lines.push(connection.keeps());
    }
    let status = Status::of(replica);
    lines.push(match status.phase() {
        Phase::Following => Line::passed(FOLLOWS),
        Phase::Loading { .. } if status.last_error().is_some_and(is_refused_now) => Line::failed(
            FOLLOWS,
            format!("it is {status}"),
            "see the lines above, and whether another program has keys in this namespace",
        ),
        // Before the first load nobody is admitted, which `/readyz` says, too.
        Phase::Loading { .. } => Line::not_checked(FOLLOWS, format!("it is {status}")),
        Phase::WithinGrace { .. } | Phase::PastGrace => Line::failed(
            FOLLOWS,
            format!("it is {status}"),
            "see the lines above: the store connects again by itself",
        ),
    });
    if let Some(connection) = &checked.connection
        && status.phase() == Phase::Following
        && !connection.history.is_empty()
    {
        lines.push(match replica.may_read_from(&connection.history) {
            true => Line::passed(SHARED),
            false => Line::failed(
                SHARED,
                "a new connection leads to a server with other data",
                "check again in a moment; if it stays, name one primary alone, or its Sentinels",
            ),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::called_in;

    #[test]
    fn the_self_test_asks_for_every_command_that_a_script_calls() {
        let scripts = [
            include_str!("lua/arrive.lua"),
            include_str!("lua/put.lua"),
            include_str!("lua/restore.lua"),
            include_str!("lua/shared.lua"),
            include_str!("lua/state.lua"),
        ];
        let mut called: Vec<_> = scripts.into_iter().flat_map(called_in).collect();
        // Sent by themselves.
        called.extend(["EXISTS", "XREAD", "ZSCAN"]);
        called.sort_unstable();
        called.dedup();
        assert_eq!(called, NEEDS);
    }
}
