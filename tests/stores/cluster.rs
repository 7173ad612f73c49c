//! A cluster of three, Sentinels with a failover, and servers that will not do.

use std::time::Duration;

use tower_magic_link::{
    revocation::{RedisRevocations, Revocations, Standing},
    store::{Redis, StoreErrorKind},
    throttle::{Charge, Charged, Rate, RedisThrottle, Throttle},
};

use crate::{
    redis::{RedisServer, until, until_within},
    session::{NOON, People, end_of, standing},
    throttle::key,
};

/// The longest that a Sentinel may take. For 30 seconds after its own clock has stood still for two
/// (TILT), it does nothing.
const BY_A_SENTINEL: Duration = Duration::from_secs(60);

/// Returns at which port a Sentinel says that the primary is.
fn primary_of(sentinel: &RedisServer) -> String {
    let address = sentinel.say(&["SENTINEL", "get-master-addr-by-name", "app"]);
    address.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn any_node_of_a_cluster_leads_to_the_one_that_holds_our_keys() {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(RedisServer::start_with(&["--cluster-enabled", "yes"]).await);
    }
    let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    let first = nodes[0].port.to_string();
    for (node, (from, to)) in nodes.iter().zip(ranges) {
        assert_eq!(node.say(&["CLUSTER", "ADDSLOTSRANGE", from, to]), "OK");
        node.say(&["CLUSTER", "MEET", "127.0.0.1", &first]);
    }
    for node in &nodes {
        until("the cluster stands", async || {
            let info = node.say(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
        .await;
    }
    let people = People::new();
    let mut stores: Vec<RedisRevocations> = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let redis = Redis::new(&node.url()).unwrap();
        stores.push(RedisRevocations::connect(&redis).await.unwrap());
        let session = people.session("a", 10);
        stores[number].revoke(&end_of(&session)).await.unwrap();
        for store in &stores {
            until("it is heard of", async || {
                standing(store, &session) == Some(Standing::Revoked)
            })
            .await;
        }
        let charges: Vec<_> = (0..4)
            .map(|at| Charge::new(key(at), Rate::new(1, Duration::from_secs(9))))
            .collect();
        let charged = RedisThrottle::new(&redis)
            .charge(&charges, NOON)
            .await
            .unwrap();
        assert_eq!(
            charged == Charged::Admitted,
            number == 0,
            "they count together"
        );
    }
    let holders = nodes.iter().filter(|node| node.say(&["DBSIZE"]) != "0");
    assert_eq!(holders.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_server_that_follows_another_is_not_taken_for_the_store() {
    let master = RedisServer::start().await;
    let replica = RedisServer::start().await;
    replica.say(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let alone = Redis::new(&replica.url()).unwrap();
    let mut connected = None;
    let took = until("it is told", async || {
        connected = Some(RedisRevocations::connect(&alone).await);
        true
    })
    .await;
    connected.unwrap().unwrap_err();
    assert!(took < Duration::from_secs(2), "it is told at once");
    // Beside the master it does no harm.
    let both = Redis::new(&replica.url())
        .unwrap()
        .or_at(&master.url())
        .unwrap();
    let store = RedisRevocations::connect(&both).await.unwrap();
    store
        .revoke(&end_of(&People::new().session("a", 10)))
        .await
        .unwrap();
    assert_eq!(master.say(&["EXISTS", "{tower-magic-link}:ended"]), "1");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn sentinels_lead_to_the_master_and_after_a_failover_to_the_next() {
    let mut master = RedisServer::start().await;
    let mut heir = RedisServer::start().await;
    let port = master.port.to_string();
    heir.say(&["REPLICAOF", "127.0.0.1", &port]);
    until("it follows", async || {
        heir.say(&["INFO", "replication"])
            .contains("master_link_status:up")
    })
    .await;
    let file = std::env::temp_dir().join(format!("tower-magic-link-sentinel-{port}.conf"));
    std::fs::write(
        &file,
        format!(
            "sentinel monitor app 127.0.0.1 {port} 1\nsentinel down-after-milliseconds app 2000\n\
             sentinel failover-timeout app 2000\n"
        ),
    )
    .unwrap();
    let sentinel = RedisServer::start_with(&[file.to_str().unwrap(), "--sentinel"]).await;
    until_within(BY_A_SENTINEL, "the sentinel knows", async || {
        sentinel
            .say(&["SENTINEL", "replicas", "app"])
            .contains(&heir.port.to_string())
    })
    .await;
    let redis = Redis::new(&sentinel.url()).unwrap().sentinels_of("app");
    let (a, b) = (
        RedisRevocations::connect(&redis).await.unwrap(),
        RedisRevocations::connect(&redis).await.unwrap(),
    );
    let people = People::new();
    let (before, after) = (people.session("a", 10), people.session("b", 10));
    a.revoke(&end_of(&before)).await.unwrap();
    until("b hears", async || b.len() == 1).await;
    // A primary that stood still for two seconds has been replaced already.
    let (primary, next) = if primary_of(&sentinel) == port {
        (&mut master, &heir)
    } else {
        (&mut heir, &master)
    };
    primary.kill();
    until("it is lost", async || !a.is_following()).await;
    until_within(BY_A_SENTINEL, "the next one inherits", async || {
        next.say(&["INFO", "replication"]).contains("role:master")
    })
    .await;
    let took = until_within(BY_A_SENTINEL, "a and b follow", async || {
        a.is_following() && b.is_following()
    })
    .await;
    println!("sentinel: followed {took:?} after the failover");
    a.revoke(&end_of(&after)).await.unwrap();
    until("b hears", async || {
        standing(&b, &after) == Some(Standing::Revoked)
    })
    .await;
    let late = RedisRevocations::connect(&redis).await.unwrap();
    assert_eq!(late.len(), 2);
    let unknown = Redis::new(&sentinel.url()).unwrap().sentinels_of("other");
    RedisRevocations::connect(&unknown).await.unwrap_err();
    let _ = std::fs::remove_file(file);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_password_is_given_and_a_wrong_one_is_not_shown() {
    let server = RedisServer::start_with(&["--requirepass", "marker-right"]).await;
    let at = |login: &str| Redis::new(&server.url().replace("//", &format!("//{login}"))).unwrap();
    RedisRevocations::connect(&at(":marker-right@"))
        .await
        .unwrap();
    RedisRevocations::connect(&at("default:marker-right@"))
        .await
        .unwrap();
    for login in ["", ":marker-wrong@"] {
        let error = RedisRevocations::connect(&at(login)).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert!(
            !format!("{error} {error:?} {source:?}").contains("marker"),
            "{error:?}"
        );
    }
}

/// Pinned: the reason was that of the address that failed last, which hid a refused login.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_refused_login_stays_the_reason_beside_an_address_that_is_silent() {
    let server = RedisServer::start_with(&["--requirepass", "marker-right"]).await;
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("redis://{}", silent.local_addr().unwrap());
    let wrong = server.url().replace("//", "//:marker-wrong@");
    let redis = Redis::new(&wrong).unwrap().or_at(&other).unwrap();
    let error = RedisRevocations::connect(&redis).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
}
