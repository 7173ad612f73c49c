//! A cluster hands the slot of our keys from one node to another.

use std::time::Duration;

use tokio::time::sleep;
use tower_magic_link::{
    revocation::{RedisRevocations, Revocations, Standing},
    store::Redis,
    throttle::{RedisThrottle, Take, Throttle},
};

use crate::{
    redis::{RedisServer, until},
    session::{NOON, People, after, end_of, standing},
    throttle::key,
};

/// Two nodes, of which the first has every slot.
struct Cluster {
    from: RedisServer,
    to: RedisServer,
    slot: String,
}

impl Cluster {
    async fn start() -> Self {
        let node = async || RedisServer::start_with(&["--cluster-enabled", "yes"]).await;
        let (from, to) = (node().await, node().await);
        assert_eq!(from.say(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "OK");
        from.say(&["CLUSTER", "MEET", "127.0.0.1", &to.port.to_string()]);
        for node in [&from, &to] {
            until("the cluster stands", async || {
                let info = node.say(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2")
            })
            .await;
        }
        let slot = from.say(&["CLUSTER", "KEYSLOT", "{tower-magic-link}:state"]);
        Self { from, to, slot }
    }

    /// Begins to hand the slot over.
    fn open(&self) {
        let [from, to] = [&self.from, &self.to].map(|node| node.say(&["CLUSTER", "MYID"]));
        let set = |node: &RedisServer, how, other: &str| {
            let told = node.say(&["CLUSTER", "SETSLOT", &self.slot, how, other]);
            assert_eq!(told, "OK", "{how}");
        };
        set(&self.to, "IMPORTING", &from);
        set(&self.from, "MIGRATING", &to);
    }

    fn keys(&self) -> Vec<String> {
        let keys = self
            .from
            .say(&["CLUSTER", "GETKEYSINSLOT", &self.slot, "1000"]);
        keys.lines().map(str::to_owned).collect()
    }

    fn hand_over(&self, keys: &[String]) {
        let port = self.to.port.to_string();
        let words = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        let words: Vec<_> = words
            .into_iter()
            .chain(keys.iter().map(String::as_str))
            .collect();
        assert_eq!(self.from.say(&words), "OK");
    }

    /// Ends it: the slot is the other node's.
    fn close(&self) {
        let heir = self.to.say(&["CLUSTER", "MYID"]);
        for node in [&self.to, &self.from] {
            let told = node.say(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &heir]);
            assert_eq!(told, "OK");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn while_a_slot_moves_every_command_reaches_the_node_that_has_the_keys() {
    let cluster = Cluster::start().await;
    let redis = Redis::new(&cluster.from.url()).unwrap();
    let redis = redis.settle(Duration::from_secs(1)).unwrap();
    let (a, b) = (
        RedisRevocations::connect(&redis).await.unwrap(),
        RedisRevocations::connect(&redis).await.unwrap(),
    );
    let throttle = RedisThrottle::new(&redis);
    let take = async |throttle: &RedisThrottle| {
        let took = throttle.take_try(key(1), 9, after(600), NOON).await;
        took.unwrap()
    };
    let people = People::new();
    let [first, second, third, fourth, live] =
        ["a", "b", "c", "d", "e"].map(|name| people.session(name, 10));
    a.revoke(&end_of(&first)).await.unwrap();
    assert_eq!(take(&throttle).await, Take::Taken { left: 8 });
    let hears = async |what: &str, store: &RedisRevocations, session| {
        until(what, async || {
            standing(store, session) == Some(Standing::Revoked)
        })
        .await;
    };
    hears("before", &b, &first).await;

    cluster.open();
    let keys = cluster.keys();
    let (some, rest) = keys.split_at(keys.len() / 2);
    cluster.hand_over(some);
    // Some are here and some are there: no node can do what needs all of them.
    let end = end_of(&second);
    let (told, ()) = tokio::join!(a.revoke(&end), async {
        sleep(Duration::from_millis(200)).await;
        cluster.hand_over(rest);
    });
    told.unwrap();
    hears("by the stream of the other node", &b, &second).await;
    assert_eq!(cluster.keys(), Vec::<String>::new());
    a.revoke(&end_of(&third)).await.unwrap();
    hears("while it is open", &b, &third).await;
    assert_eq!(take(&throttle).await, Take::Taken { left: 7 });
    assert_eq!(
        take(&RedisThrottle::new(&redis)).await,
        Take::Taken { left: 6 },
        "they count together"
    );
    let late = RedisRevocations::connect(&redis).await.unwrap();
    for session in [&first, &second, &third] {
        assert_eq!(standing(&late, session), Some(Standing::Revoked));
    }
    assert_eq!(
        cluster.keys(),
        Vec::<String>::new(),
        "nothing was written back"
    );

    cluster.close();
    until("they follow the other node", async || {
        a.revoke(&end_of(&fourth)).await.is_ok()
    })
    .await;
    for store in [&b, &late] {
        hears("after it", store, &fourth).await;
    }
    assert_eq!(standing(&b, &live), Some(Standing::Active));
}
