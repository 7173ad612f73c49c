//! A unix socket.

use tower_magic_link::store::Redis;

use super::works;
use crate::redis::RedisServer;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server; run by tests/run"]
async fn a_unix_socket_leads_to_the_server_with_a_login_and_a_database() {
    let path = std::env::temp_dir().join(format!("magic-link-{}.sock", std::process::id()));
    let path = path.to_str().unwrap();
    let arguments = ["--unixsocket", path, "--requirepass", "p@w"];
    let server = RedisServer::start_with(&arguments).await;
    works(&Redis::new(&format!("unix://{path}?db=3&pass=p%40w")).unwrap()).await;
    let url = format!("redis+unix://{path}?db=3&user=default&pass=p%40w");
    works(&Redis::new(&url).unwrap().namespace("other").unwrap()).await;
    let keyspace = server.say(&["-a", "p@w", "--no-auth-warning", "INFO", "keyspace"]);
    assert!(keyspace.contains("db3:"), "{keyspace}");
    assert!(!keyspace.contains("db0:"), "{keyspace}");
}
