//! What a Redis holds of revocations.

use crate::redis::RedisServer;

/// Returns how many revocations are stored. The epoch stands beside them, and is none.
pub(crate) fn revocations(server: &RedisServer) -> String {
    server.say(&["ZCOUNT", "{tower-magic-link}:ended", "-inf", "(inf"])
}

/// Returns how many revocations that end many sessions are stored.
pub(crate) fn groups(server: &RedisServer) -> usize {
    let fields = server.say(&["HKEYS", "{tower-magic-link}:groups"]);
    fields.lines().filter(|field| *field != "!").count()
}
