//! What the self-test finds out about the store: its Redis, and this process's copy of it.

use super::{
    replica::Replica,
    status::{Phase, Status},
};
use crate::{check::Line, clock::Timestamp, store::redis::Redis};

const FOLLOWS: &str = "this process has all that has ended";
const SHARED: &str = "the server is the one that this process follows";

/// Checks Redis, and the copy.
pub(super) async fn check(redis: &Redis, replica: &Replica, now: Timestamp) -> Vec<Line> {
    let checked = redis.check(now).await;
    let mut lines = checked.lines;
    if let Some(connection) = &checked.connection {
        lines.push(connection.keeps());
    }
    let status = Status::of(replica);
    lines.push(match status.phase() {
        Phase::Following => Line::passed(FOLLOWS),
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
