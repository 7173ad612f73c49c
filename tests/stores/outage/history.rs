//! The history of a server's data changes under a connection that lives on.

use std::collections::BTreeSet;

use tower_magic_link::revocation::Standing::{Active, Revoked};

use super::{at, connect, end};
use crate::{
    held,
    redis::{RedisServer, until},
    session::{People, standing},
};

/// Returns the history of the server's data, and the one at which the data set was marked last.
fn histories(server: &RedisServer) -> [String; 2] {
    let info = server.say(&["INFO", "replication"]);
    let mut lines = info.lines();
    let now = lines.find_map(|line| line.strip_prefix("master_replid:"));
    let marked = server.say(&["HGET", "{tower-magic-link}:state", "of"]);
    [now.unwrap().trim().to_owned(), marked]
}

/// Returns the connections of a server's clients.
fn connections(server: &RedisServer) -> BTreeSet<String> {
    let clients = server.say(&["CLIENT", "LIST"]);
    // Without the one that asks.
    let ours = clients.lines().filter(|line| !line.contains("cmd=client"));
    ours.filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .collect()
}

/// Pins: over a connection that outlived its server's history, a replica marked the data set with
/// the old one, so that the data set never settled.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_server_whose_history_changes_under_a_connection_is_arrived_at_anew() {
    let server = RedisServer::start_with(&["--enable-debug-command", "yes"]).await;
    let redis = at(&server.url(), 0);
    let (a, gone) = (connect(&redis).await, connect(&redis).await);
    let people = People::new();
    let [one, other, live] = ["a", "b", "c"].map(|name| people.session(name, 10));
    // The writer has a connection of its own, which lives on too.
    end(&a, &one).await;
    until("the other hears", async || {
        standing(&gone, &one) == Some(Revoked)
    })
    .await;
    drop(gone);
    until("it is alone", async || connections(&server).len() == 2).await;
    let before = connections(&server);
    let [old, marked] = histories(&server);
    assert_eq!(marked, old);
    assert_eq!(server.say(&["DEBUG", "CHANGE-REPL-ID"]), "OK");
    assert_ne!(histories(&server)[0], old);
    // The server itself closes nothing, and the data stays where it is.
    assert_eq!(held::revocations(&server), "1");

    until("the data set is marked anew", async || {
        let [now, marked] = histories(&server);
        assert_ne!(now, old);
        now == marked
    })
    .await;
    until("it is vouched for", async || {
        a.is_following() && standing(&a, &live) == Some(Active)
    })
    .await;
    assert_eq!(standing(&a, &one), Some(Revoked));
    assert!(connections(&server).difference(&before).next().is_some());
    end(&a, &other).await;
    let late = connect(&redis).await;
    until("a new one has both", async || late.len() == 2).await;
    let [now, marked] = histories(&server);
    assert_eq!(marked, now, "the writer marks with the new one");
}
