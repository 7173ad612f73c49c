//! A Redis for as long as the benchmark runs, and two replicas that share it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tokio::runtime::Runtime;
use tower_magic_link::{
    Session,
    revocation::{RedisRevocations, Revocation, Revocations, Target},
    store::Redis,
};

/// Two replicas that share a Redis: what is ended on the one, the other follows.
pub(crate) struct Replicas {
    orders: RedisRevocations,
    pub(crate) follows: RedisRevocations,
    runtime: Runtime,
    _server: Server,
}

struct Server(Child);

impl Replicas {
    /// Starts a Redis, or returns `None` where none is installed.
    pub(crate) fn start() -> Option<Self> {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn();
        let server = Server(server.ok()?);
        // What is timed runs on the main thread: this one follows the Redis.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let redis = Redis::new(&format!("redis://127.0.0.1:{port}")).unwrap();
        let connect = async || loop {
            match RedisRevocations::connect(&redis).await {
                Ok(replica) => break replica,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let (orders, follows) = runtime.block_on(async { (connect().await, connect().await) });
        Some(Self {
            orders,
            follows,
            runtime,
            _server: server,
        })
    }

    /// Ends a session on one replica, and returns when the other knows.
    pub(crate) fn end(&self, session: &Session) {
        let heard = self.follows.watch(session).unwrap();
        let target = Target::Session(session.id());
        let revocation = Revocation::new(target, session.auth_time(), session.expires_at());
        self.runtime.block_on(async {
            self.orders.revoke(&revocation).await.unwrap();
            heard.await;
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
